"""The definitions that differ between two codes, from what a database keeps of both.

A definition stands for the statements that bind it and those that change it when a module is imported. It has changed when the
normal form of one of them has, where a name says what it leads to: an edited constant is named by itself, not by those who
read it. Definitions go by their names; one that is known on one side alone is the same as one of the other side that says the
same, whatever its name and module.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from tshdb.engine.code.files import FILES, counted_of, files_changed
from tshdb.engine.code.follow import deep
from tshdb.engine.code.form import NAME_ATTRIBUTES, Open
from tshdb.engine.code.kept import Kept, fingerprint_of_kept
from tshdb.engine.code.scopes import FUNCTIONS

NOT_KEPT = "code of which no text was kept"
Wording = tuple[str, ...]
Written = tuple[str, tuple[int, ...], str | None]
Label = Callable[[str], str]


class DefinitionChange(NamedTuple):
    """One definition that differs.

    name: as it is known now, or was known when it went.
    before, after: its text, None on the side on which there is none. Comments below a text (`# mean: numpy.mean`) say
        where a name led that leads elsewhere now.

    What is no definition has a name in words: the order in which one is changed, settings and imports of libraries.
    """

    name: str
    before: str | None
    after: str | None


def definitions_changed(
    sources_before: Mapping[str, str], leads_before: Mapping, sources_after: Mapping[str, str], leads_after: Mapping
) -> tuple[DefinitionChange, ...]:
    """The definitions that differ, at least one where the fingerprints do; so that is when to ask.

    Where a side has no leads (taken over from revision 0009), statements are compared alone, by their own normal form: a name
    that leads elsewhere now is not seen; what one side alone has is named if the other never mentions it, since the
    program of that day kept other statements than today's does.
    """
    texts = (counted_of(sources_before, leads_before), counted_of(sources_after, leads_after))
    of_files = tuple(DefinitionChange(*change) for change in files_changed(*texts))
    without = ({n: v for n, v in leads.items() if n != FILES} for leads in (leads_before, leads_after))
    return (
        *of_files,
        *_statements_changed(sources_before, next(without), sources_after, next(without), bool(of_files)),
    )


def _statements_changed(
    sources_before: Mapping[str, str],
    leads_before: Mapping,
    sources_after: Mapping[str, str],
    leads_after: Mapping,
    has_others: bool,
) -> tuple[DefinitionChange, ...]:
    """As `definitions_changed`, of what is Python. has_others: something else differs already, this may be the same."""
    is_whole = bool(leads_before and leads_after)
    before = _Side(sources_before, leads_before if is_whole else _alone(sources_before))
    after = _Side(sources_after, leads_after if is_whole else _alone(sources_after))
    with deep():
        changes = tuple(_Comparison(before, after).changes())
        if not is_whole:
            changes = tuple(c for c in changes if _is_of_one_side(c, sources_before, sources_after))
            return changes or (() if has_others else (DefinitionChange(NOT_KEPT, "", ""),))
        if changes or _fingerprint(before) == _fingerprint(after):
            return changes
    root = after.leads["definitions"][0][0]
    return (DefinitionChange(f"what {root} reaches", "\n".join(before.of), "\n".join(after.of)),)


def short_diff(before: str | None, after: str | None, at_most: int = 12) -> list[str]:
    """The lines of a unified diff without its head, at most so many; the last one says how many are left out."""
    texts = ((before or "").rstrip().splitlines(), (after or "").rstrip().splitlines())
    lines = [s.rstrip() for s in list(difflib.unified_diff(*texts, n=1, lineterm=""))[2:]]
    if len(lines) <= at_most:
        return lines
    shown = max(at_most - 1, 0)
    return [*lines[:shown], f"… {len(lines) - shown:,} more lines"]


# ----------------------------------------------------------------------------------------------------------- one side


class _Block(NamedTuple):
    """Statements that are shown together: those of one definition, or of several that one statement binds."""

    name: str
    statements: list[str]


class _Side:
    """One of the two codes. Statements and definitions go by their names; labels: definition -> what both sides call it."""

    def __init__(self, sources: Mapping[str, str], leads: Mapping):
        self.sources, self.leads = sources, leads
        self.kept = Kept(dict(sources), dict(leads))
        self.of: dict[str, list[str]] = {name: statements for name, statements in leads["definitions"]}
        self.orders: dict[str, list[str]] = {name: statements for name, statements in leads["orders"]}
        self.statements = list(dict.fromkeys([*chain.from_iterable(self.of.values()), *leads["settings"]]))
        self.bound = {s: _bound(s) for s in self.statements}
        self.listed: dict[str, list[str]] = {s: [] for s in self.statements}
        for definition, statements in self.of.items():
            for statement in statements:
                self.listed[statement].append(definition)
        self.labels: dict[str, str] = {}
        self.shared: set[Written] = set()  # what stands on both sides, so that nobody needs its form

    def label(self, definition: str) -> str:
        return self.labels.get(definition, definition)

    def behind(self, definition: str) -> list[str]:
        """The statements that make a definition: of one that is bound beside another and never read, those that bind it."""
        return self.of[definition] or [s for s, bound in self.bound.items() if definition in bound]

    def wording(self, statement: str, label: Label) -> Wording:
        """What a statement says, project names by their labels."""
        leads = self.leads["names"].get(statement, ())
        if self.written(statement) in self.shared:
            return "=", self.sources[statement], *(f"{_head(entry, label)} {entry[3:]}" for entry in leads)
        words: list[str] = []
        entries = iter(leads)
        for part in self.kept.form(self.kept.statement(statement)).parts:
            if isinstance(part, Open):
                entry: Sequence[Any] = next(entries, (part.chain[0],))
                rest = () if part.is_import else part.chain[1:]
                words.append(".".join((_head(entry, label), *rest[entry[3] if len(entry) > 1 else 0 :])))
            else:
                words.append(part)
        return tuple(words)

    def written(self, statement: str) -> Written:
        """All on which its form depends."""
        text = self.sources[statement]
        package = self.leads["packages"].get(statement) if "import" in text else None
        return text, tuple(self.leads["records"].get(statement, ())), package

    def whole(self, definition: str, is_strict: bool) -> tuple[Wording, ...] | None:
        """What all statements of a definition say, its own name left open; so are names of definitions that are not known on
        both sides, or None is given where there are such (is_strict)."""
        unknown: list[str] = []

        def label(name: str) -> str:
            if name == definition:
                return "itself"
            if name not in self.labels:
                unknown.append(name)
            return self.labels.get(name, "?")

        wordings = tuple(self.wording(s, label) for s in self.behind(definition))
        return None if is_strict and unknown else wordings

    def blocks(self) -> dict[frozenset[str], _Block]:
        """Labels of definitions -> the statements that are shown as theirs."""
        blocks: dict[frozenset[str], _Block] = {}
        for statement in self.statements:
            owners = self._owners(statement)
            if owners:
                module = owners[0].rpartition(".")[0]
                name = f"{module}.{', '.join(d.rpartition('.')[2] for d in owners)}"
                key = frozenset(map(self.label, owners))
            else:
                name = f"settings of libraries in {statement.rpartition('.')[0]}"
                key = frozenset({name})
            blocks.setdefault(key, _Block(name, [])).statements.append(statement)
        for block in blocks.values():
            in_order = self.of.get(block.name, [])
            block.statements.sort(key=partial(_place_in, in_order))
        return blocks

    def _owners(self, statement: str) -> list[str]:
        """The definitions under whose names a statement is known: those that it binds, else one that it changes."""
        bound = self.bound[statement]
        others = sorted((d for d in self.listed[statement] if d not in bound), key=self.label)[:1]
        if len(bound) == 1 and self.of.get(bound[0]) and not others:
            return bound
        node = self.kept.statement(statement).node
        if isinstance(node, FUNCTIONS | ast.ClassDef) and bound:
            return [f"{_module(bound[0])}.{node.name}"]
        is_passing = isinstance(node, ast.For) or not any(map(self.of.get, bound))  # what it binds is nobody's
        return others if others and is_passing else bound

    def reads_names(self) -> bool:
        """Whether the code asks definitions for their names."""
        return any(
            self.kept.form(self.kept.statement(s)).reads_names
            for s in self.statements
            if any(name in self.sources[s] for name in NAME_ATTRIBUTES)
        )

    def text(self, statements: Iterable[str]) -> str:
        return "\n".join(self.sources[s].rstrip() for s in statements)

    def led(self, statements: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Name as it is written -> (where it leads, by the labels of both sides; in words)."""
        return {
            entry[0]: (_head(entry, self.label), entry[2] if len(entry) > 1 else "built in")
            for statement in statements
            for entry in self.leads["names"].get(statement, ())
        }


def _fingerprint(side: _Side) -> str:
    return fingerprint_of_kept(dict(side.sources), dict(side.leads))


def _bound(statement: str) -> list[str]:
    """The definitions that a statement binds, by its name; `_` is no name by which anything is known."""
    module, _, last = re.sub(r" \(\d+\)$", "", statement).rpartition(".")
    return [f"{module}.{name}" for name in last.split(", ") if name.isidentifier() and name != "_"]


def _head(entry: Sequence, label: Label) -> str:
    """Where a name leads. entry: as `leads` keep it."""
    name, *lead = entry
    if not lead:
        return name.partition(".")[0]
    kind, target, _ = lead
    return {"Definition": f"#{label(target)}", "Outside": f"@{target}"}.get(kind, "#module")


# ---------------------------------------------------------------------------------------------------------- both sides


class _Comparison:
    def __init__(self, before: _Side, after: _Side):
        self.before, self.after = before, after
        written = [set(map(side.written, side.statements)) for side in (before, after)]
        before.shared = after.shared = written[0] & written[1]
        self._pair()
        self.blocks_before, self.blocks_after = before.blocks(), after.blocks()
        self.wordings_before = {s: before.wording(s, before.label) for s in before.statements}
        self.wordings_after = {s: after.wording(s, after.label) for s in after.statements}

    # ------------------------------------------------------------------------------------------- who is who elsewhere

    def _pair(self) -> None:
        """Give the definitions of both sides their labels: the name of today."""
        before, after = self.before, self.after
        before.labels = {d: d for d in before.of if d in after.of}
        after.labels = dict(before.labels)
        while pairs := self._matches():
            for gone, new in pairs:
                before.labels[gone] = after.labels[new] = new
        before.labels |= {d: f"-{d}" for d in before.of if d not in before.labels}
        after.labels |= {d: f"+{d}" for d in after.of if d not in after.labels}

    def _matches(self) -> list[tuple[str, str]]:
        """Pairs of definitions that are new and say what one says that is gone: first those that name only what is known."""
        gone = [d for d in self.before.of if d not in self.before.labels]
        new = [d for d in self.after.of if d not in self.after.labels]
        if not gone or not new:
            return []
        for is_strict in (True, False):
            of: dict[tuple[Wording, ...] | None, tuple[list[str], list[str]]] = {}
            for definition in gone:
                of.setdefault(self.before.whole(definition, is_strict), ([], []))[0].append(definition)
            for definition in new:
                of.setdefault(self.after.whole(definition, is_strict), ([], []))[1].append(definition)
            of.pop(None, None)
            pairs = [pair for sides in of.values() for pair in _by_name(*sides)]
            if pairs:
                return pairs
        return [(g, n) for g in gone for n in new if _last(g) == _last(n) and self._is_moved(g, n)][:1]

    def _is_moved(self, gone: str, new: str) -> bool:
        """Whether a definition that says something else in another module is likely to be the same, edited: the code is followed
        from it, others went the same way, or most of its lines are the same."""
        before, after = self.before, self.after
        ways = {(_module(d), _module(label)) for d, label in before.labels.items()}
        roots = zip(list(before.of)[: before.leads["roots"]], after.of, strict=False)
        if (_module(gone), _module(new)) in ways or (gone, new) in roots:
            return True
        was, now = (side.text(side.behind(d)).splitlines() for side, d in ((before, gone), (after, new)))
        return difflib.SequenceMatcher(None, was, now).ratio() > 0.5

    # -------------------------------------------------------------------------------------------------- what differs

    def changes(self) -> Iterator[DefinitionChange]:
        yield from self._definitions()
        yield from self._orders()
        yield from self._names()
        yield from self._imports()

    def _definitions(self) -> Iterator[DefinitionChange]:
        before, after = self.blocks_before, self.blocks_after
        went = {key: self._content(block, self.wordings_before) for key, block in before.items() if key not in after}
        for key, block in after.items():
            content = self._content(block, self.wordings_after)
            if key in before:
                if content != self._content(before[key], self.wordings_before):
                    yield self._changed(before[key], block)
            elif moved := next((k for k, c in went.items() if c == content), None):  # settings, in another module
                del went[moved]
            else:
                yield DefinitionChange(block.name, None, self.after.text(block.statements))
        for key in went:
            yield DefinitionChange(before[key].name, self.before.text(before[key].statements), None)

    def _content(self, block: _Block, wordings: Mapping[str, Wording]) -> Counter[Wording]:
        return Counter(wordings[s] for s in block.statements)

    def _changed(self, old: _Block, new: _Block) -> DefinitionChange:
        led_before, led_after = self.before.led(old.statements), self.after.led(new.statements)
        names = [n for n in led_before if n in led_after and led_before[n][0] != led_after[n][0]]
        texts = (
            "\n".join([side.text(block.statements), *(f"# {n}: {led[n][1]}" for n in names)])
            for side, block, led in ((self.before, old, led_before), (self.after, new, led_after))
        )
        return DefinitionChange(new.name, *texts)

    def _orders(self) -> Iterator[DefinitionChange]:
        """Names that are changed and read in another order when modules are imported."""
        before, after = self.before, self.after
        now = {label: name for name, label in after.labels.items()}
        for name, label in before.labels.items():
            if label in now:
                what = f"the order in which {now[label]} is changed at import"
                old, new = before.orders.get(name, before.of[name]), after.orders.get(now[label], after.of[now[label]])
                yield from self._order(what, old, new)
        what = "the order of settings of libraries at import"
        yield from self._order(what, before.leads["settings"], after.leads["settings"])

    def _order(self, name: str, old: Sequence[str], new: Sequence[str]) -> Iterator[DefinitionChange]:
        before, after = [self.wordings_before[s] for s in old], [self.wordings_after[s] for s in new]
        n_before, n_after = Counter(before), Counter(after)
        if [s for s in before if n_after[s] == n_before[s]] != [s for s in after if n_before[s] == n_after[s]]:
            yield DefinitionChange(name, self.before.text(old), self.after.text(new))

    def _names(self) -> Iterator[DefinitionChange]:
        """Definitions that bear another name, where the code asks for names."""
        before, after = self.before, self.after
        now = {label: name for name, label in after.labels.items()}
        renamed = [
            (d, now[label]) for d, label in before.labels.items() if label in now and _last(d) != _last(now[label])
        ]
        if renamed and before.reads_names() and after.reads_names():
            for old, new in renamed:
                yield DefinitionChange(new, before.text(before.behind(old)), after.text(after.behind(new)))

    def _imports(self) -> Iterator[DefinitionChange]:
        """Libraries that are imported for what that does. One that is named now has come to somebody who is named above."""
        before, after = set(self.before.leads["imports"]), set(self.after.leads["imports"])
        for name in sorted(before - after - self._named(self.after)):
            yield DefinitionChange(f"the import of {name}", name, None)
        for name in sorted(after - before - self._named(self.before)):
            yield DefinitionChange(f"the import of {name}", None, name)

    @staticmethod
    def _named(side: _Side) -> set[str]:
        paths = {entry[2] for names in side.leads["names"].values() for entry in names if entry[1:2] == ["Outside"]}
        return {".".join(path.split(".")[:n]) for path in paths for n in range(1, path.count(".") + 2)}


def _module(definition: str) -> str:
    return definition.rpartition(".")[0]


def _last(definition: str) -> str:
    return definition.rpartition(".")[2]


def _by_name(gone: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs of definitions that say the same: those of one name first, others in their order."""
    for is_named in (True, False):
        for definition in list(gone):
            other = next((n for n in new if not is_named or _last(n) == _last(definition)), None)
            if other is not None:
                gone.remove(definition)
                new.remove(other)
                yield definition, other


# ------------------------------------------------------------------------------------------------- statements alone


def _place_in(order: Sequence[str], statement: str) -> int:
    """Where a statement stands; behind all others, if it does not."""
    return order.index(statement) if statement in order else len(order)


def _alone(sources: Mapping[str, str]) -> dict:
    """Leads that say of statements what their texts and names say."""
    definitions: dict[str, list[str]] = {}
    for statement in sorted(sources):
        for definition in _bound(statement):
            definitions.setdefault(definition, []).append(statement)
    return {
        "roots": 0,
        "records": {s: positions for s, text in sources.items() if (positions := _records(text))},
        "definitions": [[name, statements] for name, statements in definitions.items()],
        "settings": [s for s in sources if not _bound(s)],
        "orders": [],
        "aliases": [],
        "packages": {s: s.rpartition(".")[0].rpartition(".")[0] for s in sources},
        "imports": [],
        "names": {},
    }


def _records(text: str) -> list[int]:
    """Which decorators of a statement are records of analyses, by the name under which that is known."""
    if "analysis(" not in text:
        return []
    decorators = [d.func for d in getattr(ast.parse(text).body[0], "decorator_list", ()) if isinstance(d, ast.Call)]
    return [n for n, d in enumerate(decorators) if getattr(d, "attr", getattr(d, "id", "")) == "analysis"]


def _is_of_one_side(change: DefinitionChange, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether a definition changed, or is nowhere mentioned on the side that has none of it."""
    if change.before is not None and change.after is not None:
        return True
    other = "\n".join((before if change.before is None else after).values())
    names = _last(change.name).split(", ")
    is_definition = " " not in change.name.replace(", ", "")
    return is_definition and not any(re.search(rf"\b{name}\b", other) for name in names)
