"""What a command wrote outside of the study is noted there; where that cannot be done, the command says so."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from cli.console import say

if TYPE_CHECKING:
    from tshdb.study import Study


def note(
    study: Study, path: Path, kind: str, name: str, *, of_patients: bool | None, cohorts: Collection[str] | None = None
) -> None:
    """Note a file or folder. of_patients, cohorts: as `tshdb.written_files.Holds` has them."""
    from tshdb.written_files import Holds, note_written

    say_unnoted(note_written(Holds(study.root, kind, name, of_patients, cohorts), path))


def say_unnoted(words: str | None) -> None:
    """Say that a file was not noted, where it was not."""
    if words is not None:
        say(words)
