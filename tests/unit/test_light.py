"""A test that needs no study waits for none: what it imports is light."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.program import ROOT

HEAVY = ("pandas", "scipy", "sklearn", "lifelines", "matplotlib", "duckdb", "sqlalchemy", "pydicom", "analyses", "cli")


@pytest.mark.parametrize("modules", ["tests.conftest", "tests.unit.test_canonical", "tests.unit.test_code"])
def test_what_is_pure_imports_nothing_heavy(modules):
    program = f"import json, sys, {modules}; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
