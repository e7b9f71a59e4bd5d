"""`tshdb table` and `tshdb model` on a study where everything is current: what they print is what the tables hold."""

from __future__ import annotations

import json

import networkx as nx
import pytest

from tests.support import tiny
from tshdb.figures.drawings import at_risk
from tshdb.tables import TABLES
from tshdb.tables.layouts import Layout, footnoted
from tshdb.tables.rows import newest

FROZEN = f"{tiny.COHORT}@1"


@pytest.mark.parametrize(("number", "model"), [("2", "univariable"), ("s2", "tumor"), ("s3", "stroma")])
def test_tables_of_cox_terms_are_the_rows_of_the_database(quick, study, number, model):
    printed = json.loads(quick("table", number, "--json", cwd=study.root).stdout)
    stored = study.sql(
        "SELECT term, coefficient, n, n_events FROM cox_terms WHERE cohort = $cohort AND model = $model ORDER BY position",
        {"cohort": FROZEN, "model": model},
    )
    assert len(printed) == 3
    assert [r["term"] for r in printed] == list(stored["term"])
    assert [r["coefficient"] for r in printed] == pytest.approx(list(stored["coefficient"]), nan_ok=True)
    shown = quick("table", number, "--cohort", FROZEN, cwd=study.root).stdout
    assert all(term in shown for term in stored["term"]) and FROZEN in shown


def test_table_s4_shows_every_model_of_the_biomarker(quick, study):
    printed = json.loads(quick("table", "s4", "--json", cwd=study.root).stdout)
    assert {"group", "continuous", "multivariable"} <= {r["model"] for r in printed}
    assert {r["n"] for r in printed if r["model"] in ("group", "continuous")} == {10}
    left_out = [r for r in printed if r["coefficient"] is None]
    assert "er_status" in {r["term"] for r in left_out} and all(r["reason"] for r in left_out)
    shown = quick("table", "s4", cwd=study.root).stdout
    assert all(r["reason"] in shown for r in left_out)


def test_table_s5_sets_good_beside_poor(quick, study):
    printed = json.loads(quick("table", "s5", "--json", cwd=study.root).stdout)
    assert {r["prognosis"] for r in printed} == {"good", "poor"}
    assert {r["compartment"] for r in printed} == {"tumor", "stroma"}
    shown = quick("table", "s5", cwd=study.root).stdout
    assert shown.count("density") == 2


def test_networks_are_read_by_other_programs(quick, study, tmp_path):
    made = [quick("export", "networks", tmp_path / n, "--json", cwd=study.root, PYTHONHASHSEED=n).stdout for n in "12"]
    assert len(json.loads(made[0])["files"]) == 8
    stored = study.sql("SELECT * FROM network_edges WHERE cohort = $cohort", {"cohort": FROZEN})
    assert len(stored)
    for compartment in ("tumor", "stroma"):
        for prognosis in ("good", "poor"):
            path = tmp_path / "1" / f"{compartment}-{prognosis}"
            mine = stored[(stored["compartment"] == compartment) & (stored["prognosis"] == prognosis)]
            edges = {(e.population, e.other_population): e.correlation for e in mine.itertuples()}
            cyjs = json.loads(path.with_suffix(".cyjs").read_text())
            assert cyjs["data"] == {"cohort": FROZEN, "compartment": compartment, "prognosis": prognosis}
            for graph in (nx.read_graphml(path.with_suffix(".graphml")), nx.cytoscape_graph(cyjs)):
                assert set(graph) == {"T cells", "Cytotoxic lymphocytes", "Fibroblasts"}
                found = {tuple(sorted(e[:2])): e[2]["correlation"] for e in graph.edges(data=True)}
                assert found == {tuple(sorted(k)): v for k, v in edges.items()}
            for suffix in (".graphml", ".cyjs"):
                same = (tmp_path / "2" / path.name).with_suffix(suffix).read_bytes()
                assert path.with_suffix(suffix).read_bytes() == same


def test_table_1_counts_the_members(quick, study):
    rows = json.loads(quick("table", "1", "--cohort", FROZEN, "--json", cwd=study.root).stdout)
    found = {(r["row"], r["level"]): r for r in rows}
    assert found["n", ""]["value"] == "10" and found["n", ""]["paper"] == "112"
    (deaths,) = study.sql("SELECT count(*) AS n FROM follow_ups WHERE endpoint = 'OS' AND event").n
    assert found["Death", "event"]["value"].startswith(f"{deaths} (")
    assert found["Age (years)", "median (range)"]["value"] == "60 (60–60)"
    everyone = quick("table", "1", cwd=study.root).stdout
    assert "everyone@" in everyone and FROZEN in everyone


@pytest.mark.parametrize("words", [(), ("--list",)])
def test_the_tables_are_listed_with_their_titles(quick, tmp_path, words):
    """Without a study, too."""
    said = quick("table", *words, cwd=tmp_path).stdout
    for name, each in TABLES.items():
        assert any(line.split()[0] == name and line.strip().endswith(each.title) for line in said.splitlines()[1:]), (
            name
        )
    told = json.loads(quick("table", *words, "--json", cwd=tmp_path).stdout)
    assert told == [{"table": name, "shows": each.title} for name, each in TABLES.items()]


def test_a_table_that_is_not_there_is_one_line(quick, study):
    said = quick("table", "9", cwd=study.root, code=2).stderr
    assert "Known: 1 (Patient characteristics); 2 (Relative abundances and survival); s1 (Radiomic features)" in said
    for number in ("1", "2", "s4", "s5"):
        failed = quick("table", number, "--cohort", "nobody@4", cwd=study.root, code=None)
        assert failed.returncode not in (0, 70) and failed.stderr.count("\n") == 1, failed.stderr


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["a@1", "a@2", "b"], "a@2"), (["a@9", "a@10"], "a@10"), (["b", "a"], "a"), ([], None), (["b@1", "a@1"], "a@1")],
)
def test_the_newest_cohort(names, expected):
    assert newest(names) == expected


def test_cohorts_in_the_order_of_the_settings():
    """A refrozen cohort does not step before the one that the study names first."""
    order = ["first", "second"]
    assert newest(["second@3", "first@1", "first@2", "other@9"], order) == "first@2"
    assert newest(["second@1", "first"], order) == "second@1"  # frozen before live


def test_remarks_of_several_rows_stand_once_below():
    rows = [("a", "few events; degraded"), ("b", "degraded"), ("c", "")]
    shown = footnoted(Layout("", ("", ""), rows, ()))
    assert shown.cells == [("a", "a b"), ("b", "b"), ("c", "")] and shown.notes == ("a: few events.", "b: degraded.")
    alone = Layout("", ("", ""), [("a", "few events"), ("b", "")], ())
    assert footnoted(alone) == alone


def test_models_are_listed_with_training_set_and_state(quick, study):
    models = {m["model"]: m for m in json.loads(quick("model", "list", "--json", cwd=study.root).stdout)}
    assert f"tsh_model/{FROZEN}" in models and f"cutoff/{FROZEN}" in models
    assert {m["n_members"] for m in models.values()} == {10}
    assert {m["n_corrections"] for m in models.values()} == {0}
    assert f"tsh_model/{FROZEN}" in quick("model", "list", cwd=study.root).stdout


def test_a_model_shows_rows_members_parameters_and_code(quick, study):
    found = json.loads(quick("model", "show", f"cutoff/{FROZEN}", "--json", cwd=study.root).stdout)
    (row,) = found["rows"]
    assert row["population"] == "Cytotoxic lymphocytes" and row["method"] == "median"
    assert len(found["training_set"]) == 10 and len(found["code"]) == 32
    assert found["parameters"]["method"] == "median" and any("cutoff" in f for f in found["functions"])
    missing = quick("model", "show", "cutoff/nobody@1", cwd=study.root, code=None)
    assert missing.returncode not in (0, 70) and f"gene_filter/{FROZEN}" in missing.stderr


def test_versions_differ_by_members_and_content(quick, study, archive):
    archive.add(40)
    tiny.ingest(study, archive)
    tiny.freeze(study)
    tiny.rebuild(study)
    names = [f"cutoff/{tiny.COHORT}@{v}" for v in (1, 2)]
    found = json.loads(quick("model", "diff", *names, "--json", cwd=study.root).stdout)
    assert found["members_came"] == ["TCGA-TN-0040"] and not found["members_left"]
    assert found["comparable"] and not found["code_changed"] and not found["parameters"] and not found["same_content"]
    shown = quick("model", "diff", *names, cwd=study.root).stdout
    assert "1 member came: TCGA-TN-0040" in shown


def test_a_correction_is_counted_on_the_models_that_saw_the_old_value(quick, study, archive):
    archive.set_value("TCGA-TN-0003", "tumor", "GNLY", 999.0)
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    models = {m["model"]: m for m in json.loads(quick("model", "list", "--json", cwd=study.root).stdout)}
    cutoff = models[f"cutoff/{FROZEN}"]
    assert cutoff["state"] == "current"
    assert cutoff["n_corrections"] == 1, "the model stays as it was, and says that one ratio is another today"
    assert "1 row of data corrected since" in quick("model", "list", cwd=study.root).stdout


# ------------------------------------------------------------------------------------------------------------ figures


@pytest.mark.parametrize("name", ["flow", "km", "compartments", "s1", "networks", "topology", "roc"])
def test_a_figure_is_the_same_bytes_again_and_says_its_cohort(quick, study, tmp_path, name):
    for seed in "12":
        said = quick("figure", name, "--out", tmp_path / f"{seed}.svg", cwd=study.root, PYTHONHASHSEED=seed).stdout
        assert len(said.splitlines()) == 2, "the path, and how to read it"
    text = (tmp_path / "1.svg").read_bytes()
    assert text == (tmp_path / "2.svg").read_bytes()
    assert FROZEN.encode() in text and b"<script" not in text
    assert {p.name for p in tmp_path.iterdir() if p.is_file()} == {"1.svg", "2.svg"}


def test_figures_that_cannot_be_are_one_line(quick, study):
    assert "Known: flow, km" in quick("figure", "pie", cwd=study.root, code=2).stderr
    assert "Known: .svg" in quick("figure", "km", "--out", "km.gif", cwd=study.root, code=2).stderr
    assert "no survival curves by the TSH ratio of nobody@1" in quick(
        "figure", "km", "--cohort", "nobody@1", cwd=study.root, code=8
    ).stderr  # fmt: skip


def test_numbers_at_risk_of_the_drawn_curves_are_those_of_plain_counting(study):
    members = study.sql(
        "SELECT g.prognosis, f.duration_days FROM survival_groups g JOIN follow_ups f ON f.patient_id = g.patient_id "
        "AND f.endpoint = 'OS' JOIN cohort_members m ON m.patient_id = g.patient_id AND m.cohort = $c AND m.version = 1",
        {"c": tiny.COHORT},
    )
    points = study.sql("SELECT * FROM km_points WHERE cohort = $c AND grouping = 'tsh_ratio'", {"c": FROZEN})
    days = [0, 1, 365.25, 700, 1461, 2900, 3652.5, 9999]
    for group in ("good", "poor"):
        durations = members.loc[members["prognosis"] == group, "duration_days"].clip(upper=3652.5)
        assert len(durations)
        drawn = at_risk(points[points["prognosis"] == group], days)
        assert drawn == [int((durations >= day).sum()) for day in days]
