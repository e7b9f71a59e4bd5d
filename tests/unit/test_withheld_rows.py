"""Rows that are not loaded are counted in one place: a row with an error is withheld once, however many errors it has."""

from __future__ import annotations

import ast
from pathlib import Path

from tshdb.file_content import FileContent
from tshdb.text_files import open_table

PLACES = {  # a file, an ingest, a folder of images, and their sum
    "tshdb/file_content.py", "tshdb/loading/__init__.py", "tshdb/actions/imaging.py",
}  # fmt: skip
ROOT = Path(__file__).parent.parent.parent


def test_a_row_with_two_errors_is_withheld_once():
    content = FileContent()
    with content.row() as is_bad:
        assert not is_bad()
        content.error(2, "age", "x", "clinical.age", "expected years")
        content.error(2, "sex", "y", "clinical.sex", "expected a sex")
        assert is_bad()
    with content.row():
        content.warn(3, "age", "0", "clinical.age", "doubtful")
    assert (len(content.findings), content.n_withheld) == (3, 1)


def test_an_error_that_is_not_told_withholds_its_row_too():
    content = FileContent()
    for line in (2, 3, 4):
        with content.row(n_rows=2):
            content.error(line, None, "x", "rna.not-a-number", "expected a number", most=1)
    assert (len(content.findings), content.n_withheld) == (1, 6)


def test_a_row_with_fields_too_few_is_withheld_whatever_the_delimiter(tmp_path):
    for delimiter in "\t,;":
        path = tmp_path / "table"
        path.write_text("a,b\n1,2\n3\n4,5\n".replace(",", delimiter))
        content = FileContent()
        with open_table(path, content, "clinical.field-count") as table:
            assert table.header == ["a", "b"]
            assert list(table.rows) == [(2, ["1", "2"]), (4, ["4", "5"])]
        assert [(f.line, f.value, f.rule) for f in content.errors] == [(3, "3", "clinical.field-count")]
        assert content.n_withheld == 1


def test_no_reader_counts_by_itself():
    """`n_withheld` is set where rows are counted, and nowhere else."""
    setting = set()
    for path in [*ROOT.glob("tshdb/**/*.py"), *ROOT.glob("ingest/**/*.py"), *ROOT.glob("cli/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if any(isinstance(t, ast.Attribute) and t.attr == "n_withheld" for t in targets):
                setting.add(str(path.relative_to(ROOT)))
    assert setting == PLACES
