"""Of the program, what was asked for: one command is built whole, and of the others their names and summaries.

Typer reads the arguments of every command before it looks at the words that were given; with sixty commands that is a third of
the time in which `--help` answers.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence

import typer
from typer.main import get_command_name
from typer.models import CommandInfo, TyperInfo

COMPLETION = "_TSHDB_COMPLETE"  # set by a shell that asks for the words that could follow


def only_asked(app: typer.Typer, words: Sequence[str]) -> typer.Typer:
    """The program for these words: what the first of them names is whole, all else can be listed, and not run.

    The whole program is given back where the first word names nothing, and where a shell completes a line.
    """
    asked = words[0] if words else "--help"
    groups, commands = app.registered_groups, app.registered_commands
    is_one_of_them = asked in {*(group.name for group in groups), *map(_name_of, commands)}
    if COMPLETION in os.environ or not (is_one_of_them or list(words) in ([], ["--help"])):
        return app
    light = copy.copy(app)
    light.registered_commands = [c if _name_of(c) == asked else _listed_command(c) for c in commands]
    light.registered_groups = [group if group.name == asked else _listed_group(group) for group in groups]
    return light


def _name_of(command: CommandInfo) -> str:
    return command.name or get_command_name(getattr(command.callback, "__name__", ""))


def _listed_command(command: CommandInfo) -> CommandInfo:
    listed = copy.copy(command)
    listed.name, listed.callback = _name_of(command), _without_arguments(command.callback)
    return listed


def _listed_group(group: TyperInfo) -> TyperInfo:
    listed = copy.copy(group)
    if group.typer_instance is not None:
        listed.typer_instance = copy.copy(group.typer_instance)
        listed.typer_instance.registered_commands, listed.typer_instance.registered_groups = [], []
    return listed


def _without_arguments(callback: Callable | None) -> Callable:
    """A function that has the docstring of a command and nothing else of it."""

    def listed() -> None:
        raise RuntimeError("a command that was built for a list alone was run")

    listed.__doc__ = getattr(callback, "__doc__", None)
    return listed
