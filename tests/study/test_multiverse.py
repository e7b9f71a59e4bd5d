"""Multiverses of a study: each combination has the estimate of a study of its own, and nothing of it is in the study."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.study.test_variants import set_in, text_of_database
from tests.support import tiny
from tests.support.program import ROOT, run_quick
from tshdb.actions import multiverse, withdrawing
from tshdb.actions.multiverse import Options
from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.multiverse import kept
from tshdb.study import Study

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
