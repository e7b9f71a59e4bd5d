"""A tiny study's life: what a person or an archive may change between two rebuilds, each change drawn by a seeded chance.

`Life` holds what is true now: the archive, study.toml, the cohorts' definitions, the editions of the code. A change is a
function of it that says in words what it did, or None where there is nothing to do.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from random import Random

from sqlalchemy import Double, Integer

from analyses import ANALYSES
from tests import tiny, toys
from tests.editions import EDITIONS, Editions
from tshdb.cohorts import versions as cohorts
from tshdb.database import writing
from tshdb.engine.analysis import Analysis
from tshdb.errors import InvalidInput
from tshdb.study import Study
from tshdb.vocabulary import CauseKind

SECOND, EXTREME = "second", "extreme"
CORE = (*tiny.CORE, toys.toy_fit, toys.toy_apply, toys.toy_last)
BEFORE_IMAGES = tuple(
    a for a in ANALYSES
    if ANALYSES.index(a) < next(i for i, b in enumerate(ANALYSES) if b.name == "series_roles") or a.name == "signature_labels"
)  # fmt: skip

# (table, setting) -> what it may say, as TOML; None: it is not written. What makes an analysis fail is among them.
PARAMETERS: dict[tuple[str, str], tuple[str | None, ...]] = {
    ("gene_filter", "absent_fraction"): ("0.8", "0.3", "0.05"),
    ("cell_abundances", "min_coverage"): ("0.5", "1.0", None),
    ("cell_abundances", "markers"): ('"markers.csv"', '"mcp_counter"'),
    ("tsh_ratios", "biomarker"): ('"ratio"', '"difference"', '"log2_ratio"'),
    ("tsh_ratios", "min_denominator"): ("0.05", "3.0", None),
    ("univariable_cox", "endpoint"): ('"OS"', '"RFS"', None),
    ("univariable_cox", "censor_at_days"): ("3652.5", "1000", None),
    ("univariable_cox", "min_events"): ("2", "3", "100"),
    ("univariable_cox", "unit"): ('"rsem"', '"tpm"', None),
    ("abundance_cox", "min_events"): ("2", "4", None),
    ("cutoff", "population"): ('"Cytotoxic lymphocytes"', '"T cells"', '"Nobody"'),
    ("cutoff", "method"): ('"median"', '"fixed"', '"quantile"', '"maxstat"'),
    ("cutoff", "value"): ("-0.3512", "0.2", "-5.0"),
    ("cutoff", "quantile"): ("0.25", "0.75", None),
    ("cutoff", "higher_is"): ('"good"', '"poor"', None),
    ("cutoff", "n_bootstrap"): ("5", "7", "0"),
    ("cutoff", "n_permutations"): ("20", "30"),
    ("cutoff", "unit"): ('"rsem"', '"tpm"', None),
    ("tsh_model", "max_features"): ("2", "1"),
    ("tsh_model", "threshold"): ("0.5", "0.3", None),
    ("tsh_model", "min_per_class"): ("2", "9"),
    ("tsh_cross_validation", "repeats"): ("1", "2"),
    ("tsh_cross_validation", "outer_folds"): ("2", "3"),
    ("model_performance", "n_bootstrap"): ("5", "6"),
    ("signature_labels", "threshold"): ("0.5", "0.4"),
    ("signature_labels", "unit"): ('"rsem"', '"tpm"', None),
    ("km_curves", "allow_training_patients"): ("true", None),
    ("logrank_tests", "min_events"): ("2", "1", None),
    ("tsh_cox", "covariates"): ('["age_years"]', '["er_status", "t_stage"]'),
    ("compartment_tests", "min_patients"): ("3", None),
    ("network_edges", "threshold"): ("0.5", "0.1"),
    ("network_parameters", "scope"): ('"whole"', None),
    ("prepared_images", "across_mm"): ("2.0", "1.0"),
    ("tumor_masks", "least_membership"): ("0.4", None),
    ("stroma_bands", "width_mm"): ("20.0", "5.0"),
    ("signature", "threshold"): ("0.5", "0.3"),
    ("signature", "max_correlation"): ("0.8", "0.9"),
    ("signature", "final_trees"): ("3", "4"),
    ("signature", "min_per_class"): ("2", "9"),
    ("signature_scores", "most_distant"): ("3.0", "0.5"),
    ("signature_validation", "calibration_parts"): ("3", "2"),
    ("signature_validation", "endpoints"): ('["OS"]', '["OS", "RFS"]'),
}  # fmt: skip
LISTS = {
    "univariable_cox": "cohorts",
    "abundance_cox": "cohorts",
    "km_curves": "cohorts",
    "signature_validation": "cohorts",
}
FITS = {"gene_filter": "cohort", "cutoff": "cohort", "tsh_model": "cohort"}
OF_PATIENTS = (  # none of them rests on results: any analysis may run over such a cohort
    tiny.LIVE_SQL,
    "SELECT patient_id FROM patients WHERE sex = 'female'",
    tiny.LIVE_SQL + " AND duration_days > 400",
    "SELECT DISTINCT patient_id FROM samples WHERE compartment = 'stroma'",
)
OF_RESULTS = (
    "SELECT DISTINCT patient_id FROM tsh_ratios WHERE value > -0.2",
    "SELECT patient_id FROM survival_groups WHERE prognosis = 'good'",
)


class Life:
    """A study that lives through changes. A context: what it did to the code of this process is undone at its end."""

    def __init__(self, folder: Path, analyses: Sequence[Analysis], seed: int, n_patients: int = 9):
        self.chance = Random(seed)
        self.folder, self._analyses = folder, tuple(analyses)
        self.with_images = any(a.name == "series_roles" for a in analyses)
        self.archive = tiny.TinyArchive.make(n_patients)
        self.study = tiny.new_study(folder, analyses=analyses)
        self.files: list[tiny.TinyArchive] = []  # every state of the archive that was ingested
        self.harmed: dict[str, CauseKind] = {}  # unit -> what another hand did to it since it was made
        self.definitions: dict[str, str] = {}
        self.frozen: set[str] = set()
        self.editions = Editions()
        self.set("cutoff", "n_permutations", "20")  # 10,000 take seconds where the method asks for them

    def __enter__(self) -> Life:
        self.editions.__enter__()
        return self

    def __exit__(self, *_) -> None:
        self.editions.__exit__()
        self.study.engine.dispose()

    @property
    def analyses(self) -> tuple[Analysis, ...]:
        return self.editions.of(self._analyses)

    @property
    def tables(self) -> set[str]:
        """The tables of study.toml that these analyses have."""
        return {a.name for a in self._analyses} | {a.base for a in self._analyses if a.base is not None}

    @property
    def settings_text(self) -> str:
        return (self.study.root / "study.toml").read_text()

    def set(self, table: str, setting: str, value: str | None) -> None:
        """Write a setting (TOML) into study.toml; None: take its line out."""
        (self.study.root / "study.toml").write_text(with_setting(self.settings_text, table, setting, value))

    def ingest(self) -> None:
        tiny.ingest(self.study, self.archive, images=self.with_images)
        self.files.append(deepcopy(self.archive))

    def define(self, name: str, sql: str) -> None:
        with writing(self.study.engine) as connection:
            cohorts.define(connection, name, sql)
        self.definitions[name] = sql

    def freeze(self, name: str) -> int | None:
        """The version; None where nobody is a member now."""
        try:
            with writing(self.study.engine) as connection:
                version = cohorts.freeze(connection, name)[0]
        except InvalidInput:
            return None
        self.frozen.add(name)
        return version

    def begin(self) -> None:
        """As every study begins: the archive, the cohort of the models frozen, a live one beside it."""
        self.ingest()
        self.define(tiny.COHORT, (self.study.root / "cohorts" / f"{tiny.COHORT}.sql").read_text())
        self.define(tiny.LIVE, tiny.LIVE_SQL)
        self.freeze(tiny.COHORT)

    def anew(self, folder: Path) -> Life:
        """Another study, made at once of what is true now. The editions of the code are those that are on."""
        other = Life(folder, self._analyses, seed=0)
        for name in ("study.toml", "markers.csv"):
            shutil.copy(self.study.root / name, folder / name)
        other.study = Study(folder)
        other.editions, other.archive = self.editions, deepcopy(self.archive)
        other.ingest()
        for name, sql in self.definitions.items():
            other.define(name, sql)
        for name in sorted(self.frozen):
            other.freeze(name)
        return other


def with_setting(text: str, table: str, setting: str, value: str | None) -> str:
    """The text of study.toml with one setting; None: without it."""
    lines = text.splitlines()
    if f"[{table}]" not in [line.partition("#")[0].strip() for line in lines]:
        lines += ["", f"[{table}]"]
    at = next(i for i, line in enumerate(lines) if line.partition("#")[0].strip() == f"[{table}]")
    end = next((i for i in range(at + 1, len(lines)) if lines[i].startswith("[")), len(lines))
    there = [i for i in range(at + 1, end) if re.match(rf"{setting}\s*=", lines[i])]
    new = [] if value is None else [f"{setting} = {value}"]
    if there:
        lines[there[0] : there[0] + 1] = new
    else:
        lines[at + 1 : at + 1] = new
    return "\n".join(lines) + "\n"


def written(text: str, table: str, setting: str) -> str | None:
    """What study.toml says of a setting, as TOML; None where it does not."""
    inside = re.search(rf"^\[{table}\].*\n((?:(?!\[).*\n)*)", text, flags=re.MULTILINE)
    found = re.search(rf"^{setting}\s*=\s*([^#\n]*)", inside[1], flags=re.MULTILINE) if inside else None
    return found[1].strip() if found else None


# ------------------------------------------------------------------------------------------------------- the changes


def parameter(life: Life) -> str | None:
    table, setting = life.chance.choice([p for p in PARAMETERS if p[0] in life.tables])
    was = written(life.settings_text, table, setting)
    value = life.chance.choice([v for v in PARAMETERS[table, setting] if v != was])
    life.set(table, setting, value)
    return f"[{table}] {setting}: {was} -> {value}"


def seed(life: Life) -> str:
    was = written(life.settings_text, "study", "seed")
    value = life.chance.choice([v for v in ("20230901", "7", "8") if v != was])
    life.set("study", "seed", value)
    return f"[study] seed: {was} -> {value}"


def guilty(life: Life) -> str | None:
    """Units made to fail, and mended."""
    if "toy_apply" not in life.tables:
        return None
    names = life.chance.sample(sorted(life.archive.patients), life.chance.choice([0, 1, 2]))
    value = "[" + ", ".join(f'"{n}"' for n in names) + "]"
    if value == written(life.settings_text, "toy_apply", "guilty"):
        return None
    life.set("toy_apply", "guilty", value)
    return f"guilty are {names}"


def listed(life: Life) -> str:
    """Which cohorts a list names."""
    table = life.chance.choice([t for t in LISTS if t in life.tables])
    names = [
        tiny.COHORT,
        tiny.LIVE,
        *(n for n in (SECOND, EXTREME) if n in life.definitions or life.chance.random() < 0.2),
    ]
    chosen = life.chance.sample(names, life.chance.randint(1, len(names)))
    life.set(table, LISTS[table], "[" + ", ".join(f'"{n}"' for n in chosen) + "]")
    return f"[{table}] {LISTS[table]} = {chosen}"


def cohort_of_fit(life: Life) -> str:
    table = life.chance.choice([t for t in FITS if t in life.tables])
    was = written(life.settings_text, table, FITS[table])
    name = SECOND if was == f'"{tiny.COHORT}"' else tiny.COHORT
    life.set(table, FITS[table], f'"{name}"')
    return f"[{table}] {FITS[table]} = {name}"


def define(life: Life) -> str | None:
    """A cohort gets other steps, or is defined for the first time."""
    name = life.chance.choice([tiny.LIVE, SECOND, EXTREME])
    sql = life.chance.choice(
        [s for s in (OF_RESULTS if name == EXTREME else OF_PATIENTS) if s != life.definitions.get(name)]
    )
    life.define(name, sql)
    return f"cohort {name} is defined as {sql}"


def freeze(life: Life) -> str | None:
    name = life.chance.choice([tiny.COHORT, tiny.COHORT, SECOND])
    if name not in life.definitions:
        return None
    version = life.freeze(name)
    return f"{name} is frozen as version {version}"


def markers(life: Life) -> str:
    path = life.study.root / "markers.csv"
    text = path.read_text()
    old = life.chance.choice(["T cells,CD6", "T cells,CD8B", "Fibroblasts,TAGLN", "Fibroblasts,VWF"])
    new = {"T cells,CD6": "T cells,CD8B", "T cells,CD8B": "T cells,CD6",
           "Fibroblasts,TAGLN": "Fibroblasts,VWF", "Fibroblasts,VWF": "Fibroblasts,TAGLN"}[old]  # fmt: skip
    if old not in text:
        old, new = new, old
    path.write_text(text.replace(old, new))
    return f"markers.csv: {old} -> {new}"


def code(life: Life) -> str:
    """A definition reads otherwise, or as it did; or a comment alone is written, which changes nothing."""
    names = {a.name for a in life._analyses}
    edition = life.chance.choice([e for e in EDITIONS if e.reaches & names])
    if life.chance.random() < 0.15:
        life.editions.comment(edition.module)
        return f"a comment in {edition.module}"
    life.editions.turn(edition)
    return f"{edition} is {'edited' if edition in life.editions.on else 'as it was'}"


def _patient(life: Life, is_wanted: Callable[[tiny.TinyPatient], object] = lambda p: True) -> str | None:
    return life.chance.choice(
        [n for n in sorted(life.archive.patients) if is_wanted(life.archive.patients[n])] or [None]
    )


def value(life: Life) -> str | None:
    """One value of expression, or the same gene of many patients, which the gene filter may drop then."""
    compartment, gene = life.chance.choice(["tumor", "stroma"]), life.chance.choice(tiny.GENES)
    to = life.chance.choice([0.0, 1.5, 300.0, 5e4])
    names = [p for p in sorted(life.archive.patients) if getattr(life.archive.patients[p], compartment) is not None]
    if not names:
        return None
    if life.chance.random() < 0.2:
        to = 0.0
    else:
        names = [life.chance.choice(names)]
    for name in names:
        life.archive.set_value(name, compartment, gene, to)
    life.ingest()
    return f"{gene} in the {compartment} of {', '.join(names)} is {to}"


def outcome(life: Life) -> str | None:
    name = _patient(life)
    dead, days = life.chance.random() < 0.6, life.chance.choice([100, 700, 2000, 5000, None])
    life.archive.change(name, is_dead=dead, days=days)
    life.ingest()
    return f"{name} is {'dead' if dead else 'alive'} after {days} days"


def sex(life: Life) -> str | None:
    name = _patient(life, lambda p: p.patient_id not in ("TCGA-TN-0006", "TCGA-TN-0007"))  # some women stay
    if name is None:
        return None
    life.archive.change(name, sex="male" if life.archive.patients[name].sex == "female" else "female")
    life.ingest()
    return f"{name} is {life.archive.patients[name].sex}"


def arrival(life: Life) -> str:
    number, paired = life.chance.choice([*range(20, 24), 77]), life.chance.random() < 0.7
    name = life.archive.add(number, paired=paired)
    life.ingest()
    return f"{name} arrives{'' if paired else ' without stroma'}"


def departure(life: Life) -> str | None:
    name = _patient(life)
    if len(life.archive.patients) <= 6:
        return None
    del life.archive.patients[name]
    life.ingest()
    return f"{name} is gone"


def rna(life: Life) -> str | None:
    """The RNA of one tissue comes or goes, or is measured once more."""
    name = _patient(life)
    what = life.chance.choice(["tumor", "stroma", "replicate"])
    other = {g: round(life.chance.uniform(1, 900), 2) for g in tiny.GENES}
    had = getattr(life.archive.patients[name], what) is not None
    life.archive.change(name, **{what: None if had else other})
    life.ingest()
    return f"the {what} of {name} {'went' if had else 'came'}"


def imported(life: Life) -> str | None:
    """Radiomic features from elsewhere: other values, none, or some again."""
    name = _patient(life)
    now = life.archive.patients[name].features
    life.archive.change(name, features=life.chance.choice([f for f in (None, 1, 2) if f != now]))
    life.ingest()
    return f"features of {name}: {now} -> {life.archive.patients[name].features}"


def images(life: Life) -> str | None:
    name = _patient(life, lambda p: p.images is not None)
    if not life.with_images or name is None:
        return None
    what = life.chance.choice(["images", "mask"])
    now = getattr(life.archive.patients[name], what)
    life.archive.change(name, **{what: 3 - now})  # one of two brightnesses, or masks
    life.ingest()
    return f"{what} of {name}: {now} -> {3 - now}"


def order(life: Life) -> str:
    """The archive's files are written in another order: every line moves, and nothing else does."""
    life.archive.order = life.chance.sample(sorted(life.archive.patients), len(life.archive.patients))
    life.ingest()
    return "another order of the archive's files"


def harm(life: Life) -> str | None:
    """Another hand edits a value of a result, or takes rows away."""
    tables = {a.name: a.makes.__table__ for a in life._analyses}
    with sqlite3.connect(life.study.sqlite_path) as connection:
        query = (
            "SELECT unit_id, analysis, key FROM units WHERE state = 'current' AND spec_id IS NOT NULL ORDER BY unit_id"
        )
        found = [row for row in connection.execute(query) if row[1] in tables]
        unit, analysis, key = life.chance.choice(found) if found else (None, None, None)
        table = tables.get(analysis)
        if table is None or not connection.execute(f"SELECT 1 FROM {table.name} WHERE unit_id = ?", (unit,)).fetchone():
            return None
        numbers = [c.name for c in table.columns if isinstance(c.type, Double | Integer) and not c.primary_key]
        if numbers and life.chance.random() < 0.6:
            column = life.chance.choice(sorted(numbers))
            set_to = f"{column} = coalesce({column}, 0) + 1000"
            what = f"{column} of {analysis}/{key} is edited"
            kind = CauseKind.EDITED
            connection.execute(f"UPDATE {table.name} SET {set_to} WHERE unit_id = ?", (unit,))
        else:
            what = f"rows of {analysis}/{key} are lost"
            kind = CauseKind.LOST
            connection.execute(f"DELETE FROM {table.name} WHERE unit_id = ?", (unit,))
    connection.close()
    life.harmed[f"{analysis}/{key}"] = kind
    return what


KINDS: dict[Callable[[Life], str | None], int] = {  # how often, of all
    parameter: 8, seed: 1, guilty: 2, listed: 2, cohort_of_fit: 1, define: 2, freeze: 3, markers: 2, code: 5,
    value: 4, outcome: 2, sex: 1, arrival: 2, departure: 2, rna: 2, imported: 1, images: 2, order: 1, harm: 3,
}  # fmt: skip


def some_change(life: Life) -> str:
    """One change, by chance."""
    while True:
        (kind,) = life.chance.choices(list(KINDS), list(KINDS.values()))
        said = kind(life)
        if said is not None:
            return f"{kind.__name__}: {said}"
