"""Images of IDC and TCIA from servers that misbehave: whole series of verified bytes or none, nothing twice, sizes first."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import zipfile

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.download import DownloadError, Patience
from ingest.imaging import archive
from ingest.imaging.archive import Selection, read_manifest
from ingest.imaging.idc import Idc
from ingest.imaging.nbia import HASHES, Nbia
from ingest.simulate.subjects import Role, SimulationSettings, subject
from tests.support.fault_server import FAULTS, NbiaServer, S3Server, running
from tshdb.errors import InvalidInput, NotFound

QUICK = Patience(attempts=6, wait=0.0, longest=0.05, slow_seconds=0.5, timeout=httpx.Timeout(1.0, read=0.4))
ALL = Selection(frozenset({"MR", "SEG"}))


def series_rows() -> list[dict]:
    """Two patients of ISPY1 with three studies, as the index lists them; slides of another study are not wanted."""
    rows = []
    for patient, study, date, modality, n in (
        ("ISPY1_1001", "1.2.1", "1985-01-01", "MR", 3), ("ISPY1_1001", "1.2.1", "1985-01-01", "SEG", 1),
        ("ISPY1_1001", "1.2.2", "1985-03-01", "MR", 2), ("ISPY1_1002", "1.2.3", "1986-01-01", "MR", 4),
        ("ISPY1_1002", "1.2.4", "1986-01-02", "SEG", 1),
    ):  # fmt: skip
        uid = f"{study}.{len(rows) + 1}"
        rows.append({"PatientID": patient, "StudyInstanceUID": study, "SeriesInstanceUID": uid, "StudyDate": date,
                     "Modality": modality, "SeriesDescription": f"series {uid}", "n": n})  # fmt: skip
    return rows


def bytes_of(row: dict, i: int) -> bytes:
    return random.Random(f"{row['SeriesInstanceUID']}/{i}").randbytes(1_500 + 300 * i)


def uuid_of(row: dict) -> str:
    return f"uuid-{row['SeriesInstanceUID'].replace('.', '-')}"


class Collection:
    """The same series as an index with a bucket, and as TCIA's service."""

    def __init__(self, root):
        self.rows, self.root = series_rows(), root
        self.bucket = S3Server(
            {f"{uuid_of(r)}/{i:02d}.dcm": bytes_of(r, i) for r in self.rows for i in range(r["n"])}
        )  # fmt: skip
        self.service = NbiaServer(
            [{k: v for k, v in r.items() if k != "n"} | {"Collection": "ISPY1", "ImageCount": r["n"],
              "FileSize": self.size(r), "MaxSubmissionTimestamp": "2016-01-01"} for r in self.rows],
            {r["SeriesInstanceUID"]: zip_of({f"{i:08d}.dcm": bytes_of(r, i) for i in range(r["n"])}) for r in self.rows},
        )  # fmt: skip

    def size(self, row: dict) -> int:
        return sum(len(bytes_of(row, i)) for i in range(row["n"]))

    def index(self, **changed):
        """The IDC's table, with another collection in it. changed: revision of a series by its UID's last number."""
        rows = [
            {"collection_id": "ispy1", "instanceCount": r["n"], "series_size_MB": self.size(r) / 1e6,
             "series_revised_idc_version": changed.get(f"r{i}", 1), "aws_bucket": "bucket", "crdc_series_uuid": uuid_of(r)}
            | {k: v for k, v in r.items() if k != "n"}
            for i, r in enumerate(self.rows, 1)
        ]  # fmt: skip
        rows.append(rows[0] | {"collection_id": "other", "SeriesInstanceUID": "9.9"})
        path = self.root / "idc_index.parquet"
        pq.write_table(
            pa.Table.from_pylist(rows).replace_schema_metadata({"idc_index_data_version": "25.0.5-0-g1"}), path
        )
        return path

    def open(self, kind: str, url: str):
        if kind == "idc":
            return Idc("ispy1", "ispy1", self.index(), url, QUICK)
        return Nbia("ispy1", "ISPY1", url, QUICK)

    def server(self, kind: str):
        return self.bucket if kind == "idc" else self.service

    def check(self, folder, but: int = 0) -> None:
        """Every series with its mark is whole and right, byte for byte; `but` so many are missing."""
        whole = 0
        for r in self.rows:
            place = folder / r["PatientID"] / r["StudyInstanceUID"] / f"{r['Modality']}_{r['SeriesInstanceUID']}"
            for path in place.glob("*.dcm"):
                assert path.read_bytes() == bytes_of(r, int(path.stem))
            if (place / archive.COMPLETE).exists():
                assert len(list(place.glob("*.dcm"))) == r["n"]
                whole += 1
        assert whole == 4 - but  # the SEG of a study without MR is not wanted


def zip_of(files: dict[str, bytes], hashes: dict[str, str] | None = None, with_list: bool = True) -> bytes:
    buffer, text = io.BytesIO(), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["Filename", "MD5Hash"])
    for name, data in files.items():
        writer.writerow([name, (hashes or {}).get(name) or hashlib.md5(data, usedforsecurity=False).hexdigest()])
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
        made.writestr("LICENSE", "CC BY 3.0")
        if with_list:
            made.writestr(HASHES, text.getvalue())
    return buffer.getvalue()


@pytest.fixture
def collection(tmp_path):
    return Collection(tmp_path)


def fetched(opened, folder, selection: Selection = ALL):
    """(plan, failures) of one whole download."""
    try:
        plan = archive.plan(opened, folder, selection)
        return plan, list(archive.fetch(opened, plan, 3))
    finally:
        opened.http.close()


@pytest.mark.parametrize("kind", ["idc", "nbia"])
def test_everything_with_its_size_first_and_then_only_what_is_new(collection, tmp_path, kind):
    server, folder = collection.server(kind), tmp_path / "images"
    with running(server) as url:
        plan, failed = fetched(collection.open(kind, url), folder)
        assert not failed and (len(plan.missing), plan.n_patients, plan.n_studies, plan.n_files) == (4, 2, 3, 10)
        assert plan.n_bytes == sum(collection.size(r) for r in collection.rows[:4])
        collection.check(folder)
        assert not [p for p in folder.rglob("*") if "partial" in p.name or "zip" in p.name]
        server.log.clear()
        plan, _ = fetched(collection.open(kind, url), folder)
        assert not plan.missing and plan.n_present == 4
        assert [path for _, path, _ in server.log if "getSeries" not in path] == []
        victim = next(folder.rglob("01.dcm" if kind == "idc" else "00000001.dcm"))
        victim.unlink()
        plan, _ = fetched(collection.open(kind, url), folder)
        assert len(plan.missing) == 1
        collection.check(folder)


def test_a_revised_series_is_fetched_again_and_its_old_files_go(collection, tmp_path):
    with running(collection.bucket) as url:
        fetched(collection.open("idc", url), tmp_path / "images")
        key = f"{uuid_of(collection.rows[0])}/02.dcm"
        collection.bucket.objects[f"{uuid_of(collection.rows[0])}/07.dcm"] = collection.bucket.objects.pop(key)
        index = collection.index(r1=26)
        plan, failed = fetched(Idc("ispy1", "ispy1", index, url, QUICK), tmp_path / "images")
        assert not failed and [s.series_uid for s in plan.missing] == ["1.2.1.1"]
    assert sorted(p.name for p in (tmp_path / "images/ISPY1_1001/1.2.1/MR_1.2.1.1").glob("*.dcm")) == [
        "00.dcm", "01.dcm", "07.dcm",
    ]  # fmt: skip


def test_lists_of_several_pages_and_objects_without_md5(collection, tmp_path):
    collection.bucket.part, collection.bucket.has_md5 = 2, False
    with running(collection.bucket) as url:
        _, failed = fetched(collection.open("idc", url), tmp_path / "images")
    assert not failed
    collection.check(tmp_path / "images")
    marks = [json.loads(p.read_text())["verified"] for p in (tmp_path / "images").rglob(archive.COMPLETE)]
    assert marks == ["size"] * 4


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["idc", "nbia"])
def test_one_fault_then_well(collection, tmp_path, kind, fault):
    row = collection.rows[0]
    path = (
        f"/{uuid_of(row)}/01.dcm"
        if kind == "idc"
        else f"/getImageWithMD5Hash?SeriesInstanceUID={row['SeriesInstanceUID']}"
    )
    server, folder = collection.server(kind), tmp_path / "images"
    server.faults[path] = [fault] * (2 if fault.endswith("twice") else 1)
    with running(server) as url:
        _, failed = fetched(collection.open(kind, url), folder)
        if fault.startswith("redirect"):
            assert len(failed) == 1 and "another scheme" in str(failed[0][1])
            collection.check(folder, but=1)
            _, failed = fetched(collection.open(kind, url), folder)  # the next run goes on
    assert not failed
    collection.check(folder)


@pytest.mark.parametrize("seed", range(8))
def test_random_faults_never_leave_a_wrong_byte(collection, tmp_path, seed):
    """Sequences of faults on every file, and runs until all is there."""
    chance = random.Random(f"images/{seed}")
    kind = ("idc", "nbia")[seed % 2]
    server, folder = collection.server(kind), tmp_path / "images"
    usual = [f for f in FAULTS if f not in ("drip", "stall")]
    with running(server) as url:
        for _ in range(12):
            for row in collection.rows[:4]:
                uid = row["SeriesInstanceUID"]
                paths = ([f"/{uuid_of(row)}/{i:02d}.dcm" for i in range(row["n"])] if kind == "idc"
                         else [f"/getImageWithMD5Hash?SeriesInstanceUID={uid}"])  # fmt: skip
                for path in paths:
                    server.faults[path] = chance.choices(usual, k=chance.choice([0, 0, 1, 2, 7]))
            plan, failed = fetched(collection.open(kind, url), folder)
            collection.check(folder, but=len(failed))
            if not failed:
                break
        server.faults.clear()
        _, failed = fetched(collection.open(kind, url), folder)
    assert not failed
    collection.check(folder)


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (
            zip_of({"00000000.dcm": b"a", "00000001.dcm": b"b", "00000002.dcm": b"c"}, with_list=False),
            "no md5hashes.csv",
        ),
        (zip_of({"00000000.dcm": b"a", "00000001.dcm": b"b"}, {"00000001.dcm": "0" * 32}), "the archive says 000"),
        (zip_of({"../00000000.dcm": b"a"}), "no file name"),
        (zip_of({"/etc/00000000.dcm": b"a"}), "no file name"),
        (zip_of({f"{i:08d}.dcm": b"a" for i in range(40)}), "holds 42 files"),
        (zip_of({"00000000.dcm": bytes_of(series_rows()[0], 0)}), "1 files came; the archive's list says 3"),
        (b"PK\x03\x04 not a zip", "damaged"),
    ],
    ids=["no list", "other digest", "parent", "root", "too many", "too few", "damaged"],  # a zip's bytes hold the time
)
def test_a_zip_that_is_not_the_series_is_refused(collection, tmp_path, packed, words):
    collection.service.zips["1.2.1.1"] = packed
    with running(collection.service) as url:
        _, failed = fetched(collection.open("nbia", url), tmp_path / "images")
    assert len(failed) == 1 and words in str(failed[0][1])
    collection.check(tmp_path / "images", but=1)
    assert not (tmp_path / "00000000.dcm").exists() and not list((tmp_path / "images").rglob("*.zip"))


def test_an_archive_that_is_away_is_not_asked_for_every_series(collection, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "GIVE_UP", 2)
    _, failed = fetched(collection.open("idc", "http://127.0.0.1:9"), tmp_path / "images")
    words = [str(error) for _, error in failed]
    assert len(words) == 4 and all("no answer" in w for w in words[:2])
    assert all("not tried after 2 failures" in w for w in words[2:])


def test_what_is_selected(collection, tmp_path):
    opened = Idc("ispy1", "ispy1", collection.index(), "http://nowhere", QUICK)

    def uids(**asked):
        return [s.series_uid for s in Selection(frozenset({"MR"}), **asked).of(opened.series())]

    assert uids() == ["1.2.1.1", "1.2.2.3", "1.2.3.4"]
    assert uids(is_first_study=True) == ["1.2.1.1", "1.2.3.4"]
    assert uids(patients=frozenset({"ISPY1_1002"})) == ["1.2.3.4"]
    assert uids(series=frozenset({"1.2.2.3"})) == ["1.2.2.3"]
    with pytest.raises(NotFound, match="no patient ISPY1_7"):
        archive.plan(opened, tmp_path, Selection(frozenset({"MR"}), frozenset({"ISPY1_7"})))
    with pytest.raises(NotFound, match="none of its 5 series"):
        archive.plan(opened, tmp_path, Selection(frozenset({"CT"})))
    assert opened.release().name == "IDC v25"


def test_names_that_lead_elsewhere_are_refused(collection, tmp_path):
    rows = series_rows()
    for row, key, value in ((rows[0], "PatientID", "../x"), (rows[2], "SeriesInstanceUID", "1/2")):
        listed = Nbia("ispy1", "ISPY1", "http://nowhere", QUICK)
        listed._listed = [row | {key: value}]
        with pytest.raises(DownloadError, match="is no"):
            archive.plan(listed, tmp_path, ALL)


def test_a_manifest_of_tcia(tmp_path):
    path = tmp_path / "m.tcia"
    path.write_text("downloadServerUrl=https://x\nincludeAnnotation=true\n\nnoOfrRetry=4\nmanifestVersion=3.0\n"
                    "ListOfSeriesToDownload=\n1.2.1.1\n\n1.2.3.4\n")  # fmt: skip
    assert read_manifest(path) == {"1.2.1.1", "1.2.3.4"}
    path.write_text("ListOfSeriesToDownload=\nSeries ID\n1.2.1.1\n1.2.x\n")
    with pytest.raises(InvalidInput, match=r"m.tcia:4"):
        read_manifest(path)
    path.write_text("1.2.1.1\n")
    with pytest.raises(InvalidInput, match="no line ListOfSeriesToDownload"):
        read_manifest(path)


def test_a_published_manifest_with_its_stray_line(shared):
    found = read_manifest(shared / "dicom/sample_manifest_NBIA-TCIA.tcia")
    assert len(found) == 225  # grep -c '^[0-9][0-9.]*$'


# ------------------------------------------------------------------------------------------------- as commands


@pytest.fixture
def published(tmp_path):
    """Simulated examinations of ISPY1 as a bucket with its index."""
    from ingest.simulate.examinations import write_images

    settings = SimulationSettings(seed=4, voxel_mm=5.0, slice_mm=9.0, n_visits=2)
    root = tmp_path / "made"
    for number in range(2):
        write_images(subject(settings, Role.ISPY1, number), settings, root)
    objects, rows = {}, []
    import pydicom

    for n, folder in enumerate(sorted({p.parent for p in root.rglob("*.dcm")})):
        files = sorted(folder.glob("*.dcm"))
        header = pydicom.dcmread(files[0], stop_before_pixels=True)
        for path in files:
            objects[f"u{n:03d}/{path.name}"] = path.read_bytes()
        rows.append(
            {"collection_id": "ispy1", "PatientID": header.PatientID, "StudyInstanceUID": header.StudyInstanceUID,
             "SeriesInstanceUID": header.SeriesInstanceUID, "Modality": header.Modality, "StudyDate": header.StudyDate,
             "SeriesDescription": header.SeriesDescription, "instanceCount": len(files), "aws_bucket": "b",
             "series_size_MB": sum(p.stat().st_size for p in files) / 1e6, "series_revised_idc_version": 1,
             "crdc_series_uuid": f"u{n:03d}"}
        )  # fmt: skip
    index = tmp_path / "index.parquet"
    version = {"idc_index_data_version": "26.1.0"}
    pq.write_table(pa.Table.from_pylist(rows).replace_schema_metadata(version), index)
    return S3Server(objects), index


def test_the_images_of_a_collection_are_planned_fetched_and_ingested(published, empty_study, quick, monkeypatch):
    server, index = published
    with running(server) as url:
        command = ("ingest", "ispy1", "--only", "imaging,segmentation", "--source-url", url, "--index", index)
        plan = json.loads(quick(*command, "--dry-run", "--json", cwd=empty_study.root).stdout)["imaging"]
        assert (plan["patients"], plan["studies"], plan["present"]) == (2, 4, 0)
        assert plan["files"] == len(server.objects) and plan["bytes"] == sum(map(len, server.objects.values()))
        assert not (empty_study.root / "raw").exists() and not server.log
        monkeypatch.setattr("tshdb.actions.archive.ASK_ABOVE", 1_000)
        assert "are to be fetched" in quick(*command, cwd=empty_study.root, code=2).stderr and not server.log
        said = quick(*command, "--first-study", "--yes", cwd=empty_study.root)
        assert "2 patients (2 studies) to fetch" in said.stderr
        counts = empty_study.sql("SELECT count(DISTINCT patient_id) AS p, count(*) AS n FROM imaging_studies")
        assert counts.values.tolist() == [[2, 2]]
        again = json.loads(quick(*command, "--yes", "--json", cwd=empty_study.root).stdout)["imaging"]
        assert again["tables"]["imaging_studies"]["inserted"] == 2
        assert again["tables"]["imaging_studies"].get("updated") == 0
    releases = empty_study.sql("SELECT DISTINCT archive, release FROM source_releases").values.tolist()
    assert releases == [["idc", "IDC v26"]]
    assert len(empty_study.sql("SELECT * FROM segmentations")) == 8


def test_without_an_index_or_a_network_the_way_out_is_named(empty_study, quick, tmp_path):
    missing = tmp_path / "none.parquet"
    said = quick("ingest", "ispy1", "--only", "imaging", "--index", missing, cwd=empty_study.root, code=8).stderr
    assert "tshdb[idc]" in said and "--source nbia" in said
    url = "http://127.0.0.1:9"
    said = quick("ingest", "ispy1", "--only", "imaging", "--source", "nbia", "--source-url", url, cwd=empty_study.root,
                 code=6).stderr  # fmt: skip
    assert "no answer" in said and "--from" in said
    assert (
        "'ftp'" in quick("ingest", "ispy1", "--only", "imaging", "--source", "ftp", cwd=empty_study.root, code=2).stderr
    )
    assert "--only" in quick("ingest", "ispy1", "--only", "rna", cwd=empty_study.root, code=2).stderr
