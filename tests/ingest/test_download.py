"""Downloads from a server that misbehaves: a final name only ever holds verified bytes, and nothing is fetched twice."""

from __future__ import annotations

import random
import ssl

import httpx
import pytest
import trustme

from ingest import download
from ingest.download import DownloadError, Patience
from ingest.gdc import api as gdc_api
from tests.support.fault_server import FAULTS, GdcServer, running
from tests.support.gdc_folder import GdcFolder

QUICK = Patience(attempts=6, wait=0.0, longest=0.05, slow_seconds=0.5, timeout=httpx.Timeout(1.0, read=0.4))
BOTH = frozenset({"clinical", "rna"})


@pytest.fixture
def server():
    return GdcServer(GdcFolder.make(3))


def fetched(server: GdcServer, url: str, root, patience: Patience = QUICK):
    """(plan, failures) of one whole download."""
    api = gdc_api.Gdc(root, url, patience)
    try:
        plan = api.plan("TCGA-BRCA", BOTH)
        return plan, api.fetch(plan, 3, lambda wanted, size: None, lambda wanted: None)
    finally:
        api.close()


def check_folder(server: GdcServer, root, but: int = 0) -> None:
    """Every file under its final name is the archive's, byte for byte; `but` so many are missing."""
    present = 0
    for file in server.folder.files:
        path = root / file.file_id / file.file_name
        if path.exists():
            present += 1
            assert path.read_bytes() == file.text().encode()
    assert present == len(server.folder.files) - but


def test_everything_and_then_only_what_is_new(server, tmp_path):
    with running(server) as url:
        plan, failed = fetched(server, url, tmp_path)
        assert not failed and len(plan.missing) == 6 and plan.is_new_release
        check_folder(server, tmp_path)
        assert not list(tmp_path.rglob("*.partial"))
        server.log.clear()
        plan, _ = fetched(server, url, tmp_path)
        assert not plan.missing and plan.n_present == 6
        assert server.log == [("GET", "/status", None)]  # the release is known: one question
        server.release = "Data Release 46.0"
        server.folder.add(7)
        server.folder.seal()
        server.log.clear()
        plan, failed = fetched(server, url, tmp_path)
        assert not failed and len(plan.missing) == 2 and plan.is_new_release
        assert sum(path.startswith("/data/") for _, path, _ in server.log) == 2
        check_folder(server, tmp_path)


def test_pages(server, tmp_path):
    server.page_size = 2
    with running(server) as url:
        _, failed = fetched(server, url, tmp_path)
    assert not failed
    check_folder(server, tmp_path)
    assert sum(path == "/files" for _, path, _ in server.log) == 4  # three pages of files, one of Biotabs


@pytest.mark.parametrize("fault", ["total-moves", "empty-page"])
def test_pages_that_change_underneath(server, tmp_path, fault):
    server.page_size = 2
    server.faults["/files"] = [fault]
    with running(server) as url:
        if fault == "empty-page":
            with pytest.raises(DownloadError, match="then an empty page"):
                fetched(server, url, tmp_path)
            server.faults.clear()
        _, failed = fetched(server, url, tmp_path)
    assert not failed
    check_folder(server, tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("seed", range(3))
def test_one_fault_then_well(server, tmp_path, fault, seed):
    file = server.folder.files[seed]
    server.faults[f"/data/{file.file_id}"] = [fault] * (2 if fault.endswith("twice") else 1)
    if fault in ("no-range", "wrong-range"):  # these only show when something has arrived already
        partial = tmp_path / file.file_id / f"{file.file_name}.partial"
        partial.parent.mkdir(parents=True)
        partial.write_bytes(file.text().encode()[:200])
    with running(server) as url:
        _, failed = fetched(server, url, tmp_path)
        if fault.startswith("redirect"):
            assert len(failed) == 1 and "another scheme" in str(failed[0][1])
            check_folder(server, tmp_path, but=1)
            _, failed = fetched(server, url, tmp_path)  # the next run goes on
    assert not failed
    check_folder(server, tmp_path)


def test_a_cut_file_is_resumed_where_it_broke(server, tmp_path):
    file = server.folder.files[0]
    server.faults[f"/data/{file.file_id}"] = ["cut", "cut"]
    with running(server) as url:
        _, failed = fetched(server, url, tmp_path)
    asked = [header for _, path, header in server.log if path == f"/data/{file.file_id}"]
    assert not failed and asked[0] is None
    starts = [int(h.removeprefix("bytes=").rstrip("-")) for h in asked[1:]]
    assert len(starts) == 2 and 0 < starts[0] < starts[1]
    check_folder(server, tmp_path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda hit: hit.update(md5sum="0" * 32), "md5"),
        (lambda hit: hit.update(file_size=hit["file_size"] + 7), "bytes"),
    ],
)
def test_what_the_archive_says_wrongly_is_never_believed(server, tmp_path, spoil, words):
    hits = server.folder.file_hits()
    spoil(hits[0])
    server.folder.file_hits = lambda: hits
    with running(server) as url:
        _, failed = fetched(server, url, tmp_path)
    assert len(failed) == 1 and words in str(failed[0][1])
    check_folder(server, tmp_path, but=1)


def test_a_file_without_md5_is_fetched_whole(server, tmp_path):
    hits = server.folder.file_hits()
    for hit in hits:
        del hit["md5sum"]
    server.folder.file_hits = lambda: hits
    file = server.folder.files[0]
    server.faults[f"/data/{file.file_id}"] = ["cut"]
    with running(server) as url:
        _, failed = fetched(server, url, tmp_path)
    assert not failed and all(header is None for _, _, header in server.log)
    check_folder(server, tmp_path)


@pytest.mark.parametrize(
    "name", ["../evil.tsv", "/etc/evil", "a/b", "..", "", "x" * 300, "evil\x00", "C:evil", "~root"]
)
@pytest.mark.parametrize("field", ["file_name", "file_id"])
def test_names_that_lead_out_of_the_folder_are_refused(server, tmp_path, name, field):
    hits = server.folder.file_hits()
    hits[0][field] = name
    server.folder.file_hits = lambda: hits
    with running(server) as url, pytest.raises(DownloadError, match="is no file name"):
        fetched(server, url, tmp_path / "inside")
    assert {p.name for p in tmp_path.iterdir()} <= {"inside"}


def test_random_fault_sequences(server, tmp_path):
    """Many sequences of faults: whatever happens, no wrong byte gets a final name, and a last quiet run completes."""
    harmless = [f for f in FAULTS if f not in ("stall", "drip")]
    for seed in range(25):
        chance = random.Random(seed)
        root = tmp_path / str(seed)
        server.faults = {
            f"/data/{f.file_id}": [chance.choice(harmless) for _ in range(chance.randint(0, 9))]
            for f in server.folder.files
        }
        with running(server) as url:
            fetched(server, url, root)
            for file in server.folder.files:
                path = root / file.file_id / file.file_name
                assert not path.exists() or path.read_bytes() == file.text().encode()
            server.faults = {}
            _, failed = fetched(server, url, root)
        assert not failed
        check_folder(server, root)


# ------------------------------------------------------------------------------------------------------------- TLS


def _tls(authority: trustme.CA, name: str, **options) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **options).configure_cert(context)
    return context


@pytest.mark.parametrize("kind", ["good", "unknown authority", "other host", "expired"])
def test_certificates(server, tmp_path, kind):
    from datetime import datetime

    authority = trustme.CA()
    trusted = ssl.create_default_context()
    (trustme.CA() if kind == "unknown authority" else authority).configure_trust(trusted)
    name = "example.org" if kind == "other host" else "127.0.0.1"
    options = {"not_after": datetime(2020, 1, 1), "not_before": datetime(2019, 1, 1)} if kind == "expired" else {}
    with running(server, _tls(authority, name, **options)) as url:
        api = gdc_api.Gdc(tmp_path, url, QUICK, download.client(QUICK, verify=trusted))
        if kind == "good":
            assert api.status()["status"] == "OK"
        else:
            with pytest.raises(DownloadError, match="CERTIFICATE"):
                api.status()
        api.close()


# ----------------------------------------------------------------------------------------------------- the command


def test_the_command_downloads_loads_and_then_asks_only_for_news(server, tmp_path, quick, empty_study):
    with running(server) as url:
        command = ("ingest", "tcga-brca", "--gdc-url", url)
        plan = quick(*command, "--dry-run", cwd=empty_study.root).stderr
        assert "Data Release 45.0" in plan and "6 files to fetch" in plan and "nothing was fetched" in plan
        assert not list((empty_study.root / "raw" / "tcga-brca").glob("*/*.tsv"))
        said = quick(*command, cwd=empty_study.root).stderr
        assert "Loaded tcga-brca" in said
        assert empty_study.sql("SELECT count(*) AS n FROM expression_profiles WHERE is_selected")["n"].tolist() == [6]
        assert empty_study.sql("SELECT release FROM source_releases")["release"].tolist() == [server.release]
        aliquots = set(empty_study.sql("SELECT aliquot_id FROM expression_profiles")["aliquot_id"])
        assert aliquots == {f.aliquot for f in server.folder.files}
        server.log.clear()
        again = quick(*command, cwd=empty_study.root).stderr
        assert "0 files to fetch" in again and "nothing to load" in again
        assert server.log == [("GET", "/status", None)]


def test_without_a_network_one_line_names_from(tmp_path, quick, empty_study):
    said = quick("ingest", "tcga-brca", "--gdc-url", "http://127.0.0.1:9", cwd=empty_study.root, code=6).stderr
    assert len(said.strip().splitlines()) == 1 and "--from" in said


def test_a_login_page_is_no_api(server, tmp_path):
    server.faults["/status"] = ["login-page"]
    with running(server) as url, pytest.raises(DownloadError, match="no JSON"):
        gdc_api.Gdc(tmp_path, url, QUICK).status()


def test_proxies_of_the_environment_are_used(server, tmp_path, monkeypatch):
    """An HTTP proxy is asked for the whole address: our server sees it as the path."""
    with running(server) as url:
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.setenv("NO_PROXY", "")
        with pytest.raises(DownloadError):
            gdc_api.Gdc(tmp_path, "http://gdc.invalid", QUICK).status()
    assert ("GET", "http://gdc.invalid/status", None) in server.log
