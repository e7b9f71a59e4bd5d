"""Every count that a report says, in tiles, headings, captions and tables, is what a query of its own gives.

On random studies: missing values, groups without anybody, ties, words and collections in other alphabets. The queries are of
SQLite and Python alone; nothing of what makes the report counts here.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from contextlib import closing
from random import Random

import pytest

from tests.support import tiny
from tests.support.shown import Shown, members_of
from tshdb.pages import report
from tshdb.study import Study
from tshdb.text.labels import in_words

LONG = [pytest.param(n, marks=pytest.mark.long) for n in range(2, 12)]
COLLECTIONS = ("tcga-tn", "乳腺研究", "دراسة", "Μελέτη")
WORDS = ("positive", "negative", "阳性", "إيجابي", "θετικό", "-", "n = 7", "3", None, None)
CLASSES = {"ER": "er_status", "PR": "pr_status", "HER2": "her2_status", "Menopause": "menopausal_status", "Race": "race",
           "Family history": "family_history", "Histology": "histology", "pT": "t_stage"}  # fmt: skip
NUMBERS = {"Age (years)": "age_years", "Tumour size (mm)": "tumor_size_mm"}
OF = re.compile(r"(.*) \(n = (\d+)\)")


def random_study(folder, seed: int) -> Study:
    """A study whose RNA and follow-up were read, computed on, and whose other words were then made up."""
    random = Random(seed)
    study = tiny.new_study(folder / "study", analyses=tiny.CORE)
    archive = tiny.TinyArchive.make(random.randint(8, 14), seed)
    for name in list(archive.patients):
        archive.change(
            name,
            sex=random.choice(["female"] * 5 + ["male"]),
            days=random.choice([None, 0, 365, 365, 365, random.randint(1, 4000)]),  # many at one time
            is_dead=random.random() < random.choice([0.1, 0.9]),
            stroma=archive.patients[name].stroma if random.random() < 0.8 else None,
            features=random.choice([None, 1, 1]),
        )
        if random.random() < 0.3:
            archive.set_value(name, "tumor", "GNLY", 5.0)
    tiny.ingest(study, archive, images=False)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study, tiny.CORE)
    study.engine.dispose()
    with closing(sqlite3.connect(study.root / "study.db")) as raw, raw:
        for (patient,) in raw.execute("SELECT patient_id FROM patients ORDER BY 1").fetchall():
            words = {column: random.choice(WORDS) for column in CLASSES.values()}
            words |= {"collection": random.choice(COLLECTIONS), "age_years": random.choice([None, 40.0, 60.0]),
                      "tumor_size_mm": random.choice([None, None, 21.5])}  # fmt: skip
            if seed % 2:
                words["her2_status"] = None  # of nobody
            named = ", ".join(f"{column} = ?" for column in words)
            raw.execute(f"UPDATE patients SET {named} WHERE patient_id = ?", (*words.values(), patient))
    return Study(study.root)


@pytest.fixture(scope="module", params=[0, 1, *LONG])
def seen(request, tmp_path_factory):
    """(what a report shows, a function that asks the database)."""
    study = random_study(tmp_path_factory.mktemp("counts"), request.param)
    with study.asking():
        page = Shown(report(study))
    study.engine.dispose()
    with closing(sqlite3.connect(study.root / "study.db")) as raw:
        yield page, lambda sql, *given: raw.execute(sql, given).fetchall()


def is_share(said: str, n: int, of: int) -> bool:
    """Whether a cell says n of so many, with the share rounded either way where that is even."""
    found = re.fullmatch(r"(\d+) \((\d+)%\)", said)
    return found is not None and int(found[1]) == n and abs(100 * n / of - int(found[2])) <= 0.5


def test_the_tiles(seen):
    page, ask = seen
    ((patients, collections),) = ask("SELECT count(*), count(DISTINCT collection) FROM patients")
    known = ask("SELECT event, duration_days FROM follow_ups WHERE endpoint = 'OS' AND event IS NOT NULL")
    known = [(event, days) for event, days in known if days is not None]
    ((rna, profiles),) = ask(
        "SELECT count(DISTINCT patient_id), count(*) FROM expression_profiles JOIN samples USING (sample_id)"
    )
    ((features,),) = ask("SELECT count(DISTINCT patient_id) FROM imported_features")
    several = "s" if collections != 1 else ""
    assert page.tiles.pop("patients") == (str(patients), f"in {collections} collection{several}")
    n, said = page.tiles.pop("events, OS")
    assert n == str(sum(event for event, _ in known)) and said.startswith(f"of {len(known)} followed up, longest ")
    assert said.endswith(f"{max(days for _, days in known) / 365.25:.1f} years")
    assert page.tiles.pop("patients with RNA") == (str(rna), f"{profiles} profiles")
    assert page.tiles.pop("patients with features from elsewhere")[0] == str(features)
    assert page.tiles == {}


def test_what_is_known_of_how_many(seen):
    page, ask = seen
    ((_, headers, rows),) = page.tables["known"]
    of = dict(ask("SELECT collection, count(*) FROM patients GROUP BY 1"))
    assert dict(OF.fullmatch(header).groups() for header in headers[1:]) == {name: str(n) for name, n in of.items()}
    names = [OF.fullmatch(header)[1] for header in headers[1:]]
    queries = {in_words(column): f"SELECT patient_id FROM patients WHERE {column} IS NOT NULL"
               for column in (*CLASSES.values(), *NUMBERS.values(), "sex")}  # fmt: skip
    of_rna = "SELECT patient_id FROM samples JOIN expression_profiles USING (sample_id)"
    of_both = f"{of_rna} WHERE compartment = 'tumor' INTERSECT {of_rna} WHERE compartment = 'stroma'"
    queries |= {
        "RNA": of_rna,
        "RNA of tumour and normal tissue": of_both,
        "features from elsewhere": "SELECT patient_id FROM imported_features",
        "follow-up, OS": "SELECT patient_id FROM follow_ups WHERE endpoint = 'OS' AND event IS NOT NULL "
        "AND duration_days IS NOT NULL",
    }
    shown = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
    nobody = re.search(r"Of nobody: (.*?)\.", page.said["known"])
    never = set(nobody[1].split(", ")) if nobody else set()
    for what, query in queries.items():
        counts = Counter(c for (c,) in ask(f"SELECT collection FROM patients WHERE patient_id IN ({query})"))
        assert (what in never) == (not counts) == (what not in shown), what
        for name in names if counts else ():
            said = shown[what][name]
            assert said == "none" if not counts[name] else is_share(said, counts[name], of[name]), (what, name)


@pytest.mark.parametrize("cohort", [tiny.COHORT, tiny.LIVE])
def test_table_1(seen, cohort):
    page, ask = seen
    (rows,) = [rows for caption, _, rows in page.tables["table-1"] if caption.startswith(f"{cohort}@")]
    shown = {(row[0], row[1]): row[2] for row in rows if row[2] not in ("0 (0%)", "·")}  # rows of the paper alone
    members = members_of(ask, cohort)
    who, n = {m[0] for m in members}, len(members)
    assert int(shown.pop(("n", ""), shown.pop(("n", "·"), 0))) == n
    for title, column in CLASSES.items():
        counts = Counter(v for p, v in ask(f"SELECT patient_id, {column} FROM patients") if p in who)
        counts["not known"] += counts.pop(None, 0)
        for word, count in counts.items():
            if count:
                assert is_share(shown.pop((title, word)), count, n), (title, word)
        assert not [key for key in shown if key[0] == title]
    for title, column in NUMBERS.items():
        missing = [p for p, v in ask(f"SELECT patient_id, {column} FROM patients") if p in who and v is None]
        assert is_share(shown.pop((title, "not known"), "0 (0%)"), len(missing), n)
    of_event = Counter({1: "event", 0: "no event", None: "not known"}[event] for _, event, _ in members)
    for word, count in of_event.items():
        assert is_share(shown.pop(("Death", word)), count, n)
    alive = {"no event": "alive", "event": "dead", "not known": "not known"}
    for word, count in of_event.items():
        assert is_share(shown.pop(("Follow-up status", alive[word])), count, n)
    no_days = sum(days is None for _, _, days in members)
    assert is_share(shown.pop(("Follow-up (years)", "not known"), "0 (0%)"), no_days, n)
    assert is_share(shown.pop(("Recurrence", "not known")), n, n)
    assert {level for _, level in shown} <= {"median (range)", "mean ± SD"}, "no count was left out"


def test_how_cohorts_came_about(seen):
    """The members below, and at each step those who were taken out."""
    page, ask = seen
    for cohort in (tiny.COHORT, tiny.LIVE):
        n, text = (
            len(members_of(ask, cohort)),
            page.said[next(b for b in page.said if f"flow-{cohort.replace('_', '-')}" in b)],
        )
        out = ask("SELECT step, count(*) FROM cohort_exclusions WHERE cohort = ? AND version = 1 GROUP BY 1", cohort)
        counted = [int(found.replace(",", "")) for found in re.findall(r"(?m)^\s*(?:−|-)?\s*([\d,]+) {2}", text)]
        assert counted[0] == n + sum(count for _, count in out)
        assert sorted(counted[1:]) == sorted(count for _, count in out) or n in counted, text


def test_table_2(seen):
    """Those with a ratio and a follow-up are tested; so many of them died."""
    page, ask = seen
    ratios = {p for (p,) in ask("SELECT DISTINCT patient_id FROM tsh_ratios WHERE value IS NOT NULL")}
    tested = [m for m in members_of(ask, tiny.COHORT) if m[0] in ratios and m[1] is not None and m[2] is not None]
    ((caption, _, rows),) = page.tables["table-2"]
    said = re.search(r"n = (\d+), (\d+) event", caption)
    assert said and [int(said[1]), int(said[2])] == [len(tested), sum(m[1] and m[2] <= 3652.5 for m in tested)]
    assert len(rows) == len(ask("SELECT DISTINCT population FROM tsh_ratios"))


def test_files_findings_results_and_models(seen):
    page, ask = seen
    files = ask("SELECT collection, reader, name, size_bytes FROM source_files WHERE is_current")
    assert sorted((c, r, n, b.replace(",", "")) for c, r, n, b, _ in page.rows("files")) == sorted(
        (c, r, n, str(b)) for c, r, n, b in files
    )
    findings = ask("SELECT severity, rule, count(*) FROM ingest_issues GROUP BY 1, 2")
    shown = page.rows("findings") if findings else []
    assert sorted(map(tuple, shown)) == sorted((s, r, str(n)) for s, r, n in findings)
    units = Counter(a for (a,) in ask("SELECT analysis FROM units WHERE state = 'current' AND spec_id IS NOT NULL"))
    results: Counter[str] = Counter()
    for analysis, n, *_ in page.rows("current-results"):
        results[analysis] += int(n.replace(",", ""))
    assert results == units
    members = len(members_of(ask, tiny.COHORT))
    assert {row[2] for row in page.rows("models")} == {str(members)}


def test_the_papers_verdicts_add_up(seen):
    page, _ = seen
    rows = page.rows("paper-numbers")
    verdicts = Counter(row[3] for row in rows)
    heading = page.said["paper-numbers"].strip().partition("\n")[0]
    assert {word: int(n) for n, word in re.findall(r"(\d+) ([a-z ]+)", heading)} == {
        word: verdicts[word]
        for word in ("holds", "same direction", "moved", "cannot be judged", "not reproducible here")
    }


def test_the_statements(seen):
    """How many are above the cut-off, of how many."""
    page, ask = seen
    cutoffs = ask("SELECT population, value FROM cutoffs WHERE value IS NOT NULL")
    above = [re.match(r"[^;]*; (\d+) of (\d+) above", said) for said in page.statements]
    assert len([a for a in above if a]) == len(cutoffs)
    for (population, value), said in zip(cutoffs, [a for a in above if a], strict=True):
        ratios = dict(
            ask("SELECT patient_id, value FROM tsh_ratios WHERE population = ? AND value IS NOT NULL", population)
        )
        tested = [ratios[m[0]] for m in members_of(ask, tiny.COHORT) if m[0] in ratios and None not in m[1:]]
        assert (int(said[1]), int(said[2])) == (sum(v >= value for v in tested), len(tested))
