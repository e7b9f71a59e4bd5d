"""Maps: what the columns of any clinical table mean, as a TOML file that a person can read, write and check.

The language, with an example of each word: docs/maps.md. A code that a map does not name is an error, never a guess.
Without codes the words of a column are understood by the study's table of synonyms (`tshdb.words`); one that it does not have
is a finding.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ingest.tables.workbook import Shape
from ingest.tables.written_dates import date_pattern
from tshdb.dated import FORM
from tshdb.errors import InvalidInput
from tshdb.map_files import WrittenMap, line_of_question, refuse_undecided, written_map
from tshdb.schema import Patient
from tshdb.vocabulary import Endpoint
from tshdb.words import CLOSED, OPEN, Vocabulary

if TYPE_CHECKING:
    from tshdb.config import Settings
    from tshdb.readers import Request

BUNDLED = ("ispy1", "breast-mri-nact-pilot")
DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
PATIENT_COLUMNS = tuple(
    c.name
    for c in Patient.__table__.columns
    if c.name not in ("patient_id", "collection", "tumor_size_source", "her2_rule") and not c.name.endswith("_reason")
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Line = Annotated[int, Field(ge=1)]
Place = str | int  # a column by its name, or by its place from 1
Places = Place | list[Place]  # the first that the table has


def _names(value: Places) -> list[Place]:
    return value if isinstance(value, list) else [value]


class _OfColumn(_Strict):
    """What is in a column. column: its name, or several of which the first that the table has is taken."""

    column: Places

    @property
    def names(self) -> list[Place]:
        return _names(self.column)

    @property
    def shown(self) -> str:
        """The column as a message names it."""
        return " or ".join(map(str, self.names))


class WhereMap(_OfColumn):
    """Which rows are taken: those whose cell is one of `equals`, or is none of `differs_from`."""

    equals: list[str] | None = None
    differs_from: list[str] | None = None

    def takes(self, text: str) -> bool:
        is_wanted = self.equals is None or text in self.equals
        return is_wanted and (self.differs_from is None or text not in self.differs_from)


class TableMap(_Strict):
    """How the table lies in its file, and what of it is left out.

    header_rows: lines of the header, from 1; several are joined to `Group: name`.
    leave_out: columns that are not kept as found; allow: columns that say who somebody is, and are kept all the same.
    """

    sheet: str | list[str] = Field(default_factory=list)
    header_rows: list[Line] = Field(default_factory=list)
    skip_rows: list[Line] = Field(default_factory=list)
    where: WhereMap | list[WhereMap] = Field(default_factory=list)
    decimal_comma: bool = False
    encoding: str | None = None
    patients_in_columns: bool = False
    leave_out: list[str] = Field(default_factory=list)
    allow: list[str] = Field(default_factory=list)

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str | None) -> str | None:
        try:
            codecs.lookup(encoding or "utf-8")
        except LookupError:
            raise ValueError(f"no encoding '{encoding}'; such as cp1252 (Windows), latin-1, utf-16") from None
        return encoding

    @property
    def shape(self) -> Shape:
        sheets = (self.sheet,) if isinstance(self.sheet, str) else tuple(self.sheet)
        return Shape(
            sheets, tuple(self.header_rows), frozenset(self.skip_rows), self.encoding, self.patients_in_columns
        )

    @property
    def filters(self) -> list[WhereMap]:
        return self.where if isinstance(self.where, list) else [self.where]


class PatientIdMap(_OfColumn):
    """Where the patient's identifier is.

    pattern: of the cell; a cell that it does not fit is an error.
    template: with {} for what the cell says, or {1}, {2} for the groups of the pattern.
    upper_case: of the identifier, whose letters stand in lower case, as Firehose writes barcodes.
    """

    template: str = "{}"
    pattern: str | None = None
    upper_case: bool | None = None

    @model_validator(mode="after")
    def _has_its_groups(self) -> PatientIdMap:
        groups = range(re.compile(self.pattern or "").groups + 1)
        try:
            names = [name for _, name, *_ in Formatter().parse(self.template) if name is not None]
        except ValueError:
            names = ["{"]
        if not names:
            raise ValueError(f"'{self.template}' gives all patients one name; write {{}} where the identifier belongs")
        if wrong := [name for name in names if name and name not in map(str, groups)]:
            raise ValueError(
                f"'{{{wrong[0]}}}' of the template is no group of the pattern; there are {{}} and {{1}}, {{2}} …"
            )
        return self

    def identifier(self, text: str) -> str | None:
        """The patient's identifier of a cell; None where the pattern does not fit."""
        match = re.fullmatch(self.pattern or r"(?s:.*)", text.strip() if self.pattern else text)
        if match is None:
            return None
        identifier = self.template.format(match[0], *match.groups(default=""))
        return identifier.upper() if self.upper_case else identifier


class ValueMap(_OfColumn):
    """One column of `patients`. digits: of a number that a factor makes, such as years of days."""

    codes: dict[str, str] | None = None
    reasons: dict[str, str] = Field(default_factory=dict)
    factor: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    source: str | None = None

    @field_validator("factor")
    @classmethod
    def _is_not_zero(cls, factor: float | None) -> float | None:
        if factor == 0:
            raise ValueError("a factor of 0 makes all values 0")
        return factor


class EventMap(_OfColumn):
    """Whether the endpoint was reached: by codes, or by whether the cell holds a value.

    codes: what each code means.
    none: where the column holds a day or a date of the event, what it holds where there was no event; a cell that is empty, or a
    missing token, is none as well.
    notes: codes whose reason is kept beside the outcome.
    """

    codes: dict[str, bool] = Field(default_factory=dict)
    none: list[str] | None = None
    notes: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_one_thing(self) -> EventMap:
        if bool(self.codes) == (self.none is not None):
            raise ValueError('say either codes = { "1" = true, … } or none = ["0"], of a column of days or dates')
        return self


class DurationMap(_Strict):
    """How long: a column of a unit, or the time between two dates.

    column       its name, or several: the first that the table has
    else_column  where that one is empty, or holds one of the event's `none`
    start, end   columns of dates; of several ends the first whose cell is filled
    else_end     where there was no event: then `end` is the day of the event, filled where it was, and nowhere else
    dates        their format, such as DD.MM.YYYY
    """

    unit: Literal["days", "weeks", "months", "years"] = "days"
    column: Places | None = None
    else_column: Places | None = None
    start: Place | None = None
    end: Places | None = None
    else_end: Places | None = None
    dates: str | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> DurationMap:
        dates = (self.start, self.end, self.dates)
        has_unit = "unit" in self.model_fields_set
        if self.column is not None and has_unit and (*dates, self.else_end) == (None, None, None, None):
            return self
        if self.column is None and self.else_column is None and not has_unit and None not in dates:
            date_pattern(self.dates or "")
            return self
        raise ValueError("say either column and unit, or start, end and dates (such as DD.MM.YYYY)")

    @property
    def columns(self) -> list[list[Place]]:
        """The names of each column that it reads."""
        places = (self.column, self.else_column) if self.column is not None else (self.start,)
        ends = [[name] for each in (self.end, self.else_end) if each is not None for name in _names(each)]
        return [_names(each) for each in places if each is not None] + ends

    @property
    def n_ends(self) -> int:
        """How many of the columns are those of `end`."""
        return 0 if self.end is None else len(_names(self.end))

    @property
    def shown(self) -> str:
        """The column as a message names it."""
        return " or ".join(str(name) for name in self.columns[0])


class AsOfMap(_OfColumn):
    """The day of which a row speaks. of: a visit, of which several may stand in one table, or of what is known by that day."""

    dates: str = "YYYY-MM-DD"
    of: Literal["visit", "export"] = "visit"

    @model_validator(mode="after")
    def _is_format(self) -> AsOfMap:
        date_pattern(self.dates)
        return self

    def said(self, day: date) -> str:
        """The day as `source_records.as_of` has it."""
        return f"{FORM if self.of == 'visit' else ''}{day.isoformat()}"


class OutcomeMap(_Strict):
    """One endpoint."""

    event: EventMap
    duration: DurationMap
    time_origin: str
    event_share_expected: tuple[float, float] | None = None


class MissingMap(_Strict):
    """Cells that hold no value, besides the empty one."""

    tokens: list[str] = Field(default_factory=lambda: ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"])


class ClinicalMap(_Strict):
    """A whole map."""

    patient_id: PatientIdMap
    table: TableMap = Field(default_factory=TableMap)
    patients: dict[str, ValueMap] = Field(default_factory=dict)
    follow_ups: dict[Endpoint, OutcomeMap] = Field(default_factory=dict)
    missing: MissingMap = Field(default_factory=MissingMap)
    as_of: AsOfMap | None = None
    rule: str = "map-1"


def load_map(path: Path, vocabulary: Vocabulary | None = None, source: str = "") -> ClinicalMap:
    """A map from a file. Raises NotFound or InvalidInput with the key that is wrong.

    vocabulary: the study's words. source: whose section is taken, where the file is the map of a folder.
    """
    return _checked(written_map(path, source), vocabulary)


def bundled_map(name: str) -> ClinicalMap:
    """A map that comes with the program, for a collection of its own."""
    path = resources.files("ingest").joinpath(f"data/maps/{name}.toml")
    return parse_map(path.read_text(encoding="utf-8"), name)


def parse_map(text: str, where: str, vocabulary: Vocabulary | None = None) -> ClinicalMap:
    """A map from its text. Raises InvalidInput."""
    try:
        written = WrittenMap(tomllib.loads(text), where, line_of_question(text.splitlines()))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"not TOML: {error}", where=where, repair="Mend the line") from None
    return _checked(written, vocabulary)


def _checked(written: WrittenMap, vocabulary: Vocabulary | None) -> ClinicalMap:
    where = written.where
    _refuse_delayed_entry(written.values, where)
    refuse_undecided(written)
    try:
        map_ = ClinicalMap.model_validate(written.values)
        re.compile(map_.patient_id.pattern or "")
    except re.error as error:
        raise InvalidInput(f"patient_id.pattern: {error}", where=where, repair="Mend the pattern") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            f"{key}: {first['msg']}", where=where, repair="See docs/maps.md (tshdb docs maps), or --guess"
        ) from None
    unknown = [c for c in map_.patients if c not in PATIENT_COLUMNS]
    if unknown:
        raise InvalidInput(
            f"patients.{unknown[0]} is no column of patients",
            where=where,
            repair=f"Columns: {', '.join(PATIENT_COLUMNS)}",
        )
    _refuse_unknown_words(map_, vocabulary or Vocabulary(), where)
    return map_


def _refuse_unknown_words(map_: ClinicalMap, vocabulary: Vocabulary, where: str) -> None:
    """Raises InvalidInput for codes of a closed column that lead to no word of it."""
    for column, each in map_.patients.items():
        for code, meaning in (each.codes or {}).items() if column in CLOSED and column not in OPEN else ():
            word = vocabulary.understood(column, meaning)
            if word.value is None:
                aside = f'; what is known not to be known stands in reasons = {{ "{code}" = "{meaning}" }}'
                raise InvalidInput(
                    f"patients.{column}: '{meaning}' is no value of {column}", where=where,
                    repair=f"Write one of {vocabulary.expected(column)}{aside}",
                )  # fmt: skip


def _refuse_delayed_entry(written: dict[str, Any], where: str) -> None:
    for endpoint, outcome in (written.get("follow_ups") or {}).items():
        if isinstance(outcome, dict) and (words := {"entry", "start_of_risk", "left_truncation"} & outcome.keys()):
            raise InvalidInput(
                f"follow_ups.{endpoint}.{min(words)}: no analysis takes delayed entry into account", where=where,
                repair="Take the line out, and count durations from where patients came under observation; say so in time_origin",
            )  # fmt: skip


def recorded(request: Request, settings: Settings) -> dict[str, Any]:
    """The options of a reader that a map may tell what the columns are: the map's content, where a file of one is named."""
    if "map" not in request.files:
        return dict(request.options)
    return {**request.options, "map": as_recorded(load_map(request.files["map"], settings.vocabulary, request.name))}


def as_recorded(map_: ClinicalMap) -> dict[str, Any]:
    """A map as the study records it. Newer words that it does not use are not recorded: what was loaded stays loaded."""
    values = map_.model_dump(mode="json")
    if map_.table == TableMap():
        del values["table"]
    newer = [(values["patient_id"], ("pattern", "upper_case")), (values, ("as_of",))]
    for outcome in values["follow_ups"].values():
        newer += [
            (outcome["event"], ("none",)),
            (outcome["duration"], ("else_column", "start", "end", "else_end", "dates")),
        ]
    for part, names in newer:
        for name in names:
            if part[name] is None:
                del part[name]
    for outcome, recorded in zip(map_.follow_ups.values(), values["follow_ups"].values(), strict=True):
        if outcome.duration.column is None:  # between two dates there is no unit, and a map that says one is refused
            del recorded["duration"]["unit"]
    return values


def map_in(options: Mapping[str, Any]) -> ClinicalMap | None:
    """The map that was recorded, if one was."""
    return ClinicalMap.model_validate(options["map"]) if options.get("map") is not None else None
