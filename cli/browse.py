"""tshdb browse: the study in a browser, by Datasette on a read-only snapshot."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import out_exact, say
from cli.options import StudyOption
from tshdb.database_copies import copy_database
from tshdb.files import temporary_folder

if TYPE_CHECKING:
    from tshdb.study import Study

HIDDEN = ("alembic_version", "leases")


def add_to(app: typer.Typer) -> None:
    app.command()(browse)


def browse(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on this machine; 0: any that is free.")] = 8001,
    study: StudyOption = None,
) -> None:
    """Look through all tables in a browser: filter, sort, follow keys, ask in SQL; with what every column means.

    It shows a snapshot of now, read only, to this machine alone; end it with Ctrl-C, and the snapshot is gone.
    Needs the extra: pip install 'tshdb[browse]'.

    Example: tshdb browse --port 8001
    """
    from tshdb.errors import NotFound, ResourceError, UsageError
    from tshdb.local_server import address_of, bound, new_token
    from tshdb.study import Study

    opened = Study.find(study)
    if find_spec("datasette") is None:
        raise NotFound("Datasette is not installed", where="browse", repair="Run: pip install 'tshdb[browse]'")
    if opened.sqlite_path is None:
        raise UsageError(
            "the study lies on a PostgreSQL server", where="browse", repair="Use a PostgreSQL browser there"
        )
    server, token = bound(port), new_token()
    with temporary_folder("tshdb-browse-") as folder:
        snapshot = folder / "study.db"
        _copy(opened, snapshot)
        asked = {"socket": server.fileno(), "snapshot": str(snapshot), "metadata": described(opened), "token": token}
        process = subprocess.Popen(
            [sys.executable, "-m", "tshdb.browsing"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, pass_fds=(server.fileno(),),
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
        out_exact(address_of(server, token))
        server.close()
        say("A snapshot of now, to this machine and to who has this address alone. End with Ctrl-C.")
        try:
            if process.wait():
                raise ResourceError("the server ended", where=f"port {port}", repair="Run the same command again")
        finally:
            process.terminate()
            process.wait()


def _copy(study: Study, target: Path) -> None:
    """One state of the database, as a file of its own."""
    study.engine.dispose()  # the revision was checked
    assert study.sqlite_path is not None
    copy_database(study.sqlite_path, target)


def described(study: Study) -> dict[str, Any]:
    """Datasette's metadata: what one row of every table is, and what its columns mean."""
    from cli.schema import described as tables

    entries: dict[str, Any] = {name: {"hidden": True} for name in HIDDEN}
    for entry in tables():
        if entry["table"] in HIDDEN or not entry["columns"]:
            continue
        meanings = {c["name"]: c["meaning"] for c in entry["columns"] if c["meaning"]}
        entries[entry["table"]] = {"description": f"One row is {entry['one_row']}", "columns": meanings}
    return {
        "title": f"Study {study.name}",
        "description": "A read-only snapshot. Expression values lie beside the database: tshdb sql has them.",
        "databases": {"study": {"tables": entries}},
    }
