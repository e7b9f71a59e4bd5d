"""What a study takes on disk, by kind; by hand."""

from __future__ import annotations

from cli.study import _disk
from tshdb.disk import KINDS, disk
from tshdb.schema import Base

A, B, C, D = (letter * 64 for letter in "abcd")


def put(objects, name: str, n_bytes: int) -> None:
    folder = objects / name[:2]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"x" * n_bytes)


def test_every_table_that_names_objects_is_a_kind():
    named = {
        (table.name, column.name, column.info["object"])
        for table in Base.metadata.tables.values()
        for column in table.columns
        if "object" in column.info
    }
    assert named | {("expression_parts", "part_id", ".parquet")} == set(KINDS.values())


def test_each_file_is_of_the_first_kind_that_names_it_and_a_lost_one_of_none(tmp_path):
    """A is an outline and the tumour, B is lost, C an expression part, D named by no row; a stranger is no object."""
    rows = {"lesions": [(A,), (None,)], "tumor_masks": [(A,)], "prepared_images": [(B,)], "expression_parts": [(C,)]}
    objects, database = tmp_path / "objects", tmp_path / "study.db"
    for name, n_bytes in ((f"{A}.nrrd", 7), (f"{C}.parquet", 2_000_000), (f"{D}.nrrd", 5), ("notes.txt", 9)):
        put(objects, name, n_bytes)
    database.write_bytes(b"x" * 100)
    (tmp_path / "study.db-wal").write_bytes(b"x" * 11)
    found = disk(objects, database, lambda sql: rows.get(sql.split()[-1], []))
    assert found == {
        "database": 111,
        "objects": {
            "expression": {"files": 1, "bytes": 2_000_000},
            "lesions": {"files": 1, "bytes": 7},
            "others": {"files": 1, "bytes": 5},
        },
    }
    assert _disk(found) == (
        "On disk: database 0.0 MB, objects 2.0 MB: expression 2.0 MB, lesions 0.0 MB, "
        "others 0.0 MB (of guests, or replaced: tshdb check)"
    )


def test_a_study_on_a_server_without_objects(tmp_path):
    found = disk(tmp_path / "objects", None, lambda sql: [])
    assert found == {"database": None, "objects": {}} and _disk(found) == "On disk: objects 0.0 MB"
