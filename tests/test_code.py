"""What is a change of code, and what is none: small packages, edited in one place.

Every edit that is to be seen was executed by hand: the function's result is another one after it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
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


# (statements before the function, what it gives, what is replaced by what)
SEEN = {
    "constant": ("S = 1.0", "S", ("1.0", "2.0")),
    "default": ("def g(a=1):\n    return a", "g()", ("a=1", "a=2")),
    "keyword default": ("def g(*, a=1):\n    return a", "g()", ("a=1", "a=2")),
    "decorator argument": (
        "def times(n):\n    return lambda f: lambda: n * f()\n@times(1)\ndef g():\n    return 1.0", "g()",
        ("times(1)", "times(2)"),
    ),
    "base class": (
        "class A:\n    v = 1\nclass B:\n    v = 2\nclass C(A):\n    pass", "C().v", ("class C(A)", "class C(B)")
    ),
    "update": ("S = {'a': 1}\nS.update(a=1)", "S['a']", ("update(a=1)", "update(a=2)")),
    "append": ("S = []\nS.append(1)", "S[0]", ("append(1)", "append(2)")),
    "item": ("S = {}\nS['a'] = 1", "S['a']", ("] = 1", "] = 2")),
    "attribute of a function": ("def g():\n    return g.n\ng.n = 1", "g()", ("g.n = 1", "g.n = 2")),
    "attribute of a class": ("class A:\n    n = 0\nA.n = 1", "A.n", ("A.n = 1", "A.n = 2")),
    "setattr": ("class A:\n    n = 0\nsetattr(A, 'n', 1)", "A.n", ("'n', 1)", "'n', 2)")),
    "augmented": ("S = 1\nS += 1", "S", ("+= 1", "+= 2")),
    "annotated": ("S: int = 1", "S", ("= 1", "= 2")),
    "condition": ("FAST = True\nif FAST:\n    S = 1\nelse:\n    S = 2", "S", ("FAST = True", "FAST = False")),
    "loop": ("S = {}\nfor e in (1,):\n    S['a'] = e", "S['a']", ("in (1,)", "in (2,)")),
    "while": ("S = 0\nwhile S < 3:\n    S += 1", "S", ("< 3", "< 4")),
    "with": ("import contextlib\nwith contextlib.nullcontext(1) as S:\n    pass", "S", ("nullcontext(1)", "nullcontext(2)")),
    "try": ("try:\n    S = 1\nexcept ValueError:\n    S = 2", "S", ("S = 1", "S = 3")),
    "match": ("match 1:\n    case 1:\n        S = 1\n    case _:\n        S = 2", "S", ("match 1", "match 3")),
    "walrus": ("T = [S := 1]", "S", (":= 1", ":= 2")),
    "comprehension": ("S = [n * 2 for n in (1, 2)]", "S[0]", ("n * 2", "n * 3")),
    "comprehension for its effect": ("S = []\n[S.append(n) for n in (1,)]", "S[0]", ("(1,)", "(2,)")),
    "unpacking": ("S, T = 1, 2", "S", ("1, 2", "3, 2")),
    "delete": ("S = {'a': 1, 'b': 2}\ndel S['a']", "len(S)", ("del S['a']", "S")),
    "chained": ("S = T = {}\nT['a'] = 1", "S['a']", ("= 1", "= 2")),
    "alias": ("S = {'a': 0}\nT = S\nT['a'] = 1", "S['a']", ("= 1", "= 2")),
    "alias in a table": ("S = {'a': 0}\nT = [S]\nT[0]['a'] = 1", "S['a']", ("= 1", "= 2")),
    "alias by a loop": ("S = {'a': 0}\nfor t in [S]:\n    t['a'] = 1", "S['a']", ("= 1", "= 2")),
    "a call that changes it": (
        "S = {}\ndef init():\n    S['a'] = 1\ninit()", "S['a']", ("= 1", "= 2")
    ),
    "a call that binds it": ("S = 0\ndef init():\n    global S\n    S = 1\ninit()", "S", ("S = 1", "S = 2")),
    "a call that was not there": ("S = {'a': 1}\ndef init():\n    S['a'] = 2\nT = 1", "S['a']", ("T = 1", "init()")),
    "a call of a call": (
        "S = {}\ndef a():\n    b()\ndef b():\n    S['a'] = 1\na()", "S['a']", ("= 1", "= 2")
    ),
    "an argument that is changed": (
        "S = {}\ndef init(t, v):\n    t['a'] = v\ninit(S, 1)", "S['a']", ("init(S, 1)", "init(S, 2)")
    ),
    "a class that is changed by a call": (
        "class A:\n    n = 0\ndef init(c, v):\n    c.n = v\ninit(A, 1)", "A.n", ("init(A, 1)", "init(A, 2)")
    ),
    "what a function gives is changed": (
        "S = {}\ndef table():\n    return S\ntable()['a'] = 1", "S['a']", ("= 1", "= 2")
    ),
    "registry": (
        "R = {}\ndef rule(g):\n    R[g.__name__] = g\n    return g\n@rule\ndef plain():\n    return 1", "R['plain']()",
        ("return 1", "return 2"),
    ),
    "name in a registry": (
        "R = {}\ndef rule(g):\n    R[g.__name__] = g\n    return g\n@rule\ndef plain():\n    return 1", "len(R) and R.get('plain')",
        ("def plain", "def other"),
    ),
    "registry object": (
        "class Registry:\n    def __init__(self):\n        self.all = []\n    def add(self, g):\n        self.all.append(g)\n"
        "        return g\nR = Registry()\n@R.add\ndef plain():\n    return 1", "R.all[0]()", ("return 1", "return 2"),
    ),
    "registry of classes": (
        "class Base:\n    all = []\n    def __init_subclass__(cls):\n        Base.all.append(cls)\nclass A(Base):\n    n = 1",
        "Base.all[0].n", ("n = 1", "n = 2"),
    ),
    "singledispatch": (
        "from functools import singledispatch\n@singledispatch\ndef g(x):\n    raise TypeError\n@g.register\ndef _(x: int):\n"
        "    return 1", "g(1)", ("return 1", "return 2"),
    ),
    "type of singledispatch": (
        "from functools import singledispatch\n@singledispatch\ndef g(x):\n    return 0\n@g.register\ndef _(x: int):\n"
        "    return 1", "g(1)", ("x: int", "x: str"),
    ),
    "outside import": ("from statistics import median as mid", "mid([x])", ("from statistics import median", "from numpy import mean")),
    "outside module": ("import math as m", "m.floor(x)", ("import math", "import numpy")),
    "setting of a library": ("import numpy as np\nnp.seterr(all='ignore')", "np.log(x)", ("'ignore'", "'raise'")),
    "environment": ("import os\nos.environ['A'] = '1'", "os.environ['A']", ("'1'", "'2'")),
    "a side effect of an import": ("import json", "1", ("import json", "import pickle")),
    "annotation in a class": ("class A:\n    n: int = 1", "A.n", ("int", "float")),
    "lambda": ("g = lambda: 1", "g()", (": 1", ": 2")),
    "nested constant": ("T = 1\nS = (T, 2)", "S[0]", ("T = 1", "T = 3")),
    "f-string": ("S = f'{1}a'", "len(S)", ("}a", "}ab")),
    "conditional expression": ("A = 1\nS = 1 if A else 2", "S", ("A = 1", "A = 0")),
    "class body": ("S = []\nclass A:\n    S.append(1)", "S[0]", ("append(1)", "append(2)")),
    "order of statements": ("S = [1]\nS.append(2)\nS.append(3)", "S[1]", ("append(2)\nS.append(3)", "append(3)\nS.append(2)")),
    "order of bindings": ("S = 1\nS = 2", "S", ("S = 1\nS = 2", "S = 2\nS = 1")),
    "int and float": ("S = 1", "S", ("= 1", "= 1.0")),
    "operator": ("S = 3 - 1", "S", ("-", "+")),
    "import with a way out": ("try:\n    from math import floor as g\nexcept ImportError:\n    g = None", "g(x)", ("math import floor", "math import ceil")),
    "sort key": ("def k(v):\n    return v\nS = sorted([2, 1], key=k)", "S[0]", ("return v", "return -v")),
    "partial": ("from functools import partial\ndef g(n):\n    return n\nh = partial(g, 1)", "h()", ("g, 1", "g, 2")),
    "property": ("class A:\n    @property\n    def n(self):\n        return 1", "A().n", ("return 1", "return 2")),
    "metaclass": (
        "class M(type):\n    def __call__(cls):\n        return 1\nclass A(metaclass=M):\n    pass", "A()", ("return 1", "return 2")
    ),
    "slots of a dataclass": (
        "from dataclasses import dataclass\n@dataclass(order=False)\nclass A:\n    n: int = 1", "A()", ("order=False", "order=True")
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEEN)
def test_a_change_is_seen(name):
    statements, expression, (old, new) = SEEN[name]
    before = plain(statements, expression)
    assert statements.count(old) == 1
    assert fingerprint(before) != fingerprint(plain(statements.replace(old, new), expression))
    if name == "a side effect of an import":
        return  # counts for what is reached in its own module
    # the same behind an import: from another module, where the statements stand
    elsewhere = {"p.main": f"from p.more import *\ndef f(x):\n    return x * ({expression})\n"}
    there = [{**elsewhere, "p.more": text} for text in (statements, statements.replace(old, new))]
    assert fingerprint(there[0]) != fingerprint(there[1])


OTHER = {  # (main's statements, expression, the other module, replaced)
    "update": ("from p.tables import S\nimport p.fill", "S['a']", "from p.tables import S\nS.update(a=1)", ("=1", "=2")),
    "through the module": ("from p import tables\nimport p.fill", "tables.S['a']", "import p.tables\np.tables.S['a'] = 1", ("= 1", "= 2")),
    "binding a name of another module": ("from p import tables\nimport p.fill", "tables.S", "from p import tables\ntables.S = 1", ("= 1", "= 2")),
    "registry": (
        "from p.tables import R\nfrom p import fill", "R[0]()", "from p.tables import rule\n@rule\ndef g():\n    return 1", ("return 1", "return 2")
    ),
    "imported by an import": ("from p.tables import S\nimport p.between", "S['a']", "from p.tables import S\nS.update(a=1)", ("=1", "=2")),
    "imported inside the function": ("from p.tables import S", "__import__ and S['a']", "from p.tables import S\nS.update(a=1)", ("=1", "=2")),
    "a call of the other module": ("from p.tables import S\nfrom p.fill import init\ninit()", "S['a']", "from p.tables import S\ndef init():\n    S['a'] = 1", ("= 1", "= 2")),
    "by the package around": ("from p.tables import S", "S['a']", "", ("", "")),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER)
def test_a_change_in_another_module_is_seen(name):
    statements, expression, fill, (old, new) = OTHER[name]
    tables = "S = {'a': 0}\nR = []\ndef rule(g):\n    R.append(g)\n    return g\n"
    modules = {
        **plain(statements, expression.replace("__import__ and ", "")),
        "p.tables": tables,
        "p.between": "import p.fill\n",
        "p.fill": fill,
        "p": "",
    }
    if name == "imported inside the function":
        modules["p.main"] = modules["p.main"].replace("    return", "    import p.fill\n    return")
    if name == "by the package around":
        modules |= {"p": "from p.tables import S\nS.update(a=1)\n"}
        assert fingerprint(modules) != fingerprint({**modules, "p": modules["p"].replace("=1", "=2")})
        return
    assert fingerprint(modules) != fingerprint({**modules, "p.fill": fill.replace(old, new)})
    without = {k: v.replace("import p.fill", "pass").replace("from p import fill", "pass") for k, v in modules.items()}
    if name in ("update", "registry"):  # a module that nobody imports changes nothing
        assert fingerprint(without) == fingerprint({**without, "p.fill": fill.replace(old, new)})


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
NOT_SEEN = {
    "comment": ("p.main", "    total = 0.0", "    # why\n    total = 0.0  # zero"),
    "docstring": ("p.main", '"""Doc."""', '"""Another\n\n    one."""'),
    "no docstring": ("p.main", '    """Doc."""\n', ""),
    "blank lines": ("p.main", "\n    for", "\n\n\n    for"),
    "layout": ("p.main", "np.minimum(total, LIMIT)", "np.minimum(\n        total,\n        LIMIT,\n    )"),
    "annotation": ("p.helpers", "value: float) -> float", "value)"),
    "annotated local": ("p.main", "total = 0.0", "total: float = 0.0"),
    "local renamed": ("p.main", "total", "summed"),
    "loop variable renamed": ("p.main", "for value in values:\n        total += scale(value)", "for v in values:\n        total += scale(v)"),
    "import moved into the function": ("p.main", "from p.tables import LIMIT\n\n\ndef f(values, params):\n", "\n\ndef f(values, params):\n    from p.tables import LIMIT\n"),
    "outside import moved into the function": ("p.helpers", "import numpy as np\n\n\ndef scale(value: float) -> float:\n", "def scale(value: float) -> float:\n    import numpy as np\n"),
    "other form of import": ("p.main", "from p.tables import LIMIT\n", "import p.tables\n"),
    "other name of an import": ("p.main", "import numpy as np", "import numpy"),
    "imported function by itself": ("p.helpers", "import numpy as np", "from numpy import abs as magnitude"),
    "definition beside it": ("p.helpers", "import numpy as np\n", "import numpy as np\n\nOTHER = 1\n\n\ndef other():\n    return OTHER\n"),
    "order of definitions": ("p.tables", "LIMIT = 10.0\n", "UNUSED = 1\nLIMIT = 10.0\n"),
    "pass": ("p.main", "    total = 0.0", "    pass\n    total = 0.0"),
    "number as it is written": ("p.tables", "10.0", "1e1"),
    "quotes": ("p.main", '"""Doc."""', "'''Doc.'''"),
    "parentheses": ("p.helpers", "np.abs(value) * 2", "(np.abs(value)) * (2)"),
    "only for types": ("p.helpers", "import numpy as np\n", "from typing import TYPE_CHECKING\n\nimport numpy as np\n\nif TYPE_CHECKING:\n    from numpy import ndarray\n"),
    "main guard": ("p.helpers", "import numpy as np\n", "import numpy as np\n\nif __name__ == '__main__':\n    print(1)\n"),
    "something reads it": ("p.tables", "LIMIT = 10.0\n", "LIMIT = 10.0\nDOUBLE = LIMIT * 2\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_SEEN)
def test_what_says_the_same_is_no_change(name):
    module, old, new = NOT_SEEN[name]
    assert old in BASE[module]
    changed = {**BASE, module: BASE[module].replace(old, new)}
    if name == "other form of import":
        changed["p.main"] = changed["p.main"].replace("LIMIT)", "p.tables.LIMIT)")
    if name == "other name of an import":
        changed["p.main"] = changed["p.main"].replace("np.", "numpy.")
    if name == "imported function by itself":
        changed["p.helpers"] = changed["p.helpers"].replace("np.abs", "magnitude")
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
    assert fingerprint({"p.main": main, "p.a": one, "p.b": two}) != fingerprint({"p.main": main, "p.a": two, "p.b": one})
    assert fingerprint({"p.main": main, "p.a": one, "p.b": two}) != fingerprint(
        {"p.main": main.replace("a.helper(x) + 2 * b", "b.helper(x) + 2 * a"), "p.a": one, "p.b": two}
    )


def test_names_belong_where_python_says():
    """A name of the module stays one beside a variable of the same name in a function inside."""
    text = "S = 1\nT = 2\ndef f(x):\n    def inner():\n        S = 3\n        return S\n    return x * S + inner()\n"
    assert fingerprint({"p.main": text}) != fingerprint({"p.main": text.replace("x * S", "x * T")})
    assert fingerprint({"p.main": text}) != fingerprint({"p.main": text.replace("S = 1", "S = 5")})
    assert fingerprint({"p.main": text}) == fingerprint({"p.main": text.replace("S = 3\n        return S", "u = 3\n        return u")})
    closure = "def f(x):\n    n = 1\n    def inner():\n        return n\n    n = 2\n    return inner()\n"
    assert fingerprint({"p.main": closure}) == fingerprint({"p.main": closure.replace("n = ", "m = ").replace("return n", "return m")})
    assert fingerprint({"p.main": closure}) != fingerprint({"p.main": closure.replace("return n", "return m")})


@pytest.mark.parametrize(
    "body", ["d.query('a > @limit')", "f'{limit=}'", "locals()['limit']", "d.eval('a + @limit')", "vars()['limit']"]
)
def test_names_that_are_read_as_text_count(body):
    text = f"def f(d):\n    limit = 1\n    return {body}, limit\n"
    assert fingerprint({"p.main": text}) != fingerprint({"p.main": text.replace("limit = 1", "most = 1").replace(", limit", ", most")})


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
