"""What is a change of code, and what is none: small packages, edited in one place.

Every edit that is to be seen was executed by hand: the function's result is another one after it.
"""

from __future__ import annotations

import pytest

from tests.support.code_cases import BASE, Given, code, fingerprint, pairs
from tshdb.engine.code.identity import Codes
from tshdb.engine.code.program import Definition
from tshdb.errors import InvalidInput


@pytest.mark.parametrize("pair", list(pairs()), ids=lambda pair: pair.name)
def test_a_change_is_seen_and_nothing_else(pair):
    assert (fingerprint(pair.before) == fingerprint(pair.after)) is pair.is_same


def test_code_that_moves_stays_what_it_is():
    """Modules renamed and split, packages made, re-exports."""
    moved = {
        "q.main": BASE["p.main"].replace("p.helpers", "q.a.b").replace("p.tables", "q.a"),
        "q.a": "from .limits import LIMIT\n",
        "q.a.b": BASE["p.helpers"],
        "q.a.limits": BASE["p.tables"],
    }
    assert fingerprint(moved, Definition("q.main", "f")) == fingerprint(BASE)


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
    "exec at import": "exec('S = 1')\nS = 0\ndef f(x):\n    return S",
    "an item of globals at import": "S = 0\nglobals()['S'] = 1\ndef f(x):\n    return S",
    "vars at import": "S = 0\nvars()['S'] = 1\ndef f(x):\n    return S",
    "a call at import that sets globals": (
        "S = 0\ndef init():\n    globals()['S'] = 1\ninit()\ndef f(x):\n    return S"
    ),
    "a call of a call at import": (
        "S = 0\ndef a():\n    b()\ndef b():\n    exec('S = 1', globals())\na()\ndef f(x):\n    return S"
    ),
    "sys.modules at import": "import sys\nS = 0\nsys.modules[__name__].S = 1\ndef f(x):\n    return S",
    "plugins": "import p.plugins\nS = 0\ndef f(x):\n    return S",
    "a module that is given away at import": "from p import more\nS = 0\nsetattr(more, 'n', 2)\ndef f(x):\n    return more.n",
    "the dict of a module": "import p.more\ndef f(x):\n    return p.more.__dict__['n']",
    "what a module does not define": "import p.more\ndef f(x):\n    return p.more.nothing",
    "in a helper": "from p.helper import g\ndef f(x):\n    return g(x)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_refused(name):
    modules = {"p.main": REFUSED[name], "p.more": "n = 1\n", "p.helper": "def g(x):\n    exec(x)\n"}
    modules["p.plugins"] = "import importlib\nimportlib.import_module('p.more')\n"
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


class Root:
    """Stands for the function f of p.main."""

    __module__, __qualname__ = "p.main", "f"


def test_what_is_followed_once_in_a_process_is_followed_again_where_a_text_has_changed():
    """From one state of a package to the next and back: as if each were the first that the process sees."""
    project = frozenset({"p", "q"})
    for pair in pairs():
        for modules in (pair.before, pair.after, pair.after, pair.before):
            found = Codes(project, Given(modules)).of([Root])
            assert found == code(modules), pair.name
    states = [BASE, {**BASE, "p": "import numpy as np\nnp.seterr(all='raise')\n"}, BASE]  # a module that was not there
    assert [Codes(project, Given(s)).of([Root]).fingerprint for s in states] == [fingerprint(s) for s in states]
    assert fingerprint(states[0]) != fingerprint(states[1])


def test_a_text_that_cannot_be_followed_leaves_nothing_behind():
    project, broken = frozenset({"p", "q"}), {**BASE, "p.helpers": "def scale(\n"}
    whole = Codes(project, Given(BASE))
    assert whole.of([Root]) == code(BASE)
    with pytest.raises(InvalidInput, match="not Python"):
        Codes(project, Given(broken)).of([Root])
    assert whole.of([Root]) == code(BASE)
