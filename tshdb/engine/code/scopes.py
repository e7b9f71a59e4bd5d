"""What each name of a statement stands for: a variable of a function, or a name of the module.

Python's rules: a name belongs to the function that binds it, unless `global` or `nonlocal` says otherwise; functions do
not see the names of a class around them; a comprehension has names of its own; a walrus binds outside of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(eq=False)
class Scope:
    """One scope inside a module. kind: module, class, function (a lambda is one) or comprehension.

    bound: name -> how it is bound here (param, store, import, global, nonlocal); imports: name -> (module, attribute).
    """

    kind: str
    parent: Scope | None
    bound: dict[str, set[str]] = field(default_factory=dict)
    imports: dict[str, set[tuple[str, str | None]]] = field(default_factory=dict)

    def bind(self, name: str, how: str) -> None:
        self.bound.setdefault(name, set()).add(how)

    def owner(self, name: str) -> Scope | None:
        """The scope whose variable the name is, seen from here; None for a name of the module."""
        scope: Scope | None = self
        is_first = True
        while scope is not None and scope.kind != "module":
            how = scope.bound.get(name)
            if how and (is_first or scope.kind != "class"):
                if "global" in how:
                    return None
                if "nonlocal" not in how:
                    return scope
            is_first = False
            scope = scope.parent
        return None

    def imported(self, name: str) -> tuple[str, str | None] | None:
        """(module, attribute) of a variable that is never anything but that one import."""
        if self.bound.get(name) == {"import"} and len(self.imports[name]) == 1:
            return next(iter(self.imports[name]))
        return None


class Scopes:
    """The scopes of one top-level statement. of: the scope in which a node stands, for every node that opens or names one."""

    def __init__(self, statement: ast.stmt, package: str):
        """package: the dotted name from which relative imports go."""
        self.package = package
        self.module = Scope("module", None)
        self.inside: dict[ast.AST, Scope] = {}  # a function, class or comprehension -> the scope that it opens
        self.of: dict[ast.AST, Scope] = {}  # a name, or what binds one -> the scope in which it stands
        self._visit(statement, self.module)

    def _visit(self, node: ast.AST, scope: Scope) -> None:
        self.of[node] = scope
        if isinstance(node, FUNCTIONS | ast.Lambda):
            self._function(node, scope)
        elif isinstance(node, ast.ClassDef):
            scope.bind(node.name, "store")
            inner = self.inside[node] = Scope("class", scope)
            for part in (*node.decorator_list, *node.bases, *node.keywords):
                self._visit(part, scope)
            for part in (*getattr(node, "type_params", ()), *node.body):
                self._visit(part, inner)
        elif isinstance(node, COMPREHENSIONS):
            self._comprehension(node, scope)
        else:
            self._bindings(node, scope)
            for child in ast.iter_child_nodes(node):
                self._visit(child, scope)

    def _function(self, node, scope: Scope) -> None:
        inner = self.inside[node] = Scope("function", scope)
        arguments = node.args
        for part in (*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)):
            self._visit(part, scope)
        for argument in all_arguments(arguments):
            inner.bind(argument.arg, "param")
            self.of[argument] = inner
            if argument.annotation is not None:
                self._visit(argument.annotation, scope)
        if isinstance(node, ast.Lambda):
            self._visit(node.body, inner)
            return
        scope.bind(node.name, "store")
        for part in node.decorator_list:
            self._visit(part, scope)
        if node.returns is not None:
            self._visit(node.returns, scope)
        for part in (*getattr(node, "type_params", ()), *node.body):
            self._visit(part, inner)

    def _comprehension(self, node, scope: Scope) -> None:
        inner = self.inside[node] = Scope("comprehension", scope)
        first = node.generators[0]
        self._visit(first.iter, scope)
        for generator in node.generators:
            self.of[generator] = inner
            self._visit(generator.target, inner)
            if generator is not first:
                self._visit(generator.iter, inner)
            for condition in generator.ifs:
                self._visit(condition, inner)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self._visit(part, inner)

    def _bindings(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                scope.bind(node.id, "store")
        elif isinstance(node, ast.NamedExpr):
            outer = scope
            while outer.kind == "comprehension" and outer.parent is not None:
                outer = outer.parent
            outer.bind(node.target.id, "store")
            if outer is not scope:  # its Name is visited inside the comprehension, and belongs outside of it
                scope.bind(node.target.id, "nonlocal" if outer.kind != "module" else "global")
        elif isinstance(node, ast.Global | ast.Nonlocal):
            for name in node.names:
                scope.bind(name, "global" if isinstance(node, ast.Global) else "nonlocal")
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            scope.bind(node.name, "store")
        elif isinstance(node, ast.MatchMapping) and node.rest:
            scope.bind(node.rest, "store")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name, target in imported_names(node, self.package):
                scope.bind(name, "import")
                scope.imports.setdefault(name, set()).add(target)
        elif type(node).__name__ in ("TypeVar", "ParamSpec", "TypeVarTuple"):
            scope.bind(node.name, "store")  # type: ignore[attr-defined] # of Python 3.12


def all_arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    """Every parameter, in the order of the signature."""
    yield from arguments.posonlyargs
    yield from arguments.args
    if arguments.vararg is not None:
        yield arguments.vararg
    yield from arguments.kwonlyargs
    if arguments.kwarg is not None:
        yield arguments.kwarg


def imported_names(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """(name that is bound, (module, attribute)) of an import statement; the name is `*` for a star.

    package: the package of the module, from which relative imports go.
    """
    if isinstance(node, ast.Import):
        for alias in node.names:
            name = alias.asname or alias.name.split(".")[0]
            yield name, (alias.name if alias.asname else name, None)
        return
    base = base_of(node, package)
    for alias in node.names:
        yield alias.asname or alias.name, (base, alias.name)


def base_of(node: ast.ImportFrom, package: str) -> str:
    """The module from which names are imported, relative ones resolved."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    kept = parts[: len(parts) - node.level + 1]
    return ".".join([*kept, *filter(None, [node.module])])
