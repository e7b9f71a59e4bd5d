"""Whatever a file is, it is looked into, or it is said that nobody has looked."""

from __future__ import annotations

import base64
import gzip
import io
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.exported import FORMATS
from tshdb.contents import plain
from tshdb.contents.kinds import is_plain_text, pieces
from tshdb.contents.look import Limits
from tshdb.withdrawal.files import look
from tshdb.withdrawal.identifiers import Identifiers

WHO = "TCGA-Z1-Q002"
ROWS = [("TCGA-Z1-Q001", "one"), (WHO, "two"), ("TCGA-Z1-Q003", "three")]
SMALL = Limits(largest=1 << 20, ratio=100, free=1 << 16, deepest=3, members=10)


def named(who: str, *others: str) -> Identifiers:
    return Identifiers(who, (), (), (), (), others=others)


def unseen(path: Path, limits: Limits = SMALL) -> list[str]:
    return [piece.unseen for piece in pieces(path, limits) if piece.unseen]


def written(tmp_path: Path, data: bytes, name: str = "file") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_looked_into_or_said_not_to_be(tmp_path, name):
    path = tmp_path / f"table.{name}"
    FORMATS[name].write(path, ROWS)
    assert WHO in FORMATS[name].read(path)
    seen = look(path, named(WHO))
    assert seen.is_named if FORMATS[name].is_open else seen.unseen and not seen.is_named
    other = look(path, named("TCGA-Z1-Q00"))
    assert not other.is_named, "what stands in it is longer"


def test_what_is_open_is_looked_into_as_a_whole(tmp_path):
    """Where nothing is found, nothing is left unsaid: no word of what was not opened means that all of it was."""
    for name, each in FORMATS.items():
        path = tmp_path / f"table.{name}"
        each.write(path, ROWS)
        seen = look(path, named("TCGA-Z1-Q999"))
        assert not seen.is_named
        assert bool(seen.unseen) == (name in ("vault", "pkl")), name


def bomb(size: int = 4 << 20) -> bytes:
    return gzip.compress(b"\0" * size)


def locked_zip() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.txt", WHO)
    held = bytearray(data.getvalue())
    held[held.index(b"PK\x01\x02") + 8] |= 1  # the flag of a password, in the list at the end
    held[6] |= 1
    return bytes(held).replace(WHO.encode(), b"x" * len(WHO))


def packed(data: bytes, times: int) -> bytes:
    for _ in range(times):
        data = gzip.compress(data)
    return data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (bomb(), "more than is looked into"),
        (packed(WHO.encode(), 4), "packed more than 3 times"),
        (locked_zip(), "password"),
        (gzip.compress(b"text" * 99)[:-9], "cannot be opened"),
        (b"PAR1" + b"\0" * 40 + b"PAR1", "cannot be opened"),
        (b"7z\xbc\xaf\x27\x1c\x00", "7z"),
        (b"Rar!\x1a\x07\x01\x00", "RAR"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "picture"),
        (bytes(range(256)), "not known"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 99, "HDF5"),
        (b"%PDF-1.4\n1 0 obj\n<</Encrypt 2 0 R>>\nendobj\n", "locked"),
        (b"%PDF-1.4\n1 0 obj\n<</Filter/LZWDecode>>\nstream\nabc\nendstream\n", "packed in a way"),
        (b"%PDF-1.4\n1 0 obj\n<</Subtype/Image>>\nstream\nabc\nendstream\n", "pictures"),
    ],
    ids=lambda value: value if isinstance(value, str) else "bytes",  # some hold the time
)
def test_what_cannot_be_opened_is_said(tmp_path, data, why):
    found = unseen(written(tmp_path, data))
    assert any(why in each for each in found), found


def test_python_objects_are_not_loaded(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"x": 1}], dtype=object), allow_pickle=True)
    assert any("not loaded" in each for each in unseen(path))


def test_a_bomb_inside_of_an_archive_leaves_the_others_looked_into(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.txt", WHO)
        archive.writestr("b.gz", bomb())
    path = written(tmp_path, data.getvalue())
    assert look(path, named(WHO)).is_named
    assert unseen(path), "and what was not opened is said"


@pytest.mark.parametrize("at", range(15, 45))
def test_a_name_across_two_pieces_is_seen_once_and_nothing_is_made_up(tmp_path, monkeypatch, at):
    monkeypatch.setattr(plain, "AT_ONCE", 32)
    monkeypatch.setattr(plain, "MARGIN", 8)
    assert look(written(tmp_path, b"." * at + WHO.encode() + b"." * 99), named(WHO)).is_named
    assert not look(written(tmp_path, b"." * at + b"X" + WHO.encode() + b"." * 99), named(WHO)).is_named
    assert not look(written(tmp_path, b"." * at + WHO.encode() + b"7" + b"." * 99), named(WHO)).is_named


def test_a_name_with_blanks_across_two_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(plain, "AT_ONCE", 16)
    monkeypatch.setattr(plain, "MARGIN", 8)
    monkeypatch.setattr(plain, "OVERLAP", 32)
    for at in range(12, 40):
        assert look(written(tmp_path, b"." * at + b" Jane Roe 71 " + b"." * 400), named("Jane Roe 71")).is_named, at


def test_words_of_a_page_that_stand_side_by_side(tmp_path):
    """One operator draws the name in two strings, others before and behind it draw other words."""
    page = b"%PDF-1.4\n1 0 obj\n<<>>\nstream\nBT (Name) Tj [(TCGA-Z) 9 (1-Q002)] TJ (Age) Tj ET\nendstream\n"
    assert look(written(tmp_path, page), named(WHO)).is_named


@pytest.mark.parametrize(
    ("who", "text", "is_one"),
    [
        ("TCGA-Z1-Q002", "tcga-z1-q002", True),
        ("TCGA-Z1-Q002", "TCGA.Z1.Q002.01A", True),
        ("Zo\u00eb-0007", "id: Zoe\u0308-0007", True),
        ("Zoe\u0308-0007", "id: Zo\u00eb-0007", True),
        ("Zo\u00eb-0007", "id: Zo\\u00eb-0007", True),
        ("A+B(1)*[2]", "x A+B(1)*[2] y", True),
        ("A+B(1)*[2]", "AAB1", False),
        ("1234567", "1234567.0", True),
        ("1234567", "1.234567E+06", True),
        ("0001234567", "a 1234567 b", True),
        ("1234567", "12345678", False),
        ("Jose-1", "Jose-1\u0301", False),
    ],
)
def test_a_name_as_programs_write_it(tmp_path, who, text, is_one):
    assert look(written(tmp_path, text.encode()), named(who)).is_named == is_one


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-be", "utf-32", "gb18030", "mac-roman"])
def test_letters_in_any_encoding(tmp_path, encoding):
    who = "\u738b-00017" if encoding == "gb18030" else "Zo\u00eb-0007"
    assert look(written(tmp_path, f"id,age\n{who},50\nb,2\n".encode(encoding)), named(who)).is_named


def test_others_names_are_no_mention_whatever_their_capitals(tmp_path):
    who = named("SUBJ-001", "SUBJ-001-2", "subj-001")
    for text, is_one in (("subj-001-2", False), ("subj-001", False), ("SUBJ-001", True), ("Subj-001", True)):
        assert look(written(tmp_path, text.encode()), who).is_named == is_one, text


def test_a_number_in_a_column_of_numbers(tmp_path):
    frame = pd.DataFrame({"number": [1.5, 1234567.0], "n": [1234568, 2]})
    for name in ("parquet", "feather", "xlsx"):
        path = tmp_path / f"a.{name}"
        (frame.to_excel if name == "xlsx" else getattr(frame, f"to_{name}"))(path)
        assert look(path, named("1234567")).is_named and not look(path, named("1234569")).is_named
    np.save(tmp_path / "a.npy", frame.to_numpy())
    assert look(tmp_path / "a.npy", named("1234567")).is_named


def test_numbers_that_r_keeps_are_said_not_to_be_seen(tmp_path):
    path = tmp_path / "a.rds"
    FORMATS["rds"].write(path, ROWS)
    assert look(path, named("1234567")).unseen and not look(path, named("TCGA-Z1-Q999")).unseen


@pytest.mark.parametrize("name", ["csv", "tsv", "utf16.csv", "csv.xz", "parquet", "feather", "db"])
def test_a_short_name_is_seen_as_a_cell_of_a_column_of_patients(tmp_path, name):
    path = tmp_path / f"a.{name}"
    FORMATS[name].write(path, [("17", "50"), ("18", "171")])
    assert look(path, named("17")).is_named
    assert (
        not look(path, named("50")).is_named
        and not look(path, named("171")).is_named
        and not look(path, named("8")).is_named
    )


def test_what_a_text_holds_in_base64(tmp_path):
    inner = base64.b64encode(gzip.compress(json.dumps([WHO, *map(str, range(200))]).encode())).decode()
    page = f'<img src="data:application/gzip;base64,{inner}">'
    assert look(written(tmp_path, page.encode()), named(WHO)).is_named


def test_a_file_is_known_by_its_content(tmp_path):
    for name in ("xlsx", "csv.bz2", "db"):
        FORMATS[name].write(tmp_path / name, ROWS)
        path = (tmp_path / name).rename(tmp_path / f"{name}.txt")
        assert not is_plain_text(path) and look(path, named(WHO)).is_named
    for name in ("csv", "csv.gz", "utf16.csv", "json"):
        FORMATS[name].write(tmp_path / name, ROWS)
        assert is_plain_text(tmp_path / name)


def test_a_database_that_is_in_use(tmp_path):
    """Its log has what was written last, and beside it lies an index of the log."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE people (id TEXT)")
        database.execute("INSERT INTO people VALUES (?)", (WHO,))
        database.commit()
        assert look(tmp_path / "a.db-wal", named(WHO)).is_named
        for name in ("a.db", "a.db-wal", "a.db-shm"):
            assert (tmp_path / name).is_file()
            assert look(tmp_path / name, named("TCGA-Z1-Q999")) == (tmp_path / name, False, ())
