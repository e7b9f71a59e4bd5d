"""tshdb browse: Datasette on a snapshot, with what every table and column means."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.program import ROOT, run_quick

pytest.importorskip("datasette", reason="datasette is not installed: pip install 'tshdb[browse]'")


@pytest.fixture
def server(study, tmp_path):
    """The URL of a running `tshdb browse`, and its process."""
    study.engine.dispose()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "cli.main", "browse", "--port", "0", "--study", str(study.root)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    url = process.stdout.readline().strip()
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(url, timeout=5)
            break
        except httpx.TransportError:
            assert time.monotonic() < deadline and process.poll() is None, process.stderr.read()
            time.sleep(0.2)
    yield url, process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def visitor(address: str) -> httpx.Client:
    """A browser that has opened the address which was printed: from then on it has the cookie."""
    browser = httpx.Client(follow_redirects=True, timeout=30)
    first = browser.get(address)
    assert first.status_code == 200 and "token" not in str(first.url)
    return browser


def test_the_study_in_a_browser(server, study, tmp_path):
    address, process = server
    browser, url = visitor(address), address.partition("?")[0]
    home = browser.get(url).text
    assert f"Study {study.name}" in home and "read-only snapshot" in home
    page = browser.get(f"{url}study/tsh_ratios").text
    assert "One row is the tumour-stroma heterogeneity" in page and "no unit: 0 is equal abundance" in page
    rows = browser.get(f"{url}study/patients.json?_shape=array&_size=max").json()
    assert {r["patient_id"] for r in rows} == set(study.sql("FROM patients")["patient_id"])
    study.engine.dispose()
    tables = browser.get(f"{url}study.json").json()["tables"]
    assert {t["name"] for t in tables if not t["hidden"]} >= {"cox_terms", "cohort_flow"}
    for statement in ("DELETE FROM patients", "ATTACH '/tmp/x' AS x", "PRAGMA writable_schema = 1"):
        answer = browser.get(f"{url}study.json", params={"sql": statement})
        assert answer.status_code == 400, statement
    assert browser.get(f"{url}study.db").status_code in (403, 404), "the snapshot cannot be taken away as a file"
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert not list(Path(tmp_path).glob("tshdb-browse-*")), "the snapshot is gone"
    with pytest.raises(httpx.TransportError):
        httpx.get(url, timeout=2)


def test_only_who_began_it_is_answered(server):
    address, _ = server
    url, token = address.split("?token=")
    port = url.rsplit(":")[-1].strip("/")
    for headers in ({}, {"cookie": f"tshdb_{port}=guess"}, {"cookie": "=;=;"}, {"authorization": token}):
        for path in ("", "study.json", "-/static/app.css", "?token=guess", "study.json?sql=select+1"):
            answer = httpx.get(url + path, headers=headers)
            assert answer.status_code == 403 and "patients" not in answer.text
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1:{int(port) + 1}", "127.0.0.1", ""):
        assert httpx.get(address, headers={"host": host}).status_code in (400, 421), "by another name (DNS rebinding)"
    own = visitor(address)
    page = own.get(f"{url}study/patients")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff" and "access-control-allow-origin" not in page.headers
    assert own.get(f"{url}study/patients.json?_shape=array&token={token}&_size=1").json()


def test_no_query_stops_the_others(server):
    """What takes long is ended, or refused at once; meanwhile others are answered."""
    address, _ = server
    own, url = visitor(address), address.partition("?")[0]
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(own.get, f"{url}study.json", params={"sql": endless}) for _ in range(3)]
        time.sleep(0.5)
        assert own.get(f"{url}study.json", params={"sql": "SELECT 1"}).json()["ok"]
        assert not all(answer.done() for answer in slow)
        for padding in ("printf('%.*c', 2000000000, 'x')", "format('%2000000000d', 1)", "hex(zeroblob(900000000))"):
            assert own.get(f"{url}study.json", params={"sql": f"SELECT {padding}"}).status_code == 400
        assert all(answer.result().status_code == 400 for answer in slow)


def test_it_ends_with_its_parent_and_leaves_nothing(server, tmp_path):
    address, process = server
    assert list(tmp_path.glob("tshdb-browse-*"))
    process.kill()
    process.wait()
    until = time.monotonic() + 20
    while list(tmp_path.glob("tshdb-browse-*")):
        assert time.monotonic() < until, "the snapshot stays"
        time.sleep(0.1)
    with pytest.raises(httpx.TransportError):
        httpx.get(address, timeout=2)


def test_a_port_that_is_taken(study):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ended = run_quick("browse", "--port", other.getsockname()[1], "--study", study.root, code=6)
    assert "--port 0" in ended.stderr
