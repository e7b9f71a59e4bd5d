"""Whoever rebuilds a hundred times in one process keeps nothing open of it. 500 times: `make soak PART=resources`."""

from __future__ import annotations

import os

import pytest

from tests.support.cycles import cycles, growth, held


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="looks at /proc")
def test_nothing_grows_with_rebuilds(core, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    seen = list(cycles(core, temporary, 5))
    assert growth(seen, 1) == {}
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(3)]  # what a leak would look like
    assert growth([*seen, held(temporary)], 1) == {"files": 3}
    for each in files:
        os.close(each)
