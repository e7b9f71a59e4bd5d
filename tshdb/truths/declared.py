"""truths.toml: what is held against what. One table a truth, in the folder of the study.

[tumor_volume]
relation = "same"                       # same, rank or class
at_least = 0.9                          # of the figure; the person who declares a truth says what is good enough
[tumor_volume.derived]
table = "tumor_masks"
column = "volume_ml"
where = { time_point = "T0" }
[tumor_volume.measured]
file = "volumes.csv"                    # from the study's folder on
patient = "ID"
column = "volume"
factor = 0.001                          # to the unit of the other side
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tshdb.errors import InvalidInput, NotFound, UsageError
from tshdb.files import complete_through
from tshdb.near import did_you_mean
from tshdb.written import written_text

FILE = "truths.toml"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
SIDES = ("derived", "measured")
Word = str | bool | int | float
_HEAD = re.compile(r"\s*\[\s*([\w.\-]+)\s*\]")


class Side(BaseModel):
    """Where the values of one side stand: a column of the study, a SELECT, a file, or maps that came with the images.

    table, column: of the study; feature: of `imported_features`, instead of a column.
    sql: a SELECT that gives the key (patient_id, study_uid, or patient_id and time_point) and `value`.
    file: a delimited text, by its columns `patient`, or `examination`, or `patient` and `time_point`; or any table or workbook
    by a `map` (docs/maps.md), by the columns of `patients` or of the table itself.
    series: the description of the maps' series, with * and ?; measure: volume_ml, mean or median of their voxels above `above`;
    region: tumor, of the voxels of the tumour mask alone.
    where: column -> the word, or the words, that a row must have there.
    factor: values are multiplied by it; unit: of the values then; codes: words -> the words of the other side.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    table: str | None = None
    column: str | None = None
    feature: str | None = None
    sql: str | None = None
    file: str | None = None
    map: str | None = None
    patient: str | None = None
    examination: str | None = None
    time_point: str | None = None
    series: str | None = None
    measure: Literal["volume_ml", "mean", "median"] = "volume_ml"
    above: float = Field(default=0.0, allow_inf_nan=False)
    region: Literal["tumor"] | None = None
    where: dict[str, Word | list[Word]] = Field(default_factory=dict)
    factor: float | None = Field(default=None, allow_inf_nan=False)
    unit: str | None = None
    codes: dict[str, str] = Field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The place in a few words."""
        words = ", ".join(f"{k} {_listed(v)}" for k, v in self.where.items())
        if self.sql is not None:
            return "a SELECT"
        if self.series is not None:
            return f"{self.measure} of the series {self.series}" + (f" in the {self.region}" if self.region else "")
        named = (
            f"{self.file}: {self.column}" if self.file is not None else f"{self.table}.{self.feature or self.column}"
        )
        return f"{named} ({words})" if words else named


class Truth(BaseModel):
    """One entry.

    per: what both sides are matched by.
    at_least: the threshold of the figure; least: with fewer in common nothing is judged.
    sign: of `rank`, the sign expected; higher: of `class`, the measured word whose patients have the higher derived values;
    without it both sides are words, and their kappa is judged.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    relation: Literal["same", "rank", "class"]
    at_least: float = Field(gt=-1, lt=1)
    derived: Side
    measured: Side
    per: Literal["patient", "examination", "visit"] = "patient"
    least: int = Field(default=10, ge=4)
    sign: Literal["positive", "negative"] = "positive"
    higher: str | None = None
    about: str = ""


class Declared(NamedTuple):
    """A truth with its name, and where it is written."""

    name: str
    truth: Truth
    path: Path
    line: int

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}: [{self.name}]"

    def side(self, which: str) -> Side:
        return getattr(self.truth, which)

    def where_of(self, which: str) -> str:
        """The place of one side."""
        text = written_text(self.path) if self.path.is_file() else ""
        return f"{self.path}:{_line_of(text, f'{self.name}.{which}') or self.line}: [{self.name}.{which}]"


def declared_truths(root: Path) -> list[Declared]:
    """The truths of a study, in the order of its file; none where it has no such file. Raises InvalidInput."""
    path = root / FILE
    if not path.is_file():
        return []
    text = written_text(path)
    return [declared_of(name, values, path, _line_of(text, name) or 1) for name, values in _parsed(text, path).items()]


def chosen_truths(root: Path, names: tuple[str, ...] = ()) -> list[Declared]:
    """Those of these names; without names all. Raises NotFound for a name that there is not, and InvalidInput."""
    found = declared_truths(root)
    known = [each.name for each in found]
    for name in names:
        if name not in known:
            repair = did_you_mean(
                name, known, f"There are {', '.join(known)}" if known else "Write one: tshdb truth add"
            )
            raise NotFound(f"no truth '{name}'", where=str(root / FILE), repair=repair)
    return [each for each in found if not names or each.name in names]


def declared_of(name: str, values: Any, path: Path, line: int) -> Declared:
    """An entry from what was written. Raises InvalidInput, in one line."""
    where = f"{path}:{line}: [{name}]"
    if not isinstance(values, dict):
        raise InvalidInput(f"'{name}' must be a table", where=where, repair=f"Write [{name}]")
    if not NAME.fullmatch(name):
        raise InvalidInput(f"'{name}' is no name", where=where, repair="Letters, digits, - and _")
    try:
        truth = Truth.model_validate(values)
    except ValidationError as error:
        raise _refused(error.errors()[0], where) from None
    for which in SIDES:
        _refuse_side(getattr(truth, which), truth, f"{where} {which}")
    if truth.relation != "class" and truth.higher is not None:
        raise InvalidInput(f"higher is of class, and this is {truth.relation}", where=where, repair="Take it out")
    if truth.relation != "rank" and "sign" in values:
        raise InvalidInput(f"sign is of rank, and this is {truth.relation}", where=where, repair="Take it out")
    return Declared(name, truth, path, line)


def _refused(first: Any, where: str) -> InvalidInput:
    """What pydantic found, in one line."""
    keys = [str(each) for each in first["loc"]]
    of = Side if len(keys) > 1 and keys[0] in SIDES else Truth
    value = "nothing" if first["type"] == "missing" else repr(first["input"])
    known = ", ".join(of.model_fields)
    repair = f"There can be {known}" if first["type"] in ("extra_forbidden", "missing") else ""
    return InvalidInput(
        f"found {value}, but {first['msg'][0].lower()}{first['msg'][1:]}",
        where=f"{where} {'.'.join(keys)}",
        repair=repair,
    )


def _refuse_side(side: Side, truth: Truth, where: str) -> None:
    """Raises InvalidInput for a side that says too little, or what does not go together."""
    kinds = [name for name in ("table", "sql", "file", "series") if getattr(side, name) is not None]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "none of them"
        raise InvalidInput(f"found {found}", where=where, repair="Say one of table, sql, file and series")
    of_maps = sorted(side.model_fields_set & {"measure", "above", "region"})
    if side.series is None and of_maps:
        raise InvalidInput(f"{of_maps[0]} is of a series, and this is none", where=where, repair="Take it out")
    of_file = [name for name in ("map", "patient", "examination", "time_point") if getattr(side, name) is not None]
    if side.file is None and of_file:
        raise InvalidInput(f"{of_file[0]} is of a file, and this is none", where=where, repair="Take it out")
    is_whole = side.sql is not None or side.series is not None
    if is_whole and (side.column or side.feature or side.where):
        raise InvalidInput("column, feature and where are of a table or a file", where=where, repair="Take them out")
    if not is_whole and (side.column is None) == (side.feature is None):
        raise InvalidInput("expected a column", where=where, repair='column = "NAME"')
    if side.feature is not None and side.table != "imported_features":
        raise InvalidInput(
            "feature is of the table imported_features", where=where,
            repair='Of another table: column = "value", where = { feature = "NAME" }',
        )  # fmt: skip
    if side.factor is not None and (side.codes or truth.relation == "class" and truth.higher is None):
        raise InvalidInput("factor is of numbers, and these are words", where=where, repair="Take it out")
    if side.map is not None and (truth.per != "patient" or side.where or side.patient):
        raise InvalidInput(
            "a map names the patients and the rows itself", where=where,
            repair="Take patient, where and per out, or leave the map",
        )  # fmt: skip
    if side.file is not None and side.map is None:
        needed = {"patient": ("patient",), "examination": ("examination",), "visit": ("patient", "time_point")}[
            truth.per
        ]
        for name in needed:
            if getattr(side, name) is None:
                raise InvalidInput(
                    f"no word of which column names the {name}", where=where, repair=f'{name} = "COLUMN"'
                )


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"not TOML: {error}", where=str(path), repair="Mend the line") from None


def _line_of(text: str, table: str) -> int | None:
    """The line on which a table begins, or a part of it."""
    heads = [(i, found[1]) for i, line in enumerate(text.splitlines(), 1) if (found := _HEAD.match(line))]
    return next((i for i, name in heads if name == table), None) or next(
        (i for i, name in heads if name.startswith(f"{table}.")), None
    )


# ------------------------------------------------------------------------------------------------------- written


def written_entry(name: str, values: dict[str, Any]) -> str:
    """An entry as it stands in the file."""
    lines = [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items() if key not in SIDES)]
    for which in SIDES:
        lines += ["", f"[{name}.{which}]", *(f"{key} = {_toml(value)}" for key, value in values[which].items())]
    return "\n".join(lines) + "\n"


def append_entry(root: Path, name: str, values: dict[str, Any]) -> Path:
    """Write an entry at the end of the study's file, which keeps all else that stands in it."""
    path = root / FILE
    before = written_text(path) if path.is_file() else ""
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    with complete_through(path) as written:
        written.write_text(f"{before}{gap}{written_entry(name, values)}", encoding="utf-8")
    return path


def refuse_taken(root: Path, name: str) -> None:
    """Raises UsageError for a name that cannot be given, or is given already."""
    if not NAME.fullmatch(name):
        raise UsageError(f"'{name}' is no name of a truth", where="tshdb truth add", repair="Letters, digits, - and _")
    if name in [each.name for each in declared_truths(root)]:
        raise UsageError(
            f"the truth '{name}' is there already",
            where=str(root / FILE),
            repair="Change it there, or give another name",
        )


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(k, ensure_ascii=False)} = {_toml(v)}' for k, v in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _listed(value: Word | list[Word]) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value)
