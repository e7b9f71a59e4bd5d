"""A Word document: each printed table with its caption above and its notes below; its head comes again on every page.

A table of many columns has a page of its own across.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from tshdb.fixed_zip import without_times
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from docx.document import Document

    from tshdb.tables import Layout, Table

MISSING = "·"
ACROSS = 8  # columns, from which the page lies across
UNUSED_PARTS = {"stylesWithEffects", "customXml", "thumbnail"}
REFERS = ("basedOn", "link", "next")  # by which a style names others
SMALL, NOTES = 9, 8  # points, of letters in cells and below tables


def written(table: Table) -> bytes:
    """The printed tables, one below another."""
    document = new_document(table.title)
    add(document, table)
    return saved(document)


def new_document(title: str) -> Document:
    """An empty document of this title, in the library's own styles. It names no author."""
    import docx

    document = docx.Document()
    document.core_properties.title, document.core_properties.author = clean(title), ""
    document.core_properties.comments = ""
    return document


def saved(document: Document) -> bytes:
    """The bytes of a document, which depend on what it says alone; without what the library's template brings and nobody uses."""
    _leave_out_unused(document)
    file = io.BytesIO()
    document.save(file)
    return without_times(file.getvalue())


def _leave_out_unused(document: Document) -> None:
    """Take out a picture of the template, its parts for other programs, and the styles that no paragraph, run or table has."""
    from docx.oxml.ns import qn

    for holder in (document.part, document.part.package):
        for name, relation in list(holder.rels.items()):
            if relation.reltype.rpartition("/")[2] in UNUSED_PARTS:
                del holder.rels[name]
    styles = document.styles.element
    by_id = {style.get(qn("w:styleId")): style for style in styles.findall(qn("w:style"))}
    named = [qn(f"w:{name}") for name in ("pStyle", "rStyle", "tblStyle")]
    wanted = [one.get(qn("w:val")) for one in document.element.iter(*named)]
    wanted += [id for id, style in by_id.items() if style.get(qn("w:default")) == "1"]
    used: set[str] = set()
    while wanted:
        if (id := wanted.pop()) in used or id not in by_id:
            continue
        used.add(id)
        wanted += [one.get(qn("w:val")) for name in REFERS for one in by_id[id].findall(qn(f"w:{name}"))]
    for id, style in by_id.items():
        if id not in used:
            styles.remove(style)


def add(document: Document, table: Table) -> None:
    """Add the printed tables to a document."""
    for i, layout in enumerate(table.layouts):
        _turn(document, len(layout.headers) >= ACROSS, is_new=i > 0)
        _add(document, layout)


def _turn(document: Document, is_across: bool, is_new: bool) -> None:
    """See that the page lies as a table needs it: a section of its own, where it does not."""
    from docx.enum.section import WD_ORIENT

    section = document.sections[-1]
    if is_across == (section.orientation == WD_ORIENT.LANDSCAPE):
        return
    if is_new:
        section = document.add_section()
    section.orientation = WD_ORIENT.LANDSCAPE if is_across else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = section.page_height, section.page_width


def _add(document: Document, layout: Layout) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.shared import Pt

    if layout.title:
        caption = document.add_paragraph(clean(layout.title), style="Caption")
        caption.paragraph_format.keep_with_next = True
    made = document.add_table(rows=0, cols=len(layout.headers), style="Light List")
    for n, row in enumerate([layout.headers, *layout.as_printed()]):
        cells: Any = made.add_row().cells
        for i, value in enumerate(row):
            paragraph = cells[i].paragraphs[0]
            run = paragraph.add_run(MISSING if value is None else clean(value))
            run.font.size = Pt(SMALL)
            run.font.bold = n == 0
            if i in layout.right:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    head = made.rows[0]._tr.get_or_add_trPr()
    head.append(OxmlElement("w:tblHeader"))
    for row in made.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    for note in layout.notes:
        document.add_paragraph().add_run(clean(note)).font.size = Pt(NOTES)
