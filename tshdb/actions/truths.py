"""External truths of a study: listed, checked, added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb.errors import InvalidInput
from tshdb.truths.declared import FILE, append_entry, chosen_truths, declared_of, declared_truths, refuse_taken
from tshdb.truths.judging import Judged, judge, judged

if TYPE_CHECKING:
    from pathlib import Path

    from tshdb.study import Study


class Added(NamedTuple):
    """A truth that was written. path: the file that it stands in now."""

    path: Path
    judged: Judged


def truths(study: Study) -> list[dict[str, Any]]:
    """The truths of a study as plain values, in the order of truths.toml; nothing is read but that file. Raises InvalidInput."""
    return [
        {
            "truth": one.name, "relation": one.truth.relation, "per": one.truth.per, "derived": one.truth.derived.shown,
            "measured": one.truth.measured.shown, "at_least": one.truth.at_least, "about": one.truth.about,
        }
        for one in declared_truths(study.root)
    ]  # fmt: skip


def check_truths(study: Study, *names: str) -> list[Judged]:
    """The verdicts of these truths (none: all). Raises NotFound for an unknown name, and InvalidInput for a file that is none."""
    return [judge(study, one) for one in chosen_truths(study.root, names)]


def add_truth(study: Study, name: str, values: dict[str, Any]) -> Added:
    """Write a truth into truths.toml, once both sides could be read and share somebody.

    values: as the entry has them, with `derived` and `measured`. Raises UsageError for a name that is taken, NotFound or
    InvalidInput for what cannot be read; nothing is written then.
    """
    refuse_taken(study.root, name)
    declared = declared_of(name, values, study.root / FILE, 1)
    found = judged(study, declared)
    if found.figure is None or not found.figure.n:
        raise InvalidInput(
            f"the sides share no {declared.truth.per}: {found.derived_only:,} derived, {found.measured_only:,} measured",
            where=declared.where, repair=f"Are the names the same? derived {declared.truth.derived.shown}, "
            f"measured {declared.truth.measured.shown}; a map rewrites names (docs/maps.md)",
        )  # fmt: skip
    return Added(append_entry(study.root, name, values), found)
