"""`tshdb doctor` answers about anything that is broken, and never with a traceback."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from pathlib import Path

import pytest

from tshdb.doctor import machine, program
from tshdb.doctor.examine import examine
from tshdb.doctor.line import State, looked_at
from tshdb.lock import study_lock
from tshdb.process import identity
from tshdb.process import machine as this_machine

NOBODY = 4_194_303  # no process of a test has this number


def lines(root: Path | None) -> dict[str, tuple[State, str]]:
    return {line.what: (line.state, f"{line.found} -> {line.repair}") for line in examine(root)}


def states(root: Path | None) -> set[str]:
    return {what for what, (state, _) in lines(root).items() if state is not State.OK}


def test_a_whole_study_has_no_problem(quick, core):
    core.engine.dispose()
    before = {p: p.read_bytes() for p in core.root.rglob("*") if p.is_file()}
    found = json.loads(quick("doctor", "--json", cwd=core.root).stdout)
    assert not [line for line in found if line["state"] == "problem"]
    named = {line["what"] for line in found}
    assert {"tshdb", "Python", "libraries", "packages", "processors", "disk of the study", "the study", "temporary files",
            "cache of Numba", "cache of Matplotlib", "clock", "study.toml", "database", "integrity", "lock"} <= named  # fmt: skip
    assert all(line["repair"] for line in found if line["state"] != "ok")
    assert {p: p.read_bytes() for p in before} == before, "nothing is changed"
    assert "0 problems" in quick("doctor", "--short", cwd=core.root).stdout


def test_without_a_study_the_machine_is_looked_at(quick, tmp_path):
    said = quick("doctor", cwd=tmp_path).stdout
    assert "none here" in said and "processors" in said
    assert "no study.toml there" in quick("doctor", "--study", tmp_path, cwd=tmp_path, code=3).stdout


def _no_toml(root: Path) -> None:
    (root / "study.toml").write_text("[study\n")


def _odd_bytes(root: Path) -> None:
    (root / "study.toml").write_bytes(b"\xff\xfe\x00[study]")


def _no_database(root: Path) -> None:
    (root / "study.db").unlink()


def _no_sqlite(root: Path) -> None:
    (root / "study.db").write_bytes(b"no database" * 1000)


def _a_folder(root: Path) -> None:
    (root / "study.db").unlink()
    (root / "study.db").mkdir()


def _empty(root: Path) -> None:
    (root / "study.db").write_bytes(b"")


def _damaged(root: Path) -> None:
    data = bytearray((root / "study.db").read_bytes())
    data[8192:65536] = b"\xff" * (65536 - 8192)
    (root / "study.db").write_bytes(bytes(data))


def _newer(root: Path) -> None:
    with sqlite3.connect(root / "study.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()


def _older(root: Path) -> None:
    with sqlite3.connect(root / "study.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0001'")
    raw.close()


def _foreign_server(root: Path) -> None:
    text = (root / "study.toml").read_text()
    (root / "study.toml").write_text(text.replace("sqlite:///study.db", "postgresql://nobody@127.0.0.1:1/none"))


def _other_objects(root: Path) -> None:
    text = (root / "study.toml").read_text()
    (root / "study.toml").write_text(text.replace('objects = "objects"', 'objects = "../../elsewhere"'))


@pytest.mark.parametrize(
    ("harm", "what"),
    [(_no_toml, "study.toml"), (_odd_bytes, "study.toml"), (_no_database, "database"), (_no_sqlite, "database"),
     (_a_folder, "database"), (_empty, "database"), (_damaged, "integrity"), (_newer, "database"), (_older, "database"),
     (_foreign_server, "database"), (_other_objects, "study.toml")],
)  # fmt: skip
def test_a_broken_study_is_a_line_with_a_repair(quick, core, harm, what):
    core.engine.dispose()
    harm(core.root)
    done = quick("doctor", cwd=core.root, code=3)
    assert f" E {what}: " in done.stdout or " E database: " in done.stdout, done.stdout
    assert "->" in done.stderr and "Traceback" not in done.stdout + done.stderr
    assert "processors" in done.stdout, "the other lines are said all the same"


def test_locks_leases_and_runs_say_whose_they_are(core):
    here = this_machine()
    with study_lock(core.engine, core.root):
        assert lines(core.root)["lock"][0] is State.WARNING
    assert lines(core.root)["lock"][0] is State.OK
    core.engine.dispose()
    rows = [("a", "1", 1, here, identity(), time.time() + 100), ("a", "2", 1, here, f"{NOBODY}:1", time.time() + 100),
            ("a", "3", 1, "elsewhere", "5:1", time.time() - 50), ("a", "4", 1, "ahead", "6:1", time.time() + 86_400)]  # fmt: skip
    with sqlite3.connect(core.sqlite_path) as raw:
        raw.executemany(
            "INSERT INTO leases (analysis, key, token, host, process, expires_at) VALUES (?,?,?,?,?,?)", rows
        )
        raw.execute("UPDATE runs SET state = 'running', process = ?, host = ?, started_at = '2099-01-01T00:00:00.000Z'",
                    (f"{NOBODY}:1", here))  # fmt: skip
    raw.close()
    found = lines(core.root)
    assert found[f"1 leases of {here}, process {os.getpid()}"][0] is State.OK
    assert "is dead" in found[f"1 leases of {here}, process {NOBODY}"][1]
    assert "ended" in found["1 leases of elsewhere, process 5"][1]
    assert "clock of ahead is ahead" in found["1 leases of ahead, process 6"][1]
    assert "was killed" in found["run 1"][1] and "which is to come" in found["clock of runs"][1]


def test_what_is_too_old_or_missing_is_named(monkeypatch):
    versions = {"pandas": "1.0", "pydicom": None}

    def version(name):
        found = versions.get(name, "")
        if found is None:
            raise program.PackageNotFoundError(name)
        return found or original(name)

    original = program.version
    monkeypatch.setattr(program, "version", version)
    (line,) = program.libraries()
    assert line.state is State.PROBLEM and "pandas is 1.0, and " in line.found
    imaging = {line.what: line for line in program.extras()}["extra imaging"]
    assert imaging.state is State.WARNING and "pydicom is not installed" in imaging.found
    assert imaging.repair == "pip install 'tshdb[imaging]'"


def test_little_room_and_a_network_disk_are_said(monkeypatch, tmp_path):
    usage = {"free": 10**12}
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: type("Usage", (), usage))
    monkeypatch.setattr(machine, "file_system", lambda _: "nfs4")
    assert {line.what: line.state for line in machine.disks(tmp_path)} == {
        "disk of the study": State.WARNING, "disk of temporary files": State.OK,
    }  # fmt: skip
    for free, state in ((10**9, State.WARNING), (10**6, State.PROBLEM)):
        usage["free"] = free
        assert {line.state for line in machine.disks(tmp_path)} == {state}


def test_the_kind_of_a_file_system_is_that_of_the_nearest_mount(monkeypatch, tmp_path):
    mounts = f"/dev/a / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\nother {tmp_path}-not cifs rw 0 0\n"
    monkeypatch.setattr(Path, "read_text", lambda self, *_: mounts)
    assert machine.file_system(tmp_path / "deep/er") == "nfs4"
    assert machine.file_system(Path("/")) == "ext4"


def test_a_folder_that_cannot_be_written_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(machine.os, "access", lambda place, _: Path(place) != tmp_path)
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    found = {line.what: line for line in machine.writable(tmp_path)}
    assert found["the study"].state is State.WARNING and found["cache of Matplotlib"].state is State.WARNING
    assert "MPLCONFIGDIR" in found["cache of Matplotlib"].repair and found["temporary files"].state is State.OK


def test_a_clock_before_the_program_is_a_problem(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_skew", lambda _: 40.0)
    assert next(machine.clock(tmp_path)).state is State.WARNING
    monkeypatch.setattr(machine.time, "time", lambda: 0.0)
    assert next(machine.clock(None)).state is State.PROBLEM


def test_neighbours_and_pythonpath_are_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert {line.what: line.state for line in program.neighbours()}["PYTHONPATH"] is State.WARNING
    monkeypatch.setattr(program, "refuse_foreign", _foreign)
    assert next(program.neighbours()).state is State.PROBLEM


def _foreign() -> None:
    from tshdb.errors import InvalidInput

    raise InvalidInput("another project's 'cli'", where="/x", repair="Take it out")


def test_a_look_that_fails_is_a_line():
    def fails():
        yield machine.ok("first", "said")
        raise ZeroDivisionError("by hand")

    first, second = looked_at("this", fails)
    assert first.state is State.OK and second.state is State.PROBLEM and "ZeroDivisionError: by hand" in second.found
