"""The process between a program and whoever asked for it: it starts the program, and ends it and all that came of it.

    python -I -S keeper.py ORDER          ORDER is JSON: command, environment, folder, memory, status (a descriptor),
                                          and system, the path of tshdb/system.py

It waits for one line on its input, so that the folder may be filled first, and then starts the command. When its input ends,
since it was closed or since whoever held it died, however that was, it kills the command with all its children, takes the
folder away and ends. It writes `exit N`, `signal N` or `missing TEXT` when the command ends, and keeps the folder until then.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def main() -> None:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):  # the end of its input says that it is over
        signal.signal(number, signal.SIG_IGN)
    order = json.loads(sys.argv[1])
    _prctl(PR_SET_CHILD_SUBREAPER, 1)  # whose parent ends becomes a child of this process
    try:
        if os.read(0, 1):
            _run(order)
            while os.read(0, 4096):
                pass
    finally:
        shutil.rmtree(order["folder"], ignore_errors=True)


def _run(order: dict) -> None:
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    failed, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _become(order, tell)
        finally:
            os._exit(127)
    os.close(tell)
    with os.fdopen(failed) as pipe:
        missing = pipe.read()
    said = None
    while said is None:
        ready, _, _ = select.select([0, woken], [], [])
        if 0 in ready:
            break
        os.read(woken, 4096)
        said = _ended(child)
    _end_all(child)
    text = f"missing {missing}" if missing else said
    if text is not None:
        os.write(order["status"], text.encode())
    os.close(order["status"])


def _become(order: dict, tell: int) -> None:
    """In the child: a session of its own, its limits, its folder, and then the command."""
    try:
        os.setsid()
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        if order["memory"] is not None:
            _system(order["system"]).limit_memory(order["memory"])
        os.chdir(order["folder"])
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        os.close(order["status"])
        os.execvpe(order["command"][0], order["command"], order["environment"])
    except (OSError, ValueError) as error:
        os.write(tell, (getattr(error, "strerror", None) or str(error)).encode())


def _ended(child: int) -> str | None:
    """How the child ended, if it did; other children that ended are taken off on the way."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return "signal 9"
        if pid == 0:
            return None
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return f"exit {code}" if code >= 0 else f"signal {-code}"


def _end_all(child: int) -> None:
    """Kill the session of the child, and whatever else became a child of this process."""
    while True:
        for pid in {-child, *_children()}:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    me = os.getpid()
    try:
        with open(f"/proc/{me}/task/{me}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


def _system(path: str):
    """tshdb.system, which stands alone as well."""
    loader = SourceFileLoader("system", path)
    module = ModuleType(loader.name)
    loader.exec_module(module)
    return module


def _prctl(option: int, value: int) -> None:
    """Of Linux; elsewhere the end of the input must do."""
    try:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (AttributeError, OSError):
        pass


if __name__ == "__main__":
    main()
