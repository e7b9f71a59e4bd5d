"""How the program starts: its version, completion, and another project's packages in the place of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import pytest

from tests.support.program import ROOT
from tshdb import __version__
from tshdb.neighbours import NAMES


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run the program by its door, with these variables besides ours."""
    path = os.pathsep.join(filter(None, (environment.pop("before", ""), str(ROOT))))
    return subprocess.run(
        [sys.executable, "-m", "tshdb", *arguments], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1", **environment},
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["package", "module"])
def test_another_project_s_package_is_named_with_its_place(tmp_path, name, kind):
    foreign = tmp_path / name / "__init__.py" if kind == "package" else tmp_path / f"{name}.py"
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("raise SystemExit('the other project ran')\n")
    refused = start("--version", before=str(tmp_path))
    assert refused.returncode == 7 and refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    place = foreign.parent if kind == "package" else foreign
    assert line.startswith(f"tshdb: {place}: another project's '{name}' stands in the place of tshdb's own")
    assert f"Take {tmp_path} out of PYTHONPATH" in line


def test_a_folder_without_code_is_no_package(tmp_path):
    """Python passes over a folder without __init__.py while a package of the name comes later: data may be called so."""
    for name in NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "notes.txt").write_text("data\n")
    assert start("--version", before=str(tmp_path)).stdout == f"tshdb {__version__}\n"


def test_a_notebook_is_told_too(tmp_path):
    (tmp_path / "analyses").mkdir()
    (tmp_path / "analyses" / "__init__.py").write_text("")
    code = "import tshdb.installed\ntry: tshdb.installed.analyses()\nexcept Exception as error: print(error)"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{tmp_path / 'analyses'}: another project's 'analyses'")


def test_the_installed_program_enters_by_this_door():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"] == {"tshdb": "tshdb.start:main"}


def test_the_version_is_that_of_the_package():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__
    assert start("--version").stdout == f"tshdb {__version__}\n"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("tshdb coh", {"cohort"}),
        ("tshdb cohort fr", {"freeze"}),
        ("tshdb plan --ref", {"--refit"}),
        ("tshdb ingest rna --unit fpkm", {"fpkm", "fpkm_uq"}),
    ],
)
def test_words_are_completed(words, offered):
    asked = {"_TSHDB_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    assert set(start(**asked).stdout.split()) == offered


def test_the_script_for_a_shell_can_be_shown():
    assert "complete -o default -F _tshdb_completion tshdb" in start("--show-completion", "bash").stdout
