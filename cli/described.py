"""The commands as facts, for a program that drives this one: `tshdb --help --json`, `tshdb ingest rna --help --json`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import typer

NAMES = {bool: "flag", int: "whole number", float: "number", Path: "path"}


def is_asked(words: Sequence[str]) -> bool:
    """Whether the words of a command ask for its help as JSON."""
    return "--help" in words and "--json" in words


def described(app: typer.Typer, words: Sequence[str]) -> list[dict[str, Any]]:
    """The command that words name, or those below it; all where they name none. Raises UsageError for a word that is no command.

    A dictionary a command: command, about, example, arguments and options (names, type, choices, default, is_required,
    is_repeated, help).
    """
    from typer.main import get_command

    from tshdb.errors import UsageError
    from tshdb.near import did_you_mean

    command, path = get_command(app), "tshdb"
    for word in words:
        children = getattr(command, "commands", {})
        if not children or word.startswith("-"):
            break
        if word not in children:
            raise UsageError(
                f"no command '{word}'", where=path, repair=did_you_mean(word, children, f"See {path} --help")
            )
        command, path = children[word], f"{path} {word}"
    return [_facts(each, name) for name, each in walk(command, path)]


def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(how it is called, command) of a command, or of all that are below it."""
    if children := getattr(command, "commands", None):
        for name, child in children.items():
            yield from walk(child, f"{path} {name}")
    else:
        yield path, command


def _facts(command: Any, path: str) -> dict[str, Any]:
    about, _, example = (command.help or "").strip().partition("Example: ")
    kinds = get_type_hints(
        inspect.unwrap(command.callback)
    )  # of the function itself: Typer's own records differ by version
    parameters = [(p, _of(p, kinds.get(p.name, str))) for p in command.params if "--help" not in p.opts]
    arguments = [f | {"name": p.metavar or p.name.upper()} for p, f in parameters if p.param_type_name == "argument"]
    options = [f | {"names": [*p.opts, *p.secondary_opts]} for p, f in parameters if p.param_type_name != "argument"]
    return {
        "command": path,
        "about": " ".join(about.split()),
        "example": example.strip() or None,
        "arguments": arguments,
        "options": options,
    }


def _of(parameter: Any, kind: Any) -> dict[str, Any]:
    default = parameter.default
    if isinstance(kind, UnionType) or get_origin(kind) is Union:  # X | None
        kind = next(each for each in get_args(kind) if each is not NoneType)
    is_repeated = get_origin(kind) in (list, tuple)
    if is_repeated:
        kind = get_args(kind)[0]
    choices = None
    if get_origin(kind) is Literal:
        choices, kind = list(get_args(kind)), str
    elif isinstance(kind, type) and issubclass(kind, Enum):
        choices, kind = [member.value for member in kind], str
    return {
        "type": NAMES.get(kind, "text"),
        "choices": choices,
        "default": default if isinstance(default, str | int | float | bool | None) else str(default),
        "is_required": parameter.required,
        "is_repeated": is_repeated,
        "help": getattr(parameter, "help", None) or "",
    }
