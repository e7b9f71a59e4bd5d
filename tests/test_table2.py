"""The paper's Table 2 on the real pairs of examples/, from files to rows. Figures: examples/README.md."""

from __future__ import annotations

import gzip
import shutil

import pytest
from sqlalchemy import select

from analyses import ANALYSES
from cli.make_study import make_study
from cli.tables import paper_table_2, table_2
from ingest import gdc_clinical, rna
from tests.conftest import ROOT
from tests.tiny import COHORT
from tshdb import cohorts, loading
from tshdb.database import reading, writing
from tshdb.engine.rebuild import Rebuild
from tshdb.schema import CellAbundance, Patient
from tshdb.vocabulary import ExpressionUnit, Scale


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    study = make_study(tmp_path_factory.mktemp("real") / "brca", "sqlite:///study.db", "fan2023")
    for name, reader in (("clinical.tsv", "clinical"), ("expression.csv", "rna")):
        path = study.root / name
        with gzip.open(ROOT / f"examples/tcga-brca-pairs/{name}.gz") as packed, path.open("wb") as file:
            shutil.copyfileobj(packed, file)
        source = loading.Source("tcga-brca", reader, name)
        options = rna.Options("tcga-brca", ExpressionUnit.RSEM, Scale.LINEAR, name)
        found = gdc_clinical.read(path, "tcga-brca") if reader == "clinical" else rna.read(path, options)
        item = loading.item_of(study, source, path, {}, lambda found=found: found)
        loading.load(study, [item], command="test")
    with writing(study.engine) as connection:
        cohorts.define(connection, COHORT, (study.root / f"cohorts/{COHORT}.sql").read_text())
        cohorts.freeze(connection, COHORT)
    Rebuild(study, ANALYSES).run()
    return study


def test_109_women_41_deaths(real):
    rows = table_2(real, None)
    assert {(r["n"], r["n_events"]) for r in rows} == {(109, 41)}
    with reading(real.engine) as connection:
        men = connection.execute(select(Patient.patient_id).where(Patient.sex == "male")).scalars().all()
    assert men == ["TCGA-BH-A0DD"]


def test_all_ten_directions_are_the_papers(real):
    rows = table_2(real, None)
    assert [r["term"] for r in rows] == list(paper_table_2())
    assert all(r["coefficient"] < 0 and r["paper"]["beta"] < 0 for r in rows)
    assert {(r["unit"], r["transform"]) for r in rows} == {("rsem", "log2(x + 1)")}


def test_hazard_ratios_are_those_of_the_data_sheet(real):
    """Plain log2(RSEM + 1), as computed independently when the data were assembled."""
    ours = {r["term"]: (r["hazard_ratio"], r["p_value"]) for r in table_2(real, None)}
    expected = {
        "T cells": (0.175, 0.005),
        "Cytotoxic lymphocytes": (0.11, 0.002),
        "B lineage": (0.33, None),
        "NK cells": (0.09, None),
        "Myeloid dendritic cells": (0.29, None),
        "Neutrophils": (0.018, 0.02),
    }
    for term, (hazard_ratio, p_value) in expected.items():
        digits = len(str(hazard_ratio).partition(".")[2])
        assert round(ours[term][0], digits) == hazard_ratio, term
        if p_value is not None:
            assert round(ours[term][1], len(str(p_value).partition(".")[2])) == p_value, term


def test_legacy_symbols_are_found(real):
    with reading(real.engine) as connection:
        found = set(
            connection.execute(
                select(CellAbundance.n_markers_found).where(CellAbundance.population == "Endothelial cells")
            ).scalars()
        )
    assert found == {33}  # ELTD1, CXorf36 and SDPR are read as ADGRL4, DIPK2B and CAVIN2
