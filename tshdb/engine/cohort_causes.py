"""What began a change of who is in a cohort, or of the cohorts that an analysis runs over."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import Connection, select

from tshdb.cohorts.states import CohortState, members_of
from tshdb.config import Parameters, Settings
from tshdb.engine.analysis import Analysis
from tshdb.engine.causes import Cause, Causes
from tshdb.engine.since import Last, RowsOfPatients, seen_members
from tshdb.engine.world import COHORT_ROLE, World
from tshdb.errors import InvalidInput
from tshdb.schema import Cohort, CohortVersion, Run, Unit
from tshdb.vocabulary import CauseKind, CohortMode

NOTHING: Causes = frozenset()


class _Side(NamedTuple):
    """A cohort's definition and members at one time. version: its number, None for now."""

    version: int | None
    sql: str | None
    members: Sequence[str]


class CohortCauses:
    """tables: cohort -> the tables that its definition reads."""

    def __init__(
        self,
        connection: Connection,
        world: World,
        cohorts: Mapping[str, CohortState],
        tables: Mapping[str, Collection[str]],
    ):
        self.connection, self.world, self.cohorts, self.tables = connection, world, cohorts, tables

    # ---------------------------------------------------------------------------------------------------- members

    def members_moved(self, unit_id: int | None, key: str, now: Sequence[str], last: Last | None) -> Causes:
        """Who came into a cohort or left it since a unit over it was computed, and whether its definition is another one."""
        name = key.partition("@")[0]
        seen = None
        if unit_id is not None:
            seen = seen_members(self.connection, [unit_id], COHORT_ROLE).get(unit_id)
        stood = next((row for row in reversed(self._versions(name)) if row.fingerprint == seen), None)
        if stood is None:
            return frozenset({Cause(CauseKind.COHORT, f"cohort {name}", None, key)})
        before = _Side(stood.version, stood.sql_text, members_of(self.connection, name, stood.version))
        definition = self.connection.execute(select(Cohort.sql_text).where(Cohort.cohort == name)).scalar()
        return self._between(name, before, _Side(None, definition, now), last.ended_at if last else stood.created_at)

    def _versions(self, name: str) -> Sequence:
        columns = (CohortVersion.version, CohortVersion.sql_text, CohortVersion.fingerprint, CohortVersion.created_at)
        query = select(*columns).where(CohortVersion.cohort == name).order_by(CohortVersion.version)
        return self.connection.execute(query).fetchall()

    def _between(self, name: str, before: _Side, after: _Side, since: str) -> Causes:
        """Who came and who left; by another definition, or by rows that were ingested since (a time, UTC)."""
        came, left = sorted({*after.members} - {*before.members}), sorted({*before.members} - {*after.members})
        causes = {
            *(Cause(CauseKind.MEMBER, f"cohort {name}: {p}", None, "member", None, p) for p in came),
            *(Cause(CauseKind.MEMBER, f"cohort {name}: {p}", "member", None, None, p) for p in left),
        }
        if before.sql != after.sql:
            causes.add(Cause(CauseKind.COHORT, f"definition of cohort {name}", before.sql, after.sql))
        elif came or left:
            causes |= RowsOfPatients(self.connection, [*came, *left]).after(since, self.tables.get(name, ()))
        return frozenset(causes)

    # ----------------------------------------------------------------------------------------- cohorts of an analysis

    def came(self, analysis: Analysis, key: str) -> Causes:
        """Why there is a unit over a cohort: it was frozen anew, is named now, was defined since, or is the first."""
        name, _, number = key.partition("@")
        others = [k for k in self._keys_ever(analysis) if k.partition("@")[0] == name and k != key]
        earlier = sorted(int(v) for k in others if (v := k.partition("@")[2]).isdecimal())
        versions = {row.version: row for row in self._versions(name)}
        new = versions.get(int(number)) if number.isdecimal() else None
        old = versions.get(next((v for v in reversed(earlier) if new is None or v < new.version), 0))
        if new is not None and old is not None:
            before, after = (
                _Side(v.version, v.sql_text, members_of(self.connection, name, v.version)) for v in (old, new)
            )
            frozen = Cause(CauseKind.COHORT, f"cohort {name}", f"{name}@{old.version}", key)
            return self._between(name, before, after, old.created_at) | {frozen}
        if others:
            return frozenset({Cause(CauseKind.COHORT, f"cohort {name}", others[-1], key)})
        listed = self._listed(analysis, name, is_named=True, is_last=True)
        if self._is_newer(key):
            listed = listed | {Cause(CauseKind.COHORT, f"cohort {name}", None, key)}
        first = frozenset({Cause(CauseKind.FIRST, analysis.name)})
        return listed or self._listed(analysis, name, is_named=True) or first

    def went(self, analysis: Analysis, key: str) -> Causes:
        """Why there is no unit over a cohort any more: it is no longer named, or is another one."""
        name = key.partition("@")[0]
        if listed := self._listed(analysis, name, is_named=False):
            return listed
        state = self.cohorts.get(name)
        now = None if state is None else state.key if state.mode is CohortMode.FROZEN else f"{name}, live"
        return frozenset({Cause(CauseKind.COHORT, f"cohort {name}", key, now)})

    def model_went(self, fit: Analysis, stands_in: str) -> Causes:
        """Why what stands in for a model is read instead of one: the cohort of the fit is another one, or is not frozen."""
        causes: set[Cause] = set()
        for key in self._keys_ever(fit):
            causes |= self._listed(fit, key.partition("@")[0], is_named=False)
        for name in self.world.cohorts_of(fit):
            causes |= self._listed(fit, name, is_named=True)
        if causes:
            return frozenset(causes)
        now = f"{stands_in}: it is not frozen"
        return frozenset(Cause(CauseKind.COHORT, f"cohort {n}", None, now) for n in self.world.cohorts_of(fit))

    def _keys_ever(self, analysis: Analysis) -> list[str]:
        """The keys of all units that an analysis has or had, but for what stands in for a model."""
        query = select(Unit.key).where(Unit.analysis == analysis.name).order_by(Unit.unit_id)
        return [key for key in self.connection.execute(query).scalars() if key != analysis.identity]

    def _listed(self, analysis: Analysis, name: str, is_named: bool, is_last: bool = False) -> Causes:
        """That study.toml names the cohort for the analysis now, or no longer, if that differs from an earlier run's.

        is_last: from the last run's.
        """
        field = analysis.key_field
        if field is None or (name in self.world.cohorts_of(analysis)) is not is_named:
            return NOTHING
        before = self._parameters_before(analysis)
        if not any((name in analysis.cohorts_of(p)) is not is_named for p in (before[:1] if is_last else before)):
            return NOTHING
        table, place = self.world.settings.place(analysis.name, field, analysis.base)
        stood, stands = (None, "named") if is_named else ("named", None)
        return frozenset({Cause(CauseKind.LISTED, f"[{table}] {field}: cohort {name}", stood, stands, place)})

    def _parameters_before(self, analysis: Analysis) -> list[Parameters]:
        """An analysis's parameters in earlier runs, the newest first; without those that do not fit any more."""
        parameters = []
        for settings in self._settings_before:
            with suppress(InvalidInput):
                parameters.append(self.world.parameters_in(settings, analysis))
        return parameters

    @cached_property
    def _settings_before(self) -> list[Settings]:
        """study.toml as earlier runs read it, the newest first."""
        query = select(Run.settings).where(Run.settings.is_not(None), Run.ended_at.is_not(None))
        settings = []
        for text in dict.fromkeys(self.connection.execute(query.order_by(Run.run_id.desc())).scalars()):
            with suppress(InvalidInput):
                settings.append(Settings(self.world.settings.path, text))
        return settings

    def _is_newer(self, key: str) -> bool:
        """Whether a cohort, or its version, came after the study's last run, and nothing was computed over it before."""
        ended = Run.ended_at.is_not(None)
        over_it = select(Unit.unit_id).join(Run, Run.run_id == Unit.run_id).where(Unit.key == key, ended)
        if self.connection.execute(over_it.limit(1)).scalar() is not None:
            return False
        name, _, number = key.partition("@")
        last = self.connection.execute(select(Run.started_at).where(ended).order_by(Run.run_id.desc())).scalar()
        came = [row.created_at for row in self._versions(name) if not number or str(row.version) == number]
        return last is not None and (not came or came[0] > last)
