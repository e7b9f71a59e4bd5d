"""What draws and what fills templates is imported by whoever needs it: not by the program's start, nor by a plan."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.program import ROOT

HEAVY = ("matplotlib", "jinja2")


def loaded_by(code: str, *arguments: str, cwd=ROOT, of: tuple[str, ...] = HEAVY) -> list[str]:
    """Which of these modules a fresh program has imported after the code."""
    ends = f"\nimport json, sys; print(json.dumps([n for n in {of} if n in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code + ends, *arguments], cwd=cwd, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("package", ["tables", "figures", "pages", "exports", "presets", "next_step", "actions"])
def test_importing_draws_nothing(package):
    assert loaded_by(f"import tshdb, tshdb.{package}") == []


def test_next_steps_import_no_database():
    """Every table, figure and page asks for them: what looks at the study is imported when a step is asked for."""
    assert loaded_by("import tshdb.next_step", of=("sqlalchemy", "tshdb.schema", "tshdb.engine.planner")) == []


@pytest.mark.parametrize("command", ["--help", "plan", "status"])
def test_commands_that_draw_nothing_load_nothing_to_draw(core, command):
    run = "from cli.main import main\ntry:\n    main()\nexcept SystemExit:\n    pass"
    assert loaded_by(run, command, cwd=core.root) == []


@pytest.mark.parametrize(
    "words", [["plan"], ["status"], ["why", "gene_filter/tumor_stroma_development@1"], ["table", "2"], ["--help"]]
)
def test_commands_that_compute_nothing_run_no_numpy(core, words):
    """They import analyses that do: numpy waits until something of it is used."""
    run = "from tshdb.start import main\ntry:\n    main()\nexcept SystemExit:\n    pass"
    ends = "\nimport sys; print('numpy._core' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", run + ends, *words], cwd=core.root, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "False" and len(done.stdout.splitlines()) > 3


def test_a_figure_is_seen(core):
    """The test can fail: what draws is there after a drawing."""
    code = "import tshdb\nfrom tshdb.figures import figure\nfigure(tshdb.open(), 'flow')"
    assert "matplotlib" in loaded_by(code, cwd=core.root)
