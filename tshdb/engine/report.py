"""What one run did, per analysis, and what it could not do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Report:
    """What a rebuild did, per analysis."""

    run_id: int = 0
    computed: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    failed: dict[str, dict[str, str]] = field(default_factory=dict)
    retired: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    blocked: dict[str, dict[str, str]] = field(default_factory=dict)
    flagged: dict[str, tuple[int, int]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)  # unit -> what is lost of it, and why it is not made again
    discarded: dict[str, dict[str, int]] = field(default_factory=dict)  # analysis -> why, in words -> units
    left_out: dict[str, str] = field(default_factory=dict)  # worker of a cluster -> why
    edited: list[str] = field(default_factory=list)  # files of what was computed that are not as they were loaded

    @property
    def n_failed(self) -> int:
        return sum(map(len, self.failed.values()))

    @property
    def is_partial(self) -> bool:
        """Whether units failed, or were left due."""
        return bool(self.n_failed or self.discarded)

    def leave(self, analysis: str, reasons: Iterable[str]) -> None:
        """Note units, each by its reason, of which nothing was kept and which this run leaves due."""
        counts = self.discarded.setdefault(analysis, {})
        for reason in reasons:
            counts[reason] = counts.get(reason, 0) + 1

    @property
    def worked_on(self) -> set[str]:
        """The analyses of which something was computed."""
        return {name for name, n in self.computed.items() if n} | {*self.failed, *self.discarded}
