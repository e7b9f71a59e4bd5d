"""First maps, and what a folder's dry run takes a file for: where a guess would drop somebody, or a table is of another kind."""

from __future__ import annotations

import tomllib

import pytest

from ingest.tables.guess import guess
from tests.ingest.zoo.judge import matrix, written
from tshdb.actions import own_folder

HEADER = "Pat-Nr;Alter;Verstorben;Überleben (Monate)\n"
ROWS = "".join(f"A{i};{40 + 3 * i};{'nein' if i % 3 else 'ja'};{7 + 9 * i}\n" for i in range(2, 10))


@pytest.mark.parametrize(
    "first", ["A1;61,5;ja;12,5", "A1;<18;ja;unbekannt", "A1;n.b.;;?", "A1;unbekannt;nein;>60"]
)  # fmt: skip
def test_a_patient_is_no_second_header(tmp_path, first):
    map_ = tomllib.loads(guess(written(tmp_path, "t.csv", f"{HEADER}{first}\n{ROWS}")))
    assert "skip_rows" not in map_.get("table", {})


def test_a_second_header_is_one_still(tmp_path):
    map_ = tomllib.loads(guess(written(tmp_path, "t.csv", f"{HEADER}(code);(years);(ja/nein);(months)\n{ROWS}")))
    assert map_["table"]["skip_rows"] == [2]


def test_words_of_other_languages_are_known(tmp_path):
    map_ = tomllib.loads(guess(written(tmp_path, "t.csv", HEADER + ROWS)))
    outcome = map_["follow_ups"]["OS"]
    assert outcome["event"] == {"column": "Verstorben", "codes": {"ja": True, "nein": False}}
    assert outcome["duration"] == {"column": "Überleben (Monate)", "unit": "months"}


def test_the_day_of_death_of_few_is_no_code_and_the_others_were_seen_last(tmp_path):
    rows = "".join(
        f"P-{i},{'dead' if i < 4 else 'alive'},{300 * i if i < 4 else ''},{'' if i < 4 else 90 * i}\n"
        for i in range(1, 12)
    )
    map_ = tomllib.loads(
        guess(written(tmp_path, "t.csv", "id,vital_status,days_to_death,days_to_last_contact\n" + rows))
    )
    outcome = map_["follow_ups"]["OS"]
    assert outcome["event"]["column"] == "vital_status"
    assert outcome["duration"] == {"column": "days_to_death", "else_column": "days_to_last_contact", "unit": "days"}


SYMBOLS = ["A1BG", "A1CF", "A2M", "AAAS", "AACS", "TP53", "ESR1", "GNLY"]
OWN = ["T1", "T2", "N1"]
NUMBERED = "Age,Days,Dead\n" + "".join(f"P{i},{40 + i},{100 * i},{i % 2}\n" for i in range(1, 12))
KINDS = {
    "a matrix of samples that nobody knows": (matrix(SYMBOLS, OWN), "an expression matrix, 3 samples"),
    "the same without a name of its genes": (matrix(SYMBOLS, OWN, "", ","), "an expression matrix, 3 samples"),
    "the same whose genes are called ID": (matrix(SYMBOLS, OWN, "ID", ","), "an expression matrix, 3 samples"),
    "the same, of one sample": (matrix(SYMBOLS, OWN[:1]), "an expression matrix, 1 sample"),
    "samples in the rows": (
        "sample,TP53,ESR1,GNLY\nT1,1.5,2,3\nT2,4.5,3,2\n", "an expression matrix with samples in the rows, 3 genes",
    ),
    "patients whose columns are numbers": ("ID," + NUMBERED, "a table of patients (ID)"),
    "patients of whom nothing says so": ("," + NUMBERED, "of no kind that is read (columns , Age, Days, Dead)"),
    "patients with genes that are mutated": ("ID,TP53,ESR1,PIK3CA\nP1,yes,no,no\nP2,no,no,yes\n", "a table of patients (ID)"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(90), "a picture (.png, .jpg, .gif, .tif), which is not read"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_taken_for_what_it_is(zoo_study, tmp_path, kind):
    data, what = KINDS[kind]
    written(tmp_path, "t.csv", data)
    (file,) = own_folder.look(zoo_study, tmp_path, "own").files
    assert file.what == what and file.load is None
