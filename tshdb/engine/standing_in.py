"""[replaces] of study.toml: which analysis stands in the place of which, since both make the same table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from tshdb.errors import InvalidInput
from tshdb.near import did_you_mean

if TYPE_CHECKING:
    from tshdb.config import Settings
    from tshdb.engine.analysis import Analysis

REPLACES = "replaces"  # the table of study.toml


def chosen(
    by_name: Mapping[str, Analysis], settings: Settings, absent: Mapping[str, str], untrusted: Collection[str]
) -> dict[str, str]:
    """Analysis -> the one that stands in its place. Raises InvalidInput for one that cannot.

    absent, untrusted: as a World has them. What is not here keeps the place where its results stand.
    """
    in_place: dict[str, str] = {}
    for name, other in settings.tables.get(REPLACES, {}).items():
        where = f"{settings.where(REPLACES, name)}: [{REPLACES}] {name}"
        if name not in by_name:
            raise InvalidInput(
                f"there is no analysis '{name}'", where=where,
                repair=did_you_mean(name, by_name, f"Analyses: {', '.join(by_name)}"),
            )  # fmt: skip
        can = sorted(a.name for a in by_name.values() if a.replaces == name)
        if other not in by_name and absent.get(other) == by_name[name].makes.__tablename__:
            in_place[name] = str(other)
            continue
        if other not in can:
            here = ", ".join(can) or "none is installed"
            if other not in by_name and untrusted:
                raise InvalidInput(
                    f"found {other!r}, which is not here to stand in the place of {name}", where=where,
                    repair=f"{', '.join(sorted(untrusted))} in analyses/ may not run yet. Read it, then: tshdb trust",
                )  # fmt: skip
            raise InvalidInput(
                f"found {other!r}, which cannot stand in the place of {name}", where=where,
                repair=did_you_mean(str(other), can, f"Those that can: {here}"),
            )  # fmt: skip
        one, two = by_name[name], by_name[other]
        if one.makes is not two.makes or one.per != two.per:
            raise InvalidInput(
                f"{other} makes {two.makes.__tablename__} per {two.per}, and {name} {one.makes.__tablename__} per {one.per}",
                where=where, repair="Only what makes the same table for the same entities can stand in its place",
            )  # fmt: skip
        in_place[name] = str(other)
    return in_place


def stood_down(by_name: Mapping[str, Analysis], in_place: Mapping[str, str]) -> Iterator[str]:
    """What another one stands for; and what could stand for another one and was not chosen."""
    for analysis in by_name.values():
        if analysis.name in in_place or analysis.replaces is not None and analysis.name not in in_place.values():
            yield analysis.name
