"""The normal form of one statement: what it says, whatever its layout, its comments and the names of its variables.

An own walk over the tree: every node by its type and its fields, empty fields left out, so that the form is the same on
every Python that parses the text alike. Left out are docstrings, comments, annotations of functions (a decorator that may
read them keeps them; class bodies such as pydantic's mean them), imports, and the record of an analysis. Variables of
functions are numbered in the order of their appearance, unless the function reads names as text (`frame.query("@x")`,
f"{x=}", `locals()`). Names of the module are left open: who follows the code says where each leads.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from tshdb.engine.code.modules import Statement
from tshdb.engine.code.scopes import FUNCTIONS, Scope, imported_names

NAMES_AS_TEXT = frozenset({"locals", "vars", "eval", "exec", "dir"})
FRAME_METHODS = frozenset({"query", "eval"})
NAME_ATTRIBUTES = frozenset({"__name__", "__qualname__"})
PLAIN_DECORATORS = frozenset(  # these never look at annotations
    "staticmethod classmethod property cache lru_cache cached_property contextmanager wraps total_ordering "
    "abstractmethod override".split()
)


@dataclass(frozen=True)
class Open:
    """A name of the module, with the attributes behind it, whose meaning is left open; or (module, attribute) of an import.

    is_bound: it gets a value here.
    """

    chain: tuple[str, ...]
    node: ast.expr | None
    is_import: bool = False
    is_bound: bool = False


@dataclass(frozen=True)
class Form:
    """parts: text, and names that are open; reads_names: the statement asks definitions for their names;
    imports: what is imported inside of it, and never named there: (module, attribute).
    """

    parts: tuple[str | Open, ...]
    reads_names: bool
    imports: tuple[tuple[str, str | None], ...]


def form_of(statement: Statement, is_record) -> Form:
    """The normal form of a statement. is_record(decorator): whether a decorator is the record of an analysis."""
    writer = _Writer(statement, is_record)
    writer.write(statement.node)
    return Form(tuple(_joined(writer.parts)), writer.reads_names, tuple(sorted(writer.unnamed(), key=str)))


def _joined(parts: list[str | Open]) -> list[str | Open]:
    """The parts, neighbouring texts in one."""
    merged: list[str | Open] = []
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        if texts:
            merged.append("".join(texts))
            texts = []
        merged.append(part)
    return [*merged, "".join(texts)] if texts else merged


class _Writer:
    def __init__(self, statement: Statement, is_record):
        self.scopes, self.package, self.is_record = statement.scopes, statement.module.package, is_record
        self.parts: list[str | Open] = []
        self.reads_names = False
        self.numbers: dict[tuple[Scope, str], int] = {}
        self.as_text = False  # inside a function that reads names as text
        self.depth = 0  # of functions around
        self.loads: set[tuple[Scope | None, str]] = set()
        self.imported: list[tuple[Scope, str, tuple[str, str | None]]] = []

    def unnamed(self) -> set[tuple[str, str | None]]:
        return {target for scope, name, target in self.imported if (scope, name) not in self.loads}

    # --------------------------------------------------------------------------------------------------------- nodes

    def write(self, node: ast.AST) -> None:
        """Append the form of a node."""
        special = getattr(self, f"_{type(node).__name__.lower()}", None)
        if isinstance(node, FUNCTIONS):
            self._function(node)
        elif special is not None:
            special(node)
        else:
            self._plain(node)

    def _plain(self, node: ast.AST, *left_out: str) -> None:
        self.parts.append(f"{type(node).__name__}(")
        for name in node._fields:
            if name in left_out or name in ("ctx", "type_comment", "kind"):
                continue
            value = _saying(getattr(node, name, None))
            if value is None or value == []:
                continue
            self.parts.append(f"{name}=")
            self._value(value)
            self.parts.append(";")
        self.parts.append(")")

    def _value(self, value) -> None:
        if isinstance(value, list):
            self.parts.append("[")
            for part in value:
                if part is None:  # {**x} has no key, a keyword-only parameter no default
                    self.parts.append("-")
                else:
                    before = len(self.parts)
                    self._value(part)
                    if len(self.parts) == before:  # an import, or another statement that says nothing here
                        continue
                self.parts.append(",")
            self.parts.append("]")
        elif isinstance(value, ast.AST):
            self.write(value)
        else:
            self.parts.append(repr(value))

    def _constant(self, node: ast.Constant) -> None:
        value = node.value
        text = hex(value) if type(value) is int else ascii(value)
        self.parts.append(f"{type(value).__name__}:{text}")

    def _joinedstr(self, node: ast.JoinedStr) -> None:
        """Texts between the values as one, whatever pieces they were written in; an empty format is none."""
        self.parts.append("f(")
        text = ""
        for part in [*node.values, None]:
            if isinstance(part, ast.Constant):
                text += str(part.value)
                continue
            if text:
                self.parts.append(f"{ascii(text)},")
                text = ""
            if part is not None:
                self.write(part)
                self.parts.append(",")
        self.parts.append(")")

    def _formattedvalue(self, node: ast.FormattedValue) -> None:
        empty = isinstance(node.format_spec, ast.JoinedStr) and not any(
            not isinstance(v, ast.Constant) or v.value for v in node.format_spec.values
        )
        self._plain(node, *(["format_spec"] if empty else []))

    def _import(self, node) -> None:
        """Bindings that are nothing but an import say nothing here: the name leads where it leads."""
        scope = self.scopes.of[node]
        for name, target in imported_names(node, self.package):
            owner = scope.owner(name)
            if owner is not None and owner.imported(name) is not None:
                self.imported.append((owner, name, target))
            else:
                self.parts.append("import(")
                self._bound(name, scope, None)
                self.parts.append("=")
                self.parts.append(Open(tuple(filter(None, target)), None, is_import=True))
                self.parts.append(")")

    _importfrom = _import

    def _global(self, node) -> None:
        """Where names belong is said by every use of them."""

    _nonlocal = _global

    def _annassign(self, node: ast.AnnAssign) -> None:
        if self.depth and self.scopes.of[node].kind == "function":
            if node.value is None:
                return
            self.write(ast.Assign(targets=[node.target], value=node.value))
        else:
            self._plain(node)

    # --------------------------------------------------------------------------------------------------- definitions

    def _function(self, node) -> None:
        scope = self.scopes.of[node]
        decorators = [d for d in node.decorator_list if not self.is_record(d)]
        keeps = any(_simple_name(d) not in PLAIN_DECORATORS for d in decorators)
        self.parts.append(f"{type(node).__name__}(")
        self._bound(node.name, scope, node)
        self._value(decorators)
        self._enter(node)
        self._arguments(node.args, keeps)
        if keeps and node.returns is not None:
            self.parts.append("->")
            self.write(node.returns)
        self._value(getattr(node, "type_params", []))
        self._value(_saying(node.body))
        self._leave()
        self.parts.append(")")

    def _lambda(self, node: ast.Lambda) -> None:
        self.parts.append("Lambda(")
        self._enter(node)
        self._arguments(node.args, True)
        self.write(node.body)
        self._leave()
        self.parts.append(")")

    def _enter(self, node) -> None:
        if self.depth == 0:
            self.as_text = reads_names_as_text(node)
        self.depth += 1

    def _leave(self) -> None:
        self.depth -= 1
        if self.depth == 0:
            self.as_text = False

    def _arguments(self, arguments: ast.arguments, keeps: bool) -> None:
        for name in arguments._fields:
            value = getattr(arguments, name)
            if value is None or value == []:
                continue
            self.parts.append(f"{name}=")
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.arg):
                    self.parts.append(part.arg)
                    if keeps and part.annotation is not None:
                        self.parts.append(":")
                        self.write(part.annotation)
                elif part is not None:
                    self.write(part)
                self.parts.append(",")
            self.parts.append(";")

    def _classdef(self, node: ast.ClassDef) -> None:
        self.parts.append("ClassDef(")
        self._bound(node.name, self.scopes.of[node], node)
        self._plain(node, "name")
        self.parts.append(")")

    # --------------------------------------------------------------------------------------------------------- names

    def _name(self, node: ast.Name) -> None:
        self._chain(node)

    def _attribute(self, node: ast.Attribute) -> None:
        if node.attr in NAME_ATTRIBUTES:
            self.reads_names = True
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        if isinstance(inner, ast.Name):
            self._chain(node)
        else:
            self._plain(node)

    def _call(self, node: ast.Call) -> None:
        self._plain(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in FRAME_METHODS:
            scope = self.scopes.of[node]
            for part in ast.walk(node):  # names of the module that `query("@x")` reads
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    for name in re.findall(r"@(\w+)", part.value):
                        if scope.owner(name) is None:
                            self.parts.append(Open((name,), None))

    def _chain(self, node: ast.expr) -> None:
        """A name with the attributes behind it."""
        rest: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            rest.insert(0, inner.attr)
            inner = inner.value
        assert isinstance(inner, ast.Name)
        scope = self.scopes.of[inner]
        if isinstance(inner.ctx, ast.Load):
            self.loads.add((scope.owner(inner.id), inner.id))
        owner = scope.owner(inner.id)
        if owner is None or owner.imported(inner.id) is not None:
            is_bound = not rest and not isinstance(inner.ctx, ast.Load)
            self.parts.append(Open((inner.id, *rest), node, is_bound=is_bound))
            return
        self._variable(inner.id, owner)
        self.parts += [f".{name}" for name in rest]
        if owner.kind == "class" and owner is scope and isinstance(inner.ctx, ast.Load):
            self.parts.append("|")  # before the class binds it, the name is the module's
            self.parts.append(Open((inner.id,), None))

    def _bound(self, name: str, scope: Scope, node) -> None:
        """The name that a definition, a handler or a pattern binds."""
        owner = scope.owner(name)
        if owner is None:
            self.parts.append(Open((name,), None, is_bound=True))
        else:
            self._variable(name, owner)

    def _variable(self, name: str, owner: Scope) -> None:
        how = owner.bound.get(name, set())
        if owner.kind == "class" or self.as_text:
            self.parts.append(f"'{name}")
        elif "param" in how:
            self.parts.append(f"${name}")
        else:
            number = self.numbers.setdefault((owner, name), len(self.numbers))
            self.parts.append(f"%{number}")

    def _excepthandler(self, node: ast.ExceptHandler) -> None:
        self._with_name(node, "name")

    def _matchas(self, node: ast.MatchAs) -> None:
        self._with_name(node, "name")

    def _matchstar(self, node: ast.MatchStar) -> None:
        self._with_name(node, "name")

    def _matchmapping(self, node: ast.MatchMapping) -> None:
        self._with_name(node, "rest")

    def _with_name(self, node, field: str) -> None:
        if getattr(node, field):
            self._bound(getattr(node, field), self.scopes.of[node], None)
        self._plain(node, field)


def _saying(value):
    """A list of statements without those that say nothing: docstrings and other bare constants, and `pass`."""
    if not isinstance(value, list) or not value or not isinstance(value[0], ast.stmt):
        return value
    return [
        node for node in value
        if not isinstance(node, ast.Pass) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]  # fmt: skip


def _simple_name(decorator: ast.expr) -> str:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def reads_names_as_text(function: ast.AST) -> bool:
    """Whether the code reads the names of its variables as text."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in NAMES_AS_TEXT:
                return True
            if isinstance(node.func, ast.Attribute) and node.func.attr in FRAME_METHODS:
                return True
        # f"{x=}" parses to the text "x=" followed by the value
        if isinstance(node, ast.JoinedStr):
            for text, value in zip(node.values, node.values[1:], strict=False):
                if isinstance(text, ast.Constant) and isinstance(value, ast.FormattedValue):
                    if str(text.value).rstrip().endswith("="):
                        return True
    return False
