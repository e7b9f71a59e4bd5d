"""The rungs of altered images: shuffled voxels lose a planted texture and keep a planted size; without images there is a reason.

`soak/controls.py` judges ten such studies.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyses.signature.control_rungs import CONTROLS, NOISE_IN_REGION, SHUFFLED, altered
from analyses.signature.features import COMPUTED, training_of
from analyses.signature.how_made import settings_of_study
from analyses.signature.ladder_verdict import finding
from analyses.tsh_model.tsh_modelling import auc
from tests.support import ladder_images
from tests.support.ladder_images import made_by, ordered, scanned
from tests.support.ladder_tables import NO_CONTROLS, ladder, nested, tables
from tshdb.vocabulary import LadderVerdict

FEW = {"population": 4, "generations": 1, "folds": 2, "n_trees": 3, "final_trees": 5}


# ---------------------------------------------------------------------------------------------------- what was planted


@pytest.mark.parametrize("truth", ladder_images.TRUTHS)
def test_shuffled_voxels_lose_the_texture_and_keep_the_size(truth, tmp_path):
    """How well two features tell the labels apart, 1/2 is chance: of the scans, and of the same with altered images."""
    data = ladder_images.patients(truth, 1, tmp_path, 24, step=0.7)
    of_images = [data["computed"], *(data["controls"].query("control == @name") for name in CONTROLS)]
    found = {}
    for name in ("tumor.SI.glcm.Correlation", "tumor.shape.MeshVolume"):
        values = [rows[rows["feature"] == name].sort_values("study_uid")["value"].to_numpy() for rows in of_images]
        is_good = (data["labels"]["label"] == "good").to_numpy()
        found[name] = [max(a, 1 - a) for a in (auc(is_good, v) for v in values)]
    texture, volume = found.values()
    assert volume[0] == volume[1] == volume[2]
    if truth == "texture":
        assert texture[0] > 0.9 and max(texture[1:]) < 0.75 and volume[0] < 0.75
    else:
        assert volume[0] > 0.9


def test_the_verdict_follows_what_is_left_of_the_texture():
    """Altered images that know as much as the scans, and such in which the textures are of other patients."""
    data = with_controls(tables("texture", 1))
    scores = nested(data)
    rows = ladder(data, scores)
    assert rows.loc["signature", "verdict"] == "no texture shown", rows.loc["signature", "finding"]
    of_others = data["controls"].copy()
    is_texture = of_others["feature"].str.contains("glcm")
    names = sorted(of_others["study_uid"].unique())
    moved = dict(zip(names, np.random.default_rng(1).permutation(names), strict=True))
    of_others.loc[is_texture, "study_uid"] = of_others.loc[is_texture, "study_uid"].map(moved)
    rows = ladder(data | {"controls": of_others}, scores)
    assert rows.loc["signature", "verdict"] == "adds texture", rows.loc["signature", "finding"]
    assert rows.loc[SHUFFLED, "search"] == "20 x 20" and rows.loc[SHUFFLED, "difference_lower"] > 0


def test_the_planted_texture_is_an_order_of_the_tumours_own_voxels():
    luck = np.random.default_rng(2)
    phantom = scanned(ladder_images.SCAN, 0.0, 26.0, 1.0, luck)
    was, *now = (
        np.stack([volume[p.tumor] for volume in p.volumes], axis=1)
        for p in (phantom, ordered(phantom, 0.3, luck), ordered(phantom, 1.5, luck))
    )
    for voxels in now:
        assert sorted(map(tuple, voxels)) == sorted(map(tuple, was)) and (voxels != was).any()


# ---------------------------------------------------------------------------------------- tables in the place of images


def with_controls(data: dict[str, pd.DataFrame], controls: tuple[str, ...] = CONTROLS) -> dict[str, pd.DataFrame]:
    """The tables of `ladder_tables`, with the same features for controls: what a control is made of does not matter here."""
    alike = settings_of_study(made_by(controls, "radiomic_features"))
    sets = data["sets"].assign(**alike)
    rows = [data["computed"].assign(control=control) for control in controls]
    return data | {"sets": sets, "controls": pd.concat(rows), "controls_made": made_by(controls)}


@pytest.fixture(scope="module")
def texture() -> dict[str, pd.DataFrame]:
    return with_controls(tables("texture", 1))


@pytest.fixture(scope="module")
def fold_scores(texture) -> pd.DataFrame:
    return nested(texture, **FEW)


def of_control(data: dict[str, pd.DataFrame], control: str = SHUFFLED, source: str = COMPUTED):
    given = {k: v for k, v in data.items() if k not in ("patients", *NO_CONTROLS)}
    return altered(control, training_of(**given, source=COMPUTED), data["controls"], data["controls_made"], source)


def test_a_control_has_the_signatures_columns_and_patients(texture):
    given = {k: v for k, v in texture.items() if k not in ("patients", *NO_CONTROLS)}
    data = training_of(**given, source=COMPUTED)
    other = texture["controls"].copy()
    other["value"] = other["value"] * np.where(other["control"] == SHUFFLED, 2, 3)
    order = other.sample(frac=1, random_state=1)
    for control, factor in zip(CONTROLS, (2, 3), strict=True):
        found = of_control(texture | {"controls": order}, control)
        assert found.data.names == data.names and found.data.patients == data.patients and found.remark is None
        assert (found.data.values == factor * data.values).all() and (found.data.is_good == data.is_good).all()


def test_only_what_the_signature_could_take_is_taken(texture):
    more = texture["controls"].query("feature == 'tumor.shape.Flatness'").assign(feature="tumor.SI.glcm.Another")
    found = of_control(texture | {"controls": pd.concat([texture["controls"], more])})
    assert "tumor.SI.glcm.Another" not in found.data.names and found.remark is None


def test_patients_and_features_without_altered_images_are_told(texture, fold_scores):
    controls = texture["controls"][texture["controls"]["study_uid"] != "E004"].copy()
    lost = (controls["feature"] == "tumor.shape.Flatness") & (controls["study_uid"] == "E007")
    controls.loc[lost, "value"] = np.nan
    data = texture | {"controls": controls}
    found = of_control(data)
    n = len(texture["computed"]["feature"].unique())
    said = f"1 of 90 patients have no features of images with shuffled voxels; 1 of {n} features have no value for every patient"
    assert found.remark == said and len(found.data.names) == n - 1
    row = ladder(data, fold_scores, **FEW).loc[SHUFFLED]
    assert (row["n"], row["n_shared"], row["n_features"]) == (89, 89, n - 1) and row["reason"] == said
    controls.loc[controls["study_uid"] > "E009", "value"] = np.nan
    rows = ladder(data | {"controls": controls}, fold_scores, **FEW)
    assert rows.loc[SHUFFLED, "reason"].startswith("fewer than 10 of one kind: ")
    assert rows.loc[SHUFFLED, "reason"].endswith(" have features of images with shuffled voxels")
    controls["value"] = np.nan
    rows = ladder(data | {"controls": controls}, fold_scores, **FEW)
    assert (
        rows.loc[SHUFFLED, "reason"]
        == "no patient has features of images with shuffled voxels: tshdb plan control_features"
    )


def test_what_nobody_asked_for_says_so(texture, fold_scores):
    one = with_controls(texture, (NOISE_IN_REGION,))
    rows = ladder(one, fold_scores, **FEW)
    why = "not asked for: [control_features] controls does not name shuffled voxels"
    assert rows.loc[SHUFFLED, "reason"] == why and rows.loc[NOISE_IN_REGION, "auc"] > 0
    first = rows.loc["signature"]
    assert (
        first["verdict"] != "adds" or first["finding"].count(f"whether by texture is not known: {SHUFFLED}: {why}") == 1
    )


def test_features_that_came_without_images_say_so(texture):
    found = of_control(texture, source="published")
    assert found.data is None
    assert found.reason == "the features of published come without images that could be altered"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"bin_width": 0.1}, "the settings of the features"),
        ({"per_phase": True}, "the normalisation of the images"),
        ({"definition": "ibsi"}, "the software"),
    ],
)
def test_controls_made_by_other_settings_are_refused(texture, fold_scores, changed, said):
    data = texture | {"controls_made": made_by(CONTROLS, **changed)}
    why = f"altered images were not measured as the signature's features were: not alike is {said}"
    assert of_control(data).reason == why
    assert ladder(data, fold_scores, **FEW).loc[list(CONTROLS), "reason"].tolist() == [why] * 2


def test_the_engine_of_the_features_does_not_matter(texture):
    assert of_control(texture | {"controls_made": made_by(CONTROLS, engine="pyradiomics")}).reason is None


def test_a_search_of_altered_images_goes_on_from_what_was_kept(texture, fold_scores, tmp_path):
    from analyses.signature.signature_ladder import SignatureLadderParameters, signature_ladder
    from tests.support.ladder_tables import QUICK
    from tshdb.engine.work import Work

    params = SignatureLadderParameters(**QUICK | FEW | {"n_random": 0, "n_searched": 1})
    given = {**texture, "fold_scores": fold_scores, "params": params, "seed": 1}
    rows = signature_ladder.function(**given, work=Work(tmp_path / "work"))
    assert (tmp_path / "work" / "progress").read_text() == "50 50 generations", (
        "5 folds of 5 searches, 2 generations each"
    )
    again = signature_ladder.function(**given, work=Work(tmp_path / "work"))
    pd.testing.assert_frame_equal(again, rows)


# ---------------------------------------------------------------------------------------------------------- the verdict


def row(rung: str, difference=None, low=None, high=None, auc: float | None = 0.7, reason=None) -> dict:
    return {"rung": rung, "auc": auc, "ci_lower": 0.6, "ci_upper": 0.9, "difference": difference, "difference_lower": low,
            "difference_upper": high, "reason": reason}  # fmt: skip


BETTER, EQUAL = (0.12, 0.04, 0.20), (0.02, -0.05, 0.09)
ADDS = "adds to volume alone: difference .12 (.04 to .20), volume; "


@pytest.mark.parametrize(
    ("volume", "shuffled", "wanted", "words"),
    [
        (BETTER, BETTER, "adds texture",
         ADDS + "and texture to shape and histogram: difference .12 (.04 to .20), shuffled voxels"),
        (BETTER, EQUAL, "no texture shown",
         ADDS + "no texture can be shown beyond shape and histogram: difference .02 (-.05 to .09), shuffled voxels"),
        (BETTER, (0.0, None, None), "no texture shown",
         ADDS + "no texture can be shown beyond shape and histogram: difference 0, shuffled voxels"),
        (BETTER, (None, None, None), "adds", ADDS + "whether by texture is not known: shuffled voxels: none"),
        (EQUAL, BETTER, "volume only", "nothing beyond volume can be shown: difference .02 (-.05 to .09), volume"),
    ],
)  # fmt: skip
def test_texture_is_said_where_the_signature_lies_above_shuffled_voxels(volume, shuffled, wanted, words):
    found = finding(row("signature"), [row("volume", *volume)], [], row(SHUFFLED, *shuffled, reason="none"))
    assert found == (LadderVerdict(wanted), words)


def test_a_difference_without_an_interval_is_no_texture_shown():
    """All patients placed alike by both, and differently: a difference above 0 whose interval is unknown shows nothing."""
    found = finding(row("signature"), [row("volume", *BETTER)], [], row(SHUFFLED, 0.3, None, None, reason="few"))
    assert found.verdict == "adds" and found.words == ADDS + "whether by texture is not known: shuffled voxels: few"
