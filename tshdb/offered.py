"""What a package can offer besides analyses and readers, and where a record comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb.written import written_text

if TYPE_CHECKING:
    from tshdb.study import Study


class Origin(NamedTuple):
    """The package and its version; or `analyses/` for what lies in a study's folder."""

    name: str
    version: str | None

    def __str__(self) -> str:
        return f"{self.name} {self.version}" if self.version else self.name


@dataclass(frozen=True)
class Preset:
    """Choices that a study can begin with (entry points `tshdb.presets`).

    name    as `tshdb init --preset` takes it
    about   what it is for, in a few words
    folder  with study.toml, of which [study] name and database are replaced, and cohorts/NAME.sql, if there are any
    """

    name: str
    about: str
    folder: Path

    @property
    def settings(self) -> str:
        """The text of study.toml."""
        return written_text(self.folder / "study.toml")

    @property
    def cohorts(self) -> Mapping[str, str]:
        """NAME.sql -> its text, by name."""
        return {path.name: written_text(path) for path in sorted(self.folder.glob("cohorts/*.sql"))}


@dataclass(frozen=True)
class StudyFigure:
    """A figure that is drawn from a study's results (entry points `tshdb.figures`).

    name   as `tshdb figure` takes it
    title  what it shows
    read   (study, cohort@version, a cohort's name, or None) -> (figure, one line on how to read it). It raises
           `tshdb.next_step.NoRows`, with the analyses that make them, where its rows are not there.
    """

    name: str
    title: str
    read: Callable[[Study, str | None], tuple[Any, str]]
