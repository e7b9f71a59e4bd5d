"""What leaves as matrices (AnnData, MuData) is read back as the study has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tests.support import tiny
from tests.support.program import ROOT, run_quick
from tshdb.exports.writing import export
from tshdb.study import Study

FROZEN = f"{tiny.COHORT}@1"
anndata = pytest.importorskip("anndata", reason="anndata is not installed")


def read_h5mu(path):
    mudata = pytest.importorskip("mudata", reason="mudata is not installed")
    if hasattr(mudata, "set_options"):  # up to 0.3, whose default warns
        mudata.set_options(pull_on_update=False)
    return mudata.read_h5mu(path)


def same(values: pd.Series, stored: pd.Series) -> bool:
    """Whether two columns hold the same, whatever their types; what is missing is missing in both."""
    pairs = zip(values.astype(object), stored.astype(object), strict=True)
    return all((pd.isna(a) and pd.isna(b)) or a == b for a, b in pairs)


@pytest.fixture
def of_two_units(core):
    """Three of the patients have TPM as well, of fewer genes."""
    lines = ["gene," + ",".join(f"TCGA-TN-000{i}-01A-11R-A000-07" for i in range(3))]
    lines += [f"{gene}," + ",".join(str(n * 1.5 + i) for i in range(3)) for n, gene in enumerate(tiny.GENES[:5])]
    path = core.root / "raw/tpm.csv"
    path.write_text("\n".join(lines) + "\n")
    run_quick("ingest", "rna", path, "--collection", "tcga-tn", "--unit", "tpm", "--scale", "linear", cwd=core.root)
    return Study(core.root)


def test_anndata_has_every_value_of_the_selected_profiles(of_two_units, tmp_path):
    study = of_two_units
    done = export(study, "anndata", tmp_path / "out")
    read = anndata.read_h5ad(tmp_path / "out/expression.h5ad")
    assert done.written.files[0].n_rows == read.n_obs == 20 and set(read.layers) - {None} == {"tpm_linear"}  # None: X
    stored = study.sql(
        "SELECT e.sample_id, e.gene, e.value, p.unit, p.profile_id FROM expression e "
        "JOIN expression_profiles p USING (profile_id) WHERE e.is_selected"
    )
    assert read.uns["tshdb"]["X"].startswith("rsem, linear") and read.uns["tshdb"]["study"] == study.name
    for unit, values in (("rsem", read.X), ("tpm", read.layers["tpm_linear"])):
        of_unit = stored[stored["unit"] == unit]
        frame = pd.DataFrame(values, index=read.obs_names, columns=read.var_names)
        rows = zip(of_unit["sample_id"], of_unit["gene"], of_unit["value"], strict=True)
        assert [(s, g) for s, g, v in rows if frame.at[s, g] != v] == []
        assert np.isfinite(values).sum() == len(of_unit) == {"rsem": 20 * len(tiny.GENES), "tpm": 15}[unit]
        profiles = of_unit.drop_duplicates("sample_id").set_index("sample_id")["profile_id"]
        assert same(read.obs[f"profile_{unit}_linear"], profiles.reindex(read.obs_names))


def test_anndata_has_all_that_is_known_of_the_patients(study, tmp_path):
    export(study, "anndata", tmp_path / "out")
    obs = anndata.read_h5ad(tmp_path / "out/expression.h5ad").obs
    wide = study.sql("SELECT * FROM patients_wide").set_index("patient_id").loc[obs["patient_id"]]
    for column in wide.columns:
        assert same(obs[column], wide[column]), column
    samples = study.sql("SELECT * FROM samples").set_index("sample_id").loc[obs.index]
    assert same(obs["compartment"], samples["compartment"]) and same(obs["patient_id"], samples["patient_id"])
    assert obs["tsh_ratio_prognosis"].notna().any() and obs["os_event"].dtype == "boolean"
    readme = (tmp_path / "out/README.md").read_text()
    assert all(f"adata.obs.{name.replace('_', chr(92) + '_')} |" in readme for name in obs.columns)


def test_mudata_has_a_modality_for_each_matrix(study, tmp_path):
    export(study, "mudata", tmp_path / "out")
    read = read_h5mu(tmp_path / "out/study.h5mu")
    assert set(read.mod) == {"rna", "abundances", "radiomics", "maps", "imported_features"}
    export(study, "anndata", tmp_path / "alone")
    alone = anndata.read_h5ad(tmp_path / "alone/expression.h5ad")
    assert np.array_equal(read["rna"].X, alone.X, equal_nan=True) and list(read["rna"].obs) == list(alone.obs)
    for modality, query in (
        ("abundances", "SELECT profile_id AS row, population AS name, abundance AS value FROM cell_abundances"),
        (
            "radiomics",
            "SELECT study_uid AS row, feature AS name, value FROM radiomic_features WHERE feature_class IS NOT NULL",
        ),
        ("maps", "SELECT study_uid AS row, feature AS name, value FROM map_features WHERE feature_class IS NOT NULL"),
    ):
        stored = study.sql(query)
        frame = pd.DataFrame(read[modality].X, index=read[modality].obs_names, columns=read[modality].var_names)
        rows = zip(stored["row"], stored["name"], stored["value"], strict=True)
        assert [(r, n) for r, n, v in rows if not np.array_equal(frame.at[r, n], v, equal_nan=True)] == [], modality
        assert frame.size >= len(stored) > 0
    table = read["imported_features"]
    for row in study.sql("SELECT examination, features FROM imported_features").itertuples():
        values = pd.Series(json.loads(row.features), dtype=float)
        assert np.array_equal(table[row.examination].X.ravel(), values[table.var_names], equal_nan=True)
    scores = study.sql("SELECT examination, score FROM signature_scores").set_index("examination")["score"]
    assert same(table.obs["signature_score"], scores.reindex(table.obs_names)) and scores.notna().any()


def test_a_cohort_has_its_members_alone(study, tmp_path):
    tiny.ingest(study, tiny.TinyArchive.make(12), images=False)
    export(Study(study.root), "anndata", tmp_path / "out", cohort=FROZEN)
    read = anndata.read_h5ad(tmp_path / "out/expression.h5ad")
    assert sorted(set(read.obs["patient_id"])) == list(study.cohort(FROZEN).members)
    assert not any("0010" in name for column in read.obs for name in read.obs[column].astype(str))


@pytest.mark.parametrize("kind", ["anndata", "mudata"])
def test_a_file_that_cannot_be_written_whole_is_one_line(study, tmp_path, kind):
    """No file of the process may have more than 100 kB: HDF5 says so in its own way, and crashes when the process ends."""
    pytest.importorskip(kind, reason=f"{kind} is not installed")
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({100_000}, {100_000}))\n"
    code = f"{limit}from cli.main import main\nmain()"
    words = [sys.executable, "-c", code, "export", kind, str(tmp_path / "out")]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        words, cwd=study.root, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert ended.returncode == 6, ended.stderr
    assert len(ended.stderr.splitlines()) == 1 and "File too large (errno 27)" in ended.stderr
    assert list(tmp_path.iterdir()) == [study.root]
