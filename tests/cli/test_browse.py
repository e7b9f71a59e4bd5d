"""tshdb browse: Datasette on a snapshot, with what every table and column means."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.support.program import ROOT

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


def test_the_study_in_a_browser(server, study, tmp_path):
    url, process = server
    home = httpx.get(url).text
    assert f"Study {study.name}" in home and "read-only snapshot" in home
    page = httpx.get(f"{url}study/tsh_ratios").text
    assert "One row is the tumour-stroma heterogeneity" in page and "no unit: 0 is equal abundance" in page
    rows = httpx.get(f"{url}study/patients.json?_shape=array&_size=max").json()
    assert {r["patient_id"] for r in rows} == set(study.sql("FROM patients")["patient_id"])
    study.engine.dispose()
    tables = httpx.get(f"{url}study.json").json()["tables"]
    assert {t["name"] for t in tables if not t["hidden"]} >= {"cox_terms", "cohort_flow"}
    for statement in ("DELETE FROM patients", "ATTACH '/tmp/x' AS x", "PRAGMA writable_schema = 1"):
        answer = httpx.get(f"{url}study.json", params={"sql": statement})
        assert answer.status_code == 400, statement
    assert httpx.get(f"{url}study.db").status_code in (403, 404), "the snapshot cannot be taken away as a file"
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert not list(Path(tmp_path).glob("tshdb-browse-*")), "the snapshot is gone"
    with pytest.raises(httpx.TransportError):
        httpx.get(url, timeout=2)
