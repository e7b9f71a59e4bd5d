"""A copy of the program in which files of the analyses stand elsewhere, under other names, some of them in two."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

from analyses import ANALYSES
from tests.support.program import ROOT

PACKAGES = ("tshdb", "analyses", "ingest", "migrations", "cli")
FOLDERS = ("clinic", "cells", "pictures", "forests", "checks")


def moved(folder: Path) -> tuple[int, int]:
    """Copy the program to `folder`, with every module of the analyses moved and renamed. Gives how many moved, and were split."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    files = sorted(p for p in (folder / "analyses").rglob("*.py") if p.name != "__init__.py")
    names = {_dotted(folder, p): f"analyses.{FOLDERS[i % len(FOLDERS)]}.{p.stem}_{i}" for i, p in enumerate(files)}
    for package in FOLDERS:
        (folder / "analyses" / package).mkdir()
        (folder / "analyses" / package / "__init__.py").write_text("")
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text()
        if "analyses" in text:
            path.write_text(_rewritten(text, names))
    for path in files:
        target = folder.joinpath(*names[_dotted(folder, path)].split(".")).with_suffix(".py")
        path.rename(target)
    n_split = sum(_split(folder, folder.joinpath(*name.split(".")).with_suffix(".py")) for name in names.values())
    return len(files), n_split


def _dotted(folder: Path, path: Path) -> str:
    return ".".join(path.relative_to(folder).with_suffix("").parts)


def _rewritten(text: str, names: dict[str, str]) -> str:
    """The text with its import statements leading to where modules stand now."""
    lines = text.splitlines(keepends=True)
    for node in sorted(_imports(text), key=lambda n: n.lineno, reverse=True):
        new = list(_anew(node, names))
        if new:
            indent = " " * node.col_offset
            lines[node.lineno - 1 : node.end_lineno] = [f"{indent}{line}\n" for line in new]
    return "".join(lines)


def _imports(text: str) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def _anew(node: ast.Import | ast.ImportFrom, names: dict[str, str]) -> Iterator[str]:
    """The statements that take the place of an import; none if it stays."""
    if isinstance(node, ast.Import):
        assert not any(alias.name in names for alias in node.names), ast.unparse(node)
        return
    if node.module in names:
        yield ast.unparse(ast.ImportFrom(names[node.module], node.names, 0))
        return
    own = {analysis.name for analysis in ANALYSES} if node.module == "analyses" else set()  # records, no modules
    modules = [alias for alias in node.names if alias.name not in own and f"{node.module}.{alias.name}" in names]
    if not modules:
        return
    for alias in modules:
        package, _, last = names[f"{node.module}.{alias.name}"].rpartition(".")
        yield f"from {package} import {last} as {alias.asname or alias.name}"
    rest = [alias for alias in node.names if alias not in modules]
    if rest:
        yield ast.unparse(ast.ImportFrom(node.module, rest, 0))


def _split(folder: Path, path: Path) -> bool:
    """Move one function, which needs nothing of its module but imports, into a file of its own beside it."""
    text = path.read_text()
    tree = ast.parse(text)
    own = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    targets = [t for n in tree.body if isinstance(n, ast.Assign) for t in n.targets]
    own |= {
        name.id for t in targets for name in ast.walk(t) if isinstance(name, ast.Name)
    }  # of a = 1, and of a, b = 1, 2
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            if not used & (own - {node.name}):
                break
    else:
        return False
    lines = text.splitlines(keepends=True)
    imports = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom | ast.If)]
    head = "".join("".join(lines[n.lineno - 1 : n.end_lineno]) for n in imports)
    beside = path.with_name(f"{path.stem}_beside.py")
    beside.write_text(head + "\n\n" + "".join(lines[node.lineno - 1 : node.end_lineno]))
    last = max(n.end_lineno for n in imports)
    body = [
        *lines[:last],
        f"from {_dotted(folder, beside)} import {node.name}\n",
        *lines[last : node.lineno - 1],
        *lines[node.end_lineno :],
    ]
    path.write_text("".join(body))
    return True
