"""Code that cannot be followed: what it reaches depends on a text that is made when it runs.

`import_module`, `exec`, `eval`, `globals()`, attributes of a module or class of the project by a computed name, a project
module that is handed on as a value, and files of the package that are opened outside of a `Reference`. On a record or a
frame a computed name is fine: its attributes are data.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tshdb.engine.code.modules import Module, Statement
from tshdb.engine.code.program import Definition, Outside, Program, Whole
from tshdb.engine.code.scopes import FUNCTIONS
from tshdb.engine.code.touches import Touches
from tshdb.engine.code.walk import Sort, depth, executed, is_analysis, resolve

BUILTINS = {
    "exec": "runs a text as code",
    "eval": "runs a text as code",
    "compile": "makes code of a text",
    "globals": "reads names as text",
    "__import__": "imports by a text",
}
LIBRARIES = {
    "importlib.import_module": "imports by a text",
    "importlib.__import__": "imports by a text",
    "importlib.reload": "imports again",
    "importlib.util": "imports by a text",
    "importlib.resources": "opens a file of the package: read it by a Reference",
    "pkgutil": "finds modules or files by a text",
    "pkg_resources": "opens a file of the package: read it by a Reference",
    "runpy": "runs a file as code",
    "sys.modules": "finds modules by a text",
}
OF_THE_MODULE = {"vars": "is the module's own names here", "locals": "is the module's own names here"}
TO_OTHERS = (  # what may change any module, not only the one that does it
    "exec()", "__import__()", "importlib.import_module", "importlib.__import__", "importlib.reload", "importlib.util",
    "runpy", "sys.modules", "setattr", "delattr",
)  # fmt: skip
OWN_FILE = {"__file__", "__path__", "__spec__", "__loader__"}
BY_NAME = {"getattr", "setattr", "delattr", "hasattr"}


def refusals(program: Program, touches: Touches, statement: Statement) -> Iterator[str]:
    """What in a statement cannot be followed: `line N: …`, a sentence each."""
    for node in _counted(program, statement, statement.node):
        refusal = _refused(program, touches, statement, node)
        if refusal is not None:
            yield f"line {_line(statement, node)}: {refusal}"


def refusals_at_import(program: Program, touches: Touches, module: Module) -> Iterator[tuple[str, bool]]:
    """What a module does when it is imported that may bind any name: (`statement: line N: …`, whether of its own alone)."""
    for statement in module.statements:
        for node in executed(statement.node):
            refusal = _refused(program, touches, statement, node)
            if refusal is None and isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
                if node.func.id in OF_THE_MODULE and resolve(program, statement, node.func) is None:
                    refusal = f"{node.func.id}() {OF_THE_MODULE[node.func.id]}"
            if refusal is not None and not refusal.startswith(tuple(OWN_FILE)):
                yield f"{statement.name}: line {_line(statement, node)}: {refusal}", not refusal.startswith(TO_OTHERS)
        for called in touches.called(touches.executed(statement).calls):
            for inner in touches.statements(called):
                if names := inner.names & {"exec", "globals"}:
                    refusal = f"{called.name}, which is called here, uses {', '.join(sorted(names))}"
                    yield f"{statement.name}: {refusal}", "exec" not in names


def _counted(program: Program, statement: Statement, node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement; without records of analyses, and annotations of functions."""
    yield node
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST):
                continue
            if name == "decorator_list" and isinstance(child, ast.expr) and is_analysis(program, statement, child):
                continue
            if name in ("annotation", "returns") and isinstance(node, FUNCTIONS | ast.arg | ast.AnnAssign):
                continue
            yield from _counted(program, statement, child)


def _refused(program: Program, touches: Touches, statement: Statement, node: ast.AST) -> str | None:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return _name(program, statement, node)
    if isinstance(node, ast.Attribute):
        resolved = resolve(program, statement, node)
        if resolved is not None and isinstance(resolved.target, Outside):
            return _library(resolved.target.path)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BY_NAME and node.args:
        if resolve(program, statement, node.func) is None:
            return _by_name(program, touches, statement, node)
    return None


def _name(program: Program, statement: Statement, node: ast.Name) -> str | None:
    scope = statement.scopes.of[node]
    owner = scope.owner(node.id)
    if owner is not None and owner.imported(node.id) is None:
        return None
    resolved = resolve(program, statement, node)
    if resolved is None:
        if node.id in OWN_FILE:
            return f"{node.id} leads to a file of the package: read it by a Reference"
        return f"{node.id}() {BUILTINS[node.id]}" if node.id in BUILTINS else None
    return _library(resolved.target.path) if isinstance(resolved.target, Outside) else None


def _line(statement: Statement, node: ast.AST) -> int:
    return getattr(node, "lineno", statement.node.lineno)


def _library(path: str) -> str | None:
    for name, what in LIBRARIES.items():
        if path == name or path.startswith(name + "."):
            return f"{path} {what}"
    return None


def _by_name(program: Program, touches: Touches, statement: Statement, call: ast.Call) -> str | None:
    """`getattr` and its like on a module or class of the project, by a name that is computed."""
    if not isinstance(call.func, ast.Name) or len(call.args) > 1 and isinstance(call.args[1], ast.Constant):
        return None
    resolved = resolve(program, statement, call.args[0])
    if resolved is None:
        return None
    if isinstance(resolved.target, Whole):
        return f"{call.func.id} by a computed name on the module {resolved.target.module}"
    if isinstance(resolved.target, Definition) and depth(call.args[0]) <= resolved.n_attributes:
        if touches.sort(resolved.target) is Sort.CLASS:
            return f"{call.func.id} by a computed name on the class {resolved.target.name}"
    return None
