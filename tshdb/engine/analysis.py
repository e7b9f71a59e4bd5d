"""What an analysis is: a pure function, with a record of what it needs, what it makes and where it comes from.

Kinds
    map      one unit an entity; a key's result depends on that key's inputs alone. Called once for a batch of keys.
    apply    as map, with a frozen model among its inputs.
    fit      one unit a frozen cohort version: makes a model version. Corrected data of a member flags it only.
    summary  one unit a cohort (frozen version or live): statistics that follow their data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tshdb.config import Parameters


class Kind(StrEnum):
    MAP = "map"
    APPLY = "apply"
    FIT = "fit"
    SUMMARY = "summary"


KEY_COLUMNS = {
    "patient": "patient_id",
    "profile": "profile_id",
    "imaging_study": "study_uid",
    "region_map": "region_map",
    "examination": "examination",
    "cohort": "cohort",
}


@dataclass(frozen=True)
class Relation:
    """Which inputs belong to which entity: a SELECT of (key, input key) over ingested tables; without SQL, the same key.

    per: the entity of the key. For an analysis per cohort the relation is per patient, and runs over the members.
    """

    name: str
    per: str
    sql: str | None = None


@dataclass(frozen=True)
class Need:
    """An input: rows of `table`, for the entities that `via` relates to the key.

    values: hand over the expression values of the profiles (an ExpressionMatrix) instead of rows of `table`;
    genes: (role of a reference, its frame -> gene ids) restricts them to those genes, else all genes;
    optional: a key without such an input is computed all the same, from an empty frame;
    one_of: a key needs at least one of the inputs that are so marked.
    """

    table: type
    via: Relation
    values: bool = False
    genes: tuple[str, Callable[[Any], list[str]]] | None = None
    optional: bool = False
    one_of: bool = False


@dataclass(frozen=True)
class Model:
    """An input: the newest model version that the fit which makes `table` has (or its identity, without a cohort)."""

    table: type


@dataclass(frozen=True)
class Reference:
    """An input that is no patient's: a bundled or a study's own table, read anew by every plan.

    read(parameters, study folder) -> (key, rows).
    """

    table: type
    read: Callable[[Any, Any], tuple[str, list[dict]]]


@dataclass(frozen=True)
class Trained:
    """An input of an analysis over a cohort: who the models behind the rows of `table` have learned from.

    The frame has patient_id and cohort (name@version), for every fit upstream: a filter counts as much as a model.
    """

    table: type


@dataclass(frozen=True)
class Made:
    """An input: how the rows of `of` are made now, by the analysis that makes them and all upstream of it.

    The frame has a row an analysis: analysis, parameters (canonical JSON), libraries (those that its values depend on, JSON).
    """

    table: type
    of: type


Input = Need | Model | Reference | Trained | Made


@dataclass(frozen=True)
class Analysis:
    """The record, judged when it is made (`declaration`). Calling it calls the function."""

    name: str
    kind: Kind
    per: str
    needs: dict[str, Input]
    makes: type
    params: type[Parameters]
    function: Callable
    source: str
    cohorts: str | tuple[str, ...] | None = None
    identity: str | None = None
    libraries: tuple[str, ...] = ()
    strict_libraries: tuple[str, ...] = ()
    tracks: tuple[str, ...] = ()
    batch: int = 256
    base: str | None = None
    same_as: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self):
        from tshdb.engine.declaration import judge

        judge(self)

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    @property
    def key_column(self) -> str:
        return KEY_COLUMNS[self.per]

    @property
    def over_cohort(self) -> bool:
        return self.per == "cohort"

    @property
    def key_field(self) -> str | None:
        """The parameter that says which units there are; the function is not given it, since it does not say how one is made."""
        return self.cohorts if isinstance(self.cohorts, str) else None

    def cohorts_of(self, params: Parameters) -> tuple[str, ...]:
        """The names of the cohorts of a fit or a summary."""
        named = getattr(params, self.cohorts) if isinstance(self.cohorts, str) else self.cohorts or ()
        return (named,) if isinstance(named, str) else tuple(named)

    def given(self, params: Parameters) -> Parameters:
        """The parameters as the function is given them: without the one that chooses cohorts, which is no attribute of them."""
        if self.key_field is None:
            return params
        copy = params.model_copy()
        del copy.__dict__[self.key_field]
        return copy


def analysis(
    *,
    kind: str,
    per: str,
    needs: dict[str, Input],
    makes: type,
    params: type[Parameters],
    source: str,
    **options,
) -> Callable[[Callable], Analysis]:
    """Make a function an analysis. See `Analysis` for the options; `source` is the DOI and section it follows.

    cohorts: for fit and summary, the field of the parameters that names the cohorts (a str, or a tuple of str), or a fixed
    tuple of names; the function is not given that field; identity: for fit, the name of what stands in for a
    model while no cohort is frozen; libraries: packages whose versions are recorded; strict_libraries: packages whose
    versions make units stale; tracks: columns whose changes are remembered (`result_changes`); batch: keys in one call;
    base: a table of study.toml that several analyses share, each taking the settings that it has; same_as: fingerprint of
    the code as it is now -> former fingerprints, oldest first, whose results are the same: they stay current, and `why`
    says so. A change later has another fingerprint, and is seen.
    """

    def make(function: Callable) -> Analysis:
        return Analysis(
            name=function.__name__,
            kind=Kind(kind) if kind in tuple(Kind) else kind,
            per=per,
            needs=needs,
            makes=makes,
            params=params,
            function=function,
            source=source,
            **options,
        )

    return make
