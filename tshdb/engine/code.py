"""Fingerprints of code: what a function does, not how it is written.

The fingerprint covers the function and every project function, class and module constant that it reaches, through
imports, attributes and other functions. Comments, docstrings, blank lines, formatting and the names of local
variables do not count; neither do annotations of functions (those in class bodies mean something, to pydantic for one,
and stay), nor the `@analysis` record, whose inputs are compared as edges. Names of locals do count where the code reads
them as text: `frame.query("@x")`, f"{x=}", `locals()`, `vars()`, `eval`, `exec`.

The text of all that was reached is kept beside the fingerprint: normalising depends on the grammar of the running
Python, so after an upgrade the kept text is normalised again before anything is called stale.

Following names and normalising takes most of a plan's time, so what they were done on is kept as well: the modules that
were read, and a digest of their whole text. While that is the same, so is the fingerprint.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from types import FunctionType, ModuleType
from typing import NamedTuple

from tshdb.canonical import digest

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_READ_NAMES_AS_TEXT = {"locals", "vars", "eval", "exec", "dir"}
_FRAME_METHODS_WITH_NAMES = {"query", "eval"}


@dataclass(frozen=True)
class Code:
    """The code behind an analysis: qualified name -> source text, the fingerprint of its normal form, modules read."""

    sources: dict[str, str]
    fingerprint: str
    modules: tuple[str, ...]


def fingerprint_of_sources(sources: dict[str, str]) -> str:
    """The fingerprint of kept source texts, normalised by the running Python."""
    return digest(*(f"{name}\0{normalised(text)}".encode() for name, text in sorted(sources.items())))


def code_of(functions: Iterable[FunctionType], project: frozenset[str]) -> Code:
    """The code that the functions reach within the top-level packages `project`."""
    sources: dict[str, str] = {}
    modules: set[str] = set()
    waiting = [(function.__module__, function.__qualname__) for function in functions]
    while waiting:
        module_name, name = waiting.pop()
        modules.add(module_name)
        qualified = f"{module_name}.{name}"
        if qualified in sources:
            continue
        module = _module(module_name)
        definition = module.definitions.get(name)
        if definition is None:
            continue
        sources[qualified] = definition
        if (name, project) not in module.reached:
            module.reached[name, project] = _reached(definition, module, project)
        named, passed = module.reached[name, project]
        waiting += named
        modules |= passed
    return Code(sources, fingerprint_of_sources(sources), tuple(sorted(modules)))


def text_digest(functions: Iterable[FunctionType], modules: Iterable[str], project: frozenset[str]) -> str:
    """A digest of all on which `code_of(functions, project)` depends, if it reads these modules: their whole text."""
    roots = [f"{function.__module__}.{function.__qualname__}" for function in functions]
    texts = [f"{name} {_module_digest(name)}" for name in (__name__, *sorted(modules))]
    return digest(*("\0".join(part).encode() for part in ([PYTHON], roots, sorted(project), texts)))


@cache
def _module_digest(name: str) -> str:
    try:
        return digest(inspect.getsource(importlib.import_module(name)).encode())
    except (ImportError, OSError):  # it is gone: so is what was reached in it
        return "gone"


def forget() -> None:
    """Read modules anew, whose text may have changed since they were read."""
    _module.cache_clear()
    _module_digest.cache_clear()


@dataclass(frozen=True)
class _Source:
    live: ModuleType
    definitions: dict[str, str]  # name -> source text
    imports: dict[str, tuple[str, str | None]]
    # (definition, project) -> the definitions that it names, and the modules passed on the way to them
    reached: dict[tuple[str, frozenset[str]], tuple[list[tuple[str, str]], set[str]]]


@cache
def _module(name: str) -> _Source:
    """The top-level definitions and imports of a module, from its source."""
    live = importlib.import_module(name)
    text = inspect.getsource(live)
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    definitions: dict[str, str] = {}
    for node in _top_level(tree):
        names = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        segment = textwrap.dedent("".join(lines[first - 1 : node.end_lineno]))
        for defined in names:
            before = definitions.get(defined)
            if before is not None:  # assigned in several places (if/else, +=): all of them count
                segment = before + "\n" + segment
            definitions[defined] = segment
    return _Source(live, definitions, _imports(tree.body, live), {})


def _top_level(tree: ast.Module):
    """Statements of the module, also those under `if`, `try` and `with`, but not inside functions or classes."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With | ast.For):
            for block in ("body", "orelse", "finalbody"):
                waiting += getattr(node, block, [])
            for handler in getattr(node, "handlers", []):
                waiting += handler.body


def _imports(statements, live: ModuleType) -> dict[str, tuple[str, str | None]]:
    """Imported name -> (module, attribute), from all import statements below `statements`."""
    found: dict[str, tuple[str, str | None]] = {}
    for node in (n for s in statements for n in ast.walk(s)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0],
                    None,
                )
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = live.__name__ if hasattr(live, "__path__") else live.__name__.rpartition(".")[0]
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
            for alias in node.names:
                found[alias.asname or alias.name] = (base, alias.name)
    return found


def _reached(text: str, module: _Source, project: frozenset[str]) -> tuple[list[tuple[str, str]], set[str]]:
    """(module, top-level name) of every project definition that the definition `text` names, and the modules passed."""
    read = _read(text)
    imports = {**module.imports, **_imports(read.imports, module.live)} if read.imports else module.imports
    found: list[tuple[str, str]] = []
    passed: set[str] = set()
    for chain in read.chains:
        if chain[0] in module.definitions:
            found.append((module.live.__name__, chain[0]))
        elif chain[0] in imports:
            target = _resolve(imports[chain[0]], chain[1:], project, passed)
            if target is not None:
                found.append(target)
        elif not hasattr(builtins, chain[0]) and isinstance(getattr(module.live, chain[0], None), FunctionType):
            function = getattr(module.live, chain[0])
            if function.__module__.split(".")[0] in project:
                found.append((function.__module__, function.__qualname__.split(".")[0]))
    return found, passed


def _resolve(
    imported: tuple[str, str | None], rest: list[str], project: frozenset[str], passed: set[str]
) -> tuple[str, str] | None:
    """Follow `module.attribute.more` through packages and re-exports to the module that defines the name.

    passed: receives the modules that are read on the way.
    """
    base, attribute = imported
    if base.split(".")[0] not in project:
        return None
    names = [attribute, *rest] if attribute else list(rest)
    current = base
    while names:
        source = _module(current)
        passed.add(current)
        name = names[0]
        if name in source.definitions:
            return current, name
        if name in source.imports:
            next_base, next_attribute = source.imports[name]
            if next_base.split(".")[0] not in project:
                return None
            current, names = next_base, [*([next_attribute] if next_attribute else []), *names[1:]]
            continue
        try:
            importlib.import_module(f"{current}.{name}")
        except ModuleNotFoundError:
            return None
        current, names = f"{current}.{name}", names[1:]
    return None


def _name_chains(node: ast.AST) -> list[list[str]]:
    """Every name that is read, with the attributes behind it: `a.b.c` -> [a, b, c]."""
    chains = []
    for n in ast.walk(node):
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load):
            chains.append([n.id])
        elif isinstance(n, ast.Attribute):
            chain: list[str] = []
            inner: ast.AST = n
            while isinstance(inner, ast.Attribute):
                chain.insert(0, inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name):
                chains.append([inner.id, *chain])
    return chains


# ---------------------------------------------------------------------------------------------- the normal form


class _Read(NamedTuple):
    """What one definition's source text says: the names that it reads, its own imports, and its normal form."""

    chains: list[list[str]]
    imports: list[ast.stmt]
    normal: str


def normalised(text: str) -> str:
    """The normal form of one definition's source text."""
    return _read(text).normal


@cache
def _read(text: str) -> _Read:
    tree = _stripped(text)
    chains = _name_chains(tree)
    imports, functions = [], []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions.append(node)
    for function in functions:
        _rename_locals(function)
    return _Read(chains, imports, ast.unparse(tree))


class _Strip(ast.NodeTransformer):
    """Drops docstrings everywhere, and of functions the annotations and the `@analysis` record."""

    def _body(self, node):
        body = node.body
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            if isinstance(body[0].value.value, str):
                node.body = body[1:] or [ast.Pass()]
        return node

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        node.decorator_list = [d for d in node.decorator_list if not _is_analysis(d)]
        node.returns = None
        for argument in [
            *node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg,
        ]:  # fmt: skip
            if argument is not None:
                argument.annotation = None
        node.body = [_without_annotation(s) for s in node.body]
        return self._body(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        return self._body(node)


def _is_analysis(decorator: ast.AST) -> bool:
    """`@analysis(...)` declares inputs, which are compared as edges, and sources, which do not compute."""
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "analysis"


def _without_annotation(statement: ast.stmt) -> ast.stmt:
    if isinstance(statement, ast.AnnAssign):
        if statement.value is None:
            return ast.Pass()
        return ast.copy_location(ast.Assign(targets=[statement.target], value=statement.value), statement)
    return statement


def _stripped(text: str) -> ast.AST:
    """The tree of one definition's source text, without what does not count."""
    return _Strip().visit(ast.parse(inspect.cleandoc(text) if text[:1].isspace() else text))


def _rename_locals(function: ast.FunctionDef) -> None:
    """Give local variables the names of their order, unless the function reads names as text."""
    if _reads_names_as_text(function):
        return
    fixed = set()  # names that must stay: parameters, globals, imports, names bound in ways that hold text
    order: list[str] = []
    for n in ast.walk(function):
        if isinstance(n, ast.arg):
            fixed.add(n.arg)
        elif isinstance(n, ast.Global | ast.Nonlocal):
            fixed.update(n.names)
        elif isinstance(n, ast.Import | ast.ImportFrom):
            fixed.update((a.asname or a.name).split(".")[0] for a in n.names)
        elif isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and n is not function:
            fixed.add(n.name)
            if isinstance(n, ast.ClassDef):
                fixed.update(m.id for m in ast.walk(n) if isinstance(m, ast.Name) and isinstance(m.ctx, ast.Store))
        elif isinstance(n, ast.ExceptHandler) and n.name:
            fixed.add(n.name)
        elif isinstance(n, ast.MatchAs | ast.MatchStar) and n.name:
            fixed.add(n.name)
    for n in _in_order(function):
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id not in fixed and n.id not in order:
            order.append(n.id)
    names = {name: f"local_{i}" for i, name in enumerate(order) if not name.startswith("local_")}
    for n in ast.walk(function):
        if isinstance(n, ast.Name) and n.id in names:
            n.id = names[n.id]


def _in_order(node: ast.AST):
    for child in ast.iter_child_nodes(node):
        yield child
        yield from _in_order(child)


def _reads_names_as_text(function: ast.AST) -> bool:
    for n in ast.walk(function):
        if isinstance(n, ast.Call):
            if isinstance(n.func, ast.Name) and n.func.id in _READ_NAMES_AS_TEXT:
                return True
            if isinstance(n.func, ast.Attribute) and n.func.attr in _FRAME_METHODS_WITH_NAMES:
                return True
        # f"{x=}" parses to the text "x=" followed by the value
        if isinstance(n, ast.JoinedStr):
            for text, value in zip(n.values, n.values[1:], strict=False):
                if isinstance(text, ast.Constant) and isinstance(value, ast.FormattedValue):
                    if str(text.value).rstrip().endswith("="):
                        return True
    return False
