"""Which definitions differ between two codes: small packages that are edited, moved and renamed, and the analyses."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from analyses import ANALYSES
from soak.code import Edited, edit, reached
from tests.support.code_cases import BASE, MAIN, Given, Modules, code, pairs
from tshdb.engine.code.differences import NOT_KEPT, DefinitionChange, definitions_changed, short_diff
from tshdb.engine.code.follow import Code, Follower
from tshdb.engine.code.identity import Codes
from tshdb.engine.code.program import Definition, Program
from tshdb.engine.units import functions_of, project_packages

PAIRS = list(pairs())
BY_NAME = {a.name: a for a in ANALYSES}


def changes(before: Code, after: Code) -> tuple[DefinitionChange, ...]:
    """What differs, from what a database would give back of both."""
    kept = [json.loads(json.dumps([c.sources, c.leads], sort_keys=True)) for c in (before, after)]
    return definitions_changed(*kept[0], *kept[1])


def named(found: tuple[DefinitionChange, ...]) -> tuple[str, ...]:
    """The names, + before one that came, - before one that went."""
    return tuple(("+" if c.before is None else "-" if c.after is None else "") + c.name for c in found)


def between(before: Modules, after: Modules, root: Definition = MAIN) -> tuple[str, ...]:
    return named(changes(code(before), code(after, root)))


# ------------------------------------------------------------------------------------------------------- definitions


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_change_is_named_and_nothing_else(pair):
    """Both ways: who came went."""
    assert between(pair.before, pair.after) == pair.named
    turned = {n.translate({ord("+"): "-", ord("-"): "+"}) for n in pair.named}
    if pair.name.startswith("name in a registry"):
        turned = {n.replace("other", "plain") for n in turned}  # its name of today
    assert set(between(pair.after, pair.before)) == turned


def test_of_two_codes_that_differ_something_is_named():
    """The packages of all pairs, each beside the next."""
    codes = [code(m) for pair in PAIRS for m in (pair.before, pair.after)]
    for before, after in pairwise(codes):
        found = changes(before, after)
        assert bool(found) is (before.fingerprint != after.fingerprint)
        assert all(c.before != c.after for c in found)
        assert len({c.name for c in found}) == len(found)


def renamed(modules: Modules) -> Modules:
    return {
        m.replace("p.helpers", "p.sizes"): t.replace("p.helpers", "p.sizes").replace("LIMIT", "MOST")
        for m, t in modules.items()
    }


def test_what_moved_or_was_renamed_is_not_named_beside_an_edit():
    """A module renamed, a constant renamed, and one line edited."""
    edited = renamed({**BASE, "p.main": BASE["p.main"].replace("total = 0.0", "total = 1.0")})
    assert between(BASE, edited) == ("p.main.f",)
    helper = renamed({**BASE, "p.tables": "LIMIT = 11.0\n"})
    assert between(BASE, helper) == ("p.main.f", "+p.tables.MOST", "-p.tables.LIMIT")


CHAIN = {
    "p.main": "from p.a import g\ndef f(x):\n    return g(x)\n",
    "p.a": "from p.b import h\ndef g(x):\n    y = x\n    z = y\n    return h(z)\n",
    "p.b": "def h(x):\n    y = x\n    z = y\n    return z\n",
}


def moved(modules: Modules) -> Modules:
    """All modules but the first under other names."""
    names = {"p.a": "p.c", "p.b": "p.d"}
    found = {
        names.get(m, m): t.replace("from p.a", "from p.c").replace("from p.b", "from p.d") for m, t in modules.items()
    }
    assert found.keys() == {"p.main", "p.c", "p.d"}
    return found


def test_a_helper_that_moved_with_its_reader_and_was_edited():
    edited = {**CHAIN, "p.b": CHAIN["p.b"].replace("return z", "return -z")}
    assert between(CHAIN, moved(CHAIN)) == ()
    assert between(CHAIN, moved(edited)) == ("p.d.h",)


def test_a_root_that_moved_and_was_edited():
    there = {**CHAIN, "q.main": CHAIN["p.main"].replace("return g(x)", "return 2 * g(x)")}
    del there["p.main"]
    assert between(CHAIN, there, Definition("q.main", "f")) == ("q.main.f",)


def test_one_of_a_module_that_was_edited_and_went_with_the_others():
    """One line is all of it: that others went the same way says that it is the same."""
    text = "A = 1\nB = 2\n"
    before = {"p.main": "from p.a import A, B\ndef f(x):\n    return x * A + B\n", "p.a": text}
    after = {"p.main": before["p.main"].replace("p.a", "p.c"), "p.c": text.replace("2", "3")}
    assert between(before, after) == ("p.c.B",)


def test_a_name_that_leads_elsewhere_is_shown_below_the_text():
    before = {
        "p.main": "import numpy as np\nfrom p.a import helper\ndef f(x):\n    return np.abs(helper(x))\n",
        "p.a": "def helper(x):\n    return x\n",
        "p.b": "def helper(x):\n    return 2 * x\n",
    }
    after = {
        **before,
        "p.main": before["p.main"].replace("from p.a", "from p.b").replace("import numpy", "import cupy"),
    }
    found = changes(code(before), code(after))
    assert named(found) == ("p.main.f", "+p.b.helper", "-p.a.helper")
    text = "def f(x):\n    return np.abs(helper(x))\n"
    assert found[0].before == text + "# np.abs: numpy.abs\n# helper: p.a.helper"
    assert found[0].after == text + "# np.abs: cupy.abs\n# helper: p.b.helper"


def test_a_renamed_definition_counts_where_names_are_read():
    text = "def g(x):\n    return x\ndef f(x):\n    return g(x), g.__name__\n"
    assert between({"p.main": text}, {"p.main": text.replace("g(", "h(").replace("g.", "h.")}) == ("p.main.h",)


def test_settings_that_move_are_not_named_and_their_order_is():
    main = "import numpy as np\nimport p.a\nimport p.b\ndef f(x):\n    return np.log(x)\n"
    a, b = "import numpy as np\nnp.seterr(all='ignore')\n", "import numpy as np\nnp.set_printoptions(3)\n"
    before = {"p.main": main, "p.a": a, "p.b": b, "p": ""}
    assert between(before, {**before, "p.main": main.replace("p.a", "p.c"), "p.c": a}) == ()
    after = {**before, "p.main": main.replace("import p.a\nimport p.b", "import p.b\nimport p.a")}
    assert between(before, after) == ("the order of settings of libraries at import",)


def test_one_of_two_equal_statements_goes_and_the_order_stays():
    text = "S = []\nS.append(1)\nS.append(2)\nS.append(1)\ndef f(x):\n    return S\n"
    found = changes(code({"p.main": text}), code({"p.main": text.replace("S.append(1)\ndef", "def")}))
    assert named(found) == ("p.main.S",)
    assert found[0].after == "S = []\nS.append(1)\nS.append(2)"


def test_a_text_shows_statements_in_their_order():
    """T is met first, and with it what S is given of it."""
    text = "T = [1]\nS = []\nS.extend(T)\nS.append(2)\ndef f(x):\n    return T, S\n"
    (found,) = changes(code({"p.main": text}), code({"p.main": text.replace("(2)", "(3)")}))
    assert found == ("p.main.S", "S = []\nS.extend(T)\nS.append(2)", "S = []\nS.extend(T)\nS.append(3)")


def test_a_renamed_definition_that_is_imported_on_a_condition():
    """The name in the import is that of the definition, and no attribute of it."""
    main = "try:\n    from p.a import g as h\nexcept ImportError:\n    h = None\ndef f(x):\n    return h(x)\n"
    before = {"p.main": main, "p.a": "def g(x):\n    return x\n"}
    after = {"p.main": main.replace("p.a import g", "p.b import k"), "p.b": "def k(x):\n    return x\n"}
    assert between(before, after) == ()
    after["p.main"] = after["p.main"].replace("return h(x)", "return -h(x)")
    assert between(before, after) == ("p.main.f",)


def test_an_import_that_is_named_now_is_no_change_of_its_own():
    before = {"p.main": "import json\ndef f(x):\n    return x\n"}
    after = {"p.main": "import json\ndef f(x):\n    return json.loads(x)\n"}
    assert between(before, after) == ("p.main.f",)


def test_roots_in_another_order_are_named():
    """Nothing differs but where one begins."""
    modules = {"p.main": "def f(x):\n    return x\ndef g(x):\n    return -x\n"}

    def followed(*names: str) -> Code:
        return Follower(Program(Given(modules), frozenset({"p"}))).code_of([Definition("p.main", n) for n in names])

    assert named(changes(followed("f", "g"), followed("g", "f"))) == ("what p.main.g reaches",)


@pytest.mark.parametrize(
    "name",
    ["analyses.shared.cox.FEWEST_PER_TERM", "analyses.shared.populations.only_unit", "tshdb.vocabulary.Endpoint"],
)
def test_an_edit_of_an_analysis_names_what_was_edited(name):
    """For every analysis that reaches it."""
    packages = project_packages(ANALYSES)
    module, _, definition = name.rpartition(".")
    before, after = Codes(packages), Codes(packages, Edited(module, edit(definition)))
    readers = [a for a, found in reached().items() if name in found]
    assert len(readers) > 2
    for reader in readers:
        functions = functions_of(BY_NAME[reader])
        assert named(changes(before.of(functions), after.of(functions))) == (name,)


def test_code_without_leads_is_compared_by_its_statements():
    """As revision 0009 kept it: some definitions, each by itself, with what the record of an analysis said."""
    modules = {
        "p.main": "from tshdb.engine.analysis import analysis\nfrom p.helpers import scale\nfrom p.tables import LIMIT\n"
        "@analysis(kind='map')\ndef f(x):\n    return scale(x) + LIMIT\n",
        "p.helpers": "FACTOR = 2\ndef scale(v: float):\n    return v * FACTOR\n",
        "p.tables": "LIMIT = 10\n",
    }
    now = code(modules)
    kept = {k: v + "\n" for k, v in now.sources.items() if k != "p.helpers.FACTOR"}  # the program of then missed it
    kept["p.main.f"] = kept["p.main.f"].replace("'map'", "'apply'").replace("    return", "    # why\n    return")
    assert definitions_changed(kept, {}, now.sources, now.leads) == (DefinitionChange(NOT_KEPT, "", ""),)
    edited = {
        **modules,
        "p.tables": "import numpy\nnumpy.seterr()\nLIMIT = 11\nMORE = numpy.int8(1)\n",
        "p.main": modules["p.main"].replace("+ LIMIT", "+ LIMIT + MORE"),
    }
    edited["p.main"] = edited["p.main"].replace("import LIMIT", "import LIMIT, MORE")
    now = code(edited)
    assert set(named(definitions_changed(kept, {}, now.sources, now.leads))) == {
        "p.main.f",
        "p.tables.LIMIT",
        "+p.tables.MORE",
    }


def test_a_short_diff():
    before = "def f(x):\n    a = 1\n    b = 2\n    c = 3\n    return a"
    assert short_diff(before, before.replace("b = 2", "b = 5")) == [
        "@@ -2,3 +2,3 @@", "     a = 1", "-    b = 2", "+    b = 5", "     c = 3",
    ]  # fmt: skip
    assert short_diff(None, "S = 1\n") == ["@@ -0,0 +1 @@", "+S = 1"]
    long = "\n".join(f"line {n}" for n in range(40))
    assert short_diff(long, None, at_most=3) == ["@@ -1,40 +0,0 @@", "-line 0", "… 39 more lines"]
