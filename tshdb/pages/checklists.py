"""Reporting checklists, with what the database can say of each item and what needs a person.

CLEAR (radiomics), METRICS (its score), TRIPOD+AI (prediction models), REMARK (prognostic markers): checklist_items/. What the
facts are and how they are said: checklist_items/facts.toml.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb.errors import UsageError
from tshdb.near import did_you_mean
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.study import Study

CHECKLISTS = ("clear", "metrics", "tripod-ai", "remark")
NEEDS = "needs a person"
NOT_YET = "nothing in the database yet"
MOST_PARTS = 6  # rows of a fact that are told


class Item(NamedTuple):
    """One item.

    status   filled, NOT_YET or NEEDS
    facts    what the database says
    see      the commands that show it
    """

    id: str
    item: str
    status: str
    facts: list[str]
    see: str


class Checklist(NamedTuple):
    """A checklist with its items, filled as far as the database can."""

    name: str
    title: str
    source: str
    items: list[Item]

    @property
    def counts(self) -> dict[str, Any]:
        """How many items have which status, with name, title and source."""
        of = {status: sum(i.status == status for i in self.items) for status in ("filled", NOT_YET, NEEDS)}
        return {
            "name": self.name, "title": self.title, "source": self.source, "items": len(self.items), "filled": of["filled"],
            "not_yet": of[NOT_YET], "needs_a_person": of[NEEDS],
        }  # fmt: skip


def checklist(study: Study, name: str) -> Checklist:
    """A checklist of the study: clear, metrics, tripod-ai or remark. Raises UsageError for another name."""
    if name not in CHECKLISTS:
        known = f"Known: {', '.join(CHECKLISTS)}"
        raise UsageError(f"checklist {name}", where="tshdb checklist", repair=did_you_mean(name, CHECKLISTS, known))
    return _filled(Facts(study, name), name)


def all_in_short(study: Study) -> list[dict[str, Any]]:
    """The counts of every checklist."""
    facts = Facts(study, *CHECKLISTS)
    return [_filled(facts, name).counts for name in CHECKLISTS]


def read(name: str) -> dict[str, Any]:
    """A file of checklist_items/."""
    text = resources.files("tshdb.pages").joinpath(f"checklist_items/{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _filled(facts: Facts, name: str) -> Checklist:
    document = read(name)
    items = []
    for entry in document["items"]:
        item = Item(entry["id"], entry["item"], NEEDS, [], "")
        if "by" in entry:
            item = item._replace(status="filled", facts=[entry["by"]])
        elif names := entry.get("facts", []):
            in_words = [(facts.in_words(fact), facts.known[fact]["see"]) for fact in names]
            there = [(words, see) for words, see in in_words if words]
            see = "; ".join(dict.fromkeys(part for _, see in there or in_words for part in see.split("; ")))
            item = item._replace(status="filled" if there else NOT_YET, facts=[words for words, _ in there], see=see)
        items.append(item)
    return Checklist(name, document["title"], document["source"], items)


class Facts:
    """What the database says, all facts asked at once."""

    def __init__(self, study, *checklists: str):
        self.known = read("facts")
        items = [item for name in checklists for item in read(name)["items"]]
        names = list(dict.fromkeys(fact for item in items for fact in item.get("facts", [])))
        frames = study.sql_each([self.known[name]["sql"] for name in names])
        self._in_words = {name: self._words(name, frame) for name, frame in zip(names, frames, strict=True)}

    def in_words(self, name: str) -> str:
        """The fact in words; empty where there is nothing to say."""
        return self._in_words[name]

    def _words(self, name: str, frame) -> str:
        rows = frame.astype(object).to_dict("records")
        parts = [self.known[name]["says"].format(**{k: _text(v) for k, v in row.items()}) for row in rows[:MOST_PARTS]]
        more = [f"and {len(rows) - MOST_PARTS} more"] if len(rows) > MOST_PARTS else []
        return "; ".join(dict.fromkeys([*parts, *more]))


def _text(value: Any) -> str:
    """A value in words: three digits, nothing that a terminal would act on, and · where it is not known."""
    if value is None or value != value:
        return "·"
    return (
        f"{value:.3g}" if isinstance(value, float) and not value.is_integer() else clean(str(value).removesuffix(".0"))
    )
