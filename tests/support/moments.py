"""What was true of a tiny study at a moment, and in what two moments differ: every difference is a cause that may be stated.

Nothing here asks the engine why something is due. What a change of a parameter, a definition, a patient or a list must be
called is said here by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from inspect import signature
from typing import Any, NamedTuple

from sqlalchemy import select

from tests.support import tiny
from tests.support.editions import EDITIONS, Edition
from tests.support.life import Life
from tshdb.database import reading
from tshdb.engine.analysis import Analysis, Reference
from tshdb.engine.causes import Cause
from tshdb.engine.world import World
from tshdb.schema import CohortMember, CohortVersion, ImagingStudy
from tshdb.study import Study
from tshdb.vocabulary import CauseKind, CohortMode

ANY = "\0"  # in an expected cause: any text, or none; the hand does not say
EXPRESSION, CLINICAL, FEATURES = "expression.csv", "clinical.tsv", "features.csv"
INGESTED = ("patients", "follow_ups", "samples", "expression_profiles", "imported_features", "imaging_studies",
            "imaging_series", "imaging_instances", "segmentations")  # fmt: skip
PROFILES = {"tumor": "01A-11R-A000-07", "replicate": "01A-11R-A111-07", "stroma": "11A-11R-A000-07"}


class Expected(NamedTuple):
    """A cause that may be stated; `ANY` where the hand does not say."""

    kind: CauseKind
    subject: str
    before: str | None = None
    after: str | None = None
    place: str | None = None

    def fits(self, cause: Cause) -> bool:
        said = zip(self[1:], (cause.subject, cause.before, cause.after, cause.place), strict=True)
        return self.kind == cause.kind and all(_fits(wanted, found) for wanted, found in said)


def _fits(wanted: str | None, found: str | None) -> bool:
    if wanted is None or found is None or wanted == ANY:
        return wanted in (found, ANY)
    return wanted == found or re.fullmatch(re.escape(wanted).replace(ANY, ".*"), found, re.DOTALL) is not None


class Row(NamedTuple):
    """One ingested row that an archive's new files changed. patient: whose it is; cause: how it must be told."""

    table: str
    patient: str
    cause: Expected


class Setting(NamedTuple):
    """A parameter of an analysis: where it is written, and what it is."""

    table: str
    value: str  # canonical JSON
    place: str


@dataclass
class Moment:
    """All that results may depend on, before a rebuild."""

    settings: Mapping[tuple[str, str], Setting]  # (analysis, field)
    seed: Setting
    editions: frozenset[Edition]
    archive: tiny.TinyArchive
    markers: str
    definitions: Mapping[str, str]
    versions: Mapping[str, tuple[str, ...]]  # name@version -> members
    keys: Mapping[str, str]  # cohort -> the key of units over it: name@version, or the name of a live one
    lists: Mapping[str, tuple[str, ...]]  # analysis -> the cohorts that it runs over
    patients: Mapping[str, str]  # examination -> patient


def moment(life: Life) -> Moment:
    settings, text = Study(life.study.root).settings, life.settings_text
    world = World(life.analyses, settings)
    said: dict[tuple[str, str], Setting] = {}
    lists = {}
    for analysis in life.analyses:
        parameters = world.parameters_in(settings, analysis)
        lists[analysis.name] = analysis.cohorts_of(parameters)
        for field, value in parameters.model_dump(mode="json").items():
            table, place = _place(text, analysis, field)
            said[analysis.name, field] = Setting(table, canonical(value), place)
    seed = Setting("study", str(settings.study.seed), f"study.toml line {_line(text, 'study', 'seed')}")
    with reading(life.study.engine) as connection:
        members: dict[str, list[str]] = {}
        for cohort, version, patient in connection.execute(
            select(CohortMember.cohort, CohortMember.version, CohortMember.patient_id)
        ):
            members.setdefault(f"{cohort}@{version}", []).append(patient)
        newest = {}
        query = select(CohortVersion.cohort, CohortVersion.version).order_by(CohortVersion.version)
        for cohort, version in connection.execute(query.where(CohortVersion.mode == CohortMode.FROZEN)):
            newest[cohort] = f"{cohort}@{version}"
        patients = dict(map(tuple, connection.execute(select(ImagingStudy.study_uid, ImagingStudy.patient_id))))
    return Moment(
        said, seed, frozenset(life.editions.on), deepcopy(life.archive), (life.study.root / "markers.csv").read_text(),
        dict(life.definitions), {k: tuple(sorted(m)) for k, m in members.items()},
        {name: newest.get(name, name) for name in life.definitions}, lists, patients,
    )  # fmt: skip


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _place(text: str, analysis: Analysis, field: str) -> tuple[str, str]:
    for table in filter(None, (analysis.name, analysis.base)):
        line = _line(text, table, field)
        if line is not None:
            return table, f"study.toml line {line}"
    return analysis.name, "study.toml, by default"


def _line(text: str, table: str, field: str) -> int | None:
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("["):
            inside = line.partition("#")[0].strip() == f"[{table}]"
        elif inside and re.match(rf"{field}\s*=", line):
            return number
    return None


# ------------------------------------------------------------------------------------- how the differences must be told


def settings_changed(analysis: Analysis, was: Moment, now: Moment) -> Iterator[Expected]:
    """Each setting that differs, but for the one that says which units there are."""
    for (name, field), setting in now.settings.items():
        before = was.settings[name, field]
        if name == analysis.name and field != analysis.key_field and before.value != setting.value:
            subject = f"[{setting.table}] {field}"
            yield Expected(CauseKind.PARAMETER, subject, before.value, setting.value, setting.place)
    if {"seed", "seeds"} & set(signature(analysis.function).parameters) and was.seed.value != now.seed.value:
        yield Expected(CauseKind.SEED, "[study] seed", was.seed.value, now.seed.value, now.seed.place)


def code_changed(life: Life, analysis: Analysis, was: Moment, now: Moment) -> Iterator[Expected]:
    for edition in EDITIONS:
        if analysis.name in edition.reaches and (edition in was.editions) != (edition in now.editions):
            sides = [life.editions.text(edition, edition in one.editions).strip() for one in (was, now)]
            yield Expected(CauseKind.CODE, str(edition), *sides)


def markers_changed(analysis: Analysis, was: Moment, now: Moment) -> Iterator[Expected]:
    """The study's own table; which of the tables is read is a parameter."""
    if was.markers != now.markers and any(isinstance(n, Reference) for n in analysis.needs.values()):
        yield Expected(CauseKind.REFERENCE, "markers")


def listed(analysis: Analysis, cohort: str, was: Moment, now: Moment) -> Iterator[Expected]:
    """The cohort is named, or no longer."""
    field = analysis.key_field
    is_named = cohort in now.lists[analysis.name]
    if field is not None and is_named != (cohort in was.lists[analysis.name]):
        setting = now.settings[analysis.name, field]
        sides = (None, "named") if is_named else ("named", None)
        subject = f"[{setting.table}] {field}: cohort {cohort}"
        yield Expected(CauseKind.LISTED, subject, *sides, setting.place)


def cohort_changed(cohort: str, were: Sequence[Moment], now: Moment) -> Iterator[Expected]:
    """Another version, another definition. were: the moments up to the one that is compared with.

    What a definition was is what it was when its members were last others, so any earlier one may be named.
    """
    was = were[-1]
    before, after = was.keys.get(cohort), now.keys.get(cohort)
    if before != after:
        yield Expected(CauseKind.COHORT, f"cohort {cohort}", ANY, after)
    if was.definitions.get(cohort) != now.definitions.get(cohort):
        for earlier in {one.definitions.get(cohort) for one in were}:
            yield Expected(CauseKind.COHORT, f"definition of cohort {cohort}", earlier, now.definitions.get(cohort))


def members_changed(cohort: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Expected]:
    for patient in set(before) ^ set(after):
        sides = (None, "member") if patient in after else ("member", None)
        yield Expected(CauseKind.MEMBER, f"cohort {cohort}: {patient}", *sides)


def rows_changed(was: tiny.TinyArchive, now: tiny.TinyArchive, patients: Mapping[str, str]) -> Iterator[Row]:
    """The rows that one ingest of the archive's new files changed. patients: examination -> patient, of before and after."""
    for name in sorted(was.patients.keys() | now.patients.keys()):
        before, after = was.patients.get(name), now.patients.get(name)
        if before is None or after is None:
            for table in INGESTED:
                if before is not None:
                    yield Row(table, name, Expected(CauseKind.DATUM, f"{table}/{ANY}", ANY, None, ANY))
                    yield Row(
                        table, name, Expected(CauseKind.DATUM, f"{table}/{ANY}", ANY, ANY, ANY)
                    )  # one file after another
                else:
                    yield Row(
                        table, name, Expected(CauseKind.DATUM, f"{table}/{ANY}", None, ANY, f"{_file(table)}{ANY}")
                    )
            continue
        yield from _clinical(before, after, now)
        yield from _expression(before, after)
        if before.features != after.features:
            yield Row(
                "imported_features",
                name,
                Expected(CauseKind.DATUM, f"imported_features/{ANY}{name}{ANY}", ANY, ANY, ANY),
            )
        if before.images != after.images:
            for table in ("imaging_series", "imaging_instances", "imaging_studies"):
                yield Row(table, name, Expected(CauseKind.DATUM, f"{table}/{ANY}", ANY, ANY, ANY))
        if before.mask != after.mask:
            sides = (f'{{"file_sha256":{ANY}', f'{{"file_sha256":{ANY}')
            yield Row(
                "segmentations",
                name,
                Expected(CauseKind.DATUM, f"segmentations/tcga-tn/{ANY}/{name}.nrrd#1", *sides, ANY),
            )


def _file(table: str) -> str:
    return {"patients": "", "follow_ups": CLINICAL, "samples": EXPRESSION, "expression_profiles": EXPRESSION,
            "imported_features": FEATURES}.get(table, "")  # fmt: skip


def _clinical(before: tiny.TinyPatient, after: tiny.TinyPatient, archive: tiny.TinyArchive) -> Iterator[Row]:
    name = after.patient_id
    order = [p.patient_id for p in archive._ordered()]
    place = f"{CLINICAL} line {2 + 2 * order.index(name)},{ANY}"  # a header, and two lines a patient: two treatments
    if before.sex != after.sex:
        sides = [canonical({"sex": p.sex}) for p in (before, after)]
        yield Row("patients", name, Expected(CauseKind.DATUM, f"patients/{name}", *sides, place))
    if (before.is_dead, before.days) != (after.is_dead, after.days):
        subject = f"follow_ups/{name}|OS"
        if before.days is None or after.days is None:  # there was no row, or there is none
            yield Row("follow_ups", name, Expected(CauseKind.DATUM, subject, ANY, ANY, ANY))
            return
        sides = []
        for p in (before, after):
            said = {"duration_days": float(p.days)} if before.days != after.days else {}
            said |= {"event": p.is_dead} if before.is_dead != after.is_dead else {}
            sides.append(canonical(said))
        yield Row("follow_ups", name, Expected(CauseKind.DATUM, subject, *sides, place))


def _expression(before: tiny.TinyPatient, after: tiny.TinyPatient) -> Iterator[Row]:
    """Profiles that differ, came or went, and their samples, of which the tumour's may have two profiles."""
    name, place = after.patient_id, f"{EXPRESSION} line 1,{ANY}"
    samples: list[set[str]] = [set(), set()]  # before, after
    for what, barcode in PROFILES.items():
        was, now = getattr(before, what), getattr(after, what)
        for side, values in zip(samples, (was, now), strict=True):
            side |= set() if values is None else {barcode[:3]}
        subject = f"expression_profiles/{name}-{barcode}:rsem:{EXPRESSION}"
        if was is not None and now is not None and was != now:
            genes = sorted(g for g in was if was[g] != now[g])
            sides = [canonical({g: side[g] for g in genes}) for side in (was, now)]
            yield Row("expression_profiles", name, Expected(CauseKind.DATUM, subject, *sides, place))
        elif was != now:
            yield Row("expression_profiles", name, Expected(CauseKind.DATUM, subject, *_came(was is None), place))
    for sample in samples[0] ^ samples[1]:
        cause = Expected(CauseKind.DATUM, f"samples/{name}-{sample}", *_came(sample in samples[1]), place)
        yield Row("samples", name, cause)


def _came(is_new: bool) -> tuple[str | None, str | None]:
    """What stands before and after of a row that came, or went."""
    return (None, "{}") if is_new else ("{}", None)
