"""Seeded faults in the statistics: one comparison, sum, product or constant of a module is another, and a test must see it.

MUTANTS places are drawn from the modules of MODULES, each tried with the tests of its module (the values that R and others give),
which end at the first failure. What survives is printed with its place and the change: a test is wanted, or nothing that can be
seen has changed, and equivalent_mutants.toml says why. What the time limit ended is counted apart. TSHDB_MUTANTS says another
number.

TSHDB_MUTANTS_KEPT names a file of what was tried, from which a run goes on that was interrupted. What was seen stays so as long
as the tests that saw it are the same, whatever others there are now; what survived is tried again with other tests.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from soak import Figure
from tests.support.in_time import left
from tests.support.in_time import tried as of
from tests.support.program import ROOT

LIBRARIES = (
    "lifelines.statistics",
    "networkx",
    "pandas",
    "pydantic",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.linear_model",
    "sqlalchemy",
    "tshdb.engine.analysis",
    "tshdb.engine.relations",
    "tshdb.schema",
)
MUTANTS, GOAL = 200, 0.95
EQUIVALENT = Path(__file__).parent / "equivalent_mutants.toml"
WORKERS = 2
LONGEST = 180  # seconds of the processor, of the tests of one mutant: a loop that does not end is a fault that was seen
SHARED = "analyses/shared/"
COX, SMALLEST = "test_cox.py", "test_smallest_cases.py"
SEEN, SURVIVED, ENDLESS = "seen", "survived", "time limit"
MODULES = {  # the tests that hold a module's numbers
    f"{SHARED}calibration.py": "test_auc.py",
    f"{SHARED}competing_risks.py": f"test_competing_risks.py {SMALLEST}",
    f"{SHARED}concordance.py": "test_concordance.py",
    f"{SHARED}cox.py": f"test_cox.py test_nested.py {SMALLEST}",
    f"{SHARED}curves.py": "test_quantiles.py test_curves.py",
    f"{SHARED}delong.py": "test_auc.py",
    f"{SHARED}multiple_testing.py": "test_small_samples.py",
    f"{SHARED}paired_auc.py": "test_paired_auc.py",
    f"{SHARED}penalised_cox.py": f"{COX}::test_penalised_estimates_are_rs {COX}::test_the_penalised_ratio_is_the_p_value",
    f"{SHARED}performance.py": "test_auc.py test_measures.py",
    f"{SHARED}proportionality.py": f"{COX}::test_proportional_hazards_are_rs_cox_zph "
    f"{COX}::test_with_all_deaths_at_one_time_hazards_cannot_change test_schoenfeld.py",
    f"{SHARED}quantiles.py": "test_quantiles.py",
    f"{SHARED}risk_sets.py": f"{COX}::test_estimates_are_rs {COX}::test_survival_at_a_time_is_rs test_nested.py",
    f"{SHARED}schoenfeld.py": f"test_schoenfeld.py {SMALLEST}",
    f"{SHARED}separation.py": f"test_cox.py test_nested.py {SMALLEST}",
    f"{SHARED}survival.py": "test_logrank.py test_cutoff.py",
    "analyses/expression/compartment_tests.py": f"test_wilcoxon.py test_compartments.py {SMALLEST}",
    "analyses/imaging/feature_stability.py": "test_small_samples.py",
    "analyses/networks/network_parameters.py": "test_networks.py test_network_tests.py",
    "analyses/networks/topology.py": f"test_networks.py {SMALLEST}",
    "analyses/prognosis/cutoff.py": f"test_cutoff.py {SMALLEST}",
    "analyses/signature/calibration_groups.py": "test_calibration.py test_calibration_groups.py",
    "tshdb/truths/agreement.py": f"unit/test_agreement.py {SMALLEST}",
}
OTHER: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


class Fault(NamedTuple):
    """One change of a module: its whole text with it, the line, and the statement before and after."""

    file: str
    line: int
    before: str
    after: str
    text: str


def faults(file: str) -> list[Fault]:
    """All single changes of a module: operators and numbers, outside of docstrings, annotations and what is raised."""
    source = (ROOT / file).read_text(encoding="utf-8")
    found = []
    n = len(_places(ast.parse(source)))
    for i in range(n):
        tree = ast.parse(source)
        node, at = _places(tree)[i]
        before = ast.unparse(node)
        _change(node, at)
        found.append(Fault(file, node.lineno, before, ast.unparse(node), ast.unparse(tree)))
    return found


def _places(tree: ast.AST) -> list[tuple[ast.expr, int]]:
    """(expression, which of its operators) of all that can be changed, in the order of the text."""
    places: list[tuple[ast.expr, int]] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.Raise | ast.AnnAssign | ast.JoinedStr | ast.Import | ast.ImportFrom):
            return
        if isinstance(node, ast.Compare):
            places.extend((node, j) for j, op in enumerate(node.ops) if type(op) in OTHER)
        elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in OTHER and not _is_of_types(node):
            places.append((node, 0))
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            places.append((node, 0))
        fields = [(n, v) for n, v in ast.iter_fields(node) if n not in ("annotation", "returns", "decorator_list")]
        for _, value in fields:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    visit(child)

    visit(tree)
    return places


def _is_of_types(node: ast.BinOp | ast.BoolOp) -> bool:
    """Whether it is text or types that are joined: `"a" + b`, `int | None`."""
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str | None) for part in ast.walk(node))


def _change(node: ast.expr, at: int) -> None:
    if isinstance(node, ast.Compare):
        node.ops[at] = OTHER[type(node.ops[at])]()
    elif isinstance(node, ast.BinOp | ast.BoolOp):
        node.op = OTHER[type(node.op)]()
    elif isinstance(node, ast.Constant):
        node.value = node.value + 1 if isinstance(node.value, int) else node.value * 1.5 + (node.value == 0)


def run(folder: Path, seed: int) -> Iterator[Figure]:
    every = [fault for file in MODULES for fault in faults(file)]
    n = int(os.environ.get("TSHDB_MUTANTS", MUTANTS))
    tried = random.Random(seed).sample(every, min(n, len(every)))
    ends = _ends(tried, folder, os.environ.get("TSHDB_MUTANTS_KEPT"))
    if not ends:
        yield Figure("faults that were tried", "none: no time was left", is_met=False)
        return
    survivors = [fault for fault, end in ends.items() if end == SURVIVED]
    known = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["fault"]
    equivalent = {(row["file"], row["line"], row["before"], row["after"]) for row in known}
    explained = [f for f in survivors if (f.file, _line(f), f.before, f.after) in equivalent]
    share = 1 - (len(survivors) - len(explained)) / max(1, len(ends) - len(explained))
    what = f"of {of(len(ends), len(tried))} faults, drawn from {len(every)}, {len(explained)} change nothing that can be seen"
    what += "; of the others are seen"
    yield Figure(what, f"{share:.1%}", f"{GOAL:.0%}", share >= GOAL)
    yield Figure("seen of all, those that change nothing too", f"{1 - len(survivors) / len(ends):.1%}")
    yield Figure("seen by the time limit", str(list(ends.values()).count(ENDLESS)))
    for fault in sorted({*survivors} - {*explained}):
        yield Figure("survived", f"{fault.file}:{fault.line}: {fault.before}  ->  {fault.after}")


def _ends(tried: list[Fault], folder: Path, kept: str | None) -> dict[Fault, str]:
    """Fault -> SEEN, SURVIVED or ENDLESS. kept: a file of a line a fault, which is read and gets longer."""
    whole = {MODULES[name]: Fault(name, 0, "", "", (ROOT / name).read_text(encoding="utf-8")) for name in MODULES}
    file = Path(kept or folder / "kept.jsonl")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    known = {row["text"]: row for row in map(json.loads, lines)}
    digests = {fault: (_digest(fault.text), _digests(fault)) for fault in (*tried, *whole.values())}
    ends = {f: known[text]["end"] for f, (text, tests) in digests.items() if _stands(known.get(text), tests)}

    def keep(fault: Fault, end: str) -> None:
        ends[fault] = end
        text, tests = digests[fault]
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"end": end, "fault": fault[:4], "text": text, "tests": tests}) + "\n")

    _try_all([fault for fault in digests if fault not in ends], folder, keep)
    return {fault: ends[fault] for fault in tried if fault in ends}


def _try_all(due: list[Fault], folder: Path, keep: Callable[[Fault, str], None]) -> None:
    """Each in a process of its own, which begins where pytest has started; those without a fault first."""
    for name in LIBRARIES:
        importlib.import_module(name)
    trials, this = _Trials(due, keep), os.getpid()
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
    streams = [os.dup(1), os.dup(2)]
    with open(os.devnull, "w") as nowhere:
        for stream in (1, 2):
            os.dup2(nowhere.fileno(), stream)
    code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", str(ROOT / "tests")], plugins=[trials])
    if os.getpid() != this:
        os._exit(int(code))
    for stream, was in zip((1, 2), streams, strict=True):
        os.dup2(was, stream)
    if trials.error:
        raise trials.error


class _Trials:
    """A plugin of pytest: it divides the session where it begins."""

    def __init__(self, due: list[Fault], keep: Callable[[Fault, str], None]):
        self.error: Exception | None = None
        self._due, self._keep = due, keep

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        running: dict[int, Fault] = {}
        while running or (self._due and (left() > 0 or not self._due[-1].line)):
            if self._due and len(running) < WORKERS and (left() > 0 or not self._due[-1].line):
                fault = self._due.pop()
                if not (process := os.fork()):
                    return _begin(fault, session)  # and goes on to the tests
                running[process] = fault
                continue
            process, status = os.wait()
            fault = running.pop(process)
            try:
                self._keep(fault, _end(os.waitstatus_to_exitcode(status), fault))
            except Exception as error:
                self.error = error
                break
        pytest.exit("all are tried", 0)


def _begin(fault: Fault, session: pytest.Session) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST + 5))
    session.config.args = [str(ROOT / test) for test in _tests(fault)]
    name = fault.file.removesuffix(".py").replace("/", ".")
    for other in [other for other in sys.modules if other.partition(".")[0] == "analyses" or other == name]:
        del sys.modules[other]
    sys.meta_path.insert(0, _Faulty(name, fault))


class _Faulty(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds one module in a text that no file has: nothing is written, and no bytecode of another text can stand for it."""

    def __init__(self, name: str, fault: Fault):
        self._name, self._fault = name, fault

    def find_spec(self, fullname: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, ROOT / self._fault.file, loader=self)

    def get_source(self, fullname: str) -> str:
        return self._fault.text


def _stands(row: dict | None, tests: dict[str, str]) -> bool:
    """Whether a fault need not be tried again. row: of the file of what was tried; tests: those of now."""
    if row is None:
        return False
    return row["tests"] == tests if row["end"] == SURVIVED else row["tests"].items() <= tests.items()


def _end(code: int, fault: Fault) -> str:
    if code and not fault.line:
        raise RuntimeError(f"the tests of {fault.file} fail without a fault: {' '.join(_tests(fault))}")
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return ENDLESS
    if code not in (0, 1, 2):  # passed; a test failed; a module could not be imported
        raise RuntimeError(f"the tests of {fault.file} ended with {code}")
    return SEEN if code else SURVIVED


def _tests(fault: Fault) -> list[str]:
    return [f"tests/{name}" if "/" in name else f"tests/analyses/{name}" for name in MODULES[fault.file].split()]


def _line(fault: Fault) -> str:
    return (ROOT / fault.file).read_text(encoding="utf-8").splitlines()[fault.line - 1].strip()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _digests(fault: Fault) -> dict[str, str]:
    """Test -> digest of its file."""
    return {t: _digest((ROOT / t.partition("::")[0]).read_text(encoding="utf-8")) for t in _tests(fault)}
