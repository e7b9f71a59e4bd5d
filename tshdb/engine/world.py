"""The registered analyses with their parameters and code as they are now: what results are compared with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tshdb.canonical import digest, json_text, rows_fingerprint
from tshdb.config import Parameters, Settings
from tshdb.engine import units as store
from tshdb.engine.analysis import Analysis, Input, Kind, Made, Model, Need, Reference, Trained
from tshdb.engine.causes import Cause
from tshdb.engine.code.identity import Codes
from tshdb.engine.code.texts import Texts
from tshdb.engine.named import with_named
from tshdb.engine.standing_in import REPLACES, chosen, stood_down
from tshdb.errors import InvalidInput, NotFound
from tshdb.kept_paths import KeptPaths
from tshdb.near import did_you_mean
from tshdb.vocabulary import CauseKind

if TYPE_CHECKING:
    from tshdb.schema import Base

REFERENCE = "reference."
COHORT_ROLE = "cohort"
SAME_KEYS = {"examination", "study_uid"}  # an examination is a DICOM study, or a row of imported features
IDENTITY_FINGERPRINT = digest(b"identity")


class ReferenceTable(NamedTuple):
    """A reference table as an analysis reads it now."""

    key: str
    fingerprint: str
    rows: list[dict]


class World:
    """The registered analyses with their parameters and code, in an order in which inputs come first.

    texts: where their code is read; without it, from the files as they are now.
    absent: analyses that the study has results of and nobody here can run -> the table that each makes. study.toml may have
        settings of them, and what rests on their results goes on resting on them.
    untrusted: files of the study's own code that may not run: study.toml may have tables of what they declare.
    stood_down: analyses that are here and have no units: another one stands in their place, or they were not chosen.
    """

    def __init__(
        self,
        analyses: Sequence[Analysis],
        settings: Settings,
        texts: Texts | None = None,
        absent: Mapping[str, str] | None = None,
        untrusted: Collection[str] = (),
    ):
        self.settings = settings
        self.absent = dict(absent or {})
        self.untrusted = tuple(sorted(untrusted))
        _refuse_twice(analyses)
        shared: dict[str, set[str]] = {}
        for a in analyses:
            if a.base is not None:
                shared.setdefault(a.base, set()).update(a.params.model_fields.keys() - a.params.OWN)
        for a in analyses:  # whose own table others take settings from
            if a.name in shared:
                shared[a.name].update(a.params.model_fields)
        known = {*(a.name for a in analyses), *shared, *self.absent}
        settings.refuse_unknown_tables(known | set(settings.tables) if untrusted else known)
        settings.refuse_unknown_settings(shared)
        self._shared = shared
        self.parameters = {a.name: self.parameters_in(settings, a) for a in analyses}
        self.analyses = with_named(analyses, self.parameters, settings)
        self.by_name = {a.name: a for a in self.analyses}
        self.in_place_of = chosen(self.by_name, settings, self.absent, untrusted)
        self.stood_down = frozenset(stood_down(self.by_name, self.in_place_of))
        self.makers: dict[type[Base], list[Analysis]] = {}
        for a in self.analyses:
            if a.name in self.stood_down:
                continue
            self.makers.setdefault(a.makes, []).append(a)
        self.maker = {table: makers[0] for table, makers in self.makers.items() if len(makers) == 1}
        made_here = {table.__tablename__ for table in self.makers}
        self._absent_makers = {t: name for name, t in self.absent.items() if t not in made_here}
        for a in self.analyses:
            for role, need in a.needs.items():
                if a.name not in self.stood_down:
                    self._refuse_producer(a, role, need)
                    self._refuse_relation(a, role, need)
        self.codes = Codes(store.project_packages(analyses), texts)
        self._specs: dict[str, store.CurrentSpec] = {}
        self.kept_code: dict[
            str, list[store.KeptCode]
        ] = {}  # of the specs in the database, once a planner has read them

    def _refuse_producer(self, analysis: Analysis, role: str, need: Input) -> None:
        """Raises InvalidInput for an input that nothing makes, or several analyses do."""
        makers, table = self.makers.get(need.table, ()), need.table.__tablename__
        if len(makers) > 1:
            raise InvalidInput(
                f"{role} is made by {' and by '.join(a.name for a in makers)}; a need has one producer",
                where=f"analysis {analysis.name}",
                repair="An analysis that makes the table of another one says replaces=, and study.toml chooses",
            )
        is_made = bool(makers) or (isinstance(need, Need) and table in self._absent_makers)
        if not is_made and isinstance(need, Need | Model) and "unit_id" in need.table.__table__.columns:
            raise InvalidInput(
                f"{role} is the table {table}, which no analysis of this study makes", where=f"analysis {analysis.name}",
                repair="Install what makes it, or leave the analysis out: [study] analyses in study.toml",
            )  # fmt: skip

    def _refuse_relation(self, analysis: Analysis, role: str, need: Input) -> None:
        """Raises InvalidInput for a relation that leads to other entities than the rows of the need's table have."""
        if not isinstance(need, Need) or need.via.leads_to is None:
            return
        table = need.table
        maker = self.maker.get(table)
        key = maker.key_column if maker is not None else store.ENTITY_COLUMN.get(table.__tablename__)
        if key is None or key == need.via.leads_to or {key, need.via.leads_to} == SAME_KEYS:
            return
        raise InvalidInput(
            f"{role}: '{need.via.name}' leads to {need.via.leads_to}, and a row of {table.__tablename__} has {key}",
            where=f"analysis {analysis.name}", repair=f"Write a relation that leads from a {need.via.per} to {key}",
        )  # fmt: skip

    def spec(self, name: str) -> store.CurrentSpec:
        """Code, parameters and libraries of an analysis, read when they are first asked for."""
        if name not in self._specs:
            kept = self.kept_code.get(name, ())
            seed = self.settings.study.seed
            self._specs[name] = store.current_spec(self.by_name[name], self.parameters[name], self.codes, seed, kept)
        return self._specs[name]

    def parameters_in(self, settings: Settings, analysis: Analysis) -> Parameters:
        """The parameters of an analysis by a study.toml, this one or an earlier one. Raises InvalidInput."""
        return settings.parameters(analysis.name, analysis.params, analysis.base, self._shared.get(analysis.name, ()))

    def is_asked(self, analysis: Analysis) -> bool:
        """Whether study.toml asks for what is made on request alone."""
        return analysis.is_asked(self.parameters[analysis.name])

    def others_in_place(self, analysis: Analysis) -> set[str]:
        """The analyses that can stand where this one does."""
        place = analysis.replaces or analysis.name
        return {a.name for a in self.analyses if place in (a.name, a.replaces) and a.name != analysis.name}

    def choice(self, analysis: Analysis) -> Cause:
        """That study.toml chose an analysis for its place, or chose another one."""
        place = analysis.replaces or analysis.name
        stands = self.in_place_of.get(place, place)
        before = None if analysis.name == stands else analysis.name
        file, line = self.settings.path.name, self.settings.where(REPLACES, place).rpartition(":")[2]
        where = f"{file} line {line}" if place in self.in_place_of else f"{file}, by default"
        return Cause(CauseKind.PARAMETER, f"[{REPLACES}] {place}", before, stands, where)

    def read_specs(self) -> list[store.CurrentSpec]:
        """The specs whose code was followed, since the database did not know its text."""
        return [spec for spec in self._specs.values() if spec.is_read]

    @property
    def root(self) -> Path:
        return self.settings.path.parent

    @cached_property
    def paths(self) -> KeptPaths:
        """Where the files of stored paths are."""
        return KeptPaths(self.root, self.settings.privacy.paths == "hashed")

    def producer(self, need: Input) -> str:
        """Whose units are the inputs: an analysis here or one that is not, an ingested table, or a reference."""
        table = need.table
        if isinstance(need, Trained):
            return store.COHORT
        if isinstance(need, Reference | Made):
            return REFERENCE + table.__tablename__
        if table in self.maker:
            return self.maker[table].name
        if table.__tablename__ in self._absent_makers:
            return self._absent_makers[table.__tablename__]
        return store.INGEST + table.__tablename__

    def producer_of(self, analysis: Analysis, role: str) -> str:
        """The analysis whose units have this role; the role `cohort` is the membership itself."""
        return store.COHORT if role == COHORT_ROLE else self.producer(analysis.needs[role])

    def ordered(self, cohort_tables: dict[str, Iterable[str]]) -> tuple[Analysis, ...]:
        """The analyses, inputs first. Raises InvalidInput for a cycle through a cohort's definition."""
        by_table = {t.__tablename__: {a.name for a in makers} for t, makers in self.makers.items()}
        graph: dict[str, set[str]] = {}
        for a in self.analyses:
            before = {self.producer(need) for need in a.needs.values()} & set(self.by_name)
            for cohort in self.cohorts_of(a):
                before |= {name for t in cohort_tables.get(cohort, ()) for name in by_table.get(t, ())}
            graph[a.name] = before
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            raise InvalidInput(
                f"results depend on themselves: {' <- '.join(error.args[1])}",
                where="cohort definitions",
                repair="A cohort must not select on results that are computed over it",
            ) from None
        depth: dict[str, int] = {}
        for name in order:
            depth[name] = 1 + max((depth[b] for b in graph[name]), default=0)
        listed = {a.name: i for i, a in enumerate(self.analyses)}
        # the listed (paper's) order wherever dependencies allow it
        return tuple(sorted(self.analyses, key=lambda a: (depth[a.name], listed[a.name])))

    def cohorts_of(self, analysis: Analysis) -> tuple[str, ...]:
        return analysis.cohorts_of(self.parameters[analysis.name])

    def fits_behind(self, table: type[Base]) -> list[Analysis]:
        """The fits on which the rows of a table rest, directly or through others."""
        return [self.by_name[n] for n in self._behind([self.maker[table].name]) if self.by_name[n].kind is Kind.FIT]

    def _behind(self, names: Iterable[str]) -> list[str]:
        """These analyses and all upstream of them."""
        seen: dict[str, None] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in self.by_name and name not in seen:
                seen[name] = None
                waiting += [self.producer(need) for need in self.by_name[name].needs.values()]
        return list(seen)

    def how_made(self, table: type[Base]) -> list[dict[str, str]]:
        """What the values of a table depend on besides data: parameters and libraries of all analyses that lead to them."""
        return [
            {"analysis": n, "parameters": store.counted_parameters(self.by_name[n], self.parameters[n]),
             "libraries": json_text(store.versions_of(self.by_name[n]))}
            for n in sorted(self._behind([self.maker[table].name]))
        ]  # fmt: skip

    def upstream(self, analysis: Analysis) -> list[Analysis]:
        """All analyses upstream of an analysis, by name."""
        return [self.by_name[n] for n in sorted(self._behind(self.producer(need) for need in analysis.needs.values()))]

    def upstream_digest(self, analysis: Analysis) -> str:
        """The specs of all analyses upstream of a fit, as one digest."""
        return digest(*("\0".join((a.name, *self.spec(a.name).equal)).encode() for a in self.upstream(analysis)))

    def references(self, analysis: Analysis) -> dict[str, ReferenceTable]:
        """role -> the reference table that the analysis reads; read once, so that one command sees one state of it."""
        return self._references[analysis.name]

    @cached_property
    def _references(self) -> dict[str, dict[str, ReferenceTable]]:
        by_analysis: dict[str, dict[str, ReferenceTable]] = {}
        for analysis in self.analyses:
            tables = by_analysis.setdefault(analysis.name, {})
            for role, need in analysis.needs.items():
                if isinstance(need, Reference | Made):
                    if isinstance(need, Made):
                        key, rows = need.of.__tablename__, self.how_made(need.of)
                    else:
                        key, rows = need.read(self.parameters[analysis.name], self.root)
                    columns = sorted({c for row in rows for c in row})
                    values = ([row.get(c) for c in columns] for row in rows)
                    tables[role] = ReferenceTable(key, rows_fingerprint(columns, values), rows)
        return by_analysis


def _refuse_twice(analyses: Sequence[Analysis]) -> None:
    by_name: dict[str, Analysis] = {}
    for a in analyses:
        if a.name in by_name:
            raise InvalidInput(
                f"two analyses are named {a.name}",
                where=f"{by_name[a.name].function.__module__} and {a.function.__module__}",
                repair="Give the newer one another name",
            )
        by_name[a.name] = a


def names_of(world: World) -> str:
    """The analyses of a study, as an error lists them."""
    if world.untrusted:
        return f"{', '.join(world.untrusted)} in analyses/ may not run yet. Read it, then: tshdb trust"
    if world.by_name:
        return f"Analyses: {', '.join(world.by_name)}"
    return "This study has none: [study] analyses in study.toml chooses sets, tshdb new analysis NAME writes one"


def parse_unit(text: str, world: World) -> tuple[Analysis, str]:
    """`analysis/key` -> the analysis and the key. Raises NotFound."""
    name, _, key = text.partition("/")
    if name in world.absent:
        raise NotFound(
            f"{name} is not here: its results stand as they are", repair=f"What is known of it: tshdb why {text}"
        )
    if name not in world.by_name or not key:
        known = f"Write ANALYSIS/KEY. {names_of(world)}"
        meant = known if name in world.by_name else did_you_mean(name, world.by_name, known)
        raise NotFound(f"'{text}' is no unit", repair=meant)
    return world.by_name[name], key
