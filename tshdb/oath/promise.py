"""What an oath found: promise by promise, whether it holds, and what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Promise:
    """One promise. holds: None where it could not be tried, or was not; says: what was found, in words; seen: each of it."""

    name: str
    holds: bool | None
    says: str
    seen: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        return {True: "yes", False: "NO", None: "-"}[self.holds]


@dataclass(frozen=True)
class Sworn:
    """The oath of one analysis. origin: the package that it is of; made_of: the data that was made for it, in words."""

    analysis: str
    origin: str
    made_of: str
    promises: tuple[Promise, ...]
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether no promise is broken."""
        return all(promise.holds is not False for promise in self.promises)

    @property
    def broken(self) -> list[str]:
        return [promise.name for promise in self.promises if promise.holds is False]

    def promise(self, name: str) -> Promise:
        """The promise of that name. Raises KeyError."""
        return {promise.name: promise for promise in self.promises}[name]

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb check analysis --json` prints them."""
        return {
            "analysis": self.analysis,
            "origin": self.origin,
            "made_of": self.made_of,
            "holds": self.holds,
            "promises": [
                {"name": p.name, "holds": p.holds, "says": p.says, "seen": list(p.seen)} for p in self.promises
            ],
            "seconds": self.seconds,
        }

    def _repr_html_(self) -> str:
        import pandas as pd

        rows = [(p.mark, p.name, p.says) for p in self.promises]
        return pd.DataFrame(rows, columns=["holds", "promise", "found"]).to_html(index=False)
