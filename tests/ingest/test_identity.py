"""Columns that say who somebody is: by their headers in five languages and by what stands in them. All persons are invented."""

from __future__ import annotations

import pytest

from ingest.tables import mapped, maps
from tshdb.identity import Identity, identity_columns, of_cells, of_header

HEADERS = {
    Identity.NAME: "patient_name PatientName LastName Initials Nachname Vorname Prénom Nom Apellidos Hausarzt 患者姓名",
    Identity.BIRTH: "date_of_birth DOB Geburtsdatum geb.Datum date_de_naissance fecha_de_nacimiento 出生日期",
    Identity.PHONE: "phone Tel. Telefonnummer Téléphone Teléfono_móvil 联系电话",
    Identity.MAIL: "E-Mail courriel correo_electrónico 邮箱",
    Identity.ADDRESS: "address ZIP_code Straße PLZ Wohnort code_postal Dirección 家庭住址",
    Identity.NUMBER: "mrn MRN SSN Fallnummer Versichertennummer numéro_de_sécurité_sociale DNI historia_clínica 住院号 身份证号",
    Identity.FREE_TEXT: "notes Comments Bemerkungen Freitext Commentaires Observaciones 备注",
}
PLAIN = (
    "age;days_to_birth;Date of Birth (Days);sex;race;histology;T stage;er_status;vital_status;os_months;family_history;"
    "laterality;site;gene_name;drug name;"
    "scanner model name;tissue_source_site;subtype;tumor_location;MRI date;year_of_birth;ki67;grade;"
    "featureName;country_of_residence_at_enrollment;strength;importance;country"
).split(";")


@pytest.mark.parametrize(("identity", "header"), [(i, h) for i, headers in HEADERS.items() for h in headers.split()])
def test_a_header_says_what_a_column_tells(identity, header):
    assert of_header(header) is identity


@pytest.mark.parametrize("header", PLAIN)
def test_a_header_of_a_finding_tells_nobody(header):
    assert of_header(header) is None


@pytest.mark.parametrize(
    ("cells", "identity"),
    [
        (["Jane Doe", "Erika Mustermann", "Max Power", "John Q. Public"], Identity.NAME),
        (["DOE, JANE", "PUBLIC, JOHN", "MUSTERMANN, ERIKA", "POWER, MAX"], Identity.NAME),
        (["王小明", "李华", "张伟", "刘洋洋"], Identity.NAME),
        (["1950-01-02", "1962-11-30"], Identity.BIRTH),
        (["02.01.1950", "30.11.1962"], Identity.BIRTH),
        (["2019-03-04", "2020-07-01"], Identity.DATE),
        (["+49 170 1234567", "+49 30 765432"], Identity.PHONE),
        (["(555) 555-1234", "555-555-9876"], Identity.PHONE),
        (["", "jane@example.org"], Identity.MAIL),
        (["1 Main Street", "22 Elm Road"], Identity.ADDRESS),
        (["Hauptstraße 1", "Am Weg 4a"], Identity.ADDRESS),
        (["123-45-6789", "987-65-4321"], Identity.NUMBER),
        (["none", "seen by Dr House on 2020-03-04, call 555-1234"], Identity.FREE_TEXT),
        (["Invasive Ductal Carcinoma", "Invasive Lobular Carcinoma"] * 10, None),
        (["upper outer quadrant of the left breast, two foci"] * 9 + ["nipple"], None),
        (["T1", "T2", "T1c"], None),
        (["12345", "23456.5"], None),
        (["white", "black or african american", "not reported"] * 3, None),
        (["HOSP-00001", "HOSP-00002"], None),
        ([], None),
    ],
)
def test_cells_say_what_a_column_tells(cells, identity):
    assert of_cells(cells) is identity


def test_a_word_of_a_header_is_belied_by_codes():
    assert identity_columns({"notes": ["0", "1", "0"], "phone": ["yes", "no"], "name": ["", ""]}) == {}


TABLE = """id,age,patient_name,x1,date_of_birth,notes,grade
H-00001,60,Jane Doe,+49 170 1234567,1950-01-02,seen by Dr House on 2020-03-04 at noon,2
H-00002,48,Erika Mustermann,+49 170 7654321,1962-11-30,none,3
"""
MAP = '[patient_id]\ncolumn = "id"\n[patients.age_years]\ncolumn = "age"\n'


def read(tmp_path, map_=MAP, table=TABLE):
    (tmp_path / "t.csv").write_text(table)
    content = mapped.read(tmp_path / "t.csv", "c", maps.parse_map(map_, "m"))
    assert content.errors == []
    return {v.field for v in content.raw_values}, {f.rule: f.message for f in content.findings}


def test_what_says_who_somebody_is_is_left_out_and_named(tmp_path):
    kept, findings = read(tmp_path)
    assert kept == {"age", "grade"}
    told = findings["identity.left-out"]
    assert all(f"{name} ({i})" in told for name, i in (
        ("patient_name", "names"), ("x1", "telephone numbers"), ("date_of_birth", "birth dates"), ("notes", "free text"),
    ))  # fmt: skip
    assert not any(
        secret in message for message in findings.values() for secret in ("Jane", "1950", "House", "1234567")
    )


def test_what_the_map_allows_is_kept_and_said(tmp_path):
    kept, findings = read(tmp_path, '[table]\nallow = ["Notes", "absent"]\nleave_out = ["grade"]\n' + MAP)
    assert kept == {"age", "notes"}
    assert (
        "notes" in findings["identity.allowed"]
        and "grade" in findings["map.left-out"]
        and "map.no-such-column" in findings
    )


def test_identifiers_that_are_no_pseudonyms_are_said(tmp_path):
    assert "identity.identifier" in read(tmp_path, MAP.replace('"id"', '"mrn"'), TABLE.replace("id,age", "mrn,age"))[1]
