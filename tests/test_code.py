"""What is a change of code, and what is none: small packages, edited in one place.

Every edit that is to be seen was executed by hand: the function's result is another one after it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tshdb.canonical import digest
from tshdb.engine.code.follow import Code, Follower
from tshdb.engine.code.kept import fingerprint_of_kept
from tshdb.engine.code.program import Definition, Program
from tshdb.engine.code.texts import Text
from tshdb.errors import InvalidInput

MAIN = Definition("p.main", "f")
CHANGES = tomllib.loads((ROOT / "tests/data/code_changes.toml").read_text())


class Given:
    """Texts from a dict of module -> source. A module with others below it is a package."""

    def __init__(self, modules: dict[str, str]):
        self.modules = modules

    def read(self, module: str) -> Text | None:
        is_package = any(name.startswith(module + ".") for name in self.modules)
        if module not in self.modules:
            return Text("", True, None) if is_package else None
        return Text(self.modules[module], is_package, Path(module))

    def digest(self, module: str) -> str:
        return digest(repr(self.read(module)).encode())


def code(modules: dict[str, str], root: Definition = MAIN) -> Code:
    return Follower(Program(Given(modules), frozenset({"p"}))).code_of([root])


def fingerprint(modules: dict[str, str], root: Definition = MAIN) -> str:
    found = code(modules, root)
    assert fingerprint_of_kept(found.sources, json.loads(json.dumps(found.leads))) == found.fingerprint
    return found.fingerprint


def plain(statements: str, expression: str, others: dict[str, str] | None = None) -> dict[str, str]:
    """A package whose function gives an expression of what the statements before it make."""
    return {"p.main": f"{statements}\ndef f(x):\n    return x * ({expression})\n", **(others or {})}


@pytest.mark.parametrize("name", CHANGES["seen"])
def test_a_change_is_seen(name):
    case = CHANGES["seen"][name]
    before, expression = case["statements"], case["gives"]
    assert before.count(case["old"]) == 1
    after = before.replace(case["old"], case["new"])
    assert fingerprint(plain(before, expression)) != fingerprint(plain(after, expression))
    if name == "a side effect of an import":
        return  # counts for what is reached in its own module
    # the same behind an import: from another module, where the statements stand
    main = f"from p.more import *\ndef f(x):\n    return x * ({expression})\n"
    assert fingerprint({"p.main": main, "p.more": before}) != fingerprint({"p.main": main, "p.more": after})


TABLES = "S = {'a': 0}\nR = []\ndef rule(g):\n    R.append(g)\n    return g\n"


@pytest.mark.parametrize("name", CHANGES["elsewhere"])
def test_a_change_in_another_module_is_seen(name):
    case = CHANGES["elsewhere"][name]
    fill, changed = case["fill"], case["fill"].replace(case["old"], case["new"])
    modules = plain(case["statements"], case["gives"]) | {"p.tables": TABLES, "p.between": "import p.fill\n", "p": ""}
    if name == "imported inside the function":
        modules["p.main"] = modules["p.main"].replace("    return", "    import p.fill\n    return")
    assert fingerprint({**modules, "p.fill": fill}) != fingerprint({**modules, "p.fill": changed})


def test_a_change_in_the_package_around_is_seen():
    modules = plain("from p.tables import S", "S['a']") | {"p.tables": TABLES}
    fill = "from p.tables import S\nS.update(a=1)\n"
    assert fingerprint({**modules, "p": fill}) != fingerprint({**modules, "p": fill.replace("=1", "=2")})


def test_a_package_that_imports_its_own_module():
    modules = {
        "p": "from p import tables\n",
        "p.tables": "S = 1\n",
        "p.main": "import p\ndef f(x):\n    return p.tables.S\n",
    }
    assert fingerprint(modules) != fingerprint({**modules, "p.tables": "S = 2\n"})


def test_a_module_that_nobody_imports_changes_nothing():
    modules = plain("from p.tables import S", "S['a']") | {"p.tables": TABLES, "p": ""}
    assert fingerprint(modules) == fingerprint({**modules, "p.fill": "from p.tables import S\nS.update(a=1)\n"})


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


@pytest.mark.parametrize("name", CHANGES["same"])
def test_what_says_the_same_is_no_change(name):
    case = CHANGES["same"][name]
    text = BASE[case["module"]]
    assert case["old"] in text
    changed = {**BASE, case["module"]: text.replace(case["old"], case["new"])}
    if "and_old" in case:
        changed[case["module"]] = changed[case["module"]].replace(case["and_old"], case["and_new"])
    assert fingerprint(changed) == fingerprint(BASE)


def test_code_that_moves_stays_what_it_is():
    """Modules renamed, split and joined, packages made, re-exports: the same. Definitions renamed: the same, too."""
    before = fingerprint(BASE)
    moved = {
        "q.main": BASE["p.main"].replace("p.helpers", "q.a.b").replace("p.tables", "q.a"),
        "q.a": "from .limits import LIMIT\n",
        "q.a.b": BASE["p.helpers"],
        "q.a.limits": BASE["p.tables"],
    }
    follower = Follower(Program(Given(moved), frozenset({"q"})))
    assert follower.code_of([Definition("q.main", "f")]).fingerprint == before
    joined = {
        "p.main": "LIMIT = 10.0\n\ndef scale(value):\n    return np.abs(value) * 2\n"
        + BASE["p.main"].replace("from p.helpers import scale\nfrom p.tables import LIMIT\n", "")
    }
    assert fingerprint(joined) == before
    renamed = {m: t.replace("scale", "twice").replace("LIMIT", "MOST") for m, t in BASE.items()}
    assert fingerprint(renamed) == before


def test_swapped_bodies_of_two_helpers_of_one_name_are_seen():
    main = "from p import a, b\n\ndef f(x):\n    return a.helper(x) + 2 * b.helper(x)\n"
    one, two = "def helper(x):\n    return x\n", "def helper(x):\n    return x + 1\n"
    assert fingerprint({"p.main": main, "p.a": one, "p.b": two}) != fingerprint(
        {"p.main": main, "p.a": two, "p.b": one}
    )
    assert fingerprint({"p.main": main, "p.a": one, "p.b": two}) != fingerprint(
        {"p.main": main.replace("a.helper(x) + 2 * b", "b.helper(x) + 2 * a"), "p.a": one, "p.b": two}
    )


def test_names_belong_where_python_says():
    """A name of the module stays one beside a variable of the same name in a function inside."""
    text = "S = 1\nT = 2\ndef f(x):\n    def inner():\n        S = 3\n        return S\n    return x * S + inner()\n"
    assert fingerprint({"p.main": text}) != fingerprint({"p.main": text.replace("x * S", "x * T")})
    assert fingerprint({"p.main": text}) != fingerprint({"p.main": text.replace("S = 1", "S = 5")})
    assert fingerprint({"p.main": text}) == fingerprint(
        {"p.main": text.replace("S = 3\n        return S", "u = 3\n        return u")}
    )
    closure = "def f(x):\n    n = 1\n    def inner():\n        return n\n    n = 2\n    return inner()\n"
    assert fingerprint({"p.main": closure}) == fingerprint(
        {"p.main": closure.replace("n = ", "m = ").replace("return n", "return m")}
    )
    assert fingerprint({"p.main": closure}) != fingerprint({"p.main": closure.replace("return n", "return m")})


@pytest.mark.parametrize(
    "body", ["d.query('a > @limit')", "f'{limit=}'", "locals()['limit']", "d.eval('a + @limit')", "vars()['limit']"]
)
def test_names_that_are_read_as_text_count(body):
    text = f"def f(d):\n    limit = 1\n    return {body}, limit\n"
    assert fingerprint({"p.main": text}) != fingerprint(
        {"p.main": text.replace("limit = 1", "most = 1").replace(", limit", ", most")}
    )


REFUSED = {
    "import_module": "import importlib\ndef f(x):\n    return importlib.import_module('p.' + x).g()",
    "import_module by itself": "from importlib import import_module\ndef f(x):\n    return import_module('p.more')",
    "exec": "def f(x):\n    exec(x)",
    "eval": "def f(x):\n    return eval(x)",
    "globals": "def f(x):\n    return globals()[x]",
    "globals at import": "globals().update(S=1)\nS = 0\ndef f(x):\n    globals()\n    return S",
    "__import__": "def f(x):\n    return __import__(x)",
    "getattr on a module": "import p.more\ndef f(x):\n    return getattr(p.more, x)()",
    "getattr on a class": "class A:\n    n = 1\ndef f(x):\n    return getattr(A, x)",
    "setattr on a class": "class A:\n    n = 1\ndef f(x):\n    setattr(A, x, 2)\n    return A.n",
    "a module as a value": "from p import more\ndef g(m):\n    return m.n\ndef f(x):\n    return g(more)",
    "a file of the package": "from pathlib import Path\ndef f(x):\n    return (Path(__file__).parent / 'a.csv').read_text()",
    "a resource": "from importlib import resources\ndef f(x):\n    return resources.files('p').joinpath('a.csv').read_text()",
    "pkgutil": "import pkgutil\ndef f(x):\n    return pkgutil.get_data('p', 'a.csv')",
    "sys.modules": "import sys\ndef f(x):\n    return sys.modules['p.more'].n",
    "in a helper": "from p.helper import g\ndef f(x):\n    return g(x)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_refused(name):
    modules = {"p.main": REFUSED[name], "p.more": "n = 1\n", "p.helper": "def g(x):\n    exec(x)\n"}
    with pytest.raises(InvalidInput, match="cannot be followed"):
        code(modules)


@pytest.mark.parametrize(
    "body", ["getattr(x, x.name)", "getattr(x, 'n', None)", "[getattr(a, n) for a in x for n in 'ab']", "vars(x)"]
)
def test_a_computed_name_on_a_record_is_fine(body):
    assert code({"p.main": f"def f(x):\n    return {body}\n"}).fingerprint


def test_an_unused_module_may_do_what_it_likes():
    """What is refused is what the function reaches, not all that stands in its module."""
    assert code({"p.main": "def other(x):\n    exec(x)\ndef f(x):\n    return x\n"}).fingerprint


def test_the_form_is_the_same_on_every_python(tmp_path):
    """The pythons that are here, each by itself, without any library."""
    script = tmp_path / "forms.py"
    script.write_text(
        "import json, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\n"
        "from tshdb.engine.code.follow import Follower\n"
        "from tshdb.engine.code.program import Definition, Program\n"
        "from tshdb.engine.code.texts import OnDisk\n"
        "follower = Follower(Program(OnDisk(), frozenset({'tshdb', 'analyses'})))\n"
        "roots = json.loads(Path(sys.argv[1]).read_text())\n"
        "print(json.dumps([follower.code_of([Definition(*r)]).fingerprint for r in roots]))\n"
    )
    from analyses import ANALYSES

    roots = tmp_path / "roots.json"
    roots.write_text(json.dumps([[a.function.__module__, a.function.__name__] for a in ANALYSES]))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    pythons = [Path(sys.executable), *Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python")]
    said = {}
    for python in pythons:
        version = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout
        if version not in said and tuple(map(int, version.split()[1].split(".")[:2])) >= (3, 11):
            done = subprocess.run([python, script, roots], capture_output=True, text=True, check=True, env=environment)
            said[version] = json.loads(done.stdout)
    assert len({json.dumps(v) for v in said.values()}) == 1
    if len(said) < 2:
        pytest.skip("there is one Python here")
