"""Backups: whole or not there, of one state while others write, and every changed byte is named before anything is restored."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.program import ROOT
from tshdb.backup import places
from tshdb.backup.contents import Options
from tshdb.backup.copying import Copy
from tshdb.backup.listing import listed
from tshdb.backup.make import backup
from tshdb.backup.manifest import BACKUP, NAME, parsed, read, refuse_damaged
from tshdb.backup.restore import restore
from tshdb.errors import Busy, IntegrityError, InvalidInput, NotFound, ResourceError
from tshdb.places import DATABASE_MARK
from tshdb.study import Study
from tshdb.withdrawal.identifiers import KEY_FILE


def tree(folder: Path) -> dict[str, bytes]:
    """The files below a folder, but for locks and what SQLite keeps beside its file."""
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in files
        if p.name not in (".tshdb.lock", NAME) and not p.name.endswith(("-wal", "-shm"))
    }


def killed_at(study: Study, name: str, *words: object) -> int:
    """The exit code of a command that dies at a failpoint."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TSHDB_FAILPOINT": name}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, words)], cwd=study.root, env=environment, capture_output=True
    )
    return done.returncode


def test_a_backup_and_back(study, tmp_path):
    """The same rows, the same files; the check in full is passed."""
    before, files = tiny.dump(study), tree(study.root)
    study.engine.dispose()
    made = backup(study, tmp_path / "backups")
    done = restore(tmp_path / "backups", tmp_path / "again")
    again = Study(tmp_path / "again")
    assert done.backup == made.path and done.checked.is_whole and not done.settings
    assert tiny.dump(again) == before
    again.engine.dispose()
    stands, kept = tree(again.root), ("study.db", ".snapshots/")  # compared above; what queries keep beside it
    assert {n: b for n, b in stands.items() if not n.startswith(kept)} == {
        n: b for n, b in files.items() if not n.startswith(kept)
    }
    assert tiny.due(again) == {}
    again.engine.dispose()


def test_incremental_links_what_is_there_and_each_backup_stands_alone(core, tmp_path):
    folder = tmp_path / "backups"
    first = backup(core, folder)
    second = backup(core, folder, is_incremental=True)
    assert first.facts["linked"] == 0 and second.facts["linked"] > 5
    assert second.facts["copied"] == 1, "the database alone, which is one state each time"
    part = next(f.path for f in first.manifest.files if f.path.endswith(".parquet"))
    assert os.path.samefile(first.path / part, second.path / part)
    third = backup(core, folder)
    assert third.facts["linked"] == 0 and not os.path.samefile(first.path / part, third.path / part)
    shutil.rmtree(first.path)
    assert restore(second.path, tmp_path / "again").checked.is_whole


def test_what_an_earlier_backup_has_damaged_is_copied_anew(core, tmp_path):
    """A link to it would carry the damage on."""
    first = backup(core, tmp_path / "backups")
    part = next(f.path for f in first.manifest.files if f.path.endswith(".parquet"))
    (first.path / part).write_bytes(b"x" + (first.path / part).read_bytes()[1:])
    second = backup(core, tmp_path / "backups", is_incremental=True)
    assert not os.path.samefile(first.path / part, second.path / part)
    assert restore(second.path, tmp_path / "again").checked.is_whole


@pytest.mark.parametrize(
    "point",
    [
        "database.copied",
        "backup.database_copied",
        "backup.files_copied",
        "backup.object_copied",
        "backup.before_rename",
    ],
)
def test_killed_it_leaves_nothing_under_a_final_name_and_the_next_one_goes_on(core, tmp_path, point):
    folder = tmp_path / "backups"
    assert killed_at(core, point, "backup", folder) == 137
    assert places.whole(folder) == [] and len(places.left(folder)) == 1
    with pytest.raises(NotFound, match="interrupted"):
        restore(folder, tmp_path / "again")
    made = backup(core, folder)
    assert places.whole(folder) == [made.path] and places.left(folder) == []
    kept = made.facts["kept_from_an_interrupted_one"]
    assert kept == 0 if point.startswith(("database", "backup.database")) else kept > 0
    assert restore(folder, tmp_path / "again").checked.is_whole


@pytest.mark.parametrize("point", ["restore.file_copied", "restore.before_rename"])
def test_a_restore_that_is_killed_leaves_no_study(core, tmp_path, point):
    backup(core, tmp_path / "backups")
    assert killed_at(core, point, "restore", tmp_path / "backups", tmp_path / "again") == 137
    assert not (tmp_path / "again").exists()
    assert restore(tmp_path / "backups", tmp_path / "again").checked.is_whole
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again", "backups", "study"]


def test_every_changed_byte_is_named_and_refused(core, tmp_path):
    """One bit of each file, one after the other; one file lost; one longer."""
    made = backup(core, tmp_path / "backups")
    names = [*(f.path for f in made.manifest.files if f.size), NAME]
    for name in names:
        path = made.path / name
        whole = path.read_bytes()
        for at in {0, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with pytest.raises(IntegrityError) as refused:
                restore(made.path, tmp_path / "again")
            assert name in str(refused.value)
        path.write_bytes(whole)
    for harm in (Path.unlink, _lengthen, _link):
        path = made.path / "study.toml"
        whole = path.read_bytes()
        harm(path)
        with pytest.raises(IntegrityError, match="study.toml"):
            restore(made.path, tmp_path / "again")
        path.unlink(missing_ok=True)
        path.write_bytes(whole)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["backups", "study"], "nothing was written"
    assert restore(made.path, tmp_path / "again").checked.is_whole


def test_a_changed_byte_is_seen_without_a_copy(core, tmp_path):
    """Of the same length: only its digest tells."""
    made = backup(core, tmp_path / "backups")
    path = made.path / "study.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (seen,) = listed(tmp_path / "backups", is_full=True)
    assert (seen.state, seen.problems) == ("damaged", ("study.db: its bytes have changed",))
    with pytest.raises(IntegrityError, match=r"study\.db"):
        refuse_damaged(made.path, made.manifest)


def test_a_copy_is_of_the_bytes_that_are_asked_for(tmp_path):
    """What is changed after the whole was compared, and before it is copied."""
    (tmp_path / "a").write_text("other")
    copied = Copy(tmp_path / "into")
    with pytest.raises(IntegrityError, match="not those of its name"):
        copied.add("a", tmp_path / "a", hashlib.sha256(b"whole").hexdigest())
    assert not (tmp_path / "into/a").exists()


def _lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hosts")


def test_another_spelling_of_the_manifest_is_refused(core, tmp_path):
    """The same values, a blank more: a byte was changed all the same."""
    made = backup(core, tmp_path / "backups")
    data = (made.path / NAME).read_bytes()
    with pytest.raises(IntegrityError, match="not as it was written"):
        parsed(data.replace(b'"format": 1', b'"format":  1'), "x", BACKUP)


def test_while_others_write_it_is_one_state(core, tmp_path):
    """20 backups beside a writer that adds pairs of rows: none has half of one."""
    database = core.sqlite_path
    with sqlite3.connect(database) as raw:
        raw.execute("CREATE TABLE pairs (n INTEGER)")
    over = threading.Event()

    def write() -> None:
        connection = sqlite3.connect(database, timeout=30, isolation_level=None)
        n = 0
        while not over.is_set():
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO pairs VALUES (?)", [(n,)] * 2)
            connection.execute("COMMIT")
            n += 1
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [backup(core, tmp_path / "backups", is_incremental=True) for _ in range(20)]
    finally:
        over.set()
        writer.join()
    counts = []
    for each in made:
        with sqlite3.connect(each.path / "study.db") as raw:
            assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            odd = raw.execute("SELECT n FROM pairs GROUP BY n HAVING count(*) <> 2").fetchall()
            counts.append(raw.execute("SELECT count(*) FROM pairs").fetchone()[0])
        assert odd == []
    assert counts == sorted(counts) and counts[-1] > counts[0], "it did write meanwhile"


def test_beside_ingest_and_rebuild(core, tmp_path):
    """Three of the soak's: restored, checked in full, and backed up again to the same files."""
    from soak.backups import rounds

    core.engine.dispose()
    assert list(rounds(core, tmp_path, 3, seed=1)) == [None] * 3


def test_an_object_that_is_replaced_meanwhile_means_another_state(core, tmp_path, monkeypatch):
    """What a command takes away after the database was copied is named by no row any more: the copy is made again."""
    from tshdb.backup import make

    part = next((core.root / "objects").rglob("*.parquet"))
    aside = tmp_path / "aside.parquet"
    states = []

    def copied_and_gone(source, target):
        done = original(source, target)
        states.append(len(states))
        if len(states) == 1:
            os.replace(part, aside)
        elif len(states) == 2:
            os.replace(aside, part)
        return done

    original = make.copy_database
    monkeypatch.setattr(make, "copy_database", copied_and_gone)
    backup(core, tmp_path / "backups")
    assert len(states) == 2
    assert restore(tmp_path / "backups", tmp_path / "again").checked.is_whole


def test_a_withdrawal_that_comes_in_between_is_followed(study, tmp_path, monkeypatch):
    """The database was copied with the patient: it is copied again, and so are the files that were written anew."""
    from tshdb.actions.withdrawing import withdraw
    from tshdb.backup import make

    states = []

    def copied_then_withdrawn(source, target):
        done = original(source, target)
        states.append(len(states))
        if len(states) == 1:
            monkeypatch.setattr(make, "_add_objects", after_objects)
        return done

    def after_objects(*arguments):
        missing = objects(*arguments)
        if len(states) == 1:
            withdraw(study, "TCGA-TN-0003", "consent withdrawn")
        return missing

    original, objects = make.copy_database, make._add_objects
    monkeypatch.setattr(make, "copy_database", copied_then_withdrawn)
    made = backup(study, tmp_path / "backups")
    assert len(states) == 2 and len(made.manifest.withdrawn) == 1
    assert not [name for name, data in tree(made.path).items() if b"TCGA-TN-0003" in data]


def test_a_damaged_study_has_no_backup(core, tmp_path):
    part = next((core.root / "objects").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    with pytest.raises(IntegrityError, match="bytes have changed"):
        backup(core, tmp_path / "backups")
    part.unlink()
    with pytest.raises(IntegrityError, match="missing"):
        backup(core, tmp_path / "backups")
    assert places.whole(tmp_path / "backups") == []


def test_where_no_backup_goes(core, tmp_path):
    with pytest.raises(InvalidInput, match="lies in the study"):
        backup(core, core.root / "backups")
    with pytest.raises(InvalidInput, match="is a study"):
        backup(core, tiny.new_study(tmp_path / "other").root)
    with places.held(tmp_path / "backups", core.root), pytest.raises(Busy):
        backup(core, tmp_path / "backups")


def test_a_full_disk_is_said_before_anything_is_copied(core, tmp_path, monkeypatch):
    from tshdb.backup import copying

    monkeypatch.setattr(copying, "SPARE", 1 << 60)
    with pytest.raises(ResourceError, match="MB are needed"):
        backup(core, tmp_path / "backups")
    assert places.whole(tmp_path / "backups") == []


def test_nothing_is_written_over(core, tmp_path):
    backup(core, tmp_path / "backups")
    with pytest.raises(InvalidInput, match="a study lies there"):
        restore(tmp_path / "backups", core.root)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="not empty"):
        restore(tmp_path / "backups", tmp_path / "full")
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "backups", tmp_path / "empty")


def test_what_is_left_out_is_said(core, tmp_path):
    (core.root / "link").symlink_to("/etc/hosts")
    (core.root / "study.backup-20260101T000000000000.db").write_bytes(b"")
    tiny.new_study(core.root / "nested").engine.dispose()
    os.mkfifo(core.root / "pipe")
    (core.root / "notes.txt").write_text("mine")
    (core.root / "trash").mkdir()  # without a mark it is the user's
    (core.root / "trash/mine.txt").write_text("mine")
    made = backup(core, tmp_path / "backups", options=Options(has_raw=False))
    said = {name for names in made.manifest.left_out.values() for name in names}
    assert said == {"link", "nested", "pipe", "raw", "study.backup-20260101T000000000000.db"}
    assert {"notes.txt", "trash/mine.txt"} <= {f.path for f in made.manifest.files}
    assert not any(f.path.startswith("raw/") for f in made.manifest.files)


def test_a_database_and_objects_elsewhere_come_home(core, tmp_path):
    """study.toml of the restored study would else name those of the other one."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    core.engine.dispose()
    os.replace(core.root / "study.db", elsewhere / "mine.db")
    os.replace(core.root / "objects", elsewhere / "objects")
    settings = core.root / "study.toml"
    text = settings.read_text().replace("sqlite:///study.db", f"sqlite:///{elsewhere}/mine.db")
    settings.write_text(text.replace('objects = "objects"', f'objects = "{elsewhere}/objects"'))
    (elsewhere / DATABASE_MARK).touch()
    assert str(elsewhere / "objects") in settings.read_text()
    study = Study(core.root)
    before = tiny.dump(study)
    study.engine.dispose()
    backup(study, tmp_path / "backups")
    done = restore(tmp_path / "backups", tmp_path / "again")
    again = Study(tmp_path / "again")
    assert len(done.settings) == 2 and again.sqlite_path == tmp_path / "again/study.db"
    assert again.objects.root == tmp_path / "again/objects" and tiny.dump(again) == before
    again.engine.dispose()


def test_who_was_withdrawn_since_is_withdrawn_again(study, tmp_path):
    """The patient is in the backup, and nowhere in the restored study; without certificates that is said."""
    from tshdb.actions.withdrawing import withdraw

    backup(study, tmp_path / "backups")
    withdraw(study, "TCGA-TN-0003", "consent withdrawn")
    study.engine.dispose()
    done = restore(tmp_path / "backups", tmp_path / "again", withdrawals=study.root)
    again = Study(tmp_path / "again")
    assert len(done.repeated) == 1 and done.checked.is_whole
    assert "TCGA-TN-0003" not in again.sql("SELECT patient_id FROM patients")["patient_id"].tolist()
    again.engine.dispose()
    assert not [n for n, data in tree(again.root).items() if b"TCGA-TN-0003" in data]
    assert (again.root / KEY_FILE).read_bytes() == (study.root / KEY_FILE).read_bytes()
    later = backup(study, tmp_path / "backups")
    assert read(later.path, BACKUP).withdrawn and later.has_key
    assert restore(later.path, tmp_path / "third", withdrawals=study.root / "withdrawals").repeated == []


def test_certificates_without_the_key_are_refused(study, tmp_path):
    from tshdb.actions.withdrawing import withdraw

    backup(study, tmp_path / "backups")
    withdraw(study, "TCGA-TN-0003", "consent withdrawn")
    shutil.copytree(study.root / "withdrawals", tmp_path / "certificates")
    with pytest.raises(IntegrityError, match="the key that recognises the patients is gone"):
        restore(tmp_path / "backups", tmp_path / "again", withdrawals=tmp_path / "certificates")
    assert not (tmp_path / "again").exists()


def test_a_study_that_is_broken_is_restored_on_request_alone(core, tmp_path):
    core.engine.dispose()
    with sqlite3.connect(core.sqlite_path) as raw:
        raw.execute("UPDATE tsh_ratios SET value = value + 1 WHERE rowid = (SELECT min(rowid) FROM tsh_ratios)")
    raw.close()
    backup(core, tmp_path / "backups")
    with pytest.raises(IntegrityError, match="unit.rows"):
        restore(tmp_path / "backups", tmp_path / "again")
    assert not (tmp_path / "again").exists()
    assert not restore(tmp_path / "backups", tmp_path / "again", is_broken_accepted=True).checked.is_whole


def test_a_copy_of_an_upgrade_has_its_name_only_when_it_is_whole(core, tmp_path):
    """tshdb migrate: killed while it copies, nothing stands under the name of a backup."""
    import migrations

    core.engine.dispose()
    code = "import sys, migrations, pathlib; migrations.backup_sqlite(pathlib.Path(sys.argv[1]))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TSHDB_FAILPOINT": "database.copied"}
    done = subprocess.run([sys.executable, "-c", code, str(core.sqlite_path)], env=environment, capture_output=True)
    assert done.returncode == 137 and not list(core.root.glob("study.backup-*"))
    made = migrations.backup_sqlite(core.sqlite_path)
    with sqlite3.connect(made) as raw:
        assert raw.execute("SELECT count(*) FROM patients").fetchone() == (10,)
    with sqlite3.connect(core.sqlite_path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    damaged = bytearray(core.sqlite_path.read_bytes())
    damaged[4096 * 3 : 4096 * 9] = b"\xff" * (4096 * 6)
    core.sqlite_path.write_bytes(bytes(damaged))
    made.unlink()
    with pytest.raises(IntegrityError):
        migrations.backup_sqlite(core.sqlite_path)
    assert not list(core.root.glob("study.backup-*"))


def test_the_commands_say_so(quick, core, tmp_path):
    facts = json.loads(quick("backup", tmp_path / "backups", "--json", cwd=core.root).stdout)
    assert facts["files"] == facts["copied"] and facts["linked"] == 0
    (seen,) = json.loads(quick("backups", tmp_path / "backups", "--full", "--json").stdout)
    assert seen["state"] == "whole" and seen["n_files"] == facts["files"]
    restored = json.loads(quick("restore", facts["backup"], tmp_path / "again", "--json").stdout)
    assert restored["check"]["is_whole"] and restored["study"] == str(tmp_path / "again")
    path = Path(facts["backup"]) / "study.toml"
    path.write_bytes(path.read_bytes()[:-1] + b"#")  # as many bytes as before
    assert "study.toml" in quick("restore", facts["backup"], tmp_path / "third", code=5).stderr
    assert "study.toml" in quick("backups", tmp_path / "backups", "--full", code=5).stdout
