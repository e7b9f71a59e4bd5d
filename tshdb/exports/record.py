"""What an export is, what its writer is given, and what the writer gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tshdb.errors import NotFound

if TYPE_CHECKING:
    from tshdb.exports.chosen import Chosen
    from tshdb.study import Study

Progress = Callable[[str, int, int], None]  # (of what, done, of how many)


class Column(NamedTuple):
    """A column of a file: its name, what its values are (text, double, days …), and what they mean, with the unit."""

    name: str
    kind: str
    meaning: str


class File(NamedTuple):
    """A file that was written. name: below the folder; one_row: what one row, or the file, is; n_rows: if it has rows."""

    name: str
    one_row: str
    n_rows: int | None = None
    columns: Sequence[Column] = ()


class Missing(NamedTuple):
    """What should be there and could not be written: what, and why, with what helps."""

    what: str
    why: str


@dataclass
class Written:
    """What a writer has made. left_out: what is not in it by design, and why; notes: what a reader must know, a sentence each."""

    files: list[File] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Job:
    """What a writer is given.

    folder: an empty one; progress: called with (what, done, in all); variant: its name, if of one; asked: the cohort as it was
    asked for.
    """

    study: Study
    chosen: Chosen
    folder: Path
    progress: Progress
    variant: str | None = None
    asked: str | None = None


@dataclass(frozen=True)
class Export:
    """One kind of export.

    name     as in `tshdb export NAME`
    about    what it is, and who reads it
    rows     which rows of the study are in it
    one_row  what one row, or one file, is
    needs    module -> the extra of this program that brings it
    write    writes the files into the folder of a job
    of_cohort, of_patients
             whether one cohort version can be asked for; whether it holds rows or images of single patients
    """

    name: str
    about: str
    rows: str
    one_row: str
    write: Callable[[Job], Written]
    needs: Mapping[str, str] = field(default_factory=dict)
    of_cohort: bool = True
    of_patients: bool = True

    def require(self) -> None:
        """Raises NotFound for a library that is not installed."""
        for module, extra in self.needs.items():
            if find_spec(module) is None:
                raise NotFound(
                    f"{module} is not installed", where=f"export {self.name}", repair=f"pip install 'tshdb[{extra}]'"
                )
