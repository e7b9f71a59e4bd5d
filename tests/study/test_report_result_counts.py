"""Every count beside a result of a report is what a query of its own gives: numbers at risk, patients and events of curves and
models, patients and links of networks, features and patients of the signature, who is missing, how large trees are.

On random studies of all analyses: missing values, groups without anybody, ties, words and collections in other alphabets. The
queries begin at what was read, at abundances, scores and cut-offs: groups, networks and trees are counted anew.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections import Counter
from contextlib import closing
from itertools import combinations
from random import Random
from statistics import correlation, pstdev

import pytest

from tests.support import tiny
from tests.support.shown import Shown, members_of
from tshdb.pages import report
from tshdb.study import Study

N = int(os.environ.get("TSHDB_TEST_COUNTS", "2"))  # studies; soak/counts.py
FIRST = 100 * int(os.environ.get("TSHDB_TEST_SEED", "0"))
OTHERS = "others"  # who has no RNA of normal tissue: no model has learned from them
COHORTS = (tiny.COHORT, tiny.LIVE, OTHERS)
OTHERS_SQL = f"{tiny.LIVE_SQL} AND patient_id NOT IN (SELECT patient_id FROM samples WHERE compartment = 'stroma')"
COLLECTIONS = ("tcga-tn", "乳腺研究", "دراسة", "Μελέτη")
WORDS = ("阳性", "إيجابي", "θετικό", "-", "n = 7", "3", None, None)
RECEPTORS = ("er_status", "pr_status", "her2_status")
COVARIATES = ("age_years", *RECEPTORS, "t_stage")  # of the biomarker's Cox model, as study.toml has them
LAST, YEAR, THRESHOLD = 3652.5, 365.25, 0.5  # days at which follow-up ends; of links, as study.toml has it
FEWEST = 3  # patients of a group that has a network
OUT = re.compile(r"(\d+) of (\d+) members are not in it; (.*)")


def random_study(folder, seed: int) -> Study:
    """A study of random patients, computed; of every second one nobody has a poor prognosis by the ratio."""
    random = Random(f"counts/{seed}")
    study = tiny.new_study(folder / "study")
    settings = (study.root / "study.toml").read_text().replace(f'"{tiny.LIVE}"]', f'"{tiny.LIVE}", "{OTHERS}"]')
    if seed % 2:
        settings = settings.replace('method = "median"', 'method = "fixed"').replace("value = -0.3512", "value = -9.0")
    (study.root / "study.toml").write_text(settings)
    archive = tiny.TinyArchive.make(random.randint(26, 34), seed)
    for name, patient in list(archive.patients.items()):
        archive.change(
            name,
            sex=random.choice(["female"] * 9 + ["male"]),
            days=random.choice([None, 0, 365, 365, 730, 3653, random.randint(1, 4500), random.randint(1, 4500)]),
            stroma=patient.stroma if random.random() < 0.7 else None,
            features=random.choice([None, 1, 1, 1, 1]),
        )
        if random.random() < 0.1:
            archive.set_value(name, "tumor", "GNLY", 5.0)
    study = Study(study.root)
    tiny.ingest(study, archive, images=False)
    tiny.define_cohorts(study)
    tiny.define(study, OTHERS, OTHERS_SQL)
    tiny.freeze(study)
    known = {column: random.choice([0.3, 0.9]) for column in COVARIATES}
    values = {"age_years": (40.0, 51.0, 60.0), "t_stage": ("T1", "T2", "T3")} | dict.fromkeys(
        RECEPTORS, ("positive", "negative")
    )
    _change(study, lambda: {c: random.choice(values[c]) if random.random() < known[c] else None for c in COVARIATES})
    tiny.rebuild(study)
    others = ("menopausal_status", "race", "family_history", "histology")
    _change(study, lambda: {c: random.choice(WORDS) for c in others} | {"collection": random.choice(COLLECTIONS)})
    return Study(study.root)


def _change(study: Study, words) -> None:
    """Give every patient these values."""
    study.engine.dispose()
    with closing(sqlite3.connect(study.root / "study.db")) as raw, raw:
        for (patient,) in raw.execute("SELECT patient_id FROM patients ORDER BY 1").fetchall():
            given = words()
            named = ", ".join(f"{column} = ?" for column in given)
            raw.execute(f"UPDATE patients SET {named} WHERE patient_id = ?", (*given.values(), patient))


class Asked:
    """A study asked by plain SQL."""

    def __init__(self, raw: sqlite3.Connection):
        self.raw = raw
        self.order = {cohort: members_of(self, cohort) for cohort in COHORTS}

    def __call__(self, sql: str, *given) -> list[tuple]:
        return self.raw.execute(sql, given).fetchall()

    def follow_up(self, cohort: str) -> dict[str, tuple[bool, float]]:
        """patient -> (event, days) of the members of whom both are known; what happens after ten years is not seen."""
        known = {p: (event, days) for p, event, days in self.order[cohort] if event is not None and days is not None}
        return {p: (bool(event) and days <= LAST, min(days, LAST)) for p, (event, days) in known.items()}

    def groups(self, grouping: str) -> dict[str, str]:
        """patient -> good or poor, of those who are grouped by this."""
        if grouping == "signature":
            rows = self("SELECT patient_id, score, threshold FROM signature_scores WHERE score IS NOT NULL "
                        "AND status IN ('scored', 'degraded') ORDER BY patient_id, examination DESC")  # fmt: skip
            return {p: "good" if score >= cut else "poor" for p, score, cut in rows}
        cut = self("SELECT population, value, higher_is FROM cutoffs")
        ratios = {}
        for population, value, higher in cut:
            other = "poor" if higher == "good" else "good"
            rows = self("SELECT patient_id, value FROM tsh_ratios WHERE population = ?", population)
            ratios = {p: None if v is None else higher if v >= value else other for p, v in rows}
        if grouping == "tsh_ratio":
            return {p: group for p, group in ratios.items() if group is not None}
        scores = self("SELECT patient_id, score, threshold FROM tsh_scores WHERE score IS NOT NULL")
        return {p: "good" if score >= cut else "poor" for p, score, cut in scores if p not in ratios}

    def followed(self, cohort: str, grouping: str, prognosis: str | None = None) -> list[tuple[bool, float]]:
        """(event, days) of the members of a group who are followed up."""
        of = self.groups(grouping)
        return [o for p, o in self.follow_up(cohort).items() if p in of and prognosis in (None, of[p])]

    def n_events(self, cohort: str, grouping: str, prognosis: str | None = None) -> tuple[int, int]:
        found = self.followed(cohort, grouping, prognosis)
        return len(found), sum(event for event, _ in found)


_made: dict[int, tuple[Shown, str, Asked]] = {}


@pytest.fixture(scope="session", params=range(FIRST, FIRST + N))
def seen(request, tmp_path_factory):
    """(what a report shows, its HTML, the study asked). Made once, in whatever order tests are run."""
    if request.param not in _made:
        study = random_study(tmp_path_factory.mktemp("counts"), request.param)
        with study.asking():
            page = report(study)
        study.engine.dispose()
        _made[request.param] = Shown(page), page, Asked(sqlite3.connect(study.root / "study.db"))
    return _made[request.param]


def boxes(page: Shown, begin: str) -> dict[str, str]:
    """cohort -> what the figure of it says, of those that are there."""
    of = {cohort: f"{begin}-{cohort.replace('_', '-')}" for cohort in COHORTS}
    return {c: page.said[box] for c, start in of.items() for box in page.said if box in (start, f"{start}-1")}


def texts(said: str) -> list[str]:
    return [line.strip() for line in said.split("\n") if line.strip()]


def n_of(word: str) -> int:
    return int(word.replace(",", ""))


@pytest.mark.parametrize(
    "figure, grouping", [("km", "tsh_ratio"), ("score-km", "tsh_score"), ("signature-km", "signature")]
)
def test_curves(seen, figure, grouping):
    """Patients and events in the legend, and at the bottom those at risk after so many years; all times in the data."""
    page, _, ask = seen
    drawn = boxes(page, f"figure-{figure}")
    if grouping == "tsh_ratio":
        assert tiny.COHORT in drawn
    for cohort, said in drawn.items():
        names = [name for name in ("good", "poor") if ask.followed(cohort, grouping, name)]
        legend = re.findall(r"(good|poor) prognosis\s+\(n = (\d+), (\d+) (events?)\)", said)
        assert [(name, int(n), int(e)) for name, n, e, _ in legend] == [
            (name, *ask.n_events(cohort, grouping, name)) for name in names
        ]
        assert all((word == "event") == (e == "1") for *_, e, word in legend)
        lines = texts(said.partition("at risk")[0])
        below = lines[len(lines) - 1 - lines[::-1].index("years") + 1 :]
        years = [int(word) for word in lines[: lines.index("years")][::-1] if word.isdecimal()]
        years = sorted(years[: years.index(0) + 1]) if 0 in years else []
        assert below[: len(names)] == names and years
        counts = [
            sum(days >= year * YEAR for _, days in ask.followed(cohort, grouping, name))
            for name in names
            for year in years
        ]
        assert list(map(int, below[len(names) :])) == counts, (cohort, years)
        rows = [line.split(",") for line in said.split("\n") if line.startswith(f"{grouping},")]
        assert rows
        for _, name, day, _, _, at_risk, events, censored, *_ in rows:
            of = ask.followed(cohort, grouping, name)
            wanted = (sum(d >= float(day) for _, d in of), sum(e and d == float(day) for e, d in of),
                      sum(not e and d == float(day) for e, d in of))  # fmt: skip
            assert (int(at_risk), int(events), int(censored)) == wanted, (cohort, name, day)


def test_statements_of_groups(seen):
    """The first screen: patients, events."""
    page, html, ask = seen
    words = {"the TSH ratio": "tsh_ratio", "the TSH score": "tsh_score", "the signature": "signature"}
    found = re.findall(r"OS by (the TSH ratio|the TSH score|the signature), (\w+)(?:@\d+)?\b.{0,400}?"
                       r'<span class="detail">n = (\d+), (\d+) (events?)\b', html, re.DOTALL)  # fmt: skip
    for by, cohort, n, events, word in found:
        assert (int(n), int(events)) == ask.n_events(cohort, words[by]), (by, cohort)
        assert (word == "event") == (events == "1")


def abundant(ask, cohort: str) -> dict[str, dict[tuple[str, str], float | None]]:
    """patient -> (compartment, population) -> abundance, of members with a ratio's row."""
    members, found = {m[0] for m in ask.order[cohort]}, {}
    for p, population, tumor, stroma in ask(
        "SELECT patient_id, population, tumor_abundance, stroma_abundance FROM tsh_ratios"
    ):
        if p in members:
            found.setdefault(p, {}).update({("tumor", population): tumor, ("stroma", population): stroma})
    return found


def test_networks(seen):
    """Patients of a group in a network, its links and populations that have one."""
    page, _, ask = seen
    of = ask.groups("tsh_ratio")
    if "table-s5" not in page.tables:
        grouped = Counter(of[p] for p in abundant(ask, tiny.COHORT) if p in of)
        assert min(grouped["good"], grouped["poor"]) < FEWEST
        return
    values = {p: v for p, v in abundant(ask, tiny.COHORT).items() if p in of and None not in v.values()}
    populations = sorted({population for v in values.values() for _, population in v})
    group = {name: [v for p, v in sorted(values.items()) if of[p] == name] for name in ("good", "poor")}
    ((_, headers, rows),) = page.tables["table-s5"]
    assert [re.fullmatch(r"(\w+) \(n = (\d+)\)", h).groups() for h in headers[3:5]] == [
        (name, str(len(members))) for name, members in group.items()
    ]
    drawn = page.said["figure-networks"]
    shown = {(row[0], row[1]): row[3:5] for row in rows}
    for compartment, word in (("tumor", "tumour"), ("stroma", "stroma")):
        for i, (name, members) in enumerate(group.items()):
            columns = {p: [v[compartment, p] for v in members] for p in populations}
            links = [
                (a, b) for a, b in combinations(populations, 2)
                if pstdev(columns[a]) and pstdev(columns[b]) and correlation(columns[a], columns[b]) > THRESHOLD
            ]  # fmt: skip
            assert int(shown[compartment, "number of edges"][i]) == len(links)
            assert int(shown[compartment, "number of nodes"][i]) == len({p for link in links for p in link})
            said = re.search(rf"{word}, {name} prognosis\s+\(n = (\d+)\): (\d+) (edges?)", drawn)
            assert said and (int(said[1]), int(said[2])) == (len(members), len(links))
            assert (said[3] == "edge") == (len(links) == 1)


@pytest.mark.parametrize("number, compartment", [("s2", "tumor"), ("s3", "stroma")])
def test_models_of_abundances(seen, number, compartment):
    """Of each population: the members who have its abundance and a follow-up, and who died; who is left out, for want of what."""
    page, _, ask = seen
    ((caption, _, rows),) = page.tables[f"table-{number}"]
    assert rows and f", {tiny.COHORT}@" in caption
    members, followed = [m[0] for m in ask.order[tiny.COHORT]], ask.follow_up(tiny.COHORT)
    table = {
        "tumor": "SELECT patient_id FROM tumor_abundances WHERE population = ? AND abundance IS NOT NULL",
        "stroma": "SELECT patient_id FROM tsh_ratios WHERE population = ? AND stroma_abundance IS NOT NULL",
    }[compartment]
    for population, _, _, _, _, n, events, _ in rows:
        have = {p for (p,) in ask(table, population)}
        used = [followed[p] for p in members if p in have and p in followed]
        assert (int(n), int(events)) == (len(used), sum(event for event, _ in used)), population
        if out := [OUT.search(line) for line in page.said[f"table-{number}"].split("\n") if OUT.search(line)]:
            assert (int(out[0][1]), int(out[0][2])) == (len(members) - len(used), len(members))


def test_the_biomarker_beside_clinical_variables(seen):
    """Patients and events of each model; of how many a variable is known that is not in it; who is left out, for want of what."""
    page, _, ask = seen
    rows, followed = page.rows("table-s4"), ask.follow_up(tiny.COHORT)
    of = ask.groups("tsh_ratio")
    data = [p for p, _, _ in ask.order[tiny.COHORT] if p in of and p in followed]
    clinical = {p: values for p, *values in ask(f"SELECT patient_id, {', '.join(COVARIATES)} FROM patients")}
    share = {c: sum(clinical[p][i] is not None for p in data) / len(data) for i, c in enumerate(COVARIATES)}
    inside = [i for i, c in enumerate(COVARIATES) if share[c] >= 0.5]
    complete = [p for p in data if all(clinical[p][i] is not None for i in inside)]
    notes = dict(re.findall(r"(?m)^\s*([a-z]): (.*)\.$", page.said["table-s4"]))
    for model, term, *_, n, events, letters in (row for row in rows if not row[0].startswith("score")):
        if term in COVARIATES and share[term] < 0.5:
            why = "; ".join(notes[letter] for letter in letters.split())
            assert (n, events) == ("0", "0") and f"known for {share[term]:.0%} of the patients" in why
            continue
        used = complete if model == "multivariable" else data
        assert (int(n), int(events)) == (len(used), sum(followed[p][0] for p in used)), (model, term)
    said = re.search(rf"multivariable: {OUT.pattern}\.", page.said["table-s4"])
    members = len(ask.order[tiny.COHORT])
    assert (said is None) == (len(complete) == members)
    if said:
        assert (int(said[1]), int(said[2])) == (members - len(complete), members)
        for i in inside:
            n = sum(clinical[p][i] is None for p, _, _ in ask.order[tiny.COHORT] if p not in complete)
            found = re.search(rf"{COVARIATES[i]} is not known of (\d+) \(", said[3])
            assert int(found[1]) == n if n else found is None


def trained(ask) -> set[str]:
    """The members whom a signature can learn from: a class by the score of the TSH model, and features."""
    labelled = {p for p, score in ask("SELECT patient_id, score FROM tsh_scores") if score is not None}
    measured = {p for (p,) in ask("SELECT patient_id FROM imported_features")}
    return {m[0] for m in ask.order[tiny.COHORT]} & labelled & measured


def unseen(html: str, model: str) -> str:
    """How many patients the first screen says that a model's AUC is of."""
    return re.search(rf'{model}, .{{0,300}}?<span class="detail">n = (\d+)', html, re.DOTALL)[1]


def test_the_signature(seen):
    """Features: all, dropped, not taken, chosen; patients of the search, of what nobody had seen, of the ladder."""
    page, html, ask = seen
    if "table-s6" not in page.tables:
        assert not ask("SELECT 1 FROM signature_models WHERE reason IS NULL")
        return
    ((caption, _, rows),) = page.tables["table-s6"]
    ((chosen,),) = ask("SELECT features FROM signature_models WHERE reason IS NULL")
    names = {f["feature"] for f in json.loads(chosen)}
    n = int(re.search(r": (\d+) features?\b", caption)[1])
    assert n == len(rows) == len(names) and {row[0] for row in rows} == names
    assert f"{n} feature{'s' * (n != 1)}" in caption
    every = {name for (text,) in ask("SELECT features FROM imported_features") for name in json.loads(text)}
    said = re.search(r"(\d+) features?: (\d+) dropped \(.*?\), (\d+) not taken", page.said["table-s6"])
    of_all, dropped, others = map(int, said.groups())
    assert of_all == len(every) == dropped + others + n
    patients = len(trained(ask))
    search = re.search(r"Genetic search over (\d+) features?, n = (\d+)", page.said["figure-search"])
    assert (int(search[1]), int(search[2])) == (of_all - dropped, patients)
    assert re.search(r"n = (\d+)", page.said["figure-signature-roc"])[1] == str(patients)
    for rung, _, n, _, _, _, difference, _ in page.rows("table-ladder"):
        assert n in ("·", str(patients)) or (rung == "clinical" and int(n) < patients)  # whose variables are all known
        assert difference == "·" or f"n = {n})" in difference
    assert unseen(html, "The radiogenomic signature") == str(patients)


def test_the_tsh_model(seen):
    """Those whom it learned from: a group by the ratio, and every abundance of the tumour."""
    page, html, ask = seen
    if "figure-roc" not in page.said:
        return
    of, values = ask.groups("tsh_ratio"), {}
    for p, abundance in ask("SELECT patient_id, abundance FROM tumor_abundances"):
        values.setdefault(p, []).append(abundance)
    n = sum(m[0] in of and None not in values[m[0]] for m in ask.order[tiny.COHORT])
    assert re.search(r"n = (\d+)", page.said["figure-roc"])[1] == str(n)
    assert unseen(html, "The TSH model") == str(n)


def test_the_prognosis_by_the_signature(seen):
    """Log-rank test, quantiles, Cox models, C, calibration: patients and events of every cohort."""
    page, _, ask = seen
    if "table-prognosis" not in page.tables:
        assert not ask("SELECT 1 FROM signature_scores WHERE score IS NOT NULL")
        return
    parts = {caption.partition(" · ")[0]: rows for caption, _, rows in page.tables["table-prognosis"]}

    def of(begin: str) -> list[list[str]]:
        return next((rows for caption, rows in parts.items() if caption.startswith(begin)), [])

    def both(cohort: str) -> tuple[str, ...]:
        return tuple(map(str, (*ask.n_events(cohort, "signature", "good"), *ask.n_events(cohort, "signature", "poor"))))

    tests = of("Good against poor")
    assert {row[0].partition("@")[0] for row in tests} == {c for c in COHORTS if ask.followed(c, "signature")}
    for row in tests:
        assert (row[3], row[4], row[6], row[7]) == both(row[0].partition("@")[0])
    for cohort, _, group, n, events, *_ in of("Days by which"):
        assert (int(n), int(events)) == ask.n_events(cohort.partition("@")[0], "signature", group)
    for cohort, _, model, term, *_, n, events, _ in of("Cox regression"):
        if model in ("group", "continuous"):
            assert (int(n), int(events)) == ask.n_events(cohort.partition("@")[0], "signature"), (cohort, term)
    for cohort, _, model, _, n, events, *_ in of("Harrell"):
        if model == "signature":
            assert (int(n), int(events)) == ask.n_events(cohort.partition("@")[0], "signature")
    summed = Counter()
    for cohort, endpoint, _, _, n, *_ in of("Survival foretold"):
        summed[cohort, endpoint] += int(n)
    assert all(n == ask.n_events(cohort.partition("@")[0], "signature")[0] for (cohort, _), n in summed.items())


OPENS = '<div class="branch" style="margin-left: '
BRANCH = re.compile(r"([\d.]+)rem\">(?:([^<:]+): )?<b>([^<]+)</b>, ([\d,]+) ([^<(,]+)(.*)", re.DOTALL)


def tree_of(ask, root: int):
    """(depth, role, analysis, units, whether it stands above) from a unit down, by its rows of unit_inputs."""
    name = dict(ask("SELECT unit_id, analysis FROM units"))
    inputs: dict[int, list[tuple[str, int]]] = {}
    for unit, role, source in ask("SELECT unit_id, role, input_unit_id FROM unit_inputs"):
        inputs.setdefault(unit, []).append((role, source))
    above = set()

    def below(role: str, units: frozenset[int], depth: int):
        parts: dict[tuple[str, str], set[int]] = {}
        for unit in units:
            for each, source in inputs.get(unit, ()):
                parts.setdefault((each, name[source]), set()).add(source)
        is_above = bool(parts) and units in above
        yield depth, role, name[min(units)], units, is_above
        if not is_above:
            above.add(units)
            for (each, _), sources in sorted(parts.items()):
                yield from below(each, frozenset(sources), depth + 1)

    return list(below("", frozenset([root]), 0))


def test_the_sizes_of_trees(seen):
    """Of every branch: how many inputs, members of a cohort, and lines or columns of which file."""
    _, html, ask = seen
    pieces = html.split('<details class="box tree" id="')[1:]
    trees = {piece.partition('"')[0]: piece for piece in pieces if piece.startswith("tree.")}
    units = {f"tree.{a}.{k.replace('@', '.')}": unit for unit, a, k in ask("SELECT unit_id, analysis, key FROM units")}
    assert trees and set(trees) <= set(units)
    lines_of: dict[tuple[str, str], set[tuple[str, int, int | None]]] = {}
    for table, key, file, line, column in ask("SELECT table_name, row_key, f.name, line, column_number FROM source_records "
                                              "JOIN source_files f USING (source_file_id)"):  # fmt: skip
        lines_of.setdefault((table, key), set()).add((file, line, column))
        lines_of.setdefault((table, key.partition("|")[0]), set()).add((file, line, column))
    members = {f"{c}@{v}": n for c, v, n in ask("SELECT cohort, version, count(*) FROM cohort_members GROUP BY 1, 2")}
    members |= {c: n for c, n in ask("SELECT cohort, count(*) FROM cohort_members m WHERE version = (SELECT max(version) FROM "
                                     "cohort_versions v WHERE v.cohort = m.cohort) GROUP BY 1")}  # fmt: skip
    for anchor, piece in trees.items():
        shown = [BRANCH.match(part).groups("") for part in piece.partition("</details>")[0].split(OPENS)[1:]]
        wanted = tree_of(ask, units[anchor])
        assert len(shown) == len(wanted), anchor
        for (depth, role, analysis, n, word, more), (level, by, made, sources, is_above) in zip(
            shown, wanted, strict=True
        ):
            assert (round(float(depth) / 1.2), role, analysis, "as above" in more) == (level, by, made, is_above)
            keys = [key for unit in sources for (key,) in ask("SELECT key FROM units WHERE unit_id = ?", unit)]
            count = members[keys[0]] if made == "cohort" else len(sources)
            assert n_of(n) == count, (anchor, role, analysis)
            assert word.strip().split(" ")[0].endswith("s") == (count != 1 or made == "cohort")
            at = Counter()
            for file, _, column in {
                spot for key in keys for spot in lines_of.get((made.removeprefix("ingest."), key), ())
            }:
                at[file, "lines" if column is None else "columns"] += 1
            said = re.findall(r"← ([^<,]+), ([\d,]+) (lines?|columns?)", more)
            found = {(file, f"{word.rstrip('s')}s"): n_of(k) for file, k, word in said}
            assert found == (at if made.startswith("ingest.") and not is_above else {}), (anchor, role)
            assert all(w.endswith("s") == (k != "1") for _, k, w in said)


THINGS = ("patients", "events", "edges", "features", "results", "inputs", "lines", "columns", "profiles", "examinations",
          "samples", "cohorts", "terms", "directions", "rows", "collections")  # fmt: skip


def test_words_of_what_is_missing_and_of_what_is_one(seen):
    """No None, no nan, no 1 patients; but for the reasons that analyses have stored."""
    page, html, _ = seen
    text = re.sub(r"<[^>]*>", " ", re.sub(r"<(script|template|style|pre).*?</\1>", " ", html, flags=re.DOTALL))
    assert not re.findall(r".{30}\b(?:None|nan|NaN|NaT|inf)\b.{30}", text)
    assert not re.findall(rf".{{30}}(?<![\d.,@]) 1 (?:{'|'.join(THINGS)})\b(?!, fewer than|: too few)", text)
