"""Long trials, of which the tests run a small part: `python -m soak [PART]... [--seed N] [--minutes M]`, or `make soak`.

A part is a module with `run(folder, seed) -> Iterator[Figure]`; PARTS names them. It draws its trials from the seed, and goes on
as long as there is time (tests/support/in_time.py): its figures say how many trials there were, and of how many.
"""

from __future__ import annotations

from dataclasses import dataclass

PARTS = {  # name -> its part of the time, beside the others'
    "backups": 1,
    "baselines": 1,
    "browser": 2,
    "code": 1,
    "containers": 1,
    "controls": 4,
    "counts": 2,
    "cuts": 2,
    "damaged": 5,
    "damaged_studies": 3,
    "deliveries": 2,
    "dialects": 2,
    "edits": 2,
    "faults": 5,
    "histories": 3,
    "imputation": 1,
    "injected": 3,
    "kills": 5,
    "ladder": 3,
    "libraries": 4,
    "long": 6,
    "lost": 4,
    "motion": 1,
    "mutants": 6,
    "nulls": 2,
    "oath": 3,
    "phantom": 1,
    "processors": 3,
    "resources": 5,
    "stat_mutants": 3,
    "textures": 1,
    "traced": 3,
    "truth": 3,
    "variants": 3,
    "verified": 2,
    "wheels": 3,
    "withdrawals": 3,
}


@dataclass(frozen=True)
class Figure:
    """One line of what a part found. is_met: whether the goal is; None where there is none."""

    what: str
    value: str
    goal: str = ""
    is_met: bool | None = None
