"""docs/reliability.md: every trial that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

from soak import PARTS
from tests.support.program import ROOT

PAGE = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")


def test_every_trial_that_is_named_is_there():
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and line.count(" | ") >= 2]
    trials = [row for row in rows if "`tests/" in row[1] or "`test_" in row[1]]
    assert len(trials) > 20
    for row in trials:
        folder = Path()
        for path, test in re.findall(r"`((?:tests/)?[\w/]+(?:\.py)?)(?:::(\w+))?`", row[1]):
            if path.startswith("tests/"):
                folder = Path(path).parent
                assert (ROOT / path).exists(), path
                assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), test
            elif path.endswith(".py"):
                assert (ROOT / folder / path).exists(), path
            else:
                assert any(
                    f"def {path}(" in p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("test_*.py")
                ), path
        for part in re.findall(r"`(\w+)`", row[2]):
            assert part in PARTS, part
