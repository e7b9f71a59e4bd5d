"""What a reader hands to the loader: what it found in one file, without touching a database.

A reader is a function of a path and options. It reads everything as text, keeps the line of everything, and reports
what is wrong as findings; only what makes the whole file unreadable is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb.vocabulary import Severity

if TYPE_CHECKING:
    import numpy as np


class Record(NamedTuple):
    """A row of `table` as one place of the file says it.

    column: of a matrix, counted from 1.
    as_of: the date of what the place says, such as of a form or a visit, as `source_records.as_of` has it.
    """

    table: type
    values: dict[str, Any]
    line: int
    column: int | None = None
    as_of: str | None = None


class Finding(NamedTuple):
    """Something wrong, or worth knowing, at one place of the file. patient: whose line it is, where that is known."""

    line: int | None
    column: str | None
    value: str | None
    rule: str
    severity: Severity
    message: str
    path: str | None = None
    patient: str | None = None


class RawValue(NamedTuple):
    """One field of one line, as found."""

    patient_id: str
    line: int
    field: str
    value: str | None
    missing_reason: str | None


@dataclass(frozen=True, eq=False)
class GeneIndex:
    """The genes of a matrix. ids: sorted, as the study stores them; the rest goes with them."""

    ids: Sequence[str]
    id_types: Sequence[str]
    source_names: Sequence[str | None]
    symbols: Sequence[str | None]
    gene_types: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class Matrix:
    """Expression values of one file.

    profile_ids: the columns; values: (rows of the file, profiles), NaN where there is none.
    """

    genes: GeneIndex
    profile_ids: Sequence[str]
    values: np.ndarray
    order: np.ndarray  # rows of `values` in the order of `genes.ids`

    def column(self, i: int) -> np.ndarray:
        """The values of profile i, in the order of `genes.ids`."""
        return self.values[:, i][self.order]


class Instances(NamedTuple):
    """The images of one series, read as often as they are asked for: rows of `imaging_instances`. n: how many files."""

    study_uid: str
    series_uid: str
    n: int
    rows: Callable[[], Iterator[dict[str, Any]]]


@dataclass
class FileContent:
    """All that a reader found in one file. as_of: the date of all that it says, where the file bears one."""

    records: list[Record] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    raw_values: list[RawValue] = field(default_factory=list)
    matrix: Matrix | None = None
    instances: Instances | None = None
    objects: list[tuple[str, bytes]] = field(default_factory=list)  # suffix and content of objects that records name
    sex_markers: dict[str, tuple[float, float]] = field(default_factory=dict)  # profile -> linear XIST, RPS4Y1
    as_of: str | None = None
    n_withheld: int = field(default=0, init=False)  # rows that are not loaded: counted by `row` alone
    _n_errors: int = field(default=0, init=False, repr=False)  # also those beyond `most`

    def error(
        self, line: int | None, column: str | None, value: str | None, rule: str, message: str, most: int | None = None
    ) -> None:
        """What keeps a row, or the file, from being loaded. most: with so many findings it is counted, but not told."""
        self._n_errors += 1
        if most is None or len(self.findings) < most:
            self.findings.append(Finding(line, column, value, rule, Severity.ERROR, message))

    def warn(self, line: int | None, column: str | None, value: str | None, rule: str, message: str) -> None:
        self.findings.append(Finding(line, column, value, rule, Severity.WARNING, message))

    @contextmanager
    def row(self, n_rows: int = 1) -> Iterator[Callable[[], bool]]:
        """One row, or all rows of one patient, while it is read: with an error in it, it is withheld, once.

        Gives a function that says whether it has an error by now. n_rows: how many rows of the file are withheld then.
        """
        before = self._n_errors

        def is_bad() -> bool:
            return self._n_errors > before

        yield is_bad
        if is_bad():
            self.n_withheld += n_rows

    def withhold(
        self, line: int | None, column: str | None, value: str | None, rule: str, message: str, n_rows: int = 1
    ) -> None:
        """A bad row: its error, and that it is not loaded."""
        with self.row(n_rows):
            self.error(line, column, value, rule, message)

    @property
    def errors(self) -> list[Finding]:
        return [f for f in self.findings if f.severity is Severity.ERROR]
