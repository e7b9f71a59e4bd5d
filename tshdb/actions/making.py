"""Make a study folder: settings with comments, the preset's cohort files, and a database at the newest revision."""

from __future__ import annotations

import re
from pathlib import Path

from tshdb import installed, presets
from tshdb.database import create
from tshdb.errors import InvalidInput
from tshdb.objects import ObjectStore
from tshdb.study import SETTINGS_FILE, Study, absolute_url


def make_study(folder: Path, database: str = "sqlite:///study.db", preset: str = "fan2023") -> Study:
    """A study in a new folder. database: a URL, sqlite:///FILE (inside the folder) or postgresql://…

    Raises InvalidInput for a folder that is a study already, or for a preset that is not known.
    """
    presets.refuse_unknown(preset)
    settings = folder / SETTINGS_FILE
    if settings.exists():
        raise InvalidInput("a study is there already", where=str(settings), repair="Choose another folder")
    title = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name) or "study"
    template = presets.text(preset, "study.toml")
    text = template.replace("{name}", title).replace("{database}", database.replace("\\", "/"))
    (folder / "cohorts").mkdir(parents=True, exist_ok=True)
    ObjectStore(folder / "objects").claim()
    for name in presets.cohort_files(preset):
        (folder / "cohorts" / name).write_text(presets.text(preset, f"cohorts/{name}"), encoding="utf-8")
    written = folder / f".{SETTINGS_FILE}.new"
    written.write_text(text, encoding="utf-8")
    root = folder.resolve()
    engine = create(absolute_url(root, database))
    installed.migrations().upgrade(engine)
    engine.dispose()
    written.rename(settings)  # last: a folder becomes a study when it is complete
    return Study(root)
