"""Published images: a dynamic examination of Breast-MRI-NACT-Pilot, and the headers of 17 patients of TCGA-BRCA."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from analyses.imaging.images import breast, features, kinetic_maps, kinetics, prepare, stroma, tumor
from analyses.imaging.images.grids import array_of, image_on
from ingest.imaging.dicom_seg import read as read_seg
from tests.imaging.test_dicom import ANALYSES
from tests.support import tiny
from tshdb.geometry import Grid, differences, placed
from tshdb.images.pixels import read_volume
from tshdb.study import Study

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def published(tmp_path_factory, request):
    shared = request.getfixturevalue("shared")
    study = tiny.new_study(tmp_path_factory.mktemp("published") / "study")
    from tshdb.actions.imaging import dicom

    for folder, collection in (("nact-pilot", "breast-mri-nact-pilot"), ("tcga-brca-headers", "tcga-brca")):
        dicom(study, shared / "dicom" / folder, collection, jobs=1)
    tiny.rebuild(study, names=ANALYSES)
    yield study
    study.engine.dispose()


@pytest.fixture(scope="module")
def phases(published: Study) -> list[np.ndarray]:
    """The three phases of UCSF-BR-06."""
    table = published.sql(
        "SELECT phase_index, slice_index, path, sha256 FROM dce_slices JOIN imaging_instances USING (sop_uid) "
        "JOIN imaging_studies s ON s.study_uid = dce_slices.study_uid WHERE patient_id = 'UCSF-BR-06' ORDER BY 1, 2"
    )
    return [read_volume(list(zip(g["path"], g["sha256"], strict=True))) for _, g in table.groupby("phase_index")]


def grid_of(published: Study) -> Grid:
    """Where the phases of UCSF-BR-06 lie."""
    table = published.sql(
        "SELECT x_mm, y_mm, z_mm, i.orientation, row_spacing_mm, column_spacing_mm FROM dce_slices d "
        "JOIN imaging_instances i USING (sop_uid) JOIN imaging_series e USING (series_uid) "
        "JOIN imaging_studies s ON s.study_uid = d.study_uid "
        "WHERE patient_id = 'UCSF-BR-06' AND phase_index = 0 ORDER BY slice_index"
    )
    numbers = [float(v) for v in table["orientation"][0].split("\\")]
    row, column = np.array(numbers[:3]), np.array(numbers[3:])
    normal = np.cross(row, column)
    places = table[["x_mm", "y_mm", "z_mm"]].to_numpy()
    step = float(np.median(np.diff(places @ normal)))
    spacing = (step, table["row_spacing_mm"][0], table["column_spacing_mm"][0])
    return Grid((len(places), 256, 256), spacing, tuple(places[0]), tuple(row), tuple(column), tuple(normal))


def map_of(published: Study, name: str, n: int = 60) -> np.ndarray:
    """An archive's map, in the order of the phases' slices (from right to left: x falls)."""
    table = published.sql(
        "SELECT path, sha256 FROM imaging_instances JOIN imaging_series USING (series_uid) "
        f"WHERE description LIKE '%: {name}' ORDER BY x_mm DESC"
    )
    assert len(table) == n
    return read_volume(list(zip(table["path"], table["sha256"], strict=True)))


def test_three_phases_of_sixty_slices_are_told_apart_by_content_time(published):
    (row,) = published.sql(
        "SELECT s.status, n_phases, n_slices, key_used, qc_flags FROM dce_sets s JOIN imaging_studies USING (study_uid) "
        "WHERE patient_id = 'UCSF-BR-06'"
    ).to_dict("records")
    assert (row["status"], row["n_phases"], row["n_slices"], row["key_used"]) == ("found", 3, 60, "content_time")
    assert not row["qc_flags"]
    table = published.sql(
        "SELECT t_seconds, mean_intensity, is_intermediate, is_last, p.qc_flags FROM dce_phases p "
        "JOIN imaging_studies USING (study_uid) WHERE patient_id = 'UCSF-BR-06' ORDER BY phase_index"
    )
    assert table["t_seconds"].tolist() == [0, 407, 761]
    assert table["mean_intensity"].is_monotonic_increasing
    assert table["is_intermediate"].tolist() == [False, True, False] and table["is_last"].tolist() == [
        False,
        False,
        True,
    ]
    assert table["qc_flags"].isna().all()


def test_the_archives_maps_are_recomputed_from_the_phases(published, phases):
    """PE1 is our PE without its decimals, SER our SER in thousandths, at most 3; both where they are not 0, voxel for voxel."""
    pre, early, late = phases
    enhancement = kinetics.percent_enhancement(pre, early)
    theirs = map_of(published, "PE1")
    wanted = np.where(pre >= 35, np.trunc(enhancement.clip(0)), 0)  # 35: S0 of the map's darkest voxel; no falls
    assert (theirs != 0).sum() > 150_000 and np.array_equal(theirs, wanted)
    ratio = np.minimum(kinetics.enhancement_ratio(pre, early, late), 3)
    theirs = map_of(published, "SER")
    seen = theirs != 0
    assert seen.sum() == 41_596 and np.abs(theirs[seen] - ratio[seen]).max() <= 0.0005 + 1e-6


def test_parametric_maps_are_the_archives_maps(published, phases):
    """Voxel for voxel as above, on the scanner's voxels: the one by whole percents, the other by thousandths."""
    made = kinetic_maps.maps_of(phases, kinetic_maps.Times(1, 2, None, None), ["pe_early", "ser"])
    theirs = map_of(published, "PE1")
    seen = (theirs != 0) & (theirs < 1000)  # where our map ends
    off = made["pe_early"][seen].astype(float) - theirs[seen]
    assert seen.sum() > 150_000 and off.min() > -1e-3 and off.max() < 1 + 1e-3
    theirs = map_of(published, "SER")
    seen = theirs != 0
    assert np.abs(theirs[seen] - made["ser"][seen]).max() <= 0.0005 + 1e-6  # so each of them has a value


def test_the_archives_ser_map_is_our_functional_volume(published, phases):
    """Voxels of 70 % and more, from a signal of 35 on, with four such neighbours and SER not below 0; all but 3 of 41,597."""
    pre, early, late = phases
    share = 35 / np.percentile(pre, kinetics.PERCENTILE)  # what the archive's box gave
    found = kinetics.functional_volume(pre, early, late, np.ones(pre.shape, bool), background=share)
    theirs = map_of(published, "SER") != 0
    assert found.threshold == pytest.approx(35, abs=1e-9)
    assert (found.inside ^ theirs).sum() == 3
    for neighbours in (3, 5):
        other = kinetics.functional_volume(
            pre, early, late, np.ones(pre.shape, bool), background=share - 1e-9, neighbours=neighbours
        )
        assert (other.inside ^ theirs).sum() > 300


def test_the_kinetics_of_the_published_examination(published):
    """The tumour is grown. The archive's threshold lies above 34 and up to 35, its functional volume is 41.1 ml."""
    tiny.rebuild(published, names=["kinetics"])
    rows = published.sql(
        "SELECT k.* FROM kinetics k JOIN imaging_studies USING (study_uid) WHERE patient_id = 'UCSF-BR-06'"
    ).set_index("region")
    tumor, background = rows.loc["tumor"], rows.loc["background"]
    assert (tumor["n_phases"], tumor["early_phase"], tumor["late_phase"], tumor["late_s"]) == (3, 1, 2, 761)
    assert tumor["ftv_threshold"] == pytest.approx(34.8)
    theirs = (map_of(published, "SER") != 0).sum() * grid_of(published).voxel_ml
    assert theirs == pytest.approx(41.13, abs=0.01) and tumor["ftv_ml"] == pytest.approx(theirs, rel=0.03)
    kinds = tumor["ftv_gradual_ml"] + tumor["ftv_plateau_ml"] + tumor["ftv_washout_ml"]
    assert kinds == pytest.approx(tumor["ftv_ml"])
    assert tumor["pe_early"] > 5 * background["pe_early"] > 0 and tumor["ser"] > 2 * background["ser"]
    assert re.search(r"phase 2 has moved by (1\.[2-9]|2\.[0-2]) voxels", tumor["qc_flags"])
    assert background["tissue"] == "brighter" and "own breast" in background["qc_flags"]


def test_the_segmentation_lands_on_the_breast_and_gives_41_cc(published, phases, shared):
    (segment,) = read_seg(shared / "dicom/nact-pilot/UCSF-BR-06/mask/1-1.dcm")
    assert (segment.label, segment.kind, segment.reference_uids) == ("Breast", "FRACTIONAL", ())
    assert segment.values.shape == (42, 256, 256) and set(segment.histogram) == {255}
    grid = grid_of(published)
    assert differences(segment.grid, grid) == []
    breast = placed(segment.values, segment.grid, grid) > 0
    pre, early, _ = phases
    assert pre[breast].mean() > 4 * pre[~breast].mean()
    with np.errstate(all="ignore"):
        enhancing = breast & (100 * (early - pre) / pre >= 70) & (pre > 0)
    assert enhancing.sum() * grid.voxel_ml == pytest.approx(41.3, abs=0.5)


def test_an_outline_grows_on_a_published_tumour_and_is_like_the_archives_enhancement(published, phases, shared):
    """UCSF-BR-06: the archive's tissue that enhances by 70 % and more, and spatial fuzzy c-means from its middle."""
    (segment,) = read_seg(shared / "dicom/nact-pilot/UCSF-BR-06/mask/1-1.dcm")
    grid = grid_of(published)
    pre, early, last = phases
    with np.errstate(all="ignore"):
        enhancing = (placed(segment.values, segment.grid, grid) > 0) & (100 * (early - pre) / pre >= 70) & (pre > 0)
    s0, si_phase, sl_phase = (prepare.resample(image_on(v, grid)) for v in (pre, early, last))
    archive = prepare.resample_mask(image_on(enhancing.astype(np.uint8), grid), s0)
    inside = breast.find(s0)
    assert array_of(inside.mask)[array_of(archive) > 0].mean() > 0.97 and inside.right_ml == 0
    enhancement, seed = si_phase - s0, tumor.centroid(archive)
    grown = {q: tumor.from_seed(enhancement, inside.mask, seed, box_mm=60, q=q) for q in (0, 1)}
    overlap = {q: tumor.dice(archive, outline.mask) for q, outline in grown.items()}
    assert overlap[1] > 0.85 and overlap[1] >= overlap[0] and not grown[1].touches_box
    mean, _ = prepare.parenchyma_mean(s0, inside.mask, grown[1].mask)
    volumes = {"S0": s0, "intermediate": si_phase, "last": sl_phase}
    maps = prepare.normalised_maps(volumes, dict.fromkeys(volumes, mean))
    values = features.whole_set(maps, grown[1].mask, stroma.band(grown[1].mask, inside.mask).mask)
    assert len(values) == 572 and all(v.value is not None for v in values)
    idmn = [v.value for v in values if v.feature.endswith("glcm.Idmn")]
    assert len(idmn) == 6 and all(0.9 < v < 1 for v in idmn)


def test_every_series_of_tcga_brca_is_what_a_reader_says_that_it_is(published):
    """tests/data/tcga_brca_series.csv was checked series by series against headers and descriptions."""
    with (DATA / "tcga_brca_series.csv").open(newline="") as file:
        wanted = sorted(tuple(row.values()) for row in csv.DictReader(file))
    table = published.sql(
        "SELECT patient_id, study_date, series_number, s.description, role, is_dynamic, set_status FROM series_roles r "
        "JOIN imaging_series s USING (series_uid) JOIN imaging_studies t ON t.study_uid = s.study_uid "
        "WHERE collection = 'tcga-brca'"
    )
    found = sorted(tuple(map(str, row)) for row in table.itertuples(index=False))
    assert len(found) == 186
    assert found == wanted


def test_every_role_says_why(published):
    table = published.sql("SELECT role, hints FROM series_roles")
    assert table.loc[table["role"] != "other", "hints"].notna().all()
    assert set(table["role"]) >= {"dynamic", "subtraction", "mip", "reformat", "localizer", "calibration", "t1", "t2"}
