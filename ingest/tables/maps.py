"""Maps: what the columns of any clinical table mean, as a TOML file that a person can read, write and check.

    [patient_id]
    column = ["SUBJECTID", "ISPY ID"]        # the first that the table has
    template = "ISPY1_{}"                    # optional

    [patients.er_status]
    column = "ERpos"
    codes = { "1" = "positive", "0" = "negative" }
    reasons = { "2" = "indeterminate" }      # codes that are no value, and why

    [patients.tumor_size_mm]
    column = "LD1"
    factor = 10                              # to the unit of the study's column

    [follow_ups.OS]
    time_origin = "study_entry"
    event = { column = "sstat", codes = { "7" = false, "8" = true, "9" = false }, notes = { "9" = "lost" } }
    duration = { column = "survDtD2 (tx)", unit = "days" }
    event_share_expected = [0.15, 0.49]      # optional: of 40 outcomes or more; outside of it nothing is loaded

    [missing]
    tokens = ["", "NA"]

A code that the map does not name is an error, never a guess.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tshdb.errors import InvalidInput, NotFound
from tshdb.schema import Patient
from tshdb.vocabulary import Endpoint
from tshdb.written import written_text

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


def _names(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


class PatientIdMap(_Strict):
    """Where the patient's identifier is. template: with {} for what the cell says."""

    column: str | list[str]
    template: str = "{}"

    @property
    def names(self) -> list[str]:
        return _names(self.column)


class ValueMap(_Strict):
    """One column of `patients`."""

    column: str | list[str]
    codes: dict[str, str] | None = None
    reasons: dict[str, str] = Field(default_factory=dict)
    factor: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    source: str | None = None

    @property
    def names(self) -> list[str]:
        return _names(self.column)


class EventMap(_Strict):
    """Which codes mean that the endpoint was reached. notes: codes whose reason is kept beside the outcome."""

    column: str | list[str]
    codes: dict[str, bool]
    notes: dict[str, str] = Field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return _names(self.column)


class DurationMap(_Strict):
    """How long, in which unit."""

    column: str | list[str]
    unit: Literal["days", "weeks", "months", "years"]

    @property
    def names(self) -> list[str]:
        return _names(self.column)


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
    patients: dict[str, ValueMap] = Field(default_factory=dict)
    follow_ups: dict[Endpoint, OutcomeMap] = Field(default_factory=dict)
    missing: MissingMap = Field(default_factory=MissingMap)
    rule: str = "map-1"


def load_map(path: Path) -> ClinicalMap:
    """A map from a file. Raises NotFound or InvalidInput with the key that is wrong."""
    if not path.is_file():
        raise NotFound("no such map", where=str(path), repair="Write one with --guess")
    return parse_map(written_text(path), str(path))


def bundled_map(name: str) -> ClinicalMap:
    """A map that comes with the program, for a collection of its own."""
    path = resources.files("ingest").joinpath(f"data/maps/{name}.toml")
    return parse_map(path.read_text(encoding="utf-8"), name)


def parse_map(text: str, where: str) -> ClinicalMap:
    try:
        map_ = ClinicalMap.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"not TOML: {error}", where=where, repair="Mend the line") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            f"{key}: {first['msg']}", where=where, repair="See the head of ingest/tables/maps.py, or --guess"
        ) from None
    open_codes = [f"patients.{n}" for n, v in map_.patients.items() if "?" in (v.codes or {}).values()]
    if open_codes:
        raise InvalidInput(
            f"{open_codes[0]}: a code means '?'", where=where, repair="Say what it means, or move it to reasons"
        )
    unknown = [c for c in map_.patients if c not in PATIENT_COLUMNS]
    if unknown:
        raise InvalidInput(
            f"patients.{unknown[0]} is no column of patients",
            where=where,
            repair=f"Columns: {', '.join(PATIENT_COLUMNS)}",
        )
    return map_


def recorded(request: Request, settings: Settings) -> dict[str, Any]:
    """The options of a reader that a map may tell what the columns are: the map's content, where a file of one is named."""
    if "map" not in request.files:
        return dict(request.options)
    return {**request.options, "map": load_map(request.files["map"]).model_dump(mode="json")}


def map_in(options: Mapping[str, Any]) -> ClinicalMap | None:
    """The map that was recorded, if one was."""
    return ClinicalMap.model_validate(options["map"]) if options.get("map") is not None else None
