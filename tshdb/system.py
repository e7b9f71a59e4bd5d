"""What Linux and macOS give and Windows does not: locks of files, limits of a process. The only module that imports them.

It stands alone, without a line of the rest, as the keeper of programs loads it by its path. Without them it refuses at once:
Windows runs the program in WSL.
"""

import math
import os
import select
import sys
from collections.abc import Iterable
from typing import IO

try:
    import fcntl
    import resource
except ModuleNotFoundError as error:
    raise ImportError(
        f"tshdb runs on Linux and macOS; on Windows, install it in WSL (no module '{error.name}' here)"
    ) from None


def open_lock(path: str | os.PathLike[str]) -> IO[str]:
    """A file to lock, made if need be: no link is followed, and nothing but a file is waited for. Raises OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o666), "w")


def try_lock(file, is_shared: bool = False) -> bool:
    """Hold an open file against all other processes until it is closed; False where another holds it.

    is_shared: together with others who hold it so.
    """
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def ready(readers: Iterable[int], seconds: float) -> list[int]:
    """Which of these file descriptors can be read, or have ended, within so many seconds: their numbers may be any (those that
    `select` takes are below 1,024)."""
    watched = select.poll()
    for reader in readers:
        watched.register(reader, select.POLLIN)
    return [reader for reader, _ in watched.poll(math.ceil(max(0.0, seconds) * 1000))]


def wait_for_end(reader: int) -> None:
    """Wait until nobody can write into the pipe of this file descriptor any more; what lies in it is not read."""
    ended = select.poll()
    ended.register(reader, 0)  # the end of the other side is told in any case
    ended.poll()


def forbid_files() -> None:
    """This process writes no more into any file, nor leaves one when it crashes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_cpu(seconds: float) -> None:
    """From now on this process may compute for so long, to the next second; then the system ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    total = _at_most(int(used.ru_utime + used.ru_stime + seconds) + 1, resource.getrlimit(resource.RLIMIT_CPU)[1])
    resource.setrlimit(resource.RLIMIT_CPU, (total, total))


def _at_most(wanted: int, hard: int) -> int:
    """A limit as wanted, or the one that a batch system has set below it, which cannot be raised."""
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def limit_more_memory(n_bytes: int) -> None:
    """This process may map so many bytes beyond what it has mapped: as many in a notebook with large libraries."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    _limit_addresses(_at_most(_mapped() + n_bytes, hard), hard)


def limit_memory(n_bytes: int) -> None:
    """This process, and those that it starts, may map so many bytes each, and never more. Raises ValueError where it has more."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = _at_most(n_bytes, hard)
    _limit_addresses(wanted, wanted)


def _limit_addresses(soft: int, hard: int) -> None:
    """macOS knows the limit and refuses to set it below what it has reserved, hundreds of gigabytes: there it is left out."""
    try:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    except (ValueError, OSError):
        if sys.platform != "darwin":
            raise


def _mapped() -> int:
    """Bytes that this process has mapped; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
