"""Who and what is running: the user, the libraries, and this process told from a later one with the same number."""

import getpass
import importlib.metadata
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any


def actor() -> str:
    """Who runs the command, as the operating system says."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def library_version(name: str) -> str:
    """The version of an installed library, or that it is not: extras may be left out."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def n_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


HOST_PIDS = 0xEFFFFFFC  # the number that Linux gives to the numbering of processes of the machine itself


def machine() -> str:
    """Where processes can be told apart by their numbers: the host's name, and in a container also its own numbering of
    processes. Two containers may bear one name, and each has a process 7."""
    try:
        numbering = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return socket.gethostname()
    return socket.gethostname() if numbering == HOST_PIDS else f"{socket.gethostname()}/{numbering}"


def identity() -> str:
    """This process: its id and its start time."""
    pid = os.getpid()
    return f"{pid}:{_start_time(pid)}"


def is_alive(process: str) -> bool:
    """Whether the process of that identity is still running on this machine."""
    pid, _, started = process.partition(":")
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not started or _start_time(int(pid)) in ("", started)


def _start_time(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def in_child(function: Callable[[], Any]) -> Any:
    """What the function gives, computed in a forked child; it must be JSON.

    For reading a SQLite database as a file: closing it in a process that has it open as a database would drop that
    process's locks on it. Raises RuntimeError when the child fails.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            with os.fdopen(writer, "w", encoding="utf-8") as file:
                json.dump(function(), file)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        text = file.read()
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError("a child process failed")
    return json.loads(text)
