"""Seeded faults in the statistics: one comparison, sum, product or constant of a module is another, and a test must see it.

MUTANTS places are drawn from the modules of MODULES, in a copy of the program; each is tried with the tests of its module (the
values that R and others give), which end at the first failure. What survives is printed with its place and the change: it is a
test that is wanted, or it changes nothing that can be seen. TSHDB_MUTANTS says another number.
"""

from __future__ import annotations

import ast
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from soak import Figure
from tests.engine.test_mutants import PACKAGES
from tests.support.program import ROOT

MUTANTS, GOAL = 200, 0.95
LONGEST = 300  # seconds of the tests of one mutant: a loop that does not end is a fault that was seen
SHARED = "analyses/shared/"
MODULES = {  # the tests that hold a module's numbers
    f"{SHARED}calibration.py": "test_calibration.py",
    f"{SHARED}concordance.py": "test_concordance.py test_nulls.py",
    f"{SHARED}cox.py": "test_cox.py test_expression_half.py",
    f"{SHARED}curves.py": "test_curves.py test_expression_half.py",
    f"{SHARED}delong.py": "test_auc.py",
    f"{SHARED}multiple_testing.py": "test_network_tests.py test_expression_half.py",
    f"{SHARED}penalised_cox.py": "test_cox.py",
    f"{SHARED}performance.py": "test_auc.py test_expression_half.py",
    f"{SHARED}proportionality.py": "test_cox.py",
    f"{SHARED}risk_sets.py": "test_cox.py",
    f"{SHARED}separation.py": "test_cox.py",
    f"{SHARED}survival.py": "test_expression_half.py",
    "analyses/expression/compartment_tests.py": "test_wilcoxon.py test_expression_half.py",
    "analyses/networks/network_parameters.py": "test_network_tests.py test_expression_half.py",
    "analyses/networks/topology.py": "test_expression_half.py test_network_tests.py",
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
    copy = folder / "program"
    copy.mkdir()
    for name in PACKAGES:
        place = ROOT / name
        skipped = shutil.ignore_patterns("__pycache__")
        shutil.copytree(place, copy / name, ignore=skipped) if place.is_dir() else shutil.copy(place, copy / name)
    every = [fault for file in MODULES for fault in faults(file)]
    n = int(os.environ.get("TSHDB_MUTANTS", MUTANTS))
    tried = random.Random(seed).sample(every, min(n, len(every)))
    survivors = [fault for fault in tried if not _is_seen(copy, fault)]
    share = 1 - len(survivors) / len(tried)
    what = f"of {len(tried)} faults ({len(every)} possible ones), seen by the tests"
    yield Figure(what, f"{share:.1%}", f"{GOAL:.0%}", share >= GOAL)
    for fault in survivors:
        yield Figure("survived", f"{fault.file}:{fault.line}: {fault.before}  ->  {fault.after}")


def _is_seen(copy: Path, fault: Fault) -> bool:
    place = copy / fault.file
    was = place.read_text(encoding="utf-8")
    place.write_text(fault.text, encoding="utf-8")
    tests = [f"tests/analyses/{name}" for name in MODULES[fault.file].split()]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        f"--basetemp={copy.parent / 'pytest'}",
        *tests,
    ]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        return True
    finally:
        place.write_text(was, encoding="utf-8")
    if done.returncode not in (0, 1, 2):  # passed; a test failed; a module could not be imported
        raise RuntimeError(done.stdout.decode(errors="replace")[-2000:])
    return done.returncode != 0
