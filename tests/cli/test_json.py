"""Every command that prints data or a list prints it as JSON, too; those that do not stand here, with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.main import app

PATH = "prints the path of the file that it writes, alone on its line"
TALK = "does one thing and says so on stderr; its facts: "
WITHOUT = {
    "init": TALK + "tshdb status --json",
    "browse": "serves pages until it is stopped",
    "demo": "tells a story; the study that it makes answers to every command",
    "cohort define": TALK + "tshdb cohort show --json",
    "cohort freeze": TALK + "tshdb cohort list --json",
    "cohort export": "writes its data to a file, which may be .json",
    "qc show": PATH,
    "qc regions": PATH,
    "qc geometry": PATH,
    "qc page": PATH,
    "report": PATH,
    "guests drop": TALK + "tshdb guests list --json",
    "new analysis": "writes a file and prints what to do next",
    "variants drop": TALK + "tshdb variants list --json",
}


def commands(group: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words."""
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*name, word))
        else:
            yield " ".join((*name, word)), command


def test_every_command_has_json_or_a_reason():
    without = {
        name for name, c in commands(typer.main.get_command(app)) if not any("--json" in p.opts for p in c.params)
    }
    assert without == set(WITHOUT)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("docs",), "page"),
        (("figure", "--list"), "figure"),
        (("variants", "list"), None),
        (("cohort", "list"), "cohort"),
    ],
)
def test_lists_are_json(quick, core, words, first):
    rows = json.loads(quick(*words, "--json", cwd=core.root).stdout)
    assert isinstance(rows, list) and (first is None or all(first in row for row in rows) and rows)


def test_a_page_and_a_figure_are_json(quick, core):
    said = json.loads(quick("docs", "variants", "--json", cwd=core.root).stdout)
    assert said["page"] == "variants" and said["text"].startswith("# Variants")
    drawn = json.loads(quick("figure", "flow", "--json", cwd=core.root).stdout)
    assert drawn["path"].endswith("flow.svg") and drawn["how_to_read"]


def test_a_command_that_shows_no_variant_says_which_do(quick, core):
    for command in ("status", "check"):
        assert "report, lineage" in quick(command, "--variant", "median", cwd=core.root, code=2).stderr
