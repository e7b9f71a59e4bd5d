"""A study whose texts are hostile, all that it shows, and what of that would do something.

Free text is every text column of the schema but those by which rows find each other or the program finds its own
words: keys, digests,
times, closed words, JSON.
"""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

from sqlalchemy import Column, Enum, String

from tests.support import tiny
from tests.support.forked_program import DOCUMENTED, run_here
from tshdb.pages.html import SCRIPT
from tshdb.schema import Base

OF_THE_PROGRAM = re.compile(
    r".*(_id|_uid|_at|digest|fingerprint|sha256|md5|chain|grid|orientation|path|sql_text)|sql|analysis|key|cohort|table_name|"
    r"upstream|params|parameters|libraries|columns|needs|modules|leads|sources|options|mixed|features|value_counts|pending|settings|"
    r"changes|row_values|details|differences|repair|tables|reader|collection|name|seed|model|grouping|region|map|"
    r"feature|feature_class|time_origin|transform|origin|kind|per|type|unit|versions|content|measure|scheme|as_of|study_date|drawn_on|"
    r"row_key|entity_key|column_name|source_name|rule|phases|evidence|seen|qc_flags|flags|taken_over|damage|region_map|draws|compartment|sample_type_code"
)
COHORT = f"{tiny.COHORT}@1"
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
HANDLER = re.compile(r"on[a-z]+", re.IGNORECASE)
SCHEME = re.compile(r"\s*(javascript|vbscript|data:text)", re.IGNORECASE)
FORBIDDEN = {"iframe", "object", "embed", "base", "form", "link", "applet", "svg:script"}
FORMULA = re.compile(r"\s*[=+\-@\t\r＝＋－＠]")


def free_columns() -> Iterator[Column]:
    """Every free-text column of every table, by the schema."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            is_text = isinstance(column.type, String) and not isinstance(column.type, Enum)
            if is_text and not (column.primary_key or column.foreign_keys or OF_THE_PROGRAM.fullmatch(column.name)):
                yield column


def text_columns() -> Iterator[Column]:
    """Every text column, keys as well."""
    for table in Base.metadata.sorted_tables:
        yield from (c for c in table.columns if isinstance(c.type, String) and not isinstance(c.type, Enum))


def poison(database: Path, columns: list[Column], payload: str, is_appended: bool = False) -> int:
    """Write a text into these columns of all rows. Gives how many cells that were."""
    n = 0
    with closing(sqlite3.connect(database)) as raw:
        for c in columns:
            new = f'"{c.name}" || ?' if is_appended else "?"
            try:
                n += raw.execute(f'UPDATE OR IGNORE "{c.table.name}" SET "{c.name}" = {new}', (payload,)).rowcount
            except sqlite3.IntegrityError:  # what the table itself refuses
                continue
        raw.commit()
    return n


def commands(root: Path, tables: list[str]) -> list[tuple[str, ...]]:
    """All that shows data, on the terminal and in files below root/shown."""
    shown = root / "shown"
    patient = "TCGA-TN-0003"
    made: list[tuple[str, ...]] = [
        ("status",), ("check", "--fast"), ("cohort", "list"), ("cohort", "show", COHORT), ("model", "list"), ("table", "1"),
        ("table", "2"), ("table", "s5"), ("history",), ("history", "--json"), ("lineage", "tsh_ratios", patient, "--rocrate",
        f"{shown}/crate"), ("lineage", "tsh_ratios", patient), ("why", f"tsh_ratios/{patient}"), ("report",), ("figure", "km"),
        ("figure", "networks"), ("figure", "flow"), ("qc", "page"), ("qc", "show", patient), ("export", "networks",
        f"{shown}/networks"), ("export", "csv", f"{shown}/tables"), ("export", "parquet", f"{shown}/parquet"),
        ("export", "cbioportal", f"{shown}/cbioportal"), ("export", "rocrate", f"{shown}/study-crate"),
        ("checklist", "remark"), ("cohort", "export", COHORT, "--out", f"{shown}/c.csv"),
    ]  # fmt: skip
    for table in tables:
        query = f'SELECT * FROM "{table}" LIMIT 20'
        made += [
            ("sql", query), ("sql", query, "--json"), ("sql", query, "--out", f"{shown}/{table}.csv"),
            ("sql", query, "--for-excel", "--out", f"{shown}/{table}.excel.csv"),
        ]  # fmt: skip
    return made


def complaints(root: Path, tables: list[str]) -> Iterator[str]:
    """What of a study's outputs would do something, or fails."""
    (root / "shown").mkdir(exist_ok=True)
    for command in commands(root, tables):
        ended = run_here(*command, cwd=root)
        words = " ".join(command)[:100]
        if ended.code not in DOCUMENTED or "Traceback" in ended.said:
            yield f"{words}: exit code {ended.code}: {(ended.trouble or ended.said)[-700:]}"
        if found := CONTROLS.search(ended.said):
            yield f"{words}: {found[0]!r} reaches the terminal"
    for path in sorted(
        p for folder in ("shown", "reports", "figures") for p in (root / folder).rglob("*") if p.is_file()
    ):
        yield from (f"{path.relative_to(root)}: {c}" for c in _of_file(path))


def _of_file(path: Path) -> Iterator[str]:
    if path.suffix in (".png", ".pdf", ".parquet"):
        return
    content = path.read_bytes()
    if path.suffix == ".kept":  # a drawing behind its seal and the line of what is said of it
        content = content[32:].partition(b"\n")[2]
    text = content.decode("utf-8")
    if path.suffix != ".csv" and (found := CONTROLS.search(text)):
        yield f"holds {found[0]!r}"
    if path.suffix == ".html" or path.name.endswith(".page.kept"):
        yield from _of_page(text)
    elif path.suffix in (".svg", ".graphml", ".kept"):
        for element in ElementTree.fromstring(text).iter():
            tag = element.tag.rpartition("}")[2].lower()
            if tag in ("script", "foreignobject", "iframe") or any(HANDLER.fullmatch(a) for a in element.attrib):
                yield f"an element {tag} that runs"
    elif path.suffix in (".json", ".cyjs"):
        json.loads(text)
    elif path.name.endswith(".excel.csv"):
        for row in csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True)):
            for cell in row:
                if FORMULA.match(cell) and not _is_number(cell):
                    yield f"a spreadsheet would compute {cell[:30]!r}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()


def _of_page(text: str) -> Iterator[str]:
    parser = _Page()
    parser.feed(text)
    yield from parser.wrong
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    n_allowed = policy[1].count("sha256-") if policy else 0
    if parser.n_scripts > n_allowed:
        yield f"{parser.n_scripts} scripts, {n_allowed} of the template ({len(SCRIPT.findall(text))} as the policy finds them)"


class _Page(HTMLParser):
    """What a browser would see of a page that does something."""

    def __init__(self):
        super().__init__()
        self.wrong: list[str] = []
        self.n_scripts = 0

    def handle_starttag(self, tag, attrs):
        self.n_scripts += (
            tag == "script" and dict(attrs).get("type") != "application/json"
        )  # a block of data, which no browser runs
        if tag in FORBIDDEN:
            self.wrong.append(f"an element {tag}")
        for name, value in attrs:
            if HANDLER.fullmatch(name):
                self.wrong.append(f"a handler {name} of {tag}")
            if name in ("href", "src", "action", "srcdoc", "formaction", "xlink:href") and SCHEME.match(value or ""):
                self.wrong.append(f"{tag} {name}={value[:40]!r}")
        if tag == "meta" and dict(attrs).get("http-equiv", "").lower() == "refresh":
            self.wrong.append("a refresh")

    handle_startendtag = handle_starttag
