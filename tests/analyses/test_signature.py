"""The signature's machinery: forests against scikit-learn's, genetic search, estimators, file, comparisons; no database."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import check_estimator

from analyses.signature import artefact, genetic
from analyses.signature.estimators import Combat, CorrelationFilter, GeneticSelector
from analyses.signature.features import COMPUTED, against, as_values, table_of, training_of
from analyses.signature.folds import folds_of, mean_over_folds
from analyses.signature.forest import FoldForests, ForestSettings
from analyses.signature.plain import plain_fitness, plain_scores
from analyses.signature.settings import ForestParameters, SearchParameters
from analyses.signature.training import fit, signature_of

ROOT = Path(__file__).parents[2]
SMALL = SearchParameters(population=12, generations=5, folds=3, n_trees=15, parsimony=0.01)
SEED = 5


def planted(
    n: int = 60, p: int = 30, strength: float = 1.2, seed: int = SEED, n_planted: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """(patients, features) values and labels; the first features differ between the classes."""
    random = np.random.default_rng(seed)
    is_good = np.arange(n) % 2 == 0
    values = random.standard_normal((n, p))
    values[:, :n_planted] += strength * is_good[:, None]
    return values, is_good


# -------------------------------------------------------------------------------------------------------------- forest


def test_the_forest_is_as_near_to_scikit_learn_as_another_seed_is():
    """Over data sets: scores correlate with scikit-learn's as scikit-learn's of another seed do, and no AUC is biased."""
    ours, theirs, gaps = [], [], []
    for trial in range(6):
        values, is_good = planted(seed=trial)
        fold_of = folds_of(is_good, 5, trial)
        columns = list(range(8))
        compiled = FoldForests(values, is_good, fold_of, ForestSettings(60), trial).scores(columns)
        plain = plain_scores(values[:, columns], is_good, fold_of, 60, 1, trial)
        again = plain_scores(values[:, columns], is_good, fold_of, 60, 1, trial + 100)
        ours.append(np.corrcoef(compiled, plain)[0, 1])
        theirs.append(np.corrcoef(again, plain)[0, 1])
        gaps.append(
            mean_over_folds(is_good, compiled, fold_of, "auc") - mean_over_folds(is_good, plain, fold_of, "auc")
        )
    assert np.mean(ours) > np.mean(theirs) - 0.01 and min(ours) > min(theirs) - 0.05
    assert abs(np.mean(gaps)) < 0.02


def test_a_feature_that_tells_the_classes_is_learned_whole():
    values, is_good = planted(strength=0.0)
    values[:, 4] = is_good * 2.0
    forests = FoldForests(values, is_good, folds_of(is_good, 5, 1), ForestSettings(20), 1)
    assert forests.fitness([4]) == 1.0
    assert set(np.unique(forests.scores([4]))) == {0.0, 1.0}


def test_constant_and_tied_features_are_no_trouble():
    values, is_good = planted(n=70)
    values[:, 0] = 3.0
    values[:, 1] = np.round(values[:, 1])
    forests = FoldForests(values, is_good, folds_of(is_good, 5, 1), ForestSettings(20, min_leaf=3), 1)
    assert np.all(np.isfinite(forests.scores([0, 1])))
    share = 35 / 70
    assert np.allclose(forests.scores([0]), share, atol=0.25)  # no split: the share of the training sample


def test_leaves_have_at_least_min_leaf_patients():
    """One tree over one feature: its scores are shares of leaves, and with large leaves there are few of them."""
    values, is_good = planted(n=130)
    fold_of = folds_of(is_good, 2, 1)
    small = FoldForests(values, is_good, fold_of, ForestSettings(1), 1).scores([0])
    large = FoldForests(values, is_good, fold_of, ForestSettings(1, min_leaf=15), 1).scores([0])
    assert len(np.unique(large)) < len(np.unique(small)) or len(np.unique(large)) <= 6
    assert len(np.unique(large)) <= 2 * (65 // 15)


def test_fitness_depends_on_subset_and_seed_alone():
    values, is_good = planted()
    fold_of = folds_of(is_good, 5, 1)
    subsets = [(0,), (0, 1, 2), tuple(range(10)), (5, 9, 12), (29,)]
    forests = FoldForests(values, is_good, fold_of, ForestSettings(15), 1)
    once = forests.fitness_of(subsets, threads=1)
    assert forests.fitness_of(subsets, threads=4) == once
    assert forests.fitness_of(subsets[::-1], threads=2) == once[::-1]
    other = FoldForests(values, is_good, fold_of, ForestSettings(15), 2)
    assert other.fitness_of(subsets) != once


@pytest.mark.parametrize("metric", ["auc", "balanced_accuracy", "accuracy"])
def test_measures_on_folds_by_hand(metric):
    """Fold 0: good .9 .4, poor .6: AUC 1/2, one of two good right, the poor wrong. Fold 1 has one class and does not count."""
    is_good, scores = np.array([True, True, False, True]), np.array([0.9, 0.4, 0.6, 0.1])
    expected = {"auc": 0.5, "balanced_accuracy": (0.5 + 0.0) / 2, "accuracy": 1 / 3}
    assert mean_over_folds(is_good, scores, np.array([0, 0, 0, 1]), metric) == pytest.approx(expected[metric])


# ------------------------------------------------------------------------------------------------------ genetic search


def quick(n_features: int = 20):
    """A fitness that counts the right features: quick, and the best subset is known."""
    wanted = {1, 4, 7}
    return lambda subsets: [len(wanted & set(s)) / 3 - 0.05 * len(set(s) - wanted) for s in subsets]


def test_a_search_finds_what_is_best():
    found = genetic.search(quick(), 20, genetic.GeneticSettings(30, 40), SEED)
    assert found.best.best == (1, 4, 7) and found.best.best_fitness == pytest.approx(1.0)
    assert [g.number for g in found.generations] == list(range(41))
    assert all(b.best_fitness >= a.best_fitness for a, b in zip(found.generations, found.generations[1:], strict=False))


@pytest.mark.parametrize("stopped", [0, 1, 6, 9])
def test_a_search_that_was_stopped_ends_as_one_that_was_not(stopped):
    settings = genetic.GeneticSettings(14, 10)
    whole = genetic.search(quick(), 20, settings, SEED)
    kept = {}
    genetic.search(quick(), 20, settings, SEED, on_generation=lambda s: kept.update({s.best.number: s.to_bytes()}))
    again = genetic.search(quick(), 20, settings, SEED, genetic.Search.from_bytes(kept[stopped]))
    assert again.generations == whole.generations and np.array_equal(again.population, whole.population)
    assert again.to_bytes() == whole.to_bytes()


def test_every_subset_is_judged_once():
    asked: list[tuple] = []

    def fitness(subsets):
        asked.extend(subsets)
        return quick()(subsets)

    found = genetic.search(fitness, 12, genetic.GeneticSettings(20, 15), SEED)
    assert len(asked) == len(set(asked)) == sum(g.n_evaluated for g in found.generations)


def test_subsets_are_never_empty_nor_too_large():
    settings = genetic.GeneticSettings(20, 8, initial_share=0.01, mutation=0.3, max_features=4)
    seen = []
    genetic.search(quick(), 30, settings, SEED, on_generation=lambda s: seen.append(s.population.sum(axis=1)))
    assert np.concatenate(seen).min() >= 1 and np.concatenate(seen).max() <= 4


def test_parsimony_prefers_the_smaller_of_two_that_are_as_good():
    found = genetic.search(lambda subsets: [0.8] * len(subsets), 15, genetic.GeneticSettings(20, 20), SEED)
    assert len(found.best.best) == 1


# ----------------------------------------------------------------------------------------------------------- estimators


@pytest.mark.parametrize(
    "estimator",
    [
        CorrelationFilter(),
        CorrelationFilter(keep="mean_correlation"),
        GeneticSelector(population=4, generations=1, folds=2, n_trees=3),
        GeneticSelector(population=4, generations=0, folds=2, n_trees=2, forest="scikit-learn"),
        Combat(),
    ],
    ids=["filter-auc", "filter-mean", "genetic", "genetic-scikit-learn", "combat"],
)
@pytest.mark.filterwarnings("ignore")
def test_estimators_keep_scikit_learns_conventions(estimator):
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    assert len(results) > 40
    assert [r["check_name"] for r in results if r["status"] == "failed"] == []


def test_of_two_features_that_go_together_the_better_one_stays():
    """By hand: column 1 is column 0 with noise, column 2 is minus column 0, column 3 is alone, column 4 does not vary."""
    values, is_good = planted(n=200, p=1, strength=1.5)
    random = np.random.default_rng(1)
    base = values[:, 0]
    noisy = base + 0.3 * random.standard_normal(200)
    table = np.column_stack([noisy, base, -base, random.standard_normal(200), np.full(200, 7.0)])
    kept = CorrelationFilter(0.8).fit(table, is_good)
    assert list(kept.support_) == [False, True, False, True, False]
    assert list(kept.similar_to_) == [1, -1, 1, -1, -1]
    assert kept.correlation_[2] == pytest.approx(-1.0) and 0.8 < kept.correlation_[0] < 1
    assert kept.transform(table).shape == (200, 2)
    assert CorrelationFilter(1.0).fit(table[:, [0, 1, 3]], is_good).support_.all()


def test_the_selectors_two_forests_run_the_same_search():
    """One evaluation each: the compiled forest's fitness of the same first population, as near as another seed."""
    values, is_good = planted()
    both = [
        GeneticSelector(population=8, generations=0, folds=3, n_trees=30, forest=name, initial_share=0.2).fit(
            values, is_good
        )
        for name in ("compiled", "scikit-learn")
    ]
    first, second = (b.generations_[0] for b in both)
    assert first.mean_size == second.mean_size and abs(first.mean_fitness - second.mean_fitness) < 0.06


def test_combat_takes_out_what_batches_add():
    """Three scanners that shift and stretch: after ComBat means and spreads agree, and what is in the patients stays."""
    random = np.random.default_rng(3)
    truth = random.standard_normal((90, 12))
    batch = np.repeat(["a", "b", "c"], 30)
    shift = {"a": 0.0, "b": 2.0, "c": -1.5}
    scale = {"a": 1.0, "b": 1.6, "c": 0.6}
    seen = truth * np.array([[scale[b]] for b in batch]) + np.array([[shift[b]] for b in batch])
    fitted = Combat().fit(seen, batch=batch)
    clean = fitted.transform(seen, batch)
    assert np.corrcoef(clean.ravel(), truth.ravel())[0, 1] > 0.97 > np.corrcoef(seen.ravel(), truth.ravel())[0, 1] + 0.1
    assert max(abs(clean[batch == b].mean()) for b in "abc") < 0.3
    alone = np.vstack([fitted.transform(seen[i : i + 1], batch[i : i + 1]) for i in range(90)])
    assert np.array_equal(alone, clean)  # a patient's values in whatever company
    part = fitted.of_columns(np.array([7, 2]))
    assert np.array_equal(part.transform(seen[:, [7, 2]], batch), clean[:, [7, 2]])


def test_combat_gives_what_neurocombat_gives():
    """To the digits that its stopping rule leaves open: it ends at a change of 1e-4, and sooner where shifts are negative."""
    frame = pd.read_csv(ROOT / "tests" / "data" / "combat.csv", comment="#")
    before, after = (frame.filter(like=name).to_numpy() for name in ("before", "after"))
    batch = frame["batch"].tolist()
    assert np.abs(Combat().fit(before, batch=batch).transform(before, batch) - after).max() < 2e-5
    assert np.abs(before - after).max() > 1


def test_combat_gives_what_sva_gives():
    """Bioconductor's sva 3.46 (tests/data/combat_sva.R): with ties, zeros, and features that do not vary in a batch or at all."""
    before = pd.read_csv(ROOT / "tests" / "data" / "combat_sva_input.csv")
    after = pd.read_csv(ROOT / "tests" / "data" / "combat_sva_r.csv").to_numpy(float)
    batch, values = before.pop("batch").tolist(), before.to_numpy(float)
    fitted = Combat(tolerance=1e-10).fit(values, batch=batch)
    found = fitted.transform(values, batch)
    assert np.abs(found - after).max() < 1e-7
    assert fitted.without_scale_.tolist() == [-1] * 6 + [0, 0, 1, 1]
    assert np.array_equal(found[:, 6:], values[:, 6:])  # as they are, to the last digit
    alone = Combat(tolerance=1e-10).fit(values[:, :6], batch=batch).transform(values[:, :6], batch)
    assert np.array_equal(found[:, :6], alone)  # and no other feature is moved by them
    part = fitted.of_columns(np.array([9, 0, 6]))
    assert np.array_equal(part.transform(values[:, [9, 0, 6]], batch), found[:, [9, 0, 6]])


def test_a_feature_that_cannot_be_harmonised_is_no_candidate():
    from analyses.signature.settings import FilterParameters
    from analyses.signature.training import filtered, harmonised

    values, is_good = planted(n=40, p=5)
    batches = np.repeat(["a", "b"], 20)
    values[:20, 1] = 0.0  # all of one scanner: it tells the scanners apart
    values[:, 2] = 7.0
    params = FilterParameters(harmonise="combat")
    made, combat = harmonised(values, batches, params)
    assert filtered(made, is_good, params, combat).support_.tolist() == [True, False, False, True, True]
    as_found = FilterParameters()
    assert filtered(values, is_good, as_found, None).support_.tolist() == [True, True, False, True, True]


def test_combat_is_guarded():
    values, _ = planted(n=12, p=4)
    with pytest.raises(ValueError, match="batch b has 1 patients"):
        Combat().fit(values, batch=["a"] * 11 + ["b"])
    with pytest.raises(ValueError, match="no estimate for batch c"):
        Combat().fit(values, batch=["a"] * 6 + ["b"] * 6).transform(values[:1], ["c"])
    with pytest.raises(ValueError, match="NaN"):
        Combat().fit(np.where(values > 1, np.nan, values), batch=["a"] * 6 + ["b"] * 6)
    assert np.array_equal(Combat().fit(values).transform(values), values)  # one batch: nothing to do


# -------------------------------------------------------------------------------------- the whole way, and the leak in it


@pytest.mark.parametrize(("strength", "least", "most"), [(2.2, 0.9, 1.0), (0.0, 0.25, 0.7)], ids=["planted", "noise"])
def test_nested_scores_tell_truth_from_noise(strength, least, most):
    """Planted: patients not seen are told apart. Noise: they are not, while the search's own figure says that they are."""
    values, is_good = planted(n=60, p=60, strength=strength, n_planted=8)
    fold_of = folds_of(is_good, 4, 1)
    scores, claimed = np.empty(60), []
    for fold in range(4):
        train = fold_of != fold
        columns, reached, steps = signature_of(
            values[train],
            is_good[train],
            np.full(train.sum(), "x"),
            SMALL,
            ForestParameters(final_trees=60),
            fold,
            1,
            None,
        )
        claimed.append(reached)
        scores[~train] = steps.scores(values[~train][:, columns])
    nested = mean_over_folds(is_good, scores, np.zeros(60, int), "auc")
    assert least <= nested <= most
    assert np.mean(claimed) > 0.75  # the search always thinks well of itself
    assert strength or np.mean(claimed) > nested + 0.1


def test_the_same_seed_gives_the_same_signature():
    values, is_good = planted()
    batches = np.full(60, "x")
    one, two = (
        signature_of(values, is_good, batches, SMALL, ForestParameters(final_trees=20), SEED, threads, None)
        for threads in (1, 3)
    )
    assert np.array_equal(one[0], two[0]) and one[1] == two[1]
    assert artefact.content_of(one[2]) == artefact.content_of(two[2])


# ------------------------------------------------------------------------------------------------------------- the file


@pytest.fixture(scope="module")
def fitted():
    values, is_good = planted()
    batch = np.where(np.arange(60) < 30, "a", "b")
    combat = Combat().fit(values, batch=batch)
    return fit(
        combat.transform(values, batch), is_good, combat, np.array([0, 2, 9]), ForestParameters(final_trees=30), SEED
    )


def test_a_model_read_by_another_process_scores_to_the_last_bit(fitted, tmp_path):
    path = tmp_path / "model.skops"
    path.write_bytes(artefact.packed(fitted))
    values, _ = planted(seed=9)
    np.savez(tmp_path / "values.npz", values=values[:, [0, 2, 9]])
    code = (
        "import sys, numpy as np; from analyses.signature import artefact\n"
        "steps = artefact.unpacked(sys.argv[1], sys.argv[2])\n"
        "print(steps.scores(np.load(sys.argv[3])['values'], np.full(60, 'b')).tobytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), artefact.content_of(fitted), str(tmp_path / "values.npz")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert bytes.fromhex(done.stdout.strip()) == fitted.scores(values[:, [0, 2, 9]], np.full(60, "b")).tobytes()


def test_a_model_is_read_wherever_its_classes_stand_now(fitted, tmp_path, monkeypatch):
    """A file of another program names our class by another module: the name in files says which it is, both ways."""
    there = {("analyses.signature.estimators", "Combat"): ("analyses.somewhere.else", "Combat")}
    path = tmp_path / "model.skops"
    path.write_bytes(artefact.packed(fitted))
    parts, schema = artefact._opened(path.read_bytes())
    assert "analyses.signature.estimators" in json.dumps(schema)
    artefact._walk(schema, lambda node: artefact._rename(node, there))
    path.write_bytes(artefact._closed(parts, schema))
    with pytest.raises(ValueError, match="analyses.somewhere.else.Combat"):
        artefact.unpacked(path, artefact.content_of(fitted))
    monkeypatch.setattr(
        artefact, "OWN", {name: ours for name, ours in zip(there.values(), artefact.OWN.values(), strict=True)}
    )
    assert artefact.content_of(artefact.unpacked(path, artefact.content_of(fitted))) == artefact.content_of(fitted)
    assert artefact.packed(fitted) == path.read_bytes()


def test_a_model_scores_each_patient_alone(fitted):
    values, _ = planted(seed=9)
    mine, batch = values[:, [0, 2, 9]], np.full(60, "a")
    alone = [fitted.scores(mine[i : i + 1], batch[:1])[0] for i in range(60)]
    assert np.array_equal(alone, fitted.scores(mine, batch))


def test_another_model_is_refused(fitted, tmp_path):
    values, is_good = planted()
    other = fit(values, is_good, None, np.array([0, 2, 9]), ForestParameters(final_trees=30), SEED + 1)
    path = tmp_path / "model.skops"
    path.write_bytes(artefact.packed(other))
    with pytest.raises(ValueError, match="does not hold the model that its row describes"):
        artefact.unpacked(path, artefact.content_of(fitted))


def test_code_in_a_model_file_is_not_run(tmp_path):
    from skops.io import dumps

    path = tmp_path / "model.skops"
    path.write_bytes(dumps({"harmonise": None, "scale": Path, "forest": subprocess.Popen}))
    with pytest.raises(ValueError, match="Popen.* no part of a signature"):
        artefact.unpacked(path, "x")


# ---------------------------------------------------------------------------------------------- features and comparison

SET = {
    "software": "pyradiomics 3.0.1", "settings": '{"bin_width":0.05}', "normalisation": '{"in_plane_mm":0.8}',
    "phase_rule": "{}", "mask_kind": "manual", "intermediate_s": 150.0, "last_s": 450.0,
}  # fmt: skip
MODEL = {k: SET[k] for k in ("software", "settings", "normalisation", "phase_rule")} | {
    "mask_kinds": '{"manual": 40, "les": 2}',
    "seconds": '{"intermediate_s": [110, 170], "last_s": [400, 500]}',
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "refused", "doubted"),
    [
        ({}, None, None),
        ({"settings": '{"bin_width":25}'}, "settings of the features differ.*bin_width 25, not 0.05", None),
        ({"settings": '{ "bin_width": 5e-2 }'}, None, None),
        ({"software": "mirp 2.7"}, "software differs.*mirp 2.7, not pyradiomics 3.0.1", None),
        ({"normalisation": "unknown: c/t"}, "normalisation of the images differs", None),
        ({"phase_rule": '{"rule":"last"}'}, "choice of phases differs", None),
        ({"mask_kind": "fcm"}, None, "outline is of the kind fcm, the training set's manual, les"),
        ({"mask_kind": None}, None, "kind unknown"),
        ({"intermediate_s": 300.0}, None, "intermediate phase is at 300 s, the training set's at 110 to 170 s"),
        ({"intermediate_s": 225.0}, None, None),  # within the slack of 60 s
        ({"last_s": None}, None, None),
    ],
)
def test_what_forbids_a_score_and_what_speaks_against_it(change, refused, doubted):
    import re

    refusals, doubts = against(MODEL, SET | change, 60.0)
    for found, expected in ((refusals, refused), (doubts, doubted)):
        assert len(found) == (expected is not None)
        if expected is not None:
            assert re.search(expected, found[0])


def test_settings_are_compared_as_values():
    model = MODEL | {"settings": '{"binWidth":25,"distances":[1.0]}'}
    assert not against(model, SET | {"settings": '{"distances":[1],"binWidth":25.0}'}, 60.0)[0]
    assert (
        as_values('{"a": [25.0, 0.5, true, null]}') == '{"a":[25,0.5,true,null]}'
        and as_values("unknown: c/t") == "unknown: c/t"
    )


def frames(n: int = 6):
    """Labels, feature sets and computed features of n patients; patient 0 has a second first examination, patient 1 a gap."""
    patients = [f"P{i}" for i in range(n)]
    labels = pd.DataFrame({"patient_id": patients, "label": ["good", "poor"] * (n // 2)})
    labels.loc[2, "label"] = None
    sets = pd.DataFrame(
        [SET | {"examination": f"E{i}", "patient_id": p, "source": COMPUTED} for i, p in enumerate(patients)]
    )
    sets = pd.concat([sets, pd.DataFrame([SET | {"examination": "E99", "patient_id": "P0", "source": COMPUTED}])])
    rows = [
        {"study_uid": e, "feature": f, "feature_class": "glcm", "value": None if (e, f) == ("E1", "tumor.b") else i + j}
        for i, e in enumerate(sets["examination"])
        for j, f in enumerate(("tumor.a", "tumor.b", "stroma.c"))
    ]
    rows.append({"study_uid": "E3", "feature": "stroma.SI", "feature_class": None, "value": None})  # no mask: a reason
    imported = pd.DataFrame(columns=["examination", "feature_table", "features"])
    return labels, sets.reset_index(drop=True), pd.DataFrame(rows), imported


def test_training_patients_are_those_with_label_and_features():
    labels, sets, computed, imported = frames()
    data = training_of(labels, sets, computed, imported, pd.DataFrame({"patient_id": range(9)}), COMPUTED)
    assert data.patients == ["P0", "P1", "P3", "P4", "P5"] and data.n_left_out == 4
    assert data.names == ["stroma.c", "tumor.a"] and data.incomplete == {"tumor.b": 1}
    assert data.values[0].tolist() == [2.0, 0.0]  # E0, not E99
    assert data.problem(2) is None and "3 poor with features: fewer than 4" in data.problem(4)
    only = training_of(labels, sets, computed, imported, labels, COMPUTED, "stroma.")
    assert only.names == ["stroma.c"]


def test_imported_features_are_read_by_their_table():
    sets = pd.DataFrame([SET | {"examination": e, "patient_id": e, "source": t} for e, t in (("A", "x"), ("B", "y"))])
    imported = pd.DataFrame(
        {"examination": ["A", "B"], "feature_table": ["x", "y"],
         "features": [json.dumps({"tumor.a": 1.5, "tumor.b": None}), json.dumps({"tumor.a": 2.5})]}
    )  # fmt: skip
    found = table_of(sets, pd.DataFrame(columns=["study_uid", "feature", "feature_class", "value"]), imported, "x")
    assert list(found.index) == ["A"] and found.loc["A", "tumor.a"] == 1.5 and np.isnan(found.loc["A", "tumor.b"])


def test_plain_and_settings_are_one():
    """Every setting of the selector is a parameter of study.toml, by the same name and with the same default."""
    from analyses.signature.training import SELECTOR

    defaults = SearchParameters()
    estimator = GeneticSelector()
    assert {n: getattr(defaults, n) for n in SELECTOR} == {n: getattr(estimator, n) for n in SELECTOR}
    of_search = dataclasses.asdict(genetic.GeneticSettings())
    assert {n: getattr(defaults, n) for n in of_search} == of_search
    values, is_good = planted(n=30, p=4)
    assert plain_fitness(values, is_good, folds_of(is_good, 3, 1), 10, 1, 1, "auc") > 0.5
