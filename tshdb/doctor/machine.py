"""Processors, memory, disks, the folders that must be writable, the clock."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tshdb.doctor.line import Line, ok, problem, warning
from tshdb.engine.compute import POOLS
from tshdb.places import user_data

LITTLE, LEAST = 2_000_000_000, 200_000_000  # bytes free
NETWORKS = ("nfs", "cifs", "smb", "afs", "9p", "sshfs", "lustre", "gpfs", "beegfs", "ceph", "gluster", "davfs", "fuse.")
OLDEST = 1_735_689_600.0  # the first second of 2025: this program is younger
SKEW_SECONDS = 2.0


def processors() -> Iterator[Line]:
    """How many there are for this process, and who says how many threads libraries use."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    said = {name: os.environ[name] for name in POOLS if name in os.environ}
    words = f"; {', '.join(f'{n}={v}' for n, v in said.items())}" if said else ""
    yield ok(
        "processors",
        f"{here} of {os.cpu_count()} for this process{words}. Analyses compute on one each: rebuild --jobs",
    )
    memory = _memory()
    if memory is not None:
        line = warning(
            "memory", f"{memory / 1e9:.1f} GB are available", "End other programs, or rebuild with fewer --jobs"
        )
        yield line if memory < 2e9 else ok("memory", f"{memory / 1e9:.1f} GB are available")


def _memory() -> int | None:
    """Bytes that are available; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return None


def disks(root: Path | None) -> Iterator[Line]:
    """Free space and kind of file system, where the study, temporary files, caches and this user's data lie."""
    for what, folder in _folders(root).items():
        place = _there(folder)
        free, kind = shutil.disk_usage(place).free, file_system(place)
        words = f"{free / 1e9:,.1f} GB free at {place}" + (f" ({kind})" if kind else "")
        repair = (
            "Free some disk space" if what != "temporary files" else "Free some disk space, or name another: TMPDIR"
        )
        if free < LEAST:
            yield problem(f"disk of {what}", words, repair)
        elif free < LITTLE:
            yield warning(f"disk of {what}", words, repair)
        elif what == "the study" and kind.startswith(NETWORKS):
            yield warning(
                f"disk of {what}", f"{words}: a network file system, on which SQLite's locks may not hold",
                "Keep the study on a disk of this machine, or its database on PostgreSQL",
            )  # fmt: skip
        else:
            yield ok(f"disk of {what}", words)


def _folders(root: Path | None) -> dict[str, Path]:
    folders = {"the study": root} if root is not None else {}
    return folders | {"temporary files": Path(tempfile.gettempdir())}


def writable(root: Path | None) -> Iterator[Line]:
    """Folders that are written to: the study's, that of temporary files, the caches of libraries, this user's data."""
    folders = _folders(root) | _caches()
    try:
        folders["this user's data"] = user_data()
    except RuntimeError as error:
        yield problem("this user's data", str(error), "Name a folder: TSHDB_HOME=FOLDER")
    for what, folder in folders.items():
        place = _there(folder)
        is_cache = what.startswith("cache")
        if os.access(place, os.W_OK | os.X_OK):
            yield ok(what, f"{folder} can be written")
        elif is_cache:
            yield warning(
                what,
                f"{place} cannot be written: every start makes it anew",
                f"Name another: {_variable(what)}",
            )
        elif what == "the study":
            yield warning(what, f"{place} cannot be written: it can be read", "Ask whom it belongs to, or copy it")
        else:
            yield problem(what, f"{place} cannot be written", "Change its rights, or name another: TMPDIR, TSHDB_HOME")


def _caches() -> dict[str, Path]:
    """Where Numba and Matplotlib keep what takes long to make."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    caches = {"cache of Matplotlib": Path(os.environ.get("MPLCONFIGDIR") or home / "matplotlib")}
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        caches["cache of Numba"] = Path(named)
    else:
        beside = Path(__file__).resolve().parents[2] / "analyses" / "signature" / "__pycache__"
        caches["cache of Numba"] = beside if os.access(_there(beside), os.W_OK) else Path.home() / ".cache" / "numba"
    return caches


def _variable(what: str) -> str:
    return "NUMBA_CACHE_DIR=FOLDER" if "Numba" in what else "MPLCONFIGDIR=FOLDER"


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


def file_system(folder: Path) -> str:
    """The kind of file system that a folder is on, as the system names it; empty where it does not say."""
    best, kind = "", ""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return ""
    place = str(folder.resolve())
    for line in lines:
        _, mount, name, *_ = line.split(" ")
        mount = mount.replace("\\040", " ")
        if (place == mount or place.startswith(mount.rstrip("/") + "/")) and len(mount) >= len(best):
            best, kind = mount, name
    return kind


def clock(root: Path | None) -> Iterator[Line]:
    """The clock against this program's own age, and against that of the study's disk."""
    now = time.time()
    said = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < OLDEST:
        yield problem("clock", f"it says {said}, before this program was made", "Set the clock")
        return
    skew = _skew(root) if root is not None and os.access(root, os.W_OK) else 0.0
    if abs(skew) > SKEW_SECONDS:
        yield warning(
            "clock", f"the disk of the study is {skew:+.0f} s off", "Set both clocks by the same server (NTP)"
        )
    else:
        yield ok("clock", said)


def _skew(root: Path) -> float:
    """By how many seconds a file that is written now to the study's disk is older or younger than now."""
    with tempfile.NamedTemporaryFile(prefix=".writing-doctor-", dir=root) as file:
        return os.stat(file.name).st_mtime - time.time()
