"""tshdb checklist: a reporting checklist, with what the database can say of each item and what needs a person."""

from __future__ import annotations

import sys
import tomllib
from importlib import resources
from typing import Annotated, Any

import typer

from cli.console import clean, columns, out, out_json, table
from cli.options import JsonOption, StudyOption
from cli.widths import fill

CHECKLISTS = ("clear", "metrics", "tripod-ai", "remark")
NEEDS = "needs a person"
NOT_YET = "nothing in the database yet"
WIDTH = 110
MOST_PARTS = 6  # rows of a fact that are told


def add_to(app: typer.Typer) -> None:
    app.command("checklist")(show)


def show(
    name: Annotated[
        str | None, typer.Argument(help="clear, metrics, tripod-ai or remark; all in short without.")
    ] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A reporting checklist, filled as far as the database can: the fact and the command that shows it, or "needs a person".

    CLEAR (radiomics), METRICS (its score), TRIPOD+AI (prediction models), REMARK (prognostic markers). Items are told in few
    words of our own: read the original beside it.

    Example: tshdb checklist clear
    """
    from tshdb.errors import UsageError
    from tshdb.near import did_you_mean
    from tshdb.study import Study

    opened = Study.find(study)
    if name is None:
        facts = Facts(opened, *CHECKLISTS)
        found = [counted(one, filled(facts, one)) for one in CHECKLISTS]
        if as_json:
            out_json(found)
            return
        rows = [(c["name"], c["items"], c["filled"], c["not_yet"], c["needs_a_person"], c["title"]) for c in found]
        table(("checklist", "items", "filled", "not yet", NEEDS, ""), rows, right=(1, 2, 3, 4))
        return
    if name not in CHECKLISTS:
        raise UsageError(
            f"checklist {name}",
            where="tshdb checklist",
            repair=did_you_mean(name, CHECKLISTS, f"Known: {', '.join(CHECKLISTS)}"),
        )
    items = filled(Facts(opened, name), name)
    summary = counted(name, items)
    if as_json:
        out_json(summary | {"items": items})
        return
    out(f" {summary['title']}, {summary['source']}")
    for item in items:
        out(f" {item['id']:<4} {item['item']}", " " * 6)
        for fact in item["facts"] or [item["status"]]:
            _wrapped(fact)
        if item["see"]:
            _wrapped(f"→ {item['see']}")
    out(f" {summary['filled']} filled, {summary['not_yet']} not yet, {summary['needs_a_person']} need a person")


def _wrapped(text: str) -> None:
    """A paragraph below an item; in a pipe it wraps, too."""
    width = min(columns(sys.stdout) or WIDTH, WIDTH)
    for line in fill("      " + " ".join(text.split()), width, " " * 8):
        out(line)


def read(name: str) -> dict[str, Any]:
    """A file of data/checklists."""
    text = resources.files("cli").joinpath(f"data/checklists/{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def filled(facts: Facts, name: str) -> list[dict[str, Any]]:
    """The items of a checklist: id, item, status (filled, not yet, needs a person), facts and the commands that show them."""
    found = []
    for item in read(name)["items"]:
        row = {"id": item["id"], "item": item["item"], "status": NEEDS, "facts": [], "see": ""}
        if "by" in item:
            row |= {"status": "filled", "facts": [item["by"]]}
        elif names := item.get("facts", []):
            said = [(facts.said(fact), facts.known[fact]["see"]) for fact in names]
            there = [(words, see) for words, see in said if words]
            row["status"] = "filled" if there else NOT_YET
            row["facts"] = [words for words, _ in there]
            row["see"] = "; ".join(dict.fromkeys(part for _, see in there or said for part in see.split("; ")))
        found.append(row)
    return found


def counted(name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """How many items of a checklist have which status, with its title and source."""
    document = read(name)
    of = {status: sum(i["status"] == status for i in items) for status in ("filled", NOT_YET, NEEDS)}
    return {
        "name": name, "title": document["title"], "source": document["source"], "items": len(items), "filled": of["filled"],
        "not_yet": of[NOT_YET], "needs_a_person": of[NEEDS],
    }  # fmt: skip


class Facts:
    """What the database says, all facts asked at once."""

    def __init__(self, study, *checklists: str):
        self.known = read("facts")
        items = [item for name in checklists for item in read(name)["items"]]
        names = list(dict.fromkeys(fact for item in items for fact in item.get("facts", [])))
        frames = study.sql_each([self.known[name]["sql"] for name in names])
        self._said = {name: self._words(name, frame) for name, frame in zip(names, frames, strict=True)}

    def said(self, name: str) -> str:
        """The fact in words; empty where there is nothing to say."""
        return self._said[name]

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
