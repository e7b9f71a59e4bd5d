"""Which outlines are of one lesion, which of these holds, which lesions are the tumour; and what is left beside them."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from analyses.imaging.breast_masks import BreastMaskParameters, breast_masks
from analyses.imaging.images import features
from analyses.imaging.lesion_bands import LesionBandParameters, lesion_bands
from analyses.imaging.lesion_features import LesionFeatureParameters, lesion_features
from analyses.imaging.lesions import LesionParameters, lesions
from analyses.imaging.radiomic_features import RadiomicFeatureParameters, radiomic_features
from analyses.imaging.stroma_bands import StromaBandParameters, stroma_bands
from analyses.imaging.tumor_masks import TumorMaskParameters, tumor_masks
from tests.imaging.test_image_regions import ball, image
from tshdb.images.feature_names import CLASSES

SHAPE, SPACING = (20, 60, 60), (1.0, 1.0, 2.0)
STUDY = "1.2"
LARGE, SMALL = ball(SHAPE, SPACING, 8.0, (10, 30, 20)), ball(SHAPE, SPACING, 4.0, (10, 30, 45))
NO_MAPS = pd.DataFrame({"study_uid": [], "map": []})
WIDER = ball(SHAPE, SPACING, 9.0, (10, 30, 20))


@dataclass
class Examination:
    """Frames of one examination, whose outlines lie in objects as the engine hands them over."""

    folder: object
    segmentations: list[dict] = field(default_factory=list)
    decisions: list[dict] = field(default_factory=list)
    verdicts: list[dict] = field(default_factory=list)

    def stored(self, values: np.ndarray) -> tuple[str, str]:
        path = self.folder / f"{hashlib.sha256(values.tobytes()).hexdigest()}.nrrd"
        sitk.WriteImage(image(values, SPACING), str(path))
        return path.stem, str(path)

    def draw(self, name: str, values: np.ndarray, kind="manual", lesion=None, drawn_on=None, region="tumor", **more):
        digest, path = self.stored(values.astype(np.uint8))
        self.segmentations.append({
            "segmentation_id": name, "study_uid": STUDY, "series_uid": None, "region": region, "kind": kind, "lesion": lesion,
            "drawn_on": drawn_on, "min_value": 1, "object_id": digest, "object_path": path, "is_outline": kind != "automatic",
            "format": "nrrd", **more,
        })  # fmt: skip

    @property
    def images(self) -> pd.DataFrame:
        rng = np.random.default_rng(1)
        rows = []
        for name, rise in (("S0", 0.0), ("intermediate", 60.0), ("last", 40.0)):
            values = 100 + rise * (LARGE + SMALL > 0) + rng.normal(0, 8, SHAPE)
            _, path = self.stored(values.astype(np.float32))
            rows.append({"study_uid": STUDY, "image": name, "object_path": path})
        return pd.DataFrame(rows)

    @property
    def breasts(self) -> pd.DataFrame:
        _, path = self.stored(np.ones(SHAPE, np.uint8))
        return pd.DataFrame([{"study_uid": STUDY, "object_path": path, "reason": None, "qc_flags": None}])

    def masks(self) -> pd.DataFrame:
        """As of another grid that may be resampled: no files of slices are needed. `bad` ones lie nowhere."""
        rows = [
            {"segmentation_id": s["segmentation_id"], "study_uid": STUDY, "status": "unclear" if s.get("bad") else "resample",
             "differences": "outside of the image", "qc_flags": s.get("said"), "repair": "x"}
            for s in self.segmentations
        ]  # fmt: skip
        return pd.DataFrame(
            rows, columns=["segmentation_id", "study_uid", "status", "differences", "qc_flags", "repair"]
        )

    def lesions(self, rule="largest", prefer=("manual", "expert", "les")) -> pd.DataFrame:
        empty = pd.DataFrame({"study_uid": []})
        decisions = pd.DataFrame(self.decisions, columns=["study_uid", "series_uid", "decision", "decided_by"])
        params = LesionParameters(prefer=prefer, lesions=rule, resample=True)
        found = lesions(
            self.images,
            pd.DataFrame(self.segmentations),
            self.masks(),
            decisions,
            empty,
            empty,
            empty,
            self.judged(),
            params,
        )
        return self.kept(found)

    def tumor(self, rule="largest", prefer=("manual", "expert", "les"), **more) -> pd.Series:
        decisions = pd.DataFrame(self.decisions, columns=["study_uid", "series_uid", "decision", "decided_by"])
        params = TumorMaskParameters(prefer=prefer, lesions=rule, **more)
        found = tumor_masks(self.images, self.breasts, self.lesions(rule, prefer), decisions, self.judged(), params)
        return self.kept(found).iloc[0]

    def band(self, rule="largest", width=20.0) -> pd.Series:
        tumors = pd.DataFrame([self.tumor(rule)])
        found = stroma_bands(
            self.images, self.breasts, tumors, self.lesions(rule), StromaBandParameters(width_mm=width)
        )
        return self.kept(found).iloc[0]

    def lesion_bands(self, rule="each") -> pd.DataFrame:
        return self.kept(lesion_bands(self.breasts, self.lesions(rule), LesionBandParameters()))

    def judge(self, outline: str, verdict: str, cause=None, comment=None, seen=None):
        row = {"outline": outline, "verdict": verdict, "cause": cause, "comment": comment, "seen": seen}
        self.verdicts.append({"study_uid": STUDY, "read_by": "A. Reader", **row})

    def judged(self) -> pd.DataFrame:
        columns = ["study_uid", "outline", "verdict", "cause", "read_by", "comment", "seen"]
        return pd.DataFrame(self.verdicts, columns=columns)

    def kept(self, frame: pd.DataFrame) -> pd.DataFrame:
        """With paths of objects, as the engine gives rows to the next analysis."""
        paths = []
        for content in frame["object_id"]:
            path = None
            if isinstance(content, bytes):
                path = self.folder / f"{hashlib.sha256(content).hexdigest()}.nrrd"
                path.write_bytes(content)
            paths.append(None if path is None else str(path))
        return frame.assign(object_path=pd.Series(paths, index=frame.index, dtype=object))


@pytest.fixture
def exam(tmp_path) -> Examination:
    return Examination(tmp_path)


def voxels(row) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(row["object_path"])) > 0


# ------------------------------------------------------------------------------------------------ which outline holds


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_of_two_outlines_of_one_lesion_the_later_one_holds_and_no_name(exam, names):
    exam.draw(names[0], LARGE, drawn_on="2024-01-01")
    exam.draw(names[1], WIDER, drawn_on="2024-03-01")
    (lesion,) = exam.lesions().to_dict("records")
    assert (lesion["segmentation_id"], lesion["n_outlines"]) == (names[1], 2)
    assert "drawn 2 times: the later one holds, of 2024-03-01" in lesion["qc_flags"]
    assert (voxels(exam.tumor()) == WIDER).all()


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("days", [(None, None), ("2024-01-01", None), ("2024-01-01", "2024-01-01")])
def test_where_none_is_the_later_one_nobody_knows(exam, names, days):
    for name, values, day in zip(names, (LARGE, WIDER), days, strict=True):
        exam.draw(name, values, drawn_on=day)
    tumor = exam.tumor()
    assert tumor["status"] == "failed" and tumor["object_path"] is None and tumor["n_outlines"] == 2
    assert "2 outlines of one lesion differ, and none is known to be the later one: a, b." in tumor["reason"]
    assert exam.band()["object_path"] is None


def test_a_person_chooses(exam):
    exam.draw("a", LARGE)
    exam.draw("b", WIDER)
    exam.decisions.append({"study_uid": STUDY, "series_uid": "tumor", "decision": "outline=a", "decided_by": "Dr X"})
    assert (voxels(exam.tumor()) == LARGE).all()


def test_the_same_voxels_twice_are_one_word(exam):
    exam.draw("a", LARGE)
    exam.draw("b", LARGE)
    tumor = exam.tumor()
    assert tumor["status"] == "given" and (voxels(tumor) == LARGE).all() and tumor["n_outlines"] == 2


def test_a_person_says_who_drew_a_series_of_segmentations(exam):
    exam.draw("seg", LARGE, kind="other", series_uid="1.2.3")
    assert exam.tumor(grow=False)["status"] == "failed"
    exam.decisions.append({"study_uid": STUDY, "series_uid": "1.2.3", "decision": "kind=expert", "decided_by": "Dr X"})
    tumor = exam.tumor()
    assert (tumor["status"], tumor["kind"]) == ("given", "expert") and (voxels(tumor) == LARGE).all()


def test_what_is_said_of_a_series_is_not_said_of_each_of_its_segments(exam):
    exam.draw("tumour", LARGE, kind="other", series_uid="1.2.3")
    exam.draw("edema", SMALL, kind="other", region="other", series_uid="1.2.3")
    exam.decisions.append({"study_uid": STUDY, "series_uid": "1.2.3", "decision": "kind=expert", "decided_by": "Dr X"})
    assert exam.lesions()["segmentation_id"].tolist() == ["tumour"]
    exam.decisions.append(
        {"study_uid": STUDY, "series_uid": "tumor", "decision": "outline=edema", "decided_by": "Dr X"}
    )
    assert exam.lesions()["segmentation_id"].tolist() == ["tumour", "edema"]


def test_a_program_s_segmentation_is_taken_only_where_it_is_preferred(exam):
    exam.draw("net", LARGE, kind="automatic")
    assert not len(exam.lesions())
    assert exam.tumor(prefer=("manual", "automatic"))["kind"] == "automatic"


# ------------------------------------------------------------------------------------------------ which lesions


def two_lesions(exam, **numbers) -> None:
    exam.draw("z-large", LARGE, lesion=numbers.get("large"))
    exam.draw("a-small", SMALL, lesion=numbers.get("small"))


@pytest.mark.parametrize(
    ("rule", "wanted", "flag"),
    [("largest", LARGE, "the largest taken"), ("union", LARGE | SMALL, "all taken"), ("all", LARGE | SMALL, "all taken"),
     ("each", LARGE | SMALL, "all taken"), ("index", SMALL, "the index lesion taken")],
)  # fmt: skip
def test_the_tumour_is_which_lesions_the_rule_says(exam, rule, wanted, flag):
    two_lesions(exam, large=2, small=1)
    tumor = exam.tumor(rule)
    assert (voxels(tumor) == wanted).all() and f"2 lesions: {flag}" in tumor["qc_flags"]
    found = exam.lesions(rule)
    assert found[["lesion", "n_voxels", "is_index", "is_measured"]].values.tolist() == [
        [1, int(SMALL.sum()), True, rule == "each"], [2, int(LARGE.sum()), False, rule == "each"],
    ]  # fmt: skip


def test_without_an_index_lesion_the_rule_is_no_rule(exam):
    two_lesions(exam)
    assert "none is known to be the index lesion" in exam.tumor("index")["reason"]
    exam.segmentations.pop()
    assert (voxels(exam.tumor("index")) == LARGE).all()


def test_lesions_without_numbers_are_ordered_by_volume(exam):
    two_lesions(exam)
    assert exam.lesions()["segmentation_id"].tolist() == ["z-large", "a-small"]


def test_one_bad_mask_harms_itself_alone(exam):
    exam.draw("bad", WIDER, bad=True)
    exam.draw("good", SMALL)
    tumor = exam.tumor()
    assert (voxels(tumor) == SMALL).all()
    assert "an outline was not taken: bad does not lie on the images: outside of the image" in tumor["qc_flags"]
    assert "1 outlined lesions have no outline that is taken" in exam.band()["reason"]
    exam.segmentations.pop()
    assert "bad does not lie on the images" in exam.tumor()["reason"]


# ------------------------------------------------------------------------------------------------ what is left beside


@pytest.mark.parametrize("kind", ["manual", "expert", "les"])
def test_another_outlined_lesion_is_neither_stroma_nor_parenchyma(exam, kind):
    """All of the small ball lies within 25 mm of the large one: the band and the parenchyma lose its voxels, and no others."""
    exam.draw("large", LARGE)
    alone = exam.band(width=25.0)
    exam.draw("small", SMALL, kind=kind)
    both = exam.band(width=25.0)
    n = int(SMALL.sum())
    assert both["parenchyma_n"] == alone["parenchyma_n"] - n
    in_band = int((SMALL > 0)[voxels(alone)].sum())
    assert in_band > 0.9 * n
    assert both["volume_ml"] == pytest.approx(alone["volume_ml"] - in_band * 0.002)
    assert not (voxels(both) & (SMALL > 0)).any()
    mean = sitk.GetArrayFromImage(sitk.ReadImage(exam.images["object_path"][1]))[(LARGE + SMALL) == 0].mean(dtype=float)
    assert both["parenchyma_intermediate"] == pytest.approx(mean)


def test_another_reading_of_the_tumour_itself_is_no_other_lesion(exam):
    exam.draw("mine", LARGE)
    alone = exam.band()
    exam.draw("another reader", WIDER, kind="expert")
    assert exam.band()["volume_ml"] == alone["volume_ml"]


# ------------------------------------------------------------------------------------------------ cut by the view


def test_an_outline_that_the_view_cuts_is_flagged_in_every_table(exam):
    exam.draw("cut", ball(SHAPE, SPACING, 8.0, (10, 30, 3)))
    said = "cut by the view: it touches the first column, and may go on beyond"
    tumor, band = exam.tumor(), exam.band()
    assert said in tumor["qc_flags"] and said in exam.lesions()["qc_flags"][0] and said in band["reason"]
    frames = [
        frame.assign(region_map=f"{STUDY}|{part}")
        for part in ("tumor|shape", "stroma|S0")
        for frame in (pd.DataFrame([tumor]), pd.DataFrame([band]), exam.images)
    ]
    tumors, bands, images = (pd.concat(frames[i::3], ignore_index=True) for i in range(3))
    rows = radiomic_features(images, tumors, bands, RadiomicFeatureParameters())
    assert len(rows) == 14 + 93 and rows["value"].notna().sum() >= 100 and rows["reason"].str.contains(said).all()


def test_what_masks_says_of_the_view_is_kept_though_another_grid_hides_it(exam):
    exam.draw("cut", LARGE, said="x; cut by the view: it touches the last slice, and may go on beyond")
    assert "cut by the view: it touches the last slice" in exam.tumor()["qc_flags"]


def test_an_outline_within_the_view_has_no_flag(exam):
    exam.draw("whole", LARGE)
    assert exam.tumor()["qc_flags"] is None and exam.band()["reason"] is None


# ------------------------------------------------------------------------------------------------ features of lesions


def test_each_of_several_lesions_has_features_of_its_own(exam):
    two_lesions(exam)
    band = pd.DataFrame([exam.band("each")])
    around = exam.lesion_bands()
    found = lesion_features(exam.images, exam.lesions("each"), band, around, NO_MAPS, LesionFeatureParameters())
    assert found.groupby("lesion").size().to_dict() == {1: 14 + 6 * 93, 2: 14 + 6 * 93}
    assert found.groupby("region").size().to_dict() == {"tumor": 2 * (14 + 3 * 93), "stroma": 2 * 3 * 93}
    volumes = found[found["feature"] == "tumor.shape.VoxelVolume"].set_index("lesion")["value"]
    assert volumes.to_dict() == {1: int(LARGE.sum()) * 2.0, 2: int(SMALL.sum()) * 2.0}
    own = features.of_shape(image(SMALL, SPACING))
    second = found[(found["lesion"] == 2) & (found["map"] == "shape")].set_index("feature")["value"]
    assert second.to_dict() == pytest.approx({v.feature: v.value for v in own})
    for number, path in zip(around["lesion"], around["object_path"], strict=True):
        mask = sitk.ReadImage(path)
        plain = of_plain(exam, mask, band.iloc[0]["parenchyma_s0"])
        own = found[(found["lesion"] == number) & (found["region"] == "stroma") & (found["map"] == "SI")]
        assert own.set_index("feature")["value"].to_dict() == pytest.approx(plain, rel=1e-9, abs=1e-12)
    union = exam.lesions("union")
    assert not len(
        lesion_features(exam.images, union, band, exam.lesion_bands("union"), NO_MAPS, LesionFeatureParameters())
    )


def of_plain(exam, mask: sitk.Image, mean: float) -> dict[str, float]:
    """SI of a region by PyRadiomics itself."""
    from radiomics import featureextractor

    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    before, early = (sitk.Cast(sitk.ReadImage(path), sitk.sitkFloat64) for path in exam.images["object_path"][:2])
    plain = featureextractor.RadiomicsFeatureExtractor(binWidth=0.05, force2Ddimension=0, label=1)
    plain.disableAllFeatures()
    for class_ in CLASSES:
        plain.enableFeatureClassByName(class_)
    values = plain.execute(early / mean - before / mean, mask)
    return {
        f"stroma.SI.{key.split('_')[1]}.{key.split('_')[2]}": float(value)
        for key, value in values.items()
        if key.startswith("original_")
    }


def test_the_stroma_of_a_lesion_lies_around_it_without_the_others(exam):
    """Voxels within 20 mm of the middles of the lesion's voxels, by SimpleITK's distances; of no lesion, whoever drew it."""
    two_lesions(exam)
    third = ball(SHAPE, SPACING, 3.0, (10, 15, 30))
    exam.draw("another", third, kind="expert")
    around = exam.lesion_bands()
    assert around["lesion"].tolist() == [1, 2]
    outlined = (LARGE + SMALL + third) > 0
    near = {}
    for values, path, ml in zip((LARGE, SMALL), around["object_path"], around["volume_ml"], strict=True):
        distance = sitk.GetArrayFromImage(
            sitk.SignedMaurerDistanceMap(image(values, SPACING), squaredDistance=False, useImageSpacing=True)
        )
        band = near[values.sum()] = voxels({"object_path": path})
        assert np.array_equal(band, (distance > 0) & (distance <= 20.0) & ~outlined)
        assert ml == pytest.approx(band.sum() * 0.002)
    large, small = near[LARGE.sum()], near[SMALL.sum()]
    assert (large & small).any() and (large & ~small).any() and (small & ~large).any()
    both = voxels(exam.band("each"))
    assert np.array_equal(both, large | small)


def test_a_lesion_s_stroma_says_what_is_doubtful(exam):
    exam.draw("cut", ball(SHAPE, SPACING, 8.0, (10, 30, 3)))
    exam.draw("small", SMALL)
    exam.draw("bad", WIDER, bad=True)
    first, second = exam.lesion_bands()["reason"]
    assert (
        first.startswith("the lesion is cut by the view")
        and "1 outlined lesions have no outline that is taken" in first
    )
    assert second == "1 outlined lesions have no outline that is taken, and may lie in it"
    exam.segmentations.pop()
    breasts = exam.breasts.assign(object_path=None, reason="nothing found")
    found = lesion_bands(breasts, exam.lesions("each"), LesionBandParameters())
    assert found["reason"].tolist() == ["no breast: nothing found"] * 2 and found["object_id"].isna().all()


def test_parametric_maps_of_lesions_are_measured_too(exam):
    two_lesions(exam)
    values = np.random.default_rng(3).normal(1.2, 0.3, SHAPE).astype(np.float32)
    _, path = exam.stored(values)
    maps = pd.DataFrame([{"study_uid": STUDY, "map": "ser", "unit": "ratio", "reason": None, "object_path": path}])
    band = pd.DataFrame([exam.band("each")])
    given = exam.images, exam.lesions("each"), band, exam.lesion_bands(), maps, LesionFeatureParameters()
    found = lesion_features(*given)
    of_map = found[found["map"] == "ser"]
    assert len(of_map) == 2 * 2 * 93 and set(of_map["unit"]) == {"ratio"} and len(found) == 2 * (572 + 2 * 93)
    means = of_map[of_map["feature"] == "tumor.ser.firstorder.Mean"]["value"].tolist()
    assert means == pytest.approx([values[LARGE > 0].mean(dtype=float), values[SMALL > 0].mean(dtype=float)], rel=1e-6)
    around = [voxels({"object_path": path}) for path in exam.lesion_bands()["object_path"]]
    means = of_map[of_map["feature"] == "stroma.ser.firstorder.Mean"]["value"].tolist()
    assert means == pytest.approx([values[band].mean(dtype=float) for band in around], rel=1e-6)


def of_shape(values: np.ndarray) -> dict[str, features.Value]:
    return {
        v.feature.removeprefix("tumor.shape."): v for v in features.of_shape(image(values.astype(np.uint8), SPACING))
    }


def test_shapes_that_mean_nothing_have_a_reason():
    slab = np.zeros(SHAPE, bool)
    slab[5, 10:20, 10:30] = True
    found = of_shape(slab)
    nothing = {name for name, v in found.items() if v.value is None}
    assert nothing == {"LeastAxisLength", "Flatness"}
    assert found["Flatness"].reason == "one slice thick: it has no third axis"
    line = np.zeros(SHAPE, bool)
    line[5, 10, 10:30] = True
    assert {name for name, v in of_shape(line).items() if v.value is None} == {
        "LeastAxisLength", "Flatness", "MinorAxisLength", "Elongation",
    }  # fmt: skip
    two = np.zeros(SHAPE, bool)
    two[5, 10, 10:12] = True
    few = of_shape(two)
    assert {name for name, v in few.items() if v.value is not None} == {"VoxelVolume"}
    assert few["VoxelVolume"].value == 4.0 and few["Sphericity"].reason == "2 voxels have no shape"
    assert all(v.value is not None and v.reason is None for v in of_shape(LARGE).values())


def test_a_mask_of_255_is_the_mask_of_1():
    whole = np.random.default_rng(0).normal(1.0, 0.3, SHAPE)
    for make in (features.of_shape, lambda mask: features.of_map(image(whole, SPACING), mask, "tumor", "S0")):
        ones, many = (make(image((LARGE * n).astype(np.uint8), SPACING)) for n in (1, 255))
        assert ones == many


# ------------------------------------------------------------------------------------------------ the breast


def breast_of(exam: Examination) -> pd.Series:
    empty = pd.DataFrame({"study_uid": []})
    params = BreastMaskParameters(resample=True)
    return breast_masks(exam.images, pd.DataFrame(exam.segmentations), exam.masks(), empty, empty, empty, params).iloc[
        0
    ]


def test_of_two_segmentations_of_the_breast_no_name_decides(exam):
    left, right = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    left[:, :, :30], right[:, :, 30:] = 1, 1
    exam.draw("l", left, region="breast")
    exam.draw("r", right, region="breast")
    assert breast_of(exam)["left_ml"] + breast_of(exam)["right_ml"] == pytest.approx(np.prod(SHAPE) * 0.002)
    wide = np.zeros(SHAPE, np.uint8)
    wide[:, :, :40] = 1
    exam.draw("a wider one", wide, region="breast")
    assert "differ, and none is known to be the later one" in breast_of(exam)["reason"]
    for row, day in zip(exam.segmentations, ("2024-01-01", "2024-01-01", "2024-02-01"), strict=True):
        row["drawn_on"] = day
    assert breast_of(exam)["segmentation_id"] == "a wider one"


# ------------------------------------------------------------------------------------------------ verdicts


def test_a_lesion_that_a_person_rejected_is_not_taken_and_the_reason_says_who(exam):
    two_lesions(exam)
    exam.judge("z-large", "fail", "no_tumor", "a vessel", exam.segmentations[0]["object_id"])
    kept, gone = exam.lesions().to_dict("records")
    assert (kept["segmentation_id"], kept["object_id"] is not None) == ("a-small", True)
    assert gone["segmentation_id"] == "z-large" and gone["object_id"] is None
    assert gone["reason"] == "z-large was rejected: fail (no_tumor, a vessel), A. Reader"
    tumor = exam.tumor()
    assert (voxels(tumor) == SMALL).all() and gone["reason"] in tumor["qc_flags"]


def test_where_all_outlines_are_rejected_there_is_no_tumour_and_none_is_grown(exam):
    exam.draw("one", LARGE)
    exam.judge("one", "fail", "poor_quality")
    tumor = exam.tumor()
    assert tumor["status"] == "failed" and tumor["object_path"] is None
    assert tumor["reason"] == "one was rejected: fail (poor_quality), A. Reader"


def test_of_two_outlines_the_one_that_was_not_rejected_holds(exam):
    exam.draw("a", LARGE)
    exam.draw("b", WIDER)
    assert exam.tumor()["object_path"] is None, "nobody knows which"
    exam.judge("a", "fail")
    assert (voxels(exam.tumor()) == WIDER).all()


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_a_verdict_holds_of_the_voxels_that_were_seen(exam, verdict):
    exam.draw("one", LARGE)
    exam.judge("one", verdict, seen="0" * 64)
    (lesion,) = exam.lesions().to_dict("records")
    assert lesion["object_id"] is not None
    assert lesion["qc_flags"] == f"judged when it had other voxels: {verdict}, A. Reader. Look again"


def test_what_passes_stays_as_it_is(exam):
    two_lesions(exam)
    before = exam.lesions().drop(columns="object_path")
    exam.judge("z-large", "pass", seen=exam.segmentations[0]["object_id"])
    pd.testing.assert_frame_equal(exam.lesions().drop(columns="object_path"), before)


def test_a_grown_tumour_is_rejected_as_it_was_seen_and_judged_again_when_it_is_another(exam):
    exam.draw("someone else's", LARGE, kind="automatic")
    grown = exam.tumor()
    assert grown["kind"] == "fcm"
    exam.judge("grown", "fail", "no_tumor", seen=hashlib.sha256(grown["object_id"]).hexdigest())
    rejected = exam.tumor()
    assert rejected["object_path"] is None and rejected["status"] == "failed"
    assert rejected["reason"].startswith("grown was rejected: fail (no_tumor), A. Reader. Place a seed or a box")
    x, y, z = (float(v) for v in grown[["x_mm", "y_mm", "z_mm"]])
    exam.decisions.append(
        {"study_uid": STUDY, "series_uid": "tumor", "decision": f"seed={x + 4},{y},{z}", "decided_by": "B. Reader"}
    )
    other = exam.tumor(box_mm=14.0)
    assert other["object_path"] is not None
    assert "judged when it had other voxels: fail (no_tumor), A. Reader" in other["qc_flags"]
