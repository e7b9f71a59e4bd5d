"""What Typer says of the commands, at the terminal's width: their help, and what is wrong with the words that were given."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from cli.console import columns, say
from tshdb.text.widths import cells, fill

WIDEST = 78  # columns; longer lines of prose are hard to read
_INDENT = 4  # of what stands below an option that is too long to stand beside it
VARIANT = "--variant"
SHOWS_VARIANTS = (
    "A variant is shown by table, figure, sql, report, lineage, export, plan and why; how it stands says tshdb variants "
    "show NAME"
)
_FEWEST = 24  # columns that a meaning gets beside its option

_Context: type = TyperCommand.context_class  # Typer has Click in it or beside it, as its version is
_Formatter: type = _Context.formatter_class
_UsageError: type[Exception] = typer.BadParameter.__base__


class Formatter(_Formatter):
    """Help that wraps at spaces alone, so that options and barcodes stay whole."""

    def __init__(self, **_: Any):
        super().__init__(width=min((columns(sys.stdout) or WIDEST + 2) - 2, WIDEST))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        head = f"{'Usage: ' if prefix is None else prefix}{prog}"
        hanging = " " * (cells(head) + 1) if cells(head) < self.width // 2 else " " * _INDENT
        self._write(f"{head} {args}", hanging)

    def write_text(self, text: str) -> None:
        indent = " " * self.current_indent
        paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
        for i, paragraph in enumerate(paragraphs):
            self.write("\n" * bool(i))
            self._write(indent + paragraph, indent)

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        indent = " " * self.current_indent
        beside = self.current_indent + min(max(cells(first) for first, _ in rows), col_max) + col_spacing
        for first, second in rows:
            if cells(indent + first) > self.width:
                first = first.replace("|", " | ")
            if cells(indent + first) + col_spacing <= beside <= self.width - _FEWEST:
                self._write((indent + first).ljust(beside) + second, " " * beside)
                continue
            self._write(indent + first, indent + " " * _INDENT)
            below = " " * (beside if beside <= self.width - _FEWEST else self.current_indent + _INDENT)
            self._write(below + second, below)

    def _write(self, text: str, hanging: str) -> None:
        self.write("".join(line.rstrip() + "\n" for line in fill(text, self.width, hanging)))


class _Shown(_Context):
    formatter_class = Formatter


class Program(TyperGroup):
    """All commands."""

    def make_context(self, *args: Any, **settings: Any):
        _show_with(self)
        with _usage_errors_shown():
            return super().make_context(*args, **settings)

    def invoke(self, ctx):
        with _usage_errors_shown():
            return super().invoke(ctx)


def _show_with(command: Any) -> None:
    """Show the help of the command and of those below it so. A narrow list of commands has their summaries uncut."""
    command.context_class = _Shown
    if (columns(sys.stdout) or WIDEST) < WIDEST:
        command.short_help = command.get_short_help_str(sys.maxsize)
    for child in getattr(command, "commands", {}).values():
        _show_with(child)


@contextmanager
def _usage_errors_shown() -> Iterator[None]:
    """Show what is wrong with the words of a command. A command that was given no words shows its help."""
    try:
        yield
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError" or error.ctx is None:
            raise
        say(error.ctx.get_usage())
        say(f"Try '{error.ctx.command_path} --help' for help.")
        say()
        say(f"Error: {error.format_message()}{_meant(error)}")
        raise typer.Exit(error.exit_code) from error


def _meant(error: Any) -> str:
    """Of a word that is none of an option's values: those that are like it. Of a variant where there is none: who shows it."""
    from tshdb.near import did_you_mean

    if getattr(error, "option_name", None) == VARIANT:
        return f". {SHOWS_VARIANTS}"
    choice = re.search(r"'([^']*)' is not one of ('.*')", error.message)
    question = did_you_mean(choice[1], re.findall(r"'([^']*)'", choice[2])) if choice else ""
    return f" {question}" if question else ""
