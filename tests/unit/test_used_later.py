"""A package that waits to be used: nothing runs before, everything is there after, in threads and in its own submodules too."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.program import ROOT

PACKAGE = {
    "__init__.py": "import sys\nsys.stderr.write('ran\\n')\nfrom waits.part import VALUE\nfrom waits import part as again\n"
    "def __getattr__(name):\n    if name == 'made':\n        return 3\n    raise AttributeError(name)\n",
    "part.py": "import waits\nassert waits.__name__ == 'waits'\nVALUE = 1\n",
    "other.py": "from waits import VALUE\nDOUBLE = 2 * VALUE\n",
}


@pytest.fixture
def run(tmp_path):
    """Run lines with the package `waits` on the path: what was printed, and how often the package ran."""

    def go(lines: str, files: dict[str, str] = PACKAGE) -> tuple[str, int]:
        (tmp_path / "waits").mkdir()
        for name, text in files.items():
            (tmp_path / "waits" / name).write_text(text)
        code = "from tshdb.used_later import import_when_used\nimport_when_used('waits')\n" + lines
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
            env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        )  # fmt: skip
        return done.stdout.strip(), done.stderr.count("ran")

    return go


@pytest.mark.parametrize(
    ("lines", "printed", "n_runs"),
    [
        ("import waits\nimport waits as w\nprint(waits.__name__, waits.__spec__.name)", "waits waits", 0),
        ("import waits\nprint(waits.VALUE, waits.part.VALUE, type(waits).__name__)", "1 1 module", 1),
        ("from waits import VALUE\nimport waits\nprint(VALUE, waits.again is waits.part)", "1 True", 1),
        ("import waits.other\nprint(waits.other.DOUBLE)", "2", 1),
        ("import waits\nprint(waits.made, hasattr(waits, 'nothing'))", "3 False", 1),
        ("import importlib, waits\nprint(importlib.import_module('waits.part').VALUE)", "1", 1),
    ],
)
def test_it_runs_once_when_something_of_it_is_used(run, lines, printed, n_runs):
    assert run(lines) == (printed, n_runs)


def test_threads_wait_for_the_one_that_runs_it(run):
    slow = PACKAGE | {"part.py": "import time\ntime.sleep(.2)\nVALUE = 1\n"}
    lines = """
import threading, waits
seen = []
threads = [threading.Thread(target=lambda: seen.append(waits.VALUE)) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(seen == [1] * 8)"""
    assert run(lines, slow) == ("True", 1)


def test_one_that_cannot_be_run_says_so_each_time(run):
    broken = {"__init__.py": "import sys\nsys.stderr.write('ran\\n')\nraise ImportError('no such library')\n"}
    lines = """
import waits
for _ in range(2):
    try: waits.VALUE
    except ImportError as error: print(error)
try:
    import waits
except ImportError as error: print(error)"""
    printed, n_runs = run(lines, broken)
    assert printed.splitlines()[0] == printed.splitlines()[-1] == "no such library" and n_runs >= 2


def test_what_is_not_there_is_left():
    from tshdb.used_later import import_when_used

    import_when_used("no_package_of_this_name")
    assert "no_package_of_this_name" not in sys.modules
    before = sys.modules["subprocess"]
    import_when_used("subprocess")
    assert sys.modules["subprocess"] is before
