"""A module as its top-level statements: what each binds, and what the module imports.

A compound statement (if, for, try, with, class …) is one statement. Imports are no statements, but for names that are
bound in several ways: then the import is one of these.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property

from tshdb.engine.code.scopes import COMPREHENSIONS, FUNCTIONS, Scopes, base_of, imported_names
from tshdb.engine.code.texts import Text

IMPORTS = ast.Import | ast.ImportFrom
STAR = "*"


@dataclass(eq=False)
class Statement:
    """One top-level statement. index: its place in the module; binds: the names of the module that it binds."""

    module: Module
    index: int
    node: ast.stmt
    binds: frozenset[str]

    @cached_property
    def scopes(self) -> Scopes:
        return Scopes(self.node, self.module.package)

    @cached_property
    def imports(self) -> list[str]:
        """The modules that are imported anywhere in it, functions included."""
        return imports_inside(self.node, self.module.package)

    @cached_property
    def names(self) -> frozenset[str]:
        """All names that stand anywhere in it."""
        return frozenset(part.id for part in ast.walk(self.node) if isinstance(part, ast.Name))

    @property
    def text(self) -> str:
        """Its source, without comments behind it."""
        return self.module.source_of(self.node)

    @property
    def name(self) -> str:
        """Module and what it binds, or its place, for people."""
        bound = ", ".join(sorted(self.binds)) or f"statement {self.index + 1}"
        return f"{self.module.name}.{bound}"


@dataclass(eq=False)
class Module:
    """One module.

    statements: all that are executed at import.
    imports: name -> (module, attribute), of names that are never else.
    """

    name: str
    text: Text
    statements: list[Statement] = field(default_factory=list)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    bindings: dict[str, list[Statement]] = field(default_factory=dict)
    # in the order of execution: a statement, or the modules that an import statement imports
    steps: list[Statement | tuple[str, ...]] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)  # imported at the top level, and never named in it
    named: set[str] = field(default_factory=set)  # imported anywhere in it, and named

    @property
    def package(self) -> str:
        """From which relative imports go."""
        return self.name if self.text.is_package else self.name.rpartition(".")[0]

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.text.text.encode().splitlines(keepends=True)

    def source_of(self, node: ast.stmt) -> str:
        """The text of a statement, its decorators included."""
        first, column = node.lineno, node.col_offset
        decorators = getattr(node, "decorator_list", [])
        for decorator in decorators:
            first, column = min(first, decorator.lineno), 0
        while column == 0 and decorators and not self._lines[first - 1].startswith(b"@"):
            first -= 1  # the mark stands on a line before its expression
        lines = self._lines[first - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][column:]
        return b"".join(lines).decode()


def parsed(name: str, text: Text) -> Module:
    """The module of a text. Raises SyntaxError."""
    module = Module(name, text)
    ways: dict[str, set[object]] = {}  # name -> the imports, or statements, that bind it
    entries: list[tuple[ast.stmt, frozenset[str], bool]] = []
    tree = ast.parse(text.text)
    for node in tree.body:
        typing = _typing_only(node)
        if typing is not None:
            for part in typing:
                for bound, target in imported_names(part, module.package):
                    module.imports.setdefault(bound, target)
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) or _is_main(node):
            continue
        here, imported = bound_by(node, module.package)
        for bound, target in imported:
            ways.setdefault(bound, set()).add(target)
        for bound in here:
            ways.setdefault(bound, set()).add(node)
        entries.append((node, here | {bound for bound, _ in imported}, isinstance(node, IMPORTS)))
    ways.pop(STAR, None)
    module.stars = [base_of(n, module.package) for n, _, _ in entries if isinstance(n, ast.ImportFrom) and _is_star(n)]
    for bound, targets in ways.items():
        only = next(iter(targets))
        if len(targets) == 1 and isinstance(only, tuple):
            module.imports[bound] = only
    for node, names, is_import in entries:
        defines = frozenset(n for n in names if n not in module.imports and n != STAR)
        if not is_import or defines:
            statement = Statement(module, len(module.statements), node, defines)
            module.statements.append(statement)
            for bound in sorted(defines):
                module.bindings.setdefault(bound, []).append(statement)
        reached = tuple(_executed_imports(node, module.package))
        if reached:
            module.steps.append(reached)
        if not is_import or defines:
            module.steps.append(statement)
    _note_named(module, tree)
    return module


def _note_named(module: Module, tree: ast.Module) -> None:
    """Which imports of the module are named somewhere in it."""
    loaded = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, IMPORTS):
            for bound, target in imported_names(node, module.package):
                path = ".".join(filter(None, target))
                if bound in loaded:
                    module.named.add(path)
                elif node.col_offset == 0 and bound != STAR and target[0] not in ("__future__", "typing"):
                    module.unnamed.append(path)


def _is_star(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.names[0].name == STAR


def bound_by(node: ast.AST, package: str) -> tuple[frozenset[str], list[tuple[str, tuple[str, str | None]]]]:
    """The names of the module that a top-level statement binds otherwise than by import, and those that it imports."""
    bound: set[str] = set()
    imported: list[tuple[str, tuple[str, str | None]]] = []
    waiting: list[tuple[ast.AST, bool]] = [(node, False)]  # with whether it stands in a comprehension
    while waiting:
        part, is_inner = waiting.pop()
        if isinstance(part, IMPORTS):
            imported += imported_names(part, package)
            continue
        if isinstance(part, FUNCTIONS | ast.ClassDef):
            bound.add(part.name)
            children: list[ast.AST] = [*part.decorator_list]  # what is inside binds names of its own
            if isinstance(part, ast.ClassDef):
                children += part.bases
            else:
                children += [*part.args.defaults, *filter(None, part.args.kw_defaults)]
            bound |= {name for inner in ast.walk(part) if isinstance(inner, ast.Global) for name in inner.names}
        elif isinstance(part, ast.Lambda):
            children = [*part.args.defaults, *filter(None, part.args.kw_defaults)]
        else:
            if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load) and not is_inner:
                bound.add(part.id)
            elif isinstance(part, ast.NamedExpr):
                bound.add(part.target.id)
            elif isinstance(part, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and part.name:
                bound.add(part.name)
            elif isinstance(part, ast.MatchMapping) and part.rest:
                bound.add(part.rest)
            children = list(ast.iter_child_nodes(part))
        inner = is_inner or isinstance(part, COMPREHENSIONS)
        waiting += [(child, inner) for child in children if child is not None]
    return frozenset(bound), imported


def _executed_imports(node: ast.AST, package: str):
    """The modules that a top-level statement imports when it is executed, whichever branch is taken; in their order."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = base_of(node, package)
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)  # a submodule, or no module at all
    elif not isinstance(node, FUNCTIONS | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _executed_imports(child, package)


def imports_inside(node: ast.AST, package: str) -> list[str]:
    """The modules that are imported anywhere below a node, functions included."""
    modules: list[str] = []
    for part in ast.walk(node):
        if isinstance(part, IMPORTS):
            modules += _executed_imports(part, package)
    return modules


def _typing_only(node: ast.stmt) -> list[ast.Import | ast.ImportFrom] | None:
    """The imports of an `if TYPE_CHECKING:` that holds nothing else; None for any other statement."""
    if not isinstance(node, ast.If) or node.orelse:
        return None
    test = node.test
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else None
    imports = [part for part in node.body if isinstance(part, IMPORTS)]
    return imports if name == "TYPE_CHECKING" and len(imports) == len(node.body) else None


def _is_main(node: ast.stmt) -> bool:
    """`if __name__ == "__main__":` without an else is not executed when a module is imported."""
    if not isinstance(node, ast.If) or node.orelse or not isinstance(node.test, ast.Compare):
        return False
    sides = [node.test.left, *node.test.comparators]
    names = {side.id for side in sides if isinstance(side, ast.Name)}
    texts = {side.value for side in sides if isinstance(side, ast.Constant)}
    return names == {"__name__"} and texts == {"__main__"} and isinstance(node.test.ops[0], ast.Eq)
