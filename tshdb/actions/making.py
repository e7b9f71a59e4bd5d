"""Make a study folder: settings with comments, the preset's cohort files, and a database at the newest revision."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tshdb import installed
from tshdb.config import Settings
from tshdb.database import create
from tshdb.engine import homes
from tshdb.errors import InvalidInput, NotFound
from tshdb.files import naming
from tshdb.near import did_you_mean
from tshdb.objects import ObjectStore
from tshdb.places import SETTINGS_FILE, files_below, mark_database_folder, objects_folder
from tshdb.roles import make_roles
from tshdb.study import Study, absolute_url
from tshdb.written import written_text

NAMED = re.compile(r"[\w-][\w.-]*\.csv")  # a table beside study.toml that a setting names


@dataclass(frozen=True)
class Beginning:
    """What a study begins with.

    where: study.toml, as errors name it.
    files: path in the study's folder -> content, of what lies beside it: cohorts, tables that a setting names, own analyses.
    """

    where: Path
    settings: str
    files: Mapping[str, bytes]


def make_study(
    folder: Path, database: str = "sqlite:///study.db", preset: str = "fan2023", has_roles: bool = False
) -> Study:
    """A study in a new folder. database: a URL, sqlite:///FILE (inside the folder) or postgresql://…

    preset: the name of one that is installed, or the path of a study.toml that somebody hands on.
    has_roles: the database gets the roles of a team (`tshdb.roles`; PostgreSQL alone).
    Raises InvalidInput for a folder that is a study already, or for settings that cannot be a study's; NotFound for a preset
    that there is not.
    """
    settings = folder / SETTINGS_FILE
    if settings.exists():
        raise InvalidInput("a study is there already", where=str(settings), repair="Choose another folder")
    begins = beginning(preset)
    title = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name) or "study"
    text = with_own(begins, title, database.replace("\\", "/"))
    root = folder.resolve()
    objects = objects_folder(Settings(begins.where, text), root)
    (folder / "cohorts").mkdir(parents=True, exist_ok=True)
    ObjectStore(objects).claim()
    for name, content in begins.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with naming(folder / name):
            (folder / name).write_bytes(content)
    written = folder / f".{SETTINGS_FILE}.new"
    with naming(written):
        written.write_text(text, encoding="utf-8")
    url = absolute_url(root, database)
    mark_database_folder(database, root)
    engine = create(url)
    if has_roles:
        make_roles(engine)
    installed.migrations().upgrade(engine)
    engine.dispose()
    written.rename(settings)  # last: a folder becomes a study when it is complete
    return Study(root)


def beginning(preset: str) -> Beginning:
    """A preset by its name, or by the path of a study.toml. Raises NotFound for one that there is not."""
    known = installed.presets()
    if preset in known:
        record = known[preset]
        files = {f"cohorts/{name}": text.encode() for name, text in record.cohorts.items()}
        return Beginning(record.folder / SETTINGS_FILE, record.settings, files)
    path = Path(preset).expanduser()
    if path.is_dir():
        path = path / SETTINGS_FILE
    if not path.is_file():
        listed = f"Presets: {', '.join(known)}; or the path of a {SETTINGS_FILE}"
        raise NotFound(f"no preset '{preset}'", where="--preset", repair=did_you_mean(preset, known, listed))
    settings = written_text(path)
    return Beginning(path, settings, _beside(path, settings))


def _beside(path: Path, settings: str) -> dict[str, bytes]:
    """What lies beside a study.toml and belongs to it. Links are not followed."""
    folder = path.parent
    files = {
        f"cohorts/{p.name}": p.read_bytes()
        for p in files_below(folder / "cohorts", is_deep=False)
        if p.suffix == ".sql"
    }
    for table in (_parsed(settings) or {}).values():
        for value in table.values() if isinstance(table, dict) else ():
            if isinstance(value, str) and NAMED.fullmatch(value):
                named = folder / value
                if named.is_file() and not named.is_symlink():
                    files[value] = named.read_bytes()
    own = homes.read(folder)
    return files | {f"{homes.FOLDER}/{name}": content for name, content in (own.contents if own else {}).items()}


def _parsed(text: str) -> dict[str, Any] | None:
    """The tables of a TOML text; None where it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def with_own(begins: Beginning, name: str, database: str) -> str:
    """The settings with a study's own name and database. Raises InvalidInput where they cannot be replaced."""
    text = begins.settings
    for key, value in (("database", database), ("name", name)):
        text = _with(text, key, value)
    is_spoilt = _parsed(text) is None and _parsed(begins.settings) is not None
    own = None if is_spoilt else Settings(begins.where, text).study
    if own is None or (own.name, own.database) != (name, database):
        raise InvalidInput(
            "its name or its database cannot be replaced", where=f"{begins.where}: [study]",
            repair='Write them as lines of [study]: name = "…", database = "…"',
        )  # fmt: skip
    return text


def _with(text: str, key: str, value: str) -> str:
    """TOML in which [study] has this value; what stands behind it in the line stays."""
    said = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    header = re.search(r"^\s*\[\s*study\s*\][^\n]*\n?", text, re.MULTILINE)
    if header is None:
        return f"[study]\n{said}\n\n{text}"
    after = re.compile(r"^\s*\[", re.MULTILINE).search(text, header.end())
    end = after.start() if after else len(text)
    body = text[header.end() : end]
    line = re.compile(rf"""^[ \t]*{key}[ \t]*=[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*')""", re.MULTILINE)
    if line.search(body):
        body = line.sub(lambda _: said, body, count=1)
    else:
        body = f"{said}\n{body}"
    head = text[: header.end()]
    return f"{head if head.endswith(chr(10)) else head + chr(10)}{body}{text[end:]}"
