"""One measurement: what an analysis took in one run, and the sizes on which that may depend.

Whoever asks for more permutations, folds or trees pays for them. Which parameters are such is declared nowhere: of all,
the whole numbers and the lengths of lists are kept, and where one is another now, the cost lies between what it was and
as many times as much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MORE_THAN_LINEAR = 1.5  # the power of a unit's number of inputs that its cost may reach
KEPT = 6  # measurements of one analysis
FEW = 10  # a run of so many times fewer units than another tells little: what is fixed outweighs
UNLIKE = 3.0  # how many times dearer or cheaper another text, fraction or switch among the parameters may make a unit


@dataclass(frozen=True)
class Sizes:
    """What the cost of a unit may depend on.

    n_inputs: of one unit, None where not known.
    numbers: of the parameters.
    rest: the other parameters, None where not known.
    """

    n_inputs: float | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)
    rest: str | None = None

    def distance(self, other: Sizes) -> float:
        """How unlike two are: 0 for the same, about 1 more for each number that is e times the other's.

        Infinite where something is done now that was not done at all: what it costs cannot be told.
        """
        if any(n < 1 <= other.numbers.get(k, 0) for k, n in self.numbers.items()):
            return math.inf
        apart = [abs(math.log((other.numbers[k] + 1) / (n + 1))) for k, n in self.numbers.items() if k in other.numbers]
        if self.n_inputs and other.n_inputs:
            apart.append(abs(math.log(other.n_inputs / self.n_inputs)))
        return sum(apart) + float(self._is_unlike(other))

    def dearer(self, other: Sizes) -> tuple[float, float]:
        """(least, most): how many times as much as a unit of these sizes one of the others may cost."""
        factors = [max(other.numbers[k], 1) / max(n, 1) for k, n in self.numbers.items() if k in other.numbers]
        if self.n_inputs and other.n_inputs:
            factors.append((other.n_inputs / self.n_inputs) ** MORE_THAN_LINEAR)
        unlike = UNLIKE if self._is_unlike(other) else 1.0
        return math.prod(min(1.0, f) for f in factors) / unlike, math.prod(max(1.0, f) for f in factors) * unlike

    def _is_unlike(self, other: Sizes) -> bool:
        return self.rest is not None and other.rest is not None and self.rest != other.rest


@dataclass(frozen=True)
class Took:
    """n_units took so many elapsed seconds with n_workers.

    computing: seconds of one unit's computation alone, None where not known; run_id: of the study's own runs.
    """

    n_units: float
    seconds: float
    n_workers: int = 1
    sizes: Sizes = Sizes()
    computing: float | None = None
    run_id: int | None = None


def telling(took: Iterable[Took]) -> tuple[Took, ...]:
    """Of measurements of one analysis, oldest first, the newest; none of far fewer units than the largest."""
    took = tuple(took)
    largest = max((t.n_units for t in took), default=0)
    return tuple(t for t in took if t.n_units * FEW > largest)[-KEPT:]


def sizes_of(parameters: Mapping[str, Any], key_field: str | None, n_inputs: float | None = None) -> Sizes:
    """The sizes of a unit. parameters: as JSON has them; key_field: the one that says which units there are, and no more."""
    counted = {k: v for k, v in sorted(parameters.items()) if k != key_field}
    whole = {k: v for k, v in counted.items() if isinstance(v, int) and not isinstance(v, bool)}
    lengths = {k: len(v) for k, v in counted.items() if isinstance(v, list)}
    return Sizes(n_inputs, whole | lengths, str({k: v for k, v in counted.items() if k not in whole}))
