"""Whether a rebuild computes in a study now: what it writes before the rows that name it looks like nobody's."""

from __future__ import annotations

import time

from sqlalchemy import Connection, select

from tshdb.process import is_alive, machine
from tshdb.schema import Lease, Run
from tshdb.vocabulary import RunState


def running(connection: Connection) -> str | None:
    """Why objects and work in progress may be somebody's now, in words; None where no rebuild runs."""
    host = machine()
    for lease in connection.execute(select(Lease.host, Lease.process, Lease.expires_at)):
        if lease.expires_at > time.time() and (lease.host != host or is_alive(lease.process)):
            return f"a rebuild is running on {lease.host}"
    for run in connection.execute(select(Run.run_id, Run.host, Run.process).where(Run.state == RunState.RUNNING)):
        if run.host != host or is_alive(run.process):
            return f"run {run.run_id} is running on {run.host}, or was killed there (then: tshdb check --repair)"
    return None
