"""Multiverses of a study: each combination has the estimate of a study of its own, and nothing of it is in the study."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from soak.variants import set_in, text_of_database
from tests.support import tiny
from tests.support.program import ROOT, run_quick
from tshdb.actions import multiverse, withdrawing
from tshdb.actions.combinations import Wanted, Workers, shares
from tshdb.actions.multiverse import Options
from tshdb.errors import Busy, InvalidInput, NotFound, ResourceError, TshdbError
from tshdb.figures.curve_drawings import drawing
from tshdb.multiverse import kept
from tshdb.study import Study
from tshdb.variants.copies import backup

GROUP = f'[estimate]\ntable = "cox_terms"\nrow = {{cohort = "{tiny.COHORT}", model = "group"}}\n'
T_CELLS = (
    f'[estimate]\ntable = "cox_terms"\nrow = {{cohort = "{tiny.COHORT}", model = "univariable", term = "T cells"}}\n'
)
THREE_BY_TWO = (
    '[choices]\n"cutoff.method" = ["fixed", "median", "maxstat"]\n"tsh_ratios.biomarker" = ["ratio", "difference"]\n'
)
HORIZON = '[choices]\n"univariable_cox.censor_at_days" = [730, 1461]\n'
QUICK = Options(n_permutations=0)


def written(study: Study, text: str, name: str = "curve.toml") -> Path:
    (study.root / name).write_text(text)
    return study.root / name


def estimates(curve) -> dict[tuple[str, ...], float | None]:
    return {p.labels: p.result.estimate for p in curve.points}


def apart(study: Study, folder: Path, settings: tuple[str, ...], query: str):
    """What a study of its own with these settings has."""
    other = tiny.copy_study(study, folder)
    set_in(other, settings)
    tiny.rebuild(other, names=("tsh_cox",))
    (value,) = Study(other.root).sql(query)["hazard_ratio"]
    other.engine.dispose()
    return None if value is None or value != value else float(value)


def test_estimates_are_those_of_studies_of_their_own(study, tmp_path):
    """Three by two; and outcomes as they are give in memory what the engine has stored."""
    before = text_of_database(study.sqlite_path)
    curve = multiverse.run(study, written(study, GROUP + THREE_BY_TWO), Options(n_permutations=3))
    query = f"SELECT hazard_ratio FROM cox_terms WHERE model = 'group' AND cohort = '{tiny.COHORT}@1'"
    found = estimates(curve)
    for number, (method, biomarker) in enumerate(found):
        settings = (f"cutoff.method={method}", f"tsh_ratios.biomarker={biomarker}")
        assert apart(study, tmp_path / str(number), settings, query) == found[method, biomarker], settings
    assert len(found) == 6 and len({value for value in found.values() if value is not None}) > 2
    assert curve.inference is not None and curve.inference.n == 3 and curve.notes == ()
    assert text_of_database(study.sqlite_path) == before
    assert multiverse.run(study, study.root / "curve.toml", Options(n_permutations=2)).n_computed == 0
    assert list((study.root / "variants").glob("multiverse-*")) == []
    optimistic = {p.labels[0] for p in curve.points if p.result.is_optimistic}
    assert '"maxstat"' in optimistic and '"median"' not in optimistic


def test_interrupted_it_goes_on_where_it_was(core):
    """Killed after the first of two combinations: that one is kept, the copy that was left goes, the study is as it was."""
    path = written(core, T_CELLS + HORIZON)
    before = text_of_database(core.sqlite_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TSHDB_FAILPOINT": "multiverse.kept"}
    words = [sys.executable, "-m", "cli.main", "multiverse", "curve.toml", "--permutations", "0"]
    assert subprocess.run(words, cwd=core.root, env=environment, capture_output=True, timeout=300).returncode == 137
    folder = core.root / "multiverse" / "curve"
    (first,) = kept.read(folder).values()
    assert (core.root / "variants/multiverse-curve/work/study.db").is_file()
    assert multiverse.plan(core, path, QUICK).facts["to_compute"] == 1
    curve = multiverse.run(core, path, QUICK)
    assert curve.n_computed == 1 and first in [p.result for p in curve.points]
    assert not (core.root / "variants/multiverse-curve").exists()
    assert text_of_database(core.sqlite_path) == before
    said = json.loads(run_quick("multiverse", "curve.toml", "--permutations", "0", "--json", cwd=core.root).stdout)
    assert (
        said["computed"] == 0
        and len(said["combinations"]) == 2
        and Path(said["picture"]).read_text().startswith("<?xml")
    )


def facts_of(curve) -> list[dict]:
    """All that is said of combinations, but when and how long."""
    return [
        {k: v for k, v in p.result._asdict().items() if k not in ("computed_at", "seconds")} | {"labels": p.labels}
        for p in curve.points
    ]


def test_any_number_of_processes_gives_the_same(core, tmp_path):
    """Five combinations in one process, in two and in three: results, exchanges and the picture."""
    text = T_CELLS + '[choices]\n"univariable_cox.censor_at_days" = [600, 730, 1000, 1461, 3000]\n'
    other = tiny.copy_study(core, tmp_path / "other")
    curves = []
    for n_workers in (1, 2, 3):
        shutil.rmtree(other.root / "multiverse", ignore_errors=True)
        curves.append(multiverse.run(other, written(other, text), Options(n_permutations=3, n_workers=n_workers)))
        assert list((other.root / "variants").glob("multiverse-*")) == []
    one, *others = curves
    assert one.inference is not None and one.n_computed == 5
    for each in others:
        assert facts_of(each) == facts_of(one) and each.inference == one.inference
        assert drawing(each, "svg").data == drawing(one, "svg").data


def test_how_many_processes_there_are(monkeypatch):
    monkeypatch.setattr("tshdb.actions.multiverse.n_cores", lambda: 4)
    assert [Options(n_workers=None).n_processes(n) for n in (0, 1, 11, 12, 24, 96)] == [1, 1, 1, 2, 4, 4]
    assert [Options(n_workers=3).n_processes(n) for n in (0, 2, 96)] == [1, 2, 3]
    assert [list(share) for share in shares(5, 2)] == [[0, 1], [2, 3, 4]]
    assert [list(share) for share in shares(6, 3)] == [[0, 1], [2, 3], [4, 5]]


def begun(study: Study, n_workers: int) -> tuple[Workers, multiverse.Multiverse]:
    """Processes with copies of their own, and what they are to compute."""
    planned = multiverse.plan(study, written(study, T_CELLS + HORIZON), QUICK)
    wanted = Wanted(planned.asked.followed, planned.analysis, planned.data, None)
    paths = [study.root / f"{number}.db" for number in range(n_workers)]
    for path in paths:
        backup(study.sqlite_path, path)
    return Workers(study.root, wanted, paths), planned


def test_a_process_that_is_ended_from_outside_is_said(core):
    workers, planned = begun(core, 2)
    try:
        workers._processes[0].kill()
        with pytest.raises(ResourceError, match="ended from outside"):
            list(workers.results(planned.pending))
    finally:
        workers.close()
    assert not any(process.is_alive() for process in workers._processes)


def test_what_would_be_computed_otherwise_is_not_computed(core):
    """The process finds other code or data than the plan: nothing of it is taken. What goes wrong there is raised here."""
    workers, planned = begun(core, 1)
    try:
        moved = [one._replace(made_of="another") for one in planned.pending]
        with pytest.raises(Busy, match="was changed meanwhile") as refused:
            list(workers.results(moved))
    finally:
        workers.close()
    assert any("Traceback" in note for note in refused.value.__notes__)


def test_killed_with_its_processes(core):
    """Who started them is gone: they end, and the same command goes on."""
    path = written(core, T_CELLS + HORIZON)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TSHDB_FAILPOINT": "multiverse.kept"}
    words = [sys.executable, "-m", "cli.main", "multiverse", "curve.toml", "--permutations", "0", "--jobs", "2"]
    assert subprocess.run(words, cwd=core.root, env=environment, capture_output=True, timeout=300).returncode == 137
    assert len(kept.read(core.root / "multiverse" / "curve")) == 1
    assert multiverse.run(core, path, QUICK).n_computed == 1
    assert not (core.root / "variants/multiverse-curve").exists()


@pytest.mark.parametrize("model", ["group", "continuous"])
def test_models_that_are_not_followed_are_left_out_and_nothing_moves(study, monkeypatch, model):
    """With and without the values that make the other models of the table say at once that nothing varies."""
    set_in(study, ["tsh_cox.allow_training_patients=true", 'tsh_cox.cohorts=["everyone"]', "tsh_cox.min_events=1"])
    tiny.rebuild(study)
    text = f'[estimate]\ntable = "cox_terms"\nanalysis = "tsh_cox"\nrow = {{cohort = "everyone", model = "{model}"}}\n'
    text += '[choices]\n"tsh_cox.censor_at_days" = [2900]\n'
    found = []
    for alike in (None, lambda frame, column, value: frame):
        shutil.rmtree(study.root / "multiverse", ignore_errors=True)
        if alike is not None:
            monkeypatch.setattr("tshdb.multiverse.permuted._alike", alike)
        (point,) = multiverse.run(Study(study.root), written(study, text), Options(n_permutations=4)).points
        assert point.result.permuted is not None and point.result.permuted.refused is None
        found.append(point.result.permuted)
    assert found[0] == found[1] and any(value is not None for value in found[0].estimates)


def test_a_study_that_moved_makes_results_stale(core, archive):
    path = written(core, T_CELLS + HORIZON)
    before = estimates(multiverse.run(core, path, QUICK))
    archive.add(11)
    tiny.ingest(core, archive, images=False)
    assert multiverse.plan(Study(core.root), path, QUICK).facts["to_compute"] == 2
    assert estimates(multiverse.run(Study(core.root), path, QUICK)) == before  # of the frozen cohort
    assert multiverse.plan(Study(core.root), path, QUICK).facts["to_compute"] == 0
    set_in(core, ["tsh_ratios.biomarker=difference"])
    moved = multiverse.run(Study(core.root), path, QUICK)
    assert moved.n_computed == 2 and estimates(moved) != before


def test_a_choice_that_does_nothing_is_computed_once_and_said(core):
    """The cut-off is not on the way to a ratio's Cox model. A least denominator is, and moves nothing."""
    choices = HORIZON + '"cutoff.quantile" = [0.2, 0.3, 0.4]\n"tsh_ratios.min_denominator" = [0.05, 0.051]\n'
    curve = multiverse.run(core, written(core, T_CELLS + choices), QUICK)
    assert curve.n_computed == 4 and curve.counts["combinations"] == 12 and curve.counts["made_differently"] == 4
    horizon, quantile, denominator = curve.choices
    assert horizon.words is None and horizon.n_moved == horizon.n_sets == 6
    assert quantile.words == "does nothing: nothing on the way to this result reads it"
    assert denominator.words == "does nothing: the result is the same whatever is chosen"
    assert "does nothing" in run_quick("multiverse", "curve.toml", "--permutations", "0", cwd=core.root).stdout


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ('"cutof.method" = ["median"]', 'choice cutof.method = "median"'),
        ('"cutoff.methd" = ["median"]', 'choice cutoff.methd = "median"'),
        ('"cutoff.method" = ["median", "mean"]', 'choice cutoff.method = "mean"'),
        ('"cutoff.quantile" = [0.5, 1.5]', "choice cutoff.quantile = 1.5"),
        ('"study.objects" = ["x"]', "choice study.objects"),
    ],
)
def test_what_study_toml_would_refuse_is_refused_before_anything_runs(core, choice, says):
    with pytest.raises(InvalidInput) as refused:
        multiverse.run(core, written(core, f"{T_CELLS}[choices]\n{choice}\n"), QUICK)
    assert says in str(refused.value) and "\n" not in str(refused.value)
    assert not (core.root / "multiverse").exists() and not (core.root / "variants").exists()


@pytest.mark.parametrize(
    ("estimate", "says"),
    [
        ('table = "cox_term"\nrow = {}\ncolumn = "hazard_ratio"', "Did you mean cox_terms"),
        ('table = "units"\ncolumn = "unit_id"', "no table of results"),
        ('table = "cox_terms"\nrow = {modell = "group"}', "no column 'modell'"),
        ('table = "cox_terms"\ncolumn = "hazard"', "no column 'hazard'"),
        ('table = "cox_terms"\nrow = {term = "Bacteria"}', "no row of cox_terms is so"),
        ('table = "cox_terms"\nrow = {model = "univariable"}', "rows of cox_terms are meant"),
        ('table = "cox_terms"\nanalysis = "tsh_coxx"', "no analysis 'tsh_coxx'"),
    ],
)
def test_a_row_that_is_not_one_is_refused(core, estimate, says):
    with pytest.raises((InvalidInput, NotFound)) as refused:
        multiverse.run(core, written(core, f"[estimate]\n{estimate}\n{HORIZON}"), QUICK)
    assert says in str(refused.value) and "curve.toml: [estimate]" in str(refused.value)
    assert not (core.root / "multiverse").exists()


def test_an_older_version_of_a_cohort_is_refused(core, archive):
    archive.add(11)
    tiny.ingest(core, archive, images=False)
    tiny.freeze(core)
    tiny.rebuild(core, tiny.CORE)
    with pytest.raises(InvalidInput, match="is not the newest version"):
        multiverse.plan(core, written(core, T_CELLS.replace(tiny.COHORT, f"{tiny.COHORT}@1") + HORIZON))
    assert multiverse.plan(core, written(core, T_CELLS.replace(tiny.COHORT, f"{tiny.COHORT}@2") + HORIZON)).notes == ()


@pytest.mark.parametrize(
    ("estimate", "choices"),
    [
        ('table = "logrank_tests"\nrow = {ROW, grouping = "tsh_ratio"}', '"cutoff.method" = ["maxstat", "median"]'),
        ('table = "cox_terms"\nrow = {ROW, model = "stroma", term = "T cells"}', '"abundance_cox.censor_at_days" = [2900]'),
        ('table = "cox_terms"\nrow = {ROW, model = "continuous"}', '"cutoff.population" = ["T cells", "Fibroblasts"]'),
        ('table = "cox_terms"\nrow = {ROW, model = "univariable", term = "T cells"}\np = "p_adjusted"',
         '"tsh_ratios.biomarker" = ["difference"]'),
    ],
)  # fmt: skip
def test_memory_gives_what_the_engine_has_stored(study, estimate, choices):
    """For each of the analyses that outcomes are exchanged for; where it does not, there is a note and no inference."""
    text = f"[estimate]\n{estimate}\n[choices]\n{choices}\n".replace("ROW", f'cohort = "{tiny.COHORT}"')
    curve = multiverse.run(study, written(study, text), Options(n_permutations=2))
    assert curve.notes == () and curve.inference is not None and curve.inference.n_combinations == len(curve.points)
    permuted = curve.points[0].result.permuted
    assert permuted is not None and len(permuted.estimates) == 2
    assert any(value is not None and value != curve.points[0].result.estimate for value in permuted.estimates)


def test_a_variant_in_its_place_is_not_touched(core):
    folder = core.root / "variants" / "multiverse-curve"
    folder.mkdir(parents=True)
    (folder / "variant.toml").write_text("[cutoff]\nquantile = 0.3\n")
    with pytest.raises(TshdbError, match="a variant is named multiverse-curve"):
        multiverse.run(core, written(core, T_CELLS + HORIZON), QUICK)
    assert (folder / "variant.toml").is_file()


def test_inference_is_not_offered_where_the_way_is_long(study):
    """A model's AUC; a model of several terms; and a score whose labels a searched cut-off made."""
    of_auc = (
        '[estimate]\ntable = "model_performance"\nrow = {model = "tsh_model", scheme = "nested", measure = "auc"}\n'
    )
    quantiles = '[choices]\n"cutoff.quantile" = [0.4, 0.5]\n'
    (note,) = multiverse.plan(study, written(study, of_auc + quantiles)).notes
    assert note.startswith("no permutation of outcomes for model_performance: offered for logrank_tests")
    age = GROUP.replace('"group"', '"multivariable", term = "age_years"')
    (note,) = multiverse.plan(study, written(study, age + quantiles)).notes
    assert "a model of several terms" in note
    assert multiverse.plan(study, written(study, GROUP + THREE_BY_TWO)).notes == ()


def test_a_withdrawal_takes_its_results_away(study):
    path = written(study, T_CELLS + HORIZON)
    multiverse.run(study, path, QUICK)
    work = study.root / "variants" / "multiverse-curve" / "work"  # as a run leaves it that was killed
    work.mkdir(parents=True)
    shutil.copy(study.sqlite_path, work / "study.db")
    assert withdrawing.preview(study, "TCGA-TN-0003").multiverses == ["curve"]
    run_quick("withdraw", "TCGA-TN-0003", "--reason", "asked", cwd=study.root)
    assert kept.read(study.root / "multiverse" / "curve") == {} and not work.exists()
    certificate = next((study.root / "withdrawals").glob("*.json"))
    assert json.loads(certificate.read_text())["multiverses_emptied"] == ["curve"]
    assert multiverse.plan(Study(study.root), path, QUICK).facts["to_compute"] == 2
