"""What units cost in a user's other studies: one small file a user, which no study's and no patient's name is in.

Where    $TSHDB_HOME/costs.json; without TSHDB_HOME in the folder where the platform keeps a user's data ($XDG_DATA_HOME/tshdb).
File     {"format": 1, "start": [seconds …], "analyses": {name: [{"units", "seconds", "workers", "inputs", "numbers"} …]}},
         the newest last. inputs: of one unit over a cohort; numbers: whole numbers and lengths of lists among the parameters.
Shipped  typical.json beside this module, in the same form: what an account knows that has not rebuilt anything yet.

The file is a comfort: one that cannot be read or written is as one that is not there.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tshdb.engine.analysis import Analysis
from tshdb.engine.costs.clock import Clock
from tshdb.engine.costs.took import KEPT, Sizes, Took, sizes_of, telling
from tshdb.places import user_data

FORMAT = 1
SHIPPED = Path(__file__).with_name("typical.json")


@dataclass(frozen=True)
class Elsewhere:
    """start: seconds that runs took besides what analyses took; took: analysis -> measurements, the newest last."""

    start: tuple[float, ...] = ()
    took: Mapping[str, tuple[Took, ...]] = field(default_factory=dict)


def known() -> Elsewhere:
    """What this user's rebuilds took so far, whatever the study."""
    try:
        return read(user_data() / "costs.json")
    except RuntimeError:
        return Elsewhere()


def shipped() -> Elsewhere:
    """What came with the program: see `about` in the file for where it was measured."""
    return read(SHIPPED)


def read(path: Path) -> Elsewhere:
    """What a file says; nothing of one that is not there, or is not of this form."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] != FORMAT:
            return Elsewhere()
        took = {str(name): tuple(map(_took, runs)) for name, runs in stored["analyses"].items()}
        return Elsewhere(tuple(map(_positive, stored["start"])), took)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Elsewhere()


def note(clock: Clock, analyses: Iterable[Analysis], parameters: Mapping[str, Any], n_workers: int) -> None:
    """Add what a run took to the user's file. parameters: analysis -> its parameters."""
    with suppress(OSError, RuntimeError, ValueError):
        path = user_data() / "costs.json"
        before = read(path)
        took = dict(before.took)
        for analysis in analyses:
            spent = clock.by_analysis.get(analysis.name)
            if spent is not None and spent.n_failed * 2 <= spent.n_units:  # what fails may fail at once
                given = parameters[analysis.name].model_dump(mode="json")
                n_inputs = spent.n_inputs / spent.n_units if analysis.over_cohort else None
                sizes = sizes_of(given, analysis.key_field, n_inputs)
                now = Took(spent.n_units, spent.seconds, n_workers, sizes)
                took[analysis.name] = telling((*took.get(analysis.name, ()), now))
        start = before.start if clock.start is None else (*before.start, clock.start)[-KEPT:]
        if took or start:
            write(path, Elsewhere(start, took))


def write(path: Path, what: Elsewhere, about: str = "what rebuilds of this user took") -> None:
    """Write such a file: whoever reads it finds the old one or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    analyses = ",\n".join(
        f"  {json.dumps(name)}: [\n   " + ",\n   ".join(json.dumps(_stored(t)) for t in runs) + "]"
        for name, runs in sorted(what.took.items())
    )
    head = json.dumps({"format": FORMAT, "about": about, "start": [_short(s) for s in what.start]})
    text = f'{head[:-1]}, "analyses": {{\n{analyses}\n}}}}\n'
    handle, temporary = tempfile.mkstemp(prefix=".costs-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _stored(took: Took) -> dict[str, Any]:
    inputs = _short(took.sizes.n_inputs) if took.sizes.n_inputs else None
    return {"units": took.n_units, "seconds": _short(took.seconds), "workers": took.n_workers, "inputs": inputs,
            "numbers": dict(took.sizes.numbers)}  # fmt: skip


def _took(stored: Any) -> Took:
    numbers = {str(k): int(v) for k, v in stored["numbers"].items()}
    inputs = stored["inputs"]
    sizes = Sizes(None if inputs is None else _positive(inputs), numbers)
    return Took(_positive(stored["units"]), _positive(stored["seconds"]), int(_positive(stored["workers"])), sizes)


def _positive(value: Any) -> float:
    """The number, if a cost can be computed from it. Raises ValueError."""
    if not 0 < float(value) < 1e12:
        raise ValueError(f"{value} is no cost")
    return float(value)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
