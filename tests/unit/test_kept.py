"""Prepared studies are kept for later runs, and none of another code or with another byte is ever given."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import kept


class Maker:
    """Makes a folder, and counts how often."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self, folder: Path) -> None:
        self.n += 1
        (folder / "objects").mkdir(parents=True)
        (folder / "study.db").write_text(f"made {self.n}")


@pytest.fixture
def program(tmp_path, monkeypatch) -> Path:
    """A file that takes part, in a checkout of its own; nothing is kept yet."""
    root = tmp_path / "checkout"
    (root / "tshdb" / "__pycache__").mkdir(parents=True)
    (root / "tshdb" / "engine.py").write_text("a = 1\n")
    monkeypatch.setattr(kept, "ROOT", root)
    monkeypatch.setattr(kept, "AT_START", kept.files_digest(root))
    monkeypatch.setenv("TSHDB_TEST_CACHE", str(tmp_path / "cache"))
    return root / "tshdb" / "engine.py"


def test_it_is_made_once_and_nobody_works_in_it(program, tmp_path):
    make = Maker()
    first = kept.copy_of("whole", make, tmp_path / "first")
    (first / "study.db").write_text("a test was here")
    assert (kept.copy_of("whole", make, tmp_path / "second") / "study.db").read_text() == "made 1" and make.n == 1
    kept.copy_of("core", make, tmp_path / "third")
    assert make.n == 2


@pytest.mark.parametrize("change", ["another text", "another name", "one more file"])
def test_another_code_has_another_study(program, tmp_path, monkeypatch, change):
    make = Maker()
    kept.copy_of("whole", make, tmp_path / "first")
    if change == "another text":
        program.write_text("a = 2\n")
    elif change == "another name":
        program.rename(program.with_name("motor.py"))
    else:
        program.with_name("more.csv").write_text("a\n")
    monkeypatch.setattr(kept, "AT_START", kept.files_digest(kept.ROOT))
    kept.copy_of("whole", make, tmp_path / "second")
    assert make.n == 2


def test_compiled_code_does_not_count(program):
    (program.parent / "__pycache__" / "engine.pyc").write_bytes(b"1")
    assert kept.files_digest(kept.ROOT) == kept.AT_START


def test_another_library_has_another_study(program, monkeypatch):
    before = kept.key(kept.AT_START)
    first, *others = kept.importlib.metadata.distributions()
    newer = SimpleNamespace(name=first.name, version=f"{first.version}.post1")
    monkeypatch.setattr(kept.importlib.metadata, "distributions", lambda: [newer, *others])
    assert kept.key(kept.AT_START) != before


def test_what_was_made_while_files_were_edited_is_not_kept(program, tmp_path):
    make = Maker()

    def edited(folder: Path) -> None:
        make(folder)
        program.write_text("a = 2\n")

    kept.copy_of("whole", edited, tmp_path / "first")
    program.write_text("a = 1\n")
    kept.copy_of("whole", make, tmp_path / "second")
    assert make.n == 2


@pytest.mark.parametrize("damage", ["another byte", "lost", "half a copy"])
def test_what_is_no_longer_whole_is_made_anew(program, tmp_path, damage):
    make = Maker()
    kept.copy_of("whole", make, tmp_path / "first")
    (file,) = (tmp_path / "cache").rglob("study.db")
    if damage == "another byte":
        file.write_text("made 0")
    elif damage == "lost":
        file.unlink()
    else:  # it was stopped before it was sealed
        next((tmp_path / "cache").rglob("whole.sha256")).unlink()
        file.write_text("ma")
    assert (kept.copy_of("whole", make, tmp_path / "second") / "study.db").read_text() == "made 2"
    assert (kept.copy_of("whole", make, tmp_path / "third") / "study.db").read_text() == "made 2" and make.n == 2


def test_what_nobody_asked_for_in_a_week_goes(program, tmp_path):
    old = tmp_path / "cache" / "another"
    old.mkdir(parents=True)
    kept.os.utime(old, (0, 0))
    kept.copy_of("whole", Maker(), tmp_path / "first")
    assert not old.exists()
