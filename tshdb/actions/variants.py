"""Variants of a study: made, looked at, compared, dropped, and taken for the study's own settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from tshdb import variant_places as places
from tshdb.actions.rebuilding import RebuildOptions, Rebuilt
from tshdb.actions.rebuilding import rebuild as compute
from tshdb.config import Settings
from tshdb.database import reading
from tshdb.engine.planner import Planner
from tshdb.engine.units import now
from tshdb.errors import Busy, NotFound, TshdbError
from tshdb.files import complete
from tshdb.guest_tables import object_columns, tables_of
from tshdb.guests.listing import listing_of
from tshdb.lock import study_lock
from tshdb.pages.report import OfVariant
from tshdb.places import SETTINGS_FILE
from tshdb.variants import copies, kept
from tshdb.variants.compared import TableDifference, differences
from tshdb.variants.settings import Set, VariantSettings, joined, nearest, read, refuse_shared, shown, text_of
from tshdb.variants.settings_text import as_toml, with_values
from tshdb.written import written_text

if TYPE_CHECKING:
    from tshdb.study import Study

Progress = Callable[..., None]


class Variant(NamedTuple):
    """A variant as it stands.

    values: what is set, table -> setting -> value; says: the same as study.toml would have it.
    n_own: units that it keeps, by state; n_shared: units of the study that it shows as its own.
    why_without: why it has no results, or None. behind: how far it is behind the study; None where it has no results.
    """

    name: str
    values: Set
    says: list[str]
    n_own: dict[str, int]
    n_shared: int | None
    size_bytes: int
    made_at: str | None
    why_without: str | None
    behind: copies.Behind | None

    @property
    def state(self) -> str:
        """In words: current, behind the study and by how much, or why there are no results."""
        if self.behind is None:
            return f"no results: {self.why_without}"
        return copies.behind_words(self.name, self.behind) if self.behind.is_behind else "current"

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb variants show --json` prints them."""
        behind = self.behind
        return {
            "variant": self.name,
            "set": self.values,
            "own": self.n_own,
            "shared": self.n_shared,
            "bytes": self.size_bytes,
            "made_at": self.made_at,
            "state": self.state,
            "is_behind": None if behind is None else behind.is_behind,
            "due": None if behind is None else behind.n_due,
            "possible": None if behind is None else behind.n_possible,
            "to_retire": None if behind is None else behind.n_gone,
        }


# ----------------------------------------------------------------------------------------------------------- made


def rebuild(
    study: Study,
    name: str,
    more: Set | None = None,
    options: RebuildOptions | None = None,
    progress: Progress = lambda *_: None,
    started: float | None = None,
) -> Rebuilt:
    """Compute all that is due in a variant, and nothing in the study. more: settings that it gets, or gets otherwise.

    What is done when it is interrupted stays. Raises, before anything is written, InvalidInput for a name or settings that cannot
    be, NotFound for a variant that there is not and for which nothing is set; Busy.
    """
    folder = _checked(study, name, more or {})
    with places.held(study.root, name):
        values = joined(read(folder) if (folder / places.SETTINGS).is_file() else {}, more or {})
        if more:
            with complete(folder / places.SETTINGS) as written:
                written.write_text(text_of(name, values), encoding="utf-8")
        with copies.working(study, folder) as copied:
            return compute(copied, options, progress, started)


def _checked(study: Study, name: str, more: Set) -> Path:
    """The folder of a variant, there or not; what is set was read as its analyses read it."""
    copies.require_sqlite(study)
    folder = places.folder_of(study.root, name)
    is_there = (folder / places.SETTINGS).is_file()
    if not is_there and not more:
        raise NotFound(f"no variant '{name}'", repair=nearest(name, places.names_of(study.root)))
    refuse_shared(more, "--set")
    settings = VariantSettings(study.root, joined(read(folder) if is_there else {}, more), "--set")
    listing_of(study).world(settings)
    return folder


# --------------------------------------------------------------------------------------------------------- looked at


def names(study: Study) -> list[str]:
    """The variants of a study by name."""
    return places.names_of(study.root)


def variants(study: Study) -> list[Variant]:
    """All variants of a study, by name. One that cannot be looked at says why."""
    return [_looked_at_or_why(study, name) for name in names(study)]


def _looked_at_or_why(study: Study, name: str) -> Variant:
    try:
        return variant(study, name)
    except TshdbError as error:
        return Variant(name, {}, [], {}, None, 0, None, str(error), None)


def variant(study: Study, name: str) -> Variant:
    """A variant: what is set, what is its own, what it shares, whether it is behind the study. Raises NotFound."""
    folder = copies.folder_of_variant(study, name)
    values = read(folder)
    says, why = shown(values), copies.why_without(folder)
    if why is not None:
        return Variant(name, values, says, {}, None, 0, None, why, None)
    said = kept.info(folder / places.DATABASE)
    with copies.looked_at(study, name) as copied:
        behind = copies.without_others(copied, folder)
    size = (folder / places.DATABASE).stat().st_size
    return Variant(name, values, says, dict(said["states"]), behind.n_shared, size, said["made_at"], None, behind)


@contextmanager
def viewed(study: Study, name: str) -> Iterator[tuple[Study, str]]:
    """The study as a variant has it, with what must be said beside it. Raises NotFound for a variant without results."""
    with copies.viewed(study, name) as (copied, behind):
        yield copied, copies.words(name, copied, behind)


@contextmanager
def reported(study: Study, name: str) -> Iterator[tuple[Study, OfVariant]]:
    """The study as a variant has it, with what its report says at the top. Raises NotFound for a variant without results."""
    with copies.viewed(study, name) as (copied, behind):
        states = kept.info(copies.folder_of_variant(study, name) / places.DATABASE)["states"]
        compared = _compared(("the study", study), (name, copied), [])
        words = copies.words(name, copied, behind)
        yield copied, OfVariant(name, words, sum(states.values()), behind.n_shared, compared.settings, compared.tables)


@contextmanager
def looked_at(study: Study, name: str) -> Iterator[Study]:
    """The study as a variant has it with all that is due: for `plan` and `why`. Raises NotFound."""
    with copies.looked_at(study, name) as copied:
        yield copied


# ---------------------------------------------------------------------------------------------------------- compared


@dataclass(frozen=True)
class Compared:
    """What differs between two sides. settings: [TABLE] setting -> (before, after); notes: what must be said beside it."""

    before: str
    after: str
    settings: dict[str, tuple[str, str]]
    tables: list[TableDifference]
    notes: list[str]

    def facts(self, table: str | None = None) -> dict[str, Any]:
        """Plain values. table: with all rows of this one; else with the key values of all."""
        return {
            "before": self.before,
            "after": self.after,
            "settings": {name: {"before": b, "after": a} for name, (b, a) in self.settings.items()},
            "tables": [
                {
                    "table": t.table,
                    **t.counts,
                    "rows": [
                        {"unit": row.unit, "row": row.row, "is_new": row.before is None, "is_gone": row.after is None,
                         "values": {c: {"before": b, "after": a} for c, b, a in values}}
                        for row, values in t.of_interest(table == t.table)
                    ],
                }
                for t in self.tables
                if table in (None, t.table)
            ],
            "notes": self.notes,
        }  # fmt: skip


def diff(study: Study, name: str, other: str | None = None) -> Compared:
    """What differs from the study to a variant, or from one variant to another. Raises NotFound."""
    with ExitStack() as stack:
        sides: list[tuple[str, Study]] = []
        notes = []
        for one in (name, other) if other is not None else (None, name):
            if one is None:
                n_due = _n_due(study)
                notes += [f"the study itself is behind ({n_due:,} units are due): tshdb rebuild"] if n_due else []
                sides.append(("the study", study))
                continue
            copied, behind = stack.enter_context(copies.viewed(study, one))
            notes += [f"{one} is {copies.behind_words(one, behind)}"] if behind.is_behind else []
            sides.append((one, copied))
        return _compared(sides[0], sides[1], notes)


def _compared(before: tuple[str, Study], after: tuple[str, Study], notes: list[str]) -> Compared:
    """What differs between two sides, each with its name."""
    (of_before, first), (of_after, second) = before, after
    with reading(second.engine) as connection:
        keys = {
            table.name: tuple(c.name for c in table.primary_key if c.name != "unit_id")
            for table in tables_of(connection)
        }
    paths = [side.sqlite_path for side in (first, second)]
    second.engine.dispose()
    assert paths[0] is not None and paths[1] is not None
    found = differences(paths[0], paths[1], keys)
    return Compared(of_before, of_after, _settings_moved(first.settings, second.settings), found, notes)


def _n_due(study: Study) -> int:
    listing = listing_of(study)
    with reading(study.engine) as connection:
        plans = Planner(connection, listing.world(study.settings)).all()
    behind = copies.behind_of(plans, 0)
    return behind.n_due + behind.n_possible + behind.n_gone


def _settings_moved(before: Settings, after: Settings) -> dict[str, tuple[str, str]]:
    """[TABLE] setting -> (before, after), of what two texts of settings do not say alike."""
    moved = {}
    for table in dict.fromkeys((*before.tables, *after.tables)):
        stood, stands = before.tables.get(table, {}), after.tables.get(table, {})
        for key in dict.fromkeys((*stood, *stands)):
            pair = [as_toml(side[key]) if key in side else "by default" for side in (stood, stands)]
            if pair[0] != pair[1]:
                moved[f"[{table}] {key}"] = pair[0], pair[1]
    return moved


# ------------------------------------------------------------------------------------------------- dropped, adopted


def settings_of(study: Study, name: str) -> list[str]:
    """What a variant sets, as study.toml would have it. Raises NotFound."""
    return shown(read(copies.folder_of_variant(study, name)))


def drop(study: Study, name: str) -> int:
    """Take a variant away, with its settings and results. Raises NotFound, Busy.

    Gives how many objects no other variant and no row of the study names by now: `tshdb check --repair` removes such.
    """
    copies.folder_of_variant(study, name)
    others = places.NamedObjects(study.root)
    with places.held(study.root, name) as folder:
        named = places.digests_of(folder)
        places.remove(folder)
        left = named - others.digests()
    if not left:
        return 0
    with reading(study.engine) as connection:
        for table, column, _ in object_columns(connection):
            left -= set(connection.execute(select(table.c[column]).distinct()).scalars())
    return len(left)


def adopt(study: Study, name: str) -> dict[str, tuple[str, str]]:
    """Write what a variant sets into study.toml, with a line above each setting that says so. Nothing is computed.

    Gives [TABLE] setting -> (before, after) of those that changed. Raises NotFound, Busy; InvalidInput for a study.toml in which
    they cannot be written.
    """
    folder = copies.folder_of_variant(study, name)
    path = study.root / SETTINGS_FILE
    with study_lock(study.engine, study.root), places.held(study.root, name):  # in the order of a withdrawal
        values = read(folder)
        before = Settings(path)
        listing_of(study).world(VariantSettings(study.root, values, str(folder / places.SETTINGS)))
        news = {
            table: {k: v for k, v in found.items() if before.tables.get(table, {}).get(k, _NOTHING) != v}
            for table, found in values.items()
        }
        news = {table: found for table, found in news.items() if found}
        day = now()[:10]

        def note(table: str, key: str) -> str:
            stood = before.tables.get(table, {})
            was = as_toml(stood[key]) if key in stood else "by default"
            return f"# {key}: adopted from the variant {name} on {day}; before: {was}"

        text = with_values(before.text, news, str(path), note)
        if written_text(path) != before.text:
            raise Busy("study.toml was changed meanwhile", where=str(path), repair="Try again")
        if news:
            with complete(path) as written:
                written.write_bytes(_as_it_was(path.read_bytes(), text))
        return _settings_moved(before, Settings(path))


_NOTHING = object()


def _as_it_was(stood: bytes, text: str) -> bytes:
    """The text with the line ends and the byte-order mark of the file that it replaces; in UTF-8."""
    if b"\r\n" in stood:
        text = text.replace("\n", "\r\n")
    return (b"\xef\xbb\xbf" if stood.startswith(b"\xef\xbb\xbf") else b"") + text.encode("utf-8")
