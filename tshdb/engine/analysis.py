"""What an analysis is: a pure function, with a record of what it needs, what it makes and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tshdb.config import Parameters
from tshdb.engine.declaration import judge
from tshdb.engine.needs import (
    KEY_COLUMNS,
    Chosen,
    Input,
    Kind,
    Learns,
    Made,
    Model,
    Named,
    Need,
    Reference,
    Relation,
    Trained,
)
from tshdb.engine.outside.record import Program

if TYPE_CHECKING:
    from tshdb.schema import UnitPayload

__all__ = [
    "KEY_COLUMNS",
    "Analysis",
    "Chosen",
    "Input",
    "Kind",
    "Learns",
    "Made",
    "Model",
    "Named",
    "Need",
    "Reference",
    "Relation",
    "Trained",
    "analysis",
]


@dataclass(frozen=True)
class Analysis:
    """The record, judged when it is made (`declaration`). Calling it calls the function."""

    name: str
    kind: Kind
    per: str
    needs: dict[str, Input]
    makes: type[UnitPayload]
    params: type[Parameters]
    function: Callable
    source: str
    cohorts: str | tuple[str, ...] | None = None
    identity: str | None = None
    libraries: tuple[str, ...] = ()
    strict_libraries: tuple[str, ...] = ()
    tracks: tuple[str, ...] = ()
    batch: int = 256
    base: str | None = None
    asked_by: str | None = None
    replaces: str | None = None
    same_as: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    program: Program | None = None
    learns: tuple[Learns, ...] | None = None
    tests: tuple[str, ...] | None = None
    spared: tuple[str, tuple[str, ...]] | None = None

    def __post_init__(self):
        judge(self)

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    @property
    def key_column(self) -> str:
        return KEY_COLUMNS[self.per]

    @property
    def over_cohort(self) -> bool:
        return self.per == "cohort"

    @property
    def key_field(self) -> str | None:
        """The parameter that says which units there are; the function is not given it, since it does not say how one is made."""
        return self.cohorts if isinstance(self.cohorts, str) else None

    def cohorts_of(self, params: Parameters) -> tuple[str, ...]:
        """The names of the cohorts of a fit or a summary."""
        named = getattr(params, self.cohorts) if isinstance(self.cohorts, str) else self.cohorts or ()
        return (named,) if isinstance(named, str) else tuple(named)

    def is_asked(self, params: Parameters) -> bool:
        """Whether there are units of it: not, while the parameter that asks for it is empty."""
        return self.asked_by is None or bool(getattr(params, self.asked_by))

    def given(self, params: Parameters) -> Parameters:
        """The parameters as the function is given them: without the one that chooses cohorts, which is no attribute of them."""
        if self.key_field is None:
            return params
        copy = params.model_copy()
        del copy.__dict__[self.key_field]
        return copy


def analysis(
    *,
    kind: str,
    per: str,
    needs: dict[str, Input],
    makes: type[UnitPayload],
    params: type[Parameters],
    source: str,
    **options,
) -> Callable[[Callable], Analysis]:
    """Make a function an analysis. See `Analysis` for the options; `source` is the DOI and section it follows.

    cohorts: for fit and summary, the field of the parameters that names the cohorts (a str, or a tuple of str), or a
        fixed tuple of names; the function is not given that field.
    identity: for fit, the name of what stands in for a model while no cohort is frozen.
    libraries: packages whose versions are recorded.
    strict_libraries: packages whose versions make units stale.
    tracks: columns whose changes are remembered (`result_changes`).
    batch: keys in one call.
    replaces: the analysis in whose place this one can stand, since it makes the same table; it does where study.toml says so.
    base: a table of study.toml that several analyses share, each taking the settings that it has.
    asked_by: the field of the parameters, a tuple, by which a study asks for it: while it is empty there are no units.
    same_as: fingerprint of the code as it is now -> former fingerprints, oldest first, whose results are the same: they
        stay current, and `why` says so. A change later has another fingerprint, and is seen.
    learns: for fit, what it learns from its training patients (`Learns`); () where the row of a patient is by models that had
        not seen her, or where nothing is learned; without it, it is taken to look at all that it needs.
    tests: roles of the outcome that it tests or measures by; without it, all that it needs.
    spared: (column, its values) of rows that use no groups, and nothing that a fit chose by the outcome, though others of the
        result do.
    program: the command that computes it in the place of the function; see `tshdb.engine.program`.
    """

    def make(function: Callable) -> Analysis:
        return Analysis(
            name=function.__name__,
            kind=Kind(kind) if kind in tuple(Kind) else kind,  # type: ignore[arg-type] # `judge` refuses another word
            per=per,
            needs=needs,
            makes=makes,
            params=params,
            function=function,
            source=source,
            **options,
        )

    return make
