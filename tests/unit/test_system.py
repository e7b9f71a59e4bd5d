"""What Windows lacks is imported in one module, which refuses in one line where it is missing, and which limits what it says."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest

from tests.support.program import ROOT
from tshdb.errors import Exit
from tshdb.system import ready, try_lock

PACKAGES = ("tshdb", "ingest", "analyses", "migrations", "cli")
OF_UNIX = {"fcntl", "grp", "pwd", "resource", "termios"}


def imported(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


def run(program: str, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *options, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_one_module_imports_them():
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(files) > 300
    with_them = {str(p.relative_to(ROOT)) for p in files if imported(p.read_text(encoding="utf-8")) & OF_UNIX}
    assert with_them == {"tshdb/system.py"}


@pytest.mark.parametrize("module", ["fcntl", "resource"])
def test_without_them_the_program_says_where_it_runs(module):
    done = run(f"import sys; sys.modules['{module}'] = None; from tshdb.start import main; main()")
    assert done.returncode == Exit.RESOURCE and done.stdout == ""
    assert done.stderr == (
        f"tshdb: tshdb runs on Linux and macOS; on Windows, install it in WSL (no module '{module}' here)\n"
    )


def test_a_file_is_held_once(tmp_path):
    with (tmp_path / "lock").open("w") as first, (tmp_path / "lock").open("w") as second:
        assert try_lock(first) and not try_lock(second)
        first.close()
        assert try_lock(second)


@pytest.mark.parametrize(
    ("limit", "then", "code", "said"),
    [
        ("limit_memory(1 << 29)", "b = bytearray(1 << 29)", 1, "MemoryError"),
        ("limit_memory(1 << 29)", "b = bytearray(1 << 20)", 0, ""),
        ("limit_more_memory(1 << 27)", "b = bytearray(1 << 27)", 1, "MemoryError"),
        ("limit_more_memory(1 << 27)", "b = bytearray(1 << 20)", 0, ""),
        ("forbid_files()", "print(1, file=open('/dev/null', 'w'))", 0, ""),
        ("forbid_files()", "open('written', 'wb', 0).write(b'a')", 1, "File too large"),
        ("limit_cpu(1)", "while True: pass", -9, ""),
    ],
)  # fmt: skip
def test_limits_hold(tmp_path, limit, then, code, said):
    done = run(f"import os; from tshdb import system; os.chdir({str(tmp_path)!r}); system.{limit}\n{then}")
    assert done.returncode == code and said in done.stderr, done.stderr


def test_it_stands_alone():
    """As the keeper loads it: without the rest of the program, and without what else is installed."""
    program = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("system", {str(ROOT / "tshdb/system.py")!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.limit_memory(1 << 30)
print([m for m in sys.modules if m.startswith("tshdb")])"""
    assert run(program, "-I", "-S").stdout == "[]\n"


def test_what_can_be_read_is_seen_at_any_number_of_open_files():
    """A notebook, or a server, may have more than 1,024 files open, beyond which select() refuses."""
    if os.sysconf("SC_OPEN_MAX") < 2_000:
        pytest.skip("no more than 2,000 files may be open here")
    read, write = os.pipe()
    far = os.dup2(read, 1_500)
    try:
        assert ready([far], 0.01) == []
        os.write(write, b"a word")
        assert ready([far, read], 5.0) == [far, read]
        assert os.read(far, 100) == b"a word"
        os.close(write)
        assert ready([far], 5.0) == [far]  # the end can be read as well
    finally:
        os.close(far)
        os.close(read)
