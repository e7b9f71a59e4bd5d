"""Tables as files: values in full, printed tables with their notes, no text taken for something else, the same bytes."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from tshdb.errors import InvalidInput, UsageError
from tshdb.tables import Layout, Table
from tshdb.tables.written import FORMATS, format_of, written
from tshdb.text.latex import escaped as latex
from tshdb.text.markdown import escaped as markdown

HOSTILE = ("=1+1", "+4", "-x", "@SUM(A1)", "a & b_c 100 % #1 $x ~ ^ \\ {y} | <z>", "Čaj, café, 5 ± 2 µm, p ≤ 0.05", "")
FACTS = [
    {"term": text, "n": 10 + i, "value": 1 / 3, "is_good": i % 2 == 0, "missing": None, "paper": {"beta": -0.25}}
    for i, text in enumerate(HOSTILE)
]
LAYOUTS = [
    Layout(
        "First: 50 % & more",
        ("term", "n", ""),
        [(text, 10 + i, None) for i, text in enumerate(HOSTILE)],
        (1,),
        ("n: people.",),
    ),
    Layout("Second", ("a", "b"), [("x", "1.5")], (1,), ("optimistic: #1.", "second note.")),
]


@pytest.fixture
def table() -> Table:
    return Table("2", "A title", FACTS, LAYOUTS)


def test_every_format_gives_the_same_bytes_again(table):
    pytest.importorskip("docx")
    for form in FORMATS:
        assert written(table, form) == written(table, form), form
    for form in ("xlsx", "docx"):
        with zipfile.ZipFile(io.BytesIO(written(table, form))) as packed:
            assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert b">1980-01-01T00:00:00Z<" in packed.read("docProps/core.xml") or form == "docx"


def test_csv_and_json_hold_the_values_in_full(table):
    rows = list(csv.DictReader(io.StringIO(written(table, "csv").decode())))
    assert [row["term"] for row in rows] == list(HOSTILE)
    assert float(rows[0]["value"]) == 1 / 3 and rows[0]["paper.beta"] == "-0.25" and rows[0]["n"] == "10"
    assert rows[0]["missing"] == "" and (rows[0]["is_good"], rows[1]["is_good"]) == ("true", "false")
    assert json.loads(written(table, "json")) == FACTS


def test_a_workbook_has_numbers_as_numbers_and_no_formula(table):
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(written(table, "xlsx")))
    assert book.sheetnames == ["values", "printed 1", "printed 2"]
    head, *rows = book["values"].iter_rows()
    assert [cell.value for cell in head] == ["term", "n", "value", "is_good", "missing", "paper.beta"]
    for (term, n, value, *_), wanted in zip(rows, FACTS, strict=True):
        assert term.data_type == "s" or term.value is None
        assert (term.value or "") == wanted["term"] and n.value == wanted["n"] and value.value == 1 / 3
        assert term.quotePrefix == wanted["term"].startswith(("=", "+", "-", "@"))
    texts = [cell.value for row in book["printed 2"].iter_rows() for cell in row if cell.value]
    assert texts == ["Second", "a", "b", "x", "1.5", "optimistic: #1.", "second note."]
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_a_text_that_no_cell_holds_is_refused():
    long = Table("2", "", [{"draws": "x" * 32_768}], [])
    with pytest.raises(InvalidInput, match="a text of 32,768 letters.*Write csv or json"):
        written(long, "xlsx")


def test_a_document_has_real_tables_with_heads_captions_and_notes(table):
    docx = pytest.importorskip("docx")
    document = docx.Document(io.BytesIO(written(table, "docx")))
    assert len(document.tables) == 2
    first = document.tables[0]
    assert [cell.text for cell in first.rows[0].cells] == ["term", "n", ""]
    assert "tblHeader" in first.rows[0]._tr.xml and "tblHeader" not in first.rows[1]._tr.xml
    assert [row.cells[0].text for row in first.rows[1:]] == list(HOSTILE)
    assert first.rows[1].cells[2].text == "·"
    said = [p.text for p in document.paragraphs]
    assert said == ["First: 50 % & more", "n: people.", "Second", "optimistic: #1.", "second note."]


def test_a_document_holds_no_more_of_the_template_than_it_uses(table):
    """Every style that something has is there, with those that it rests on; and Word's own for what has none."""
    docx = pytest.importorskip("docx")
    data = written(table, "docx")
    assert len(data) < 150_000, "the template alone is 800,000, unpacked"
    document = docx.Document(io.BytesIO(data))
    names = {style.name for style in document.styles}
    assert {p.style.name for p in document.paragraphs} | {t.style.name for t in document.tables} <= names
    ids = {style.style_id for style in document.styles}
    named = {"basedOn", "link", "next", "pStyle", "rStyle", "tblStyle"}
    elements = [*document.styles.element.iter(), *document.element.iter()]
    asked = {e.values()[0] for e in elements if isinstance(e.tag, str) and e.tag.rpartition("}")[2] in named}
    assert asked <= ids and "Normal" in ids and "Heading 1" not in names
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert not [
            name for name in packed.namelist() if "thumbnail" in name or "WithEffects" in name or "custom" in name
        ]


def test_latex_is_whole_and_says_the_same(table):
    r"""Rows have as many cells as their table has columns, braces and environments close, and \escapes give the text back."""
    text = written(table, "latex").decode()
    assert text.isascii() and text.count("\\toprule") == text.count("\\bottomrule") == 2
    opened = re.findall(r"\\begin\{(\w+)\}", text)
    assert sorted(opened) == sorted(re.findall(r"\\end\{(\w+)\}", text)) and "tabular" in opened
    bare = re.sub(r"\\.", "", text)
    assert bare.count("{") == bare.count("}")
    rows = [line for line in text.splitlines() if line.endswith(" \\\\")]
    assert [len(re.findall(r"(?<!\\)&", row)) for row in rows] == [2] * (len(HOSTILE) + 1) + [1, 1]
    assert not re.search(r"(?<!\\)[%#]", re.sub(r"(?m)^%.*$", "", text))
    assert "optimistic: \\#1." in text


def test_latex_reads_back(table):
    latex_text = pytest.importorskip("pylatexenc.latex2text")
    back = latex_text.LatexNodes2Text(math_mode="text").latex_to_text
    for text in ("a & b_c 100 % #1 $x ~ {y} <z>", "café, 5 ± 2, Čaj, a–b", "x ≤ 3"):
        assert re.sub(r"\s+", "", back(latex(text))) == re.sub(r"\s+", "", text), latex(text)


def test_what_is_not_latin_stays_and_is_said():
    text = written(Table("2", "", [], [Layout("免疫", ("a",), [], ())]), "latex").decode()
    assert "免疫" in text and "LuaLaTeX" in text


def test_markdown_has_one_line_a_row(table):
    lines = written(table, "md").decode().splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == len(HOSTILE) + 2 + 3 and rows[1] == "| --- | ---: | --- |"
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows[: len(HOSTILE) + 2]} == {4}
    assert "n: people." in lines and "second note." in lines
    assert markdown("1. a*b_c `x` $y$") == r"1\. a\*b\_c \`x\` \$y\$"


@pytest.mark.parametrize(
    ("asked", "path", "said"),
    [
        ("pdf", None, "format 'pdf'"),
        ("docx", None, "docx is no text. Name a file: --out FILE.docx"),
        ("csv", "t.docx", r"t.docx: its name says docx, and --format says csv. Call it t.csv, or leave --format out"),
        (None, "t.doc", r"t.doc: its name ends with '.doc'. Known: .csv, .xlsx, .json, .md, .tex, .docx"),
        (None, "t", "t: its name has no end"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(asked, path, said):
    with pytest.raises(UsageError, match=said) as refused:
        format_of(asked, None if path is None else Path(path))
    assert "\n" not in str(refused.value)


def test_a_saved_file_is_what_the_format_gives(table, tmp_path):
    table.save(tmp_path / "deep" / "t.csv")
    assert (tmp_path / "deep" / "t.csv").read_bytes() == table.to("csv")
    with pytest.raises(InvalidInput, match="is a folder"):
        table.save(_folder(tmp_path / "x.csv"))


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
