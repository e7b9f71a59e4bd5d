"""Variants: the results that a study of its own with these settings would have, and nothing of them in the study."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from soak import variants as trials
from soak.variants import set_in, text_of_database
from tests.support import tiny
from tests.support.program import ROOT, run_quick
from tshdb.actions import variants, withdrawing
from tshdb.cohorts import versions as cohorts
from tshdb.database import writing
from tshdb.errors import Busy, InvalidInput, NotFound, TshdbError
from tshdb.study import Study
from tshdb.variant_places import all_held, held
from tshdb.variants.settings import parsed

THREE = {  # of a cut-off, of a time horizon, of the model on the tumour alone
    "third": ("cutoff.method=quantile", "cutoff.quantile=0.3"),
    "two-years": ("univariable_cox.censor_at_days=730", "tsh_cox.censor_at_days=730"),
    "stiff": ("tsh_model.inverse_penalty=0.01",),
}
YEARS = "univariable_cox.censor_at_days=730"  # the least that a variant can be: two units


def make(study: Study, name: str, *settings: str):
    return variants.rebuild(Study(study.root), name, parsed(settings))


def results_of(study: Study, name: str) -> dict[str, list[str]]:
    with variants.viewed(Study(study.root), name) as (copied, _):
        return tiny.dump(copied)


def apart(study: Study, folder: Path, settings: Sequence[str]) -> dict[str, list[str]]:
    """The results of a study of its own with these settings, which has no variants."""
    other = tiny.copy_study(study, folder)
    shutil.rmtree(other.root / "variants", ignore_errors=True)
    set_in(other, settings)
    tiny.rebuild(other)
    found = tiny.dump(Study(other.root))
    other.engine.dispose()
    return found


def kept_units(study: Study, name: str) -> dict[str, str]:
    """unit -> state, of those that a variant keeps, by what its file says."""
    with closing(sqlite3.connect(study.root / "variants" / name / "variant.db")) as raw:
        return {
            f"{analysis}/{key}": state for analysis, key, state in raw.execute("SELECT analysis, key, state FROM units")
        }


# ------------------------------------------------------------------------------------------------------ what it holds


@pytest.mark.parametrize("name", THREE)
def test_a_variant_has_the_results_of_a_study_of_its_own(study, tmp_path, name):
    """Rows, labels, members, objects, the paper's tables, a figure and what SELECTs answer: more of them in the soak."""
    before, ours = text_of_database(study.sqlite_path), tiny.dump(study)
    theirs = trials.apart(study, tmp_path / "apart", THREE[name], ["km"])
    assert trials.differing(theirs, trials.as_variant(study, name, THREE[name], ["km"])) == []
    assert "figure km" in theirs and any(theirs[table] != rows for table, rows in ours.items())
    assert text_of_database(study.sqlite_path) == before


def test_it_keeps_what_differs_and_counts_what_it_shares(study):
    done = make(study, "two-years", YEARS)
    keys = ("everyone", f"{tiny.COHORT}@1")
    assert kept_units(study, "two-years") == {f"univariable_cox/{key}": "current" for key in keys}
    assert done.report.computed == {"univariable_cox": 2}
    found = variants.variant(study, "two-years")
    with closing(sqlite3.connect(study.sqlite_path)) as raw:
        query = (
            "SELECT count(*) FROM units WHERE state <> 'retired' AND analysis <> 'cohort' AND analysis NOT LIKE 'ingest.%' "
            "AND analysis NOT LIKE 'reference.%'"
        )
        (n,) = raw.execute(query).fetchone()
    assert (found.n_own, found.n_shared, found.state) == ({"current": 2}, n - 2, "current")
    assert found.size_bytes < study.sqlite_path.stat().st_size / 4
    assert variants.rebuild(study, "two-years").n_computed == 0
    assert sorted(p.name for p in (study.root / "variants" / "two-years").iterdir()) == [
        ".tshdb.lock", "variant.db", "variant.toml",
    ]  # fmt: skip


def test_what_comes_out_the_same_is_the_study_s_again(study):
    """A setting that is taken back leaves nothing of its own."""
    make(study, "two-years", YEARS)
    (before,) = [
        line for line in (study.root / "study.toml").read_text().splitlines() if line.startswith("censor_at_days")
    ][:1]
    make(study, "two-years", f"univariable_cox.{before.split('#')[0].replace(' ', '')}")
    assert kept_units(study, "two-years") == {}
    assert results_of(study, "two-years") == tiny.dump(study)


def test_a_live_cohort_that_selects_on_results_has_other_members(study, tmp_path):
    with writing(study.engine) as connection:
        cohorts.define(connection, "good", "SELECT patient_id FROM survival_groups WHERE prognosis = 'good'")
    set_in(study, [f'compartment_tests.cohorts=["{tiny.COHORT}", "good"]'])
    tiny.rebuild(study)
    before = text_of_database(study.sqlite_path)
    theirs = apart(study, tmp_path / "apart", THREE["third"])
    make(study, "third", *THREE["third"])
    assert results_of(study, "third") == theirs
    assert "cohort/good" in kept_units(study, "third")
    with variants.viewed(study, "third") as (copied, _):
        asked = "SELECT patient_id FROM cohort_members WHERE cohort = 'good' AND version = 2 ORDER BY 1"
        groups = "SELECT DISTINCT patient_id FROM survival_groups WHERE prognosis = 'good' ORDER BY 1"
        assert list(copied.sql(asked)["patient_id"]) == list(copied.sql(groups)["patient_id"])
    assert text_of_database(study.sqlite_path) == before


# -------------------------------------------------------------------------------------------- while the study goes on


def test_after_new_data_it_is_behind_and_the_same_command_brings_it_on(study, archive, tmp_path):
    make(
        study, "third", *THREE["third"], f'abundance_cox.cohorts=["{tiny.COHORT}"]'
    )  # one key of its own is taken away
    patient = archive.add(11)
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    assert "behind the study" in variants.variant(study, "third").state
    with variants.viewed(study, "third") as (copied, words):
        groups = copied.sql("SELECT patient_id, cutoff FROM survival_groups")
        assert patient not in set(groups["patient_id"]), "a group by the study's cut-off"
        assert groups["cutoff"].nunique() == 1
        assert patient in set(copied.sql("SELECT patient_id FROM tsh_ratios")["patient_id"])
        assert "Run: tshdb rebuild --variant third" in words
    assert patient in set(study.sql("SELECT patient_id FROM survival_groups")["patient_id"])
    settings = (*THREE["third"], f'abundance_cox.cohorts=["{tiny.COHORT}"]')
    theirs = apart(study, tmp_path / "apart", settings)
    variants.rebuild(study, "third")
    assert results_of(study, "third") == theirs
    assert variants.variant(study, "third").state == "current"


def test_numbers_that_both_have_given_are_told_apart(study, archive, tmp_path):
    """The variant makes units that the study has not, then the study makes others under the same numbers."""
    with writing(study.engine) as connection:
        cohorts.define(connection, "anybody", tiny.LIVE_SQL)
    more = f'compartment_tests.cohorts=["{tiny.COHORT}", "anybody"]'
    make(study, "more", more)
    new = "compartment_tests/anybody"
    assert new in kept_units(study, "more")
    with closing(sqlite3.connect(study.root / "variants" / "more" / "variant.db")) as raw:
        (number,) = raw.execute("SELECT unit_id FROM units WHERE analysis || '/' || key = ?", [new]).fetchone()
    archive.add(12)
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    with closing(sqlite3.connect(study.sqlite_path)) as raw:
        assert raw.execute("SELECT analysis || '/' || key FROM units WHERE unit_id = ?", [number]).fetchone()[0] != new
    theirs = apart(study, tmp_path / "apart", [more])
    make(study, "more")
    assert results_of(study, "more") == theirs
    with variants.looked_at(study, "more") as copied, closing(sqlite3.connect(copied.sqlite_path)) as raw:
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []


def test_nothing_of_it_is_seen_in_the_study(study):
    def seen() -> list[str]:
        said = [
            run_quick("plan", "--json", cwd=study.root),
            run_quick("check", "--full", "--json", cwd=study.root, code=None),
        ]
        asked = [
            run_quick("sql", f"SELECT * FROM {t} ORDER BY ALL", cwd=study.root) for t in ("runs", "units", "cutoffs")
        ]
        return [done.stdout for done in (*said, *asked, run_quick("table", "2", cwd=study.root))]

    before = seen()
    make(study, "third", *THREE["third"])
    assert seen() == before


def test_objects_that_it_alone_names_stay(study):
    """The forest of a signature of its own: a repair does not take it away, until the variant is dropped."""
    make(study, "seven", "study.seed=7")
    own = variants.places.NamedObjects(study.root).digests()
    paths = {p.stem: p for p in study.objects.root.glob("*/*") if p.stem in own}
    with closing(sqlite3.connect(study.sqlite_path)) as raw:
        named = {digest for (digest,) in raw.execute("SELECT object_id FROM signature_models")}
    assert own and own == paths.keys() and own.isdisjoint(named)
    run_quick("check", "--full", "--repair", cwd=study.root, code=None)
    assert all(path.is_file() for path in paths.values())
    assert variants.drop(study, "seven") == len(own)
    run_quick("check", "--full", "--repair", cwd=study.root, code=None)
    assert not any(path.is_file() for path in paths.values())


def test_a_model_that_is_replaced_in_it_stays_in_the_study(study):
    """The copy names the study's forest, and a fit takes the object of the one that it replaces away."""
    with closing(sqlite3.connect(study.sqlite_path)) as raw:
        named = {
            digest for (digest,) in raw.execute("SELECT object_id FROM signature_models WHERE object_id IS NOT NULL")
        }
    make(study, "seven", "study.seed=7")
    assert named and all(study.objects.is_whole(digest, ".skops") for digest in named)


# ----------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("name", ["..", "../x", "a/b", "", ".", "/tmp/x", "A", "1st", "a b", "x" * 41, "a\n"])
def test_bad_names_are_refused(study, name):
    with pytest.raises(InvalidInput, match="cannot be the name of a variant"):
        make(study, name, YEARS)
    assert not (study.root / "variants").exists()


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("cutof.method=median", "cutof"),
        ("cutoff.methd=median", "methd"),
        ("cutoff.method=mean", "mean"),
        ("univariable_cox.min_events=few", "few"),
        ("univariable_cox.censor_at_days=[1]", "censor_at_days"),
        ("study.database=sqlite:///x.db", "shares with the study"),
        ("replaces.cutoff=nobody", "cannot stand in the place"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_written(study, setting, says):
    with pytest.raises(InvalidInput, match=says) as refused:
        make(study, "new", setting)
    assert "--set" in str(refused.value) and not (study.root / "variants").exists()
    make(study, "two-years", YEARS)
    before = text_of_database(study.root / "variants/two-years/variant.db")
    with pytest.raises(InvalidInput, match=says):
        make(study, "two-years", setting)
    assert variants.variant(study, "two-years").values == {"univariable_cox": {"censor_at_days": 730}}
    assert text_of_database(study.root / "variants/two-years/variant.db") == before


def test_what_is_not_there_is_said(study):
    with pytest.raises(NotFound, match="no variant 'median'"):
        make(study, "median")
    for ask in (variants.variant, variants.drop, variants.adopt, variants.diff):
        with pytest.raises(NotFound, match="no variant 'median'"):
            ask(study, "median")
    assert not (study.root / "variants").exists()
    assert "edit its study.toml" in run_quick("rebuild", "--set", YEARS, cwd=study.root, code=2).stderr


def test_a_study_on_a_server_is_refused(empty_study):
    _ = empty_study.engine
    path = empty_study.root / "study.toml"
    path.write_text(path.read_text().replace("sqlite:///study.db", "postgresql://nobody@localhost/nothing"))
    with pytest.raises(InvalidInput, match="SQLite file alone"):
        make(Study(empty_study.root), "third", *THREE["third"])
    assert not (empty_study.root / "variants").exists()


def test_a_link_in_its_place_is_not_followed(study, tmp_path):
    (study.root / "variants").symlink_to(tmp_path)
    with pytest.raises(InvalidInput, match="no folder of the study"):
        make(study, "third", *THREE["third"])
    assert variants.names(study) == [] and not (tmp_path / "third").exists()


def test_two_rebuilds_of_one_variant_do_not_meet(study, monkeypatch):
    monkeypatch.setattr("tshdb.variant_places.held.__wrapped__.__defaults__", (0.1,))
    with held(study.root, "third"), pytest.raises(Busy, match="another command has held the variant third"):
        make(study, "third", *THREE["third"])


# ------------------------------------------------------------------------------------------------------------- kills


@pytest.mark.parametrize("point", ["variants.copied", "rebuild.committed", "variants.written", "variants.saved"])
def test_killed_in_the_middle(study, tmp_path, point):
    """Study and variant are as they were, or the variant has what was committed; the same command goes on."""

    def rebuild(*more: str, failpoint: str | None = None) -> int:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)} | ({"TSHDB_FAILPOINT": failpoint} if failpoint else {})
        words = [sys.executable, "-m", "cli.main", "rebuild", "--variant", "third", *more]
        return subprocess.run(words, cwd=study.root, env=environment, capture_output=True, timeout=300).returncode

    before = text_of_database(study.sqlite_path)
    make(study, "third", YEARS)
    of_first = results_of(study, "third")
    theirs = apart(study, tmp_path / "apart", (YEARS, *THREE["third"]))
    settings = [word for each in THREE["third"] for word in ("--set", each)]
    assert rebuild(*settings, failpoint=point) == 137
    assert text_of_database(study.sqlite_path) == before
    stands = results_of(study, "third")
    assert (
        stands["cutoffs"] in ([], theirs["cutoffs"])
        and stands["cox_terms"]
        and of_first["cutoffs"] != theirs["cutoffs"]
    )
    assert run_quick("check", "--full", cwd=study.root, code=None).stdout.count("objects/") == 0
    done = _attempts(study.root / "variants/third/work/study.db") if point == "rebuild.committed" else set()
    assert rebuild() == 0
    assert results_of(study, "third") == theirs
    assert done <= _attempts(study.root / "variants/third/variant.db"), "what was committed is not computed again"
    assert not (study.root / "variants/third/work").exists()


def _attempts(path: Path) -> set[tuple[str, str]]:
    """(unit, when) of what the last run of a database has computed."""
    named = "named" if path.name == "variant.db" else "units"
    with closing(sqlite3.connect(path)) as raw:
        query = (
            f"SELECT n.analysis || '/' || n.key, a.ended_at, a.run_id FROM attempts a JOIN {named} n USING (unit_id)"
        )
        found = raw.execute(query).fetchall()
    last = max(run for *_, run in found)
    of_last = {(unit, at) for unit, at, run in found if run == last or named == "named"}
    assert of_last
    return of_last


def test_a_file_that_cannot_be_read_is_said_and_does_no_harm(study):
    make(study, "two-years", YEARS)
    (study.root / "variants/two-years/variant.db").write_bytes(b"no database, but a long enough text" * 100)
    (row,) = variants.variants(study)
    assert "cannot be read" in row.state and "Remove this file" in row.state
    run_quick("check", "--full", cwd=study.root)
    set_in(study, ["study.seed=7"])  # forests are replaced, and nobody knows whether a variant needs the former ones
    assert not tiny.rebuild(study).is_partial
    run_quick("withdraw", "TCGA-TN-0003", "--reason", "asked", cwd=study.root)
    assert variants.rebuild(study, "two-years").n_computed


# -------------------------------------------------------------------------------------------------------- withdrawal


def holding(root: Path, patient: str) -> list[str]:
    return sorted(
        str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and patient.encode() in p.read_bytes()
    )


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_withdrawal_takes_the_patient_out_of_variants(study, tmp_path, is_killed):
    make(study, "third", *THREE["third"])
    variants_folder = study.root / "variants"
    shutil.copytree(variants_folder / "third", variants_folder / "third" / "view-left")  # by a command that was killed
    patient = "TCGA-TN-0003"
    assert holding(variants_folder, patient)
    plan = withdrawing.preview(study, patient)
    assert plan.variants == ["third"] and not [p for p in plan.by_hand if "variants" in str(p)]
    assert "variants that lose their results" in run_quick("withdraw", patient, "--preview", cwd=study.root).stdout
    words = [sys.executable, "-m", "cli.main", "withdraw", patient, "--reason", "asked"]
    if is_killed:
        killed = {**os.environ, "PYTHONPATH": str(ROOT), "TSHDB_FAILPOINT": "withdraw.committed"}
        assert subprocess.run(words, cwd=study.root, env=killed, capture_output=True, timeout=300).returncode == 137
        assert holding(variants_folder, patient)
    run_quick("withdraw", patient, "--reason", "asked", cwd=study.root)
    assert holding(study.root, patient) == []
    assert "a withdrawal took its results away" in variants.variant(study, "third").state
    with pytest.raises(NotFound, match="a withdrawal took its results away"):
        results_of(study, "third")
    certificate = next((study.root / "withdrawals").glob("*.json"))
    assert json.loads(certificate.read_text())["variants_emptied"] == ["third"]
    tiny.rebuild(study)
    theirs = apart(study, tmp_path / "apart", THREE["third"])
    variants.rebuild(study, "third")
    assert results_of(study, "third") == theirs
    run_quick("withdraw", "--verify", certificate, cwd=study.root)


def test_a_withdrawal_waits_for_a_rebuild_of_a_variant(study, monkeypatch):
    monkeypatch.setattr("tshdb.variant_places.all_held.__wrapped__.__defaults__", (0.1,))
    make(study, "two-years", YEARS)
    with held(study.root, "two-years"), pytest.raises(Busy, match="is being rebuilt"):
        withdrawing.withdraw(study, "TCGA-TN-0003", "asked")
    assert "TCGA-TN-0003" in set(study.sql("SELECT patient_id FROM patients")["patient_id"])
    with all_held(study.root), pytest.raises(TshdbError):
        monkeypatch.setattr("tshdb.variant_places.held.__wrapped__.__defaults__", (0.1,))
        variants.rebuild(study, "two-years")


# ---------------------------------------------------------------------------------------------- compared and adopted


def test_what_differs_is_said_row_by_row(study):
    """The cut-off is what was set; how many are at or above it is counted from the ratios, by hand."""
    make(study, "half", "cutoff.method=fixed", "cutoff.value=0.5")
    compared = variants.diff(study, "half")
    assert compared.settings == {
        "[cutoff] method": ('"median"', '"fixed"'), "[cutoff] value": ("-0.3512", "0.5"),
    }  # fmt: skip
    assert compared.notes == []
    tables = {t["table"]: t for t in compared.facts()["tables"]}
    assert {"cox_terms", "cutoffs", "survival_groups", "logrank_tests"} <= tables.keys()
    assert not {"cell_abundances", "tsh_ratios", "radiomic_features"} & tables.keys()
    (row,) = tables["cutoffs"]["rows"]
    assert row["unit"] == f"cutoff/{tiny.COHORT}@1" and row["values"]["method"] == {
        "before": "median",
        "after": "fixed",
    }
    ratios = study.sql(
        "SELECT r.value FROM tsh_ratios r JOIN cohort_members m USING (patient_id) JOIN cutoffs c ON c.population = r.population "
        f"AND c.unit = r.unit WHERE m.cohort = '{tiny.COHORT}' AND m.version = 1 AND r.value IS NOT NULL"
    )["value"]
    median = float(ratios.median())
    assert row["values"]["value"] == {"before": pytest.approx(median, rel=1e-13), "after": 0.5}  # kept with 14 digits
    n_high = {side: int((ratios >= at - 1e-12).sum()) for side, at in (("before", median), ("after", 0.5))}
    assert row["values"]["n_high"] == n_high
    everything = variants.diff(study, "half").facts("survival_groups")["tables"]
    (groups,) = everything
    moved = {r["unit"].partition("/")[2] for r in groups["rows"] if "prognosis" in r["values"]}
    was = study.sql("SELECT patient_id, prognosis FROM survival_groups")
    with variants.viewed(study, "half") as (copied, _):
        now = copied.sql("SELECT patient_id, prognosis FROM survival_groups")
    both = was.merge(now, on="patient_id")
    assert moved == set(both[both["prognosis_x"] != both["prognosis_y"]]["patient_id"]) and moved
    assert variants.diff(study, "half", "half").tables == []


def test_a_label_that_changes_where_no_number_does_is_shown(study):
    """A cut-off that was chosen on these patients' collection makes the same groups, and their p values optimistic."""
    fixed = ("cutoff.method=fixed", "cutoff.value=0.5")
    make(study, "elsewhere", *fixed, 'cutoff.chosen_on=""')
    make(study, "here", *fixed, "cutoff.chosen_on=tcga-tn")
    tables = {t["table"]: t for t in variants.diff(study, "elsewhere", "here").facts()["tables"]}
    moved = {column for row in tables["logrank_tests"]["rows"] for column in row["values"]}
    assert moved == {"is_optimistic"}
    assert all(
        r["values"]["is_optimistic"] == {"before": False, "after": True} for r in tables["logrank_tests"]["rows"]
    )
    assert "is_optimistic False -> True" in run_quick("variants", "diff", "elsewhere", "here", cwd=study.root).stdout
    whole = variants.diff(study, "elsewhere", "here").facts("logrank_tests")["tables"]
    assert whole == [tables["logrank_tests"]]
    ours = {t["table"] for t in variants.diff(study, "here").facts()["tables"]}
    assert "tsh_ratios" not in ours and "logrank_tests" in ours


def test_a_report_of_a_variant_says_so_and_is_the_same_bytes_again(study):
    """At its top: that it is a variant, of which settings, how much is its own, what differs; below, its own numbers."""

    def page(*words: str) -> str:
        path = Path(run_quick("report", *words, cwd=study.root).stdout.strip())
        return path.read_text()

    ours = page()
    make(study, "two-years", YEARS)
    text = page("--variant", "two-years")
    assert (study.root / "reports/report.two-years.html").is_file() and text != ours
    top = text[: text.index('id="sources"')]
    assert "variant two-years</h1>" in top and "This is not the study itself" in top
    found = variants.variant(study, "two-years")
    for said in ("[univariable_cox] censor_at_days", ">730<", f">{found.n_shared:,}<", "cox_terms"):
        assert said in top, said
    assert page("--variant", "two-years") == text
    run_quick("report", "--variant", "median", cwd=study.root, code=8)


def test_adopted_settings_stand_in_study_toml_with_its_comments(study):
    make(study, "third", *THREE["third"])
    before, theirs = (study.root / "study.toml").read_text(), results_of(study, "third")
    moved = variants.adopt(study, "third")
    assert moved == {"[cutoff] method": ('"median"', '"quantile"'), "[cutoff] quantile": ("by default", "0.3")}
    text = (study.root / "study.toml").read_text()
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith('method = "quantile"'))
    assert lines[at - 1].startswith("# method: adopted from the variant third on 2")
    assert lines[at - 1].endswith('; before: "median"')
    added = [line for line in lines if line not in before.splitlines()]
    assert len(added) == 4, added
    assert [line for line in before.splitlines() if line not in lines] == ['method = "median"']
    labels = "SELECT cohort, grouping, is_optimistic, is_in_sample FROM logrank_tests ORDER BY ALL"
    with variants.viewed(study, "third") as (copied, _):
        said = copied.sql(labels)
    run_quick("rebuild", cwd=study.root)
    assert tiny.dump(study) == theirs
    assert said.equals(study.sql(labels)) and len(said)
    assert variants.rebuild(Study(study.root), "third").n_computed == 0
    assert kept_units(study, "third") == {}
    assert variants.adopt(study, "third") == {}
    assert (study.root / "study.toml").read_text() == text
    variants.drop(study, "third")
    assert variants.names(study) == [] and not (study.root / "variants/third").exists()


# ------------------------------------------------------------------------------------------------------ the commands


def test_the_commands(study):
    def run(*words: object, code: int = 0):
        return run_quick(*words, cwd=study.root, code=code)

    assert "no variants" in run("variants", "list").stderr
    assert json.loads(run("variants", "list", "--json").stdout) == []
    done = run("rebuild", "univariable_cox", "--variant", "two-years", "--set", YEARS)
    assert "2 units computed" in done.stdout
    said = "variant two-years: [univariable_cox] censor_at_days = 730"
    for words in (("sql", "SELECT 1"), ("table", "2"), ("figure", "km")):
        assert said in run(*words, "--variant", "two-years").stderr
    assert (study.root / "figures/km.two-years.svg").is_file() and not (study.root / "figures/km.svg").exists()
    query = "SELECT DISTINCT censored_at_days AS d FROM cox_terms WHERE model LIKE 'univariable%' ORDER BY 1"
    asked = [
        json.loads(run("sql", query, "--format", "json", *more).stdout) for more in ((), ("--variant", "two-years"))
    ]
    assert asked[1] == [{"d": 730.0}] and asked[0] != asked[1]
    assert "Nothing is due." in run("plan", "--variant", "two-years").stdout
    named = ("cox_terms", "T cells", "model=univariable", f"cohort={tiny.COHORT}@1")
    of_both = [json.loads(run("lineage", *named, *more, "--json").stdout) for more in ((), ("--variant", "two-years"))]
    horizons = [each["rows"][0]["censored_at_days"] for each in of_both]
    assert horizons[1] == 730 != horizons[0]
    assert "edges" in run("export", "networks", "networks", "--variant", "two-years").stdout
    why = run("why", f"univariable_cox/{tiny.COHORT}@1", "--variant", "two-years").stdout
    assert "censor_at_days" in why and "variant.toml line 4" in why
    (listed,) = json.loads(run("variants", "list", "--json").stdout)
    assert listed == json.loads(run("variants", "show", "two-years", "--json").stdout)
    assert (listed["own"], listed["is_behind"], listed["due"]) == ({"current": 2}, False, 0)
    assert "cox_terms: of its rows" in run("variants", "diff", "two-years").stdout
    assert run("variants", "diff", "two-years", "--table", "cutoffs", code=8).stderr
    set_in(study, ["univariable_cox.min_events=3"])
    assert "tshdb rebuild --variant two-years" in run("plan", "--variant", "two-years").stdout
    assert "behind the study" in run("variants", "show", "two-years").stdout
    assert "censor_at_days: 3652.5 -> 730" in run("variants", "adopt", "two-years").stdout
    assert run("variants", "drop", "two-years", "--yes").stdout == "two-years is gone.\n"
    assert "no variant 'two-years'" in run("sql", "SELECT 1", "--variant", "two-years", code=8).stderr
