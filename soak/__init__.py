"""Long trials, of which the tests run a small part: `python -m soak [PART] --seed N`, or `make soak PART=lost`.

A part is a module with `run(folder, seed) -> Iterator[Figure]`; PARTS names them.
"""

from __future__ import annotations

from dataclasses import dataclass

PARTS = (
    "backups",
    "baselines",
    "code",
    "containers",
    "controls",
    "cuts",
    "deliveries",
    "dialects",
    "edits",
    "histories",
    "imputation",
    "kills",
    "ladder",
    "long",
    "lost",
    "motion",
    "mutants",
    "nulls",
    "oath",
    "phantom",
    "stat_mutants",
    "textures",
    "truth",
    "variants",
    "verified",
    "wheels",
    "withdrawals",
)


@dataclass(frozen=True)
class Figure:
    """One line of what a part found. is_met: whether the goal is; None where there is none."""

    what: str
    value: str
    goal: str = ""
    is_met: bool | None = None
