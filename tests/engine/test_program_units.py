"""Units that a program computes: what makes them due, what is recorded of them, and whose failure is whose."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace

import pytest
from sqlalchemy import text

from tests.support import tiny
from tests.support.program import ROOT
from tests.support.programs import by_shell
from tests.support.programs.by_shell import fit_of_means, mean_by_shell
from tshdb.database import reading
from tshdb.engine.code.kept import fingerprint_of_kept
from tshdb.engine.outside import files
from tshdb.engine.planner import Planner
from tshdb.engine.why import why
from tshdb.engine.world import World
from tshdb.vocabulary import CauseKind

SCRIPT = (ROOT / "tests/support/programs/mean.sh").read_text()
WORLD = (*tiny.CORE, mean_by_shell)


@pytest.fixture
def texts(monkeypatch):
    """The program's files as they are now: edit them here."""
    now = {"mean.sh": SCRIPT, "packages.lock": "awk 1\n"}
    monkeypatch.setattr(files, "_text", lambda analysis, name: now[name])
    return now


@pytest.fixture
def computed(core, texts):
    report = tiny.rebuild(core, WORLD)
    assert report.computed["mean_by_shell"] == 10 and not report.failed
    return core


def causes(study, world=WORLD) -> set:
    with reading(study.engine) as connection:
        planner = Planner(connection, World(world, study.settings))
        plan = planner.all()["mean_by_shell"]
        return set().union(*(rooted.causes for rooted in planner.roots.of_due(connection, plan).values()))


def test_the_same_bytes_are_not_due(computed):
    assert tiny.due(computed, WORLD) == {}


def test_a_comment_in_a_script_is_code(computed, texts):
    texts["mean.sh"] += "# a comment\n"
    due = tiny.due(computed, WORLD)
    assert {name: len(keys) for name, keys in due.items()} == {"mean_by_shell": 10}
    (cause,) = causes(computed)
    assert str(cause) == "the script mean.sh changed" and (cause.before, cause.after) == (SCRIPT, texts["mean.sh"])
    assert cause.kind is CauseKind.CODE
    report = tiny.rebuild(computed, WORLD)
    assert report.unchanged["mean_by_shell"] == 10 and tiny.due(computed, WORLD) == {}
    with reading(computed.engine) as connection:
        facts = why(connection, World(WORLD, computed.settings), f"mean_by_shell/{min(due['mean_by_shell'])}")
    assert {"the script mean.sh", "the command"} <= set(facts["computed"]["functions"])
    assert [str(c["says"]) for c in facts["computed"]["causes"]] == ["the script mean.sh changed"]


def test_another_command_is_code(computed):
    other = replace(mean_by_shell, program=replace(mean_by_shell.program, command=("sh", "-e", "mean.sh")))
    assert {str(c) for c in causes(computed, (*tiny.CORE, other))} == {"the command changed"}
    slower = replace(mean_by_shell, program=replace(mean_by_shell.program, seconds=99, memory_gb=3))
    assert tiny.due(computed, (*tiny.CORE, slower)) == {}


def test_interpreter_and_lock_are_libraries(computed, monkeypatch, texts):
    locked = replace(mean_by_shell, program=replace(mean_by_shell.program, lock="packages.lock"))
    world = (*tiny.CORE, locked)
    tiny.rebuild(computed, world)
    assert tiny.due(computed, world) == {}
    texts["packages.lock"] = "awk 2\n"
    (cause,) = causes(computed, world)
    # sha256sum of the two lines
    assert (cause.kind, cause.subject, cause.before[:8], cause.after[:8]) == (
        CauseKind.LIBRARY, "mean_by_shell/packages.lock", _sha256("awk 1\n")[:8], _sha256("awk 2\n")[:8],
    )  # fmt: skip
    texts["packages.lock"] = "awk 1\n"
    monkeypatch.setattr(files, "version_of", lambda interpreter: "another shell")
    (cause,) = causes(computed, world)
    assert str(cause) == "sh: a shell -> another shell" and cause.kind is CauseKind.LIBRARY


def _sha256(content: str) -> str:
    return subprocess.run(["sha256sum"], input=content, capture_output=True, text=True, check=True).stdout.split()[0]


def test_what_ran_is_what_was_recorded(core, texts, monkeypatch):
    """An edit after the plan of a rebuild touches nothing of it."""
    real = tiny.Rebuild._lease

    def lease(self, *args):
        texts["mean.sh"] = "exit 1\n"
        return real(self, *args)

    monkeypatch.setattr(tiny.Rebuild, "_lease", lease)
    report = tiny.rebuild(core, WORLD)
    assert report.computed["mean_by_shell"] == 10 and not report.failed
    with reading(core.engine) as connection:
        sources = connection.execute(text("SELECT sources FROM specs WHERE analysis = 'mean_by_shell'")).scalars()
        assert [json.loads(s)["the script mean.sh"] for s in sources] == [SCRIPT]
    monkeypatch.undo()


def test_what_is_kept_proves_itself(computed):
    query = text("SELECT sources, leads, code_fingerprint FROM specs WHERE analysis = 'mean_by_shell'")
    with reading(computed.engine) as connection:
        sources, leads, fingerprint = connection.execute(query).one()
    sources, leads = json.loads(sources), json.loads(leads)
    assert fingerprint_of_kept(sources, leads) == fingerprint
    edited = sources | {"the script mean.sh": SCRIPT + " "}
    assert fingerprint_of_kept(edited, leads) != fingerprint


def test_an_interpreter_is_asked_once_a_process(tmp_path, monkeypatch):
    asked = tmp_path / "asked"
    shell = tmp_path / "sh2"
    shell.write_text(f"#!/bin/sh\necho asked >> {asked}\necho version 1\n")
    shell.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert [files.version_of(("sh2", "--version")) for _ in range(3)] == ["version 1"] * 3
    assert asked.read_text().count("asked") == 1
    shell.write_text("#!/bin/sh\necho version 2\n")
    os.utime(shell, ns=(1, 1))
    assert files.version_of(("sh2", "--version")) == "version 2"
    assert files.version_of(("sh3", "--version")) == "not installed"


def test_without_the_interpreter_its_units_fail_and_nothing_else(core, texts, monkeypatch):
    program = replace(mean_by_shell.program, command=("sh3", "mean.sh"), interpreter=("sh3", "--version"))
    record = replace(mean_by_shell, program=program)
    monkeypatch.setattr(by_shell, "mean_by_shell", record)
    report = tiny.rebuild(core, (*tiny.CORE, record))
    assert set(report.failed) == {"mean_by_shell"} and len(report.failed["mean_by_shell"]) == 10
    assert set(report.failed["mean_by_shell"].values()) == {
        "the command 'sh3' cannot be started here: No such file or directory. Install it, or see that it is on PATH"
    }


def test_rows_of_another_fail_the_one_that_wrote_them(core, texts):
    """A batch that fails is halved until the guilty patient stands alone; the others have their results."""
    patients = sorted(tiny.plan(core, WORLD)["mean_by_shell"].desired)
    texts["mean.sh"] = SCRIPT + f"\nsed -i 's/{patients[0]}/TCGA-XX-0000/' result.csv\n"
    report = tiny.rebuild(core, WORLD)
    (message,) = report.failed["mean_by_shell"].values()
    assert set(report.failed["mean_by_shell"]) == {patients[0]} and report.computed["mean_by_shell"] == 9
    assert message == "ValueError: mean_by_shell gave rows of TCGA-XX-0000, which was not asked for"


def test_a_study_s_own_program_is_trusted_with_its_script(core, monkeypatch, tmp_path, quick):
    monkeypatch.setenv("TSHDB_HOME", str(tmp_path / "home"))
    folder = core.root / "analyses"
    folder.mkdir()
    module = (ROOT / "tests/support/programs/by_shell.py").read_text()
    (folder / "own.py").write_text(module.replace("xs_means", "own_means").replace("mean_by_shell", "own_mean"))
    asked = tmp_path / "asked"
    (folder / "own.py").write_text(
        (folder / "own.py").read_text().replace("echo a shell", f"echo x >> {asked}; echo 1")
    )
    (folder / "mean.sh").write_text(SCRIPT)
    quick("plan", cwd=core.root)
    assert not asked.exists()
    quick("trust", "--yes", cwd=core.root)
    quick("rebuild", "own_mean", cwd=core.root)
    assert "mean" in quick("sql", "SELECT count(*) AS mean FROM own_means", cwd=core.root).stdout
    (folder / "mean.sh").write_text(SCRIPT + "# more\n")
    quick("trust", "--yes", cwd=core.root)
    assert "the script mean.sh changed" in quick("plan", "own_mean", cwd=core.root).stdout
    patient = sorted(tiny.plan(core)["tsh_ratios"].desired)[0]
    said = quick("why", f"own_mean/{patient}", cwd=core.root).stdout
    assert "the script mean.sh changed" in said and "+# more" in said
    assert ": own_mean, the command, the script mean.sh\n" in said
    said = quick("lineage", "own_means", patient, "--code", cwd=core.root).stdout
    assert f"# the script mean.sh\n{SCRIPT.rstrip()}" in said and "# the command\n" in said
    assert asked.read_text().count("x") >= 1


def test_an_interpreter_that_is_upgraded_meanwhile_keeps_nothing(core, texts, monkeypatch):
    """What a worker has must be what was planned with: before a batch, and after it."""
    versions = iter(["a shell"] * 2)
    monkeypatch.setattr("tshdb.engine.identity.version_of_interpreter", lambda _: next(versions, "a newer shell"))
    report = tiny.rebuild(core, WORLD)
    assert not report.computed.get("mean_by_shell") and sum(report.discarded["mean_by_shell"].values()) == 10
    assert len(tiny.due(core, WORLD)["mean_by_shell"]) == 10


def test_a_fit_follows_a_script(core, texts):
    """It learned from what the script made; that the script is another one is not corrected data."""
    world = (*WORLD, fit_of_means)
    tiny.rebuild(core, world)
    model = core.sql("SELECT score FROM roc_points WHERE model = 'toy'")["score"].item()
    texts["mean.sh"] = SCRIPT.replace("factor * sum", "2 * factor * sum")
    plans = tiny.plan(core, world)
    assert plans["fit_of_means"].due.keys() == {f"{tiny.COHORT}@1"} and not plans["fit_of_means"].flagged
    tiny.rebuild(core, world)
    assert core.sql("SELECT score FROM roc_points WHERE model = 'toy'")["score"].item() == pytest.approx(2 * model)
