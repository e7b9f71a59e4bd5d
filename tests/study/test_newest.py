"""An empty database of SQLite is made at once, and is what all revisions together make."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

import migrations
from migrations import newest
from tshdb.database import create

PRAGMAS = ("user_version", "application_id", "encoding", "auto_vacuum", "page_size", "journal_mode")


def made(path: Path, how: Callable[[Engine], None]) -> Path:
    engine = create(f"sqlite:///{path}")
    how(engine)
    engine.dispose()
    return path


def content(path: Path) -> dict[str, object]:
    """Tables, indexes, triggers and rows, but for the drawn versions."""
    with closing(sqlite3.connect(path)) as raw:
        made_by = sorted(raw.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall(), key=str)
        tables = [name for kind, name, *_ in made_by if kind == "table"]
        rows = {name: raw.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables if name != newest.VERSIONS}
        watched = raw.execute("SELECT table_name, written = version FROM table_versions ORDER BY 1").fetchall()
        pragmas = {name: raw.execute(f"PRAGMA {name}").fetchone() for name in PRAGMAS}
        return {"made by": made_by, "rows": rows, "watched": watched, "pragmas": pragmas}


def versions(path: Path) -> set[int]:
    with closing(sqlite3.connect(path)) as raw:
        return {version for (version,) in raw.execute("SELECT version FROM table_versions")}


@pytest.fixture(scope="module")
def by_revisions(tmp_path_factory) -> Path:
    return made(tmp_path_factory.mktemp("revisions") / "study.db", migrations.through_revisions)


def test_it_is_what_the_revisions_make(by_revisions, tmp_path):
    assert newest._kept(), "run: make docs"
    at_once = made(tmp_path / "study.db", migrations.upgrade)
    assert content(at_once) == content(by_revisions), "run: make docs"


def test_no_two_databases_have_a_version_in_common(tmp_path):
    one, other = (versions(made(tmp_path / name, migrations.upgrade)) for name in ("one.db", "other.db"))
    assert one and one.isdisjoint(other)


@pytest.mark.parametrize(("named", "is_used"), [("the same", True), ("others", False)])
def test_it_is_used_for_its_own_revisions_alone(named, is_used, by_revisions, tmp_path, monkeypatch):
    text = newest.WRITTEN.read_text(encoding="utf-8") + "CREATE TABLE of_the_file (x);\n"
    path = tmp_path / "newest.sql"
    path.write_text(text if named == "the same" else text.replace(newest.OF, f"{newest.OF}0"), encoding="utf-8")
    monkeypatch.setattr(newest, "WRITTEN", path)
    upgraded = content(made(tmp_path / "study.db", migrations.upgrade))
    assert any(name == "of_the_file" for _, name, *_ in upgraded["made by"]) is is_used
    assert is_used or upgraded == content(by_revisions)


def test_a_database_with_tables_goes_through_the_revisions(by_revisions, tmp_path):
    def in_two_steps(engine: Engine) -> None:
        migrations.upgrade(engine, "0036")
        migrations.upgrade(engine)

    assert content(made(tmp_path / "study.db", in_two_steps)) == content(by_revisions)
