"""The ladder on simulated feature tables: what was planted is told, and what cannot be computed says why in its row.

`soak/ladder.py` judges 40 such tables.
"""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from matplotlib import rc_context

from analyses.shared.paired_auc import placements
from analyses.signature import rungs as rungs_module
from analyses.signature.control_rungs import CONTROLS
from analyses.signature.features import training_of
from analyses.signature.genetic import Search
from analyses.signature.ladder_verdict import finding, short
from analyses.signature.nested import mean_scores
from analyses.signature.rungs import Outer, logistic, noise, out_of_fold, permuted
from analyses.signature.signature_ladder import DRAWN, SHOWN, SignatureLadderParameters, signature_ladder
from analyses.signature.training import fit
from analyses.signature.validation import CovariateParameters
from analyses.tsh_model.tsh_modelling import auc
from tests.support.ladder_tables import NO_CONTROLS, TEXTURES, TRUTHS, VOLUME, ladder, nested, tables, verdict
from tshdb.figures import signature_drawings
from tshdb.figures.drawings import STYLE
from tshdb.tables import layouts
from tshdb.tables.rows import OF_TSH, records
from tshdb.vocabulary import LadderVerdict

FEW = {"population": 4, "generations": 1, "folds": 2, "n_trees": 3, "final_trees": 5, "n_random": 3, "n_searched": 2}
INTERVALS = ("ci_lower", "ci_upper", "difference_lower", "difference_upper")


@pytest.fixture(scope="module")
def texture() -> dict[str, pd.DataFrame]:
    return tables("texture", 1)


@pytest.fixture(scope="module")
def fold_scores(texture) -> pd.DataFrame:
    return nested(texture, **{k: v for k, v in FEW.items() if not k.startswith("n_random") and k != "n_searched"})


# ---------------------------------------------------------------------------------------------------- what was planted


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("truth", TRUTHS)
def test_what_was_planted_is_told(truth, seed):
    word, words = verdict(truth, seed)
    assert word == ("adds" if truth == "texture" else "volume only"), words
    said = (
        "adds to volume alone: difference " if truth == "texture" else "nothing beyond volume can be shown: difference "
    )
    assert words.startswith(said)
    assert ("the signature's own AUC is not above .50" in words) == (truth == "nothing")


# ------------------------------------------------------------------------------------------------------------ the rungs


@pytest.fixture(scope="module")
def rungs(texture, fold_scores) -> pd.DataFrame:
    return ladder(texture, fold_scores, **FEW)


def test_every_rung_has_its_figures(rungs):
    assert list(rungs.index) == list(SHOWN) and list(rungs["position"]) == list(range(len(SHOWN)))
    assert rungs["verdict"].notna().tolist() == [True] + [False] * (len(SHOWN) - 1)
    assert rungs.loc[list(CONTROLS), "reason"].str.startswith("not asked for: [control_features] controls").all()
    rungs = rungs.drop(index=list(CONTROLS))
    assert (rungs["n"] == 90).all() and rungs["auc"].between(0, 1).all()
    drawn = rungs.loc[list(DRAWN)]
    assert drawn["n_draws"].tolist() == [3, 2, 2] and rungs.drop(index=list(DRAWN))["n_draws"].isna().all()
    for _, row in drawn.iterrows():
        draws = json.loads(row["draws"])
        assert row["auc"] == pytest.approx(np.mean(draws), abs=1e-6)
        assert (row["lowest"], row["highest"]) == pytest.approx((min(draws), max(draws)), abs=1e-6)
        assert row["n_reached"] == sum(a >= rungs.loc["signature", "auc"] for a in draws)
    others = rungs.drop(index="signature")
    assert (others["difference"] - (rungs.loc["signature", "auc"] - others["auc"])).abs().max() < 1e-12
    assert rungs.drop(index=["signature", "permuted labels"])[list(INTERVALS)].notna().all().all()
    assert rungs.loc["permuted labels", "difference_lower"] is None or np.isnan(
        rungs.loc["permuted labels", "difference_lower"]
    )
    assert "no paired interval" in rungs.loc["permuted labels", "reason"]
    assert rungs.loc["shape", "n_features"] == 14 and rungs.loc["clinical", "n_features"] == 4
    assert rungs.loc["clinical", "reason"] == "without her2_status: known for 0% of the patients"
    assert rungs.loc["shape", "search"] == "4 x 1" and not rungs.loc["volume", "search"]


def test_the_signatures_own_row_is_its_nested_auc(rungs, fold_scores):
    assert rungs.loc["signature", "auc"] == pytest.approx(auc(*mean_scores(fold_scores)), abs=1e-12)


def test_volume_is_learned_in_the_signatures_own_folds(texture, fold_scores, rungs):
    """Of one column a logistic regression keeps or turns the order: the score of a fold's patients is their rank by volume."""
    volume = texture["computed"].query("feature == @VOLUME").set_index("study_uid")["value"].to_numpy(float)
    ordered = fold_scores.sort_values("patient_id")
    outer = Outer(ordered["is_good"].to_numpy(bool), ordered["fold"].to_numpy(int)[None, :])
    scores = logistic(outer, volume[:, None])
    for fold in range(5):
        held_out = outer.fold_of[0] == fold
        assert abs(pd.Series(scores[held_out]).corr(pd.Series(volume[held_out]), "spearman")) == pytest.approx(1)
    assert auc(outer.is_good, scores) == pytest.approx(rungs.loc["volume", "auc"], abs=1e-12)


def test_the_same_seed_gives_the_same_ladder(texture, fold_scores, rungs):
    pd.testing.assert_frame_equal(ladder(texture, fold_scores, **FEW), rungs)
    other = ladder(texture, fold_scores, seed=2, **FEW)
    assert all(other.loc[rung, "draws"] != rungs.loc[rung, "draws"] for rung in DRAWN)
    assert other.loc["signature", "auc"] == rungs.loc["signature", "auc"]


def test_nobody_is_scored_by_what_has_seen_her():
    outer = Outer(np.array([True, False] * 6), np.tile(np.arange(12) % 3, (2, 1)))
    seen = []

    def scores_of(repeat, fold, train, test):
        assert not train[test].any() and (outer.fold_of[repeat][test] == fold).all()
        seen.append(test)
        return np.where(test == 4, np.nan, repeat + test)

    is_known = np.arange(12) != 7
    scores = out_of_fold(outer, is_known, scores_of)
    assert np.isnan(scores[[4, 7]]).all() and len(seen) == 6
    assert np.delete(scores, [4, 7]).tolist() == [i + 0.5 for i in range(12) if i not in (4, 7)], (
        "the mean of two repeats"
    )


def test_permuting_keeps_the_labels_and_moves_whole_patients(texture):
    given = {k: v for k, v in texture.items() if k != "patients"}
    data = training_of(**given, source="computed")
    moved = permuted(data, (1, 7, 0))
    assert (moved.is_good == data.is_good).all() and not (moved.values == data.values).all()
    places = [int(np.flatnonzero((data.values == row).all(axis=1))[0]) for row in moved.values]
    assert sorted(places) == list(range(90))
    assert [data.sets["patient_id"][i] for i in places] == list(moved.sets["patient_id"])


def test_noise_is_standard_normal_and_keeps_the_patients(texture):
    data = training_of(**{k: v for k, v in texture.items() if k != "patients"}, source="computed")
    other = noise(data, (1, 6, 0))
    assert other.patients == data.patients and other.names == data.names and other.values.shape == data.values.shape
    assert abs(other.values.mean()) < 0.06 and other.values.std() == pytest.approx(1, abs=0.05)
    assert abs(np.corrcoef(other.values.ravel(), data.values.ravel())[0, 1]) < 0.06


def test_every_draw_is_another_and_random_features_are_as_many_as_the_signatures(texture, fold_scores, monkeypatch):
    seeds, sizes = [], []

    def noted(make, kept, at):
        def instead(*args):
            kept.append(args[at])
            return make(*args)

        return instead

    for name in ("noise", "permuted"):
        monkeypatch.setattr(rungs_module, name, noted(getattr(rungs_module, name), seeds, 1))
    monkeypatch.setattr(rungs_module, "random_columns", noted(rungs_module.random_columns, sizes, 2))
    drawn = noted(rungs_module.seed_of, own := [], slice(None))
    monkeypatch.setattr(rungs_module, "seed_of", drawn)
    ladder(texture, fold_scores, **FEW)
    assert len(seeds) == len(set(seeds)) == 4 and len(own) == len(set(own)) == 5 * (1 + 1 + 3 + 2 + 2)
    by_fold = fold_scores.drop_duplicates("fold").sort_values("fold")["features"].map(json.loads).map(len)
    assert len(sizes) == 3 and all(one.tolist() == [by_fold.tolist()] for one in sizes) and len(set(by_fold)) > 1


def test_random_features_are_drawn_in_their_number(texture, fold_scores, monkeypatch):
    data = training_of(**{k: v for k, v in texture.items() if k != "patients"}, source="computed")
    outer, widths = rungs_module.outer_of(fold_scores, data.patients), []

    def noted(values, is_good, combat, columns, params, seed):
        widths.append(tuple(columns))
        return fit(values, is_good, combat, columns, params, seed)

    monkeypatch.setattr(rungs_module, "fit", noted)
    scores = rungs_module.random_columns(
        outer, data, np.array([[3, 0, 5, 1, 99]]), SignatureLadderParameters(final_trees=2), (1, 5, 0)
    )
    assert [len(columns) for columns in widths] == [3, 5, 1, len(data.names)]
    assert (np.isnan(scores) == (outer.fold_of[0] == 1)).all(), "a fold in which the signature has none scores nobody"


def test_noise_and_permuted_labels_know_nothing_and_the_texture_is_known(texture):
    """Four draws each, pooled: none of them is far from one half, and the signature is."""
    scores = nested(texture)
    rows = ladder(texture, scores, n_random=4, n_searched=2)
    assert rows.loc["signature", "auc"] > 0.7
    assert rows.loc[["noise", "permuted labels"], "auc"].between(0.3, 0.68).all()
    assert rows.loc[["noise", "permuted labels"], "n_reached"].eq(0).all()
    assert rows.loc["noise", "difference_lower"] > 0


def test_a_search_goes_on_from_what_was_kept(texture, fold_scores, tmp_path):
    from tests.support.ladder_tables import QUICK
    from tshdb.engine.work import Work

    params = SignatureLadderParameters(**QUICK | FEW)
    given = {**NO_CONTROLS, **texture, "fold_scores": fold_scores, "params": params, "seed": 1}
    rows = signature_ladder.function(**given, work=Work(tmp_path / "work"))
    kept = sorted(p.name for p in (tmp_path / "work").iterdir())
    assert len(kept) == 1 + 5 * (1 + 2 + 2), "progress, and a search in each fold of shape, noise and permuted labels"
    assert (tmp_path / "work" / "progress").read_text() == "50 50 generations"
    searches = [Search.from_bytes((tmp_path / "work" / name).read_bytes()) for name in kept if name != "progress"]
    assert all(len(s.generations) == 2 for s in searches)
    again = signature_ladder.function(**given, work=Work(tmp_path / "work"))
    pd.testing.assert_frame_equal(again, rows)


# --------------------------------------------------------------------------------------------------------- what is shown


def shown(rungs: pd.DataFrame) -> list[dict]:
    """As rows of the study's table are read."""
    rows = records(rungs.reset_index().assign(cohort="radiogenomic_development@1"))
    return [row | {"label": OF_TSH} for row in rows]


def test_the_table_says_the_verdict_and_what_each_rung_lacks(rungs):
    (layout,) = layouts.ladder(shown(rungs))
    first = rungs.loc["signature"]
    assert first["verdict"] in layout.title and layout.notes[0] == f"Verdict: {first['finding']}."
    assert [cells[0] for cells in layout.cells] == list(SHOWN)
    by_rung = {cells[0]: cells for cells in layout.cells}
    assert by_rung["signature"][6] is None and by_rung["volume"][4].startswith(f"{rungs.loc['volume', 'auc']:.2f} (")
    low, high = rungs.loc["volume", ["difference_lower", "difference_upper"]]
    assert by_rung["volume"][6] == f"{rungs.loc['volume', 'difference']:+.2f} ({low:+.2f} to {high:+.2f}; n = 90)"
    assert by_rung["noise"][5].endswith(f"; {rungs.loc['noise', 'n_reached']:.0f} of 2 reach the signature")
    (said,) = (note for note in layout.notes if note.startswith(f"{by_rung['permuted labels'][-1]}: "))
    assert "no paired interval" in said and "4 x 1" in layout.notes[2]
    worth = rungs.loc["forest without search", "finding"]
    assert worth.startswith("the search was worth ") and layout.notes[1] == f"T{worth[1:]}."


def test_a_ladder_that_cannot_be_judged_is_shown_with_its_reason(texture, fold_scores):
    rows = ladder(texture, fold_scores.iloc[:0], **FEW)
    (layout,) = layouts.ladder(shown(rows))
    assert "cannot be judged" in layout.title and "the signature has no nested scores" in layout.notes[0]
    assert len([note for note in layout.notes if note.startswith("a: the signature has no nested scores")]) == 1


@pytest.mark.parametrize("is_judged", [True, False])
def test_the_figure_says_the_verdict(rungs, texture, fold_scores, is_judged):
    rows = rungs if is_judged else ladder(texture, fold_scores.iloc[:0], **FEW)
    frame = pd.DataFrame(shown(rows))
    finding = rows.loc["signature", "finding"]
    with rc_context(STYLE):
        figure = signature_drawings.ladder(frame, "cohort: verdict", finding)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg")
    written = buffer.getvalue().decode()
    assert finding.split(":")[0] in written
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()][0] == (
        "signature (n = 90)" if is_judged else "signature"
    )
    n_points = [sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "o") for axes in (left, right)]
    assert n_points == ([11 + 3 + 2 + 2, 10] if is_judged else [0, 0])
    assert ("the signature has no nested scores" in written) is not is_judged
    assert ("not asked for:" in written) is is_judged


# ------------------------------------------------------------------------------------------------- what cannot be computed


def test_one_kind_too_small_is_the_reason_of_every_row(texture, fold_scores):
    labels = texture["labels"].copy()
    good = labels.index[labels["label"] == "good"]
    labels.loc[good[3:], "label"] = None
    rows = ladder(texture | {"labels": labels}, fold_scores, **FEW)
    n_poor = 90 - len(good)
    assert set(rows["reason"]) == {f"3 good and {n_poor} poor with features: fewer than 10 of one kind"}
    assert rows["auc"].isna().all() and rows.loc["signature", "verdict"] == "cannot be judged"
    assert rows.loc["signature", "finding"] == f"cannot be judged: signature: {rows['reason'].iloc[0]}"


def test_without_volume_nothing_is_judged(texture, fold_scores):
    computed = texture["computed"].query("feature != @VOLUME")
    rows = ladder(texture | {"computed": computed}, fold_scores, **FEW)
    why = f"no feature {VOLUME} among those of computed: [signature_ladder] volume names another"
    assert rows.loc["volume", "reason"] == rows.loc["volume by forest", "reason"] == why
    assert rows.loc["signature", "finding"] == f"cannot be judged: volume: {why}"
    assert rows.drop(index=["volume", "volume by forest", *CONTROLS])["auc"].notna().all(), "the others are there"
    named = ladder(texture | {"computed": computed}, fold_scores, **FEW, volume="tumor.shape.VoxelVolume")
    assert named.loc["volume", "auc"] > 0 and named.loc["signature", "verdict"] != "cannot be judged"


def test_patients_without_volume_are_left_out_of_its_difference(texture, fold_scores):
    computed = texture["computed"].copy()
    lost = computed.index[(computed["feature"] == VOLUME) & computed["study_uid"].isin(["E003", "E010", "E011"])]
    computed.loc[lost, "value"] = np.nan
    rows = ladder(texture | {"computed": computed}, fold_scores, **FEW)
    assert rows.loc["volume", ["n", "n_shared"]].tolist() == [87, 87] and rows.loc["signature", "n"] == 90
    is_shared = ~fold_scores.sort_values("patient_id")["patient_id"].isin(["P003", "P010", "P011"]).to_numpy()
    is_good, scores = mean_scores(fold_scores)
    ours = placements(is_good[is_shared], [scores[is_shared]]).auc
    assert rows.loc["volume", "difference"] == pytest.approx(ours - rows.loc["volume", "auc"], abs=1e-12)
    assert rows.loc["shape", "n_features"] == 13
    assert rows.loc["shape", "reason"] == "1 of 14 shape features have no value for every patient"
    computed.loc[computed.index[(computed["feature"] == VOLUME)][:80], "value"] = np.nan
    rows = ladder(texture | {"computed": computed}, fold_scores, **FEW)
    assert (
        rows.loc["volume", "reason"].startswith("fewer than 10 of one kind: ")
        and VOLUME in rows.loc["volume", "reason"]
    )


def test_without_shape_or_clinical_variables_these_rungs_say_so(texture, fold_scores):
    computed = texture["computed"][texture["computed"]["feature"].isin([VOLUME, *TEXTURES])]
    computed = computed.replace(VOLUME, "volume_ml")
    patients = texture["patients"].assign(age_years=np.nan, er_status=None, pr_status=None, tumor_size_mm=np.nan)
    changed = texture | {"computed": computed, "patients": patients}
    rows = ladder(changed, fold_scores, **FEW | {"n_random": 0, "n_searched": 0}, volume="volume_ml")
    assert rows.loc["shape", "reason"] == "no feature that begins with tumor.shape. is among those of computed"
    assert rows.loc["clinical", "reason"] == "no clinical variable is known for enough patients"
    assert rows.loc["noise", "reason"] == "not asked for: [signature_ladder] n_searched is 0"
    assert rows.loc["random features", "reason"] == "not asked for: [signature_ladder] n_random is 0"
    assert rows.loc["volume", "auc"] > 0


def test_scores_of_others_are_not_compared(texture, fold_scores):
    rows = ladder(texture, fold_scores.assign(patient_id="X" + fold_scores["patient_id"]), **FEW)
    assert set(rows["reason"]) == {
        "nobody has a nested score: these are of radiogenomic_development, which [signature_ladder] signatures_of must name"
    }
    labels = texture["labels"].copy()
    labels.loc[:1, "label"] = labels.loc[:1, "label"].map({"good": "poor", "poor": "good"})
    rows = ladder(texture | {"labels": labels}, fold_scores, **FEW)
    assert set(rows["reason"]) == {
        "2 patients have other features or labels than when the nested scores were made: rebuild with --refit"
    }
    rows = ladder(texture, pd.DataFrame(columns=fold_scores.columns), **FEW)
    assert set(rows["reason"]) == {"the signature has no nested scores: model_performance says why"}


# ---------------------------------------------------------------------------------------------------------- the verdict


def row(
    rung: str, auc: float | None = 0.7, lower: float | None = 0.6, difference=None, low=None, high=None, reason=None
):
    upper = None if lower is None else 0.9
    return {"rung": rung, "auc": auc, "ci_lower": lower, "ci_upper": upper, "difference": difference, "difference_lower": low,
            "difference_upper": high, "reason": reason}  # fmt: skip


BETTER, EQUAL = (0.12, 0.04, 0.20), (0.02, -0.05, 0.09)


@pytest.mark.parametrize(
    ("signature", "volumes", "others", "wanted", "words"),
    [
        (row("signature"), [BETTER], [], "adds", "adds to volume alone: difference .12 (.04 to .20), volume 0"),
        (row("signature"), [BETTER, EQUAL], [], "volume only",
         "nothing beyond volume can be shown: difference .02 (-.05 to .09), volume 1"),
        (row("signature"), [BETTER], [EQUAL, BETTER], "adds",
         "adds to volume alone: difference .12 (.04 to .20), volume 0; not shown to do better than other 0"),
        (row("signature", 0.6, 0.45), [BETTER], [], "volume only",
         "nothing beyond volume can be shown: difference .12 (.04 to .20), volume 0; the signature's own AUC is not above .50: "
         ".60 (.45 to .90)"),
        (row("signature", 1.0, None), [BETTER], [], "adds", "adds to volume alone: difference .12 (.04 to .20), volume 0"),
        (row("signature"), [(0.0, None, None)], [], "volume only", "nothing beyond volume can be shown: difference 0, volume 0"),
        (row("signature"), [(0.5, None, None)], [], "cannot be judged", "cannot be judged: volume 0: no interval"),
        (row("signature", None, None, reason="few"), [BETTER], [], "cannot be judged", "cannot be judged: signature: few"),
    ],
)  # fmt: skip
def test_the_verdict_in_words(signature, volumes, others, wanted, words):
    given = [row(f"volume {i}", 0.6, 0.5, *v) for i, v in enumerate(volumes)]
    beside = [row(f"other {i}", 0.6, 0.5, *v) for i, v in enumerate(others)]
    if wanted == "adds":  # test_control_rungs.py has the other words on texture
        head, semicolon, rest = words.partition("; ")
        words = f"{head}; whether by texture is not known: shuffled voxels: not asked for{semicolon}{rest}"
    shuffled = row("shuffled voxels", None, None, reason="not asked for")
    assert finding(signature, given, beside, shuffled) == (LadderVerdict(wanted), words)


def test_numbers_of_a_sentence():
    assert [short(v) for v in (0.123, -0.05, 1.0, -1.0, 0.0, -0.001, 0.5)] == [
        ".12",
        "-.05",
        "1.00",
        "-1.00",
        "0",
        "0",
        ".50",
    ]


def test_the_clinical_rung_is_of_the_variables_that_cox_models_adjust_for():
    ours, theirs = SignatureLadderParameters(), CovariateParameters()
    assert (ours.covariates, ours.min_known) == (theirs.covariates, theirs.min_known)
    assert ours.signatures_of == ()
