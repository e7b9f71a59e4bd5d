"""Simulated studies in tests and benchmarks: the way that their README.txt tells, settings, and what came out."""

from __future__ import annotations

import shlex
from pathlib import Path

from tshdb.study import Study


def told(simulated: Path) -> list[list[str]]:
    """The commands of a simulation's README.txt, in order, without the program's name."""
    lines = (simulated / "README.txt").read_text().splitlines()
    commands = [line.partition("#")[0].replace("HERE", str(simulated)) for line in lines if line.startswith("  tshdb ")]
    return [shlex.split(command)[1:] for command in commands]


def changed(text: str, *pairs: tuple[str, str]) -> str:
    """study.toml with other parameters; each first of a pair must stand there once."""
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def five_examinations(root: Path) -> None:
    """Five simulated patients of three collections in root/sim, ingested into the study root/study; features computed."""
    from ingest.simulate.star_counts import Marker
    from ingest.simulate.study import write_study
    from ingest.simulate.subjects import Role, SimulationSettings
    from tests.support.program import run_quick

    settings = SimulationSettings(seed=31, n_genes=200, voxel_mm=2.6, slice_mm=4.0)
    counts = {Role.RADIOGENOMIC: 1, Role.ISPY1: 3, Role.NACT: 1}
    write_study(root / "sim", counts, settings, (Marker("T cells", "CD3D", "ENSG00000167286"),), jobs=1)
    run_quick("init", root / "study", "--preset", "fan2023", cwd=root)
    written = root / "study/study.toml"  # coarse, for speed
    written.write_text(changed(written.read_text(), ("in_plane_mm = 0.8", "in_plane_mm = 1.6"),
                               ("across_mm = 2.0", "across_mm = 4.0")))  # fmt: skip
    for collection in ("tcga-brca", "ispy1", "breast-mri-nact-pilot"):
        run_quick("ingest", collection, "--from", root / "sim" / collection, cwd=root / "study")
    run_quick("rebuild", "radiomic_features", cwd=root / "study")


def auc_of(study: Study) -> dict[str, float]:
    """scheme -> AUC of the signature on its own cohort."""
    rows = study.sql("SELECT scheme, value FROM model_performance WHERE model = 'signature_model' AND measure = 'auc'")
    return dict(zip(rows["scheme"], rows["value"], strict=True))
