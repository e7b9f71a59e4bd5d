"""What a file of a multiverse asks for: the result that is followed, and choices, each with its options.

    [estimate]
    table = "cox_terms"
    row = {cohort = "tumor_stroma_development", model = "group"}

    [choices]
    "cutoff.method" = ["fixed", "median", "maxstat"]          # a setting of study.toml, and its values
    "tsh_ratios.biomarker" = ["ratio", "difference"]

    [choices.horizon]                                          # or options with names, each of several settings
    "five years" = {"cutoff.censor_at_days" = 1826.25, "tsh_cox.censor_at_days" = 1826.25}
    "ten years" = {"cutoff.censor_at_days" = 3652.5, "tsh_cox.censor_at_days" = 3652.5}

Every error names the file, and the choice and the value that are wrong.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from tshdb.engine.standing_in import REPLACES
from tshdb.errors import InvalidInput, NotFound
from tshdb.multiverse.measures import Measure, measure_of
from tshdb.multiverse_places import NAME
from tshdb.near import did_you_mean
from tshdb.variants.settings import PLAIN, Set, joined, refuse_shared
from tshdb.variants.settings_text import as_toml
from tshdb.written import written_text

MOST = 5_000  # combinations of one file
OF_ESTIMATE = ("table", "row", "column", "analysis", "lower", "upper", "p", "null", "scale")


class Option(NamedTuple):
    """One way to make a choice. values: table -> setting -> value."""

    label: str
    values: Set


class Choice(NamedTuple):
    """Something that could have been done in several ways."""

    name: str
    options: tuple[Option, ...]

    def settings(self) -> set[tuple[str, str]]:
        """(table, setting) of all that its options set."""
        return {(table, key) for option in self.options for table, found in option.values.items() for key in found}


class Combination(NamedTuple):
    """One option of each choice. labels: in the order of the choices."""

    labels: tuple[str, ...]
    values: Set


@dataclass(frozen=True)
class Followed:
    """The result that is followed: the row of a table, and in it an estimate.

    row: column -> value; a cohort without @version is its newest.
    analysis: that makes the row, if the file says so.
    """

    table: str
    row: dict[str, Any]
    measure: Measure
    analysis: str | None


@dataclass(frozen=True)
class Asked:
    """A file of a multiverse. name: of the file, and of the folder in which its results are kept."""

    path: Path
    name: str
    followed: Followed
    choices: tuple[Choice, ...]

    @property
    def n_combinations(self) -> int:
        return math.prod(len(choice.options) for choice in self.choices)

    def combinations(self) -> Iterator[Combination]:
        """Every combination, the last choice changing first."""
        for options in product(*(choice.options for choice in self.choices)):
            values: Set = {}
            for option in options:
                values = joined(values, option.values)
            yield Combination(tuple(option.label for option in options), values)

    def words(self, labels: Sequence[str]) -> str:
        """A combination in words: cutoff.method = "median", horizon = five years."""
        return ", ".join(f"{choice.name} = {label}" for choice, label in zip(self.choices, labels, strict=True))


def read(path: Path) -> Asked:
    """The file as it is written. Raises NotFound, and InvalidInput for what is no multiverse."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path), repair="Write one: docs/multiverse.md")
    try:
        tables = tomllib.loads(written_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"not TOML: {error}", where=str(path), repair="Mend the line") from None
    if not NAME.fullmatch(path.stem):
        raise InvalidInput(
            f"'{path.stem}' cannot be the name of a multiverse", where=str(path),
            repair="Name the file with up to 28 small letters, digits, - and _, a letter first, such as cutoffs.toml",
        )  # fmt: skip
    for name, values in tables.items():
        if name not in ("estimate", "choices") or not isinstance(values, dict):
            raise InvalidInput(
                f"'{name}' is neither [estimate] nor [choices]", where=str(path),
                repair=did_you_mean(name, ("estimate", "choices"), "Take it out"),
            )  # fmt: skip
    asked = Asked(
        path, path.stem, _followed(tables.get("estimate", {}), path), _choices(tables.get("choices", {}), path)
    )
    if asked.n_combinations > MOST:
        raise InvalidInput(
            f"{asked.n_combinations:,} combinations, more than {MOST:,}",
            where=str(path),
            repair="Leave choices or options out",
        )
    return asked


def _followed(found: dict[str, Any], path: Path) -> Followed:
    where = f"{path}: [estimate]"
    for key in found:
        if key not in OF_ESTIMATE:
            known = f"There are {', '.join(OF_ESTIMATE)}"
            raise InvalidInput(f"no '{key}' in it", where=where, repair=did_you_mean(key, OF_ESTIMATE, known))
    table, row = found.get("table"), found.get("row", {})
    if not isinstance(table, str):
        raise InvalidInput("no table", where=where, repair='Write table = "cox_terms", and in row which of its rows')
    if not isinstance(row, dict) or not all(isinstance(value, str | int | float | bool) for value in row.values()):
        raise InvalidInput("row is no list of columns with values", where=where, repair='Write row = {model = "group"}')
    analysis = found.get("analysis")
    if analysis is not None and not isinstance(analysis, str):
        raise InvalidInput("analysis is no name", where=where, repair='Write analysis = "tsh_cox"')
    return Followed(table, row, measure_of(table, row, found, where), analysis)


def _choices(found: dict[str, Any], path: Path) -> tuple[Choice, ...]:
    choices = tuple(_choice(name, values, path) for name, values in _written(found))
    if not choices:
        raise InvalidInput(
            "no choices", where=f"{path}: [choices]", repair='Write such as "cutoff.method" = ["fixed", "median"]'
        )
    by_setting: dict[tuple[str, str], str] = {}
    for choice in choices:
        for table, key in sorted(choice.settings()):
            if (other := by_setting.setdefault((table, key), choice.name)) != choice.name:
                raise InvalidInput(
                    f"{table}.{key} is set by {other} as well", where=_place(path, choice.name),
                    repair="Leave it to one of the two choices",
                )  # fmt: skip
    return choices


def _written(found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """(name, options), also where TABLE.SETTING stands without quotation marks, which TOML reads as a table."""
    for name, values in found.items():
        if isinstance(values, dict) and values and all(isinstance(each, list) for each in values.values()):
            yield from ((f"{name}.{key}", each) for key, each in values.items())
        else:
            yield name, values


def _choice(name: str, values: Any, path: Path) -> Choice:
    where = _place(path, name)
    if isinstance(values, list):
        options = [Option(as_toml(value), _set({name: value}, where, as_toml(value))) for value in values]
    elif isinstance(values, dict) and values and all(isinstance(each, dict) and each for each in values.values()):
        options = [Option(label, _set(each, where, label)) for label, each in values.items()]
    else:
        raise InvalidInput(
            "expected a list of values, or options with settings each", where=where,
            repair='Write "TABLE.SETTING" = [VALUE, VALUE], or NAME = {OPTION = {"TABLE.SETTING" = VALUE}}',
        )  # fmt: skip
    if not options:
        raise InvalidInput("no value", where=where, repair="Write its values, or take the choice out")
    labels = [option.label for option in options]
    if twice := [label for i, label in enumerate(labels) if label in labels[:i]]:
        raise InvalidInput(f"{twice[0]} stands twice", where=where, repair="Take one of them out")
    return Choice(name, tuple(options))


def _set(values: dict[str, Any], where: str, label: str) -> Set:
    found: Set = {}
    for name, value in values.items():
        table, dot, key = name.partition(".")
        if not dot or not PLAIN.fullmatch(table) or not PLAIN.fullmatch(key):
            raise InvalidInput(
                f"'{name}' is no setting of study.toml",
                where=where,
                repair='Write "TABLE.SETTING", such as "cutoff.method"',
            )
        if table == REPLACES:
            raise InvalidInput(
                f"[{REPLACES}] chooses an analysis and is no setting of one", where=f"{where} = {label}",
                repair="Make a variant of each: tshdb rebuild --variant",
            )  # fmt: skip
        found.setdefault(table, {})[key] = value
    refuse_shared(found, f"{where} = {label}")
    return found


def _place(path: Path, choice: str) -> str:
    return f"{path}: choice {choice}"
