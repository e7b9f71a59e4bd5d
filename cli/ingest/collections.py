"""tshdb ingest tcga-brca | ispy1 | breast-mri-nact-pilot: a whole collection, from a folder or from its archives.

Parts are ingested one after the other: clinical and RNA, then images, then masks. Each is an ingest of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cli.console import say
from cli.ingest import downloads
from cli.ingest.options import AsOfOption, CheckBytesOption
from cli.options import JsonOption, StudyOption
from tshdb.archives import Images
from tshdb.vocabulary import ExpressionUnit

if TYPE_CHECKING:
    from tshdb.actions.collection import Wanted
    from tshdb.actions.ingest import Loading
    from tshdb.loading import Loaded
    from tshdb.study import Study

FromOption = Annotated[
    Path | None, typer.Option("--from", metavar="DIR", help="Take what lies in this folder; nothing is downloaded.")
]
OnlyOption = Annotated[
    str | None, typer.Option("--only", help="Only these, with commas: clinical, rna, imaging, segmentation.")
]
UnitOption = Annotated[
    list[ExpressionUnit] | None, typer.Option("--unit", help="Which values of the RNA files (tpm; may be repeated).")
]
JobsOption = Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Threads that read or fetch files.")]
CompleteOption = Annotated[
    bool, typer.Option("--complete", help="The folder is the whole truth: what it lacks is gone.")
]
KeepGoingOption = Annotated[bool, typer.Option("--keep-going", help="Load the good files and rows beside bad ones.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be fetched or loaded, and do neither.")]
GdcUrlOption = Annotated[
    str | None, typer.Option("--gdc-url", help="The GDC's API (default: study.toml, else the GDC).")
]
ArchiveOption = Annotated[str, typer.Option("--source", help="Where images come from: idc or nbia (TCIA).")]
ArchiveUrlOption = Annotated[str | None, typer.Option("--source-url", help="A mirror of it (default: study.toml).")]
IndexOption = Annotated[
    Path | None, typer.Option("--index", metavar="FILE", help="The IDC's index, if not the installed package's.")
]
ManifestOption = Annotated[
    Path | None, typer.Option("--manifest", metavar="FILE.tcia", help="Only the series of a TCIA manifest.")
]
PatientOption = Annotated[
    list[str] | None, typer.Option("--patient", help="Only this patient's images (may be repeated).")
]
FirstStudyOption = Annotated[bool, typer.Option("--first-study", help="Only each patient's first study of images.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Fetch more than a gigabyte without asking.")]


class Workbook(NamedTuple):
    """A collection whose tables are one workbook. says: what the command's help begins with; example: its arguments."""

    name: str
    says: str
    example: str


WORKBOOKS = (
    Workbook("ispy1", "I-SPY 1: TCIA's clinical and outcome workbook, images and masks.", "--from ~/ispy1"),
    Workbook(
        "breast-mri-nact-pilot",
        "Breast-MRI-NACT-Pilot: TCIA's clinical and DFS workbook, images and masks.",
        "--only imaging,segmentation --first-study",
    ),
)


def add_to(app: typer.Typer) -> None:
    app.command("tcga-brca")(tcga_brca)
    for each in WORKBOOKS:
        app.command(each.name)(_command(each))


def tcga_brca(
    folder: FromOption = None,
    only: OnlyOption = None,
    units: UnitOption = None,
    jobs: JobsOption = 2,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    as_of: AsOfOption = None,
    gdc_url: GdcUrlOption = None,
    check_bytes: CheckBytesOption = False,
    source: ArchiveOption = "idc",
    source_url: ArchiveUrlOption = None,
    index: IndexOption = None,
    manifest: ManifestOption = None,
    patients: PatientOption = None,
    first_study: FirstStudyOption = False,
    yes: YesOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """TCGA-BRCA: clinical tables, STAR counts and notices of the GDC, images of TCIA, and masks.

    With --from, all that lies in a folder. Without, what is new of the GDC is downloaded into raw/; images, which are many
    gigabytes, only if --only names imaging or segmentation. --dry-run says the sizes.

    Example: tshdb ingest tcga-brca --only imaging --first-study --dry-run
    """
    options = _CollectionOptions(
        folder, _parts(only), tuple(units or (ExpressionUnit.TPM,)), jobs, check_bytes, gdc_url,
        Images(frozenset(), source, source_url, index, manifest, tuple(patients or ()), first_study), yes,
    )  # fmt: skip
    _ingest("tcga-brca", options, (complete, keep_going, dry_run, as_of), study, as_json)


def _command(of: Workbook) -> Callable[..., None]:
    """The command of a collection whose tables are one workbook."""

    def ingest(
        folder: FromOption = None,
        only: OnlyOption = None,
        jobs: JobsOption = 2,
        complete: CompleteOption = False,
        keep_going: KeepGoingOption = False,
        dry_run: DryRunOption = False,
        as_of: AsOfOption = None,
        check_bytes: CheckBytesOption = False,
        source: ArchiveOption = "idc",
        source_url: ArchiveUrlOption = None,
        index: IndexOption = None,
        manifest: ManifestOption = None,
        patients: PatientOption = None,
        first_study: FirstStudyOption = False,
        yes: YesOption = False,
        study: StudyOption = None,
        as_json: JsonOption = False,
    ) -> None:
        images = Images(frozenset(), source, source_url, index, manifest, tuple(patients or ()), first_study)
        options = _CollectionOptions(
            folder, _parts(only), jobs=jobs, check_bytes=check_bytes, images=images, is_sure=yes
        )
        _ingest(of.name, options, (complete, keep_going, dry_run, as_of), study, as_json)

    ingest.__doc__ = f"""{of.says}

    With --from, all that lies in a folder (or the workbook itself). TCIA has the workbook on a page of its own; images can
    be downloaded: --only imaging,segmentation.

    Example: tshdb ingest {of.name} {of.example}
    """
    return ingest


class _CollectionOptions(NamedTuple):
    """What of a collection, and where from. folder: None to download; parts: None for all that come unasked."""

    folder: Path | None
    parts: frozenset[str] | None
    units: tuple[ExpressionUnit, ...] = (ExpressionUnit.TPM,)
    jobs: int = 2
    check_bytes: bool = False
    gdc_url: str | None = None
    images: Images = Images()
    is_sure: bool = False

    def wanted(self) -> Wanted:
        from tshdb.actions.collection import Wanted

        return Wanted(self.parts, self.units, self.jobs, self.check_bytes)


PartOutcome = tuple[str, dict[str, Any], int]  # part, facts, exit code


def _parts(only: str | None) -> frozenset[str] | None:
    return frozenset(part.strip() for part in only.split(",")) if only else None


def _ingest(
    name: str, options: _CollectionOptions, how: tuple[bool, bool, bool, str | None], study: Path | None, as_json: bool
) -> None:
    """Ingest the parts that are asked for, up to one that is refused. Ends with the worst exit code of them."""
    from cli.console import out_json
    from tshdb.actions.collection import IMAGE_PARTS
    from tshdb.actions.ingest import Loading
    from tshdb.errors import Exit
    from tshdb.study import Study

    opened = Study.find(study)
    come = _from_folder if options.folder is not None else _from_archives
    parts: list[PartOutcome] = []
    for part in come(opened, name, options, Loading(*how), as_json):
        parts.append(part)
        if part[-1] == Exit.INVALID_INPUT:
            break  # what comes after may rest on it
    if as_json:
        facts: dict[str, Any] = {}
        for part, facts_of_part, _ in parts:
            facts |= {part: facts_of_part} if part in IMAGE_PARTS else facts_of_part
        out_json(facts)
    if code := max(code for *_, code in parts):
        raise typer.Exit(code)


class _Bars:
    """Bars of progress, shown from the first call until they are closed. Lines on stderr come after them."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._show: Callable[..., None] | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        from cli.console import progress

        if self._show is None:
            self._show = self._stack.enter_context(progress())
        self._show(what, done, total)

    def close(self) -> None:
        self._stack.close()
        self._show = None


def _from_folder(
    study: Study, name: str, options: _CollectionOptions, how: Loading, as_json: bool
) -> Iterator[PartOutcome]:
    """What lies in a folder. What was not named with --only may be absent, if something else is there."""
    from tshdb import installed
    from tshdb.actions import collection

    bars, wanted = _Bars(), options.wanted()
    for step in collection.from_folder(study, name, options.folder, wanted, how=how, progress=bars):
        bars.close()
        if step.loaded is not None:
            yield _part_outcome(study, step.part, step.loaded, as_json)
        else:
            tables = wanted.of(installed.collection(name)) - collection.IMAGE_PARTS
            say(f"{', '.join(sorted(tables))}: {step.absent}")


def _from_archives(
    study: Study, name: str, options: _CollectionOptions, how: Loading, as_json: bool
) -> Iterator[PartOutcome]:
    """What is new of the archives: tables and matrices, and of images what is named."""
    from cli.console import progress
    from tshdb import installed
    from tshdb.actions import archive, collection

    wanted = options.wanted()
    parts = wanted.of(installed.collection(name))
    if tables := parts - collection.IMAGE_PARTS:
        plan = archive.plan_tables(study, name, tables, url=options.gdc_url)
        if not (how.dry_run and as_json):
            downloads.tell_tables(plan)
        if how.dry_run:
            yield "clinical", downloads.facts_of(plan), 0
        else:
            folder = downloads.fetched(plan, options.jobs, options.is_sure)
            with progress() as show:
                loaded = collection.tables(study, name, folder, wanted, how=how, progress=show)
            yield _part_outcome(study, "clinical", loaded, as_json)
    if named := parts & collection.IMAGE_PARTS if options.parts is not None else frozenset():
        plan = archive.plan_images(study, name, options.images.of(named))
        if not (how.dry_run and as_json):
            downloads.tell_images(plan, options.images.is_first_study)
        if how.dry_run:
            yield "imaging", downloads.facts_of(plan), 0
        else:
            folder = downloads.fetched(plan, options.jobs, options.is_sure)
            with progress() as show:
                loaded = collection.images(
                    study, name, folder, jobs=options.jobs, check_bytes=options.check_bytes, how=how, progress=show,
                    release=plan.state,
                )  # fmt: skip
            yield _part_outcome(study, "imaging", loaded, as_json)
    if not as_json:
        if how.dry_run:
            say("Dry run: nothing was fetched.")
        if options.parts is None:
            say(
                f"Images are not fetched unless they are named; their size: tshdb ingest {name} --only imaging --dry-run"
            )


def _part_outcome(study: Study, part: str, loaded: Loaded, as_json: bool) -> PartOutcome:
    from cli.ingest.outcome import exit_code, report_outcome

    return part, report_outcome(study, loaded, as_json), exit_code(loaded)
