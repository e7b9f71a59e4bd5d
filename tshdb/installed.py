"""What is installed beside the core: analyses, readers, presets, figures. Found by entry points, so that the core imports none.

A package offers them in its pyproject.toml:

    [project.entry-points."tshdb.analyses"]
    mine = "my_package:ANALYSES"

The name on the left is the package's own; what stands on the right is a record, or a tuple of them.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from tshdb import loaded
from tshdb.errors import InvalidInput, NotFound
from tshdb.near import did_you_mean
from tshdb.neighbours import refuse_foreign
from tshdb.offered import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from tshdb.archives import Collection
    from tshdb.engine.analysis import Analysis
    from tshdb.offered import Preset, StudyFigure
    from tshdb.readers import Reader
    from tshdb.withdrawal.planning import Redact

OURS = {  # the entry points of our own records, which come first
    "tshdb.analyses": "fan2023", "tshdb.readers": "tshdb", "tshdb.collections": "tshdb", "tshdb.presets": "tshdb",
    "tshdb.figures": "fan2023",
}  # fmt: skip


def analyses(sets: Sequence[str] | None = None) -> tuple[Analysis, ...]:
    """The analyses' records: the paper's in its order, then others' by the name of their entry point.

    sets: names of entry points; None: all that are installed. Raises NotFound for one that is not.
    """
    offers = _analyses()
    for name in sets or ():
        if name not in offers:
            raise NotFound(
                f"no set of analyses '{name}' is installed", where="study.toml: [study] analyses",
                repair=did_you_mean(name, offers, f"Install its package. Here are: {', '.join(offers)}"),
            )  # fmt: skip
    return tuple(record for name, records in offers.items() if sets is None or name in sets for record in records)


def set_of(analysis: str) -> str | None:
    """The set, by the name of its entry point, that an installed analysis is of; None for one that is not installed."""
    return next((name for name, records in _analyses().items() if any(r.name == analysis for r in records)), None)


def has_set(name: str) -> bool:
    """Whether a set of analyses is installed, by the name of its entry point."""
    return name in _analyses()


@cache
def _analyses() -> dict[str, tuple[Analysis, ...]]:
    """Entry point -> records, ours first."""
    return _offers("tshdb.analyses")


def origin(analysis: Analysis) -> Origin | None:
    """The package that an analysis comes from; None for one of this program's."""
    return _origins().get(analysis.name)


@cache
def _origins() -> dict[str, Origin]:
    """analysis -> package, of all that are not ours."""
    return _origins_of("tshdb.analyses")


def _origins_of(group: str) -> dict[str, Origin]:
    """name of a record -> package, of all that are not ours."""
    offers = _analyses() if group == "tshdb.analyses" else _offers(group)
    return {
        record.name: Origin(point.dist.name, point.dist.version) if point.dist is not None else Origin(point.module, None)
        for point in _points(group) if point.name != OURS[group]
        for record in offers[point.name]
    }  # fmt: skip


@cache
def readers() -> tuple[Reader, ...]:
    """The readers' records: ours, then others' by the name of their entry point. Raises InvalidInput for a name twice."""
    all_readers = _records("tshdb.readers")
    twice = [name for name, n in Counter(reader.name for reader in all_readers).items() if n > 1]
    if twice:
        raise InvalidInput(
            f"two readers are called '{twice[0]}'", where="entry points of tshdb.readers",
            repair="Give the newer one another name: sources are known by it",
        )  # fmt: skip
    return all_readers


def reader_origin(reader: Reader) -> Origin | None:
    """The package that a reader comes from; None for one of this program's."""
    return _origins_of("tshdb.readers").get(reader.name)


def reader(name: str) -> Reader:
    """The reader of that name. Raises NotFound where none is installed."""
    match = next((each for each in readers() if each.name == name), None)
    if match is None:
        raise no_reader(name)
    return match


def no_reader(name: str) -> NotFound:
    """The error of a name that no reader of rows has."""
    known = ", ".join(each.name for each in readers() if each.precedence is not None)
    return NotFound(
        f"no reader '{name}' is installed", where="entry points of tshdb.readers",
        repair=f"Install the package that it came with. Readers: {known}",
    )  # fmt: skip


@cache
def collections() -> tuple[Collection, ...]:
    """The collections that can be had by name: ours, then others' by the name of their entry point."""
    return _records("tshdb.collections")


def collection(name: str) -> Collection:
    """The collection of that name. Raises NotFound."""
    match = next((each for each in collections() if each.name == name), None)
    if match is None:
        known = ", ".join(each.name for each in collections())
        raise NotFound(f"no collection '{name}'", where="collections", repair=f"Collections: {known}")
    return match


@cache
def presets() -> dict[str, Preset]:
    """name -> preset: ours, then others' by the name of their entry point. Raises InvalidInput for a name twice."""
    return _by_name("tshdb.presets", "presets")


@cache
def figures() -> dict[str, StudyFigure]:
    """name -> figure: the paper's in its order, then others'. Raises InvalidInput for a name twice."""
    return _by_name("tshdb.figures", "figures")


def _by_name(group: str, what: str) -> dict[str, Any]:
    records = _records(group)
    twice = [name for name, n in Counter(record.name for record in records).items() if n > 1]
    if twice:
        raise InvalidInput(
            f"two {what} are called '{twice[0]}'",
            where=f"entry points of {group}",
            repair="Give the newer one another name",
        )
    return {record.name: record for record in records}


@cache
def migrations() -> ModuleType:
    """The package that makes a database and brings it to this program's revision."""
    return _part("migrations")


@cache
def redact() -> Redact:
    """The function that writes a source file again without a patient."""
    return _part("redact")


@cache
def few_images() -> Callable[[Path], Mapping[str, Path]]:
    """The function that writes a few simulated patients with images: collection -> folder."""
    return _part("few_images")


def _part(name: str) -> Any:
    """One part of the program that the core does not import."""
    group = "tshdb.parts"
    match = next((point for point in entry_points(group=group) if point.name == name), None)
    if match is None:
        raise _incomplete(f"its {name}", group)
    refuse_foreign()
    return match.load()


def _records(group: str) -> tuple[Any, ...]:
    return tuple(record for records in _offers(group).values() for record in records)


def _offers(group: str) -> dict[str, tuple[Any, ...]]:
    """Entry point -> its records, ours first. Raises InvalidInput for a package that cannot be loaded."""
    refuse_foreign()
    points = sorted(_points(group), key=lambda p: (p.name != OURS.get(group), p.name))
    return {point.name: _loaded(point, group) for point in points}


def _loaded(point: EntryPoint, group: str) -> tuple[Any, ...]:
    if point.name == OURS.get(group):
        return tuple(point.load())
    loaded.watch(point.module.partition(".")[0])  # what is recorded is what ran
    try:
        offered = point.load()
    except Exception as error:  # an import runs any code
        package = point.dist.name if point.dist is not None else point.module
        raise InvalidInput(
            f"it cannot be loaded: {type(error).__name__}: {error}",
            where=f"entry point {point.name} of {group}, of the package {package}",
            repair=f"Mend the package, or take it away: pip uninstall {package}",
        ) from error
    return tuple(offered) if isinstance(offered, list | tuple) else (offered,)


def _points(group: str) -> list[EntryPoint]:
    """The entry points of a group, one a name. Raises InvalidInput where none is there, not even ours."""
    points = {point.name: point for point in entry_points(group=group)}
    if group in OURS and OURS[group] not in points:
        raise _incomplete(f"its own {group.removeprefix('tshdb.')}", group)
    return list(points.values())


def _incomplete(what: str, group: str) -> InvalidInput:
    return InvalidInput(
        f"the installation does not offer {what}",
        where=f"entry points of {group}",
        repair="Install the package again: pip install --force-reinstall --no-deps tshdb, or pip install -e .",
    )
