"""What one statement does with names: the walk behind `touches`.

At import, a statement is executed but for the bodies of its functions (`is_deferred` false); what a call of them would do is
walked apart (`is_deferred` true).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from tshdb.engine.code.modules import Statement
from tshdb.engine.code.program import Definition, Outside, Program, Resolved, Whole
from tshdb.engine.code.scopes import COMPREHENSIONS, FUNCTIONS

if TYPE_CHECKING:
    from tshdb.engine.code.touches import Touches

RECORDS = (  # a declaration is no code: inputs are compared as edges, a program's command and files as texts
    Definition("tshdb.engine.analysis", "analysis"),
    Definition("tshdb.engine.program", "program"),
)
READING = frozenset("len str repr any all isinstance issubclass bool int float print hash id".split())
READING_METHODS = frozenset(
    "get items keys values copy index count join split rsplit splitlines strip lstrip rstrip partition rpartition "
    "startswith endswith format lower upper title replace encode decode union intersection difference issubset "
    "issuperset isdisjoint tolist astype sum mean min max any all match search fullmatch findall sub".split()
)
OF_CLASSES = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})  # without a decorator
PATCHES = frozenset({"setattr", "delattr"})
PATCHING_LIBRARIES = frozenset({"functools.update_wrapper", "functools.wraps"})


class How(StrEnum):
    """What a statement does with a name.

    bind: gives it another value.
    store: sets an attribute or item of it.
    receiver: calls a method of it.
    argument: hands it to a call.
    patch: hands it to a call that sets attributes.
    alias: gives it another name, or puts it into something.
    """

    BIND = "bind"
    STORE = "store"
    RECEIVER = "receiver"
    BARE_RECEIVER = "bare receiver"  # as a statement of its own, or a decorator
    ARGUMENT = "argument"
    PATCH = "patch"
    ALIAS = "alias"


class Sort(StrEnum):
    """What a definition is: only a value can be changed by whoever holds it."""

    FUNCTION = "function"
    CLASS = "class"
    LITERAL = "literal"
    VALUE = "value"


@dataclass
class Touched:
    """What one piece of code does: names of the project with how, what it calls, libraries that it sets something of."""

    names: set[tuple[Definition, How]] = field(default_factory=set)
    calls: set[Definition] = field(default_factory=set)
    libraries: set[str] = field(default_factory=set)


def resolve(program: Program, statement: Statement, node: ast.expr) -> Resolved | None:
    """Where a name, or a name with attributes, leads; None for a variable of a function, and for anything else."""
    rest: list[str] = []
    inner = node
    while isinstance(inner, ast.Attribute):
        rest.insert(0, inner.attr)
        inner = inner.value
    if not isinstance(inner, ast.Name):
        return None
    scope = statement.scopes.of[inner]
    owner = scope.owner(inner.id)
    if owner is None:
        return program.where(statement.module, inner.id, rest)
    imported = owner.imported(inner.id)
    return None if imported is None else program.follow(imported, rest)


def is_analysis(program: Program, statement: Statement, decorator: ast.expr) -> bool:
    """Whether a decorator is the record of an analysis."""
    if not isinstance(decorator, ast.Call):
        return False
    resolved = resolve(program, statement, decorator.func)
    return resolved is not None and resolved.target in RECORDS


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that are executed at import: not the bodies of functions, and no annotations."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns") or (name == "body" and isinstance(node, FUNCTIONS | ast.Lambda)):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from executed(child)


class Visitor:
    """Walks one statement. is_deferred: the bodies of its functions instead of what is executed at import."""

    def __init__(self, touches: Touches, statement: Statement, is_deferred: bool):
        self.touches, self.program, self.statement = touches, touches.program, statement
        self.is_deferred = is_deferred
        self.touched = Touched()

    def visit(self) -> Touched:
        if self.is_deferred:
            for body in _bodies(self.statement.node):
                for part in body:
                    self._statement(part)
        else:
            self._statement(self.statement.node)
        return self.touched

    # ------------------------------------------------------------------------------------------------- statements

    def _statement(self, node: ast.AST) -> None:
        if isinstance(node, FUNCTIONS | ast.ClassDef):
            self._definition(node)
        elif isinstance(node, ast.Expr):
            self._expression(node.value, is_bare=True)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                self._target(target)
            if node.value is not None:
                self._expression(node.value)
                if not isinstance(node, ast.AugAssign):
                    self._flow(node.value, How.ALIAS)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._target(node.target)
            self._expression(node.iter)
            self._flow(node.iter, How.ALIAS)
            self._all([*node.body, *node.orelse])
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                self._expression(item.context_expr)
                self._flow(item.context_expr, How.ALIAS)
                if item.optional_vars is not None:
                    self._target(item.optional_vars)
            self._all(node.body)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                self._target(target)
        elif isinstance(node, ast.Match):
            self._expression(node.subject)
            self._flow(node.subject, How.ALIAS)
            self._all(node.cases)
        elif isinstance(node, ast.expr):
            self._expression(node)
        else:
            self._all(ast.iter_child_nodes(node))

    def _all(self, nodes) -> None:
        for node in nodes:
            self._statement(node)

    def _definition(self, node) -> None:
        for decorator in node.decorator_list:
            if is_analysis(self.program, self.statement, decorator):
                continue
            self._expression(decorator)
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            self._called(function, is_bare=True, is_decorator=True)
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                self._expression(base)
                self._called(base, is_bare=False)
            for keyword in node.keywords:
                self._expression(keyword.value)
                self._called(keyword.value, is_bare=False)  # metaclass=
            if not self.is_deferred:
                self._all(node.body)
        else:
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None:
                    self._expression(default)
            if self.is_deferred:  # a function inside of a function: whoever calls the outer one may call it
                self._all(node.body)

    # ------------------------------------------------------------------------------------------------ expressions

    def _expression(self, node: ast.expr, is_bare: bool = False) -> None:
        if isinstance(node, ast.Call):
            self._call(node, is_bare)
        elif isinstance(node, ast.NamedExpr):
            self._target(node.target)
            self._flow(node.value, How.ALIAS)
            self._expression(node.value)
        else:
            if isinstance(node, COMPREHENSIONS):
                for generator in node.generators:
                    self._flow(generator.iter, How.ARGUMENT)
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.comprehension):
                    for part in (child.iter, *child.ifs):
                        self._expression(part)
                elif isinstance(child, ast.expr):
                    self._expression(child, is_bare and isinstance(node, ast.Await | COMPREHENSIONS))
                elif isinstance(child, ast.keyword):
                    self._expression(child.value)

    def _call(self, node: ast.Call, is_bare: bool) -> None:
        self._called(node.func, is_bare)
        patches = self._is_patch(node.func)
        if self._is_reading(node.func):
            for argument in node.args:
                self._expression(argument)
            return
        self._set_on_a_module(node)
        for argument in (*node.args, *(k.value for k in node.keywords)):
            self._flow(argument, How.PATCH if patches else How.ARGUMENT, node)
            self._expression(argument)
            if isinstance(argument, ast.Name | ast.Attribute):  # map(f, …), sorted(key=f): it may be called there
                resolved = resolve(self.program, self.statement, argument)
                if resolved is not None and isinstance(resolved.target, Definition):
                    if self.touches.sort(resolved.target) is Sort.FUNCTION:
                        self.touched.calls.add(resolved.target)
        self._expression(node.func)

    def _is_reading(self, function: ast.expr) -> bool:
        """Whether a builtin is called that changes nothing, and keeps nothing."""
        is_one = isinstance(function, ast.Name) and function.id in READING
        return is_one and resolve(self.program, self.statement, function) is None

    def _set_on_a_module(self, node: ast.Call) -> None:
        """`setattr(module, "name", …)` binds a name of another module."""
        if isinstance(node.func, ast.Name) and node.func.id in PATCHES and len(node.args) > 1:
            resolved, name = resolve(self.program, self.statement, node.args[0]), node.args[1]
            if resolved is not None and isinstance(resolved.target, Whole) and isinstance(name, ast.Constant):
                self.touched.names.add((Definition(resolved.target.module, str(name.value)), How.BIND))

    def _is_patch(self, function: ast.expr) -> bool:
        resolved = resolve(self.program, self.statement, function)
        if resolved is None:
            return isinstance(function, ast.Name) and function.id in PATCHES
        if isinstance(resolved.target, Definition):
            return self.touches.patches_its_arguments(resolved.target)
        return isinstance(resolved.target, Outside) and resolved.target.path in PATCHING_LIBRARIES

    def _called(self, function: ast.expr, is_bare: bool, is_decorator: bool = False) -> None:
        """A function, a class, or a method of something is called."""
        resolved = resolve(self.program, self.statement, function)
        if resolved is not None and isinstance(resolved.target, Outside):
            if is_bare and not is_decorator:  # a decorator makes something of what stands below it
                self.touched.libraries.add(resolved.target.path.partition(".")[0])
            return
        if resolved is not None and isinstance(resolved.target, Definition):
            self.touched.calls.add(resolved.target)
            if self.touches.sort(resolved.target) is Sort.VALUE:  # it may note what it is given
                self.touched.names.add((resolved.target, How.BARE_RECEIVER))
        if isinstance(function, ast.Attribute):
            if self.is_deferred and function.attr in READING_METHODS:
                return
            if resolved is not None and resolved.n_attributes == depth(function):  # a function of a module, no method
                return
            self._base(function.value, How.BARE_RECEIVER if is_bare else How.RECEIVER)
        elif isinstance(function, ast.Subscript | ast.Call):
            self._base(function, How.RECEIVER)

    # ----------------------------------------------------------------------------------------------- what is named

    def _target(self, node: ast.expr) -> None:
        if isinstance(node, ast.Tuple | ast.List):
            for part in node.elts:
                self._target(part)
        elif isinstance(node, ast.Starred):
            self._target(node.value)
        elif isinstance(node, ast.Name):
            if self.statement.scopes.of[node].owner(node.id) is None:
                self.touched.names.add((Definition(self.statement.module.name, node.id), How.BIND))
        elif isinstance(node, ast.Attribute | ast.Subscript):
            if isinstance(node, ast.Attribute):
                resolved = resolve(self.program, self.statement, node)
                if (
                    resolved is not None
                    and isinstance(resolved.target, Definition)
                    and resolved.n_attributes == depth(node)
                ):
                    self.touched.names.add((resolved.target, How.BIND))  # a name of another module
                    return
            else:
                self._expression(node.slice)
            self._base(node.value, How.STORE)

    def _base(self, node: ast.expr, how: How) -> None:
        """What stands at the beginning of a chain of attributes, items and calls."""
        if self.is_deferred and isinstance(self.statement.node, ast.ClassDef) and how not in (How.ALIAS, How.ARGUMENT):
            self._of_the_class(node, how)
        while True:
            resolved = resolve(self.program, self.statement, node)
            if resolved is not None:
                if isinstance(resolved.target, Definition):
                    self.touched.names.add((resolved.target, how))
                    if how is not How.STORE and self.touches.sort(resolved.target) is Sort.VALUE:
                        self.touched.calls.add(resolved.target)  # a method of it: whatever made it may change more
                elif isinstance(resolved.target, Outside) and (how in (How.STORE, How.BARE_RECEIVER)):
                    self.touched.libraries.add(resolved.target.path.partition(".")[0])
                return
            if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
                node = node.value
            elif isinstance(node, ast.NamedExpr | ast.Await):
                node = node.value
            elif isinstance(node, ast.Call):
                self._through(node.func, how)
                node = node.func
            else:
                return

    def _of_the_class(self, node: ast.expr, how: How) -> None:
        """Inside a method, something of the class itself is changed: `cls.all`, `self.all` that the class binds."""
        names: list[str] = []
        while isinstance(node, ast.Attribute | ast.Subscript):
            names.append(node.attr if isinstance(node, ast.Attribute) else "")
            node = node.value
        owner = self.statement.node
        if not isinstance(node, ast.Name) or not isinstance(owner, ast.ClassDef):
            return
        body = self.statement.scopes.inside[owner].bound
        of_class, of_object = _first_arguments(owner)
        is_shared = node.id in of_object and any(name in body for name in names[-1:])
        if is_shared or (node.id in of_class and (names or how is How.STORE)):
            self.touched.names.add((Definition(self.statement.module.name, owner.name), How.STORE))

    def _through(self, function: ast.expr, how: How) -> None:
        """Something that a function of the project gives is changed: it may be any value that the function names."""
        resolved = resolve(self.program, self.statement, function)
        if resolved is None or not isinstance(resolved.target, Definition):
            return
        module = self.program.module(resolved.target.module)
        for statement in module.bindings.get(resolved.target.name, ()) if module else ():
            for part in ast.walk(statement.node):
                if isinstance(part, ast.Name) and part in statement.scopes.of:
                    named = resolve(self.program, statement, part)
                    if named is not None and isinstance(named.target, Definition):
                        self.touched.names.add((named.target, how))

    def _is_library(self, call: ast.Call | None) -> bool:
        """Whether a function of a library is called: nobody knows what it does to what it is given."""
        resolved = resolve(self.program, self.statement, call.func) if call is not None else None
        return resolved is not None and isinstance(resolved.target, Outside)

    def _flow(self, node: ast.expr, how: How, call: ast.Call | None = None, is_whole: bool = True) -> None:
        """The names whose values a value may hold: themselves, parts of a display, what a call was given.

        call: the one that is given the value; is_whole: it is not part of a display.
        """
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            if self.is_deferred and how is How.ARGUMENT and not self._is_library(call):
                return  # to be read, mostly; what sets something of its arguments is a patch
            self._base(node, how)
            resolved = resolve(self.program, self.statement, node) if how is How.ALIAS and is_whole else None
            if resolved is not None and isinstance(resolved.target, Definition):
                if self.touches.sort(resolved.target) is Sort.FUNCTION:  # called by another name, it does the same
                    self.touched.calls.add(resolved.target)
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            for part in node.elts:
                self._flow(part, how, call, is_whole=False)
        elif isinstance(node, ast.Dict):
            for part in node.values:
                self._flow(part, how, call, is_whole=False)
        elif isinstance(node, ast.IfExp):
            self._flow(node.body, how)
            self._flow(node.orelse, how)
        elif isinstance(node, ast.BoolOp):
            for part in node.values:
                self._flow(part, how)
        elif isinstance(node, ast.Starred | ast.NamedExpr | ast.Await):
            self._flow(node.value, how)


def _first_arguments(owner: ast.ClassDef) -> tuple[set[str], set[str]]:
    """How methods of a class call the class itself, and its objects."""
    of_class: set[str] = set()
    of_object: set[str] = set()
    is_metaclass = any(isinstance(base, ast.Name) and base.id == "type" for base in owner.bases)
    for method in owner.body:
        if isinstance(method, FUNCTIONS) and method.args.args:
            decorators = {getattr(d, "id", "") for d in method.decorator_list}
            takes_class = is_metaclass or "classmethod" in decorators or method.name in OF_CLASSES
            (of_class if takes_class else of_object).add(method.args.args[0].arg)
    return of_class, of_object - of_class


def depth(node: ast.expr) -> int:
    """How many attributes a chain has."""
    n = 0
    while isinstance(node, ast.Attribute):
        n, node = n + 1, node.value
    return n


def _bodies(node: ast.AST) -> Iterator[Sequence[ast.AST]]:
    """The bodies of the functions of a statement: of a function, of a class's methods, of lambdas."""
    if isinstance(node, FUNCTIONS):
        yield node.body
    elif isinstance(node, ast.Lambda):
        yield [node.body]
    else:
        for child in ast.iter_child_nodes(node):
            yield from _bodies(child)
