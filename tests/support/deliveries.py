"""Three releases of one clinic, delivered in every way: under any names, split, shuffled, in any order; the study is the same.

The truth is what the clinic's own book says on the last day. What a delivery may not decide: the names of files, the order of
files, rows and columns, into how many files a release is cut, the order in which dated releases arrive.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.support import tiny
from tshdb.actions import ingest
from tshdb.study import Study
from tshdb.vocabulary import ExpressionUnit, Scale

COLLECTION = "clinic"
DAYS = ("2021-03-01", "2023-03-01", "2025-03-01")  # of the releases
N_FIRST, N_MORE = 6, 3  # patients of the first release, and of each later one
GENES = tiny.GENES
ROWS = {
    "patients": "SELECT patient_id, age_years, er_status, sex FROM patients ORDER BY patient_id",
    "follow_ups": "SELECT patient_id, endpoint, event, duration_days, reason FROM follow_ups ORDER BY patient_id",
    "expression": "SELECT sample_id, gene, value FROM expression WHERE is_selected ORDER BY sample_id, gene",
}
RESULTS = {
    "abundances": "SELECT p.sample_id, c.population, c.abundance FROM cell_abundances c JOIN expression_profiles p "
    "USING (profile_id) WHERE p.is_selected ORDER BY p.sample_id, c.population",
    "ratios": "SELECT patient_id, population, value, reason FROM tsh_ratios ORDER BY patient_id, population",
}


@dataclass
class State:
    """What the clinic knows of one patient on one day."""

    age: int
    er: str
    is_dead: bool
    days: int
    values: dict[str, dict[str, float]]  # sample -> gene -> TPM


@dataclass
class Release:
    """What is known on one day, of all patients until then."""

    day: str
    patients: dict[str, State]


def clinic(random: Random) -> list[Release]:
    """Three releases: patients come, are seen again, die, are corrected, are measured again."""
    known: dict[str, State] = {}
    releases = []
    for number, day in enumerate(DAYS):
        for patient, state in known.items():
            known[patient] = _later(state, random)
        for _ in range(N_FIRST if number == 0 else N_MORE):
            known[f"TCGA-DL-{len(known) + 1:04d}"] = _new(len(known) + 1, random)
        releases.append(Release(day, dict(known)))
    return releases


def _new(number: int, random: Random) -> State:
    samples = [f"TCGA-DL-{number:04d}-{code}A-11R-0001-07" for code in ("01", "11")]
    values = {sample: {gene: round(random.lognormvariate(3, 1), 3) for gene in GENES} for sample in samples}
    return State(
        random.randint(30, 80), random.choice(("positive", "negative")), False, random.randint(100, 600), values
    )


def _later(state: State, random: Random) -> State:
    is_dead = state.is_dead or random.random() < 0.2
    days = state.days if state.is_dead else state.days + random.randint(30, 700)
    if state.is_dead and random.random() < 0.3:
        days = max(1, days - random.randint(1, 20))  # the day of the death is corrected
    if is_dead and state.is_dead and random.random() < 0.1:
        is_dead, days = False, days + 400  # it was another woman
    values = {s: dict(v) for s, v in state.values.items()}
    if random.random() < 0.3:  # measured again
        sample = random.choice(sorted(values))
        values[sample][random.choice(GENES)] = round(random.lognormvariate(3, 1), 3)
    age = state.age + (random.random() < 0.2)
    return State(age, state.er if random.random() < 0.9 else "positive", is_dead, days, values)


# ------------------------------------------------------------------------------------------------------ deliveries


@dataclass(frozen=True)
class Way:
    """How releases are delivered.

    dated: by `--as-of`, by the file's `name`, or by a `column` of the table.
    """

    random: Random
    dated: str
    n_parts: int

    def name(self, suffix: str, day: str) -> str:
        word = "".join(self.random.choices(string.ascii_lowercase + string.digits, k=8))
        return f"{word}.{day}{suffix}" if self.dated == "name" else f"{word}{suffix}"


def any_way(random: Random) -> Way:
    return Way(random, random.choice(("as-of", "name", "column")), random.choice((1, 1, 2)))


MAP = """[patient_id]
column = "id"
[patients.age_years]
column = "age"
[patients.er_status]
column = "er"
[follow_ups.OS]
event = { column = "status", codes = { "dead" = true, "alive" = false } }
duration = { column = "days", unit = "days" }
time_origin = "diagnosis"
"""
DATED_MAP = MAP + '[as_of]\ncolumn = "known_on"\nof = "export"\n'


@dataclass
class File:
    """One file to ingest. day: as the user says it, where nothing else does."""

    path: Path
    is_rna: bool
    day: str | None


def write(folder: Path, releases: list[Release], way: Way) -> list[File]:
    """The files of all releases, in the order in which they will arrive."""
    files = []
    for release in releases:
        day = release.day if way.dated == "as-of" else None
        patients = sorted(release.patients)
        way.random.shuffle(patients)
        cut = len(patients) // way.n_parts
        for part in [patients] if way.n_parts == 1 else [patients[:cut], patients[cut:]]:
            path = folder / way.name(".csv", release.day)
            header = ["id", "age", "er", "status", "days", "known_on"]
            rows = [_row(patient, release) for patient in part]
            _write(path, header, rows, ",", way.random, "id")
            files.append(File(path, False, day))
            path = folder / way.name(".tsv", release.day)
            samples = [(sample, v) for patient in part for sample, v in release.patients[patient].values.items()]
            genes = [{"gene": gene, **{sample: f"{v[gene]}" for sample, v in samples}} for gene in GENES]
            _write(path, ["gene", *(sample for sample, _ in samples)], genes, "\t", way.random, "gene")
            files.append(File(path, True, release.day if way.dated == "column" else day))
    way.random.shuffle(files)
    # a matrix needs its patients: tables of patients first, in any order
    return sorted(files, key=lambda f: f.is_rna)


def _row(patient: str, release: Release) -> dict[str, str]:
    state = release.patients[patient]
    return {"id": patient, "age": str(state.age), "er": state.er, "status": "dead" if state.is_dead else "alive",
            "days": str(state.days), "known_on": release.day}  # fmt: skip


def _write(path: Path, header: list[str], rows: list[dict[str, str]], between: str, random: Random, first: str) -> None:
    columns = [c for c in header if c != first]
    random.shuffle(columns)
    random.shuffle(rows)
    columns = [first, *columns]
    lines = [between.join(columns), *(between.join(row[c] for c in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def deliver(
    folder: Path, releases: list[Release], way: Way, rebuilds: bool = False
) -> dict[str, list[tuple[Any, ...]]]:
    """A new study of all releases in this way. Gives its rows, and those of two analyses."""
    study = tiny.new_study(folder / "study", analyses=tiny.CORE)
    map_file = folder / "map.toml"
    map_file.write_text(DATED_MAP if way.dated == "column" else MAP)
    (folder / "files").mkdir()
    for file in write(folder / "files", releases, way):
        how = ingest.Loading(as_of=file.day)
        if file.is_rna:
            options = ingest.RnaOptions(ExpressionUnit.TPM, Scale.LINEAR)
            loaded = ingest.rna(study, file.path, COLLECTION, options, how=how)
        else:
            loaded = ingest.clinical(study, file.path, COLLECTION, map=map_file, how=how)
        assert not loaded.is_refused, loaded.findings
    queries = ROWS | RESULTS if rebuilds else ROWS
    if rebuilds:
        tiny.rebuild(study, tiny.CORE, names=("cell_abundances", "tsh_ratios"))
    try:
        return {name: _rows(study, sql) for name, sql in queries.items()}
    finally:
        study.engine.dispose()


def _rows(study: Study, sql: str) -> list[tuple[Any, ...]]:
    table = study.sql(sql).astype(object)
    return [tuple(row) for row in table.where(table.notna(), None).itertuples(index=False)]


def truth(releases: list[Release]) -> dict[str, list[tuple[Any, ...]]]:
    """What the clinic's book says on the last day."""
    last = releases[-1].patients
    return {
        "patients": [(p, float(s.age), s.er, None) for p, s in sorted(last.items())],
        "follow_ups": [(p, "OS", s.is_dead, float(s.days), None) for p, s in sorted(last.items())],
        "expression": sorted((sample[:16], gene, v) for s in last.values() for sample, values in s.values.items()
                             for gene, v in values.items()),
    }  # fmt: skip


def wrong(folder: Path, seed: int, n_ways: int, rebuilds: bool = False) -> Iterator[str]:
    """Deliver one clinic in several ways; says each in which the study is not what the clinic knows."""
    releases = clinic(Random(seed))
    expected = truth(releases)
    first_results = None
    for i in range(n_ways):
        way = any_way(Random(f"{seed}-{i}"))
        place = folder / f"{seed}-{i}"
        place.mkdir()
        rows = deliver(place, releases, way, rebuilds)
        for name, of_table in expected.items():
            if rows[name] != of_table:
                differing = [pair for pair in zip(rows[name], of_table, strict=False) if pair[0] != pair[1]][:2]
                yield f"seed {seed}, way {i} ({way.dated}, {way.n_parts} parts): {name}: {differing or 'another number of rows'}"
        results = {name: rows[name] for name in RESULTS} if rebuilds else {}
        first_results = results if first_results is None else first_results
        if results != first_results:
            yield f"seed {seed}, way {i} ({way.dated}, {way.n_parts} parts): results differ from those of the first way"
