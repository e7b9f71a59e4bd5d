"""What a person, an archive or another hand may change between two rebuilds of a tiny study: drawn by chance, or chosen.

A change is a function of a `Life` that does it and says what it did, or None where there is nothing to do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from sqlalchemy import Double, Integer

from soak.lost import TABLES, objects_named
from soak.lost import harm as soak_harm
from tests.support import tiny
from tests.support.editions import EDITIONS
from tests.support.life import Life, written
from tshdb.vocabulary import CauseKind

SECOND, EXTREME = "second", "extreme"
Change = Callable[[Life], str | None]

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


# ------------------------------------------------------------------------------------------------------- drawn by chance


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
    names = {a.name for a in life.registered}
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
    tables = {a.name: a.makes.__table__ for a in life.registered}
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


def harm_object(life: Life) -> str | None:
    """An object that a result names is gone, or has another byte, which only its readers see."""
    made = {kind: named for kind, named in objects_named(life.study).items() if kind.split(".")[0] in TABLES}
    if not made:
        return None
    kind = life.chance.choice(sorted(made))
    digest, suffix = made[kind]
    if not life.study.objects.path(digest, suffix).is_file():
        return None
    how = life.chance.choice(["lost", "damaged"])
    soak_harm(life.study, digest, suffix, how)
    with sqlite3.connect(life.study.sqlite_path) as connection:
        for analysis in life.registered:
            for column in (c.name for c in analysis.makes.__table__.columns if "object" in c.info):
                query = f"SELECT u.analysis || '/' || u.key FROM units u JOIN {analysis.makes.__tablename__} t USING (unit_id)"
                for (unit,) in connection.execute(f"{query} WHERE t.{column} = ?", (digest,)):
                    life.harmed[unit] = CauseKind(how)
    connection.close()
    return f"{digest[:12]}{suffix} of {kind} is {how}"


KINDS: dict[Change, int] = {  # how often, of all
    parameter: 8, seed: 1, guilty: 2, listed: 2, cohort_of_fit: 1, define: 2, freeze: 3, markers: 2, code: 5,
    value: 4, outcome: 2, sex: 1, arrival: 2, departure: 2, rna: 2, imported: 1, images: 2, order: 1, harm: 3, harm_object: 1,
}  # fmt: skip


def some_change(life: Life) -> str:
    """One change, by chance."""
    while True:
        (kind,) = life.chance.choices(list(KINDS), list(KINDS.values()))
        said = kind(life)
        if said is not None:
            return f"{kind.__name__}: {said}"


# ------------------------------------------------------------------------------------------------------- chosen


def setting(table: str, name: str, value: str | None) -> Change:
    """One setting of study.toml, as TOML; None: its line is taken out."""

    def change(life: Life) -> str:
        life.set(table, name, value)
        return f"[{table}] {name}: {value}"

    return change


def patient(number: int, **values) -> Change:
    """Fields of one patient of the archive."""

    def change(life: Life) -> str:
        life.archive.change(f"TCGA-TN-{number:04d}", **values)
        life.ingest()
        return f"patient {number}: {', '.join(values)}"

    return change


def expression(number: int, compartment: str, gene: str, to: float) -> Change:
    def change(life: Life) -> str:
        life.archive.set_value(f"TCGA-TN-{number:04d}", compartment, gene, to)
        life.ingest()
        return f"{gene} in the {compartment} of {number} is {to}"

    return change


def edited(name: str) -> Change:
    """A definition of EDITIONS, by its name."""
    (edition,) = [e for e in EDITIONS if str(e) == name]

    def change(life: Life) -> str:
        life.editions.turn(edition)
        return f"{edition} is edited"

    return change


def defined(name: str, sql: str) -> Change:
    def change(life: Life) -> str:
        life.define(name, sql)
        return f"cohort {name} is defined as {sql}"

    return change


def frozen(name: str) -> Change:
    return lambda life: f"{name} is frozen as version {life.freeze(name)}"
