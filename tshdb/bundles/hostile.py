"""What a study that was received may not hold: settings that lead out of it, and statements that its database would run.

Code is not among it: what lies in analyses/ runs only after somebody trusts it (tshdb.guests.trust).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.database import REVISION
from tshdb.errors import IntegrityError, InvalidInput

if TYPE_CHECKING:
    from tshdb.config import Settings

WATCH = re.compile(
    r"CREATE TRIGGER watch_(\w+)_(insert|update|delete) AFTER (INSERT|UPDATE|DELETE) ON (\w+) BEGIN "
    r"UPDATE table_versions SET version = random\(\) WHERE table_name = '(\w+)'; END"
)
PLAIN_KINDS = ("table", "index")
OF_STUDY = ("database", "objects")  # they are brought home: tshdb.backup.restore


def refuse_settings(settings: Settings) -> None:
    """Raises InvalidInput for a setting that names a file or folder outside of the study."""
    for table, key, value in _strings(settings.tables):
        if table == "study" and key in OF_STUDY:
            continue
        parts = re.split(r"[/\\]", value)
        if "://" not in value and (value.startswith(("/", "~")) or (".." in parts and len(parts) > 1)):
            raise InvalidInput(
                f"found '{value}', which lies outside of the study", where=f"{settings.where(table, key)}: [{table}] {key}",
                repair="Put the file into the study's folder, and name it from there",
            )  # fmt: skip


def _strings(tables: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(table, key, text) of every text in settings, in lists and tables too."""
    for table, values in tables.items():
        for key, value in values.items() if isinstance(values, dict) else ():
            waiting = [value]
            while waiting:
                one = waiting.pop()
                if isinstance(one, str):
                    yield table, key, one
                elif isinstance(one, list | tuple):
                    waiting += one
                elif isinstance(one, dict):
                    waiting += one.values()


def refuse_database(path: Path, where: str) -> None:
    """Raises IntegrityError for a file that is no database of ours: with triggers, views or virtual tables that are not ours."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as raw:
            kinds = raw.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
            revision = raw.execute("SELECT version_num FROM alembic_version").fetchone()
            answer = raw.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        raise IntegrityError(
            f"it is no database of a study ({error})", where=where, repair="Ask whom it came from"
        ) from None
    for kind, name, sql in kinds:
        if not (kind in PLAIN_KINDS and not (sql or "").upper().startswith("CREATE VIRTUAL")) and not _is_watch(
            kind, sql
        ):
            raise IntegrityError(
                f"it holds the {kind} '{name}', which is none of ours", where=where, repair="Ask whom it came from"
            )
    if answer != "ok":
        raise IntegrityError(f"it is not sound ({answer})", where=where, repair="Ask whom it came from")
    if revision is None or revision[0] != REVISION:
        raise InvalidInput(
            f"it has revision {revision[0] if revision else 'none'}, this program needs {REVISION}", where=where,
            repair="Install the tshdb that environment.json names, and export it anew from a migrated study",
        )  # fmt: skip


def _is_watch(kind: str, sql: str | None) -> bool:
    """Whether it is one of the triggers that note which tables change."""
    match = WATCH.fullmatch(sql or "") if kind == "trigger" else None
    if match is None:
        return False
    table, event, of_event, on, noted = match.groups()
    return table == on == noted and event == of_event.lower()
