"""Tables of radiomic features that were computed elsewhere: names, places, settings, and what is wrong in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.tables import features
from ingest.tables.features import FeatureTableOptions, read, read_settings
from tshdb.errors import InvalidInput, NotFound
from tshdb.schema import ImportedFeature, Patient

OPTIONS = FeatureTableOptions("some", "published")


def table(folder: Path, text: str, name: str = "features.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def rows(content) -> list[dict]:
    return [r.values for r in content.records if r.table is ImportedFeature]


@pytest.mark.parametrize(
    ("column", "place", "expected"),
    [
        ("tumor.SI.glcm.Idmn", (None, None), "tumor.SI.glcm.Idmn"),
        ("tumor.shape.Flatness", (None, None), "tumor.shape.Flatness"),
        ("tumor.S0.wavelet-LLH.glcm.Idmn", (None, None), "tumor.S0.wavelet-LLH.glcm.Idmn"),
        ("original_glcm_Idmn", ("tumor", "S0"), "tumor.S0.glcm.Idmn"),
        ("original_shape_Flatness", ("tumor", None), "tumor.shape.Flatness"),
        ("tumor_SI_original_glrlm_RunEntropy", (None, None), "tumor.SI.glrlm.RunEntropy"),
        (
            "stroma_S0_wavelet-HHL_firstorder_10Percentile",
            (None, None),
            "stroma.S0.wavelet-HHL.firstorder.10Percentile",
        ),
        ("log-sigma-2-0-mm-3D_ngtdm_Busyness", ("tumor", "T2"), "tumor.T2.log-sigma-2-0-mm-3D.ngtdm.Busyness"),
        ("SI_original_glcm_Idmn", ("tumor", None), "tumor.SI.glcm.Idmn"),
    ],
)
def test_names(tmp_path, column, place, expected):
    path = table(tmp_path, f"patient_id,{column}\nP1,0.5\n")
    (row,) = rows(read(path, FeatureTableOptions("some", "published", *place)))
    assert json.loads(row["features"]) == {expected: 0.5} and row["n_features"] == 1


def test_rows_of_regions_and_maps_make_one_examination(tmp_path):
    path = table(
        tmp_path,
        "PatientID;region;map;visit;scanner;original_glcm_Idmn;original_shape_Flatness\n"
        "P1;tumor;S0;T0;GE;0.91;0.3\nP1;tumor;SI;T0;GE;0.92;0.3\nP1;stroma;S0;T0;GE;NA;\nP1;tumor;S0;T2;GE;0.95;0.4\n",
    )
    first, later = rows(read(path, OPTIONS))
    assert first["examination"] == "some/published/P1/T0" and later["time_point"] == "T2" and first["batch"] == "GE"
    assert json.loads(first["features"]) == {
        "stroma.S0.glcm.Idmn": None, "stroma.shape.Flatness": None, "tumor.S0.glcm.Idmn": 0.91, "tumor.SI.glcm.Idmn": 0.92,
        "tumor.shape.Flatness": 0.3,
    }  # fmt: skip
    assert first["n_features"] == 3 and json.loads(later["features"])["tumor.S0.glcm.Idmn"] == 0.95


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("patient_id,original_glcm_Idmn\nP1,0.9\n", "features.place-unknown", 2),
        ("patient_id,tumor.S0.glcm.Idmn\nP1,0.9\nP2,high\n", "features.no-number", 3),
        ("patient_id,tumor.S0.glcm.Idmn\nP1,0.9\nP1,0.8\n", "features.twice", 3),
        ("patient_id,tumor.S0.glcm.Idmn\n,0.9\n", "id.no-patient", 2),
        ("patient_id,tumor.S0.glcm.Idmn\nP1,0.9,1\n", "clinical.field-count", 2),
        ("patient_id,tumor.S0.glcm.Idmn\nP1,1e999\n", "features.no-number", 2),
    ],
)
def test_what_is_wrong_has_its_line(tmp_path, text, rule, line):
    (found,) = read(table(tmp_path, text), OPTIONS).errors
    assert (found.rule, found.line) == (rule, line)


@pytest.mark.parametrize("word", ["NaN", "NULL", "NA"])
def test_a_word_for_missing_is_no_patient(tmp_path, word):
    content = read(table(tmp_path, f"patient_id,tumor.S0.glcm.Idmn\n{word},0.5\nP-1,0.25\n"), OPTIONS)
    assert {r.values["patient_id"] for r in content.records if r.table is Patient} == {"P-1"}
    assert [i.rule for i in content.errors if i.line == 2] == ["id.no-patient"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("who,tumor.S0.glcm.Idmn\nP1,0.9\n", "no column names the patients"),
        ("patient_id,age\nP1,50\n", "0 columns have a name of PyRadiomics"),
        ("patient_id,tumor.S0.glcm.Idmn,tumor.S0.glcm.Idmn\nP1,1,2\n", "tumor.S0.glcm.Idmn is there twice"),
        ("", "the file is empty"),
    ],
)
def test_a_table_that_is_none(tmp_path, text, message):
    with pytest.raises(InvalidInput, match=message):
        read(table(tmp_path, text), OPTIONS)


def test_without_settings_it_compares_with_itself_alone(tmp_path):
    path = table(tmp_path, "patient_id,age,tumor.S0.glcm.Idmn\nP1,44,0.9\n")
    found = read(path, OPTIONS)
    assert {f.rule for f in found.findings} == {"features.settings-unknown", "features.other-columns"}
    (row,) = rows(found)
    assert {row[c] for c in ("settings", "normalisation", "phases")} == {"unknown: some/published"}
    other = rows(read(path, FeatureTableOptions("some", "another")))[0]
    assert other["settings"] != row["settings"]
    assert [r.values for r in found.records if r.table is Patient] == [{"patient_id": "P1", "collection": "some"}]


def test_pyradiomics_own_columns_say_how(tmp_path):
    """As PyRadiomics' command line writes them: version, settings and image types beside the features."""
    path = table(
        tmp_path,
        "patient_id\tdiagnostics_Versions_PyRadiomics\tdiagnostics_Configuration_Settings\t"
        "diagnostics_Configuration_EnabledImageTypes\toriginal_glcm_Idmn\n"
        "P1\tv3.0.1\t{'binWidth': 5, 'force2D': False}\t{'Original': {}}\t0.9\n"
        "P2\tv3.0.1\t{'binWidth': 5, 'force2D': False}\t{'Original': {}}\t0.8\n",
        "features.tsv",
    )
    found = read(path, FeatureTableOptions("some", "published", "tumor", "S0"))
    assert not found.errors
    one, two = rows(found)
    assert one["software"] == "pyradiomics v3.0.1" and one["settings"] == two["settings"]
    assert json.loads(one["settings"]) == {"imageType": {"Original": {}}, "setting": {"binWidth": 5, "force2D": False}}


def test_code_among_the_settings_is_not_run(tmp_path):
    path = table(
        tmp_path,
        "patient_id,diagnostics_Configuration_Settings,tumor.S0.glcm.Idmn\nP1,__import__('os').system('touch /tmp/x'),1\n",
    )
    (row,) = rows(read(path, OPTIONS))
    assert row["settings"].startswith("unknown")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.toml", 'software = "mirp 2"\n[settings]\nbin = 3\n', {"software": "mirp 2", "settings": {"bin": 3}}),
        ("a.json", '{"mask_kind": "manual"}', {"mask_kind": "manual"}),
        (
            "a.yaml",
            "setting:\n  binWidth: 25\n",
            {"software": "pyradiomics", "settings": {"setting": {"binWidth": 25}}},
        ),
    ],
)
def test_files_of_settings(tmp_path, name, text, expected):
    assert read_settings(table(tmp_path, text, name)) == expected


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "= 1", "cannot be read"), ("a.json", "[1, 2]", "holds no settings"), ("a.yaml", "a: [", "cannot be read"),
        ("a.toml", "colour = 1", "no part 'colour'"), ("a.json", "", "cannot be read"),
    ],
)  # fmt: skip
def test_files_that_are_none(tmp_path, name, text, message):
    with pytest.raises(InvalidInput, match=message):
        read_settings(table(tmp_path, text, name))
    with pytest.raises(NotFound):
        read_settings(tmp_path / "nothing.toml")


def test_the_table_is_named_by_the_file(empty_study, tmp_path, quick):
    """Loaded twice: nothing the second time; a corrected value is one row; a row that is gone goes with --complete."""
    path = table(tmp_path, "patient_id,tumor.S0.glcm.Idmn\nP1,0.9\nP2,0.8\n", "hospital.csv")
    command = ("ingest", "features", path, "--collection", "some")
    said = quick(*command, cwd=empty_study.root).stderr
    assert "imported_features" in said and "2 inserted" in said
    assert "nothing" in quick(*command, cwd=empty_study.root).stderr.lower()
    table(tmp_path, "patient_id,tumor.S0.glcm.Idmn\nP1,0.95\n", "hospital.csv")
    assert "1 updated" in quick(*command, cwd=empty_study.root).stderr
    assert "1 deleted" in quick(*command, "--complete", cwd=empty_study.root).stderr
    found = empty_study.sql("SELECT examination, feature_table, features FROM imported_features")
    assert found.values.tolist() == [["some/hospital/P1/T0", "hospital", '{"tumor.S0.glcm.Idmn":0.95}']]
    lineage = quick("lineage", "imported_features", "P1", cwd=empty_study.root).stdout
    assert "hospital.csv line 2" in lineage


def test_columns_are_found_whatever_their_case():
    assert {features.header_key(n) for n in features.PATIENT} == set(features.PATIENT)
