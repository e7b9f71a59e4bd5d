"""Leases: which run is computing which units. A lease ends by release, by expiry, or when its owner's process is dead.

The clock of another machine may be ahead, and what it writes as the end of a lease may lie a day from now: a lease that nobody
has prolonged for its life by our own clock is over, whatever it says.

The token is the run's number and grows: a late owner finds another token at commit, and its result is thrown away.
While a run lives, a heartbeat prolongs its leases, so that a long batch is not computed twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, delete, select, update

from tshdb.database import reading, texts, upsert, writing
from tshdb.engine.units import select_ids
from tshdb.errors import TshdbError
from tshdb.process import is_alive
from tshdb.schema import Lease

LEASE_SECONDS = 120.0


class Leases:
    """The leases of one run."""

    def __init__(self, engine: Engine, token: int, host: str, process: str):
        self.engine, self.token, self.host, self.process = engine, token, host, process
        self._seen: dict[
            tuple[str, str], tuple[int, float, float]
        ] = {}  # unit -> token and end, since when by our clock

    def take(self, analysis: str, keys: Sequence[str]) -> list[str]:
        """Lease what is free of the keys; gives those."""
        with writing(self.engine) as connection:
            query = select(Lease.key, Lease.token, Lease.host, Lease.process, Lease.expires_at)
            held = {row.key: row for row in connection.execute(query.where(Lease.analysis == analysis))}
            free = [key for key in keys if key not in held or self._is_free(analysis, held[key])]
            lease = {
                "analysis": analysis,
                "token": self.token,
                "host": self.host,
                "process": self.process,
                "expires_at": time.time() + LEASE_SECONDS,
            }
            upsert(connection, Lease.__table__, [lease | {"key": key} for key in free], ("analysis", "key"))
        return free

    def _is_free(self, analysis: str, lease) -> bool:
        if lease.token == self.token or lease.expires_at < time.time():
            return True
        if lease.host == self.host:
            return not is_alive(lease.process)
        now, says = time.monotonic(), (lease.token, lease.expires_at)
        token, end, since = self._seen.get((analysis, lease.key), (0, 0.0, now))
        if (token, end) != says:
            since = now
        self._seen[analysis, lease.key] = (*says, since)
        return now - since > LEASE_SECONDS

    def holders(self, analysis: str, keys: Sequence[str]) -> str:
        """Who computes these units now, in words; nothing where nobody does."""
        with reading(self.engine) as connection:
            query = select(Lease.key, Lease.token, Lease.host).where(
                Lease.analysis == analysis, Lease.token != self.token
            )
            held = [row for row in connection.execute(query) if row.key in set(keys)]
        runs = sorted({(row.token, row.host) for row in held})
        return ", ".join(f"run {token} on {host or 'a machine without a name'}" for token, host in runs)

    def mine(self, connection: Connection, analysis: str) -> set[str]:
        """The keys of an analysis that this run holds now."""
        query = select(Lease.key).where(Lease.analysis == analysis, Lease.token == self.token)
        return set(connection.execute(query).scalars())

    def release(self, analysis: str, keys: Sequence[str]) -> None:
        if keys:
            with writing(self.engine) as connection:
                self.drop(connection, analysis, keys)

    def drop(self, connection: Connection, analysis: str, keys: Sequence[str]) -> None:
        """Release inside the caller's transaction."""
        with texts(connection, "released_keys", keys) as name:
            connection.execute(
                delete(Lease).where(
                    Lease.analysis == analysis, Lease.token == self.token, Lease.key.in_(select_ids(name))
                )
            )

    def drop_all(self, connection: Connection) -> None:
        connection.execute(delete(Lease).where(Lease.token == self.token))

    @contextmanager
    def kept_alive(self):
        """Prolongs this run's leases four times in their life, until the block ends."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(LEASE_SECONDS / 4):
                try:
                    with writing(self.engine) as connection:
                        connection.execute(
                            update(Lease)
                            .where(Lease.token == self.token)
                            .values(expires_at=time.time() + LEASE_SECONDS)
                        )
                except TshdbError:  # somebody writes for long: the next beat will do
                    continue

        thread = threading.Thread(target=beat, name="lease heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
