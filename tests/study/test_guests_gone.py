"""A study with results of guests, read by a program that lacks their packages: nothing crashes, nothing is silently missing."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.support import guests, kept, tiny
from tshdb.actions.checking import check
from tshdb.actions.rebuilding import RebuildOptions, rebuild
from tshdb.database import writing
from tshdb.errors import IntegrityError, NotFound
from tshdb.study import Study

FEW = tuple(a.name for a in tiny.CORE)
FIT = f"mean_model/{tiny.COHORT}@1"


def _text() -> str:
    """One package: a model with its scores, and purities."""
    model, purities = guests.text("mean_model"), guests.text("purities").replace("from tshdb", "from tshdb")
    return model + "\n\n" + purities + "\n\nANALYSES = (mean_model, mean_scores, purities)\n"


def _make(folder) -> None:
    import tempfile
    from pathlib import Path

    with (
        tempfile.TemporaryDirectory() as site,
        guests.package(Path(site), "elsewhere_guests", _text(), "ANALYSES", "2.5"),
    ):
        study = tiny.new_study(folder, analyses=tiny.CORE)
        tiny.ingest(study, tiny.TinyArchive.make(10), images=False)
        tiny.define_cohorts(study)
        tiny.freeze(study)
        done = rebuild(Study(folder), RebuildOptions((*FEW, "mean_scores", "purities")))
        assert not done.report.is_partial
        study.engine.dispose()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return kept.copy_of("guests", _make, tmp_path_factory.mktemp("guests") / "study", _text())


@pytest.fixture
def left(made, tmp_path):
    """The study, on a machine without the package."""
    folder = tmp_path / "received"
    shutil.copytree(made, folder)
    study = Study(folder)
    yield study
    if "engine" in vars(study):
        study.engine.dispose()


PROFILE = "TCGA-TN-0003-01A-11R-A000-07:rsem:expression.csv"
COMMANDS = (
    ("plan", *FEW), ("status",), ("check",), ("history",), ("model", "list"), ("model", "show", FIT), ("guests", "list"),
    ("why", f"purities/{PROFILE}"), ("why", FIT), ("lineage", "xy_purities", PROFILE), ("lineage", "xy_mean_models"),
    ("schema", "xy_purities"), ("sql", "SELECT count(*) AS n FROM xy_mean_scores"),
    ("rebuild", *FEW), ("report", "--out", "report.html"),
    ("migrate",), ("drift", "survival_groups"), ("cohort", "list"),
)  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_needs_the_package(left, quick, words):
    said = quick(*words, cwd=left.root, code=None)
    assert said.returncode in (0, 2) and "Traceback" not in said.stderr, said.stdout + said.stderr


def test_leakage_goes_through_models_that_are_not_here(left, quick):
    said = quick("model", "leakage", FIT, "--cohort", f"{tiny.COHORT}@1", cwd=left.root, code=3)
    assert f"{FIT} has seen 10 of the 10 members" in said.stdout and "gene_filter" in said.stdout


def test_what_is_not_here_is_said_where_one_looks(left, quick):
    plan = quick("plan", *FEW, cwd=left.root).stdout
    for name, n in (("mean_model", 1), ("mean_scores", 10), ("purities", 20)):
        assert f"not here: {name} (of elsewhere-guests 2.5): {n} results stand as they are" in plan
    assert len(json.loads(quick("plan", "--json", cwd=left.root).stdout)["absent"]) == 3
    looked = quick("check", cwd=left.root)
    assert "Everything holds" not in looked.stdout and "guest.absent  3 x" in looked.stdout
    assert "purities" in quick("status", cwd=left.root).stdout
    facts = json.loads(quick("why", f"purities/{PROFILE}", "--json", cwd=left.root).stdout)
    assert facts["state"] == "current" and "elsewhere-guests 2.5" in facts["detail"]
    assert facts["rows"][0]["profile_id"] == PROFILE and facts["inputs"][0]["role"] == "abundances"
    assert facts["computed"]["functions"] and facts["computed"]["parameters"]["slope"] == 0.0001467884
    models = json.loads(quick("model", "list", "--json", cwd=left.root).stdout)
    assert FIT in [m["model"] for m in models]
    shown = json.loads(quick("model", "show", FIT, "--json", cwd=left.root).stdout)
    assert len(shown["training_set"]) == 10 and shown["rows"][0]["mean"] and "not here" in shown["source"]
    report = quick("report", "--out", "r.html", cwd=left.root) and (left.root / "r.html").read_text()
    assert "mean_scores" in report


def test_it_can_be_computed_with_nothing_lost(left):
    """A value is corrected and rebuilt without the package: its results stay, and with it they are due again."""
    before = tiny.dump(left)
    archive = tiny.TinyArchive.make(10)
    archive.set_value("TCGA-TN-0003", "tumor", "CD3D", 777.0)
    tiny.ingest(left, archive, images=False)
    done = rebuild(guests.fresh(left), RebuildOptions(FEW))
    assert done.report.computed["cell_abundances"] == 1
    after = tiny.dump(left)
    for table in ("xy_purities", "xy_mean_models", "xy_mean_scores"):
        assert after[table] == before[table] and after[table]


def test_the_package_comes_back_and_knows_its_results(left, tmp_path):
    with guests.package(tmp_path / "site", "elsewhere_guests", _text(), "ANALYSES", "2.6"):
        assert guests.due(left) == {}
        assert check(guests.fresh(left)).broken == []
        archive = tiny.TinyArchive.make(10)
        archive.set_value("TCGA-TN-0003", "tumor", "CD3D", 777.0)
        tiny.ingest(left, archive, images=False)
        guests.made(left)
        assert guests.due(left) == {}


def test_an_edit_of_its_rows_is_seen_though_nobody_here_can_make_them_again(left):
    with left.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE xy_purities SET purity = 0.5 WHERE profile_id = '" + PROFILE + "'")
    problems = [p for b in check(guests.fresh(left)).broken for p in b.problems]
    assert any(PROFILE in p.where for p in problems), problems


def test_a_setting_of_a_package_that_is_not_here_is_no_misspelt_table(left, quick):
    guests.changed(left, "", "\n[purities]\nscale = 900.0\n")
    quick("plan", *FEW, cwd=left.root)
    guests.changed(left, "[purities]", "[puritie]")
    assert "is no analysis" in quick("plan", cwd=left.root, code=7).stderr


def test_a_place_that_is_held_by_who_is_not_here(core, tmp_path, quick):
    """What rests on its results goes on resting on them; who is new waits, and that is said."""
    (core.root / "reference_profiles.csv").write_text(
        "gene,T cells,Cytotoxic lymphocytes\nCD3D,9,1\nCD5,8,1\nGNLY,1,7\n"
    )
    guests.changed(core, "", '\n[replaces]\ncell_abundances = "mixture_abundances"\n')
    with guests.package(tmp_path / "site", "mixtures", guests.text("mixture_abundances"), "mixture_abundances"):
        guests.made(core)
        before = tiny.dump(core)
    shutil.rmtree(tmp_path / "site")
    assert guests.due(core) == {}
    said = quick("plan", *FEW, cwd=core.root).stdout
    assert "not here: mixture_abundances (of mixtures 1.0): 20 results stand as they are" in said
    assert "mixture_abundances stands in the place of cell_abundances" in said
    archive = tiny.TinyArchive.make(11)
    tiny.ingest(core, archive, images=False)
    rebuild(guests.fresh(core), RebuildOptions(FEW))
    after = tiny.dump(core)
    assert after["cell_abundances"] == before["cell_abundances"] and after["tsh_ratios"] == before["tsh_ratios"]
    assert [b.rule.name for b in check(guests.fresh(core)).broken] == ["guest.absent"]


def test_a_set_that_is_named_and_not_installed(left, core, quick):
    for study, code in ((left, 0), (core, 8)):
        guests.changed(study, "[study]\n", '[study]\nanalyses = ["fan2023", "elsewhere_guests"]\n')
        said = quick("plan", *FEW, cwd=study.root, code=code)
    assert "no set of analyses 'elsewhere_guests' is installed" in said.stderr


@pytest.mark.parametrize("scope", ["keep", "revoke"])
def test_a_patient_leaves_all_of_it(left, quick, scope):
    name = "TCGA-TN-0003"
    assert any(name in line for line in tiny.dump(left)["xy_purities"])
    preview = quick("withdraw", name, "--dry-run", cwd=left.root, code=None)
    assert "xy_purities" in preview.stdout or preview.returncode == 2
    quick("withdraw", name, "--reason", "consent", "--scope", scope, cwd=left.root)
    rows = tiny.dump(guests.fresh(left))
    assert not any(name in line for lines in rows.values() for line in lines)
    assert len(rows["xy_purities"]) == 18 and len(rows["xy_mean_scores"]) == 9
    assert len(rows["xy_mean_models"]) == (0 if scope == "revoke" else 1)
    (certificate,) = (left.root / "withdrawals").glob("*.json")
    said = json.loads(certificate.read_text())
    assert said["models_that_learned_from_the_patient"].count(FIT) == 1
    assert said["rows_erased"].get("xy_purities", 0) == 2 or "xy_purities" not in said["rows_erased"]
    quick("withdraw", "--verify", certificate, cwd=left.root)
    broken = {b.rule.name: b.problems for b in check(guests.fresh(left)).broken}
    assert set(broken) == {"guest.absent", "withdrawal.left"}
    assert all(p.where.startswith("../") for p in broken["withdrawal.left"]), (
        "the files of the study that this one is a copy of"
    )


@pytest.mark.parametrize("kind", ["TEXT", "BLOB"])
def test_no_certificate_while_an_unknown_table_names_the_patient(left, quick, kind):
    name = "TCGA-TN-0003"
    with writing(left.engine) as connection:
        connection.exec_driver_sql(f'CREATE TABLE "odd notes" (id INTEGER, "what ""else" {kind})')
        value = "CAST('seen ' || ? AS BLOB)" if kind == "BLOB" else "'seen ' || ?"
        connection.exec_driver_sql(f'INSERT INTO "odd notes" VALUES (1, {value})', (f"{name}-01A",))
    looked = quick("check", cwd=left.root, code=5)
    assert "odd notes" in looked.stdout and "1 rows" in looked.stdout
    before = tiny.dump(left)
    said = quick("withdraw", name, "--reason", "consent", cwd=left.root, code=5)
    assert "table odd notes" in said.stderr and "names the patient in 1 rows" in said.stderr
    assert tiny.dump(left) == before, "nothing was erased"
    with writing(left.engine) as connection:
        connection.exec_driver_sql('DELETE FROM "odd notes"')
    quick("withdraw", name, "--reason", "consent", cwd=left.root)


def test_it_moves(left, tmp_path):
    left.engine.dispose()
    there = tmp_path / "elsewhere" / "moved"
    shutil.copytree(left.root, there)
    with guests.package(tmp_path / "site", "elsewhere_guests", _text(), "ANALYSES", "2.5"):
        assert guests.due(Study(there)) == {}


def test_a_package_that_cannot_be_loaded_is_one_line(left, tmp_path, quick):
    with guests.package(tmp_path / "site", "broken_guest", "import nothing_of_that_name\n", "ANALYSES"):
        said = quick("plan", cwd=left.root, code=7)
    assert (
        "broken-guest" in said.stderr and "pip uninstall broken-guest" in said.stderr and said.stderr.count("\n") == 1
    )


def test_a_guest_that_makes_a_table_of_ours_without_saying_so_is_refused(core, tmp_path, quick):
    text = guests.text("mixture_abundances").replace('replaces="cell_abundances",', "")
    with guests.package(tmp_path / "site", "second_abundances", text, "mixture_abundances"):
        said = quick("plan", cwd=core.root, code=7)
    assert "made by cell_abundances and by mixture_abundances" in said.stderr


def test_a_result_whose_analysis_is_not_here_is_not_computed(left):
    with pytest.raises(NotFound, match="no analysis 'purities'"):
        rebuild(guests.fresh(left), RebuildOptions(("purities",)))


def test_a_description_that_was_tampered_with_is_an_error_with_its_place(left):
    with writing(left.engine) as connection:
        connection.exec_driver_sql("UPDATE guest_tables SET columns = '[{}]' WHERE table_name = 'xy_purities'")
    with pytest.raises(IntegrityError, match="guest_tables/xy_purities"):
        check(guests.fresh(left))
