"""Building only the command that was asked for changes nothing that can be seen of the program."""

from __future__ import annotations

import pytest
from typer.main import get_command

from cli.asked import COMPLETION, only_asked
from cli.main import app
from tests.cli.test_start import start


def built(words: list[str]) -> dict[str, int]:
    """Command -> how many parameters it has, of the program as these words build it."""
    return {name: len(command.params) for name, command in get_command(only_asked(app, words)).commands.items()}


WHOLE = {name: len(command.params) for name, command in get_command(app).commands.items()}


@pytest.mark.parametrize("asked", sorted(WHOLE))
def test_the_command_that_is_asked_for_is_whole_and_all_are_named(asked):
    assert built([asked]).keys() == WHOLE.keys()
    assert built([asked])[asked] == WHOLE[asked]
    groups = {name: getattr(command, "commands", {}) for name, command in get_command(app).commands.items()}
    assert get_command(only_asked(app, [asked])).commands[asked].__class__ is get_command(app).commands[asked].__class__
    assert getattr(get_command(only_asked(app, [asked])).commands[asked], "commands", {}).keys() == groups[asked].keys()


def test_the_others_wait():
    assert sum(built(["plan"]).values()) < sum(WHOLE.values()) / 3


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_the_list_of_commands_is_the_same(words):
    whole = get_command(app)
    light = get_command(only_asked(app, words))
    for name, command in whole.commands.items():
        assert light.commands[name].get_short_help_str(200) == command.get_short_help_str(200)
        assert light.commands[name].hidden == command.hidden


@pytest.mark.parametrize("words", [["plna"], ["--version"], ["--show-completion", "bash"], ["--help", "plan"]])
def test_what_names_no_command_has_the_whole_program(words):
    assert only_asked(app, words) is app


def test_a_shell_that_completes_has_the_whole_program(monkeypatch):
    monkeypatch.setenv(COMPLETION, "complete_bash")
    assert only_asked(app, ["plan"]) is app


def test_a_mistyped_command_is_met_with_those_like_it():
    assert "'plan'" in start("plna").stderr
