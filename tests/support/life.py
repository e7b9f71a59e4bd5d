"""A tiny study's life: what is true now of its archive, its study.toml, its cohorts and the code, which all may change.

What changes it stands in tests/support/made_changes.py.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from random import Random

from tests.support import tiny
from tests.support.editions import Editions
from tshdb.cohorts import versions as cohorts
from tshdb.database import writing
from tshdb.engine.analysis import Analysis
from tshdb.errors import InvalidInput
from tshdb.study import Study
from tshdb.vocabulary import CauseKind


class Life:
    """A study that lives through changes. A context: what it did to the code of this process is undone at its end."""

    def __init__(self, folder: Path, analyses: Sequence[Analysis], seed: int, n_patients: int = 9):
        self.chance = Random(seed)
        self.folder, self.registered = folder, tuple(analyses)
        self.with_images = any(a.name == "series_roles" for a in analyses)
        self.archive = tiny.TinyArchive.make(n_patients)
        self.study = tiny.new_study(folder, analyses=analyses)
        self.files: list[tiny.TinyArchive] = []  # every state of the archive that was ingested
        self.harmed: dict[str, CauseKind] = {}  # unit -> what another hand did to it since it was made
        self.definitions: dict[str, str] = {}
        self.frozen: set[str] = set()
        self.editions = Editions()
        self.set("cutoff", "n_permutations", "20")  # 10,000 take seconds where the method asks for them

    def __enter__(self) -> Life:
        self.editions.__enter__()
        return self

    def __exit__(self, *_) -> None:
        self.editions.__exit__()
        self.study.engine.dispose()

    @property
    def analyses(self) -> tuple[Analysis, ...]:
        return self.editions.of(self.registered)

    @property
    def tables(self) -> set[str]:
        """The tables of study.toml that these analyses have."""
        return {a.name for a in self.registered} | {a.base for a in self.registered if a.base is not None}

    @property
    def settings_text(self) -> str:
        return (self.study.root / "study.toml").read_text()

    def set(self, table: str, setting: str, value: str | None) -> None:
        """Write a setting (TOML) into study.toml; None: take its line out."""
        (self.study.root / "study.toml").write_text(with_setting(self.settings_text, table, setting, value))

    def ingest(self) -> None:
        tiny.ingest(self.study, self.archive, images=self.with_images)
        self.files.append(deepcopy(self.archive))

    def define(self, name: str, sql: str) -> None:
        with writing(self.study.engine) as connection:
            cohorts.define(connection, name, sql)
        self.definitions[name] = sql

    def freeze(self, name: str) -> int | None:
        """The version; None where nobody is a member now."""
        try:
            with writing(self.study.engine) as connection:
                version = cohorts.freeze(connection, name)[0]
        except InvalidInput:
            return None
        self.frozen.add(name)
        return version

    def begin(self) -> None:
        """As every study begins: the archive, the cohort of the models frozen, a live one beside it."""
        self.ingest()
        self.define(tiny.COHORT, (self.study.root / "cohorts" / f"{tiny.COHORT}.sql").read_text())
        self.define(tiny.LIVE, tiny.LIVE_SQL)
        self.freeze(tiny.COHORT)

    def anew(self, folder: Path) -> Life:
        """Another study, made at once of what is true now. The editions of the code are those that are on."""
        other = Life(folder, self.registered, seed=0)
        for name in ("study.toml", "markers.csv"):
            shutil.copy(self.study.root / name, folder / name)
        other.study = Study(folder)
        other.editions, other.archive = self.editions, deepcopy(self.archive)
        other.ingest()
        for name, sql in self.definitions.items():
            other.define(name, sql)
        for name in sorted(self.frozen):
            other.freeze(name)
        return other


def with_setting(text: str, table: str, setting: str, value: str | None) -> str:
    """The text of study.toml with one setting; None: without it."""
    lines = text.splitlines()
    if f"[{table}]" not in [line.partition("#")[0].strip() for line in lines]:
        lines += ["", f"[{table}]"]
    at = next(i for i, line in enumerate(lines) if line.partition("#")[0].strip() == f"[{table}]")
    end = next((i for i in range(at + 1, len(lines)) if lines[i].startswith("[")), len(lines))
    there = [i for i in range(at + 1, end) if re.match(rf"{setting}\s*=", lines[i])]
    new = [] if value is None else [f"{setting} = {value}"]
    if there:
        lines[there[0] : there[0] + 1] = new
    else:
        lines[at + 1 : at + 1] = new
    return "\n".join(lines) + "\n"


def written(text: str, table: str, setting: str) -> str | None:
    """What study.toml says of a setting, as TOML; None where it does not."""
    inside = re.search(rf"^\[{table}\].*\n((?:(?!\[).*\n)*)", text, flags=re.MULTILINE)
    found = re.search(rf"^{setting}\s*=\s*([^#\n]*)", inside[1], flags=re.MULTILINE) if inside else None
    return found[1].strip() if found else None
