"""Every function, class and constant that an analysis reaches is edited in turn: exactly its dependents have other code then."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from analyses import ANALYSES
from soak import Figure
from tests.support.in_time import in_time, tried
from tshdb.engine.code.identity import Codes
from tshdb.engine.code.texts import OnDisk, Text
from tshdb.engine.units import functions_of, project_packages

Change = Callable[[str], str]


class Edited(OnDisk):
    """The files, but for one module that reads otherwise."""

    def __init__(self, module: str, change: Change):
        super().__init__()
        self.module, self.change = module, change

    def _find(self, module: str) -> Text | None:
        found = super()._find(module)
        return found._replace(text=self.change(found.text)) if module == self.module else found


def reached() -> dict[str, list[str]]:
    """analysis -> the definitions that it reaches."""
    codes = Codes(project_packages(ANALYSES))
    return {a.name: [name for name, _ in codes.of(functions_of(a)).leads["definitions"]] for a in ANALYSES}


def fingerprints(texts: OnDisk) -> dict[str, str]:
    """analysis -> the fingerprint of its code."""
    codes = Codes(project_packages(ANALYSES), texts)
    return {a.name: codes.of(functions_of(a)).fingerprint for a in ANALYSES}


def edit(definition: str) -> Change:
    """A change of a source text: one statement more in a function or class, another value of a constant."""

    def change(source: str) -> str:
        tree = ast.parse(source)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == definition:
                node.body.append(ast.parse("edited = 1").body[0])
            if definition in _constants(node):
                node.value = ast.parse(f"({ast.unparse(node.value)}, 'edited')[0]").body[0].value
        return ast.unparse(ast.fix_missing_locations(tree))

    return change


def _constants(node: ast.stmt) -> list[str]:
    """The names that a statement gives values, as in `A = 1`, `A: int = 1` and `A, B = 1, 2`."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return []
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def _with(module: str, definition: str) -> set[str]:
    """The definitions of a module that are edited with one: those of its statement."""
    text = OnDisk().read(module)
    tree = ast.parse(text.text if text else "")
    together = [names for node in tree.body if definition in (names := _constants(node))]
    return {f"{module}.{name}" for names in [[definition], *together] for name in names}


def wrong(names: Iterable[str] | None = None) -> Iterator[str]:
    """Definitions whose edit is not seen by exactly those that reach them, of `names` (default: all), in words."""
    of = reached()
    before = fingerprints(OnDisk())
    for name in names or sorted({n for found in of.values() for n in found}):
        module, _, definition = name.rpartition(".")
        now = fingerprints(Edited(module, edit(definition)))
        changed = {a for a in now if now[a] != before[a]}
        expected = {a for a, found in of.items() if not _with(module, definition).isdisjoint(found)}
        if changed != expected:
            yield f"{name}: {len(changed - expected)} too many, {len(expected - changed)} too few"


def some(n: int, seed: int) -> list[str]:
    """So many definitions, by chance."""
    return random.Random(seed).sample(sorted({name for found in reached().values() for name in found}), n)


def _noted(names: Iterable[str], seen: list[str]) -> Iterator[str]:
    for name in names:
        seen.append(name)
        yield name


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """All of them, in an order that the seed draws."""
    n = len({name for found in reached().values() for name in found})
    names: list[str] = []
    said = list(wrong(_noted(in_time(some(n, seed)), names)))
    what = f"{tried(len(names), n)} definitions edited, not seen by exactly their dependents"
    yield Figure(what, str(len(said)), "0", not said)
    for one in said[:20]:
        yield Figure("wrong", one)
