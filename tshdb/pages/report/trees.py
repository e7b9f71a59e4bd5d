"""The trees behind a report's numbers: how each was computed, by which code, parameters and inputs, down to lines of files.

    found = trees(study, [("cox_terms", 812), …])
    found.anchor_of["cox_terms", 812]       the tree of that row, as the page names it
    found.lines(anchor)                     its branches, one line each, indented

Plain values for a template, no HTML. Nothing in them is a number of a unit or a run, a time or a machine: the same results give
the same trees. Who a unit of a single patient is about is counted, not said; which lines of a file she stands in neither.
Everything that several trees share (groups of inputs, ways of computing, texts of code) is there once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, func, select

from tshdb.database import reading
from tshdb.engine.graph import edges_above
from tshdb.engine.needs import KEY_COLUMNS
from tshdb.engine.units import COHORT, ENTITY_COLUMN, INGEST
from tshdb.engine.world import REFERENCE
from tshdb.errors import NotFound
from tshdb.lineage import Node, Place, nodes_of, places_of, runs_of, specs_of
from tshdb.pages.report.parts import parameter
from tshdb.pages.report.passing_on import Names, names_of
from tshdb.schema import CohortVersion, ImagingInstance

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis
    from tshdb.study import Study

SHOWN = 3  # keys of a group, and lines of a file
SIGNS = 16  # of a fingerprint
FEWEST = 5  # units of single patients whose lines in a file are said: of fewer, they would tell who it is
WORDS = {  # what a unit is of -> one, several
    "patient_id": ("patient", "patients"),
    "sample_id": ("sample", "samples"),
    "profile_id": ("profile", "profiles"),
    "study_uid": ("examination", "examinations"),
    "examination": ("examination", "examinations"),
    "region_map": ("region of an examination", "regions of examinations"),
    "annotation_id": ("notice", "notices"),
    "cohort": ("cohort", "cohorts"),
}
UNKNOWN = ("result", "results")


class SourceLines(NamedTuple):
    """What one file gives of a group, or several files that are each of one patient. what: lines, columns or files.

    n: of them; first: the first three, where they may be said.
    """

    file: str
    n_files: int
    what: str
    n: int
    first: tuple[int, ...]


class Input(NamedTuple):
    """The inputs of a group in one role. group: the anchor of them together."""

    role: str
    group: str


@dataclass(frozen=True)
class Group:
    """Units of one analysis that are inputs together. size: how many, in words; keys: the first three that may be said.

    n_changed: inputs that are not what these units saw any more.
    """

    anchor: str
    analysis: str
    n: int
    size: str
    keys: tuple[str, ...]
    ways: tuple[str, ...]
    inputs: tuple[Input, ...]
    files: tuple[SourceLines, ...]
    n_changed: int


@dataclass(frozen=True)
class Way:
    """How an analysis ran. code: of its definitions, 16 signs; seed: none where it takes none; libraries: name and version."""

    anchor: str
    analysis: str
    about: str
    source: str
    parameters: tuple[tuple[str, str], ...]
    seed: str | None
    code: str
    definitions: tuple[tuple[str, str], ...]
    libraries: tuple[tuple[str, str], ...]
    python: str


@dataclass(frozen=True)
class Definition:
    """A text of code: a function, a constant, a class. anchor: by the text."""

    anchor: str
    names: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Tree:
    """One unit whose rows are shown. of: its key, or what it is of in words; group: where its inputs stand."""

    anchor: str
    analysis: str
    of: str
    group: str


class Line(NamedTuple):
    """One branch of a tree. is_above: what is below it stands above already, in this tree."""

    depth: int
    role: str
    group: Group
    is_above: bool


@dataclass
class Trees:
    """All trees of a page, by their anchors."""

    trees: dict[str, Tree] = field(default_factory=dict)
    anchor_of: dict[tuple[str, int], str] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    ways: dict[str, Way] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)

    def lines(self, anchor: str) -> Iterator[Line]:
        """A tree from its own unit down to files; what stands above in it is not taken apart again."""
        yield from self._below(Input("", self.trees[anchor].group), 0, set())

    def _below(self, source: Input, depth: int, above: set[str]) -> Iterator[Line]:
        group = self.groups[source.group]
        is_above = bool(group.inputs) and group.anchor in above
        yield Line(depth, source.role, group, is_above)
        if not is_above:
            above.add(group.anchor)
            for each in group.inputs:
                yield from self._below(each, depth + 1, above)


def trees(study: Study, wanted: Iterable[tuple[str, int]], names: Names | None = None) -> Trees:
    """The trees of units whose rows are shown, of a study or of the copy of one as a variant is seen.

    wanted: (table, unit_id) of rows; names: those of the study's patients, where they were read before. Raises NotFound for a
    unit that there is not.
    """
    from tshdb.guests.listing import listing_in

    asked = list(dict.fromkeys(wanted))
    with reading(study.engine) as connection:
        above = _Above(connection, {unit for _, unit in asked})
        lost = next(((table, unit) for table, unit in asked if unit not in above.nodes), None)
        if lost is not None:
            raise NotFound(
                "no such result any more", where=f"{lost[0]}, unit {lost[1]}", repair="Make the report again"
            )
        listing = listing_in(study, connection)
        made = _Made(above, {a.name: a for a in listing.analyses}, names or names_of(study))
    for unit in sorted({unit for _, unit in asked}, key=lambda u: above.nodes[u][1:3]):
        made.add(unit)
    made.found.anchor_of = {(table, unit): made.anchors[unit] for table, unit in asked}
    return made.found


class _Above:
    """What stands behind some units, read in a few queries: nodes, inputs by role, specs, libraries, places in files."""

    def __init__(self, connection: Connection, starts: set[int]):
        edges = edges_above(connection, starts)
        self.nodes: dict[int, Node] = nodes_of(connection, starts | {e.input_id for e in edges})
        inputs: dict[int, dict[tuple[str, str], list[int]]] = {}
        self.n_changed: dict[int, int] = {}
        for unit, role, source, is_same in edges:
            inputs.setdefault(unit, {}).setdefault((role, self.nodes[source].analysis), []).append(source)
            if not is_same:
                self.n_changed[unit] = self.n_changed.get(unit, 0) + 1
        self.inputs = {
            unit: {key: frozenset(sources) for key, sources in of_unit.items()} for unit, of_unit in inputs.items()
        }
        self.specs = specs_of(connection, {n.spec_id for n in self.nodes.values()} - {None})
        self.libraries = self._libraries(connection)
        self.places: dict[int, list[Place]] = {}
        of_lines = [n for n in self.nodes.values() if n.analysis.startswith(INGEST) and not _is_of_images(n)]
        for place in places_of(connection, of_lines):
            self.places.setdefault(place.unit_id, []).append(place)
        self.n_images = self._images(connection)
        query = select(CohortVersion.cohort, CohortVersion.version, CohortVersion.n_members)
        versions = connection.execute(query.order_by(CohortVersion.version)).fetchall()
        self.members = {f"{name}@{version}": n for name, version, n in versions} | {name: n for name, _, n in versions}

    def _libraries(self, connection: Connection) -> dict[int, dict[str, set[str]]]:
        """spec -> library -> versions, of the runs that made the units."""
        runs = runs_of(connection, {n.run_id for n in self.nodes.values()} - {None})
        found: dict[int, dict[str, set[str]]] = {}
        for spec, run in {(n.spec_id, n.run_id) for n in self.nodes.values()}:
            if spec is not None and run is not None:
                for name, version in runs[run]["libraries"].items():
                    found.setdefault(spec, {}).setdefault(name, set()).add(version)
        return found

    def _images(self, connection: Connection) -> dict[int, int]:
        """unit -> images of the examination, which are too many to be named."""
        unit_of = {n.key: n.unit_id for n in self.nodes.values() if n.analysis.startswith(INGEST) and _is_of_images(n)}
        table = ImagingInstance.__table__
        if not unit_of:
            return {}
        query = select(table.c.study_uid, func.count(table.c.path.distinct())).group_by(table.c.study_uid)
        return {unit_of[uid]: n for uid, n in connection.execute(query) if uid in unit_of}


def _is_of_images(node: Node) -> bool:
    return node.analysis == f"{INGEST}imaging_instances"


class _Made:
    """Makes the trees. A set of units is looked at once, however many trees it stands in."""

    def __init__(self, above: _Above, analyses: Mapping[str, Analysis], names: Names):
        self.above, self.analyses, self.names = above, analyses, names
        self.found, self.anchors = Trees(), {}
        self._groups: dict[frozenset[int], str] = {}
        self._ways: dict[int, str] = {}
        self._counts: dict[str, int] = {}
        self._texts: dict[str, str] = {}

    def add(self, unit: int) -> None:
        node = self.above.nodes[unit]
        key = self._shown(node)
        is_plain = key is not None and key == node.key
        anchor = (
            f"tree.{node.analysis}.{node.key.replace('@', '.')}"
            if is_plain
            else self._numbered(f"tree.{node.analysis}")
        )
        of = key if key is not None else f"1 {self._words(node)[0]}"
        self.anchors[unit] = anchor
        self.found.trees[anchor] = Tree(anchor, node.analysis, of, self._group(frozenset([unit])))

    def _group(self, units: frozenset[int]) -> str:
        """The anchor of units of one analysis together."""
        if units not in self._groups:
            nodes = [self.above.nodes[unit] for unit in units]
            anchor = self._groups[units] = self._numbered(f"in.{nodes[0].analysis}")
            self.found.groups[anchor] = self._made(anchor, units, nodes)
        return self._groups[units]

    def _made(self, anchor: str, units: frozenset[int], nodes: list[Node]) -> Group:
        first, n = nodes[0], len(nodes)
        by_role: dict[tuple[str, str], set[int]] = {}
        for unit in units:
            for key, sources in self.above.inputs.get(unit, {}).items():
                by_role.setdefault(key, set()).update(sources)
        shown = [key for node in nodes if (key := self._shown(node)) is not None]
        one, many = self._words(first)
        size = f"{n:,} {one if n == 1 else many}"
        if first.analysis == COHORT and n == 1:
            size = f"{self.above.members.get(first.key, 0):,} members"
        specs = sorted(
            {node.spec_id for node in nodes if node.spec_id is not None},
            key=lambda spec: json.dumps(
                {k: v for k, v in self.above.specs[spec].items() if k != "sources"}, default=str
            ),
        )
        ways = tuple(self._way(first.analysis, spec) for spec in specs)
        inputs = tuple(Input(role, self._group(frozenset(by_role[role, name]))) for role, name in sorted(by_role))
        return Group(
            anchor, first.analysis, n, size, tuple(sorted(shown)[:SHOWN]), ways, inputs, self._files(nodes),
            sum(self.above.n_changed.get(unit, 0) for unit in units),
        )  # fmt: skip

    def _shown(self, node: Node) -> str | None:
        """A unit's key, where it is that of a cohort or a table of reference; else nothing."""
        analysis = self.analyses.get(node.analysis)
        is_of_cohort = node.key in self.above.members and (analysis is None or analysis.over_cohort)
        if node.analysis.startswith(REFERENCE) or is_of_cohort and not node.analysis.startswith(INGEST):
            return self.names.without(node.key)
        return None

    def _words(self, node: Node) -> tuple[str, str]:
        if node.analysis.startswith(INGEST):
            return WORDS.get(ENTITY_COLUMN.get(node.analysis.removeprefix(INGEST), ""), UNKNOWN)
        if node.analysis.startswith(REFERENCE):
            return "table", "tables"
        if self._shown(node) is not None:
            return WORDS["cohort"]
        analysis = self.analyses.get(node.analysis)
        return WORDS.get(KEY_COLUMNS[analysis.per], UNKNOWN) if analysis is not None else UNKNOWN

    def _way(self, name: str, spec: int) -> str:
        if spec not in self._ways:
            anchor = self._ways[spec] = self._numbered(f"way.{name}")
            self.found.ways[anchor] = self._way_of(anchor, name, spec)
        return self._ways[spec]

    def _way_of(self, anchor: str, name: str, spec: int) -> Way:
        recorded, analysis = self.above.specs[spec], self.analyses.get(name)
        doc = (analysis.function.__doc__ or "").strip() if analysis is not None else ""
        mattering = None if analysis is None else {*analysis.libraries, *analysis.strict_libraries}
        libraries = tuple(
            (library, ", ".join(sorted(versions)))
            for library, versions in sorted(self.above.libraries.get(spec, {}).items())
            if mattering is None or library in mattering
        )
        definitions = tuple((each, self._definition(each, text)) for each, text in sorted(recorded["sources"].items()))
        return Way(
            anchor, name, self.names.without(doc.partition("\n")[0]),
            "" if analysis is None else self.names.without(analysis.source),
            tuple((key, self.names.without(parameter(value))) for key, value in recorded["parameters"].items()),
            recorded["seed"], recorded["code"][:SIGNS], definitions, libraries, recorded["python"],
        )  # fmt: skip

    def _definition(self, name: str, text: str) -> str:
        if text not in self._texts:
            self._texts[text] = self.names.without(text)
        text = self._texts[text]
        anchor = f"code.{hashlib.sha256(text.encode()).hexdigest()[:SIGNS]}"
        before = self.found.definitions.get(anchor, Definition(anchor, (), text))
        if name not in before.names:
            self.found.definitions[anchor] = Definition(anchor, tuple(sorted((*before.names, name))), text)
        return anchor

    def _files(self, nodes: list[Node]) -> tuple[SourceLines, ...]:
        """The files that say something of ingested units, by the name that may be shown."""
        images = [n for node in nodes if (n := self.above.n_images.get(node.unit_id))]
        found = [SourceLines("images", sum(images), "files", sum(images), ())] if images else []
        by_name: dict[str, dict[tuple[str, str], set[tuple[int, int | None]]]] = {}
        shown: dict[str, str] = {}
        for node in nodes:
            for place in self.above.places.get(node.unit_id, ()):
                name = shown.get(place.file) or shown.setdefault(place.file, self.names.of_file(place.file))
                by_name.setdefault(name, {}).setdefault((place.file, place.sha256), set()).add(
                    (place.line, place.column)
                )
        for name, files in sorted(by_name.items()):
            at = {spot for spots in files.values() for spot in spots}
            columns = sorted({column for _, column in at if column is not None})
            lines = sorted({line for line, column in at if line and column is None})
            what, numbers_of = ("columns", columns) if columns else ("lines", lines)
            if not numbers_of:
                found.append(SourceLines(name, len(files), "files", len(files), ()))
                continue
            n = sum(len(spots) for spots in files.values()) if len(files) > 1 else len(numbers_of)
            is_said = len(files) == 1 and len(nodes) >= FEWEST
            first = tuple(numbers_of[:SHOWN]) if is_said else ()
            found.append(SourceLines(name, len(files), what if n != 1 else what[:-1], n, first))
        return tuple(found)

    def _numbered(self, name: str) -> str:
        self._counts[name] = self._counts.get(name, 0) + 1
        return f"{name}.{self._counts[name]}"
