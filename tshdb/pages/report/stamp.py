"""What a stamp says of a report: when and by what it was made, what in it is stale, and what a rebuild would take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tshdb.text.durations import seconds


class Stale(NamedTuple):
    """What of one analysis is due. n: for certain; n_possible: if an input comes out otherwise; causes: in words."""

    analysis: str
    n: int
    n_possible: int
    n_gone: int
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Stamp:
    """The stamp of one report.

    at       UTC, ISO 8601, to the second
    command  as it was given, without names of patients
    version  of tshdb; others: those that made results which stand
    stale    by analysis, in the order of the rebuild; seconds: what a rebuild takes, low and high; None where nothing is
             due, or it is not known; n_unknown: units whose time is not known
    flagged  fits whose data was corrected since, in words: they stand until they are asked for again
    """

    at: str
    command: str
    version: str
    others: tuple[str, ...]
    stale: tuple[Stale, ...]
    seconds: tuple[float, float] | None
    n_unknown: int
    flagged: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        return not self.stale

    @property
    def words(self) -> str:
        """What is stale and what it takes, in one sentence."""
        if self.is_current:
            return "All results are current."
        n = sum(s.n for s in self.stale)
        possible = sum(s.n_possible for s in self.stale)
        said = [f"{n:,} {'result is' if n == 1 else 'results are'} stale"] if n else []
        said += [
            f"{possible:,} more may be"
            if n
            else f"{possible:,} {'result' if possible == 1 else 'results'} may be stale"
        ] * bool(possible)
        if gone := sum(s.n_gone for s in self.stale):
            said.append(f"{gone:,} {'rests' if gone == 1 else 'rest'} on what is not there any more")
        return f"{', '.join(said)}. {self.cost}"

    @property
    def cost(self) -> str:
        """What a rebuild takes, in words."""
        unknown = f"{self.n_unknown:,} {'result' if self.n_unknown == 1 else 'results'} whose time is not known"
        if self.seconds is None:
            return f"A rebuild would compute {unknown}." if self.n_unknown else "A rebuild takes a moment."
        return f"A rebuild takes {seconds(*self.seconds)}{f', and {unknown}' if self.n_unknown else ''}."
