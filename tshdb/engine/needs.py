"""What an analysis is made of: what kind it is, what it is per, and what it needs.

Kinds
    map      one unit an entity; a key's result depends on that key's inputs alone. Called once for a batch of keys.
    apply    as map, with a frozen model among its inputs.
    fit      one unit a frozen cohort version: makes a model version. Corrected data of a member flags it only.
    summary  one unit a cohort (frozen version or live): statistics that follow their data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tshdb.schema import Base


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

    @property
    def leads_to(self) -> str | None:
        """The column of the key to which it leads: the last that its SELECT gives. None where that cannot be told."""
        if self.sql is None:
            return KEY_COLUMNS[self.per]
        chosen = re.match(r"\s*SELECT\s+(?:DISTINCT\s+)?(.*?)\s+FROM\s", self.sql, re.IGNORECASE | re.DOTALL)
        last = re.search(r"(\w+)\s*$", chosen[1]) if chosen else None
        return last[1] if last else None


@dataclass(frozen=True)
class Need:
    """An input: rows of `table`, for the entities that `via` relates to the key.

    values: hand over the expression values of the profiles (an ExpressionMatrix) instead of rows of `table`.
    genes: (role of a reference, its frame -> gene ids) restricts them to those genes, else all genes.
    optional: a key without such an input is computed all the same, from an empty frame.
    one_of: a key needs at least one of the inputs that are so marked.
    column: hand over this column alone, as `value`, with the keys of the rows.
    """

    table: type[Base]
    via: Relation
    values: bool = False
    genes: tuple[str, Callable[[Any], list[str]]] | None = None
    optional: bool = False
    one_of: bool = False
    column: str | None = None


@dataclass(frozen=True)
class Chosen(Need):
    """An input for which a parameter may name another one: a column, as `Named` does, or a word of its own.

    The frame has all columns of the table: its rows are those of the analysis's own entity.
    parameter: the field, a str. It says a word, `table.column`, a column of the patients, or clinical_values.FIELD, of which all
        fields are handed over.
    words: what it may say -> the need that is meant; None: the one that is written here.
    named: word -> (a field of the parameters, the column of that need's table whose value it names)
    classes: fields that name values of a column, of which the first must name some.
    """

    parameter: str = ""
    words: Mapping[str, Need | None] = field(default_factory=dict, hash=False)
    named: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Named:
    """An input whose table and column a parameter names, such as label = "patients.er_status": a label, a covariate.

    The frame has the entity's key, the other keys of the table, and `value`. parameter: the field, a str `table.column`.
    Its rows are those of the analysis's own entity (of members, for one over a cohort).
    """

    parameter: str
    optional: bool = False

    if TYPE_CHECKING:  # a World puts the need that is meant in its place before anybody asks for its table

        @property
        def table(self) -> type[Base]: ...


@dataclass(frozen=True)
class Model:
    """An input: the newest model version that the fit which makes `table` has (or its identity, without a cohort)."""

    table: type[Base]


@dataclass(frozen=True)
class Reference:
    """An input that is no patient's: a bundled or a study's own table, read anew by every plan.

    read(parameters, study folder) -> (key, rows).
    """

    table: type[Base]
    read: Callable[[Any, Any], tuple[str, list[dict]]]


@dataclass(frozen=True)
class Trained:
    """An input of an analysis over a cohort: who the models behind the rows of `table` have learned from.

    The frame has patient_id and cohort (name@version), for every fit upstream: a filter counts as much as a model.
    """

    table: type[Base]


@dataclass(frozen=True)
class Made:
    """An input: how the rows of `of` are made now, by the analysis that makes them and all upstream of it.

    The frame has a row an analysis: analysis, parameters (canonical JSON), libraries (those that its values depend on, JSON).
    """

    table: type[Base]
    of: type[Base]


Input = Need | Named | Model | Reference | Trained | Made


@dataclass(frozen=True)
class Learns:
    """What a fit learns from its training patients: with an outcome before its eyes, or without.

    outcome    the role of the outcome that it looks at; None: fitted on them, and no outcome was looked at
    when       (field of the parameters, the values with which it does so); None: always
    elsewhere  field that names the collection on whose patients the value was chosen before it came here; empty: it is not known
    honest     column of its table with the p value that its own choice does not make smaller
    """

    outcome: str | None
    when: tuple[str, tuple[str, ...]] | None = None
    elsewhere: str | None = None
    honest: str | None = None
