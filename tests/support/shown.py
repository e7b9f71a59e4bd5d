"""What a page of a report shows, read from its HTML, and who is in a cohort, asked of the database by plain SQL."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser


class Shown(HTMLParser):
    """What a page shows. tables: id of a box -> (caption, headers, rows) of each table; texts: of each box; tiles, headings."""

    def __init__(self, page: str):
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.box, self.cell = "", None
        self.tables: dict[str, list[tuple[str, list[str], list[list[str]]]]] = {}
        self.texts: Counter[str] = Counter()
        self.said: dict[str, str] = {}
        self.feed(page)
        found = re.search(r'<ul class="tiles">(.*?)</ul>', page, re.DOTALL)
        self.tiles = {
            what: (n, said) for n, what, said in re.findall(r"<li><b>(.*?)</b>(.*?)<span>(.*?)</span>", found[1])
        }
        self.statements = re.findall(r'<span class="detail">(.*?)</span>', page)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if "box" in (named.get("class") or "").split():
            self.box = named.get("id") or ""
        if tag == "table":
            self.tables.setdefault(self.box, []).append(("", [], []))
        elif tag == "tr":
            self.row = []
        elif tag in ("td", "th", "caption"):
            self.cell = ""

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.row.append(self.cell)
            self.cell = None
        elif tag == "p":
            self.said[self.box] = self.said.get(self.box, "") + "\n"
        elif tag == "caption":
            _, headers, rows = self.tables[self.box][-1]
            self.tables[self.box][-1] = (self.cell, headers, rows)
            self.cell = None
        elif tag == "tr":
            _, headers, rows = self.tables[self.box][-1]
            if headers:
                rows.append(self.row)
            else:
                headers += self.row

    def handle_data(self, data):
        self.said[self.box] = self.said.get(self.box, "") + data
        if self.cell is not None:
            self.cell += data

    def rows(self, box: str) -> list[list[str]]:
        ((_, _, rows),) = self.tables[box]
        return rows


def members_of(ask, cohort: str) -> list[tuple]:
    """(patient, event, days) of the newest version."""
    return ask(
        "SELECT m.patient_id, f.event, f.duration_days FROM cohort_members m LEFT JOIN follow_ups f "
        "ON f.patient_id = m.patient_id AND f.endpoint = 'OS' WHERE m.cohort = ? AND m.version = "
        "(SELECT max(version) FROM cohort_versions WHERE cohort = ?)", cohort, cohort,
    )  # fmt: skip
