"""docs/security.md: each threat names tests, and they are there."""

from __future__ import annotations

import re

from tests.support.program import ROOT

PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")


def test_every_threat_has_a_test_that_is_there():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| threat", "|---"))]
    assert len(rows) > 15
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", row)
        assert named, row
        for path, test in named:
            text = (ROOT / path).read_text(encoding="utf-8")
            assert "\ndef test" in text and (not test or f"def {test}(" in text), (path, test)
