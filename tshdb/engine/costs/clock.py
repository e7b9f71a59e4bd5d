"""A stopwatch of one run: what each analysis takes from the start of settling it to each commit. Kept in `run_costs`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from tshdb.database import bulk_insert
from tshdb.schema import RunCost

if TYPE_CHECKING:
    from tshdb.engine.compute import Outcome


@dataclass
class Spent:
    """Units that were committed, those that failed among them, their inputs in all, and the elapsed seconds of all of it."""

    n_units: int = 0
    n_failed: int = 0
    n_inputs: int = 0
    seconds: float = 0.0


class Clock:
    """The seconds of one run, by analysis. What was begun and not committed counts for nothing: no unit, no second.

    began: when the program began, by time.perf_counter, where the run is all that it does; else `start` is None.
    """

    def __init__(self, began: float | None = None):
        self.by_analysis: dict[str, Spent] = {}
        self._began = began
        self._name, self._mark = "", 0.0

    def settle(self, analysis: str) -> None:
        """From now on the analysis is being settled."""
        self._name, self._mark = analysis, time.perf_counter()

    def committed(self, outcomes: Sequence[Outcome], inputs: Mapping[str, Sized]) -> None:
        """These units of the analysis are done. inputs: key -> its inputs."""
        now = time.perf_counter()
        if outcomes:
            spent = self.by_analysis.setdefault(self._name, Spent())
            spent.n_units += len(outcomes)
            spent.n_failed += sum(o.message is not None for o in outcomes)
            spent.n_inputs += sum(len(inputs[o.key]) for o in outcomes)
            spent.seconds += now - self._mark
        self._mark = now

    @property
    def start(self) -> float | None:
        """Seconds since the program began that no analysis took: imports, looks at the database."""
        if self._began is None:
            return None
        return time.perf_counter() - self._began - sum(spent.seconds for spent in self.by_analysis.values())

    def write(self, connection: Connection, run_id: int, n_workers: int) -> None:
        """Keep what is done so far. Inside `writing`."""
        rows = [
            {"run_id": run_id, "analysis": name, "n_units": s.n_units, "seconds": s.seconds, "n_workers": n_workers}
            for name, s in self.by_analysis.items()
        ]
        bulk_insert(connection, RunCost.__table__, rows)
