"""Roles of a study on PostgreSQL: owner, writer and reader, that people are granted.

They are named by the database (`brca_owner`, `brca_writer`, `brca_reader`) and cannot log in. The owner owns all tables: those
of guests too, which an owner's rebuild makes. The writer ingests, freezes and rebuilds: changes rows, no table, and adds to what
must not be changed (`APPENDED`). The reader reads. What PostgreSQL grants to everybody by default is taken away; what only a
superuser may take away (`OF_SUPERUSER`) is told, where the one who asks is none.

A study without these roles is as the server's administrator has made it: nothing here is asked of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from tshdb.database import reading, writing
from tshdb.errors import InvalidInput, ResourceError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

LONGEST = 63  # bytes of a name
APPENDED = ("change_log", "attempts", "causes", "cause_sets", "retirements", "result_changes")
CLOSED = ("tombstones", "alembic_version")  # to the writer: withdrawals and migrations alone write them
COLUMNS = {"runs": ("state", "ended_at", "libraries"), "ingest_runs": ("change_log_head",)}  # else appended to
OF_READER = {"default_transaction_read_only": "on", "statement_timeout": "'15min'"}
OF_ALL = {"idle_in_transaction_session_timeout": "'1h'"}
OF_SUPERUSER = ("large objects", "advisory locks, by which writers can be made to wait", "code in DO blocks")
FUNCTIONS = (
    "SELECT p.oid::regprocedure::text, p.proname ~ 'advisory' FROM pg_proc p "
    "WHERE p.pronamespace = 'pg_catalog'::regnamespace "
    "AND (p.proname ~ '^(lo_|loread$|lowrite$)' OR p.proname ~ '^pg_(try_)?advisory_') ORDER BY 1"
)
WHO = (
    "SELECT current_user::text, current_database()::text, current_schema()::text, r.rolsuper, r.rolsuper OR r.rolcreaterole, "
    "pg_has_role(current_user, d.datdba, 'USAGE') FROM pg_roles r, pg_database d "
    "WHERE r.rolname = current_user AND d.datname = current_database()"
)


class Roles(NamedTuple):
    """The names of a database's three roles."""

    owner: str
    writer: str
    reader: str


class Made(NamedTuple):
    """roles: that there are now. left_open: what everybody may still do, as only a superuser can take it away."""

    roles: Roles
    database: str
    left_open: tuple[str, ...]

    @property
    def facts(self) -> dict[str, object]:
        """Plain values, for --json."""
        return {"roles": self.roles._asdict(), "left_open": list(self.left_open)}

    def in_words(self) -> list[str]:
        """What was made, and how people get into it."""
        reader, database = _quoted(self.roles.reader), _quoted(self.database)
        of_alice = (f"ALTER ROLE alice IN DATABASE {database} SET {n} = {v}" for n, v in OF_READER.items())
        lines = [
            f"Roles {', '.join(self.roles)}. To let somebody read, as settings do not come with a role:",
            f"  {'; '.join([f'GRANT {reader} TO alice', *of_alice])};",
        ]
        if self.left_open:
            lines.append(f"Only a superuser can forbid {', '.join(self.left_open)}: docs/postgresql.md")
        return lines


def _quoted(name: str) -> str:
    """A name as SQL that a person may type."""
    return name if re.fullmatch("[a-z_][a-z0-9_]*", name) else '"{}"'.format(name.replace('"', '""'))


def roles_of(database: str) -> Roles:
    """The names for a database. Raises InvalidInput where it leaves no room for them."""
    names = Roles(*(f"{database}_{kind}" for kind in Roles._fields))
    if any(len(name.encode()) > LONGEST for name in names):
        raise InvalidInput(
            f"the roles would be called {names.owner} and so on, longer than {LONGEST} bytes",
            where=f"database {database}", repair="Name the database with fewer letters",
        )  # fmt: skip
    return names


def make_roles(engine: Engine) -> Made:
    """Make the roles of an empty or a filled database, or set those that are there to what they have to be.

    Raises InvalidInput for SQLite, or for a role of that name that is another's; ResourceError for a user who may not do this.
    """
    if engine.dialect.name != "postgresql":
        raise InvalidInput(
            "SQLite has no roles: who may read the file may do all", where="--roles",
            repair="Name a server: --database postgresql://…",
        )  # fmt: skip
    with writing(engine) as connection:
        _make(connection)
    return made_of(engine)


def _make(connection: Connection) -> None:
    user, database, schema, is_super, makes_roles, owns = connection.exec_driver_sql(WHO).one()
    if not makes_roles or not owns:
        raise ResourceError(
            f"user {user} may not make roles" if not makes_roles else f"user {user} does not own database {database}",
            where="--roles",
            repair=f"ALTER ROLE {_quoted(user)} CREATEROLE; "
            f"ALTER DATABASE {_quoted(database)} OWNER TO {_quoted(user)}",
        )
    names = roles_of(database)
    for statement in _statements(connection, names, user, database, schema, is_super):
        connection.exec_driver_sql(statement)
    _refuse_open(connection, database, schema)
    if is_super:
        _close(connection, names)
    renew(connection)


def _statements(
    connection: Connection, names: Roles, user: str, database: str, schema: str, is_super: bool
) -> Iterator[str]:
    """What makes the roles, and takes from everybody what a database grants by default."""
    quote = connection.dialect.identifier_preparer.quote
    owner, writer, reader = map(quote, names)
    there = {row.rolname: row for row in connection.exec_driver_sql(
        "SELECT rolname, rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS more "
        "FROM pg_roles WHERE rolname IN (%s, %s, %s)", tuple(names))}  # fmt: skip
    for name in names:
        if name in there and there[name].more:
            raise InvalidInput(
                "a role of this name is there, and may log in or more", where=f"role {name}",
                repair="Rename it, or use a database of another name",
            )  # fmt: skip
        if name not in there:
            yield f"CREATE ROLE {quote(name)} NOLOGIN"
    if not is_super:
        yield f"GRANT {owner} TO {quote(user)}"
    all_three = f"{owner}, {writer}, {reader}"
    yield f"REVOKE ALL ON DATABASE {quote(database)} FROM PUBLIC, {all_three}"
    yield f"GRANT CONNECT ON DATABASE {quote(database)} TO {all_three}"
    yield f"REVOKE ALL ON SCHEMA {quote(schema)} FROM PUBLIC, {all_three}"
    yield f"GRANT USAGE ON SCHEMA {quote(schema)} TO {all_three}"
    yield f"GRANT CREATE ON SCHEMA {quote(schema)} TO {owner}"
    for name, value in OF_ALL.items():
        yield f"ALTER DATABASE {quote(database)} SET {name} = {value}"
    for name, value in OF_READER.items():
        yield f"ALTER ROLE {reader} IN DATABASE {quote(database)} SET {name} = {value}"
    for (table,) in connection.exec_driver_sql(
        "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace"
    ).fetchall():
        yield f"ALTER TABLE {quote(table)} OWNER TO {owner}"
    of_owner = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {quote(schema)}"
    yield f"{of_owner} GRANT SELECT ON TABLES TO {reader}"
    yield f"{of_owner} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {writer}"
    yield f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"


def _close(connection: Connection, names: Roles) -> None:
    """Take from everybody what only a superuser can: large objects, the locks by which writers wait for each other, code."""
    quote = connection.dialect.identifier_preparer.quote
    for function, is_lock in connection.exec_driver_sql(FUNCTIONS).fetchall():
        connection.exec_driver_sql(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
        if is_lock:
            connection.exec_driver_sql(
                f"GRANT EXECUTE ON FUNCTION {function} TO {quote(names.owner)}, {quote(names.writer)}"
            )
    connection.exec_driver_sql("REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC")


def _refuse_open(connection: Connection, database: str, schema: str) -> None:
    """A REVOKE that has no effect is a warning to PostgreSQL; here it is an error."""
    still = connection.exec_driver_sql(
        "SELECT has_database_privilege('public', %s, 'CONNECT, TEMPORARY, CREATE') "
        "OR has_schema_privilege('public', %s, 'CREATE')",
        (database, schema),
    ).scalar()
    if still:
        raise ResourceError(
            "everybody may still connect, or make tables", where=f"database {database}, schema {schema}",
            repair="Let a superuser run the same command",
        )  # fmt: skip


# -------------------------------------------------------------------------------------------- once they are there


def present(connection: Connection) -> Roles | None:
    """The roles of this database; None for a study without them, and on SQLite."""
    if connection.dialect.name != "postgresql":
        return None
    ((database, n),) = connection.exec_driver_sql(
        "SELECT current_database()::text, (SELECT count(*) FROM pg_roles WHERE rolname IN "
        "(current_database() || '_owner', current_database() || '_writer', current_database() || '_reader'))"
    )
    return roles_of(database) if n == len(Roles._fields) else None


def made_of(engine: Engine) -> Made:
    """The roles of a database that has them. Raises InvalidInput for one without."""
    with reading(engine) as connection:
        if (names := present(connection)) is None:
            raise InvalidInput("the database has no roles of a study", where="--roles")
        is_open = connection.exec_driver_sql("SELECT has_language_privilege('public', 'plpgsql', 'USAGE')").scalar()
        database = connection.exec_driver_sql("SELECT current_database()::text").scalar_one()
    return Made(names, database, OF_SUPERUSER if is_open else ())


def renew(connection: Connection) -> None:
    """Grant what the roles need of all tables that are there: at their making, and after a migration. Inside `writing`."""
    if (names := present(connection)) is None:
        return
    quote = connection.dialect.identifier_preparer.quote
    tables = connection.exec_driver_sql(
        "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace "
        "AND pg_get_userbyid(c.relowner) = %s ORDER BY 1", (names.owner,),
    ).scalars().all()  # fmt: skip
    for table in tables:
        for grant in _grants(table, quote(table), quote(names.writer), quote(names.reader)):
            connection.exec_driver_sql(grant)


def _grants(name: str, table: str, writer: str, reader: str) -> Iterator[str]:
    yield f"REVOKE ALL ON TABLE {table} FROM PUBLIC, {writer}, {reader}"
    yield f"GRANT SELECT ON TABLE {table} TO {writer}, {reader}"
    if name in CLOSED:
        return
    if name in COLUMNS:
        yield f"GRANT INSERT, UPDATE ({', '.join(COLUMNS[name])}) ON TABLE {table} TO {writer}"
    elif name in APPENDED:
        yield f"GRANT INSERT ON TABLE {table} TO {writer}"
    else:
        yield f"GRANT INSERT, UPDATE, DELETE ON TABLE {table} TO {writer}"


def act_as_owner(connection: Connection, what: str) -> None:
    """To the end of the transaction, be the owner: what is made now is the owner's. Raises ResourceError for another.

    what: is made or changed, in words.
    """
    if (names := present(connection)) is not None:
        _refuse(connection, names.owner, what)
        connection.exec_driver_sql(f"SET LOCAL ROLE {connection.dialect.identifier_preparer.quote(names.owner)}")


def require_owner(engine: Engine, command: str) -> None:
    """Raises ResourceError before anything is done, unless an owner runs this command."""
    _require(engine, "owner", command)


def require_writer(engine: Engine, command: str) -> None:
    """Raises ResourceError before anything is done, unless a writer or an owner runs this command."""
    _require(engine, "writer", command)


def _require(engine: Engine, kind: str, command: str) -> None:
    if engine.dialect.name != "postgresql":
        return
    with reading(engine) as connection:
        if (names := present(connection)) is not None:
            _refuse(connection, getattr(names, kind), command, names.owner)


def _refuse(connection: Connection, role: str, what: str, *others: str) -> None:
    user, *has = connection.exec_driver_sql(
        "SELECT current_user::text, " + ", ".join("pg_has_role(current_user, %s, 'USAGE')" for _ in (role, *others)),
        (role, *others),
    ).one()
    if not any(has):
        raise ResourceError(
            f"user {user} is not in role {role}. Nothing was done", where=what,
            repair=f"Let one run it who is; or an administrator grants it: GRANT {_quoted(role)} TO {_quoted(user)}",
        )  # fmt: skip
