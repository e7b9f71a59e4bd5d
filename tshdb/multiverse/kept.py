"""Results of combinations that are done: multiverse/NAME/done.jsonl, one line a combination.

A line says what its result is made of (`origin`), the settings in words, the state of the data, and the estimate: no patient's
value. A run that is killed leaves whole lines, and at most one that is torn and read as none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tshdb.files import complete
from tshdb.multiverse_places import DONE

FORM = 1


class Permuted(NamedTuple):
    """The estimates of the same combination with the outcomes exchanged; None where there was none.

    of: a digest of how they were exchanged; refused: why this was not done, or None.
    """

    of: str
    estimates: list[float | None]
    p_values: list[float | None]
    refused: str | None = None


class Result(NamedTuple):
    """The result of one combination.

    made_of: a digest of all that it rests on; data: of the data alone. fingerprint: of the unit's rows.
    reason: why there is no estimate, or what must be said beside it.
    """

    made_of: str
    data: str
    settings: list[str]
    estimate: float | None
    lower: float | None
    upper: float | None
    p: float | None
    n: int | None
    n_events: int | None
    is_optimistic: bool | None
    reason: str | None
    fingerprint: str | None
    computed_at: str
    program: str
    seconds: float
    permuted: Permuted | None


def read(folder: Path) -> dict[str, Result]:
    """made_of -> result, the latest of each. What is no whole line of this form is passed over: it is computed again."""
    found: dict[str, Result] = {}
    if not (folder / DONE).is_file():
        return found
    for line in (folder / DONE).read_bytes().splitlines():
        with suppress(ValueError, TypeError, KeyError):
            said = json.loads(line)
            if said.pop("form") != FORM:
                continue
            permuted = said.pop("permuted")
            result = Result(**said, permuted=None if permuted is None else Permuted(**permuted))
            found[result.made_of] = result
    return found


def append(folder: Path, result: Result) -> None:
    """Keep one more: the line is on the disk when this returns."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / DONE).open("ab") as file:
        if file.tell() and not _ends_whole(folder / DONE):
            file.write(b"\n")  # after a line that was torn
        file.write(_line(result))
        file.flush()
        os.fsync(file.fileno())


def keep_only(folder: Path, results: Iterable[Result]) -> None:
    """Write the file anew with these alone."""
    if not (folder / DONE).is_file():
        return
    with complete(folder / DONE) as written:
        written.write_bytes(b"".join(map(_line, results)))


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _line(result: Result) -> bytes:
    said: dict[str, Any] = {"form": FORM, **result._asdict()}
    said["permuted"] = None if result.permuted is None else result.permuted._asdict()
    return json.dumps(said, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"
