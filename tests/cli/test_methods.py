"""docs/methods.md: every sentence of the paper's Methods has an answer, and every answer names what is there.

The numbers of sentences are counted by hand in the paper (a formula and the words after it are one sentence).
"""

from __future__ import annotations

import re
import shlex
import tomllib
from typing import NamedTuple

import pytest
from typer.main import get_command

from cli.main import app
from tests.support.program import ROOT
from tshdb import installed
from tshdb.config import Settings
from tshdb.engine.world import World
from tshdb.errors import InvalidInput
from tshdb.figures.of_paper import FIGURES
from tshdb.presets import text as text_of
from tshdb.schema import Base
from tshdb.tables import TABLES

SENTENCES = {
    "Study design": 16, "Datasets": 21, "Imaging protocols": 11, "Image preprocessing and feature analysis": 13,
    "Cell subpopulation estimation and cell network analysis": 10, "Statistical analysis": 12,
}  # fmt: skip
KINDS = {"module", "parameter", "input", "aim", "not done"}
LAST = "Methods in Results, tables and figures"


class Answer(NamedTuple):
    section: str
    place: str
    words: str
    kind: str
    by: tuple[str, ...]
    settings: tuple[str, ...]
    refused: tuple[str, ...]


def answers() -> list[Answer]:
    found = []
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    for part in text.split("\n## ")[1:]:
        section, _, body = part.partition("\n")
        for line in body.splitlines():
            if line.startswith("| ") and not line.startswith("| |"):
                place, words, kind, by, settings = re.split(r"\s*\|\s*", line)[1:-1]
                names = tuple(re.findall(r"`([^`]+)`", by))
                refused = tuple(re.findall(r"refused: `([^`]+)`", settings))
                stated = tuple(re.findall(r"`([^`]+)`", re.sub(r"refused: `[^`]+`", "", settings)))
                found.append(Answer(section, place, words, kind, names, stated, refused))
    return found


ANSWERS = answers()
IDS = [f"{a.section}, {a.place}" for a in ANSWERS]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    """Every parameter as `tshdb init` leaves it."""
    path = tmp_path_factory.mktemp("preset") / "study.toml"
    return World(installed.analyses(), Settings(path, text_of("fan2023", "study.toml")))


@pytest.mark.parametrize("section", SENTENCES)
def test_every_sentence_is_answered_once(section):
    places = [answer.place for answer in ANSWERS if answer.section == section]
    assert places == [str(n + 1) for n in range(SENTENCES[section])]


def test_nothing_stands_elsewhere():
    assert {answer.section for answer in ANSWERS} == {*SENTENCES, LAST} and len(ANSWERS) > sum(SENTENCES.values()) + 10


def commands() -> set[tuple[str, ...]]:
    def below(command, path: tuple[str, ...]):
        yield path
        for name, child in getattr(command, "commands", {}).items():
            yield from below(child, (*path, name))

    return set(below(get_command(app), ("tshdb",)))


def is_there(name: str) -> bool:
    """A command (with a table or a figure of the paper), an analysis, a table of the database, or a cohort of the preset."""
    words = tuple(name.split())
    if words[:2] == ("tshdb", "table"):
        return words[2] in TABLES
    if words[:2] == ("tshdb", "figure"):
        return words[2] in {figure.name for figure in FIGURES}
    if words[0] == "tshdb":
        return words in commands()
    cohorts = {path.stem for path in (ROOT / "tshdb/presets/fan2023/cohorts").glob("*.sql")}
    return name in {a.name for a in installed.analyses()} | set(Base.metadata.tables) | cohorts


@pytest.mark.parametrize("answer", ANSWERS, ids=IDS)
def test_an_answer_names_what_is_there(answer, world):
    assert answer.kind in KINDS and answer.words
    assert bool(answer.by) == (answer.kind != "aim"), "who does it is named, unless there is nothing to do"
    assert answer.kind != "parameter" or answer.settings
    assert answer.kind != "not done" or "because" in answer.words
    assert [name for name in answer.by if not is_there(name)] == []
    for setting in answer.settings:
        ((table, said),) = tomllib.loads(setting.replace("] ", "]\n", 1)).items()
        ((key, value),) = said.items()
        owners = [a.name for a in world.analyses if table in (a.name, a.base) and key in a.params.model_fields]
        assert owners, f"nothing has {setting}"
        for owner in owners:
            assert world.parameters[owner].model_dump(mode="json").get(key, default_of(world, owner, key)) == value, (
                owner
            )


def default_of(world: World, analysis: str, key: str):
    """Of a parameter that is written only where it says something else."""
    return getattr(world.parameters[analysis], key)


REFUSED = [(a, what) for a in ANSWERS for what in a.refused]


@pytest.mark.parametrize(("answer", "what"), REFUSED, ids=[what for _, what in REFUSED])
def test_what_is_not_done_is_refused_where_it_is_asked_for(answer, what, tmp_path, quick, empty_study):
    assert "not" in answer.words
    if what.startswith("tshdb "):
        ended = quick(*shlex.split(what)[1:], cwd=empty_study.root, code=2)
        assert "stroma" in ended.stderr and "tumor" in ended.stderr, "what is taken is said"
        return
    table, _, line = what.partition("] ")
    key = line.partition(" ")[0]
    text = re.sub(
        rf"^\[{table[1:]}\].*\n",
        lambda found: f"{found[0]}{line}\n",
        text_of("fan2023", "study.toml"),
        flags=re.MULTILINE,
    )
    with pytest.raises(InvalidInput) as refused:
        World(installed.analyses(), Settings(tmp_path / "study.toml", text))
    assert key in str(refused.value) and "\n" not in str(refused.value)


def test_no_sentence_is_the_papers():
    """No run of eight words stands in the paper's text as well, where that is at hand."""
    paper = ROOT.parent / "shared" / "paper.md"
    if not paper.exists():
        pytest.skip("the paper's text is not here")
    theirs = re.findall(r"\w+", paper.read_text(encoding="utf-8").lower())
    runs = {tuple(theirs[i : i + 8]) for i in range(len(theirs) - 7)}
    ours = re.findall(r"\w+", (ROOT / "docs" / "methods.md").read_text(encoding="utf-8").lower())
    assert not [run for i in range(len(ours) - 7) if (run := tuple(ours[i : i + 8])) in runs]
