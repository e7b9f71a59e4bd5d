"""Simulated studies: the same bytes for the same settings, every reader takes them without a finding, the truth is in them."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

from analyses.expression import markers as marker_table
from ingest.simulate import star_counts
from ingest.simulate.breast import Scan, scanned
from ingest.simulate.star_counts import Marker
from ingest.simulate.study import STATE, TRUTH, write_study
from ingest.simulate.subjects import (
    POPULATIONS,
    Effects,
    Role,
    SimulationSettings,
    counts_of,
    patient_id,
    stream,
    subject,
)
from tshdb.barcode import Barcode
from tshdb.errors import UsageError

SMALL = SimulationSettings(seed=3, n_genes=400, voxel_mm=4.0, slice_mm=7.5)
COUNTS = {Role.PAIR: 1, Role.TUMOR: 1, Role.RADIOGENOMIC: 1, Role.ISPY1: 1, Role.NACT: 1}


@pytest.fixture(scope="module")
def markers(tmp_path_factory):
    _, rows = marker_table.read("mcp_counter", tmp_path_factory.mktemp("none"))
    return tuple(Marker(r["population"], r["marker"], r["ensembl"]) for r in rows if r["ensembl"])


def bytes_of(folder) -> dict[str, str]:
    """Every file's digest, but the line order of the state."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file() and p.name != STATE
    }


def test_the_same_settings_give_the_same_bytes_in_one_run_or_several(markers, tmp_path):
    at_once, grown, stopped = (tmp_path / n for n in ("at_once", "grown", "stopped"))
    write_study(at_once, COUNTS, SMALL, markers, jobs=2)
    write_study(grown, {Role.PAIR: 1, Role.ISPY1: 1}, SMALL, markers, jobs=1)
    assert write_study(grown, COUNTS, SMALL, markers, jobs=1).n_new == 3
    assert bytes_of(at_once) == bytes_of(grown)

    class Stop(Exception):
        pass

    def stop(_name, done, _total):
        if done == 3:
            raise Stop

    with pytest.raises(Stop):
        write_study(stopped, COUNTS, SMALL, markers, jobs=1, progress=stop)
    with (stopped / STATE).open("a") as state:
        state.write('{"role": "nact", "numb')  # as a kill leaves it
    assert not (stopped / TRUTH).exists()
    assert write_study(stopped, COUNTS, SMALL, markers, jobs=1).n_before == 3
    assert bytes_of(stopped) == bytes_of(at_once)


def test_another_folder_and_other_settings_are_refused(markers, tmp_path):
    write_study(tmp_path / "a", {Role.TUMOR: 2}, SMALL, markers, jobs=1)
    with pytest.raises(UsageError, match="other settings"):
        write_study(tmp_path / "a", {Role.TUMOR: 2}, replace(SMALL, seed=4), markers)
    with pytest.raises(UsageError, match="1 patients more"):
        write_study(tmp_path / "a", {Role.TUMOR: 1}, SMALL, markers)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        write_study(tmp_path / "b", {Role.TUMOR: 1}, SMALL, markers)


def test_no_two_patients_share_an_identifier(tmp_path, markers):
    names = [subject(SMALL, role, i).patient_id for role in Role for i in (*range(40), 9_999)]
    assert len(set(names)) == len(names)
    assert sum(counts_of(10_000).values()) == 10_000 and all(n > 0 for n in counts_of(7).values())
    many = [patient_id(role, i) for role, n in counts_of(100_000).items() for i in range(n)]
    assert len(set(many)) == len(many) == 100_000
    assert all(
        Barcode.is_one(f"{name}-01A") and not name[8].isdigit() and name[8] != "A" for name in many if name[0] == "T"
    )
    last = 25 * 36**3 // 3 - 1
    assert patient_id(Role.TUMOR, 0) == "TCGA-A2-Z001" and patient_id(Role.TUMOR, last)[8] == "B"
    with pytest.raises(UsageError, match=f"there are identifiers for {last + 1:,}"):
        write_study(tmp_path / "sim", {Role.PAIR: 1, Role.TUMOR: last + 2}, SMALL, markers)
    assert not (tmp_path / "sim").exists()


# ------------------------------------------------------------------------------------------------- what is planted


def log_hazard_ratio(subjects, event: str, days: str) -> tuple[float, float, float]:
    """(log hazard ratio of z, its standard error, p) by lifelines."""
    import pandas as pd
    from lifelines import CoxPHFitter

    rows = [(s.z, s.clinical["size_sd"], s.outcome[event], s.outcome[days]) for s in subjects]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = CoxPHFitter().fit(pd.DataFrame(rows, columns=["z", "size", "e", "t"]), "t", "e").summary.loc["z"]
    return float(found["coef"]), float(found["se(coef)"]), float(found["p"])


@pytest.mark.parametrize(("effect", "role"), [(0.7, Role.TUMOR), (1.2, Role.NACT), (0.0, Role.ISPY1)])
def test_survival_has_the_stated_hazard(effect, role):
    settings = SimulationSettings(seed=11, effects=Effects(survival=effect))
    subjects = [subject(settings, role, i) for i in range(1_500)]
    event = "rfs" if role is Role.NACT else "os"
    beta, error, _ = log_hazard_ratio(subjects, f"{event}_event", f"{event}_days")
    assert abs(beta + effect) < 3 * error and error < 0.08


def test_without_an_effect_p_is_uniform():
    settings = [SimulationSettings(seed=s, effects=Effects(0, 0, 0)) for s in range(60)]
    p = [log_hazard_ratio([subject(s, Role.TUMOR, i) for i in range(120)], "os_event", "os_days")[2] for s in settings]
    assert 0.3 < np.mean(p) < 0.7 and 0.0 < np.mean(np.array(p) < 0.25) < 0.45


@pytest.mark.parametrize(("effect", "least", "most"), [(0.0, -0.25, 0.25), (1.0, 0.8, 0.95), (4.0, 0.95, 1.0)])
def test_rna_holds_the_stated_abundances_and_ratios(markers, tmp_path, effect, least, most):
    """The mean of the markers' log2(TPM + 1), read from the files by hand, is the abundance; its ratio follows z."""
    settings = replace(SMALL, n_genes=200, effects=Effects(rna=effect))
    subjects = [subject(settings, Role.PAIR, i) for i in range(120)]
    of_gene = {m.symbol: m.population for m in markers}
    ratios, errors = [], []
    for s in subjects:
        found = {}
        for made in star_counts.write_files(s, settings, markers, tmp_path):
            lines = (tmp_path / made["file_id"] / made["file_name"]).read_text().splitlines()[6:]
            values = {k: [] for k in POPULATIONS}
            total = 0.0
            for cells in (line.split("\t") for line in lines):
                total += float(cells[6])
                if cells[1] in of_gene:
                    values[of_gene[cells[1]]].append(np.log2(float(cells[6]) + 1))
            found[made["sample"]] = {k: np.mean(v) for k, v in values.items()}
            assert total == pytest.approx(1e6, rel=1e-6)
        for sample, truth in (("01A", s.tumor), ("11A", s.stroma)):
            errors += [found[sample][k] / truth[k] - 1 for k in POPULATIONS if k != "CD8 T cells"]  # one gene: noisy
        t, n = (found[x]["Cytotoxic lymphocytes"] for x in ("01A", "11A"))
        ratios.append((t - n) / n)
    assert abs(np.mean(errors)) < 0.01 and np.std(errors) < 0.06
    r = np.corrcoef(ratios, [s.z for s in subjects])[0, 1]
    assert least < r < most


def test_images_show_what_was_planted():
    """Uneven uptake falls and flatness rises with u, measured on the images and the mask alone."""
    scan = Scan(False, "left", [-60.0, 90.0, 300.0], 2.5, 4.0)
    measured = []
    for i, u in enumerate(np.repeat([-2.0, 0.0, 2.0], 4)):
        made = scanned(scan, float(u), 40.0, 1.0, stream(SMALL, "phantom", i))
        pre, post = made.volumes[0].astype(float), made.volumes[1].astype(float)
        rise = ((post - pre) / np.maximum(pre, 1))[made.tumor]
        where = np.argwhere(made.tumor) * [4.0, 2.5, 2.5]
        axes = np.sqrt(np.linalg.eigvalsh(np.cov(where.T)))
        body = made.volumes[0] > 60
        assert made.breast[made.tumor].all() and body[made.breast].mean() > 0.95
        assert rise.mean() > 4 * ((post - pre) / np.maximum(pre, 1))[made.breast & ~made.tumor].mean()
        measured.append((u, rise.std() / rise.mean(), axes[0] / axes[-1]))
    of = {u: np.mean([m[1:] for m in measured if m[0] == u], axis=0) for u in (-2.0, 0.0, 2.0)}
    assert of[-2.0][0] > 1.3 * of[0.0][0] > 1.3 * of[2.0][0]
    assert of[-2.0][1] < of[0.0][1] < of[2.0][1]


# ------------------------------------------------------------------------------------------------- read again


def test_every_reader_takes_a_simulated_study_without_a_finding(quick, tmp_path):
    """Commands alone: simulate, init, ingest; every phase is found, every mask has its volume."""
    out, study = tmp_path / "sim", tmp_path / "study"
    quick("simulate", out, "--cohorts", "pair=2,tumor=2,radiogenomic=5,ispy1=6,nact=2", "--voxel-mm", "4", "--genes", "400",
          "--visits", "1", cwd=tmp_path)  # fmt: skip
    quick("init", study, "--preset", "fan2023", cwd=tmp_path)
    for collection in ("tcga-brca", "ispy1", "breast-mri-nact-pilot"):
        said = json.loads(quick("ingest", collection, "--from", out / collection, "--json", cwd=study).stdout)
        assert said["findings"] == [] == said["imaging"]["findings"] == said["segmentation"]["findings"]
    quick("rebuild", "series_roles", "dce_sets", "dce_slices", "dce_phases", "masks", cwd=study)
    truth = {p["patient_id"]: p for p in json.loads((out / TRUTH).read_text())["patients"]}

    def rows(sql):
        return json.loads(quick("sql", sql, "--format", "json", cwd=study).stdout)

    sets = rows("SELECT patient_id, status, n_phases, qc_flags FROM dce_sets JOIN imaging_studies USING (study_uid)")
    assert len(sets) == 13
    for row in sets:
        wanted = truth[row["patient_id"]]["images"][0]
        assert (row["status"], row["n_phases"], row["qc_flags"]) == ("found", wanted["n_phases"], None), wanted
    masks = rows(
        "SELECT patient_id, region, is_outline, m.status, m.volume_ml, s.flags FROM masks m JOIN segmentations s "
        "USING (segmentation_id) JOIN imaging_studies i ON i.study_uid = s.study_uid"
    )
    # of so coarse a lesion in .les both orders of voxels may hang together, which is said
    assert all(m["status"] == "fits" or "both orders" in m["flags"] for m in masks)
    outlines = {m["patient_id"]: m["volume_ml"] for m in masks if m["is_outline"]}
    assert len(outlines) == 13 and len(masks) == 13 + 2 * 8
    for patient, volume in outlines.items():
        assert volume == pytest.approx(truth[patient]["images"][0]["tumor_ml"], rel=1e-3)
    expressed = rows("SELECT count(*) AS n FROM expression_profiles")
    assert expressed == [{"n": 11}]
    facts = json.loads((out / TRUTH).read_text())
    assert facts["simulated"] and "Nobody" in facts["words"] and "Nobody" in (out / "README.txt").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--effect", "size=1"), "'size=1'"),
        (("--effect", "rna=-1"), "'rna=-1'"),
        (("--effect", "survival=big"), "'survival=big'"),
        (("--cohorts", "pair=x"), "'pair=x'"),
        (("--patients", "3", "--like-paper"), "two of"),
    ],
)
def test_what_cannot_be_simulated_is_said(quick, tmp_path, options, words):
    assert words in quick("simulate", tmp_path / "x", *options, cwd=tmp_path, code=2).stderr
    assert not (tmp_path / "x").exists()
