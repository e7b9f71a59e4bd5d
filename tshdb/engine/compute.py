"""One batch: call the function, split its rows by key, and isolate the keys that fail.

No database, no clock but for timing; the one thing that it writes are objects. Runs in this process or in a worker; the
result is the same.
"""

from __future__ import annotations

import importlib
import inspect
import math
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Double, Integer
from threadpoolctl import ThreadpoolController

from tshdb import unwheeled
from tshdb.canonical import digest, rows_fingerprint, to_significant
from tshdb.engine.analysis import Analysis
from tshdb.engine.homes import Home, open_home
from tshdb.engine.identity import loaded_digest, process_name
from tshdb.engine.inputs import Inputs
from tshdb.engine.outside.record import Failed
from tshdb.engine.returned import frames_in_words, judge_column, judge_frame, judge_rows, place_of
from tshdb.engine.work import Work, clear
from tshdb.errors import Untrustworthy
from tshdb.everyday import refuse_of_machine
from tshdb.extras import missing
from tshdb.loaded import NotShown
from tshdb.objects import ObjectStore

if TYPE_CHECKING:
    import pandas as pd

    from tshdb.schema import UnitPayload

UNKNOWN = "unknown: "  # in place of a digest
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Task:
    """A batch to compute.

    analysis: `module:name` of the record, so that any process can find it.
    params: canonical JSON.
    homes: where the code of studies' own folders lies.
    work: of a lone key.
    modules, libraries: what the results rest on.
    loaded: their digest in the process that will commit.
    texts, interpreter: of a program, its files as they were recorded, and the command that prints its version.
    """

    analysis: str
    keys: tuple[str, ...]
    inputs: Inputs
    params: str
    study_seed: int
    objects: Path
    work: Work = Work()
    modules: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    loaded: str = ""
    homes: tuple[Home, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    interpreter: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of one key: rows and their fingerprint, or the message of what went wrong.

    loaded: the digest of what its process has loaded (see `identity`); process: which one that was.
    """

    key: str
    rows: list[dict]
    fingerprint: str | None
    message: str | None
    seconds: float
    loaded: str = ""
    process: str = ""

    @property
    def why_foreign(self) -> str:
        """Why it is not taken, if its digest is not that of the run, in words."""
        return self.loaded.partition(UNKNOWN)[2] or "it has loaded other code or other libraries than this run"


def locate(analysis: Analysis) -> str:
    return f"{analysis.function.__module__}:{analysis.name}"


def seed_of(study_seed: int, analysis: str, key: str) -> int:
    """The seed of one unit: from the study's seed, the analysis and the key, so never from its company or order.

    All versions of a cohort have one seed, so that a refit on the same members gives the same result.
    """
    key = key.partition("@")[0]
    return int(digest(str(study_seed).encode(), analysis.encode(), key.encode())[:8], 16)


def compute(task: Task) -> list[Outcome]:
    """The outcomes of all keys. A batch that fails is halved until the guilty key stands alone.

    A process that has loaded something else than the task asks for computes nothing: nobody would take it.
    """
    for home in task.homes:
        open_home(home)
    if (loaded := _loaded(task)) != task.loaded:
        return [Outcome(key, [], None, None, 0.0, loaded, process_name()) for key in task.keys]
    with _pools_of_one():
        outcomes = _computed(task)
    if (loaded := _loaded(task)) != task.loaded:  # a library was upgraded meanwhile
        clear(task.work.folder)
    return [replace(outcome, loaded=loaded, process=process_name()) for outcome in outcomes]


@contextmanager
def _pools_of_one() -> Iterator[None]:
    """Libraries that are loaded inside make thread pools of one thread.

    What an analysis imports itself comes too late to be limited with the pools that there are; more threads than cores, which
    wait for each other, then take ten times as long.
    """
    before = {name: os.environ.get(name) for name in POOLS}
    os.environ.update(dict.fromkeys(POOLS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _loaded(task: Task) -> str:
    try:
        return loaded_digest(task.modules, task.libraries, task.interpreter)
    except NotShown as error:
        return f"{UNKNOWN}{error}"


def _computed(task: Task) -> list[Outcome]:
    module, name = task.analysis.split(":")
    analysis: Analysis = getattr(importlib.import_module(module), name)
    with _thread_pools(len(sys.modules)).limit(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _compute(analysis, task, task.keys, task.inputs)


@lru_cache(maxsize=1)
def _thread_pools(_n_modules: int) -> ThreadpoolController:
    """The thread pools of the libraries that are loaded; looked for again when more modules are."""
    return ThreadpoolController()


def _compute(analysis: Analysis, task: Task, keys: Sequence[str], inputs: Inputs) -> list[Outcome]:
    started = time.perf_counter()
    arguments: dict[str, Any] = {}
    try:
        arguments |= inputs.values
        accepted = inspect.signature(analysis.function).parameters
        if "seeds" in accepted:
            arguments["seeds"] = {key: seed_of(task.study_seed, analysis.name, key) for key in keys}
        if "seed" in accepted:
            arguments["seed"] = seed_of(task.study_seed, analysis.name, keys[0])
        if "work" in accepted:
            arguments["work"] = task.work
        if "members" not in accepted:
            arguments.pop("members", None)
        if "params" in accepted:
            arguments["params"] = analysis.given(analysis.params.model_validate_json(task.params))
        frame = _called(analysis, arguments, task)
        by_key = split(analysis, frame, keys, ObjectStore(task.objects))
    except Untrustworthy:
        raise
    except Exception as error:  # whatever else an analysis raises is that unit's failure, never the run's
        refuse_of_machine(error)
        if len(keys) == 1:
            message = _message(error, analysis, arguments)
            return [Outcome(keys[0], [], None, message, time.perf_counter() - started)]
        middle = len(keys) // 2
        return [
            outcome
            for half in (keys[:middle], keys[middle:])
            for outcome in _compute(analysis, task, half, inputs.of(half))
        ]
    seconds = (time.perf_counter() - started) / len(keys)
    return [
        Outcome(key, rows, payload_fingerprint(analysis.makes, rows), None, seconds) for key, rows in by_key.items()
    ]


def _called(analysis: Analysis, arguments: dict[str, Any], task: Task) -> pd.DataFrame:
    if analysis.program is None:
        return analysis.function(**arguments)
    from tshdb.engine.outside.call import call

    return call(analysis, arguments, dict(task.texts))


def _message(error: Exception, analysis: Analysis, arguments: Mapping[str, Any]) -> str:
    """What a unit's failure says; in the code of a guest, where; of a column that there is not, those that there are."""
    if isinstance(error, Failed):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and (text := unwheeled.missing(error) or missing(error)):
        return text
    said, place = f"{type(error).__name__}: {error}".strip(), place_of(error, analysis)
    has = f". {frames_in_words(arguments)}" if place and isinstance(error, KeyError | AttributeError) else ""
    return f"{said}{place}{has}"


def split(analysis: Analysis, frame: pd.DataFrame, keys: Sequence[str], objects: ObjectStore) -> dict[str, list[dict]]:
    """The rows of each key, as plain values; bytes of objects are stored, before any row can name them.

    Raises ValueError for rows of a key that was not asked for, and for what does not fit the table.
    """
    judge_frame(analysis, frame)
    by_key: dict[str, list[dict]] = {key: [] for key in keys}
    columns = [c for c in analysis.makes.__table__.columns if c.name != "unit_id"]
    frame = frame.copy(deep=False)
    if analysis.over_cohort and analysis.key_column in {c.name for c in columns}:
        frame[analysis.key_column] = keys[0]
    missing = [c.name for c in columns if c.name not in frame and not c.nullable]
    if missing and len(frame):
        raise ValueError(f"{analysis.name} did not give {', '.join(missing)}")
    converted = {}
    for column in columns:
        if column.name in frame:
            judge_column(analysis, column, frame[column.name])
            converted[column.name] = _converted(_stored(frame[column.name], column, objects), column)
        else:
            converted[column.name] = [None] * len(frame)
    owners = [keys[0]] * len(frame) if analysis.over_cohort else list(frame[analysis.key_column]) if len(frame) else []
    names = list(converted)
    for owner, values in zip(owners, zip(*converted.values(), strict=True), strict=True):
        if owner not in by_key:
            raise ValueError(f"{analysis.name} gave rows of {owner}, which was not asked for")
        by_key[owner].append(dict(zip(names, values, strict=True)))
    judge_rows(analysis, owners, converted)
    return by_key


def _converted(series: pd.Series, column) -> list:
    """As `_plain`; the error of a value that cannot be converted names its column."""
    try:
        return _plain(series, column)
    except (TypeError, ValueError) as error:
        raise ValueError(f"column {column.name}: {error}") from error


def _stored(series: pd.Series, column, objects: ObjectStore) -> pd.Series:
    """Bytes as the names of the objects that they have become; anything else as it is."""
    import pandas as pd

    suffix = column.info.get("object")
    if suffix is None:
        return series
    names = [
        objects.put(lambda path, v=v: path.write_bytes(v), suffix)[0] if isinstance(v, bytes) else v  # type: ignore[misc]
        for v in series
    ]
    return pd.Series(names, index=series.index, dtype=object)


def _plain(series: pd.Series, column) -> list:
    """A column's values as None, bool, int, float or str, rounded where the table declares digits. Never NaN."""
    from pandas import NA, NaT

    kind = column.type
    values = [
        None if v is None or v is NA or v is NaT or (isinstance(v, float) and v != v) else v for v in series.tolist()
    ]
    if isinstance(kind, Boolean):
        return [None if v is None else bool(v) for v in values]
    if isinstance(kind, Integer):
        return [None if v is None else int(v) for v in values]
    if isinstance(kind, Double):
        digits = column.info.get("digits")
        floats = [None if v is None or math.isinf(v) else float(v) + 0.0 for v in values]
        return [to_significant(v, digits) for v in floats] if digits else floats
    return [None if v is None else str(v) for v in values]


def payload_fingerprint(table: type[UnitPayload], rows: list[dict]) -> str:
    """The fingerprint of a unit's rows, without the columns that only describe them."""
    columns = sorted(c.name for c in table.__table__.columns if c.info.get("fingerprint", True))
    return rows_fingerprint(columns, ([row[c] for c in columns] for row in rows))
