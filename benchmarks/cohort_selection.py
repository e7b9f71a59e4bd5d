"""Selecting patients out of 100,000 by clinical data, follow-up, abundances and ratios: `tshdb sql`, the whole command.

Cold is the first query after the tables changed, warm every other. Baselines in the same run: the same SELECT by the
sqlite3 module on the same database, and pandas, which reads the four tables and merges them.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from benchmarks.common import Measured, best, run
from tests.support import tiny

PATIENTS = 100_000
POPULATIONS = [f"population {i}" for i in range(10)]
GOAL = 1.0
QUERY = """
SELECT p.patient_id, p.age_years, f.duration_days, a.abundance, r.value
FROM patients p
JOIN follow_ups f ON f.patient_id = p.patient_id AND f.endpoint = 'OS'
JOIN samples s ON s.patient_id = p.patient_id AND s.compartment = 'tumor'
JOIN expression_profiles e ON e.sample_id = s.sample_id AND e.is_selected
JOIN cell_abundances a ON a.profile_id = e.profile_id AND a.population = 'population 3'
JOIN tsh_ratios r ON r.patient_id = p.patient_id AND r.population = 'population 3'
WHERE p.er_status = 'positive' AND p.age_years BETWEEN 50 AND 70 AND f.event = 1 AND a.abundance > 4 AND r.value < 0
"""
COUNT = f"SELECT count(*) AS n, avg(value) AS mean FROM ({QUERY})"
IN_PANDAS = """
import sqlite3, sys
import pandas as pd
c = sqlite3.connect(sys.argv[1])
read = lambda t: pd.read_sql_query(f"SELECT * FROM {t}", c)
p, f, s, e = read("patients"), read("follow_ups"), read("samples"), read("expression_profiles")
a, r = read("cell_abundances"), read("tsh_ratios")
p = p[(p.er_status == "positive") & p.age_years.between(50, 70)]
m = p.merge(f[(f.endpoint == "OS") & (f.event == 1)], on="patient_id")
m = m.merge(s[s.compartment == "tumor"], on="patient_id").merge(e[e.is_selected == 1], on="sample_id")
m = m.merge(a[(a.population == "population 3") & (a.abundance > 4)], on="profile_id")
m = m.merge(r[(r.population == "population 3") & (r.value < 0)], on="patient_id")
print(len(m), m.value.mean())
"""
IN_SQLITE = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall())"


def measure(scratch: Path) -> Iterator[Measured]:
    study = large_study(scratch / "study")
    database = study.sqlite_path
    study.engine.dispose()
    command = [sys.executable, "-m", "cli.main", "sql", COUNT, "--study", study.root]
    here = {"PYTHONPATH": str(Path(__file__).parent.parent)}
    cold = run(command, scratch, here).seconds
    warm = best(lambda: run(command, scratch, here), times=5)
    sqlite = best(lambda: run([sys.executable, "-c", IN_SQLITE, database, COUNT], scratch), times=1)
    pandas = best(lambda: run([sys.executable, "-c", IN_PANDAS, database], scratch), times=3)
    what = f"cohort selection over {PATIENTS:,} patients, whole command"
    yield Measured(f"{what}, cold", cold, "s", "pandas", pandas.seconds, "stated", None)
    for name, baseline in (("sqlite3", sqlite.seconds), ("pandas", pandas.seconds)):
        yield Measured(f"{what}, warm", warm.seconds, "s", name, baseline, f"{GOAL:g} s", warm.seconds < GOAL)


def large_study(folder: Path):
    """A study with 100,000 patients, a million abundances and a million ratios, written by SQL."""
    study = tiny.new_study(folder)
    study.engine.dispose()
    random = Random(1)
    connection = sqlite3.connect(study.sqlite_path)
    put = connection.executemany
    names = [f"TCGA-{i // 10_000:02d}-{i % 10_000:04d}" for i in range(PATIENTS)]
    connection.execute("INSERT INTO expression_parts VALUES ('part', 1, 1, 1)")
    put(
        "INSERT INTO patients (patient_id, collection, age_years, sex, er_status) VALUES (?, 'sim', ?, 'female', ?)",
        ((n, random.uniform(30, 90), random.choice(("positive", "negative"))) for n in names),
    )
    put(
        "INSERT INTO follow_ups (patient_id, endpoint, event, duration_days, time_origin, rule) "
        "VALUES (?, 'OS', ?, ?, 'diagnosis', 'x')",
        ((n, random.random() < 0.3, random.randint(1, 4000)) for n in names),
    )
    put(
        "INSERT INTO samples (sample_id, patient_id, compartment) VALUES (?, ?, 'tumor')",
        ((f"{n}-01A", n) for n in names),
    )
    put(
        "INSERT INTO expression_profiles (profile_id, sample_id, aliquot_id, unit, scale, n_genes, n_missing, "
        "values_fingerprint, part_id, is_selected) VALUES (?, ?, ?, 'tpm', 'linear', 1, 0, 'x', 'part', 1)",
        ((f"{n}-01A:tpm", f"{n}-01A", n) for n in names),
    )
    units = "INSERT INTO units (unit_id, analysis, key, state, fingerprint, updated_at) VALUES (?, ?, ?, 'current', 'x', 'x')"
    put(units, ((2 * i + 1, "cell_abundances", f"{n}-01A:tpm") for i, n in enumerate(names)))
    put(units, ((2 * i + 2, "tsh_ratios", n) for i, n in enumerate(names)))
    put(
        "INSERT INTO cell_abundances (unit_id, profile_id, population, abundance, unit, transform, signature, gene_filter, "
        "n_markers_found, n_markers_measured, n_markers_total) VALUES (?, ?, ?, ?, 'tpm', 'log2(x + 1)', 's', 'f', 1, 1, 1)",
        ((2 * i + 1, f"{n}-01A:tpm", p, random.gauss(4, 1)) for i, n in enumerate(names) for p in POPULATIONS),
    )
    put(
        "INSERT INTO tsh_ratios (unit_id, patient_id, population, unit, transform, tumor_abundance, stroma_abundance, value, "
        "biomarker) VALUES (?, ?, ?, 'tpm', 'log2(x + 1)', 1, 1, ?, 'ratio')",
        ((2 * i + 2, n, p, random.gauss(0, 1)) for i, n in enumerate(names) for p in POPULATIONS),
    )
    connection.commit()
    connection.execute("ANALYZE")  # in fairness to SQLite, whose plan without it takes minutes
    connection.close()
    return study
