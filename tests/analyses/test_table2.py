"""The paper's Table 2 on the real pairs of examples/, from files to rows. Figures: examples/README.md."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from analyses import ANALYSES
from ingest.expression import rna
from ingest.formats import clinical_reader, format_of
from tests.support.tiny import COHORT
from tshdb import loading
from tshdb.actions.making import make_study
from tshdb.cohorts import versions as cohorts
from tshdb.database import reading, writing
from tshdb.engine.rebuild import Rebuild
from tshdb.schema import CellAbundance, Patient
from tshdb.study import Study
from tshdb.tables.rows import cox_rows, paper_table_2, table_2
from tshdb.vocabulary import ExpressionUnit, Scale


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


def test_tumours_alone_on_the_recovered_tumours(shared, tmp_path):
    """The 956 tumours less 105 pairs and ten men: 841 women, 90 deaths; data/README.md has 842, 90 and cytotoxic p = .003."""
    study = make_study(tmp_path / "brca", "sqlite:///study.db", "fan2023")
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("min_coverage = 0.5", "min_coverage = 0.1"))
    study = Study(study.root)
    for name in (
        "clinical/nationwidechildrens.org_clinical_patient_brca.2017.txt.gz",
        "clinical/tcga-cdr-survival.tsv",
    ):
        found = clinical_reader(format_of(shared / name), "tcga-brca", "fan2023")
        source = loading.Source("tcga-brca", format_of(shared / name), name)
        item = loading.item_of(study, source, shared / name, {}, lambda f=found, n=name: f(shared / n))
        loading.load(study, [item], command="test")
    options = {"unit": ExpressionUnit.RSEM, "scale": Scale.LINEAR}
    for name, more in (
        ("tcga-brca-rsem-110-pairs.csv.gz", {}),
        ("tcga-brca-rsem-1382-genes-956-tumors.csv.gz", {"sample_type": "01", "clip_negative": True}),
    ):
        path, wanted = shared / "expression" / name, rna.MatrixOptions("tcga-brca", **options, name=name, **more)
        source = loading.Source("tcga-brca", "rna", name)
        item = loading.item_of(study, source, path, {}, lambda p=path, w=wanted: rna.read(p, w))
        loading.load(study, [item], command="test")
    with writing(study.engine) as connection:
        for cohort in (COHORT, "tumor_stroma_validation"):
            cohorts.define(connection, cohort, (study.root / f"cohorts/{cohort}.sql").read_text())
            cohorts.freeze(connection, cohort)
    Rebuild(study, ANALYSES, names=["abundance_cox"]).run()
    rows = {r["term"]: r for r in cox_rows(study, "tumor_stroma_validation@1", ("tumor",), "abundance_cox")}
    assert {r["n"] for r in rows.values()} == {841}
    deaths = study.sql("SELECT count(*) AS n FROM follow_ups JOIN cohort_members USING (patient_id) WHERE event "
                       "AND endpoint = 'OS' AND cohort = 'tumor_stroma_validation' AND version = 1")  # fmt: skip
    assert deaths["n"].tolist() == [90]
    assert rows["Cytotoxic lymphocytes"]["p_value"] == pytest.approx(0.003, abs=2e-4)
    assert rows["Cytotoxic lymphocytes"]["hazard_ratio"] < 1


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
