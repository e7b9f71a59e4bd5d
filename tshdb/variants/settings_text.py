"""Settings written into the text of a study.toml: every line and comment that is not meant stays as it is.

What comes out is read again and compared with what was wanted: a text that is written in a way which is not understood here
(a table within braces, a dotted key) is refused, never guessed at.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tshdb.errors import InvalidInput

Tables = Mapping[str, Mapping[str, Any]]  # table -> setting -> value
HEADER = re.compile(r"\s*\[\s*([\w.\-]+)\s*\]\s*(#.*)?")


class Written(NamedTuple):
    """An assignment in a text: its first and last line, counted from 0, and the comment behind it."""

    first: int
    last: int
    comment: str


def as_toml(value: Any) -> str:
    """A value as study.toml has it."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(v)}" for key, v in value.items()) + "}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value) if isinstance(value, bool | int) else str(value)


def with_values(
    text: str, wanted: Tables, where: str, note: Callable[[str, str], str | None] = lambda table, key: None
) -> str:
    """The text with these settings in it. note: a line of comment above a setting, or None.

    Raises InvalidInput for a text in which they cannot be written.
    """
    lines = text.split("\n")
    for table, values in wanted.items():
        for key, value in values.items():
            _put(lines, table, key, value, note(table, key))
    written = "\n".join(lines)
    try:
        is_so = tomllib.loads(written) == _merged(tomllib.loads(text), wanted)
    except tomllib.TOMLDecodeError:
        is_so = False
    if not is_so:
        raise InvalidInput(
            f"{', '.join(f'[{table}]' for table in wanted)} is written there in a way that is not understood here",
            where=where, repair="Write each table as [TABLE], and each of its settings as NAME = VALUE on a line of its own",
        )  # fmt: skip
    return written


def _merged(tables: dict[str, Any], wanted: Tables) -> dict[str, Any]:
    merged = dict(tables)
    for table, values in wanted.items():
        stood = merged.get(table, {})
        merged[table] = {**stood, **values} if isinstance(stood, dict) else dict(values)
    return merged


def _put(lines: list[str], table: str, key: str, value: Any, note: str | None) -> None:
    """Write one setting: in place of its former value, else below the header of its table, else in a new table at the end."""
    said = [note] if note else []
    header, stands = _found(lines, table, key)
    if stands is not None:
        lines[stands.first : stands.last + 1] = [*said, f"{key} = {as_toml(value)}{stands.comment}"]
    elif header is not None:
        lines[header + 1 : header + 1] = [*said, f"{key} = {as_toml(value)}"]
    else:
        while lines and not lines[-1].strip():
            lines.pop()
        lines += ["", f"[{table}]", *said, f"{key} = {as_toml(value)}", ""]


def _found(lines: list[str], table: str, key: str) -> tuple[int | None, Written | None]:
    """The line of the table's header, and where the setting is written in it."""
    current, header = "", None
    for number, line in enumerate(lines):
        if match := HEADER.fullmatch(line):
            current = match[1]
            if current == table and header is None:
                header = number
        elif current == table and re.match(rf"\s*{re.escape(key)}\s*=", line):
            return header, _assignment(lines, number)
    return header, None


def _assignment(lines: list[str], first: int) -> Written | None:
    """The lines over which a value goes: the fewest that are TOML. The comment is what can be cut from the last of them."""
    for last in range(first, len(lines)):
        whole = "\n".join(lines[first : last + 1])
        if not _is_toml(whole):
            continue
        start = len(whole) - len(lines[last])
        cuts = (i for i in range(start, len(whole)) if whole[i] == "#")
        cut = next((i for i in cuts if _is_toml(whole[:i])), len(whole))
        value = whole[:cut].rstrip()
        return Written(first, last, whole[len(value) :] if cut < len(whole) else "")
    return None


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True
