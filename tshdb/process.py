"""Who and what is running: the user, and this process told from a later one with the same number."""

import getpass
import os
from pathlib import Path


def actor() -> str:
    """Who runs the command, as the operating system says."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


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
