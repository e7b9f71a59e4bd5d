"""What a plan says: for every analysis the units that are due, each with its reason, and how keys relate to inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from tshdb.engine.analysis import Analysis
from tshdb.engine.standing import UnitRow


class Reason(StrEnum):
    """Why a unit is due."""

    NEW = "new"
    CODE = "code"
    PARAMS = "params"
    INPUT = "input"
    MEMBER = "member"
    FAILED = "failed"
    REFIT = "refit"
    GONE = "gone"
    LOST = "lost"
    EDITED = "edited"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Due:
    """One unit to compute. possible: only because an input is due, which may turn out to be unchanged."""

    key: str
    reason: Reason
    detail: str
    is_possible: bool = False


class Change(NamedTuple):
    """One input of a unit that is not what the unit saw. what: changed, is gone, is failed, joined, left, replaced."""

    role: str
    producer: str
    input_key: str
    what: str
    input_id: int | None = None  # the input's unit, where there is one

    def __str__(self) -> str:
        name = f"{self.producer}/{self.input_key}"
        texts = {
            "joined": f"{name} joined as {self.role}",
            "left": f"{name} left {self.role}",
            "replaced": f"{name} replaced an older {self.role}",
        }
        return texts.get(self.what, f"{name} {self.what}")


class Same(Mapping[str, tuple[str]]):
    """Keys whose one input has the same key."""

    def __init__(self, keys: Collection[str]):
        self.of = keys

    def __getitem__(self, key: str) -> tuple[str]:
        if key in self.of:
            return (key,)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self.of)

    def __len__(self) -> int:
        return len(self.of)


class Shared(Same):
    """Keys that all have the same one input."""

    def __init__(self, keys: Collection[str], input_key: str):
        super().__init__(keys)
        self.input_key = input_key

    def __getitem__(self, key: str) -> tuple[str]:
        if key in self.of:
            return (self.input_key,)
        raise KeyError(key)


@dataclass
class AnalysisPlan:
    """What is to be done for one analysis."""

    analysis: Analysis
    due: dict[str, Due] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    kept: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)  # key -> (role, old input, new input)
    blocked: dict[str, str] = field(default_factory=dict)
    flagged: dict[str, tuple[int, int]] = field(default_factory=dict)  # fit -> (members corrected, members)
    held: dict[str, Due] = field(
        default_factory=dict
    )  # damaged, or of damaged inputs, and not to be made again as it was
    inputs: dict[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)  # role -> key -> input keys
    changes: dict[str, list[Change]] = field(default_factory=dict)  # key -> inputs that are not what it has seen
    made_otherwise: dict[str, int | None] = field(default_factory=dict)  # key -> its spec, which is not the current one
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)  # cohort key -> patients
    desired: set[str] = field(default_factory=set)
    present: dict[str, UnitRow] = field(default_factory=dict)  # of the keys that are due, the units as they stand

    def done(self) -> AnalysisPlan:
        """The plan of an analysis in which everything has been done."""
        return replace(self, due={}, gone={}, kept={}, present={}, changes={}, made_otherwise={})

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to compute, retire or repoint."""
        return not (self.due or self.gone or self.kept or self.blocked.keys() & self.desired)
