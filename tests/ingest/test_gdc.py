"""A GDC folder, from its files to rows: readers of old and new formats, checks before loading, increments."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from ingest.clinical import receptors
from ingest.formats import UNKNOWN, Format, clinical_reader, format_of
from ingest.gdc import folder as gdc_folder
from ingest.imaging.records import is_dicom
from tests.support import tiny
from tests.support.gdc_folder import GdcFolder
from tshdb import loading
from tshdb.cohorts import versions as cohorts
from tshdb.database import writing
from tshdb.study import Study
from tshdb.vocabulary import ExpressionUnit

OPTIONS = gdc_folder.GdcFolderOptions("tcga-brca", "TCGA-BRCA")


def ingest(study: Study, folder: GdcFolder, root, options=OPTIONS, **how) -> loading.Loaded:
    """Write the folder anew and ingest it, as the command does."""
    import shutil

    shutil.rmtree(root, ignore_errors=True)
    folder.write(root)
    contents = gdc_folder.look(root, options)
    items = gdc_folder.items(contents, options, loading.current_files(study, "tcga-brca"))
    return loading.load(study, items, command="test", findings=contents.findings, release=contents.release,
                        together=True, **how)  # fmt: skip


def rules(loaded: loading.Loaded) -> dict[str, int]:
    return dict(Counter(f.rule for f in loaded.findings))


def one(study: Study, query: str):
    return study.sql(query).iloc[0, 0]


def test_a_good_folder_has_no_finding(empty_study, tmp_path):
    folder = GdcFolder.make(4)
    loaded = ingest(empty_study, folder, tmp_path / "gdc")
    assert rules(loaded) == {}
    assert loaded.by_table["expression_profiles"]["inserted"] == 8
    assert loaded.by_table["patients"]["inserted"] == loaded.by_table["follow_ups"]["inserted"] == 4
    again = ingest(empty_study, folder, tmp_path / "gdc")
    assert again.is_same_bytes and again.n_files == 9


def test_values_genes_and_quality_counts_are_those_of_the_file(empty_study, tmp_path):
    folder = GdcFolder.make(2)
    ingest(empty_study, folder, tmp_path / "gdc")
    first = folder.files[0]
    query = (
        "SELECT g.symbol, e.value FROM expression e JOIN genes g ON g.gene_id = e.gene "
        f"WHERE e.sample_id = '{first.sample_id}'"
    )
    values = dict(empty_study.sql(query).itertuples(index=False))
    assert values == {symbol: round(v, 4) for symbol, v in first.tpm.items()}
    row = empty_study.sql(f"SELECT * FROM expression_profiles WHERE sample_id = '{first.sample_id}'").iloc[0]
    assert (row.n_unmapped, row.n_multimapping, row.n_no_feature, row.n_ambiguous) == (1000, 1001, 1002, 1003)
    assert row.gene_model == "GENCODE v36" and row.n_genes == 14 and row.unit == "tpm"
    files = empty_study.sql("SELECT md5, archive_id FROM source_files WHERE reader = 'star-counts'")
    assert set(files["md5"]) == {f.md5 for f in folder.files}
    assert set(files["archive_id"]) == {f.file_id for f in folder.files}


def test_every_quantity_that_is_asked_for(empty_study, tmp_path):
    units = tuple(map(ExpressionUnit, ("tpm", "fpkm", "fpkm_uq", "counts")))
    options = gdc_folder.GdcFolderOptions("tcga-brca", "TCGA-BRCA", units=units)
    folder = GdcFolder.make(1)
    ingest(empty_study, folder, tmp_path / "gdc", options)
    found = empty_study.sql(
        "SELECT p.unit, e.value FROM expression e JOIN expression_profiles p USING (profile_id) JOIN genes g "
        "ON g.gene_id = e.gene WHERE g.symbol = 'GNLY' AND p.sample_id LIKE '%01A'"
    )
    tpm = folder.files[0].tpm["GNLY"]
    expected = {"tpm": tpm, "fpkm": tpm / 2, "fpkm_uq": tpm / 3, "counts": int(tpm * 10)}
    assert dict(found.itertuples(index=False)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize("has_api", [False, True])
def test_sheets_old_and_new_and_the_api_say_the_same(empty_study, tmp_path, is_new, has_api):
    folder = GdcFolder.make(2)
    folder.is_new_sheet, folder.has_api = is_new, has_api
    ingest(empty_study, folder, tmp_path / "gdc")
    rows = empty_study.sql("SELECT sample_id, sample_type_code, compartment FROM samples ORDER BY 1")
    assert rows.values.tolist() == [
        ["TCGA-TN-0000-01A", "01", "tumor"], ["TCGA-TN-0000-11A", "11", "stroma"],
        ["TCGA-TN-0001-01A", "01", "tumor"], ["TCGA-TN-0001-11A", "11", "stroma"],
    ]  # fmt: skip
    aliquots = set(empty_study.sql("SELECT aliquot_id FROM expression_profiles")["aliquot_id"])
    assert aliquots == {f.aliquot if has_api else f.sample_id for f in folder.files}
    if has_api:
        assert one(empty_study, "SELECT release FROM source_releases") == "Data Release 45.0 - December 04, 2025"


def test_the_aliquot_is_selected_by_the_rule_and_the_others_are_kept(empty_study, tmp_path):
    folder = GdcFolder.make(1)
    folder.has_api = True
    later = folder.add_file("TCGA-TN-0000", "01A", plate="B999")
    ffpe = folder.add_file("TCGA-TN-0000", "01B", plate="Z999")
    ffpe.preservation = "FFPE"
    loaded = ingest(empty_study, folder, tmp_path / "gdc")
    assert rules(loaded)["aliquot.several"] == 1
    rows = empty_study.sql(
        "SELECT p.aliquot_id, p.is_selected, p.selection_rule FROM expression_profiles p JOIN samples USING (sample_id) "
        "WHERE compartment = 'tumor' ORDER BY 1"
    )
    assert len(rows) == 3 and rows[rows.is_selected].aliquot_id.tolist() == [later.aliquot]
    assert rows[rows.is_selected].selection_rule.tolist() == ["A7.3"]


def test_a_file_that_differs_from_the_manifest_loads_nothing(empty_study, tmp_path):
    folder = GdcFolder.make(2)
    root = folder.write(tmp_path / "gdc")
    broken = folder.files[1]
    name = f"{broken.file_id}/{broken.file_name}"
    text = (root / name).read_text()
    folder.replaced[name] = text.replace("GNLY", "GNLX")
    loaded = ingest(empty_study, folder, root)
    assert loaded.is_refused and rules(loaded)["manifest.md5"] == 1
    assert one(empty_study, "SELECT count(*) FROM patients") == 0
    folder.replaced[name] = text[:-20]
    assert rules(ingest(empty_study, folder, root))["manifest.size"] == 1
    kept = ingest(empty_study, folder, root, keep_going=True)
    assert not kept.is_refused and kept.by_table["expression_profiles"]["inserted"] == 3
    del folder.replaced[name]
    mended = ingest(empty_study, folder, root)
    assert mended.by_table["expression_profiles"]["inserted"] == 1 and not mended.errors


def test_later_follow_up_of_three_patients_changes_three_rows(empty_study, tmp_path):
    study, folder = empty_study, GdcFolder.make(12)
    ingest(study, folder, tmp_path / "gdc")
    (study.root / "markers.csv").write_text(MARKERS)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study)
    assert tiny.due(study) == {}
    for name in ("TCGA-TN-0001", "TCGA-TN-0003", "TCGA-TN-0005"):
        folder.cases[name].days += 100
    loaded = ingest(study, folder, tmp_path / "gdc")
    assert loaded.by_table["follow_ups"] == {"inserted": 0, "updated": 3, "deleted": 0, "unchanged": 9}
    assert loaded.n_same_bytes == loaded.n_files - 1
    due = tiny.due(study)
    survival = (
        "abundance_cox", "km_curves", "logrank_tests", "tsh_cox", "univariable_cox", "signature_curves", "signature_logrank",
        "signature_cox", "likelihood_ratio_tests", "concordances", "calibration_groups", "survival_quantiles", "ph_residuals",
        "cumulative_incidences", "gray_tests", "signature_quantiles", "signature_residuals", "signature_incidences",
        "signature_gray",
    )  # fmt: skip
    assert due == {analysis: {f"{tiny.COHORT}@1", tiny.LIVE} for analysis in survival}
    plan = tiny.plan(study)["univariable_cox"]
    assert {d.detail for d in plan.due.values()} == {"ingest.follow_ups/TCGA-TN-0001 changed, and 2 more"}


MARKERS = """population,marker,ensembl
T cells,CD3D,ENSG00000167286
T cells,CD5,ENSG00000110448
Cytotoxic lymphocytes,GNLY,ENSG00000115523
Fibroblasts,DCN,ENSG00000011465
"""


def test_a_notice_that_withdraws_an_aliquot_becomes_an_exclusion(empty_study, tmp_path):
    study, folder = empty_study, GdcFolder.make(6)
    folder.has_api = True
    ingest(study, folder, tmp_path / "gdc")
    (study.root / "markers.csv").write_text(MARKERS)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study)
    aliquot = folder.files[4].aliquot  # the tumour of the third patient
    folder.notice(aliquot, "Item flagged DNU", entity_type="aliquot")
    loaded = ingest(study, folder, tmp_path / "gdc")
    assert loaded.by_table == {"annotations": {"inserted": 1, "updated": 0, "deleted": 0, "unchanged": 0}}
    row = study.sql(f"SELECT is_selected, exclusion FROM expression_profiles WHERE aliquot_id = '{aliquot}'").iloc[0]
    assert not row.is_selected and row.exclusion == "annotation note-0: Item flagged DNU"
    plans = tiny.plan(study)
    assert list(plans["tsh_ratios"].gone) == ["TCGA-TN-0002"]
    frozen = tiny.freeze(study)
    members = study.sql(f"SELECT patient_id FROM cohort_members WHERE version = {frozen}")["patient_id"]
    assert frozen == 2 and "TCGA-TN-0002" not in set(members) and len(members) == 5


def test_a_withdrawn_patient_is_in_no_cohort_and_a_rescinded_notice_excludes_nobody(empty_study, tmp_path):
    study, folder = empty_study, GdcFolder.make(4)
    folder.notice("TCGA-TN-0001", "Subject withdrew consent", "Redaction")
    folder.notice("TCGA-TN-0002", "Duplicate case", "Redaction", status="Rescinded")
    folder.notice("TCGA-TN-0003", "Prior malignancy", "Notification")
    ingest(study, folder, tmp_path / "gdc")
    effects = study.sql("SELECT patient_id, effect FROM annotations ORDER BY 1").values.tolist()
    assert effects == [["TCGA-TN-0001", "exclude"], ["TCGA-TN-0002", "note"], ["TCGA-TN-0003", "note"]]
    sql = (study.root / "cohorts" / f"{tiny.COHORT}.sql").read_text()
    with writing(study.engine) as connection:
        found = cohorts.define(connection, tiny.COHORT, sql)
    assert found.members == ("TCGA-TN-0000", "TCGA-TN-0002", "TCGA-TN-0003")


def test_ten_more_samples_cost_ten_samples(empty_study, tmp_path):
    folder = GdcFolder.make(30)
    ingest(empty_study, folder, tmp_path / "gdc")
    parts = set(empty_study.sql("SELECT part_id FROM expression_parts")["part_id"])
    for i in range(30, 35):
        folder.add(i)
    loaded = ingest(empty_study, folder, tmp_path / "gdc")
    assert loaded.n_files - loaded.n_same_bytes == 11  # ten files and the clinical table
    fresh = empty_study.sql("SELECT part_id, n_profiles FROM expression_parts")
    fresh = fresh[~fresh["part_id"].isin(parts)]
    assert len(parts) == 1 and fresh["n_profiles"].tolist() == [10]


def test_complete_removes_what_the_folder_lacks(empty_study, tmp_path):
    folder = GdcFolder.make(4)
    ingest(empty_study, folder, tmp_path / "gdc")
    gone = folder.files.pop()
    loaded = ingest(empty_study, folder, tmp_path / "gdc")
    assert not loaded.by_table.get("expression_profiles", {}).get("deleted")
    loaded = ingest(empty_study, folder, tmp_path / "gdc", complete=True)
    assert loaded.by_table["expression_profiles"]["deleted"] == 1
    assert one(empty_study, f"SELECT count(*) FROM samples WHERE sample_id = '{gone.sample_id}'") == 0


def test_a_file_that_a_later_release_lacks_is_named_and_stays(empty_study, tmp_path):
    """The findings are copied before the items are read, as the command does."""
    folder, root = GdcFolder.make(2), tmp_path / "gdc"
    folder.has_api = True
    folder.write(root)
    standing = loading.current_files(empty_study, "tcga-brca")
    look = gdc_folder.look_of(gdc_folder.look(root, OPTIONS), OPTIONS, standing)
    loading.load(empty_study, list(look.items()), command="test", findings=look.findings, together=True)
    gone = folder.files.pop()
    (root / "files.json").write_text(json.dumps(folder.file_hits()))
    (root / "gdc_manifest.txt").write_text(folder.manifest())
    standing = loading.current_files(empty_study, "tcga-brca")
    look = gdc_folder.look_of(gdc_folder.look(root, OPTIONS), OPTIONS, standing)
    loaded = loading.load(empty_study, list(look.items()), command="test", findings=list(look.findings), together=True)
    assert [f.rule for f in loaded.findings if f.rule == "star.superseded"] == ["star.superseded"]
    assert one(empty_study, f"SELECT count(*) FROM samples WHERE sample_id = '{gone.sample_id}'") == 1


def test_samples_of_the_other_sex_are_named(empty_study, tmp_path):
    folder = GdcFolder.make(3)
    folder.files[2].tpm |= {"XIST": 0.0, "RPS4Y1": 40.0}
    folder.cases["TCGA-TN-0002"].sex = "male"
    loaded = ingest(empty_study, folder, tmp_path / "gdc")
    found = {(f.rule, f.value) for f in loaded.findings if f.rule == "sample.other-sex"}
    assert found == {("sample.other-sex", f.sample_id) for f in (folder.files[2], folder.files[4], folder.files[5])}


# --------------------------------------------------------------------------------------------------- real exports


def test_what_the_published_files_are(shared):
    formats = {p.name: format_of(p) for p in (shared / "gdc").rglob("*") if p.is_file()}
    assert formats.pop("COADREAD_2025-08_exposure.tsv") == Format.OTHER_TABLE
    assert formats.pop("COADREAD_2025-08_pathology_detail.tsv") == Format.OTHER_TABLE
    assert Counter(formats.values()) == {
        Format.CLINICAL: 2, Format.FAMILY_HISTORY: 1, Format.FOLLOW_UP: 1, Format.MANIFEST: 2, Format.CASES: 1,
        Format.FILES: 1, Format.SAMPLE_SHEET: 1, Format.EXPRESSION: 1,
    }  # fmt: skip


def test_the_sheet_of_2023(shared, tmp_path):
    (tmp_path / "sheet.tsv").write_bytes((shared / "gdc" / "gdc_sample_sheet.2023-11-13.tsv").read_bytes())
    contents = gdc_folder.look(tmp_path, OPTIONS)
    files = contents.files.values()
    assert [f.rule for f in contents.findings] == ["folder.no-rna"]
    assert len(files) == 1231 and len({f.case_id for f in files}) == 1095
    tumours = Counter(f.case_id for f in files if f.sample_id[13:15] == "01")
    normals = {f.case_id for f in files if f.sample_id[13:15] == "11"}
    assert sum(n > 1 for n in tumours.values()) == 11
    assert len(normals) == 113 and normals <= tumours.keys()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("fan2023", (23, 56, 33)), ("ihc-fish", (23, 69, 20)), ("fish-ihc", (21, 71, 20)), ("ihc", (22, 56, 34))],
)
def test_the_papers_112_women_come_out_of_the_biotab(shared, rule, expected):
    """Table 1 of the paper: ER 78/21/13, PR 68/31/13, HER2 23/56/33; then the other rules."""
    path = shared / "clinical" / "nationwidechildrens.org_clinical_patient_brca.2017.txt.gz"
    content = clinical_reader(Format.BIOTAB, "tcga-brca", rule)(path)
    assert not content.errors and len({r.values["patient_id"] for r in content.records}) == 1099
    pairs = (shared / "clinical" / "paired-113-vital-status-three-sources.csv").read_text().splitlines()[1:]
    names = {line.split(",")[0] for line in pairs}
    women = [
        r.values for r in content.records
        if r.table.__tablename__ == "patients" and r.values["patient_id"] in names and r.values["sex"] == "female"
    ]  # fmt: skip
    assert len(women) == 112

    def counts(column: str) -> tuple[int, ...]:
        found = Counter(w[column] for w in women)
        return found["positive"], found["negative"], found[None]

    assert counts("er_status") == (78, 21, 13) and counts("pr_status") == (68, 31, 13)
    assert counts("her2_status") == expected
    assert all((w["her2_status"] is None) == (w["her2_status_reason"] is not None) for w in women)


def test_three_sources_give_one_conflict_of_vital_status(shared, empty_study, tmp_path):
    """Seven are alive in the Biotab and dead in the other two. Six died after the Biotab's last contact, which is no conflict;
    of the one seen alive after her death the GDC's word holds, as in the paper."""
    names = ("gdc/clinical.2023-11.TCGA-BRCA.tsv.gz", "clinical/tcga-cdr-survival.tsv",
             "clinical/nationwidechildrens.org_clinical_patient_brca.2017.txt.gz")  # fmt: skip
    for name in names:
        (tmp_path / name.rpartition("/")[2]).write_bytes((shared / name).read_bytes())
    contents = gdc_folder.look(tmp_path, OPTIONS)
    loading.load(empty_study, gdc_folder.items(contents, OPTIONS, {}), command="test", findings=contents.findings)
    pairs = (shared / "clinical" / "paired-113-vital-status-three-sources.csv").read_text().splitlines()[1:]
    paired = {line.split(",")[0] for line in pairs}
    rows = empty_study.sql("SELECT * FROM conflicts WHERE table_name = 'follow_ups'")
    rows["patient_id"] = rows["row_key"].str.partition("|")[0]
    mine = rows[rows["patient_id"].isin(paired)]
    status = mine[mine["column_name"] == "event"]
    assert sorted(status["patient_id"]) == ["TCGA-AC-A23H"]
    assert set(status["held_source"].str.split("/").str[1]) == {"clinical"}
    assert set(status["held_value"]) == {"True"} and set(status["other_value"]) == {"False"}
    days = mine[mine["column_name"] == "duration_days"]
    assert set(days["patient_id"]) == {"TCGA-AC-A23H", "TCGA-BH-A18N", "TCGA-BH-A1F8", "TCGA-BH-A1FG"}
    deaths = empty_study.sql("SELECT patient_id, event FROM follow_ups WHERE endpoint = 'OS'")
    assert deaths[deaths["patient_id"].isin(paired)]["event"].sum() == 44  # data/README.md


def test_a_file_that_cannot_be_read_is_unknown(tmp_path):
    (tmp_path / "IM0001").symlink_to(tmp_path / "gone")
    assert format_of(tmp_path / "IM0001") == UNKNOWN and not is_dicom(tmp_path / "IM0001")
    (tmp_path / "IM0002").write_bytes(bytes(128) + b"DICM")
    assert format_of(tmp_path / "IM0002") == "dicom" and is_dicom(tmp_path / "IM0002")


def test_the_format_of_2025(shared):
    folder = shared / "gdc" / "2025-format-other-project"
    cases = clinical_reader(Format.CLINICAL, "coadread", "ihc-fish")(folder / "COADREAD_2025-08_clinical.tsv.gz")
    assert not cases.errors and Counter(f.rule for f in cases.findings) == {
        "follow-up.zero": 29, "follow-up.event-without-day": 1
    }  # fmt: skip
    patients = {r.values["patient_id"]: r.values for r in cases.records if "sex" in r.values}
    assert len(patients) == 625 and patients["TCGA-A6-2671"]["age_years"] == 85.0
    outcomes = {r.values["patient_id"]: r.values for r in cases.records if "event" in r.values}
    assert outcomes["TCGA-A6-2671"]["event"] is True and outcomes["TCGA-A6-2671"]["duration_days"] == 1331.0
    later = clinical_reader(Format.FOLLOW_UP, "coadread", "ihc-fish")(folder / "COADREAD_2025-08_follow_up.tsv.gz")
    assert not later.errors and len({r.values["patient_id"] for r in later.records}) == 622
    family = folder / "COADREAD_2025-08_family_history.tsv"
    history = clinical_reader(Format.FAMILY_HISTORY, "coadread", "ihc-fish")(family)
    assert Counter(r.values.get("family_history") for r in history.records)["yes"] == 74


def test_cases_of_the_api(shared):
    content = clinical_reader(Format.CASES, "tcga-brca", "ihc-fish")(shared / "gdc" / "gdc_api_cases_brca.json")
    patients = {r.values["patient_id"]: r.values for r in content.records}
    assert not content.errors and len(patients) == len(
        json.loads((shared / "gdc" / "gdc_api_cases_brca.json").read_text())
    )
    assert patients["TCGA-E9-A5FL"]["age_years"] == 65.0 and patients["TCGA-E9-A5FL"]["race"] == "white"


def test_the_head_of_a_real_star_file(shared):
    from ingest.gdc import expression as gdc_expression
    from ingest.gdc.sheets import FileFacts

    (path,) = (shared / "gdc").glob("star_counts_head*")
    facts = FileFacts("f", case_id="TCGA-BD-A3EP", sample_id="TCGA-BD-A3EP-01A")
    content = gdc_expression.read(path.read_bytes(), path, facts, "c", (ExpressionUnit.TPM,), gdc_expression.GeneRows())
    assert not content.findings and content.matrix.column(0).tolist() == [44.6685, 0.0, 56.2676]
    assert content.records[-1].values["n_unmapped"] == 8120268
    assert content.matrix.genes.ids == ["ENSG00000000003", "ENSG00000000005", "ENSG00000000419"]


def test_receptor_rules_by_hand():
    assert receptors.status("Positive") == ("positive", None)
    assert receptors.status("[Not Evaluated]") == (None, "not evaluated")
    assert receptors.status("Indeterminate") == (None, "indeterminate")
    assert receptors.her2("Equivocal", "Positive", "fan2023") == ("positive", None)
    assert receptors.her2("Equivocal", "Negative", "fan2023") == (None, "IHC equivocal, FISH negative")
    assert receptors.her2("Equivocal", "Negative", "ihc-fish") == ("negative", None)
    assert receptors.her2("Positive", "Negative", "fish-ihc") == ("negative", None)
