"""A truth from its entry to its verdict: both sides are read, matched, held against the threshold, and explained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tshdb.errors import InvalidInput, TshdbError
from tshdb.truths.agreement import Figure, Limits
from tshdb.truths.declared import SIDES, Declared
from tshdb.truths.explanations import Exchange, exchanges, explanations, opposite
from tshdb.truths.sides import Values, read_side, read_values
from tshdb.truths.verdicts import Pairs, State, figure_of, limits_of, pairs_of, state_of

if TYPE_CHECKING:
    from tshdb.study import Study

SHOWN = 3


@dataclass(frozen=True)
class Judged:
    """What came out of one truth.

    problem: why it cannot be computed; nothing else is known then.
    derived_only, measured_only: with a value on that side, and none on the other.
    missing: side -> (reason, how many) of keys without a value there.
    """

    declared: Declared
    problem: TshdbError | None = None
    state: State = State.UNJUDGED
    why: str = ""
    figure: Figure | None = None
    limits: Limits | None = None
    derived_only: int = 0
    measured_only: int = 0
    missing: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    n_keyless: int = 0
    exchanged: tuple[Exchange, ...] = ()
    explanations: tuple[str, ...] = ()

    @property
    def is_red(self) -> bool:
        return self.state is State.DISAGREES

    @property
    def verdict(self) -> str:
        """The state, with what is behind it."""
        if self.problem is not None:
            return f"cannot be computed: {self.problem}"
        return f"{self.state}: {self.why}" if self.why else str(self.state)

    @property
    def found(self) -> str:
        """The figure with its interval in words."""
        figure = self.figure
        if figure is None or figure.value is None:
            return ""
        if figure.lower is None or figure.upper is None:
            return f"{figure.name} {figure.value:.3f}"
        return f"{figure.name} {figure.value:.3f} ({figure.lower:.3f} to {figure.upper:.3f})"

    @property
    def notes(self) -> list[str]:
        """All else that is worth a line: bias and limits, why values are missing, what would make it agree."""
        lines = []
        if self.limits is not None:
            one = self.limits
            unit = self.declared.truth.measured.unit or self.declared.truth.derived.unit
            of = f" {unit}" if unit else ""
            bias, bias_lower, bias_upper, lower, upper = map(_shown, one)
            lines.append(
                f"derived less measured: {bias}{of} ({bias_lower} to {bias_upper}); "
                f"95 % of differences between {lower} and {upper}{of}"
            )
        for which, reasons in self.missing.items():
            told = [f"{n:,} x {reason}" for reason, n in reasons[:SHOWN]]
            if reasons:
                n = sum(n for _, n in reasons)
                more = ", …" if len(reasons) > SHOWN else ""
                lines.append(f"without a {which} value: {n:,} ({', '.join(told)}{more})")
        if self.n_keyless:
            lines.append(f"{self.n_keyless:,} rows name no {self.declared.truth.per}")
        lines += [f"{e.one} and {e.other} have each other's derived value" for e in self.exchanged]
        return lines + [f"would agree, if: {words}" for words in self.explanations]

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as --json prints them."""
        declared, figure, limits = self.declared, self.figure, self.limits
        return {
            "truth": declared.name, "relation": declared.truth.relation, "per": declared.truth.per,
            "derived": declared.truth.derived.shown, "measured": declared.truth.measured.shown,
            "state": None if self.problem is not None else self.state.value, "why": self.why or None,
            "problem": None if self.problem is None else str(self.problem),
            "n_shared": None if figure is None else figure.n,
            "n_derived_only": self.derived_only, "n_measured_only": self.measured_only,
            "missing": {which: dict(reasons) for which, reasons in self.missing.items()}, "n_keyless": self.n_keyless,
            "figure": None if figure is None else figure.name, "value": None if figure is None else figure.value,
            "ci_lower": None if figure is None else figure.lower, "ci_upper": None if figure is None else figure.upper,
            "at_least": declared.truth.at_least, "limits": None if limits is None else limits._asdict(),
            "exchanged": [list(pair) for pair in self.exchanged], "explanations": list(self.explanations),
        }  # fmt: skip


def _shown(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def judge(study: Study, declared: Declared) -> Judged:
    """The verdict of one truth. What the user can mend becomes its `problem`, so that others are judged all the same."""
    try:
        return judged(study, declared)
    except TshdbError as error:
        return Judged(declared, problem=error)


def judged(study: Study, declared: Declared) -> Judged:
    """As `judge`. Raises NotFound or InvalidInput, in one line, for a side that cannot be read."""
    read = {which: read_side(study, declared, which) for which in SIDES}
    derived, measured = (read[which] for which in SIDES)
    pairs = pairs_of(derived.values, measured.values)
    truth = declared.truth
    if truth.relation == "class":
        _refuse_words(declared, pairs)
    figure = figure_of(truth, pairs)
    state, why = state_of(truth, figure)
    swapped = exchanges(truth, pairs) if figure.n >= truth.least else []
    if swapped:
        names = ", ".join(f"{one} with {other}" for one, other in swapped[:SHOWN])
        state, why = (
            State.DISAGREES,
            f"{2 * len(swapped):,} look exchanged ({names}{' …' if len(swapped) > SHOWN else ''})",
        )
    told: list[str] = []
    if state is not State.AGREES:
        told = explanations(truth, pairs, _read_otherwise(study, declared, read))
    return Judged(
        declared, state=state, why=why, figure=figure, limits=limits_of(truth, pairs),
        derived_only=len(derived.values) - figure.n, measured_only=len(measured.values) - figure.n,
        missing={which: read[which].reasons for which in SIDES}, n_keyless=sum(v.n_keyless for v in read.values()),
        exchanged=tuple(swapped), explanations=tuple(told),
    )  # fmt: skip


def _refuse_words(declared: Declared, pairs: Pairs) -> None:
    """Raises InvalidInput where the words of the sides cannot be held against each other."""
    if not pairs.keys:
        return
    words = {which: sorted(set(getattr(pairs, which))) for which in SIDES}
    shown = ", ".join(map(str, words["measured"][:6]))
    higher = declared.truth.higher
    if higher is None:
        if not set(words["derived"]) & set(words["measured"]):
            raise InvalidInput(
                f"no word in common: derived {', '.join(map(str, words['derived'][:6]))}; measured {shown}",
                where=declared.where, repair='Say which is which: codes = { "1" = "positive" }',
            )  # fmt: skip
    elif higher not in words["measured"]:
        raise InvalidInput(
            f"nobody is '{higher}' (higher); measured {shown}", where=declared.where, repair="Name one of them"
        )
    elif len(words["measured"]) != 2:
        raise InvalidInput(
            f"an AUC is of two classes; measured {shown}", where=declared.where,
            repair="Bring them together by codes, or choose rows by where",
        )  # fmt: skip


def _read_otherwise(study: Study, declared: Declared, read: dict[str, Values]) -> dict[str, Pairs]:
    """Words -> pairs with the other breast on the derived side, where its column or word names one."""
    from tshdb.sqltypes import table_columns

    side = declared.truth.derived
    other = opposite(side, list(table_columns().get(side.table or "", ())))
    if other is None:
        return {}
    try:
        values = read_values(study, declared, other, "derived", declared.where_of("derived"))
    except TshdbError:
        return {}  # there is nothing of the other breast
    words = f"left and right are exchanged: derived is {other.shown}"
    return {words: pairs_of(values.values, read["measured"].values)}
