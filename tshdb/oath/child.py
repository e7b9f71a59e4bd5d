"""A process that computes units of one analysis in other surroundings, or under watch, and says what came out.

Started by `request.ask`. A job is a function of this module: of the tasks and the options, its answer is plain values.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pickle
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.engine.compute import Outcome, Task, compute
from tshdb.engine.executor import InProcess
from tshdb.engine.homes import open_home
from tshdb.engine.work import Work
from tshdb.oath import results, variants
from tshdb.oath.state import kept
from tshdb.process import in_child

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis
    from tshdb.oath.request import Request
    from tshdb.oath.watch import Watch

FEW = 3  # keys, where each is computed alone


class ForeignLoad(RuntimeError):
    """This process has loaded something else than the one that asked."""


def main(question: str, answer: str) -> None:
    """Read the request, do its jobs in turn, write the answers."""
    request: Request = pickle.loads(Path(question).read_bytes())  # noqa: S301 - written by the process that started this
    sys.argv = [f"oath-{request.state}"]
    set_chance(request.state)
    answers = {name: globals()[name](request.tasks, request.options) for name in request.jobs}
    written = Path(f"{answer}.writing")
    written.write_bytes(pickle.dumps(answers))
    os.replace(written, answer)


def set_chance(state: int) -> None:
    """Give the global random generators a state."""
    import numpy as np

    random.seed(state)
    np.random.seed(state)


# --------------------------------------------------------------------------------------------------------------- jobs


def whole(tasks: Sequence[bytes], options: Mapping[str, Any]) -> results.Results:
    """Every task as it stands."""
    return computed(_task(t) for t in tasks)


def again(tasks: Sequence[bytes], options: Mapping[str, Any]) -> results.Results:
    """The same once more, the last task first."""
    return computed(_task(t) for t in reversed(tasks))


def alone(tasks: Sequence[bytes], options: Mapping[str, Any]) -> results.Results:
    """Every key by itself, the last one first; of each task a few, if it takes long."""
    keys = [(t, key) for t in tasks for key in _keys(t, options)]
    return computed(replace(task := _task(t), keys=(key,), inputs=task.inputs.of([key])) for t, key in reversed(keys))


def together(tasks: Sequence[bytes], options: Mapping[str, Any]) -> results.Results:
    """All keys of all tasks in one call, where their inputs can be put together."""
    return computed([variants.joined([_task(t) for t in tasks])])


def parts(tasks: Sequence[bytes], options: Mapping[str, Any]) -> dict[str, bool | None]:
    """part of the declaration -> whether the results are others without it; None where there was nothing to leave out."""
    tasks = sorted(tasks, key=len, reverse=True)[: options["n_tasks"]]  # those with most rows
    before = computed(_task(t) for t in tasks)

    def moves(changed: variants.Changed) -> bool | None:
        if all(changed(_task(t)) is None for t in tasks):
            return None
        return bool(results.differing(before, computed(changed(_task(t)) or _task(t) for t in tasks)))

    def noticed(changed: variants.Changed) -> bool | None:
        """As `moves`, in a process of its own: a library that is given nothing may take its process along."""
        try:
            return in_child(lambda: moves(changed))
        except RuntimeError:
            return True

    answers: dict[str, bool | None] = {}
    for name, changes in variants.without(_analysis(_task(tasks[0]))):
        moved = [so for changed in changes if (so := noticed(changed)) is not None]
        answers[name] = any(moved) if moved else None
    return answers


def raw(tasks: Sequence[bytes], options: Mapping[str, Any]) -> dict[str, bool]:
    """column with digits -> whether rounding it changes anything, seen on what the function itself gives."""
    from tshdb.canonical import to_significant

    frames: list[Any] = []
    tasks = tasks[:1]
    with replaced(_task(tasks[0]), lambda function: _keeping(function, frames)) as analysis:
        for t in tasks:
            compute(_task(t))
    digits = {c.name: c.info["digits"] for c in analysis.makes.__table__.columns if c.info.get("digits")}
    return {
        name: any(v == v and v is not None and to_significant(float(v), n) != v
                  for frame in frames if name in frame for v in frame[name].tolist())
        for name, n in digits.items()
    }  # fmt: skip


def watched(tasks: Sequence[bytes], options: Mapping[str, Any]) -> dict[str, Any]:
    """What is read that is no argument, while the function is called twice on each task, and while its modules are imported.

    Gives reads: as (kind, what, where); state: names in which something lives from call to call; chance: the generators
    that were drawn from without a seed.
    """
    from tshdb.oath.names import ENGINE
    from tshdb.oath.watch import Watch

    first = _task(tasks[0])
    declared = frozenset(os.path.abspath(path) for t in tasks for path in variants.paths(_task(t)))
    project = frozenset(options["project"])
    watch = Watch(project, declared, _folders(project, first))
    for home in first.homes:
        open_home(home)
    with watch.on():
        importlib.import_module(first.analysis.partition(":")[0])
    own = [m for m in sys.modules if m in project or m.partition(".")[0] in project]
    modules = [m for m in own if not m.startswith(ENGINE)]
    before, states = kept(modules), []
    with replaced(first, lambda function: _watched(function, watch)):
        for state in (101, 202):
            set_chance(state)
            begun = _chance()
            for t in tasks:
                compute(_task(t))
            states.append((begun, _chance()))
    after = kept(modules)
    drawn = [
        name for name in states[0][0]
        if states[0][0][name] != states[0][1][name] and states[0][1][name] != states[1][1][name]
    ]  # fmt: skip
    seeded = {f"random.{name}" for name in ("random", "getrandbits")} if "random" not in drawn else set()
    return {
        "reads": [tuple(map(str, read)) for read in watch.reads if read.what not in seeded],
        "state": sorted(name for name in after if name in before and before[name] != after[name]),
        "chance": [name for name in drawn if name != "random"],  # whose draws are among the reads
        "modules": sorted(modules),
    }


def killed(tasks: Sequence[bytes], options: Mapping[str, Any]) -> None:
    """A rebuild of the study at options["root"], which is killed while units of the analysis are computed."""
    from tshdb.oath.trial_study import rebuild
    from tshdb.study import Study

    executor = Killed(options["name"], options["seconds"], options["at"])
    rebuild(Study(options["root"]), [options["name"]], options["batch"], executor=executor)


class Killed(InProcess):
    """Kills this process in the middle of a task of the analysis. at: of its tasks, from 0; None: never."""

    def __init__(self, name: str, seconds: float, at: int | None):
        super().__init__()
        self.name, self.seconds, self.at, self.passed = name, seconds, at, 0

    def run(self, tasks):
        """See `Executor`."""
        for task in tasks:
            is_one = task.analysis.endswith(f":{self.name}")
            if is_one and self.passed == self.at:
                threading.Timer(self.seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()
                compute(task)
                os.kill(os.getpid(), signal.SIGKILL)  # it was quicker
            self.passed += is_one
            yield task, compute(task)


# ----------------------------------------------------------------------------------------------------------- computing


def computed(tasks: Iterable[Task]) -> results.Results:
    """The results of tasks. Raises ForeignLoad where this process has loaded something else."""
    found: results.Results = {}
    for task in tasks:
        outcomes = compute(task)
        _refuse_foreign(task, outcomes)
        found |= results.of_outcomes(_analysis(task).makes.__table__, outcomes)
    return found


def _refuse_foreign(task: Task, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.loaded != task.loaded:
            raise ForeignLoad(outcome.why_foreign)


def _task(pickled: bytes) -> Task:
    """A task as it was, whatever an earlier call did to its frames; it keeps no work in progress."""
    task: Task = pickle.loads(pickled)  # noqa: S301 - of the request
    return replace(task, work=Work())


def _analysis(task: Task) -> Analysis:
    for home in task.homes:
        open_home(home)
    module, name = task.analysis.split(":")
    return getattr(importlib.import_module(module), name)


def _keys(task: bytes, options: Mapping[str, Any]) -> Sequence[str]:
    keys = pickle.loads(task).keys  # noqa: S301 - of the request
    return keys[:FEW] if options.get("is_slow") else keys


class replaced:
    """The analysis of a task with another function, while inside; `compute` finds it by name."""

    def __init__(self, task: Task, changed: Callable[[Callable], Callable]):
        self.module = importlib.import_module(task.analysis.partition(":")[0])
        self.name, self.analysis, self.changed = task.analysis.partition(":")[2], _analysis(task), changed

    def __enter__(self) -> Analysis:
        setattr(self.module, self.name, replace(self.analysis, function=self.changed(self.analysis.function)))
        return self.analysis

    def __exit__(self, *_: object) -> None:
        setattr(self.module, self.name, self.analysis)


def _keeping(function: Callable, frames: list[Any]) -> Callable:
    @wraps(function)
    def keeping(**arguments):
        frames.append(function(**arguments))
        return frames[-1]

    return keeping


def _watched(function: Callable, watch: Watch) -> Callable:
    @wraps(function)
    def called(**arguments):
        with watch.on():
            return function(**arguments)

    return called


def _chance() -> dict[str, Any]:
    """The states of the global random generators."""
    import numpy as np

    state: Any = np.random.get_state()
    return {"random": random.getstate(), "numpy.random": (state[1].tobytes(), *state[2:])}


def _folders(project: frozenset[str], task: Task) -> tuple[str, ...]:
    """Where the project's code lies: what is read there, and not imported, is data that nobody declared."""
    folders = [f"{home.folder.resolve()}/" for home in task.homes]
    for name in {p.partition(".")[0] for p in project} - {"tshdb"} - {home.package for home in task.homes}:
        spec = importlib.util.find_spec(name)
        folders += [f"{os.path.abspath(place)}/" for place in (spec.submodule_search_locations or [])] if spec else []
    return tuple(folders)
