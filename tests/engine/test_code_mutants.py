"""What follows code can fail: with one line of it wrong the pairs of tests/support/code_cases.py show it. And on every Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.program import ROOT

MUTANTS = tomllib.loads((ROOT / "tests/data/code_mutants.toml").read_text())["mutants"]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m['file']} {m['old'][:40]}")
def test_a_mutant_of_the_normal_form_is_caught(mutant, tmp_path):
    """One line is wrong, in a copy of what it takes to follow code; the pairs must show it."""
    file, old, new = mutant["file"], mutant["old"], mutant["new"]
    (tmp_path / "tests/data").mkdir(parents=True)
    (tmp_path / "tests/support").mkdir()
    for name in (
        "tests/__init__.py",
        "tests/support/__init__.py",
        "tests/support/code_cases.py",
        "tests/data/code_changes.toml",
    ):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "tshdb", tmp_path / "tshdb", ignore=shutil.ignore_patterns("schema", "loading", "checking"))
    path = tmp_path / "tshdb/engine/code" / file
    text = path.read_text()
    assert text.count(old) == 1, "the mutant no longer fits the code"
    path.write_text(text.replace(old, new))
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.code_cases"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.strip(), f"the mutant survived {done.stderr[-500:]}"


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
