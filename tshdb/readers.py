"""A reader as a record: what kind of file it is for, how it recognises one, what it reads, and where its word stands.

A package offers its readers as a tuple (`tshdb.installed.readers`). From the records come the recognition of files, the
sentence that says what was expected, and the order in which sources are believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tshdb.errors import InvalidInput, UsageError
from tshdb.head import Head

if TYPE_CHECKING:
    from tshdb.config import Settings
    from tshdb.file_content import FileContent, Finding
    from tshdb.folders import CollectionState, FolderRequest, Look
    from tshdb.geometry import Grid

LAST = 1_000  # the precedence of readers whose rows no other reader speaks of
SETTLING = 0  # of what people decide where sources disagree: it holds before all
SURE = 1.0
T = TypeVar("T")


class Part(StrEnum):
    """What a reader's files are about."""

    CLINICAL = "clinical"
    RNA = "rna"
    NOTICES = "notices"
    IMAGING = "imaging"
    SEGMENTATION = "segmentation"
    FEATURES = "features"
    JUDGEMENTS = "judgements"  # what people decided and saw
    SHEETS = "sheets"  # they tell of other files, and make no rows


class Described(NamedTuple):
    """What a file seems to be, though no reader is sure of it, or only a person can say the rest.

    what: in a few words.
    is_certain: it can be loaded as it is.
    needs: what is missing, else; command: that takes it, without `tshdb`, FILE for the file and NAME for the collection.
    """

    what: str
    is_certain: bool = False
    needs: str = ""
    command: str = ""


class Examination(NamedTuple):
    """A study of a patient that masks can belong to."""

    study_uid: str
    patient_id: str
    time_point: str | None
    study_date: str | None = None


def _no_grids(study_uid: str) -> Sequence[Grid]:
    return ()


@dataclass(frozen=True)
class Known:
    """What the study has, of which a reader must know.

    series: (study_uid, series_uid).
    outlines: (study_uid, segmentation_id).
    grids_of: the grids of the series of an examination.
    """

    examinations: tuple[Examination, ...] = ()
    series: frozenset[tuple[str, str]] = frozenset()
    grids_of: Callable[[str], Sequence[Grid]] = _no_grids
    outlines: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Request:
    """How one file is to be read.

    name: of the source.
    options: as the study records them, values of JSON.
    files: that are read beside it, by the option that names them.
    known: what the reader's `needs` name.
    findings: of whoever found the file; they are told with those of the file.
    """

    collection: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    known: Known = Known()
    findings: tuple[Finding, ...] = ()


def _never(head: Head) -> float:
    return 0.0


def _as_given(request: Request, settings: Settings) -> dict[str, Any]:
    return dict(request.options)


def _nothing_beside(path: Path) -> Sequence[Path]:
    return ()


def _never_again(options: Mapping[str, Any]) -> bool:
    return False


@dataclass(frozen=True, eq=False)
class Reader:
    """One reader.

    name         as sources bear it (`source_files.reader`); about: which file it reads, in a few words
    precedence   the reader with the lower number is believed first where sources speak of one row; None: it makes no rows
    recognises   1 (or True): such a file; above 0: it looks like one, and `read` says what is missing; 0: none
    read         the file's rows; it raises InvalidInput only for what makes the whole file unreadable
    recorded     the options that the study records, of those that were given; it raises UsageError where one is missing
    needs        "examinations", "series" or "outlines": what of the study it must know
    reads_again  whether a file can be read once more with nothing but the options that were recorded
    guess        a first map of a table, as text: of a path, and of what is said of it, by name
    files        the files at a path, a file or a folder, that are read one by one, each with its request; none is no error. Its
                 request knows what the reader's `needs` name
    folder       of what is read as a whole folder: what lies in it
    command      that loads such a file, without `tshdb`, where it is another than `ingest clinical` and `ingest file`
    is_named_by_content  its sources are named by what they hold (a UID), not by a file
    beside       other files whose bytes are the file's as well, such as the voxels of a header; it raises nothing
    describes    what a file in somebody's own folder is, where `recognises` cannot be sure; None: nothing of this reader
    """

    name: str
    about: str
    part: Part
    precedence: int | None
    recognises: Callable[[Head], float] = _never
    read: Callable[[Path, Request], FileContent] | None = None
    recorded: Callable[[Request, Settings], dict[str, Any]] = _as_given
    needs: frozenset[str] = frozenset()
    reads_again: Callable[[Mapping[str, Any]], bool] = _never_again
    guess: Callable[..., str] | None = None
    files: Callable[[Path, Request], list[tuple[Path, Request]]] | None = None
    folder: Callable[[Path, FolderRequest, CollectionState], AbstractContextManager[Look]] | None = None
    command: str | None = None
    beside: Callable[[Path], Sequence[Path]] = _nothing_beside
    describes: Callable[[Head], Described | None] | None = None
    is_named_by_content: bool = False

    def __post_init__(self) -> None:
        if (self.precedence is None) != (self.part is Part.SHEETS):
            raise ValueError(f"reader {self.name}: a precedence is for readers that make rows, and needed by them")

    @property
    def is_recognised(self) -> bool:
        """Whether its files can be told from others."""
        return self.recognises is not _never

    @property
    def verb(self) -> str:
        """The command that loads such a file: `ingest clinical` takes all tables of patients that are recognised."""
        if self.command is not None:
            return self.command
        return (
            "ingest clinical"
            if self.part is Part.CLINICAL and self.is_recognised
            else f"ingest file --reader {self.name}"
        )


def needed(part: T | None, reader: Reader, does: str) -> T:
    """A part of a record that not every reader has. Raises UsageError where it is not there."""
    if part is None:
        raise UsageError(f"{reader.about}: the reader '{reader.name}' does not {does}", where="tshdb ingest")
    return part


def recognised(head: Head, readers: Iterable[Reader]) -> Reader | None:
    """The first reader that is sure of the file; None where none is."""
    return next((reader for reader in readers if reader.recognises(head) >= SURE), None)


def likeliest(head: Head, readers: Iterable[Reader]) -> Reader:
    """The reader that is sure of the file, else the one that it looks most like. Raises InvalidInput where none knows it."""
    ranked = [(reader.recognises(head), reader) for reader in readers]
    score, reader = max(ranked, key=lambda pair: pair[0], default=(0.0, None))
    if reader is not None and score > 0:
        return reader
    if head.problem is not None and not head.is_workbook:
        raise head.problem
    raise InvalidInput(
        f"no file that is known ({head.shown})",
        where=str(head.path),
        repair=f"{expected(r for _, r in ranked)}. Any other table or workbook is read by a map: --map, --guess",
    )


def expected(readers: Iterable[Reader]) -> str:
    """The sentence that says which files there could be."""
    return f"Expected one of: {'; '.join(reader.about for reader in readers if reader.is_recognised)}"
