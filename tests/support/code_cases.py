"""Pairs of small packages: the same code, or another. Light enough to be tried on a program in which one line is wrong.

python -m tests.support.code_cases        prints the names of the pairs that are judged wrongly
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tshdb.canonical import digest
from tshdb.engine.code.follow import Code, Follower
from tshdb.engine.code.kept import fingerprint_of_kept
from tshdb.engine.code.program import Definition, Program
from tshdb.engine.code.texts import Text

MAIN = Definition("p.main", "f")
CHANGES = tomllib.loads((Path(__file__).parent.parent / "data/code_changes.toml").read_text())
TABLES = "S = {'a': 0}\nR = []\ndef rule(g):\n    R.append(g)\n    return g\n"
BASE = {
    "p.main": '''"""Main."""

import numpy as np
from p.helpers import scale
from p.tables import LIMIT


def f(values, params):
    """Doc."""
    total = 0.0
    for value in values:
        total += scale(value)
    return np.minimum(total, LIMIT)
''',
    "p.helpers": "import numpy as np\n\n\ndef scale(value: float) -> float:\n    return np.abs(value) * 2\n",
    "p.tables": "LIMIT = 10.0\n",
}
Modules = dict[str, str]


class Pair(NamedTuple):
    """Two states of a package, and whether the function p.main.f is the same code in both; named: the definitions that changed,
    with + those that came and with - those that went."""

    name: str
    before: Modules
    after: Modules
    is_same: bool
    named: tuple[str, ...] = ()


class Given:
    """Texts from a dict of module -> source. A module with others below it is a package."""

    def __init__(self, modules: Modules):
        self.modules = modules

    def read(self, module: str) -> Text | None:
        is_package = any(name.startswith(module + ".") for name in self.modules)
        if module not in self.modules:
            return Text("", True, None) if is_package else None
        return Text(self.modules[module], is_package, Path(module))

    def digest(self, module: str) -> str:
        return digest(repr(self.read(module)).encode())


def code(modules: Modules, root: Definition = MAIN) -> Code:
    """The code of a function of the package p (or q)."""
    return Follower(Program(Given(modules), frozenset({"p", "q"}))).code_of([root])


def fingerprint(modules: Modules, root: Definition = MAIN) -> str:
    """Its fingerprint, which what is kept of it must give as well."""
    found = code(modules, root)
    assert fingerprint_of_kept(found.sources, json.loads(json.dumps(found.leads))) == found.fingerprint
    return found.fingerprint


def plain(statements: str, expression: str) -> Modules:
    """A package whose function gives an expression of what the statements before it make."""
    return {"p.main": f"{statements}\ndef f(x):\n    return x * ({expression})\n"}


def pairs() -> Iterator[Pair]:
    """All of them."""
    yield from _seen()
    yield from _elsewhere()
    yield from _same()
    yield from _others()


def _seen() -> Iterator[Pair]:
    for name, case in CHANGES["seen"].items():
        before, expression = case["statements"], case["gives"]
        assert before.count(case["old"]) == 1, name
        after = before.replace(case["old"], case["new"])
        named = [tuple(n.format(module) for n in case["named"]) for module in ("p.main", "p.more")]
        yield Pair(name, plain(before, expression), plain(after, expression), False, named[0])
        if name != "a side effect of an import":  # it counts for what is reached in its own module
            main = f"from p.more import *\ndef f(x):\n    return x * ({expression})\n"
            yield Pair(
                f"{name}, imported",
                {"p.main": main, "p.more": before},
                {"p.main": main, "p.more": after},
                False,
                named[1],
            )


def _elsewhere() -> Iterator[Pair]:
    for name, case in CHANGES["elsewhere"].items():
        fill, changed = case["fill"], case["fill"].replace(case["old"], case["new"])
        modules = plain(case["statements"], case["gives"]) | {
            "p.tables": TABLES,
            "p.between": "import p.fill\n",
            "p": "",
        }
        if name == "imported inside the function":
            modules["p.main"] = modules["p.main"].replace("    return", "    import p.fill\n    return")
        named = tuple(case["named"])
        yield Pair(f"{name}, elsewhere", {**modules, "p.fill": fill}, {**modules, "p.fill": changed}, False, named)
    modules = plain("from p.tables import S", "S['a']") | {"p.tables": TABLES, "p": ""}
    fill = "from p.tables import S\nS.update(a=1)\n"
    changed = {**modules, "p": fill.replace("=1", "=2")}
    yield Pair("in the package around", {**modules, "p": fill}, changed, False, ("p.tables.S",))
    yield Pair("a module that nobody imports", modules, {**modules, "p.fill": fill}, True)


def _same() -> Iterator[Pair]:
    for name, case in CHANGES["same"].items():
        text = BASE[case["module"]]
        assert case["old"] in text, name
        changed = {**BASE, case["module"]: text.replace(case["old"], case["new"])}
        if "and_old" in case:
            changed[case["module"]] = changed[case["module"]].replace(case["and_old"], case["and_new"])
        yield Pair(name, BASE, changed, True)


def _others() -> Iterator[Pair]:
    joined = BASE["p.main"].replace("from p.helpers import scale\nfrom p.tables import LIMIT\n", "")
    joined = "LIMIT = 10.0\n\ndef scale(value):\n    return np.abs(value) * 2\n" + joined
    yield Pair("joined", BASE, {"p.main": joined}, True)
    renamed = {m: t.replace("scale", "twice").replace("LIMIT", "MOST") for m, t in BASE.items()}
    yield Pair("definitions renamed", BASE, renamed, True)
    main = "from p import a, b\n\ndef f(x):\n    return a.helper(x) + 2 * b.helper(x)\n"
    one, two = "def helper(x):\n    return x\n", "def helper(x):\n    return x + 1\n"
    both = {"p.main": main, "p.a": one, "p.b": two}
    yield Pair("bodies swapped", both, {"p.main": main, "p.a": two, "p.b": one}, False, ("p.a.helper", "p.b.helper"))
    swapped = main.replace("a.helper(x) + 2 * b", "b.helper(x) + 2 * a")
    yield Pair("calls swapped", both, {**both, "p.main": swapped}, False, ("p.main.f",))
    text = "S = 1\nT = 2\ndef f(x):\n    def inner():\n        S = 3\n        return S\n    return x * S + inner()\n"
    another = {"p.main": text.replace("x * S", "x * T")}
    yield Pair("another name of the module", {"p.main": text}, another, False, ("p.main.f", "+p.main.T", "-p.main.S"))
    changed = {"p.main": text.replace("S = 1", "S = 5")}
    yield Pair("a name of the module", {"p.main": text}, changed, False, ("p.main.S",))
    inner = text.replace("S = 3\n        return S", "u = 3\n        return u")
    yield Pair("a variable inside", {"p.main": text}, {"p.main": inner}, True)
    closure = "def f(x):\n    n = 1\n    def inner():\n        return n\n    n = 2\n    return inner()\n"
    both = closure.replace("n = ", "m = ").replace("return n", "return m")
    yield Pair("a variable of a closure", {"p.main": closure}, {"p.main": both}, True)
    half = {"p.main": closure.replace("return n", "return m")}
    yield Pair("half of it", {"p.main": closure}, half, False, ("p.main.f",))
    own = {
        "p": "from p import tables\n",
        "p.tables": "S = 1\n",
        "p.main": "import p\ndef f(x):\n    return p.tables.S\n",
    }
    yield Pair("by the package that imports it", own, {**own, "p.tables": "S = 2\n"}, False, ("p.tables.S",))
    for body in (
        "d.query('a > @limit')",
        "f'{limit=}'",
        "locals()['limit']",
        "d.eval('a + @limit')",
        "vars()['limit']",
    ):
        text = f"def f(d):\n    limit = 1\n    return {body}, limit\n"
        after = text.replace("limit = 1", "most = 1").replace(", limit", ", most")
        yield Pair(f"read as text: {body}", {"p.main": text}, {"p.main": after}, False, ("p.main.f",))


def wrong() -> Iterator[str]:
    """The names of the pairs that are judged wrongly."""
    for pair in pairs():
        try:
            is_right = (fingerprint(pair.before) == fingerprint(pair.after)) is pair.is_same
        except Exception as error:  # of a program in which a line is wrong
            is_right, error_name = False, type(error).__name__
            yield f"{pair.name}: {error_name}"
            continue
        if not is_right:
            yield pair.name


if __name__ == "__main__":
    print("\n".join(wrong()))
