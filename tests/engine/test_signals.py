"""The terminal of a rebuild with workers closes: exit code, words, nobody left, and its run can be gone on with."""

from __future__ import annotations

import signal
import sys

import pytest

from tests.support import tiny
from tests.support.signalled import trial


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at groups of processes")
def test_a_rebuild_with_workers_that_is_hung_up_on(core, archive):
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 77.25)
    tiny.ingest(core, archive, images=False)
    assert trial(core, signal.SIGHUP, 0.3, is_twice=False) == []
