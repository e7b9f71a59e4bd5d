"""No worker outlives its parent, however it went; a pool that is stopped does not wait for what it computes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.program import ROOT
from tshdb.errors import ResourceError
from tshdb.pool import pool_of

PARENT = """
import os, signal, sys, time
from pathlib import Path
from tshdb.pool import make_pool, pool_of
from tests.engine.test_pool import busy
class Stop(BaseException): pass
def stop(*_): raise Stop
signal.signal(signal.SIGTERM, stop)
if __name__ == "__main__":
    try:
        with pool_of(2, sys.argv[1]) as pool:
            for future in [pool.submit(busy, sys.argv[2]) for _ in range(4)]:
                future.result()
    except Stop:
        sys.exit(143)
"""


def busy(folder: str) -> None:
    """Compute until the end of the world, and say who does."""
    (Path(folder) / str(os.getpid())).touch()
    while True:
        sum(range(10_000))


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_work(folder: Path, n: int) -> list[int]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if len(found := [int(p.name) for p in folder.iterdir()]) >= n:
            return found
        time.sleep(0.02)
    raise AssertionError("the workers did not begin")


def are_gone(pids: list[int], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_its_parent(method, number, tmp_path):
    script, folder = tmp_path / "parent.py", tmp_path / "at-work"
    script.write_text(PARENT)
    folder.mkdir()
    parent = subprocess.Popen([sys.executable, script, method, folder], env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        workers = at_work(folder, 2)
        parent.send_signal(number)
        assert parent.wait(20) == (143 if number == signal.SIGTERM else -signal.SIGKILL)
        assert are_gone(workers)
    finally:
        parent.kill()


def test_a_worker_that_was_killed_is_one_line():
    with pytest.raises(ResourceError, match="--jobs 1"), pool_of(1, "spawn") as pool:
        pool.submit(die, 0).result()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_script_that_starts_itself_again_is_told_how_to_begin(method, tmp_path):
    script = tmp_path / "mine.py"
    start = f"with pool_of(1, {method!r}) as pool: print(pool.submit(abs, -4).result())"
    script.write_text(f"from tshdb.pool import pool_of\n{start}\n")
    run = {"capture_output": True, "text": True, "cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    found = subprocess.run([sys.executable, script.name], **run)
    assert f"{script}: a worker imports the script" in found.stderr and "Put what it does below" in found.stderr
    assert "memory" not in found.stderr.splitlines()[-1]
    script.write_text(f"from tshdb.pool import pool_of\nif __name__ == '__main__':\n    {start}\n")
    assert subprocess.run([sys.executable, script.name], **run).stdout == "4\n"


HUNG_UP = """
import gc, os, signal, time
from tshdb.pool import kill, make_pool
class Stop(BaseException): pass
def stop(*_): raise Stop
if __name__ == "__main__":
    signal.signal(signal.SIGHUP, stop)
    pool = make_pool(1, METHOD)
    assert pool.submit(abs, -4).result() == 4
    try:
        os.killpg(0, signal.SIGHUP)
        time.sleep(5)
    except Stop:
        time.sleep(0.5)
        kill(pool)
        del pool
        gc.collect()
        print("done")
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_terminal_that_is_closed_leaves_no_traceback(method, tmp_path):
    """Of what is not ours: the library's own process would die of it, and its next one know none of its semaphores."""
    (tmp_path / "hung.py").write_text(HUNG_UP.replace("METHOD", repr(method)))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "hung.py"], cwd=tmp_path, env=environment, capture_output=True, text=True,
                           start_new_session=True)  # fmt: skip
    assert (found.stdout, found.stderr) == ("done\n", "")
