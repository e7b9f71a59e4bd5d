"""Size and time of writing prove nothing: another file under them is read, and what was not read is not called the same."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest

import migrations
from ingest.gdc import folder as gdc_folder
from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from ingest.simulate.dicom_files import SAGITTAL, Geometry
from tests.support.gdc_folder import GdcFolder
from tshdb import file_identity, loading
from tshdb.actions import imaging
from tshdb.actions.ingest import clinical
from tshdb.errors import Busy
from tshdb.file_identity import FileIdentity, identity_before_reading
from tshdb.study import Study

OPTIONS = gdc_folder.GdcFolderOptions("tcga-brca", "TCGA-BRCA")


def corrected(path: Path, content: bytes, in_place: bool = False) -> None:
    """Other bytes of the same size and time of writing, as `cp -p`, `rsync -t` and `tar` leave them."""
    stat = path.stat()
    assert len(content) == stat.st_size and content != path.read_bytes()
    target = path if in_place else path.with_name(f"{path.name}.partial")
    target.write_bytes(content)
    os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.replace(target, path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)


@pytest.mark.parametrize("in_place", [False, True])
def test_another_file_of_the_same_size_and_time_is_another(tmp_path, in_place):
    path = tmp_path / "a.tsv"
    path.write_bytes(b"gene\t1\n")
    before = identity_before_reading(path)
    assert before.is_of(path) and not before.was_written(path)
    corrected(path, b"gene\t2\n", in_place)
    assert not before.is_of(path)


@pytest.mark.parametrize("unknown", FileIdentity._fields)
def test_what_is_not_known_proves_nothing(tmp_path, unknown):
    path = tmp_path / "a.tsv"
    path.write_bytes(b"gene\t1\n")
    assert not identity_before_reading(path)._replace(**{unknown: None}).is_of(path)


def test_a_file_that_was_written_just_now_may_be_written_again_within_the_same_tick(tmp_path, monkeypatch):
    path = tmp_path / "a.tsv"
    path.write_bytes(b"gene\t1\n")
    now = path.stat().st_ctime_ns
    waited = []
    monkeypatch.setattr(file_identity.time, "sleep", waited.append)
    monkeypatch.setattr(file_identity.time, "time_ns", lambda: now + 1_000_000)
    assert identity_before_reading(path).ctime_ns is None, "the wait did not help: its clock is another"
    assert waited == [pytest.approx(0.049)]
    monkeypatch.setattr(file_identity.time, "time_ns", lambda: now - 5_000_000_000)
    assert identity_before_reading(path).ctime_ns is None and len(waited) == 1, (
        "written in the future: by another clock"
    )


def gdc(study: Study, root: Path, options=OPTIONS) -> loading.Loaded:
    contents = gdc_folder.look(root, options)
    items = gdc_folder.items(contents, options, loading.current_files(study, "tcga-brca"))
    return loading.load(study, items, command="test", findings=contents.findings, together=True)


@pytest.fixture
def rna(tmp_path) -> Path:
    """A folder of the GDC without a manifest, which would tell by the MD5."""
    folder = GdcFolder.make(2)
    folder.write(tmp_path / "gdc")
    (tmp_path / "gdc" / "gdc_manifest.txt").unlink()
    return tmp_path / "gdc"


def star_files(root: Path) -> list[Path]:
    return sorted(root.rglob("*star_gene_counts.tsv"))


def one(study: Study, sql: str):
    return study.sql(sql).iloc[0, 0]


def test_a_corrected_rna_file_is_taken(empty_study, rna):
    gdc(empty_study, rna)
    values = "SELECT sum(value) FROM expression"
    before = one(empty_study, values)
    again = gdc(empty_study, rna)
    assert again.is_same_bytes and again.n_unread == len(star_files(rna)) == 4
    path = star_files(rna)[0]
    lines = path.read_text().splitlines(keepends=True)
    row = next(i for i, line in enumerate(lines) if line.startswith("ENSG") and line.split("\t")[6][0] in "123")
    fields = lines[row].split("\t")
    fields[6] = "9" + fields[6][1:]
    lines[row] = "\t".join(fields)
    corrected(path, "".join(lines).encode())
    loaded = gdc(empty_study, rna)
    assert (loaded.n_files - loaded.n_same_bytes, loaded.n_unread) == (1, 3)
    assert one(empty_study, values) != before


def test_a_restored_copy_is_read_once_and_changes_nothing(empty_study, rna, tmp_path, monkeypatch):
    gdc(empty_study, rna)
    shutil.copytree(rna, tmp_path / "backup")
    shutil.rmtree(rna)
    shutil.copytree(tmp_path / "backup", rna)
    loaded = gdc(empty_study, rna)
    assert loaded.is_same_bytes and loaded.n_unread == 0 and loaded.run_id is None
    read, true_read = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or true_read(path))
    assert gdc(empty_study, rna).n_unread == 4
    assert not [name for name in read if "star_gene_counts" in name], "a stat each, and no byte"
    assert one(empty_study, "SELECT count(*) FROM ingest_runs") == 1


def paths_of(study: Study) -> list[str]:
    return sorted(study.sql("SELECT path FROM source_files WHERE is_current")["path"])


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree], ids=["moved", "copied, and the former one removed"])
def test_a_folder_that_moved_is_read_once_and_known_where_it_is(empty_study, rna, tmp_path, move):
    gdc(empty_study, rna)
    before = paths_of(empty_study)
    there = tmp_path / "archive" / "of 2026"
    there.parent.mkdir()
    move(str(rna), str(there))
    shutil.rmtree(rna, ignore_errors=True)
    assert gdc(empty_study, there).n_unread == 0
    again = gdc(empty_study, there)
    assert again.is_same_bytes and again.n_unread == len(star_files(there)) == 4
    moved = [str(there / Path(path).relative_to(rna)) for path in before]
    assert paths_of(empty_study) == sorted(moved), "tables of the folder, too: a repair reads them again"
    assert one(empty_study, "SELECT count(*) FROM ingest_runs") == 1


def test_a_copy_beside_a_folder_does_not_take_its_place(empty_study, rna, tmp_path):
    gdc(empty_study, rna)
    before = paths_of(empty_study)
    shutil.copytree(rna, tmp_path / "copy")
    assert gdc(empty_study, tmp_path / "copy").is_same_bytes
    assert paths_of(empty_study) == before
    assert gdc(empty_study, rna).n_unread == 4


def test_a_table_that_moved_is_known_where_it_is(empty_study, tmp_path):
    path, there = tmp_path / "table.csv", tmp_path / "moved.csv"
    path.write_text("id,age\nPATIENT_A,50\n")
    (tmp_path / "map.toml").write_text('[patient_id]\ncolumn = "id"\n[patients.age_years]\ncolumn = "age"\n')
    clinical(empty_study, path, "mine", map=tmp_path / "map.toml")
    (tmp_path / "there").mkdir()
    there = path.rename(tmp_path / "there" / path.name)
    clinical(empty_study, there, "mine", map=tmp_path / "map.toml")
    assert paths_of(empty_study) == [str(there)]


def test_images_that_moved_are_read_once_and_known_where_they_are(empty_study, images, tmp_path):
    imaging.dicom(empty_study, images, "sim", jobs=1)
    there = images.rename(tmp_path / "moved")
    assert imaging.dicom(empty_study, there, "sim", jobs=1).n_unread == 0
    again = imaging.dicom(empty_study, there, "sim", jobs=1)
    assert again.n_unread == again.n_files
    assert one(empty_study, "SELECT count(*) FROM imaging_instances WHERE path LIKE '%/moved/%'") == 9


def test_bytes_are_checked_where_it_is_asked_for(empty_study, rna):
    gdc(empty_study, rna)
    options = gdc_folder.GdcFolderOptions("tcga-brca", "TCGA-BRCA", check_bytes=True)
    loaded = gdc(empty_study, rna, options)
    assert loaded.is_same_bytes and loaded.n_unread == 0


@pytest.fixture
def images(tmp_path) -> Path:
    volumes = [np.full((3, 6, 6), 100 + 50 * p, np.uint16) for p in range(3)]
    examination = SimulatedExamination("SIM-0001", "T0", volumes, Geometry(orientation=SAGITTAL))
    write_examination(examination, LAYOUTS["ge content time"][0], tmp_path / "images")
    return tmp_path / "images"


def test_corrected_images_are_taken_and_the_words_are_true(empty_study, images, quick):
    def ingest(*options: str) -> str:
        words = ("ingest", "dicom", images, "--collection", "sim", "--jobs", "1", *options)
        done = quick(*words, cwd=empty_study.root)
        return done.stdout + done.stderr

    ingest()
    said = ingest()
    assert "not written since they were read (--check-bytes reads them all the same), nothing to load" in said
    assert "the same bytes" not in said
    digests = "SELECT group_concat(sha256) FROM (SELECT sha256 FROM imaging_instances ORDER BY sop_uid)"
    before = one(empty_study, digests)
    path = sorted(images.rglob("*.dcm"))[0]
    dataset = pydicom.dcmread(path)
    dataset.PixelData = (dataset.pixel_array // 2).astype(dataset.pixel_array.dtype).tobytes()
    dataset.save_as(path.with_suffix(".new"))
    corrected(path, path.with_suffix(".new").read_bytes())
    assert "1 updated, 8 unchanged" in ingest()
    assert one(empty_study, digests) != before
    assert "9 unchanged" in ingest("--check-bytes"), "all of them are read"


def versions_of(engine) -> dict[str, tuple]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT table_name, version, written FROM table_versions")
        return {name: (version, written) for name, version, written in rows}


def test_files_of_an_older_study_are_read_once_more(empty_study, images, quick):
    imaging.dicom(empty_study, images, "sim", jobs=1)
    migrations.downgrade(empty_study.engine, "0014")
    before = versions_of(empty_study.engine)
    empty_study.engine.dispose()
    quick("migrate", cwd=empty_study.root)
    empty_study = Study(empty_study.root)
    now = versions_of(empty_study.engine)
    assert now["imaging_instances"][0] != before["imaging_instances"][0], "what `sql` keeps of it lacks the columns"
    assert [version == written for version, written in (before["imaging_instances"], now["imaging_instances"])] == [
        True, True,
    ], "nobody else has written it"  # fmt: skip
    n_known = "SELECT count(*) FROM imaging_instances WHERE ctime_ns IS NOT NULL AND inode IS NOT NULL"
    assert one(empty_study, n_known) == 0
    loaded = imaging.dicom(empty_study, images, "sim", jobs=1)
    assert loaded.n_unread == 0 and not any(loaded.n(kind) for kind in ("inserted", "deleted"))
    assert one(empty_study, n_known) == 9
    assert imaging.dicom(empty_study, images, "sim", jobs=1).n_unread == loaded.n_files


def test_a_file_that_is_written_while_it_is_read_is_refused(empty_study, tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text("id,age\nPATIENT_A,50\n")
    (tmp_path / "map.toml").write_text('[patient_id]\ncolumn = "id"\n[patients.age_years]\ncolumn = "age"\n')
    true_digest = loading.sources.whole_digest

    def then_written(read: Path, *beside: object) -> str:
        digest = true_digest(read, *beside)
        with path.open("r+b") as file:  # in its place: who reads meanwhile never finds it empty
            file.write(b"id,age\nPATIENT_A,51\n")
        return digest

    monkeypatch.setattr(loading.sources, "whole_digest", then_written)
    with pytest.raises(Busy, match=r"table\.csv: the file was written while it was read"):
        clinical(empty_study, path, "mine", map=tmp_path / "map.toml")
