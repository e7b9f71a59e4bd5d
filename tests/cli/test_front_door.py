"""README, first study and glossary are true: the commands, options, files and words that they name are there."""

from __future__ import annotations

import re
import shlex

import pytest
import typer.main

from cli.main import app
from tests.support.program import ROOT

PAGES = ("README.md", "CONTRIBUTING.md", "docs/first-study.md", "docs/architecture.md")


def lines_of(page: str) -> list[str]:
    """The commands of a page, without what is said behind them."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"```sh\n(.*?)```", text, re.S))
    return [m[1].strip() for m in re.finditer(r"^(?:.*&& )?(tshdb [^#\n]*)", blocks, re.M)]


@pytest.mark.parametrize("page", ["README.md", "docs/first-study.md"])
def test_commands_and_options_are_there(page):
    lines = [part for line in lines_of(page) for part in line.split(" && ") if part.startswith("tshdb ")]
    assert len(lines) > 5
    for line in lines:
        command, (_, *words) = typer.main.get_command(app), shlex.split(line)
        while words and hasattr(command, "commands"):
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("-") and word != "-"} <= known, line


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        assert target.startswith("https://") or (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_targets_of_make_are_there(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = re.findall(r"(?:^|^    |`)make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"), re.M)
    assert set(named) <= targets


def test_the_glossary_s_words_are_used():
    """Each term stands somewhere in the code, in the tables or on a page, besides the glossary itself."""
    text = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    terms = [m[1] for m in re.finditer(r"^- ([^:\n]+):", text, re.M)]
    assert len(terms) > 30 and len(set(terms)) == len(terms)
    used = "\n".join(
        path.read_text(encoding="utf-8").casefold()
        for folder, kind in (("tshdb", "*.py"), ("analyses", "*.py"), ("ingest", "*.py"), ("docs", "*.md"))
        for path in (ROOT / folder).rglob(kind)
    )
    words = [re.sub(r" \(.*\)", "", part) for term in terms for part in re.split(r", | / ", term)]
    assert [
        word for word in words if word.casefold() not in used and word.replace(" ", "_").casefold() not in used
    ] == []
