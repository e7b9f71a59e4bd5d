"""Whether an analysis is declared as it can run: judged when its record is made, so when its module is imported.

A word that is wrong or missing here would show itself as a failure of every patient, or in a plan that says nothing. Each
problem is a TypeError that names the word. Nothing is read from disk but the names of libraries in the metadata of the
package, once.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, NoReturn, get_args, get_origin

from tshdb.config import Parameters
from tshdb.engine.needs import KEY_COLUMNS, Chosen, Input, Kind, Made, Named, Need, Reference, Relation
from tshdb.engine.outside.record import judge_program

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis

GIVEN = ("params", "seed", "seeds", "members", "work")  # what a function may take besides its inputs
OURS = "tshdb"
PACKAGES = ("tshdb", "analyses", "ingest", "cli", "migrations")  # of the distribution tshdb


def judge(record: Analysis) -> None:
    """Raises TypeError, with the word that is wrong or missing, for a declaration that cannot run."""

    def wrong(what: str) -> NoReturn:
        raise TypeError(f"analysis {record.name}: {what}")

    _judge_words(record, wrong)
    _judge_cohorts(record, wrong)
    _judge_inputs(record, wrong)
    _judge_arguments(record, wrong)
    _judge_table(record, wrong)
    _judge_learns(record, wrong)
    judge_program(record, wrong)
    _judge_libraries(record, wrong)


def _judge_words(record: Analysis, wrong: Callable[[str], NoReturn]) -> None:
    if not isinstance(record.kind, Kind):
        wrong(f"kind '{record.kind}' is none of {', '.join(Kind)}")
    if record.per not in KEY_COLUMNS:
        wrong(f"per '{record.per}' is none of {', '.join(KEY_COLUMNS)}")
    if record.over_cohort != (record.kind in (Kind.FIT, Kind.SUMMARY)):
        wrong(f"kind {record.kind} with per '{record.per}': fit and summary are per cohort, map and apply are not")
    if not (isinstance(record.params, type) and issubclass(record.params, Parameters)):
        wrong(f"params {record.params!r} is no subclass of Parameters")
    if not (isinstance(record.source, str) and record.source.strip()):
        wrong("source is empty: name the DOI and section that it follows")
    if record.identity is not None and record.kind is not Kind.FIT:
        wrong(f"identity '{record.identity}' is for a fit alone")
    if record.replaces is not None and not (isinstance(record.replaces, str) and record.replaces != record.name):
        wrong(f"replaces {record.replaces!r} is no other analysis's name")
    if record.asked_by is not None:
        field = record.params.model_fields.get(record.asked_by)
        if field is None or get_origin(field.annotation) is not tuple:
            wrong(f"asked_by '{record.asked_by}' is no field of {record.params.__name__} that is a tuple")
        if record.over_cohort:
            wrong(f"asked_by '{record.asked_by}' with per 'cohort': cohorts ask for it")
    if not (isinstance(record.batch, int) and record.batch > 0):
        wrong(f"batch {record.batch!r} is no number of keys")


def _judge_cohorts(record: Analysis, wrong: Callable[[str], NoReturn]) -> None:
    named = record.cohorts
    if not record.over_cohort:
        if named:
            wrong(f"cohorts {named!r} with per '{record.per}': only fit and summary have cohorts")
        return
    if isinstance(named, str):
        field = record.params.model_fields.get(named)
        if field is None:
            wrong(f"cohorts '{named}' is no field of {record.params.__name__}")
        kind = field.annotation
        if kind is not str and not (get_origin(kind) is tuple and get_args(kind) == (str, ...)):
            wrong(f"cohorts '{named}': the field is neither a str nor a tuple[str, ...]")
    elif not (isinstance(named, tuple) and named and all(isinstance(n, str) and n for n in named)):
        wrong(f"cohorts {named!r} is neither the name of a field of its parameters nor a tuple of names of cohorts")


def _judge_inputs(record: Analysis, wrong: Callable[[str], NoReturn]) -> None:
    for role, need in record.needs.items():
        if role in GIVEN:
            wrong(f"the role '{role}' is a name that the engine gives itself")
        if not isinstance(need, Input):
            wrong(f"the role '{role}' is no Need, Named, Model, Reference, Trained or Made")
        if isinstance(need, Named | Chosen):
            field = record.params.model_fields.get(need.parameter)
            if field is None or field.annotation is not str:
                wrong(f"the role '{role}': '{need.parameter}' is no field of {record.params.__name__} that is a str")
        if isinstance(need, Named):
            continue
        if not hasattr(need.table, "__table__"):
            wrong(f"the role '{role}': {need.table!r} is no table")
        if not isinstance(need, Need):
            continue
        if not isinstance(need.via, Relation):
            wrong(f"the role '{role}': via {need.via!r} is no Relation")
        of = "patient" if record.over_cohort else record.per
        if need.via.per != of:
            wrong(f"the role '{role}': '{need.via.name}' relates inputs to a {need.via.per}, not to a {of}")
        if need.genes is not None:
            chooser = need.genes[0]
            if not isinstance(record.needs.get(chooser), Reference | Made):
                wrong(f"the role '{role}': genes are chosen by '{chooser}', which is no role of a reference")


def _judge_arguments(record: Analysis, wrong: Callable[[str], NoReturn]) -> None:
    """The roles, and what the engine gives besides, are the function's arguments: nothing more and nothing less."""
    taken = inspect.signature(record.function).parameters
    for name, each in taken.items():
        if each.kind not in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY):
            wrong(f"the argument '{name}' cannot be given by its name")
        if name not in record.needs and name not in GIVEN:
            wrong(
                f"the argument '{name}' is no role of needs ({', '.join(record.needs)}), and none of {', '.join(GIVEN)}"
            )
    for role in record.needs:
        if role not in taken:
            wrong(f"the role '{role}' is no argument of the function ({', '.join(taken)})")
    if "members" in taken and not record.over_cohort:
        wrong(f"the argument 'members' with per '{record.per}': only a cohort has members")
    if "seed" in taken and not record.over_cohort and record.batch > 1:
        wrong(f"the argument 'seed' with per '{record.per}': keys of one call have a seed each, write seeds")


def _judge_table(record: Analysis, wrong: Callable[[str], NoReturn]) -> None:
    table = getattr(record.makes, "__table__", None)
    if table is None or "unit_id" not in table.columns:
        wrong(f"makes {record.makes!r} is no result table (a UnitPayload)")
    if record.key_column not in table.columns:
        wrong(f"per '{record.per}', but {table.name} has no column {record.key_column}")
    for column in record.tracks:
        if column not in table.columns:
            wrong(f"tracks '{column}' is no column of {table.name}")


def _judge_learns(record: Analysis, wrong: Callable[[str], NoReturn]) -> None:
    for role in record.tests or ():
        if role not in record.needs:
            wrong(f"tests '{role}' is no role of needs ({', '.join(record.needs)})")
    if record.spared is not None and record.spared[0] not in record.makes.__table__.columns:
        wrong(f"spared '{record.spared[0]}' is no column of {record.makes.__tablename__}")
    if record.learns is None:
        return
    if record.kind is not Kind.FIT:
        wrong("learns is for a fit alone")
    for learns in record.learns:
        if learns.outcome is not None and not isinstance(record.needs.get(learns.outcome), Need):
            wrong(f"learns '{learns.outcome}' is no role of a Need")
        for field in (learns.when[0] if learns.when else None, learns.elsewhere):
            if field is not None and field not in record.params.model_fields:
                wrong(f"learns '{field}' is no field of {record.params.__name__}")
        if learns.honest is not None and learns.honest not in record.makes.__table__.columns:
            wrong(f"learns '{learns.honest}' is no column of {record.makes.__tablename__}")


def _judge_libraries(record: Analysis, wrong: Callable[[str], NoReturn]) -> None:
    for option in ("libraries", "strict_libraries"):
        names = getattr(record, option)
        if not isinstance(names, tuple) or not all(isinstance(n, str) for n in names):
            wrong(f"{option} {names!r} is no tuple of names of packages")
        if not names:
            continue
        package = record.function.__module__.partition(".")[0]
        declared = _declared(OURS if package in PACKAGES else package)
        unknown = [n for n in names if _plain(n) not in declared] if declared is not None else []
        if unknown:
            wrong(f"{option}: '{unknown[0]}' is no dependency of the package that declares it")


@lru_cache
def _declared(distribution: str) -> frozenset[str] | None:
    """The dependencies of a distribution, extras included, and for another one ours; None without metadata."""
    required = _requirements(distribution)
    if required is None:
        for name in metadata.packages_distributions().get(distribution, ()):
            required = (required or frozenset()) | (_requirements(name) or frozenset())
    if required is None or distribution == OURS:
        return required
    return required | (_requirements(OURS) or frozenset())


def _requirements(distribution: str) -> frozenset[str] | None:
    try:
        requirements: list[Any] = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return None
    return frozenset(_plain(re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0]) for text in requirements)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
