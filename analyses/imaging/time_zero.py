"""When contrast agent was given, in seconds after the start of phase 0: helpers without a database.

Said by, the first that says it
    decision        a person's, of this examination: series `contrast`, injection=SECONDS (after the start of phase 0)
    header          Contrast/Bolus Start Time (0018,1042), the start of injection (DICOM PS3.3, C.7.6.4), of the dynamic series
    injection_s     of [kinetics]: the protocol's, for all examinations
Where none does, the first phase after contrast stands for it, and the row says so: the scanner starts it when the agent has
been given, and how long before is not known.

What cannot be (before phase 0, which is without contrast, or not before the last phase) is not used, and flagged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyses.imaging.phase_split import DAY_S, TIME_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

CONTRAST, INJECTION = "contrast", "injection="  # of a decision: its series, and how it begins
FIRST = "first phase after contrast"


class Zero(NamedTuple):
    """From where time to peak counts. seconds: after the start of phase 0; None where no clock tells the phases' times."""

    seconds: float | None
    said_by: str | None
    flags: tuple[str, ...]

    @property
    def is_injection(self) -> bool:
        return self.said_by is not None and self.said_by != FIRST


def time_zero(
    starts: Sequence[float] | None,
    clock: str | None,
    first: pd.DataFrame,
    series: pd.DataFrame,
    decisions: pd.DataFrame,
    injection_s: float | None,
) -> Zero:
    """When contrast was given to one examination.

    starts: of its phases, seconds after the first, by this clock (`dce_phases.time_key`); first: rows of imaging_instances of
    phase 0; series: rows of imaging_series of the dynamic set; decisions: rows of imaging_decisions; injection_s: the protocol's.
    """
    if starts is None:
        return Zero(None, None, ())
    flags = []
    header, problem = _of_header(clock, first, series)
    for name, seconds in (("decision", _decided(decisions)), ("header", header), ("injection_s", injection_s)):
        if seconds is None:
            if name == "header" and problem:
                flags.append(problem)
        elif 0 <= seconds < starts[-1]:
            return Zero(seconds, f"injection, {name}", tuple(flags))
        else:
            flags.append(
                f"injection at {seconds:.0f} s by the {name} is not used: the phases begin from 0 to {starts[-1]:.0f} s"
            )
    return Zero(starts[1], FIRST, tuple(flags))


def _decided(decisions: pd.DataFrame) -> float | None:
    said = decisions.loc[decisions["series_uid"] == CONTRAST, "decision"]
    return float(said.iloc[0].removeprefix(INJECTION)) if len(said) else None


def _of_header(clock: str | None, first: pd.DataFrame, series: pd.DataFrame) -> tuple[float | None, str | None]:
    """(seconds after the start of phase 0, None), or (None, why what is written is not known as such)."""
    written = sorted({float(s) for s in series["contrast_start_s"].dropna()})
    if not written:
        return None, None
    is_mixed = series["mixed"].fillna("").str.split(",").map(lambda names: "contrast_start_s" in names).any()
    if len(written) > 1 or is_mixed:
        return None, "the headers have several times of injection: none is used"
    if clock not in TIME_KEYS or clock == "trigger_time":
        return None, "the header's time of injection is not used: the phases' clock is not one of the day"
    times = first[TIME_KEYS[clock]].astype(float)
    late = times[times > DAY_S / 2]
    begun = float(late.min() if times.max() - times.min() > DAY_S / 2 else times.min())  # a phase over midnight
    return round((written[0] - begun + DAY_S / 2) % DAY_S - DAY_S / 2, 6), None
