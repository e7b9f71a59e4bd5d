"""The fingerprint again, from what a database keeps: the texts of statements, and where each name in them led.

Kept beside the texts (`leads`), as plain values: definitions in the order of their visit, each with its statements;
roots, how many of them the code was followed from; settings, the statements that belong to no definition; orders, of
names that change at import, who changes and reads them; aliases, statements whose names may be others' as well;
packages, from which relative imports go; imports that are never named; records, which decorators of a statement are left
out; for every statement its open names in their order, each as [chain] or [chain, kind of target, target, attributes
taken]; and of a program the texts that count (files).
"""

from __future__ import annotations

import ast
from functools import lru_cache
from itertools import count

from tshdb.canonical import digest
from tshdb.engine.code.files import FILES, counted_of, fingerprint_with
from tshdb.engine.code.follow import Assembly, Lead, deep
from tshdb.engine.code.form import Form, form_of
from tshdb.engine.code.modules import Module, Statement
from tshdb.engine.code.program import Definition, Outside, Resolved, Whole
from tshdb.engine.code.texts import Text


def fingerprint_of_kept(sources: dict[str, str], leads: dict) -> str:
    """The fingerprint of kept code, by the normal form of this program. Raises ValueError when parts are missing."""
    kept = Kept(sources, leads)
    with deep():
        text = Assembly(kept.form, kept.lead, kept.statements_of, kept.is_alias)
        definitions = [_definition(name) for name, _ in leads["definitions"]]
        text.follow(definitions[: leads["roots"]])
        text.add_settings([kept.statement(name) for name in leads["settings"]])
        text.imports = list(leads["imports"])
        text.orders = [(_definition(name), list(map(kept.statement, names))) for name, names in leads["orders"]]
        fingerprint = digest(text.text().encode())
    return fingerprint_with(fingerprint, counted_of(sources, leads)) if leads.get(FILES) else fingerprint


class Kept:
    """Kept code, each statement read when it is first asked for."""

    def __init__(self, sources: dict[str, str], leads: dict):
        self.sources, self.leads = sources, leads
        self._of = {_definition(name): statements for name, statements in leads["definitions"]}
        self._statements: dict[str, Statement] = {}
        self._names: dict[Statement, str] = {}
        self._forms: dict[Statement, Form] = {}

    def statement(self, name: str) -> Statement:
        if name not in self._statements:
            text = self.sources.get(name, "")
            node = _node(text)
            if node is None:
                raise ValueError(f"{name} is not kept")
            package = self.leads["packages"][name]
            made = Statement(Module(package, Text(text, True, None)), 0, node, frozenset())
            self._statements[name] = made
            self._names[made] = name
        return self._statements[name]

    def statements_of(self, definition: Definition) -> list[Statement]:
        return [self.statement(name) for name in self._of.get(definition, ())]

    def is_alias(self, statement: Statement) -> bool:
        return self._names[statement] in self.leads["aliases"]

    def form(self, statement: Statement) -> Form:
        if statement not in self._forms:
            records = self.leads["records"].get(self._names[statement], ())
            self._forms[statement] = _form(statement.module.text.text, statement.module.name, tuple(records))
        return self._forms[statement]

    def lead(self, statement: Statement) -> list[Lead]:
        return [_lead(*entry) for entry in self.leads["names"][self._names[statement]]]


# Most statements are those of many analyses: each is read and written once.
@lru_cache(maxsize=8192)
def _node(text: str) -> ast.stmt | None:
    """The one statement of a text; None for none or several. Raises SyntaxError."""
    tree = ast.parse(text).body
    return tree[0] if len(tree) == 1 else None


@lru_cache(maxsize=8192)
def _form(text: str, package: str, records: tuple[int, ...]) -> Form:
    """The normal form of a text that is one statement. records: which of its decorators are left out."""
    node, decorators = _node(text), count()
    assert node is not None
    statement = Statement(Module(package, Text(text, True, None)), 0, node, frozenset())
    return form_of(statement, lambda _: next(decorators) in records)


def _definition(name: str) -> Definition:
    module, _, last = name.rpartition(".")
    return Definition(module, last)


def _lead(_chain: str, kind: str | None = None, target: str = "", n_attributes: int = 0) -> Lead:
    if kind is None:
        return None
    made = _definition(target) if kind == "Definition" else Outside(target) if kind == "Outside" else Whole(target)
    return Resolved(made, n_attributes)
