"""Run a cohort's SQL on SQLite under an authorizer that lets it read tables and call harmless functions, nothing else."""

import sqlite3

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_DENIED_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "random", "randomblob"}


class Refused(Exception):
    """The SQL is not one SELECT, or does what it must not."""


def run_guarded(connection: sqlite3.Connection, sql: str) -> tuple[list[str], list[tuple], set[str]]:
    """(columns, rows, tables read). Raises Refused."""
    tables: set[str] = set()

    def authorize(action, first, second, _database, _trigger):
        if action not in _ALLOWED or (action == sqlite3.SQLITE_FUNCTION and second in _DENIED_FUNCTIONS):
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_READ:
            tables.add(first)
        return sqlite3.SQLITE_OK

    connection.set_authorizer(authorize)
    try:
        cursor = connection.execute(sql)
        return [d[0] for d in cursor.description], cursor.fetchall(), tables
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise Refused(str(error)) from None
    finally:
        connection.set_authorizer(None)
