"""The kinds of export, and the one way in which each is written: a folder that is whole or not there, with a README, noted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.errors import NotFound, UsageError
from tshdb.exports.annotated import write_anndata, write_mudata
from tshdb.exports.cbioportal import write_cbioportal
from tshdb.exports.cell_networks import write_networks
from tshdb.exports.chosen import chosen, require_there
from tshdb.exports.dicom_seg import write_dicom_seg
from tshdb.exports.images import write_nifti
from tshdb.exports.readme import NAME, readme
from tshdb.exports.record import Export, Job, Progress, Written
from tshdb.exports.study_crate import write_rocrate
from tshdb.exports.table_files import write_csv, write_parquet
from tshdb.laid_folders import Kind, laid, refuse_others
from tshdb.near import did_you_mean
from tshdb.written_files import Holds, note_written

if TYPE_CHECKING:
    from tshdb.study import Study

EXPORTS = (
    Export(
        "anndata", "RNA as AnnData (.h5ad), for scanpy and others: samples by genes, values as in their source.",
        "the selected profiles of the patients", "one sample, with all that is known of the patient", write_anndata,
        {"anndata": "export", "h5py": "export"},
    ),
    Export(
        "mudata", "RNA, abundances of cell populations and radiomic features as MuData (.h5mu), for muon and others.",
        "the selected profiles of the patients, and their examinations with features", "one sample, or one examination",
        write_mudata,
        {"mudata": "export", "anndata": "export", "h5py": "export"},
    ),
    Export(
        "cbioportal", "A study folder that cBioPortal imports: clinical data, expression of tumours, other measurements.",
        "the patients, their selected profiles of tumours, abundances, TSH ratios, features of first examinations",
        "one patient, sample, gene or measurement: see each file", write_cbioportal,
    ),
    Export(
        "nifti", "Images as NIfTI (.nii.gz): the phases of dynamic scans, segmentations, and the regions of features.",
        "the examinations with MR of the patients", "one image file: see images.csv", write_nifti, {"SimpleITK": "imaging"},
    ),
    Export(
        "dicom-seg", "Segmentations as DICOM SEG objects, which refer to the images that they were drawn on.",
        "the segmentations that lie on the images of their examination", "one segment: see segments.csv", write_dicom_seg,
        {"highdicom": "imaging", "pydicom": "imaging", "SimpleITK": "imaging"},
    ),
    Export(
        "parquet", "All tables of the study as Parquet files, for R, Python, DuckDB and others.",
        "every row of every table of entities and results, guests' tables too",
        "see each file", write_parquet,
    ),
    Export(
        "csv", "All tables of the study as CSV files with all digits.",
        "every row of every table of entities and results, guests' tables too",
        "see each file", write_csv,
    ),
    Export(
        "rocrate", "The whole study as an RO-Crate 1.1: tables, code as it ran, what was read, every computation.",
        "every row of every table of entities and results, guests' tables too", "see each file", write_rocrate,
        of_cohort=False,
    ),
    Export(
        "networks", "The cell networks as GraphML (Gephi, igraph, yEd) and Cytoscape JSON.",
        "the networks of one cohort, the newest if none is named", "one network: nodes are cell populations, edges correlations",
        write_networks, of_patients=False,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """What was written. unnoted: what must be said where the study could not note it; None elsewhere."""

    folder: Path
    name: str
    patients: tuple[str, ...]
    cohort: str | None
    written: Written
    unnoted: str | None

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `--json` prints them."""
        return {
            "export": self.name,
            "folder": str(self.folder),
            "patients": len(self.patients),
            "cohort": self.cohort,
            "files": [{"file": f.name, "one_row": f.one_row, "rows": f.n_rows} for f in self.written.files],
            "left_out": self.written.left_out,
            "missing": [each._asdict() for each in self.written.missing],
        }

    def _repr_html_(self) -> str:
        import html

        rows = "".join(
            f"<tr><td>{html.escape(f.name)}</td><td>{html.escape(f.one_row)}</td></tr>" for f in self.written.files
        )
        return f"<p>{html.escape(str(self.folder))}</p><table>{rows}</table>"


def record_of(name: str) -> Export:
    """The export of that name. Raises UsageError."""
    known = {record.name: record for record in EXPORTS}
    if name not in known:
        raise UsageError(f"no export '{name}'", where="export", repair=did_you_mean(name, known, ", ".join(known)))
    return known[name]


def export(
    study: Study,
    name: str,
    folder: Path,
    *,
    cohort: str | None = None,
    variant: str | None = None,
    progress: Progress = lambda *_: None,
) -> Exported:
    """Write an export into a folder, which is new, empty, or one that the same kind of export wrote before.

    study: or its copy as a variant has it, whose name is `variant`. cohort: NAME@VERSION, or a name for its newest version.
    progress: is called with (what, done, in all).

    Raises UsageError and NotFound for what there is not, InvalidInput for a folder that holds something else, Busy where a
    patient was withdrawn meanwhile; then nothing was written.
    """
    record = record_of(name)
    if cohort is not None and not record.of_cohort:
        raise UsageError("it is of the whole study", where=f"export {name}", repair="Leave --cohort out")
    record.require()
    kind = Kind(f".tshdb-export-{name}.json", f"export {name}")
    refuse_others(folder, kind)
    of = chosen(study, cohort)
    with laid(folder, kind) as writing:
        written = record.write(Job(study, of, writing, progress, variant, cohort))
        if not written.files:
            raise NotFound(
                "there is nothing to write" + "".join(f"; {each.what}: {each.why}" for each in written.missing[:1]),
                where=f"export {name}",
                repair="See what is due: tshdb plan",
            )
        text = readme(record, study.name, variant, of, written)
        (writing / NAME).write_text(text, encoding="utf-8", errors="backslashreplace")
        require_there(study.root, of.patients)
    cohorts = None if of.cohort is None else {of.cohort}
    unnoted = note_written(Holds(study.root, "export", name, record.of_patients, cohorts), folder)
    return Exported(folder, name, of.patients, of.cohort, written, unnoted)


def listed() -> list[dict[str, Any]]:
    """The kinds of export as plain rows."""
    return [
        {"export": r.name, "about": r.about, "rows": r.rows, "one_row": r.one_row,
         "needs": sorted({f"tshdb[{extra}]" for extra in r.needs.values()})}
        for r in EXPORTS
    ]  # fmt: skip
