"""Which names of the project a statement may change when a module is imported.

A table that is filled by `update`, a constant that an `if` decides, a function that a decorator puts into a registry, an
implementation that `@f.register` adds: the statement that does it belongs to the name that it changes, wherever it stands.
What only reads a name (arithmetic, a comparison, a call of a method that is known to read) does not. In doubt it counts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tshdb.engine.code.modules import Statement
from tshdb.engine.code.program import Definition, Program
from tshdb.engine.code.scopes import FUNCTIONS, all_arguments
from tshdb.engine.code.walk import PATCHES, READING_METHODS, How, Sort, Touched, Visitor, executed, resolve

CHANGES = {
    Sort.VALUE: frozenset(How),
    Sort.LITERAL: frozenset({How.BIND}),
    Sort.FUNCTION: frozenset({How.BIND, How.STORE, How.RECEIVER, How.BARE_RECEIVER, How.PATCH}),
    Sort.CLASS: frozenset({How.BIND, How.STORE, How.BARE_RECEIVER, How.PATCH}),
}


class Touches:
    """The touches of a program's statements, each looked for once."""

    def __init__(self, program: Program):
        self.program = program
        self._executed: dict[Statement, Touched] = {}
        self._inside: dict[Definition, Touched] = {}
        self._patching: dict[Definition, bool] = {}
        self._sorts: dict[Definition, Sort] = {}
        self._reads: dict[Statement, frozenset[Definition]] = {}

    def executed(self, statement: Statement) -> Touched:
        """What the statement does when its module is imported."""
        if statement not in self._executed:
            touched = Visitor(self, statement, is_deferred=False).visit()
            for called in self.called(touched.calls):
                inside = self.inside(called)
                touched.names |= {(d, How.BIND) for d, how in inside.names if how in CHANGES[self.sort(d)]}
                touched.libraries |= inside.libraries
            self._executed[statement] = touched
        return self._executed[statement]

    def reads(self, statement: Statement) -> frozenset[Definition]:
        """The names that are read when the statement is executed at import, also by functions that it calls."""
        if statement not in self._reads:
            definitions = set(self._named(statement, executed(statement.node)))
            for called in self.called(self.executed(statement).calls):
                for inner in self.statements(called):
                    definitions |= set(self._named(inner, ast.walk(inner.node)))
            self._reads[statement] = frozenset(definitions)
        return self._reads[statement]

    def _named(self, statement: Statement, nodes: Iterable[ast.AST]) -> Iterator[Definition]:
        for node in nodes:
            if (
                isinstance(node, ast.Name | ast.Attribute)
                and isinstance(node.ctx, ast.Load)
                and _is_known(statement, node)
            ):
                resolved = resolve(self.program, statement, node)
                if resolved is not None and isinstance(resolved.target, Definition):
                    yield resolved.target

    def is_alias(self, statement: Statement) -> bool:
        """Whether what the statement binds may be another name of something else that is changed by either."""
        node = statement.node
        if isinstance(node, FUNCTIONS | ast.ClassDef):
            return False
        if isinstance(node, ast.Assign) and len(node.targets) > 1:
            return True
        passing = (How.ALIAS, How.ARGUMENT, How.RECEIVER, How.BARE_RECEIVER)
        return any(how in passing and self.sort(d) is Sort.VALUE for d, how in self.executed(statement).names)

    def is_changed(self, definition: Definition, touched: Touched) -> bool:
        """Whether what is touched may change the definition."""
        ways = CHANGES[self.sort(definition)]
        return any((definition, how) in touched.names for how in ways)

    def called(self, functions: Iterable[Definition]) -> set[Definition]:
        """These functions and classes, and all that they call."""
        seen: set[Definition] = set()
        waiting = list(functions)
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen.add(current)
                waiting += self.inside(current).calls
        return seen

    def inside(self, definition: Definition) -> Touched:
        """What the bodies of a function, or of a class's methods, do when they are called."""
        if definition not in self._inside:
            touched = self._inside[definition] = Touched()
            for statement in self.statements(definition):
                body = Visitor(self, statement, is_deferred=True).visit()
                touched.names |= body.names
                touched.calls |= body.calls
                touched.libraries |= body.libraries
                if self.sort(definition) is Sort.VALUE:  # its methods are those of what made it
                    touched.calls |= Visitor(self, statement, is_deferred=False).visit().calls
        return self._inside[definition]

    def sort(self, definition: Definition) -> Sort:
        """What the definition is, by the statements that bind it."""
        if definition not in self._sorts:
            sorts = {_sort_of(s.node, definition.name) for s in self.statements(definition)}
            self._sorts[definition] = sorts.pop() if len(sorts) == 1 else Sort.VALUE
        return self._sorts[definition]

    def patches_its_arguments(self, function: Definition) -> bool:
        """Whether the function sets an attribute or item of what it is given."""
        if function not in self._patching:
            self._patching[function] = any(map(_patches, self.statements(function)))
        return self._patching[function]

    def statements(self, definition: Definition) -> list[Statement]:
        """The statements that bind it."""
        module = self.program.module(definition.module)
        return [] if module is None else module.bindings.get(definition.name, [])


def _is_known(statement: Statement, node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node in statement.scopes.of


def _sort_of(node: ast.stmt, name: str) -> Sort:
    if getattr(node, "name", name) != name:  # a function that binds it as a global name
        return Sort.VALUE
    if isinstance(node, FUNCTIONS):
        return Sort.FUNCTION
    if isinstance(node, ast.ClassDef):
        return Sort.CLASS
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _is_literal(node.value):
        return Sort.LITERAL
    return Sort.VALUE


def _is_literal(node: ast.expr) -> bool:
    """Whether the value can never be changed: a constant, or a tuple or arithmetic of constants."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Tuple):
        return all(map(_is_literal, node.elts))
    if isinstance(node, ast.UnaryOp):
        return _is_literal(node.operand)
    if isinstance(node, ast.BinOp):
        return _is_literal(node.left) and _is_literal(node.right)
    return isinstance(node, ast.JoinedStr)


def _patches(statement: Statement) -> bool:
    node = statement.node
    if not isinstance(node, FUNCTIONS):
        return False
    names = {argument.arg for argument in all_arguments(node.args)}
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
            base = part.value
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in PATCHES and part.args:
            base = part.args[0]
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            if part.func.attr in READING_METHODS:
                continue
            base = part.func.value
        else:
            continue
        while isinstance(base, ast.Attribute | ast.Subscript):
            base = base.value
        if isinstance(base, ast.Name) and base.id in names:
            return True
    return False
