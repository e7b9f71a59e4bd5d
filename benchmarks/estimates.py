"""What `tshdb plan` says that a rebuild will take, beside what it took: ten changes of a study, in each of two studies.

Studies  the pairs of examples/ (100 of 110 at first), and a simulated one with images.
Fresh    what an account without any measurement is told: by the shipped figures alone, also in a study that was rebuilt.
After    what is told after the first run, and the later ones, by what this study has measured.

Measured is the wall time of `tshdb rebuild` as a process, interpreter and imports included. The share of a core that it had
stands beside it: on a machine that others use as well, the same rebuild takes two or three times as long.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.common import Measured
from benchmarks.whole_studies import PAIRS, SIGNATURE, WholeStudy, ingest_pairs, pairs_study, simulate, simulated_study
from tshdb.engine.costs import elsewhere
from tshdb.engine.costs.estimate import Range, estimate
from tshdb.engine.costs.own import Own

COUNTS, MORE = "pair=20,tumor=2,radiogenomic=16,ispy1=6,nact=4", "pair=22,tumor=2,radiogenomic=18,ispy1=7,nact=4"
GOAL = 0.9

Change = tuple[str, Callable[[WholeStudy], object], str]  # what, how, options of plan and rebuild


def pairs_changes() -> list[Change]:
    return [
        ("ten patients more", lambda s: ingest_pairs(s, 110), ""),
        ("the cohort frozen again", lambda s: s.tshdb(f"cohort freeze {PAIRS}"), ""),
        ("cut-off by the median", lambda s: s.set(('method = "fixed"', 'method = "median"')), ""),
        ("another seed", lambda s: s.set(("seed = 20230901", "seed = 7")), ""),
        ("a value corrected", lambda s: ingest_pairs(s, 110, {"GNLY": "123.4"}), ""),
        ("its fits refitted", lambda s: None, "--refit"),
        ("another marker table", lambda s: s.set(('markers = "mcp_counter" ', 'markers = "mcp_counter_upstream" ')), ""),
        ("twice the repeats", lambda s: s.set(("repeats = 5", "repeats = 10")), ""),
        ("difference for ratio", lambda s: s.set(('biomarker = "ratio"', 'biomarker = "difference"')), ""),
        ("deaths of three years alone, in Cox models", _censored, ""),
    ]  # fmt: skip


def simulated_changes() -> list[Change]:
    return [
        ("the signature's cohort frozen", lambda s: s.tshdb(f"cohort freeze {SIGNATURE}"), ""),
        ("a band of 15 mm", lambda s: s.set(("width_mm = 20.0", "width_mm = 15.0")), ""),
        ("six patients more", lambda s: simulate(s, MORE), ""),
        ("wider grey levels", lambda s: s.set(("bin_width = 0.05", "bin_width = 0.1")), "--jobs 2"),
        ("cut-off by the median", lambda s: s.set(('method = "fixed"', 'method = "median"')), ""),
        ("another seed", lambda s: s.set(("seed = 20230901", "seed = 7")), ""),
        ("a follow-up corrected", _corrected_follow_up, ""),
        ("twice the generations", lambda s: s.set(("generations = 10\n", "generations = 20\n")), ""),
        ("voxels by B-splines", lambda s: s.set(('interpolator = "linear"', 'interpolator = "bspline"')), ""),
        ("the signature's cohort frozen again", lambda s: s.tshdb(f"cohort freeze {SIGNATURE}"), ""),
    ]  # fmt: skip


def measure(scratch: Path) -> Iterator[Measured]:
    fresh: list[tuple[Range, float]] = []
    after: list[tuple[Range, float]] = []
    for name, study, changes in (
        ("pairs", pairs_study(scratch / "pairs", 100), pairs_changes()),
        ("simulated", simulated_study(scratch / "simulated", COUNTS), simulated_changes()),
    ):
        yield from _compared(f"{name}, the first run", study, "", fresh, None)
        for what, change, options in changes:
            change(study)
            yield from _compared(f"{name}, {what}", study, options, fresh, after)
    for account, pairs in (("a fresh account", fresh), ("after the first run", after)):
        share = sum(low <= seconds <= high for (low, high), seconds in pairs) / len(pairs)
        width = statistics.median(high / low for (low, high), _ in pairs)
        yield Measured(
            f"{account}: share of {len(pairs)} within the range (median high / low {width:.1f})", share, "",
            goal=f"at least {GOAL}", is_met=share >= GOAL,
        )  # fmt: skip


def _compared(what: str, study: WholeStudy, options: str, fresh: list, after: list | None) -> Iterator[Measured]:
    """Plan in both accounts, rebuild, and note (range, seconds)."""
    by_shipped = _fresh(study, options)
    by_own = Range(**study.asked(f"plan {options}")["seconds"])
    ran = study.tshdb(f"rebuild {options}")
    for account, found, pairs in (("fresh", by_shipped, fresh), ("after", by_own, after)):
        if pairs is not None:
            pairs.append((found, ran.seconds))
            is_within = found.low <= ran.seconds <= found.high
            yield Measured(
                f"{what} ({account}: {found.low:.3g} to {found.high:.3g} s{'' if is_within else ', MISSED'}; "
                f"{ran.cpu_seconds / ran.seconds:.0%} of a core)", ran.seconds, "s",
            )  # fmt: skip


def _fresh(study: WholeStudy, options: str) -> Range:
    """What an account is told that knows the shipped figures alone."""
    from analyses import ANALYSES
    from tshdb.database import reading
    from tshdb.engine.planner import Planner
    from tshdb.engine.world import World
    from tshdb.study import Study

    opened = Study(study.root)
    world = World(ANALYSES, opened.settings)
    with reading(opened.engine) as connection:
        plans = Planner(connection, world, refit="--refit" in options).all().values()
        n_workers = 2 if "--jobs 2" in options else 1
        found = estimate(plans, world.parameters, Own(), elsewhere.Elsewhere(), elsewhere.shipped(), n_workers)
    opened.engine.dispose()
    return found.total


def _censored(study: WholeStudy) -> None:
    study.set(("censor_at_days = 3652.5", "censor_at_days = 1095.75"))


def _corrected_follow_up(study: WholeStudy) -> None:
    """One patient of I-SPY 1 was followed for a day longer."""
    from openpyxl import load_workbook

    path = next((study.files / "ispy1").glob("*.xlsx"))
    book = load_workbook(path)
    for column in (4, 5):
        book["outcomes"].cell(2, column).value += 1
    book.save(path)
    study.tshdb(f"ingest ispy1 --from {study.files / 'ispy1'}")
