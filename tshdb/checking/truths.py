"""Independent measurements: derived values agree with those that truths.toml names."""

from __future__ import annotations

from collections.abc import Iterator

from tshdb.checking.rule import Context, Problem, rule
from tshdb.errors import TshdbError
from tshdb.truths.declared import FILE


@rule(
    "truth.disagrees", "derived values agree with the measurements that they are held against",
    "See what would explain it: tshdb truth check",
    is_full=True,
)  # fmt: skip
def _disagrees(c: Context) -> Iterator[Problem]:
    try:
        truths = c.truths
    except TshdbError:
        return  # the other rule says so
    for one in truths:
        if one.is_red:
            yield Problem(f"{FILE}: [{one.declared.name}]", f"{one.found}: {one.why}")


@rule(
    "truth.unreadable", "both sides of every truth can be read",
    "Mend the entry in truths.toml, or bring the file back",
    is_full=True, is_warning=True,
)  # fmt: skip
def _unreadable(c: Context) -> Iterator[Problem]:
    try:
        truths = c.truths
    except TshdbError as error:
        yield Problem(error.where, error.message, repair=error.repair)
        return
    for one in truths:
        if one.problem is not None:
            yield Problem(one.problem.where, one.problem.message, repair=one.problem.repair)


RULES = (_disagrees, _unreadable)
