"""A study as one bundle: another machine has the same rows of it, and makes the same bytes; what is hostile is refused."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.study.test_backup import killed_at
from tests.support import tiny
from tshdb.backup.manifest import BUNDLE, NAME, File, Manifest, parsed, read
from tshdb.bundles.export import BUNDLED, CHANGED, GONE, export_study
from tshdb.bundles.importing import BUNDLE_FOLDER, import_study
from tshdb.errors import IntegrityError, InvalidInput
from tshdb.guests import trust
from tshdb.objects import sha256_of
from tshdb.study import Study
from tshdb.verification.comparing import Verdict
from tshdb.verification.verify import verify

KEY = ".withdrawal-key"


@pytest.mark.parametrize("target", ["bundle.zip", "bundle"])
def test_a_bundle_and_back(core, tmp_path, target):
    before = tiny.dump(core)
    core.engine.dispose()
    export_study(core, tmp_path / target)
    shutil.rmtree(core.root)
    done = import_study(tmp_path / target, tmp_path / "there")
    there = Study(tmp_path / "there")
    assert tiny.dump(there) == before and done.checked.is_whole and done.settings == []
    assert list((there.root / BUNDLE_FOLDER / "code").glob("tsh_ratios-*.py"))
    assert json.loads((there.root / BUNDLE_FOLDER / "environment.json").read_text())["runs"]
    there.engine.dispose()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([target, "there"])


def test_its_results_are_made_again_to_the_same_bytes(study, tmp_path):
    """Images and models too; the originals are gone."""
    before = tiny.dump(study)
    study.engine.dispose()
    export_study(study, tmp_path / "bundle.zip")
    shutil.rmtree(study.root)
    done = import_study(tmp_path / "bundle.zip", tmp_path / "there", is_rebuilt=True)
    assert done.rebuilt.differs == () and done.rebuilt.n_same > 200
    there = Study(tmp_path / "there")
    assert tiny.dump(there) == before and tiny.due(there) == {}
    assert verify(there, sample=10).count(Verdict.SAME) == 10
    there.engine.dispose()


def test_a_result_that_differs_here_is_named(core, tmp_path):
    from tests.support.result_faults import plant, value_with_digests

    core.engine.dispose()
    unit = plant(value_with_digests, core.root, 1)
    export_study(core, tmp_path / "bundle.zip")
    done = import_study(tmp_path / "bundle.zip", tmp_path / "there", is_rebuilt=True)
    assert unit in done.rebuilt.differs


def test_images_and_files_from_outside_come_along(study, tmp_path):
    """The database names them where they lie in the imported study, and results are the same."""
    outside = tmp_path / "archive"
    study.engine.dispose()
    os.replace(study.root / "raw", outside)
    with sqlite3.connect(study.sqlite_path) as raw:
        raw.execute(
            f"UPDATE imaging_instances SET path = '{tmp_path}/archive' || substr(path, 4) WHERE path LIKE 'raw/%'"
        )
        raw.execute(f"UPDATE source_files SET path = '{outside}/clinical.tsv' WHERE name = 'clinical.tsv'")
        raw.execute(f"UPDATE source_files SET path = '{outside}/expression.csv' WHERE name = 'expression.csv'")
        raw.execute(f"UPDATE source_files SET path = '{outside}/features.csv' WHERE name = 'features.csv'")
        (n_images,) = raw.execute("SELECT count(DISTINCT path) FROM imaging_instances").fetchone()
    raw.close()
    (outside / "expression.csv").write_text("other bytes")
    (outside / "features.csv").unlink()
    before = tiny.dump(Study(study.root))
    done = export_study(Study(study.root), tmp_path / "bundle.zip")
    states = {s["source"].rpartition("/")[2]: s["state"] for s in done.sources}
    assert (states["clinical.tsv"], states["expression.csv"], states["features.csv"]) == (BUNDLED, CHANGED, GONE)
    assert len(done.manifest.facts["images_bundled"]) == n_images > 0 and done.manifest.facts["images_lost"] == []
    shutil.rmtree(outside)
    import_study(tmp_path / "bundle.zip", tmp_path / "there")
    there = Study(tmp_path / "there")
    paths = there.sql("SELECT DISTINCT path FROM imaging_instances")["path"].tolist()
    assert all(p.startswith(f"{BUNDLE_FOLDER}/sources/") and (there.root / p).is_file() for p in paths)
    units = [v for v in there.sql("SELECT analysis || '/' || key AS u FROM units WHERE analysis = 'prepared_images' "
                                  "AND state = 'current' LIMIT 2")["u"]]  # fmt: skip
    assert verify(there, units).count(Verdict.SAME) == len(units) > 0
    rows = tiny.dump(there)
    assert {t: rows[t] for t in rows if t not in ("imaging_instances", "source_files")} == {
        t: before[t] for t in before if t not in ("imaging_instances", "source_files")
    }
    there.engine.dispose()


def test_the_key_stays_at_home(study, tmp_path):
    """Whoever has it can ask of every name whether it withdrew."""
    from tshdb.actions.withdrawing import withdraw

    withdraw(study, "TCGA-TN-0003", "consent withdrawn")
    tiny.rebuild(study)
    done = export_study(study, tmp_path / "bundle.zip")
    assert any(KEY in names for names in done.manifest.left_out.values())
    there = import_study(tmp_path / "bundle.zip", tmp_path / "there")
    assert not there.has_key and not (tmp_path / "there" / KEY).exists()
    export_study(study, tmp_path / "mine.zip", has_key=True)
    assert import_study(tmp_path / "mine.zip", tmp_path / "mine").has_key
    assert stat.S_IMODE((tmp_path / "mine" / KEY).stat().st_mode) & 0o077 == 0, "for nobody else"


def test_own_code_does_not_run(core, tmp_path):
    folder = core.root / "analyses"
    folder.mkdir()
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    core.engine.dispose()
    export_study(core, tmp_path / "bundle.zip")
    before = trust.trusted()
    done = import_study(tmp_path / "bundle.zip", tmp_path / "there", is_rebuilt=True)
    assert done.untrusted == ("mine.py",) and not (tmp_path / "ran").exists() and trust.trusted() == before


@pytest.mark.parametrize("point", ["backup.object_copied", "bundle.written"])
def test_an_export_that_is_killed_leaves_no_bundle(core, tmp_path, point):
    assert killed_at(core, point, "export", "study", tmp_path / "bundle.zip") == 137
    assert not (tmp_path / "bundle.zip").exists()
    export_study(core, tmp_path / "bundle.zip")
    import_study(tmp_path / "bundle.zip", tmp_path / "there")


def test_a_study_that_reads_from_outside_is_no_bundle(core, tmp_path):
    markers = tmp_path / "markers.csv"
    shutil.copy(core.root / "markers.csv", markers)
    settings = core.root / "study.toml"
    settings.write_text(settings.read_text().replace('"markers.csv"', f'"{markers}"'))
    with pytest.raises(InvalidInput, match="lies outside of the study"):
        export_study(Study(core.root), tmp_path / "bundle.zip")
    assert not (tmp_path / "bundle.zip").exists()


# --------------------------------------------------------------------------------------------------------- hostile ones


@pytest.fixture(scope="module")
def bundle(core_template, tmp_path_factory) -> Path:
    """A bundle as a folder, from which hostile ones are made."""
    folder = tmp_path_factory.mktemp("bundle")
    study = tiny.copy_study(Study(core_template), folder / "study")
    export_study(study, folder / "bundle")
    study.engine.dispose()
    return folder / "bundle"


def packed(
    bundle: Path, target: Path, change=lambda archive: None, manifest: Manifest | None = None, but: str = ""
) -> Path:
    """The bundle as a zip, with another manifest, without one file, or with what `change` adds."""
    said = manifest or read(bundle, BUNDLE)
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(NAME, said.text())
        for file in read(bundle, BUNDLE).files:
            if file.path != but:
                archive.write(bundle / file.path, file.path)
        change(archive)
    return target


def refused(source: Path, tmp_path: Path, kind=IntegrityError) -> str:
    """The refusal of a bundle, of which nothing is left."""
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(kind) as error:
        import_study(source, tmp_path / "there" / "study")
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    return str(error.value)


def with_file(bundle: Path, path: str, data: bytes) -> Manifest:
    """The manifest with one more file, whose digest is right."""
    import hashlib

    said = read(bundle, BUNDLE)
    file = File(path, hashlib.sha256(data).hexdigest(), len(data), 0o644)
    return replace(said, files=tuple(sorted([*said.files, file])))


@pytest.mark.parametrize(
    "path",
    ["../escaped", "/tmp/escaped", "study/../../escaped", "study\\..\\escaped", "C:/escaped", "study//x", "./x", "study/a\nb",
     "x" * 2000,
     "STUDY/study.toml"],
)  # fmt: skip
def test_a_path_that_leads_out_is_refused(bundle, tmp_path, path):
    said = with_file(bundle, path, b"x")
    refused(packed(bundle, tmp_path / "b.zip", lambda a: a.writestr(path, b"x"), said), tmp_path)


def test_links_are_refused(bundle, tmp_path):
    def link(archive):
        info = zipfile.ZipInfo("study/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/hosts")

    said = with_file(bundle, "study/link", b"/etc/hosts")
    assert "no plain file" in refused(packed(bundle, tmp_path / "b.zip", link, said), tmp_path)
    copied = tmp_path / "folder"
    shutil.copytree(bundle, copied)
    (copied / "study/study.toml").unlink()
    (copied / "study/study.toml").symlink_to(bundle / "study/study.toml")
    assert "no plain file" in refused(copied, tmp_path)


def test_what_grows_beyond_what_it_says_is_refused(bundle, tmp_path):
    data = b"\0" * 5_000_000
    said = with_file(bundle, "study/raw/zeros", data)
    bomb = packed(bundle, tmp_path / "b.zip", lambda a: a.writestr("study/raw/zeros", data, zipfile.ZIP_DEFLATED), said)
    assert "packed more than" in refused(bomb, tmp_path)
    stored = packed(bundle, tmp_path / "c.zip", lambda a: a.writestr("study/raw/zeros", data), said)
    import_study(stored, tmp_path / "fine")
    shorter = with_file(bundle, "study/raw/zeros", data[:10])
    assert "5,000,000 bytes, not 10" in refused(
        packed(bundle, tmp_path / "d.zip", lambda a: a.writestr("study/raw/zeros", data), shorter), tmp_path
    )


def test_more_or_fewer_files_than_it_says_are_refused(bundle, tmp_path):
    more = packed(bundle, tmp_path / "b.zip", lambda a: a.writestr("study/more", b"x"))
    assert "study/more" in refused(more, tmp_path)
    assert "study/markers.csv" in refused(packed(bundle, tmp_path / "c.zip", but="study/markers.csv"), tmp_path)
    with pytest.warns(UserWarning):
        twice = packed(bundle, tmp_path / "d.zip", lambda a: a.writestr("study/markers.csv", b"x"))
    assert "twice" in refused(twice, tmp_path)


def test_every_changed_byte_is_refused(bundle, tmp_path):
    """Of a small zip: bytes here and there, also of the zip itself; never a study with other bytes."""
    whole = packed(bundle, tmp_path / "b.zip").read_bytes()
    right = {f.path: f.sha256 for f in read(bundle, BUNDLE).files}
    n_refused = 0
    for at in range(7, len(whole), len(whole) // 40):
        (tmp_path / "b.zip").write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            import_study(tmp_path / "b.zip", tmp_path / "there")
        except (IntegrityError, InvalidInput):
            n_refused += 1
        else:  # a byte of the zip that says nothing of a file's content, such as a date
            assert sha256_of(tmp_path / "there/markers.csv") == right["study/markers.csv"]
            shutil.rmtree(tmp_path / "there")
    assert n_refused > 30


def test_other_bytes_in_a_sound_zip_are_refused(bundle, tmp_path):
    """As many bytes, with a sum of the zip's that fits them: only the manifest's digest tells."""
    name = "study/markers.csv"
    other = (bundle / name).read_bytes()[:-1] + b"#"
    source = packed(bundle, tmp_path / "b.zip", lambda archive: archive.writestr(name, other), but=name)
    assert "its bytes have changed" in refused(source, tmp_path)


def test_a_truncated_zip_and_what_is_none_are_refused(bundle, tmp_path):
    whole = packed(bundle, tmp_path / "b.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(whole[: len(whole) // 2])
    assert "not a whole zip" in refused(tmp_path / "b.zip", tmp_path)
    (tmp_path / "c.zip").write_text("no zip")
    refused(tmp_path / "c.zip", tmp_path)
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    (tmp_path / "d.zip").write_bytes(buffer.getvalue())
    assert NAME in refused(tmp_path / "d.zip", tmp_path)


def edited(bundle: Path, target: Path, path: str, data: bytes) -> Path:
    """The bundle as a folder with one file edited, and a manifest that says so."""
    shutil.copytree(bundle, target)
    (target / path).write_bytes(data)
    said = read(bundle, BUNDLE)
    files = [
        File(f.path, sha256_of(target / f.path), (target / f.path).stat().st_size, f.mode) if f.path == path else f
        for f in said.files
    ]
    (target / NAME).write_text(replace(said, files=tuple(files)).text())
    return target


@pytest.mark.parametrize(
    "line",
    [
        'markers = "/etc/passwd"',
        'markers = "../../secret.csv"',
        'markers = "~/secret.csv"',
        'markers = "a/../../b.csv"',
    ],
)
def test_settings_that_lead_out_are_refused(bundle, tmp_path, line):
    text = (bundle / "study/study.toml").read_text()
    assert 'markers = "markers.csv"' in text
    hostile = edited(bundle, tmp_path / "b", "study/study.toml", text.replace('markers = "markers.csv"', line).encode())
    assert "lies outside of the study" in refused(hostile, tmp_path, InvalidInput)


def test_a_database_elsewhere_is_not_touched(bundle, tmp_path):
    victim = tmp_path / "victim.db"
    shutil.copy(bundle / "study/study.db", victim)
    before = victim.read_bytes()
    text = (bundle / "study/study.toml").read_text().replace("sqlite:///study.db", f"sqlite:///{victim}")
    assert str(victim) in text
    done = import_study(edited(bundle, tmp_path / "b", "study/study.toml", text.encode()), tmp_path / "there")
    assert len(done.settings) == 1 and victim.read_bytes() == before
    assert Study(tmp_path / "there").sqlite_path == tmp_path / "there/study.db"


@pytest.mark.parametrize(
    "sql",
    ["CREATE TRIGGER mine AFTER DELETE ON leases BEGIN UPDATE patients SET sex = 'male'; END",
     "CREATE VIEW patients_too AS SELECT * FROM patients", "CREATE VIRTUAL TABLE words USING fts5(word)",
     "CREATE TRIGGER watch_units_x AFTER INSERT ON units BEGIN UPDATE table_versions SET version = 1; END",
     "DROP TRIGGER watch_units_insert; CREATE TRIGGER watch_units_insert AFTER INSERT ON units BEGIN UPDATE table_versions "
     "SET version = random() WHERE table_name = 'patients'; END"],
)  # fmt: skip
def test_statements_that_the_database_would_run_are_refused(bundle, tmp_path, sql):
    database = tmp_path / "hostile.db"
    shutil.copy(bundle / "study/study.db", database)
    with sqlite3.connect(database) as raw:
        raw.executescript(sql)
    raw.close()
    hostile = edited(bundle, tmp_path / "b", "study/study.db", database.read_bytes())
    assert "none of ours" in refused(hostile, tmp_path)
    no_database = edited(bundle, tmp_path / "c", "study/study.db", b"no database at all" * 1000)
    assert "no database of a study" in refused(no_database, tmp_path)


def test_a_backup_is_no_bundle(core, tmp_path):
    from tshdb.backup.make import backup
    from tshdb.backup.restore import restore

    made = backup(core, tmp_path / "backups")
    with pytest.raises(InvalidInput, match="is a backup"):
        import_study(made.path, tmp_path / "there")
    export_study(core, tmp_path / "bundle")
    with pytest.raises(InvalidInput, match="is a bundle"):
        restore(tmp_path / "bundle", tmp_path / "there")


def test_a_manifest_is_not_believed(bundle):
    said = read(bundle, BUNDLE)
    with pytest.raises(IntegrityError):
        parsed(said.text().replace('"format": 1', '"format": 2').encode(), "x", BUNDLE)
    with pytest.raises(IntegrityError, match="twice"):
        again = replace(said.files[0], path=said.files[0].path.upper())
        parsed(replace(said, files=(*said.files, again)).text().encode(), "x", BUNDLE)
    with pytest.raises(IntegrityError, match="leads out"):
        parsed(replace(said, database="../study.db").text().encode(), "x", BUNDLE)


def test_the_commands_say_so(quick, core, tmp_path):
    facts = json.loads(quick("export", "study", tmp_path / "b.zip", "--json", cwd=core.root).stdout)
    assert facts["files"] > 10 and facts["bundle"].endswith("b.zip")
    said = json.loads(quick("import", "study", tmp_path / "b.zip", tmp_path / "there", "--rebuild", "--json").stdout)
    assert said["rebuilt"]["differs"] == [] and said["rebuilt"]["same"] > 40
    assert "is there already" in quick("export", "study", tmp_path / "b.zip", cwd=core.root, code=7).stderr
    assert "a study lies there" in quick("import", "study", tmp_path / "b.zip", tmp_path / "there", code=7).stderr
