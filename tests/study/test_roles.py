"""Roles of a study on PostgreSQL: what each may do, statement by statement, and what the program says to whom.

What a role may do is held against PostgreSQL itself: each statement runs on a real server, by a user who is in that role alone.
"""

from __future__ import annotations

import time
import uuid

import pytest

import migrations
from tests.support import guests, tiny
from tests.support.program import run_quick
from tshdb import query
from tshdb.database import create, reading, tuples
from tshdb.errors import InvalidInput, ResourceError
from tshdb.roles import make_roles, require_owner, require_writer, roles_of
from tshdb.study import Study

psycopg = pytest.importorskip("psycopg")
REFUSED = (psycopg.errors.InsufficientPrivilege,)
UNSEEN = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)  # to one who may not look into the schema

# statement -> who may run it: o(wner), w(riter), r(eader), s(tranger)
BATTERY = {
    "SELECT count(*) FROM patients": "owr",
    "SELECT * FROM change_log": "owr",
    "SELECT * FROM tombstones": "owr",
    "COPY patients TO STDOUT": "owr",
    "INSERT INTO patients SELECT * FROM patients WHERE false": "ow",
    "UPDATE patients SET sex = sex": "ow",
    "DELETE FROM patients WHERE false": "ow",
    "INSERT INTO change_log SELECT * FROM change_log WHERE false": "ow",
    "UPDATE change_log SET action = action": "o",
    "DELETE FROM change_log WHERE false": "o",
    "INSERT INTO attempts SELECT * FROM attempts WHERE false": "ow",
    "UPDATE attempts SET detail = detail": "o",
    "DELETE FROM attempts WHERE false": "o",
    "DELETE FROM result_changes WHERE false": "o",
    "DELETE FROM retirements WHERE false": "o",
    "UPDATE causes SET subject = subject": "o",
    "DELETE FROM runs WHERE false": "o",
    "UPDATE runs SET state = state": "ow",
    "UPDATE runs SET command = command": "o",
    "UPDATE ingest_runs SET actor = actor": "o",
    "UPDATE ingest_runs SET change_log_head = change_log_head": "ow",
    "INSERT INTO tombstones SELECT * FROM tombstones WHERE false": "o",
    "DELETE FROM tombstones WHERE false": "o",
    "UPDATE alembic_version SET version_num = version_num": "o",
    "SELECT * FROM patients FOR UPDATE": "ow",
    "LOCK TABLE patients IN ACCESS EXCLUSIVE MODE": "ow",
    "SELECT pg_try_advisory_lock(7481001)": "ow",
    "SELECT setval('units_unit_id_seq', 1000)": "o",
    "TRUNCATE leases": "o",
    "DROP TABLE leases": "o",
    "ALTER TABLE patients ADD COLUMN x int": "o",
    "ALTER TABLE patients DISABLE TRIGGER ALL": "",
    "CREATE TABLE mine (x int)": "o",
    "CREATE INDEX ON patients (sex)": "o",
    "CREATE VIEW mine AS SELECT 1": "o",
    "CREATE RULE mine AS ON INSERT TO patients DO NOTHING": "o",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'": "o",
    "COMMENT ON TABLE patients IS 'x'": "o",
    "CREATE TEMPORARY TABLE mine (x int)": "",
    "CREATE SCHEMA mine": "",
    "CREATE PUBLICATION mine FOR TABLE patients": "",
    "DO $$ BEGIN NULL; END $$": "",
    "SELECT lo_create(0)": "",
    "SELECT lo_from_bytea(0, 'x')": "",
    "SELECT pg_read_file('/etc/passwd')": "",
    "SELECT pg_ls_dir('/')": "",
    "SELECT pg_stat_file('/etc/passwd')": "",
    "COPY patients FROM '/etc/passwd'": "",
    "COPY patients TO '/tmp/patients'": "",
    "COPY (SELECT 1) TO PROGRAM 'id'": "",
    "SELECT * FROM pg_authid": "",
    "SELECT pg_reload_conf()": "",
    "CREATE ROLE mine": "",
    "ALTER ROLE {writer} SUPERUSER": "",
    "GRANT {owner} TO {stranger}": "",
    "ALTER DATABASE {database} SET statement_timeout = 0": "",
    "SET session_replication_role = replica": "",
    "SET ROLE {owner}": "o",
    "SET ROLE {writer_role}": "w",
    # what everybody who is connected may raise for himself: docs/postgresql.md
    "SET statement_timeout = 0": "owrs",
    "SET work_mem = '1GB'": "owrs",
    "SELECT pg_sleep(0)": "owrs",
}


class Team:
    """A study of some patients on a server, with roles and a user in each."""

    def __init__(self, url: str, root):
        head, _, self.query = url.partition("?")
        self.url, self.root = url, root
        self.database = head.rsplit("/", 1)[1]
        self.roles = roles_of(self.database)
        mark = uuid.uuid4().hex[:8]
        self.users = {kind: f"{kind}_{mark}" for kind in ("owner", "writer", "reader", "stranger")}
        with psycopg.connect(url, autocommit=True) as raw:
            for user in self.users.values():
                raw.execute(f"CREATE ROLE {user} LOGIN")

    def admit(self) -> None:
        """Put each user into the role of his name; what a person is to be given beside it, for the reader."""
        with psycopg.connect(self.url, autocommit=True) as raw:
            for kind, role in self.roles._asdict().items():
                raw.execute(f"GRANT {role} TO {self.users[kind]}")

    def url_of(self, kind: str) -> str:
        head, rest = self.url.split("//", 1)
        return f"{head}//{self.users[kind]}@{rest.partition('@')[2]}"

    def study(self, kind: str) -> Study:
        """The study as one of the users has it."""
        settings = self.root / "study.toml"
        lines = settings.read_text().splitlines(keepends=True)
        settings.write_text(
            "".join(f'database = "{self.url_of(kind)}"\n' if li.startswith("database =") else li for li in lines)
        )
        return Study(self.root)

    def named(self, statement: str) -> str:
        names = {"owner": self.roles.owner, "writer_role": self.roles.writer, "database": self.database}
        return statement.format(**names, writer=self.users["writer"], stranger=self.users["stranger"])


@pytest.fixture(scope="module")
def team(postgresql_url, tmp_path_factory):
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgresql_url, autocommit=True) as raw:
        raw.execute(f"CREATE DATABASE {name}")
    head, _, rest = postgresql_url.partition("?")
    made = Team(f"{head.rsplit('/', 1)[0]}/{name}?{rest}", tmp_path_factory.mktemp("team") / "study")
    said = run_quick("init", made.root, "--database", made.url, "--roles").stderr
    assert f"GRANT {made.roles.reader} TO alice" in said and "superuser" not in said
    tiny.make_small(made.root, True, tiny.CORE)
    made.admit()
    study = made.study("writer")  # all of it is a writer's work
    tiny.ingest(study, tiny.TinyArchive.make(5), images=False)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study, tiny.CORE)
    tiny.ingest(study, tiny.TinyArchive.make(6), images=False)
    tiny.rebuild(study, tiny.CORE)
    assert tiny.due(study, tiny.CORE) == {}
    study.engine.dispose()
    return made


@pytest.mark.parametrize("kind", ["owner", "writer", "reader", "stranger"])
@pytest.mark.parametrize("statement", BATTERY)
def test_what_a_role_may_do(team, kind, statement):
    """A stranger cannot connect: he is tried by a session of the administrator that has become him."""
    with psycopg.connect(team.url if kind == "stranger" else team.url_of(kind), autocommit=True) as raw:
        if kind == "stranger":
            raw.execute(f"SET SESSION AUTHORIZATION {team.users[kind]}")
        raw.execute("SET default_transaction_read_only = off")  # which everybody may: the grants alone have to hold
        raw.execute("BEGIN")
        asked = team.named(statement)
        try:
            if asked.endswith("STDOUT"):
                with raw.cursor().copy(asked) as copied:
                    list(copied)
            else:
                raw.execute(asked)
            may = True
        except REFUSED:
            may = False
        except UNSEEN:
            assert kind == "stranger"
            may = False
        raw.execute("ROLLBACK")
    assert may == (kind[0] in BATTERY[statement])


def test_a_stranger_cannot_connect(team):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(team.url_of("stranger"))


def test_a_reader_reads_and_is_told_what_he_may_not(team):
    root = team.study("reader").root
    for words in (
        ["status"],
        ["plan"],
        ["check"],
        ["cohort", "list"],
        ["sql", "SELECT count(*) AS n FROM units"],
        ["history"],
    ):
        run_quick(*words, cwd=root)
    for words in (["rebuild"], ["cohort", "freeze", tiny.COHORT], ["migrate"], ["move", "--to", "sqlite:///x.db"]):
        said = run_quick(*words, cwd=root, code=6).stderr
        (line,) = [line for line in said.splitlines() if line.startswith("tshdb: ")]
        assert f"user {team.users['reader']} is not in role {team.database}_" in line and line in said.splitlines()[-1]
    with pytest.raises(ResourceError, match="is not in role"):
        tiny.ingest(Study(root), tiny.TinyArchive.make(7), images=False)
    assert not (root / "x.db").exists()


def test_a_writer_neither_migrates_nor_withdraws(team):
    study = team.study("writer")
    before = {path: path.read_bytes() for path in study.root.rglob("*") if path.is_file()}
    for words in (["migrate"], ["migrate", "--dry-run"], ["withdraw", "TCGA-TN-0003", "--reason", "x"],
                  ["withdraw", "TCGA-TN-0003", "--readmit", "--reason", "x"]):  # fmt: skip
        said = run_quick(*words, cwd=study.root, code=6).stderr
        assert f"is not in role {team.roles.owner}. Nothing was done" in said.splitlines()[-1]
    assert {path: path.read_bytes() for path in study.root.rglob("*") if path.is_file()} == before
    run_quick("rebuild", *(a.name for a in tiny.CORE), cwd=study.root)


def test_a_guests_table_is_an_owners_work(team):
    study = team.study("writer")
    guests.put(study, "median_ratios")
    said = run_quick("rebuild", "median_ratios", cwd=study.root, code=6).stderr
    assert "is declared" in said or "declares" in said
    assert f"is not in role {team.roles.owner}" in said
    study = team.study("owner")
    run_quick("rebuild", "median_ratios", cwd=study.root)
    study = team.study("writer")
    tiny.ingest(study, tiny.TinyArchive.make(7), images=False)
    run_quick("rebuild", "median_ratios", cwd=study.root)
    with reading(study.engine) as connection:
        owners = tuples(connection, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert owners == [(team.roles.owner,)]
    study.engine.dispose()


def test_tables_of_a_migration_are_the_owners_and_granted(team):
    engine = create(team.url_of("owner"))
    migrations.downgrade(engine, "0030")
    migrations.upgrade(engine)
    with reading(engine) as connection:
        owners = tuples(connection, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        rights = tuples(
            connection,
            f"SELECT has_table_privilege('{team.users['reader']}', 'ladder_rungs', 'SELECT'), "
            f"has_table_privilege('{team.users['reader']}', 'ladder_rungs', 'INSERT'), "
            f"has_table_privilege('{team.users['writer']}', 'ladder_rungs', 'DELETE'), "
            f"has_table_privilege('{team.users['writer']}', 'change_log', 'DELETE')",
        )
    assert owners == [(team.roles.owner,)] and rights == [(True, False, True, False)]
    engine.dispose()
    with pytest.raises(ResourceError, match="a change of the study's tables"):
        migrations.upgrade(create(team.url_of("writer")))


def test_the_answer_ends_at_its_limit_on_the_server_too(team):
    """A table that somebody holds: a query and a cohort wait for it, and leave nobody waiting behind them."""
    study = team.study("reader")
    waiting = (
        f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{team.users['reader']}' AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(team.url) as raw, psycopg.connect(team.url, autocommit=True) as other:
        raw.execute("LOCK TABLE genes IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(ResourceError):
            query.run_query(study, "SELECT count(*) FROM genes", seconds=1.0)
        assert time.monotonic() - began < 20
        until = time.monotonic() + 10
        while other.execute(waiting).fetchone()[0] and time.monotonic() < until:
            time.sleep(0.1)
        assert other.execute(waiting).fetchone()[0] == 0


def test_a_cohort_that_waits_is_ended_by_the_server(team, monkeypatch):
    from tshdb.cohorts import rows

    monkeypatch.setattr(rows, "LOADING_SECONDS", 1)
    study = team.study("reader")
    with psycopg.connect(team.url) as raw:
        raw.execute("LOCK TABLE follow_ups IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(ResourceError, match="stopped the statement"), reading(study.engine) as connection:
            rows.rows_of(connection).versions(["follow_ups"])
    with reading(study.engine) as connection:
        rows.rows_of(connection).versions(["follow_ups"])
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "0"
    study.engine.dispose()


@pytest.fixture
def mine(postgresql):
    """An empty database of a user who may make roles, and is no superuser; its URL."""
    user = f"chief_{uuid.uuid4().hex[:8]}"
    name = postgresql.partition("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(postgresql, autocommit=True) as raw:
        raw.execute(f"CREATE ROLE {user} LOGIN CREATEROLE")
        raw.execute(f"ALTER DATABASE {name} OWNER TO {user}")
    head, rest = postgresql.split("//", 1)
    return f"{head}//{user}@{rest.partition('@')[2]}"


def test_who_is_no_superuser_is_told_what_stays_open(mine, tmp_path, quick):
    said = quick("init", tmp_path / "s", "--database", mine, "--roles").stderr
    assert "Only a superuser can forbid large objects" in said
    study = Study(tmp_path / "s")
    require_owner(study.engine, "x")
    assert make_roles(study.engine).left_open, "twice is once"
    study.engine.dispose()


def test_a_study_moves_to_a_team_s_database(core, mine, quick):
    core.engine.dispose()
    said = quick("move", "--to", mine, "--roles", cwd=core.root).stderr
    assert "_reader TO alice" in said and "large objects" in said
    study = Study(core.root)
    with reading(study.engine) as connection:
        ((owner, n),) = tuples(
            connection, "SELECT tableowner, count(*) FROM pg_tables WHERE schemaname = 'public' GROUP BY 1"
        )
    assert owner.endswith("_owner") and n > 80 and tiny.due(study, tiny.CORE) == {}
    study.engine.dispose()


def test_who_may_not_make_roles_makes_no_study(mine, postgresql, tmp_path, quick):
    user = mine.split("//")[1].partition("@")[0]
    with psycopg.connect(postgresql, autocommit=True) as raw:
        raw.execute(f"ALTER ROLE {user} NOCREATEROLE")
    said = quick("init", tmp_path / "s", "--database", mine, "--roles", code=6).stderr
    assert f"user {user} may not make roles. ALTER ROLE {user} CREATEROLE" in said
    assert not (tmp_path / "s" / "study.toml").exists()


def test_a_role_of_that_name_that_may_log_in_is_anothers(mine, postgresql):
    name = postgresql.partition("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(postgresql, autocommit=True) as raw:
        raw.execute(f"CREATE ROLE {name}_reader LOGIN")
    with pytest.raises(InvalidInput, match=f"role {name}_reader: a role of this name is there"):
        make_roles(create(mine))


def test_sqlite_has_no_roles(empty_study, tmp_path, quick):
    assert "SQLite has no roles" in quick("init", tmp_path / "s", "--roles", code=7).stderr
    require_owner(empty_study.engine, "x")
    require_writer(empty_study.engine, "x")


def test_a_name_without_room_is_refused():
    assert roles_of("brca") == ("brca_owner", "brca_writer", "brca_reader")
    with pytest.raises(InvalidInput, match="longer than 63 bytes"):
        roles_of("b" * 57)
