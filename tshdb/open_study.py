"""A study in a notebook: what commands do, as methods. `tshdb.open(folder)` and `tshdb.make(folder)` give one.

Tables come back as DataFrames, everything else as small typed objects that a notebook shows as a table.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.places import SETTINGS_FILE
from tshdb.study import Study
from tshdb.written import written_text

if TYPE_CHECKING:
    from enum import StrEnum

    from tshdb.actions.checking import Checked
    from tshdb.actions.cohorts import Defined, Frozen
    from tshdb.actions.ingest import Loading, RnaOptions
    from tshdb.actions.planning import Planned
    from tshdb.actions.rebuilding import Rebuilt
    from tshdb.actions.withdrawing import Withdrawn
    from tshdb.cohorts.states import CohortState
    from tshdb.config import Settings
    from tshdb.exports.writing import Exported
    from tshdb.figures import Drawing
    from tshdb.loading import Loaded
    from tshdb.methods import Methods
    from tshdb.oath.promise import Sworn
    from tshdb.pages import Page
    from tshdb.tables import Table
    from tshdb.truths.judging import Judged
    from tshdb.withdrawal.planning import WithdrawalPlan

Progress = Callable[..., None]


def _silent(*_: object) -> None:
    """No progress is shown."""


class OpenStudy(Study):
    """A study with all that can be done to it.

    >>> import tshdb
    >>> study = tshdb.open("brca")                                            # doctest: +SKIP
    >>> study.plan()                                                          # doctest: +SKIP
    >>> study.rebuild(n_workers=2)                                            # doctest: +SKIP
    >>> study.sql("SELECT * FROM tsh_ratios WHERE value > 0")                 # doctest: +SKIP
    """

    _read: Settings | None = None

    @property
    def settings(self) -> Settings:
        """study.toml as it is now: whoever edits it in an editor goes on in the notebook."""
        from tshdb.config import Settings

        path = self.root / SETTINGS_FILE
        text = written_text(path)
        if self._read is None or self._read.text != text:
            self._read = Settings(path, text)
        return self._read

    # ---------------------------------------------------------------------------------------------------------- load

    def ingest(
        self,
        path: str | Path,
        collection: str,
        *,
        unit: str | None = None,
        scale: str | None = None,
        reader: str | None = None,
        complete: bool = False,
        keep_going: bool = False,
        dry_run: bool = False,
        check_bytes: bool = False,
        progress: Progress = _silent,
    ) -> list[Loaded]:
        """Load a file, or what lies in a folder; gives what was loaded, a part each.

        unit, scale: of an expression matrix (tpm, linear), which is loaded as one if they are given.
        reader: by its name, else a file is recognised by what it holds.
        complete: what the file lacks is gone.
        keep_going: load good rows beside bad ones.
        dry_run: only say what would change.
        check_bytes: of a folder: read files, too, that were not written since.

        Raises NotFound and UsageError; InvalidInput for what was refused, with its findings.
        """
        from tshdb.actions import ingest

        path, how = Path(path), ingest.Loading(complete, keep_going, dry_run)
        if path.is_dir():
            loaded = _from_folder(self, path, collection, how, check_bytes, progress)
        elif unit is not None or scale is not None:
            loaded = [ingest.rna(self, path, collection, _rna_options(unit, scale), how=how)]
        elif reader is not None:
            loaded = [ingest.file(self, path, collection, reader, how=how)]
        else:
            loaded = [ingest.clinical(self, path, collection, how=how)]
        for part in loaded:
            _raise_refused(part)
        return loaded

    # ------------------------------------------------------------------------------------------------------- compute

    def plan(self, *names: str, refit: bool = False, n_workers: int = 1) -> Planned:
        """What a rebuild of these analyses (none: all) would compute, and what began it. Writes nothing."""
        from tshdb.actions.planning import PlanOptions, plan

        return plan(self, PlanOptions(names, refit, n_workers))

    def rebuild(self, *names: str, n_workers: int = 1, refit: bool = False, progress: Progress = _silent) -> Rebuilt:
        """Compute all that is due of these analyses (none: all), and only that.

        progress: is called with (analysis, units done, units in all).
        """
        from tshdb.actions.rebuilding import RebuildOptions, rebuild

        return rebuild(self, RebuildOptions(names, n_workers, refit), progress)

    def why(self, unit: str) -> dict[str, Any]:
        """Why a unit (ANALYSIS/KEY) is due, or what it rests on, as plain values. Raises NotFound."""
        from tshdb.actions.explaining import why

        return why(self, unit)

    # ------------------------------------------------------------------------------------------------------- cohorts

    def define(self, name: str, sql: str) -> Defined:
        """Define a cohort by steps of SQL, each a SELECT that gives patient_id."""
        from tshdb.actions.cohorts import define

        return define(self, name, sql)

    def freeze(self, name: str) -> Frozen:
        """Freeze the members of now as the next version of a cohort."""
        from tshdb.actions.cohorts import freeze

        return freeze(self, name)

    def cohorts(self) -> dict[str, CohortState]:
        """Every cohort by name: its members, and who has become eligible since it was frozen."""
        from tshdb.actions.cohorts import cohorts

        return cohorts(self)

    # -------------------------------------------------------------------------------------------------- what comes out

    def table(self, number: str, cohort: str | None = None) -> Table:
        """A table of the paper: 1, 2, s1 to s6, ladder or prognosis. cohort: NAME@VERSION; none: the newest of study.toml."""
        from tshdb.tables import table

        return table(self, number, cohort)

    def figure(
        self, name: str, cohort: str | None = None, form: str = "svg", *, width: str | None = None, dpi: int = 150,
        style: str | Path | None = None,
    ) -> Drawing:  # fmt: skip
        """A figure of the paper, such as km. form: svg, pdf, png or tiff.

        width: such as 85mm; dpi: of png and tiff; style: a .mplstyle file.
        """
        from tshdb.figures import asked, figure

        return figure(self, name, cohort, form, how=asked(width, dpi, style))

    def methods(self) -> Methods:
        """The Methods of a manuscript, from what ran here."""
        from tshdb.methods import methods

        return methods(self)

    def report(self) -> Page:
        """The whole study on one HTML page."""
        from tshdb.pages import Page, report

        return Page(report(self))

    def export(
        self, kind: str, folder: str | Path, *, cohort: str | None = None, variant: str | None = None,
        progress: Progress = _silent,
    ) -> Exported:  # fmt: skip
        """What the study holds in the format of other programs: parquet, csv, anndata … (`tshdb export list`).

        cohort: NAME@VERSION; variant: as this one has it; progress: is called with (what, done, in all).
        Raises UsageError, NotFound, and InvalidInput for a folder that holds something else.
        """
        from contextlib import nullcontext

        from tshdb.actions.variants import viewed
        from tshdb.exports.writing import export

        with nullcontext((self, "")) if variant is None else viewed(self, variant) as (here, _):
            return export(here, kind, Path(folder), cohort=cohort, variant=variant, progress=progress)

    # ---------------------------------------------------------------------------------------------- keep and defend

    def status(self) -> dict[str, Any]:
        """What the study holds, as plain values."""
        from tshdb.status import status

        return status(self.root)

    def check(self, full: bool = True, progress: Progress = _silent) -> Checked:
        """Whether everything that the study promises still holds. full: all bytes and all rows."""
        from tshdb.actions.checking import check

        return check(self, full=full, progress=progress)

    def truths(self, *names: str) -> list[Judged]:
        """The verdicts of these truths of truths.toml (none: all): do derived columns agree with independent measurements?

        Raises NotFound for a name that there is not, and InvalidInput for a file that is none.
        """
        from tshdb.actions.truths import check_truths

        return check_truths(self, *names)

    def check_analysis(self, name: str, progress: Progress = _silent) -> Sworn:
        """Whether an analysis keeps what the engine promises of it, tried on data that is made for it; nothing here is touched.

        Raises NotFound for an analysis that there is not, or that may not run.
        """
        from tshdb.oath.swearing import swear

        return swear(self, name, progress)

    def withdrawal(self, patient_id: str) -> WithdrawalPlan:
        """What a withdrawal of a patient would erase. Writes nothing."""
        from tshdb.actions.withdrawing import preview

        return preview(self, patient_id)

    def withdraw(self, patient_id: str, reason: str, scope: str = "keep") -> Withdrawn:
        """Erase a patient. scope: keep (models stand, flagged), refit, or revoke (models that learned from her go)."""
        from tshdb.actions.withdrawing import withdraw
        from tshdb.vocabulary import WithdrawalScope

        return withdraw(self, patient_id, reason, WithdrawalScope(scope))

    def _repr_html_(self) -> str:
        import html

        counts = self.status()["counts"]
        cells = "".join(f"<tr><td>{html.escape(name)}</td><td>{n:,}</td></tr>" for name, n in counts.items())
        return f"<p>Study {html.escape(self.name)}</p><table>{cells}</table>"


def _from_folder(
    study: OpenStudy, folder: Path, collection: str, how: Loading, check_bytes: bool, progress: Progress
) -> list[Loaded]:
    """Load a folder: of a collection that is known, by what lies in it; of another, its DICOM files."""
    from tshdb import installed
    from tshdb.actions.collection import Wanted, from_folder
    from tshdb.actions.imaging import dicom

    if any(known.name == collection for known in installed.collections()):
        steps = from_folder(study, collection, folder, Wanted(check_bytes=check_bytes), how=how, progress=progress)
        return [step.loaded for step in steps if step.loaded is not None]
    return [dicom(study, folder, collection, check_bytes=check_bytes, how=how, progress=progress)]


def _rna_options(unit: str | None, scale: str | None) -> RnaOptions:
    """Raises UsageError for a unit or a scale that there is not."""
    from tshdb.actions.ingest import RnaOptions
    from tshdb.errors import UsageError
    from tshdb.near import did_you_mean
    from tshdb.vocabulary import ExpressionUnit, Scale

    known: tuple[tuple[str, str | None, type[StrEnum]], ...] = (("unit", unit, ExpressionUnit), ("scale", scale, Scale))
    for name, given, words in known:
        if given is not None and given not in list(words):
            repair = did_you_mean(given, list(words), f"Known: {', '.join(words)}")
            raise UsageError(f"{name} '{given}'", where="ingest", repair=repair)
    return RnaOptions(None if unit is None else ExpressionUnit(unit), None if scale is None else Scale(scale))


def _raise_refused(loaded: Loaded) -> None:
    """Raises InvalidInput where nothing was loaded because of what was found."""
    from tshdb.errors import InvalidInput

    if loaded.is_refused:
        first = loaded.errors[0]
        raise InvalidInput(
            f"{len(loaded.errors):,} errors, and nothing was loaded; the first: {first.message}",
            where=f"{loaded.what} line {first.line}" if first.line else loaded.what,
            repair="Mend them, or load the good rows: keep_going=True",
        )
