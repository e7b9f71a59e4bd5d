"""Compute what is due."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tshdb.database import reading
from tshdb.engine.costs.clock import Clock
from tshdb.engine.executor import executor_for
from tshdb.engine.named import refuse_what_nobody_has
from tshdb.engine.rebuild import Progress, Rebuild
from tshdb.guests.listing import listing_of
from tshdb.optimism import note_labels
from tshdb.roles import require_writer

if TYPE_CHECKING:
    from tshdb.engine.report import Report
    from tshdb.study import Study


@dataclass(frozen=True)
class RebuildOptions:
    """What is computed, and where.

    names: analyses, with all that they rest on (none: all).
    n_workers: processes.
    dask: address of a Dask scheduler.
    refit: also refit fits whose members' data was corrected.
    """

    names: Sequence[str] = ()
    n_workers: int = 1
    refit: bool = False
    dask: str | None = None


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did, and the seconds that it took."""

    report: Report
    seconds: float
    listing: Mapping[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb rebuild --json` prints them."""
        return {"seconds": self.seconds, **self.report.__dict__, **self.listing}

    @property
    def n_computed(self) -> int:
        return sum(self.report.computed.values())

    def _repr_html_(self) -> str:
        import pandas as pd

        columns = {"computed": self.report.computed, "unchanged": self.report.unchanged, "retired": self.report.retired}
        columns["failed"] = {name: len(failures) for name, failures in self.report.failed.items()}
        counts = pd.DataFrame(columns).fillna(0).astype(int)
        return f"<p>{self.n_computed:,} units computed in {self.seconds:.1f} s.</p>{counts.to_html()}"


def rebuild(
    study: Study,
    options: RebuildOptions | None = None,
    progress: Progress = lambda *_: None,
    started: float | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Rebuilt:
    """Compute all that is due, and only that. What is done when it is interrupted stays; the next rebuild goes on.

    say: takes a line in words while it runs, such as whom it waits for.
    started: of the process (time.perf_counter), where a rebuild is all that it does: then its imports count as its time.
    Failures of units are in the report. Raises NotFound for an analysis that there is not.
    """
    options = options or RebuildOptions()
    require_writer(study.engine, "tshdb rebuild")
    began = time.perf_counter() if started is None else started
    listing = listing_of(study)
    with reading(study.engine) as connection:
        refuse_what_nobody_has(connection, listing.analyses, listing.world(study.settings))
    executor = executor_for(options.n_workers, options.dask, study.objects.root, listing.analyses)
    run = Rebuild(
        study,
        listing.analyses,
        names=options.names,
        refit=options.refit,
        progress=progress,
        say=say,
        executor=executor,
        clock=Clock(started),
        absent=listing.absent_tables,
        untrusted=listing.untrusted,
        origin_of=listing.origin,
    )
    report = run.run(f"tshdb rebuild {' '.join(options.names)}".strip())
    note_labels(study)
    return Rebuilt(report, time.perf_counter() - began, listing.facts(run.world))
