"""Leases: which run is computing which units. A lease ends by release, by expiry, or when its owner's process is dead.

The token is the run's number and grows: a late owner finds another token at commit, and its result is thrown away.
While a run lives, a heartbeat prolongs its leases, so that a long batch is not computed twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, delete, select, update

from tshdb.database import texts, upsert, writing
from tshdb.engine.units import select_ids
from tshdb.errors import TshdbError
from tshdb.process import is_alive
from tshdb.schema import Lease

LEASE_SECONDS = 120.0


class Leases:
    """The leases of one run."""

    def __init__(self, engine: Engine, token: int, host: str, process: str):
        self.engine, self.token, self.host, self.process = engine, token, host, process

    def take(self, analysis: str, keys: Sequence[str]) -> list[str]:
        """Lease what is free of the keys; gives those."""
        with writing(self.engine) as connection:
            query = select(Lease.key, Lease.token, Lease.host, Lease.process, Lease.expires_at)
            held = {row.key: row for row in connection.execute(query.where(Lease.analysis == analysis))}
            free = [key for key in keys if key not in held or self._is_free(held[key])]
            lease = {
                "analysis": analysis,
                "token": self.token,
                "host": self.host,
                "process": self.process,
                "expires_at": time.time() + LEASE_SECONDS,
            }
            upsert(connection, Lease.__table__, [lease | {"key": key} for key in free], ("analysis", "key"))
        return free

    def _is_free(self, lease) -> bool:
        if lease.token == self.token or lease.expires_at < time.time():
            return True
        return lease.host == self.host and not is_alive(lease.process)

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
