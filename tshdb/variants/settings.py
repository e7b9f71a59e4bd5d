"""What is set in a variant: as it is asked for, as variant.toml keeps it, and as the analyses read it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tshdb.config import OURS, Settings
from tshdb.engine.standing_in import REPLACES
from tshdb.errors import InvalidInput, UsageError
from tshdb.near import did_you_mean
from tshdb.places import SETTINGS_FILE
from tshdb.variant_places import SETTINGS
from tshdb.variants.settings_text import as_toml, with_values
from tshdb.written import written_text

HEAD = """# A variant of this study: what is set otherwise than in study.toml. Kept by tshdb rebuild --variant {name} --set …

"""
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
ALLOWED = {
    "study": ("seed",)
}  # of the tables that belong to no analysis; the others say what is loaded, and from where

Set = dict[str, dict[str, Any]]  # table -> setting -> value


def parsed(asked: Sequence[str]) -> Set:
    """TABLE.SETTING=VALUE, several of them. A value is TOML; what is none is text. Raises UsageError, InvalidInput."""
    found: Set = {}
    for text in asked:
        name, sign, value = text.partition("=")
        table, dot, key = name.strip().partition(".")
        if not sign or not dot or not value.strip() or not PLAIN.fullmatch(table) or not PLAIN.fullmatch(key):
            raise UsageError(
                f"'{text}'", where="--set", repair="Write --set TABLE.SETTING=VALUE, such as cutoff.method=median"
            )
        found.setdefault(table, {})[key] = _value(value.strip())
    refuse_shared(found, "--set")
    return found


def _value(text: str) -> Any:
    try:
        read = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return read["value"] if list(read) == ["value"] else text


def refuse_shared(values: Set, where: str) -> None:
    """Raises InvalidInput for settings that a variant shares with its study: what is loaded, and where it lies."""
    for table, settings in values.items():
        if table not in OURS or table == REPLACES:
            continue
        for key in settings:
            if key not in ALLOWED.get(table, ()):
                raise InvalidInput(
                    f"[{table}] {key} is of what is loaded, which a variant shares with the study",
                    where=where, repair="For other data or another place, make a study of its own: tshdb init FOLDER",
                )  # fmt: skip


def read(folder: Path) -> Set:
    """What variant.toml sets. Raises InvalidInput for a file that is not understood."""
    path = folder / SETTINGS
    try:
        tables = tomllib.loads(written_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"not TOML: {error}", where=str(path), repair="Mend the line") from None
    for name, values in tables.items():
        if not isinstance(values, dict):
            raise InvalidInput(f"'{name}' must be a table", where=str(path), repair=f"Write [{name}]")
    refuse_shared(tables, str(path))
    return tables


def text_of(name: str, values: Set) -> str:
    """The text of variant.toml."""
    return with_values(HEAD.format(name=name), values, SETTINGS)


def joined(before: Set, more: Set) -> Set:
    """The settings of before, with what more sets in their place."""
    tables = {**before, **{table: {} for table in more if table not in before}}
    return {table: {**values, **more.get(table, {})} for table, values in tables.items()}


def shown(values: Set) -> list[str]:
    """Each setting as study.toml would have it: [cutoff] method = "median"."""
    return [f"[{table}] {key} = {as_toml(value)}" for table, found in values.items() for key, value in found.items()]


class VariantSettings(Settings):
    """study.toml as a variant has it. A setting of the variant is said to stand in its variant.toml.

    place: how an error names that file; before anything is written, the option.
    """

    def __init__(self, root: Path, values: Set, place: str, lines: str = ""):
        path = root / SETTINGS_FILE
        self.of_study, self.values, self.own_place, self._lines = Settings(path), values, place, lines
        for table in values:
            if not isinstance(self.of_study.tables.get(table, {}), dict):
                raise InvalidInput(f"'{table}' is no table of study.toml", where=place)
        super().__init__(path, with_values(self.of_study.text, values, str(path)))

    def where(self, table: str, key: str = "") -> str:
        """path:line of the setting in study.toml, or in variant.toml if it is the variant's."""
        is_own = (
            key in self.values.get(table, {}) if key else table in self.values and table not in self.of_study.tables
        )
        if not is_own:
            return self.of_study.where(table, key)
        return f"{self.own_place}:{self._line(table, key)}" if self._lines else self.own_place

    def _line(self, table: str, key: str) -> int:
        current = ""
        for number, line in enumerate(self._lines.splitlines(), 1):
            if header := re.match(r"\s*\[\s*([\w.\-]+)\s*\]", line):
                current = header[1]
                if current == table and not key:
                    return number
            elif current == table and key and re.match(rf"\s*{re.escape(key)}\s*=", line):
                return number
        return 1

    def place(self, name: str, key: str, base: str | None = None) -> tuple[str, str]:
        """As of a study; what the variant sets stands in variant.toml."""
        for table in filter(None, (name, base)):
            if key in self.values.get(table, {}):
                return table, f"{SETTINGS} line {self._line(table, key)}"
        return self.of_study.place(name, key, base)


def of_variant(root: Path, folder: Path) -> VariantSettings:
    """The settings of a variant as they stand."""
    path = folder / SETTINGS
    return VariantSettings(root, read(folder), str(path), written_text(path))


def nearest(name: str, known: Sequence[str]) -> str:
    """What helps where there is no variant of that name."""
    return did_you_mean(name, known, f"To make it: tshdb rebuild --variant {name} --set TABLE.SETTING=VALUE")
