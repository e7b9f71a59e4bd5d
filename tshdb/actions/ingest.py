"""Load one file: a table of patients, an expression matrix, features, decisions, verdicts; or write a first map of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tshdb import installed, loading
from tshdb.actions.kept_maps import KeptMap, kept_map
from tshdb.database import reading
from tshdb.dated import in_name
from tshdb.dated import said as as_of_said
from tshdb.errors import InvalidInput, NotFound, UsageError
from tshdb.file_content import Finding
from tshdb.files import complete
from tshdb.head import Head
from tshdb.loading.instances import grids_of
from tshdb.readers import Examination, Known, Part, Request, likeliest, needed, recognised
from tshdb.schema import ImagingSeries, ImagingStudy, Segmentation
from tshdb.vocabulary import Severity

if TYPE_CHECKING:
    from tshdb.file_content import FileContent
    from tshdb.geometry import Grid
    from tshdb.loading import Loaded
    from tshdb.study import Study
    from tshdb.vocabulary import ExpressionUnit, Scale


COLLECTION_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Loading:
    """How files are loaded.

    complete: the file (or folder) is the whole truth, and what it lacks is gone.
    keep_going: load the good rows beside bad ones.
    dry_run: only say what would change.
    as_of: the day of which the file speaks (2025-06-01, 2025-06 or 2025); else the one that it bears, or its name.
    """

    complete: bool = False
    keep_going: bool = False
    dry_run: bool = False
    as_of: str | None = None

    def __post_init__(self) -> None:
        if self.as_of is not None:
            object.__setattr__(self, "as_of", as_of_said(self.as_of))

    def rules(self) -> dict[str, Any]:
        """As `tshdb.loading.load` takes them."""
        return {"complete": self.complete, "keep_going": self.keep_going, "dry_run": self.dry_run}


PLAIN = Loading()
OF_ROWS = (Part.CLINICAL, Part.RNA, Part.FEATURES)
"""Parts whose tables are about somebody: one without a row is worth a word"""


@dataclass(frozen=True)
class RnaOptions:
    """What an expression matrix holds. unit, scale: needed, unless a map says them.

    sample_type: TCGA code of columns named by patient alone.
    clip_negative: linear values between -1 and 0 count as 0.
    log_offset: values are log2(x + log_offset), and x is taken back.
    workflow, gene_model: for the record.
    samples: sheet of names that are no TCGA barcodes.
    map: what the columns mean.
    """

    unit: ExpressionUnit | None = None
    scale: Scale | None = None
    sample_type: str | None = None
    clip_negative: bool = False
    workflow: str | None = None
    gene_model: str | None = None
    samples: Path | None = None
    map: Path | None = None
    log_offset: float | None = None


@dataclass(frozen=True)
class FeatureOptions:
    """region, map: of columns that do not say them, such as tumor and S0; settings: a file that says how they were computed."""

    region: str | None = None
    map: str | None = None
    settings: Path | None = None


UNSAID = FeatureOptions()


def file(
    study: Study,
    path: Path,
    collection: str,
    reader: str,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    files: Mapping[str, Path | None] | None = None,
    kept: KeptMap | None = None,
    how: Loading = PLAIN,
) -> Loaded:
    """Load one file by the reader of that name.

    name: of the source, if not the file's.
    options: of the reader, values of JSON.
    files: that it reads beside the file, by the option that names them.
    kept: the study's map, where none is named.

    Raises NotFound, InvalidInput or UsageError.
    """
    refuse_collection(collection)
    record = installed.reader(reader)
    read_file = needed(record.read, record, "read single files; name their folder")
    beside = {option: each for option, each in (files or {}).items() if each is not None}
    of_map = {} if kept is None else {"map": kept.options["map"]}
    request = Request(collection, study.paths.name(name or path.name), {**(options or {}), **of_map}, beside)
    recorded = record.recorded(request, study.settings)
    if not path.is_file():
        raise NotFound("no such file", where=str(path))

    def read() -> FileContent:
        content = read_file(path, replace(request, options=recorded, known=known_of(study, record.needs)))
        if kept is not None:
            content.warn(None, None, kept.source, "map.kept", "read by the map that the study keeps of this source")
        if not content.records and not content.errors and record.part in OF_ROWS:
            content.warn(
                None, None, None, "text.no-rows", "a table with a header and no rows: there is nothing to load"
            )
        return content

    source = loading.Source(collection, record.name, request.name)
    dated = recorded if how.as_of is None else {**recorded, "as_of": how.as_of}
    item = loading.item_of(study, source, path, dated, read, always=how.complete)
    command = f"tshdb {record.verb} {study.paths.said(path)} --collection {collection}"
    together = record.part is Part.RNA  # samples of the other sex, several aliquots, patients that nobody else knows
    findings = _of_another_path(study, source, path, item)
    return loading.load(
        study, [item], command=command, what=f"{source}{_by_name(path, dated)}", together=together, findings=findings,
        alone=True, **how.rules(),
    )  # fmt: skip


def _by_name(path: Path, options: Mapping[str, Any]) -> str:
    """What is said where a date in the file's name tells how late its words are."""
    day = in_name(path)
    return f" (as of {day}, by its name, where it says no other day)" if day and "as_of" not in options else ""


def _of_another_path(study: Study, source: loading.Source, path: Path, item: loading.Item) -> list[Finding]:
    """A warning where a source comes from another folder than before, with other bytes: is it a correction, or another file?"""
    state = loading.current_files(study, source.collection).get(source)
    if item.content is None or state is None or Path(state.path) == path.resolve() or state.sha256 == item.sha256:
        return []
    study.paths.learn(state.path)
    message = (
        f"the source '{source.name}' was read from {Path(state.path).parent} before: this takes its place, as a correction. "
        "Is it another file, name its source: --name"
    )
    return [Finding(None, None, None, "source.other-path", Severity.WARNING, message, str(path))]


def refuse_collection(name: str) -> None:
    """Raises UsageError for a name that a collection cannot have: it stands in keys, paths and commands."""
    if not COLLECTION_NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' is no name of a collection", where="--collection",
            repair="Letters, digits, and - _ . between them, such as tcga-brca",
        )  # fmt: skip


def known_of(study: Study, needs: frozenset[str]) -> Known:
    """What the study has, of what a reader needs to know."""
    examinations: tuple[Examination, ...] = ()
    series: frozenset[tuple[str, str]] = frozenset()
    outlines: frozenset[tuple[str, str]] = frozenset()
    with reading(study.engine) as connection:
        if "examinations" in needs:
            query = select(
                ImagingStudy.study_uid, ImagingStudy.patient_id, ImagingStudy.time_point, ImagingStudy.study_date
            )
            examinations = tuple(Examination(*row) for row in connection.execute(query))
        if "series" in needs:
            pairs = connection.execute(select(ImagingSeries.study_uid, ImagingSeries.series_uid))
            series = frozenset((study_uid, series_uid) for study_uid, series_uid in pairs)
        if "outlines" in needs:
            drawn = connection.execute(select(Segmentation.study_uid, Segmentation.segmentation_id))
            outlines = frozenset((study_uid, segmentation_id) for study_uid, segmentation_id in drawn)
    return Known(examinations, series, partial(_grids_of, study), outlines)


def _grids_of(study: Study, study_uid: str) -> list[Grid]:
    with reading(study.engine) as connection:
        return grids_of(connection, study_uid)


def rna(
    study: Study, path: Path, collection: str, options: RnaOptions, *, name: str | None = None, how: Loading = PLAIN
) -> Loaded:
    """Load an expression matrix (genes x samples) or a long table. Raises UsageError without unit and scale."""
    given: dict[str, Any] = {
        "unit": None if options.unit is None else str(options.unit),
        "scale": None if options.scale is None else str(options.scale),
        "sample_type": options.sample_type, "workflow": options.workflow, "gene_model": options.gene_model,
        "samples": None,
    }  # fmt: skip
    if options.clip_negative:
        given["clip_negative"] = True
    if options.log_offset is not None:
        given["log_offset"] = options.log_offset
    beside = {"samples": options.samples, "map": options.map}
    kept = None
    if options.map is None and options.unit is None and options.scale is None:
        kept = kept_map(study, collection, "rna", name or path.name)
    if kept is not None:
        given |= {option: kept.options[option] for option in ("unit", "scale")}
    return file(study, path, collection, "rna", name=name, options=given, files=beside, kept=kept, how=how)


def clinical(
    study: Study,
    path: Path,
    collection: str,
    *,
    map: Path | None = None,
    name: str | None = None,
    how: Loading = PLAIN,
) -> Loaded:
    """Load a table of patients: of a make that a reader recognises, or any other by a map, which the study then keeps."""
    kept = None
    if map is None and path.is_file() and not is_recognised(path):
        kept = kept_map(study, collection, "clinical", name or path.name)
    reader = "clinical" if map is not None or kept is not None else recognised_clinical(path)
    return file(study, path, collection, reader, name=name, files={"map": map}, kept=kept, how=how)


def any_file(
    study: Study,
    path: Path,
    collection: str,
    *,
    reader: str | None = None,
    name: str | None = None,
    how: Loading = PLAIN,
) -> Loaded:
    """Load a file by whichever reader knows it. reader: by its name, where the file does not tell. Raises as `file`."""
    if reader is None:
        if not path.is_file():
            raise NotFound("no such file", where=str(path))
        single = [r for r in installed.readers() if r.read is not None and r.precedence is not None]
        reader = likeliest(Head(path), [r for r in single if r.is_recognised]).name
    return file(study, path, collection, reader, name=name, how=how)


def readers() -> list[dict[str, Any]]:
    """All readers of single files as plain values: name, what of, which file, the command, and the package."""
    return [
        {"reader": r.name, "part": r.part.value, "about": r.about, "command": f"tshdb {r.verb}",
         "from": None if (origin := installed.reader_origin(r)) is None else str(origin)}
        for r in installed.readers() if r.read is not None and r.precedence is not None
    ]  # fmt: skip


def is_recognised(path: Path) -> bool:
    """Whether a reader of clinical tables is sure of the file."""
    return (
        recognised(Head(path), [r for r in installed.readers() if r.part is Part.CLINICAL and r.is_recognised])
        is not None
    )


def recognised_clinical(path: Path) -> str:
    """The name of the clinical reader whose file this is, or seems to be. Raises NotFound, or InvalidInput for no such file."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    readers = [r for r in installed.readers() if r.part is Part.CLINICAL and r.is_recognised]
    return likeliest(Head(path), readers).name


def follow_up(
    study: Study,
    path: Path,
    collection: str,
    *,
    map: Path | None = None,
    name: str | None = None,
    how: Loading = PLAIN,
) -> Loaded:
    """Load outcomes alone: of the GDC's clinical table, or of any table by a map, which the study then keeps."""
    kept = None
    if map is None and path.is_file() and not is_recognised(path):
        kept = kept_map(study, collection, "follow-up", name or path.name)
    return file(study, path, collection, "follow-up", name=name, files={"map": map}, kept=kept, how=how)


def features(
    study: Study,
    path: Path,
    collection: str,
    options: FeatureOptions = UNSAID,
    *,
    name: str | None = None,
    how: Loading = PLAIN,
) -> Loaded:
    """Load radiomic features that were computed elsewhere, one row an examination."""
    given = {"region": options.region, "map": options.map}
    beside = {"settings": options.settings}
    return file(study, path, collection, "features", name=name, options=given, files=beside, how=how)


def decisions(study: Study, path: Path, collection: str, *, how: Loading = PLAIN) -> Loaded:
    """Load what a person decided: of images, or of values on which sources disagree."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    head = Head(path)
    of = next(
        (r for r in installed.readers() if r.command == "ingest decisions" and r.describes and r.describes(head)), None
    )
    if of is not None and of.part is Part.CLINICAL:
        how = replace(how, complete=True)  # what such a file no longer says is taken back
    return file(study, path, collection, "decisions" if of is None else of.name, how=how)


def verdicts(study: Study, path: Path, collection: str, *, how: Loading = PLAIN) -> Loaded:
    """Load what people saw on images, pass or fail."""
    return file(study, path, collection, "qc", how=how)


def write_map(path: Path, reader: str, target: Path, said: Mapping[str, str] | None = None) -> Path:
    """Write a first map of a table, for a person to correct; nothing is loaded. Raises InvalidInput where a map is.

    said: what is known of it already, such as the unit of an expression table.
    """
    record = installed.reader(reader)
    text = needed(record.guess, record, "take a map")(path, **(said or {}))
    if target.exists():
        raise InvalidInput("a map is there already", where=str(target), repair="Name another file with --map")
    with complete(target) as written:
        written.write_text(text, encoding="utf-8")
    return target
