"""All code that a function reaches, as one text whose digest is its fingerprint.

From the function on, each name of the project leads to the statements that bind it, and to those that change it when a
module is imported, in the order of execution. A project name is written as the number of its first visit, an outside name
by its full path: where code stands, and by which name it is known there, is no part of what it says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count

from tshdb.canonical import digest
from tshdb.engine.code.form import Form, Open, form_of
from tshdb.engine.code.modules import Module, Statement
from tshdb.engine.code.program import Definition, Outside, Program, Resolved, Whole
from tshdb.engine.code.refusals import refusals, refusals_at_import
from tshdb.engine.code.touches import Touches
from tshdb.engine.code.walk import is_analysis, resolve
from tshdb.errors import InvalidInput


@dataclass(frozen=True)
class Code:
    """The code behind an analysis.

    sources: name of a statement -> its text.
    leads: where the names in them lead (see `kept.py`).
    fingerprint: of the normal form.
    modules: all that were read on the way, and whose text decides.
    """

    sources: dict[str, str]
    leads: dict
    fingerprint: str
    modules: tuple[str, ...]


Lead = Resolved | None
DEPTH = 20_000  # of expressions inside of expressions
StatementsOf = Callable[[Definition], Sequence[Statement]]


@contextmanager
def deep() -> Iterator[None]:
    """Room for long expressions and chains. Raises InvalidInput for code that is deeper."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEPTH))
    try:
        yield
    except RecursionError:
        raise InvalidInput("code whose expressions are too deep", repair="Write it in several statements") from None
    finally:
        sys.setrecursionlimit(before)


class Follower:
    """Follows code in one program; what was found of statements is kept for the next function."""

    def __init__(self, program: Program):
        self.program, self.touches = program, Touches(program)
        self._forms: dict[Statement, Form] = {}
        self._records: dict[Statement, list[int]] = {}  # which of its decorators are records of analyses
        self._leads: dict[Statement, list[Lead]] = {}
        self._refused: dict[Statement, list[str]] = {}
        self._refused_at_import: dict[str, list[tuple[str, bool]]] = {}
        self._indexed: set[str] = set()
        self._changing: dict[Definition, list[Statement]] = {}
        self._setting: dict[str, list[Statement]] = {}  # library -> the statements that set something of it
        self._codes: dict[tuple[Definition, ...], Code] = {}

    def code_of(self, roots: Sequence[Definition]) -> Code:
        """The code that these definitions reach. Raises InvalidInput for code that cannot be followed."""
        asked = tuple(roots)
        if asked not in self._codes:
            with deep():
                self._codes[asked] = self._code_of(roots)
        return self._codes[asked]

    def _code_of(self, roots: Sequence[Definition]) -> Code:
        inside: dict[str, None] = {}
        while True:
            modules, placed = self.program.order((*dict.fromkeys(d.module for d in roots), *inside))
            self._index(modules)
            text = Assembly(self._form, self._lead, partial(self._statements, placed=placed), self.touches.is_alias)
            text.follow(roots)
            self._add_settings(text, placed)
            more = {m for s in text.reached for m in s.imports if self.program.is_project(m)}
            if more <= inside.keys():
                break
            inside |= dict.fromkeys(sorted(more))
        self._refuse(text.reached)
        self._refuse_modules(modules)
        self._add_unnamed(text, modules)
        text.orders = list(self._orders(text, placed))
        names = _named(text.reached)
        return Code(
            sources={names[s]: s.text for s in text.reached},
            leads=_kept(text, names, len(roots), self._records),
            fingerprint=digest(text.text().encode()),
            modules=tuple(sorted({*modules, *(s.module.name for s in text.reached)})),
        )

    # ------------------------------------------------------------------------------------------------- statements

    def _statements(self, definition: Definition, placed: dict[Statement, int]) -> list[Statement]:
        """What binds the definition, and what changes it, in the order of execution."""
        module = self.program.module(definition.module)
        own = module.bindings.get(definition.name, []) if module is not None else []
        statements = {*own, *(s for s in self._changing.get(definition, ()) if s in placed)}
        return sorted(statements, key=lambda s: (placed.get(s, len(placed)), s.module.name, s.index))

    def _index(self, modules: Iterable[str]) -> None:
        """Note what every statement of these modules changes."""
        for name in modules:
            if name in self._indexed:
                continue
            self._indexed.add(name)
            for statement in self.program.known(name).statements:
                touched = self.touches.executed(statement)
                for definition in {d for d, _ in touched.names}:
                    if self.touches.is_changed(definition, touched):
                        self._changing.setdefault(definition, []).append(statement)
                for library in touched.libraries:
                    self._setting.setdefault(library, []).append(statement)

    def _add_settings(self, text: Assembly, placed: dict[Statement, int]) -> None:
        """Statements that set something of a library that is reached: `numpy.seterr(…)`, `os.environ[…] = …`."""
        while True:
            statements = {s for library in text.libraries for s in self._setting.get(library, ()) if s in placed}
            statements -= set(text.reached)
            if not statements:
                return
            text.add_settings(sorted(statements, key=placed.__getitem__))

    def _add_unnamed(self, text: Assembly, modules: Iterable[str]) -> None:
        """Libraries that are imported where something is reached, and that nobody names: imported for what that does."""
        imported = {name for s in text.reached for name in s.module.unnamed}
        imported |= {".".join(filter(None, target)) for s in text.reached for target in self._form(s).imports}
        imported -= {name for module in modules for name in self.program.known(module).named}
        text.imports = sorted(name for name in imported if not self.program.is_project(name))

    def _orders(self, text: Assembly, placed: dict[Statement, int]) -> Iterator[tuple[Definition, list[Statement]]]:
        """Of every name that changes while modules are imported: who changes and who reads it then, one after the other."""
        readers: dict[Definition, list[Statement]] = {}
        for statement in text.reached:
            for definition in self.touches.reads(statement):
                readers.setdefault(definition, []).append(statement)
        for definition, statements in text.of.items():
            if len(statements) > 1:
                all_of_them = {*statements, *readers.get(definition, ())}
                yield (
                    definition,
                    sorted(all_of_them, key=lambda s: (placed.get(s, len(placed)), s.module.name, s.index)),
                )

    def _form(self, statement: Statement) -> Form:
        if statement not in self._forms:
            records = self._records[statement] = []
            decorators = count()

            def is_record(decorator) -> bool:
                n, is_one = next(decorators), is_analysis(self.program, statement, decorator)
                if is_one:
                    records.append(n)
                return is_one

            self._forms[statement] = form_of(statement, is_record)
        return self._forms[statement]

    def _lead(self, statement: Statement) -> list[Lead]:
        """Where the open names of a statement's form lead, in their order."""
        if statement not in self._leads:
            opens = [part for part in self._form(statement).parts if isinstance(part, Open)]
            self._leads[statement] = [self._one_lead(statement, part) for part in opens]
        return self._leads[statement]

    def _one_lead(self, statement: Statement, part: Open) -> Lead:
        if part.node is not None:
            return resolve(self.program, statement, part.node)
        if part.is_import:
            return self.program.follow((part.chain[0], part.chain[1] if len(part.chain) > 1 else None), [])
        return self.program.where(statement.module, part.chain[0], [])

    def _refuse(self, statements: Iterable[Statement]) -> None:
        for statement in statements:
            if statement not in self._refused:
                self._refused[statement] = [*refusals(self.program, self.touches, statement), *self._lost(statement)]
            reasons = self._refused[statement] + [what for what, _ in self._at_import(statement.module)]
            if reasons:
                raise _refusal(reasons[0], statement.name)

    def _refuse_modules(self, modules: Iterable[str]) -> None:
        """What modules that are imported on the way do to others, whoever these are."""
        for name in modules:
            reasons = [what for what, is_its_own in self._at_import(self.program.known(name)) if not is_its_own]
            if reasons:
                raise _refusal(reasons[0], name)

    def _at_import(self, module: Module) -> list[tuple[str, bool]]:
        if module.name not in self._refused_at_import:
            self._refused_at_import[module.name] = list(refusals_at_import(self.program, self.touches, module))
        return self._refused_at_import[module.name]

    def _lost(self, statement: Statement) -> Iterator[str]:
        """Names that lead to a whole module, or to nothing that a module says."""
        for lead in self._lead(statement):
            if lead is not None and isinstance(lead.target, Whole):
                yield f"the module {lead.target.module} is used as a value"
            if lead is not None and isinstance(lead.target, Definition) and not self.touches.statements(lead.target):
                yield f"{lead.target.module} defines no {lead.target.name}"


class Assembly:
    """The text of all that is reached, as it grows. lead, form, statements_of: what is known of statements and names."""

    def __init__(
        self,
        form: Callable[[Statement], Form],
        lead: Callable[[Statement], list[Lead]],
        statements_of: StatementsOf,
        is_alias: Callable[[Statement], bool],
    ):
        self.form, self.lead, self.statements_of, self.is_alias = form, lead, statements_of, is_alias
        self.numbers: dict[Definition, int] = {}
        self.orders: list[tuple[Definition, list[Statement]]] = []
        self._followed: set[Definition] = set()
        self.reached: dict[Statement, int] = {}
        self.of: dict[Definition, list[Statement]] = {}
        self.settings: list[Statement] = []
        self.libraries: set[str] = set()
        self.imports: list[str] = []
        self._parts: list[str] = []
        self._waiting: list[Definition] = []

    def follow(self, roots: Sequence[Definition]) -> None:
        """Write what the roots reach."""
        for root in roots:
            self._number(root, is_followed=True)
        self._follow()

    def add_settings(self, statements: Sequence[Statement]) -> None:
        """Write statements that belong to no definition, and what they reach."""
        for statement in statements:
            if statement not in self.reached:
                self.settings.append(statement)
                self._parts.append("\n!")
                self._statement(statement)
                self._follow()

    def text(self) -> str:
        """All of it; with the names of definitions where some code asks for names."""
        parts = [*self._parts, "\nimports ", " ".join(self.imports)]
        for definition, statements in self.orders:
            parts.append(f"\norder #{self.numbers[definition]}: {' '.join(str(self.reached[s]) for s in statements)}")
        if any(self.form(s).reads_names for s in self.reached):
            parts += ["\nnames ", " ".join(d.name for d in self.numbers)]
        return "".join(parts)

    def _follow(self) -> None:
        position = 0
        while position < len(self._waiting):
            definition = self._waiting[position]
            position += 1
            self._parts.append(f"\n#{self.numbers[definition]}:")
            self.of[definition] = list(self.statements_of(definition))
            for statement in self.of[definition]:
                if statement in self.reached:
                    self._parts.append(f"={self.reached[statement]};")
                else:
                    self._statement(statement)
        self._waiting = []

    def _number(self, definition: Definition, is_followed: bool) -> int:
        if definition not in self.numbers:
            self.numbers[definition] = len(self.numbers)
        if is_followed and definition not in self._followed:
            self._followed.add(definition)
            self._waiting.append(definition)
        return self.numbers[definition]

    def _statement(self, statement: Statement) -> None:
        self.reached[statement] = len(self.reached)
        leads = iter(self.lead(statement))
        is_alias = self.is_alias(statement)
        for part in self.form(statement).parts:
            self._parts.append(part if isinstance(part, str) else self._name(part, next(leads), is_alias))
        self._parts.append(";")

    def _name(self, part: Open, lead: Lead, is_alias: bool) -> str:
        rest = () if part.is_import else part.chain[1:]
        if lead is None:
            return ".".join((part.chain[0], *rest))
        rest = rest[lead.n_attributes :]
        target = lead.target
        if isinstance(target, Definition):
            head = f"#{self._number(target, is_followed=is_alias or not part.is_bound)}"
        elif isinstance(target, Outside):
            self.libraries.add(target.path.partition(".")[0])
            head = f"@{target.path}"
        else:
            head = "#module"
        return "".join((head, *(f".{name}" for name in rest)))


def _refusal(reason: str, where: str) -> InvalidInput:
    return InvalidInput(
        f"code that cannot be followed ({reason})", where=where,
        repair="Results of an analysis must not depend on it: call what is meant by its name",
    )  # fmt: skip


def _named(statements: Iterable[Statement]) -> dict[Statement, str]:
    """A name of its own for every statement."""
    names: dict[Statement, str] = {}
    used: dict[str, int] = {}
    for statement in statements:
        n = used[statement.name] = used.get(statement.name, 0) + 1
        names[statement] = statement.name if n == 1 else f"{statement.name} ({n})"
    return names


def _kept(text: Assembly, names: dict[Statement, str], n_roots: int, records: dict[Statement, list[int]]) -> dict:
    """What the fingerprint rests on besides the texts of the statements, as plain values."""
    return {
        "roots": n_roots,
        "records": {names[s]: records[s] for s in text.reached if records[s]},
        "definitions": [[".".join(d), [names[s] for s in text.of.get(d, ())]] for d in text.numbers],
        "settings": [names[s] for s in text.settings],
        "orders": [[".".join(d), [names[s] for s in statements]] for d, statements in text.orders],
        "aliases": [names[s] for s in text.reached if text.is_alias(s)],
        "packages": {names[s]: s.module.package for s in text.reached},
        "imports": text.imports,
        "names": {
            names[s]: [
                [".".join(part.chain), *_plain(lead)]
                for part, lead in zip((p for p in text.form(s).parts if isinstance(p, Open)), text.lead(s), strict=True)
            ]
            for s in text.reached
        },
    }


def _plain(lead: Lead) -> list:
    if lead is None:
        return []
    return [type(lead.target).__name__, ".".join(lead.target), lead.n_attributes]
