"""Locks and leases where a process cannot be told by its number alone, and a clock that jumps."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from sqlalchemy import insert, select

from tests.support.program import ROOT
from tshdb.database import reading, writing
from tshdb.engine.leases import Leases
from tshdb.lock import study_lock
from tshdb.process import identity, machine
from tshdb.schema import Lease

ELSEWHERE = "import json; from tshdb.process import identity, machine; print(json.dumps([machine(), identity()]))"


@pytest.fixture(scope="module")
def other_container() -> list[str]:
    """Machine and identity of a process with another numbering of processes, on a host of the same name."""
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--mount-proc",
        sys.executable,
        "-c",
        ELSEWHERE,
    ]
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not here")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no numbering of processes of its own: {done.stderr.strip()}")
    return json.loads(done.stdout)


def test_a_process_of_another_container_is_not_taken_for_one_of_ours(core, other_container):
    """It has a number that nobody has here: its lease would be that of a dead one, and both would take each other's work."""
    there, process = other_container
    assert there != machine() and process.startswith("1:")
    lease = {"analysis": "cutoff", "key": "x", "token": 77, "host": there, "process": process}
    with writing(core.engine) as connection:
        connection.execute(insert(Lease).values(lease | {"expires_at": time.time() + 60}))
    ours = Leases(core.engine, 78, machine(), identity())
    assert ours.take("cutoff", ["x", "y"]) == ["y"]
    with reading(core.engine) as connection:
        assert connection.execute(select(Lease.token).where(Lease.key == "x")).scalar_one() == 77


def test_a_lock_file_that_somebody_left_holds_nobody_up(core):
    lock = core.root / ".tshdb.lock"
    lock.write_text("12345 on a machine that is gone\n")
    lock.chmod(0o444)
    with study_lock(core.engine, core.root, wait_seconds=0.1):
        pass
