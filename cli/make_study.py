"""Make a study folder: settings with comments, the preset's cohort files, and a database at the newest revision."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import migrations
from tshdb.database import create
from tshdb.errors import InvalidInput
from tshdb.objects import ObjectStore
from tshdb.study import SETTINGS_FILE, Study, absolute_url

PRESETS = ("fan2023",)


def make_study(folder: Path, database: str, preset: str) -> Study:
    """Raises InvalidInput for a folder that is a study already, or for a preset that is not known."""
    if preset not in PRESETS:
        raise InvalidInput(f"no preset '{preset}'", where="--preset", repair=f"Presets: {', '.join(PRESETS)}")
    settings = folder / SETTINGS_FILE
    if settings.exists():
        raise InvalidInput("a study is there already", where=str(settings), repair="Choose another folder")
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name) or "study"
    template = resources.files("cli").joinpath(f"data/{preset}/study.toml").read_text(encoding="utf-8")
    text = template.replace("{name}", name).replace("{database}", database.replace("\\", "/"))
    (folder / "cohorts").mkdir(parents=True, exist_ok=True)
    ObjectStore(folder / "objects").claim()
    for file in resources.files("cli").joinpath(f"data/{preset}/cohorts").iterdir():
        (folder / "cohorts" / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    written = folder / f".{SETTINGS_FILE}.new"
    written.write_text(text, encoding="utf-8")
    root = folder.resolve()
    engine = create(absolute_url(root, database))
    migrations.upgrade(engine)
    engine.dispose()
    written.rename(settings)  # last: a folder becomes a study when it is complete
    return Study(root)
