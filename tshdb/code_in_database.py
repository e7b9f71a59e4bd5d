"""Code in a study's database that is not ours: a trigger, a view, a rule or a function runs unseen whenever a table is used.

A study may have been received. What ours holds is known: tables, their indexes and, on SQLite, the triggers that note which
tables change, each with one text (`watch_text`). All else is somebody's code, and nothing runs in a database that has some.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from tshdb.errors import IntegrityError

EVENTS = ("INSERT", "UPDATE", "DELETE")
WATCH = re.compile(r"watch_(\w+)_(insert|update|delete)")
SQLITE = (
    "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('trigger', 'view') "
    "OR (type = 'table' AND (sql LIKE 'CREATE VIRTUAL%' OR sql LIKE '%GENERATED ALWAYS%')) ORDER BY type, name"
)
POSTGRESQL = """
SELECT 'trigger', t.tgname, c.relname, '' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND n.nspname = current_schema()
UNION ALL SELECT 'view', c.relname, c.relname, '' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('v', 'm', 'f') AND n.nspname = current_schema()
UNION ALL SELECT 'rule', r.rulename, c.relname, '' FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname = current_schema()
UNION ALL SELECT 'policy', p.polname, c.relname, '' FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()
UNION ALL SELECT 'generated column', a.attname, c.relname, '' FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attgenerated <> '' AND n.nspname = current_schema()
ORDER BY 1, 2
"""


class Code(NamedTuple):
    """A piece of somebody's code. kind: trigger, view …; table: whose use runs it."""

    kind: str
    name: str
    table: str

    def __str__(self) -> str:
        of = f" of table {self.table}" if self.table != self.name else ""
        return f"the {self.kind} {self.name!r}{of}"


def watch_name(table: str, event: str) -> str:
    return f"watch_{table}_{event.lower()}"


def watch_text(table: str, event: str) -> str:
    """The statement that makes the trigger which notes that a table changes (SQLite alone)."""
    return (
        f"CREATE TRIGGER {watch_name(table, event)} AFTER {event} ON {table} BEGIN "
        f"UPDATE table_versions SET version = random() WHERE table_name = '{table}'; END"
    )


def code_of_others(ask: Callable[[str], Iterable[Sequence[Any]]], is_sqlite: bool) -> list[Code]:
    """What is not ours. ask: runs one SELECT of the database's own catalogue."""
    return [
        Code(str(kind if kind != "table" else "virtual table or generated column"), str(name), str(table))
        for kind, name, table, text in ask(SQLITE if is_sqlite else POSTGRESQL)
        if not _is_watch(str(kind), str(name), str(table), str(text))
    ]


def refuse_code_of_others(ask: Callable[[str], Iterable[Sequence[Any]]], is_sqlite: bool, where: str) -> None:
    """Raises IntegrityError for a database that holds code of somebody else."""
    found = code_of_others(ask, is_sqlite)
    if found:
        more = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
        raise IntegrityError(
            f"the database holds code that is not tshdb's: {found[0]}{more}. Nothing was run", where=where,
            repair="Ask who put it there. tshdb check lists it, tshdb check --repair takes it out",
        )  # fmt: skip


def drop_statement(code: Code, is_sqlite: bool) -> str:
    """What takes a trigger or a view out of the database. No row goes with it."""
    name, table = (text.replace('"', '""') for text in (code.name, code.table))
    of = "" if is_sqlite or code.kind == "view" else f' ON "{table}"'
    return f'DROP {code.kind.upper()} "{name}"{of}'


def _is_watch(kind: str, name: str, table: str, text: str) -> bool:
    named = WATCH.fullmatch(name) if kind == "trigger" else None
    if named is None or named[1] != table:
        return False
    return _bare(text) == _bare(watch_text(table, named[2].upper()))


def _bare(text: str) -> str:
    """A statement without quotes around names, which SQLite adds when it renames a table, and with single blanks."""
    return " ".join(text.replace('"', "").split())
