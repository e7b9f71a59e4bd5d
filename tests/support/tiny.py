"""A tiny study in the archives' own formats: a dozen patients, a dozen genes, everything in files that readers read.

The patients are made from a seed; nothing about them is real.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from random import Random

import numpy as np
from sqlalchemy import select

import migrations
from analyses import ANALYSES
from ingest.expression import rna
from ingest.gdc import clinical as gdc_clinical
from ingest.imaging import mask_files
from ingest.imaging.folder import DicomFolderOptions, read_folder
from ingest.imaging.folder_items import items as folder_items
from ingest.imaging.masks import nrrd
from ingest.imaging.spool import KnownFile, Spool
from ingest.simulate.dce_layouts import SimulatedExamination, ge_content_time, write_examination
from ingest.simulate.dicom_files import SAGITTAL, Geometry
from ingest.tables import features
from tshdb import loading
from tshdb.actions.making import make_study
from tshdb.cohorts import versions as cohorts
from tshdb.database import create, reading, writing
from tshdb.engine.analysis import Analysis
from tshdb.engine.planner import Planner
from tshdb.engine.rebuild import Rebuild, Report
from tshdb.engine.world import World
from tshdb.geometry import Grid
from tshdb.guest_tables import tables_of
from tshdb.loading.instances import instances_of, known_files
from tshdb.schema import Attempt, Base, ImagingStudy, Run, Unit
from tshdb.study import Study
from tshdb.vocabulary import ExpressionUnit, MaskKind, Scale

COHORT = "tumor_stroma_development"
LIVE = "everyone"
GENES = ("CD3D", "CD5", "CD6", "CD8B", "GNLY", "KLRD1", "EOMES", "DCN", "COL1A1", "TAGLN", "VWF", "TP53")
MARKERS = """population,marker
T cells,CD3D
T cells,CD5
T cells,CD6
Cytotoxic lymphocytes,GNLY
Cytotoxic lymphocytes,KLRD1
Cytotoxic lymphocytes,EOMES
Fibroblasts,DCN
Fibroblasts,COL1A1
Fibroblasts,TAGLN
"""
FEATURES = tuple(
    f"{place}_original_glcm_{name}"
    for place in ("tumor_S0", "stroma_SI")
    for name in ("Idmn", "Imc1", "MCC", "Contrast")
)
LIVE_SQL = "SELECT patient_id FROM follow_ups WHERE endpoint = 'OS' AND event IS NOT NULL AND duration_days IS NOT NULL"
WITH_IMAGES = (0, 3, 7, 77)
HISTORY = ("attempts", "result_changes", "retirements")  # how a study came here, which depends on the way
DESCRIPTIVE = {"unit_id", "run_id", "spec_id"}


SMALL = {  # what makes the analyses work, and quickly, on a dozen patients
    "min_events = 5": "min_events = 2",
    'method = "fixed"': 'method = "median"\nn_bootstrap = 5',
    "max_features = 5": "max_features = 2\ninner_folds = 2",
    "min_per_class = 10": "min_per_class = 2",
    "outer_folds = 10": "outer_folds = 2",
    "repeats = 5": "repeats = 1",
    "n_permutations = 1000": "n_permutations = 5\nmin_patients = 3",
    "n_bootstrap = 1000": "n_bootstrap = 5",
    "signatures_of = []": 'signatures_of = ["tumor_stroma_development"]',
    "n_random = 20 ": "n_random = 2 ",
    "n_searched = 5 ": "n_searched = 1 ",
    "cohorts = []": 'cohorts = ["tumor_stroma_development"]',
    'cohort = "radiogenomic_development"': 'cohort = "tumor_stroma_development"\nforest = "scikit-learn"\nmin_per_class = 2',
    'features = "computed"': 'features = "features"',
    "population = 100": "population = 4",
    "generations = 100": "generations = 1",
    "folds = 10\nmetric": "folds = 2\nmetric",
    "n_trees = 100": "n_trees = 2",
    "maps = []": 'maps = ["ser"]',
    "final_trees = 500": "final_trees = 3\nn_bootstrap = 5",
}


@dataclass
class TinyPatient:
    """One patient with the RNA of the tumour and, mostly, of the stroma. Values are linear."""

    patient_id: str
    tumor: dict[str, float] | None
    stroma: dict[str, float] | None
    is_dead: bool
    days: int | None
    sex: str = "female"
    replicate: dict[str, float] | None = None  # of the tumour, on a later plate
    images: int | None = None  # a dynamic examination; another number is another brightness
    mask: int = 1  # of the images; another number is another mask
    features: int | None = 1  # radiomic features from elsewhere; another number is other values


@dataclass
class TinyArchive:
    """What the archive holds today: edit it, write it, ingest it."""

    patients: dict[str, TinyPatient] = field(default_factory=dict)
    order: list[str] | None = None

    @classmethod
    def make(cls, n: int, seed: int = 1) -> TinyArchive:
        archive = cls()
        for i in range(n):
            archive.add(i, seed)
        return archive

    def add(self, i: int, seed: int = 1, paired: bool = True) -> str:
        """Patient number i, always the same for a seed."""
        random = Random(f"{seed}/{i}")
        participant = f"{i:04d}" if i < 10_000 else np.base_repr(i + 26**4, 36)  # four characters, never only digits
        patient_id = f"TCGA-TN-{participant}"

        def profile(shift: float) -> dict[str, float]:
            return {g: round(random.lognormvariate(3 + shift, 1.0), 3) for g in GENES}

        self.patients[patient_id] = TinyPatient(
            patient_id,
            tumor=profile(0.0),
            stroma=profile(0.5) if paired else None,
            is_dead=random.random() < 0.6,
            days=random.randint(30, 3000),
            images=1 if i in WITH_IMAGES else None,
        )
        return patient_id

    def change(self, patient_id: str, **values) -> None:
        self.patients[patient_id] = replace(self.patients[patient_id], **values)

    def set_value(self, patient_id: str, compartment: str, gene: str, value: float) -> None:
        getattr(self.patients[patient_id], compartment)[gene] = value

    def _ordered(self) -> list[TinyPatient]:
        names = self.order or sorted(self.patients)
        return [self.patients[n] for n in names if n in self.patients]

    def write_images(self, folder: Path) -> None:
        """One folder a patient with images, as TCIA lays them out; of others none."""
        for p in self.patients.values():
            first = next((folder / p.patient_id).rglob("1-001.dcm"), None)  # its last voxel says which images these are
            if p.images is not None and (first is None or first.read_bytes()[-2:] != bytes([50 + p.images, 0])):
                shutil.rmtree(folder / p.patient_id, ignore_errors=True)
                volumes = [np.full((3, 4, 4), 50 + p.images + 40 * phase, np.uint16) for phase in range(3)]
                examination = SimulatedExamination(p.patient_id, "T0", volumes, Geometry(orientation=SAGITTAL))
                write_examination(examination, ge_content_time, folder)
        for path in folder.glob("TCGA-*"):
            if path.name not in self.patients or self.patients[path.name].images is None:
                shutil.rmtree(path)

    def write_masks(self, folder: Path) -> None:
        """One mask a patient with images, on their grid."""
        folder.mkdir(parents=True, exist_ok=True)
        wanted = {p.patient_id: p for p in self.patients.values() if p.images is not None}
        for path in folder.glob("*.nrrd"):
            if path.stem not in wanted:
                path.unlink()
        geometry = Geometry(orientation=SAGITTAL)
        slices, (row, column) = geometry.spacing_mm[2], geometry.spacing_mm[:2]
        grid = Grid((3, 4, 4), (slices, row, column), geometry.origin_mm, (0, 1, 0), (0, 0, -1), (-1, 0, 0))
        for name, patient in wanted.items():
            values = np.zeros((3, 4, 4), np.uint8)
            values[1, 1:3, 1 : 2 + patient.mask] = 1
            content = nrrd(values, grid)
            path = folder / f"{name}.nrrd"
            if not path.is_file() or path.read_bytes() != content:
                path.write_bytes(content)

    def write_features(self, folder: Path) -> Path:
        """features.csv, as PyRadiomics names them: one row a patient who has them."""
        lines = [",".join(["patient_id", *FEATURES])]
        for p in self._ordered():
            if p.features is not None:
                random = Random(f"{p.features}/{p.patient_id}")
                lines.append(",".join([p.patient_id, *(f"{random.gauss(0, 1):.6f}" for _ in FEATURES)]))
        path = folder / "features.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    def write(self, folder: Path) -> tuple[Path, Path]:
        """expression.csv and clinical.tsv, as the archives write them."""
        folder.mkdir(parents=True, exist_ok=True)
        columns = []
        for p in self._ordered():
            if p.tumor is not None:
                columns.append((f"{p.patient_id}-01A-11R-A000-07", p.tumor))
            if p.replicate is not None:
                columns.append((f"{p.patient_id}-01A-11R-A111-07", p.replicate))
            if p.stroma is not None:
                columns.append((f"{p.patient_id}-11A-11R-A000-07", p.stroma))
        lines = [",".join(["gene", *(name for name, _ in columns)])]
        lines += [",".join([g, *(repr(values[g]) for _, values in columns)]) for g in GENES]
        matrix = folder / "expression.csv"
        matrix.write_text("\n".join(lines) + "\n")
        header = ["case_id", "case_submitter_id", "project_id", *gdc_clinical.PATIENT_FIELDS]
        header += [*gdc_clinical.FOLLOW_UP_FIELDS, "treatment_type"]
        rows = ["\t".join(header)]
        for p in self._ordered():
            fixed = {
                "case_id": f"uuid-{p.patient_id}",
                "case_submitter_id": p.patient_id,
                "project_id": "TCGA-TN",
                "age_at_index": "60",
                "gender": p.sex,
                "primary_diagnosis": "Infiltrating duct carcinoma, NOS",
                "vital_status": "Dead" if p.is_dead else "Alive",
                "days_to_death": str(p.days) if p.is_dead and p.days is not None else "'--",
                "days_to_last_follow_up": str(p.days) if not p.is_dead and p.days is not None else "'--",
            }
            for treatment in ("Radiation Therapy, NOS", "Pharmaceutical Therapy, NOS"):
                values = fixed | {"treatment_type": treatment}
                rows.append("\t".join(values.get(h, "'--") for h in header))
        clinical = folder / "clinical.tsv"
        clinical.write_text("\n".join(rows) + "\n")
        return matrix, clinical


# Every kind of analysis, and models behind models: for tests that kill, race and repeat, whose points are the engine's.
CORE = tuple(
    a for a in ANALYSES
    if a.name in ("gene_filter", "cell_abundances", "tsh_ratios", "univariable_cox", "cutoff", "survival_groups")
)  # fmt: skip


def new_study(
    folder: Path, database: str = "sqlite:///study.db", live: bool = True, analyses: Sequence[Analysis] = ANALYSES
) -> Study:
    """An empty study with the tiny marker table, and settings of these analyses alone."""
    if database == "sqlite:///study.db":
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(_migrated(), folder / "study.db")
    study = make_study(folder, database, "fan2023")
    make_small(folder, live, analyses)
    return Study(study.root)


def make_small(folder: Path, live: bool = True, analyses: Sequence[Analysis] = ANALYSES) -> None:
    """Give a new study the tiny marker table, and settings with which its analyses are quick."""
    settings = folder / "study.toml"
    text = settings.read_text().replace('markers = "mcp_counter"', 'markers = "markers.csv"')
    for old, new in SMALL.items():
        assert old in text, old
        text = text.replace(old, new)
    text = re.sub(
        r'^cohorts = \["[^\]]*\]', f'cohorts = ["{COHORT}"]', text, flags=re.MULTILINE
    )  # there is no other here
    text = text.replace("use_degraded = true", "n_bootstrap = 5\nmin_events = 2")
    if live:
        text = text.replace(f'cohorts = ["{COHORT}"]', f'cohorts = ["{COHORT}", "{LIVE}"]')
    for unwanted in _tables(ANALYSES) - _tables(analyses):
        text = re.sub(rf"^\[{unwanted}\].*\n(?:(?!\[).*\n)*", "", text, flags=re.MULTILINE)  # up to the next table
    for base in _tables(analyses) - {a.name for a in analyses} if analyses is not ANALYSES else ():
        known = {field for a in analyses if a.base == base for field in a.params.model_fields.keys() - a.params.OWN}
        own = rf"^(\[{base}\].*\n)((?:(?!\[).*\n)*)"
        text = re.sub(own, lambda found, of=known: found[1] + _of(of, found[2]), text, flags=re.MULTILINE)
    settings.write_text(text)
    (folder / "markers.csv").write_text(MARKERS)


@cache
def _migrated() -> Path:
    """An empty database at the newest revision, made once a process."""
    path = Path(tempfile.mkdtemp(prefix="tshdb-empty-")) / "study.db"
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    engine = create(f"sqlite:///{path}")
    migrations.upgrade(engine)
    engine.dispose()
    return path


def _of(known: set[str], lines: str) -> str:
    """The lines of a table of study.toml that set one of these."""
    return "".join(line for line in lines.splitlines(keepends=True) if line.partition(" =")[0].strip() in known)


def _tables(analyses: Sequence[Analysis]) -> set[str]:
    """The tables of study.toml that belong to these analyses."""
    return {a.name for a in analyses} | {a.base for a in analyses if a.base is not None}


def ingest(study: Study, archive: TinyArchive, complete: bool = True, images: bool = True) -> list[loading.Loaded]:
    """Write the archive beside the study and ingest both files, and the images."""
    matrix, clinical = archive.write(study.root / "raw")
    done = []
    for reader, path in (("clinical", clinical), ("rna", matrix)):
        source = loading.Source("tcga-tn", reader, path.name)

        def read(reader=reader, path=path):
            if reader == "clinical":
                return gdc_clinical.read(path, "tcga-tn")
            return rna.read(path, rna.MatrixOptions("tcga-tn", ExpressionUnit.RSEM, Scale.LINEAR, path.name))

        item = loading.item_of(study, source, path, {}, read)
        if item.content is not None:
            done.append(loading.load(study, [item], command="test", complete=complete))
    path = archive.write_features(study.root / "raw")
    source = loading.Source("tcga-tn", "features", path.name)
    options = features.FeatureTableOptions(
        "tcga-tn", "features", settings={"software": "pyradiomics 3.0.1", "settings": {"bin_width": 1}}
    )
    item = loading.item_of(study, source, path, {}, lambda: features.read(path, options))
    if item.content is not None:
        done.append(loading.load(study, [item], command="test", complete=complete))
    if images:
        done += ingest_images(study, archive, complete)
    return done


def ingest_images(study: Study, archive: TinyArchive, complete: bool = True) -> list[loading.Loaded]:
    """Write the images and ingest what is new of them."""
    folder = study.root / "raw" / "images"
    archive.write_images(folder)
    gone = ingest_masks(study, archive, complete)  # masks of those who are gone go first
    if not any(folder.glob("TCGA-*")):
        return []
    with reading(study.engine) as connection, Spool() as spool:
        known = map(KnownFile._make, known_files(connection, study.paths.at, study.objects, "tcga-tn"))
        contents = read_folder(folder, DicomFolderOptions("tcga-tn", jobs=1, root=study.root.resolve()), spool, known)
        items = list(folder_items(contents, partial(instances_of, connection), complete))
        done = [gone, loading.load(study, items, command="test", complete=complete)]
    done.append(ingest_masks(study, archive, complete))
    return [loaded for loaded in done if loaded.run_id is not None]


def ingest_masks(study: Study, archive: TinyArchive, complete: bool = True) -> loading.Loaded:
    """Write a mask for every examination, and ingest what is new of them."""
    folder = study.root / "raw" / "masks"
    archive.write_masks(folder)
    columns = (ImagingStudy.study_uid, ImagingStudy.patient_id, ImagingStudy.time_point)
    with reading(study.engine) as connection:
        examinations = [mask_files.Examination(*row) for row in connection.execute(select(*columns))]
    options = mask_files.MaskFileOptions("tcga-tn", MaskKind.EXPERT)
    items = []
    known = {e.patient_id for e in examinations}
    for path in sorted(p for p in folder.glob("*.nrrd") if p.stem in known):
        source = loading.Source("tcga-tn", "segmentation", path.name)
        items.append(
            loading.item_of(study, source, path, {}, lambda path=path: mask_files.read(path, examinations, options))
        )
    return loading.load(study, items, command="test", complete=complete)


def define_cohorts(study: Study, live: bool = True) -> None:
    with writing(study.engine) as connection:
        sql = (study.root / "cohorts" / f"{COHORT}.sql").read_text()
        cohorts.define(connection, COHORT, sql)
        if live:
            cohorts.define(connection, LIVE, LIVE_SQL)


def define(study: Study, name: str, sql: str) -> None:
    """A live cohort more."""
    with writing(study.engine) as connection:
        cohorts.define(connection, name, sql)


def freeze(study: Study) -> int:
    with writing(study.engine) as connection:
        return cohorts.freeze(connection, COHORT)[0]


def rebuild(study: Study, analyses=ANALYSES, **options) -> Report:
    return Rebuild(Study(study.root), analyses, **options).run()


def plan(study: Study, analyses=ANALYSES, **options):
    fresh = Study(study.root)
    with reading(study.engine) as connection:
        return Planner(connection, World(analyses, fresh.settings), **options).all()


def due(study: Study, analyses=ANALYSES, certain_only: bool = False) -> dict[str, set[str]]:
    """analysis -> keys that are due; analyses with nothing due are left out."""
    plans = plan(study, analyses)
    found = {n: {k for k, d in p.due.items() if not (certain_only and d.is_possible)} for n, p in plans.items()}
    return {n: keys for n, keys in found.items() if keys}


def computed(study: Study, run_id: int) -> set[str]:
    """The units that a run computed, as analysis/key."""
    with reading(study.engine) as connection:
        rows = connection.execute(
            select(Unit.analysis, Unit.key)
            .join(Attempt, Attempt.unit_id == Unit.unit_id)
            .where(Attempt.run_id == run_id)
        ).fetchall()
    return {f"{a}/{k}" for a, k in rows}


def last_run(study: Study) -> int:
    with reading(study.engine) as connection:
        return connection.execute(select(Run.run_id).order_by(Run.run_id.desc()).limit(1)).scalar_one()


def dump(study: Study, superseded: bool = True) -> dict[str, list[str]]:
    """All result rows of current units and the units' fingerprints, without ids, runs, times and labels (which the command notes
    when the rows stand); floats as hex."""
    found: dict[str, list[str]] = {}
    with reading(study.engine) as connection:
        units = {
            r.unit_id: f"{r.analysis}/{r.key}"
            for r in connection.execute(select(Unit.unit_id, Unit.analysis, Unit.key).where(Unit.state != "retired"))
        }
        newest: dict[str, str] = {}
        for name in sorted(units.values()):
            if "@" in name:
                newest[name.partition("@")[0]] = max(newest.get(name.partition("@")[0], ""), name, key=_version)
        shown = {i: n for i, n in units.items() if superseded or "@" not in n or newest[n.partition("@")[0]] == n}
        rows = connection.execute(
            select(Unit.unit_id, Unit.state, Unit.fingerprint, Unit.message).where(Unit.state != "retired")
        )
        found["units"] = sorted(
            f"{shown[r.unit_id]} {r.state.value} {r.fingerprint} {r.message}" for r in rows if r.unit_id in shown
        )
        for table in tables_of(connection):
            if table.name in ("units", "unit_inputs", *HISTORY) or "unit_id" not in table.columns:
                continue
            lines, labels = [], {c.name for c in table.columns if c.info.get("label")}
            for row in connection.execute(select(table)).mappings():
                if row["unit_id"] in shown:
                    values = {k: _hex(v) for k, v in row.items() if k not in DESCRIPTIVE and k not in labels}
                    lines.append(f"{shown[row['unit_id']]} {values}")
            found[table.name] = sorted(lines)
        found["unit_inputs"] = sorted(
            f"{shown[r.unit_id]} {r.role} {units.get(r.input_unit_id, 'gone')} {r.seen_fingerprint}"
            for r in connection.execute(select(Base.metadata.tables["unit_inputs"]))
            if r.unit_id in shown
        )
    return found


def _version(name: str) -> tuple[str, int]:
    return name.partition("@")[0], int(name.partition("@")[2] or 0)


def _hex(value):
    return value.hex() if isinstance(value, float) else str(value)


def copy_study(study: Study, folder: Path) -> Study:
    """A second study with the same content (SQLite only, nothing running)."""
    study.engine.dispose()
    shutil.copytree(study.root, folder)
    return Study(folder)
