"""The project's modules together: where a name leads, and in which order their statements are executed."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from tshdb.engine.code.modules import Module, Statement, parsed
from tshdb.engine.code.texts import Text, Texts
from tshdb.errors import InvalidInput


class Definition(NamedTuple):
    """A name of a project module that its statements bind."""

    module: str
    name: str


class Outside(NamedTuple):
    """A name of a library, by its full path, and all that is asked of it."""

    path: str


class Whole(NamedTuple):
    """A project module itself, not something in it."""

    module: str


Target = Definition | Outside | Whole


class Resolved(NamedTuple):
    """Where the first part of a chain of attributes leads, and how many of the attributes that takes."""

    target: Target
    n_attributes: int


class Program:
    """The modules of the top-level packages `project`, read and parsed when they are asked for."""

    def __init__(self, texts: Texts, project: frozenset[str]):
        self.texts, self.project = texts, project
        self._modules: dict[str, Module | None] = {}
        self._orders: dict[str, tuple[list[str], dict[Statement, int]]] = {}
        self._asked: set[tuple[str, str]] = set()  # names of modules that are being followed: imports may go in circles

    def is_as(self, texts: Texts) -> bool:
        """Whether all that was read of it is the same in these texts, from which it then reads on."""
        for name, module in self._modules.items():
            text = texts.read(name)
            if text != (module.text if module is not None else None):
                return False
        self.texts = texts
        return True

    def is_project(self, module: str) -> bool:
        return module.partition(".")[0] in self.project

    def module(self, name: str) -> Module | None:
        """The module, or None where there is none. Raises InvalidInput for one that is not Python."""
        if name not in self._modules:
            self._modules[name] = None
            text = self.texts.read(name)
            if text is not None:
                self._modules[name] = _parsed(name, text)
        return self._modules[name]

    def known(self, name: str) -> Module:
        """A module that is there. Raises LookupError for one that is not."""
        module = self.module(name)
        if module is None:
            raise LookupError(name)
        return module

    def where(self, module: Module, name: str, rest: list[str]) -> Resolved | None:
        """Where a name of a module leads, with the attributes `rest` behind it; None for what nobody defines (builtins)."""
        if name in module.bindings:
            return Resolved(Definition(module.name, name), 0)
        asked = (module.name, name)
        if asked in self._asked:  # in a circle, in which nobody defines it
            return None
        self._asked.add(asked)
        try:
            return self._where_imported(module, name, rest)
        finally:
            self._asked.discard(asked)

    def _where_imported(self, module: Module, name: str, rest: list[str]) -> Resolved | None:
        if name in module.imports:
            return self.follow(module.imports[name], rest)
        for base in reversed(module.stars):  # the last one holds
            source = self.module(base) if self.is_project(base) else None
            if source is None or (name.startswith("_") and "__all__" not in source.bindings):
                continue
            resolved = self.where(source, name, rest)
            if resolved is not None:
                return resolved
        outside = [base for base in module.stars if not self.is_project(base)]
        if outside:  # whether it has the name is not known here
            return Resolved(Outside(".".join([*outside, name, *rest])), len(rest))
        return None

    def follow(self, imported: tuple[str, str | None], rest: list[str]) -> Resolved:
        """Follow an import (module, attribute), and the attributes behind it, to the module that defines the name."""
        base, attribute = imported
        if not self.is_project(base):
            return Resolved(Outside(".".join([base, *filter(None, [attribute]), *rest])), len(rest))
        names = [attribute, *rest] if attribute else list(rest)
        extra = 1 if attribute else 0  # names that are no attributes of the chain
        current, taken = base, 0
        while taken < len(names):
            module = self.module(current)
            if module is None:
                break
            name = names[taken]
            is_own_module = module.imports.get(name) == (current, name)  # a package that imports its own submodule
            resolved = None if is_own_module else self.where(module, name, names[taken + 1 :])
            if resolved is not None:
                return Resolved(resolved.target, taken + 1 + resolved.n_attributes - extra)
            if self.module(f"{current}.{name}") is not None:
                current, taken = f"{current}.{name}", taken + 1
                continue
            lazy = "__getattr__" if "__getattr__" in module.bindings else name  # PEP 562, or a name that is not there
            return Resolved(Definition(current, lazy), taken + 1 - extra)
        return Resolved(Whole(current), taken - extra)

    def order(self, roots: tuple[str, ...]) -> tuple[list[str], dict[Statement, int]]:
        """(modules that are imported with these, all statements of them in the order of execution).

        Importing a module imports the packages around it first, and what its import statements name where they stand.
        """
        key = "\0".join(roots)
        if key not in self._orders:
            modules: dict[str, None] = {}
            placed: dict[Statement, int] = {}
            asked: set[str] = set()
            for root in roots:
                self._execute(root, modules, placed, asked)
            self._orders[key] = list(modules), placed
        return self._orders[key]

    def _execute(self, name: str, modules: dict[str, None], placed: dict[Statement, int], asked: set[str]) -> None:
        if name in asked:
            return
        asked.add(name)
        parts = name.split(".")
        for n in range(1, len(parts) + 1):
            current = ".".join(parts[:n])
            if current in modules or not self.is_project(current):
                continue
            module = self.module(current)
            if module is None:
                return
            modules[current] = None
            for step in module.steps:
                if isinstance(step, Statement):
                    placed[step] = len(placed)
                else:
                    for imported in step:
                        self._execute(imported, modules, placed, asked)


@lru_cache(maxsize=1024)
def _parsed(name: str, text: Text) -> Module:
    try:
        return parsed(name, text)
    except (SyntaxError, ValueError, RecursionError) as error:
        where = f"{text.path}:{getattr(error, 'lineno', 1)}"
        raise InvalidInput(f"not Python: {getattr(error, 'msg', error)}", where=where, repair="Mend the line") from None
