"""The text of every module as it was when it was imported: what is recorded is what ran.

Python reads a module's file once, and whoever asks later for its source gets the file as it is then. It also takes
compiled code from a cache that it trusts by the second and the size of the file, so that an edit of the same length
within a second goes unseen. Here a finder stands before Python's own, for this program's packages: it reads the text
once, runs exactly that text, and keeps it. `inspect` and tracebacks show it too.

Compiled code is used only when it is provably of the text: it bears the text's hash (as that which is written here
does), or it passes Python's own check and the file was last changed before it was written.

Nothing but the standard library is imported: this comes before everything else.
"""

from __future__ import annotations

import _imp
import importlib
import io
import linecache
import marshal
import os
import sys
import threading
import time
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source, decode_source, source_hash
from pathlib import Path
from types import CodeType, ModuleType

HASHED, CHECKED = 0b01, 0b10  # the flags of a .pyc file (PEP 552)
MARGIN_NS = 50_000_000  # the kernel's clocks are this exact, with room to spare

_packages = {"tshdb", "analyses"}
_texts: dict[str, tuple[str, bytes]] = {}  # module -> its file, and what was read of it
_begun: dict[str, CodeType] = {}  # modules that were being imported before the finder stood there
_lock = threading.RLock()


class NotShown(LookupError):
    """A module whose text, as it was loaded, cannot be shown."""


def watch(package: str) -> None:
    """Keep the texts of this top-level package too, from its next import on: call it before the package is imported."""
    _packages.add(package)


def is_loaded(module: str) -> bool:
    return module in sys.modules


def text_of(module: str) -> str:
    """The text that ran when the module was imported; it is imported if it was not yet.

    Raises NotShown, a LookupError, where there is none, or where what lies there now cannot be shown to be what ran.
    """
    live = sys.modules.get(module)
    if live is None or getattr(getattr(live, "__spec__", None), "_initializing", False):
        live = importlib.import_module(module)  # waits for a thread that is importing it
    if module not in _texts:
        if getattr(live, "__file__", None) is None and hasattr(live, "__path__"):
            return ""  # a folder without a file of its own
        with _lock:
            _texts[module] = _shown(live)
    return _decoded(_texts[module][1])


@lru_cache(maxsize=4096)
def _decoded(data: bytes) -> str:
    """The text of a source file; it is asked for again and again."""
    return decode_source(data)


def keep(module: str, path: str, data: bytes) -> None:
    """Keep these bytes of a file as the text that a module runs. path: empty for a folder without a file of its own."""
    _texts[module] = (path, data)
    if not path:
        return
    # without a time linecache takes it for the text of a loader, and never looks at the file
    linecache.cache[path] = (len(data), None, io.StringIO(_decoded(data)).readlines(), path)


def changed() -> list[tuple[str, Path]]:
    """The modules whose file is no longer what was loaded, or is gone."""
    return [(name, Path(path)) for name, (path, data) in sorted(_texts.items()) if path and _bytes(path) != data]


def _bytes(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None


# ------------------------------------------------------------------------------------------------------- the import


class Loader(SourceFileLoader):
    """Runs exactly the text that it has read, and keeps it."""

    _is_kept = False

    def get_code(self, fullname: str) -> CodeType:
        """See `importlib.abc.InspectLoader`. Only the call by which the module is imported keeps the text."""
        path = self.get_filename(fullname)
        before = os.stat(path)
        data = self.get_data(path)
        is_still = _same(before, os.stat(path))
        code = _cached(path, data, before if is_still else None)
        if code is None:
            code = self.source_to_code(data, path)
            if is_still:
                self._write(path, data, code, before)
        spec = getattr(sys.modules.get(fullname), "__spec__", None)
        if spec is not None and spec.loader is self and not self._is_kept:
            self._is_kept = True
            keep(fullname, path, data)
        return code

    def _write(self, path: str, data: bytes, code: CodeType, stat: os.stat_result) -> None:
        """Compiled code beside the text, with the text's hash; where that is not possible nothing is said, as ever."""
        if not sys.dont_write_bytecode and (target := _cache_of(path)):
            head = MAGIC_NUMBER + (HASHED | CHECKED).to_bytes(4, "little") + source_hash(data)
            self.set_data(target, head + marshal.dumps(code), _mode=stat.st_mode & 0o777 | 0o200)


class Finder:
    """Asks the finders behind it, and puts our loader in the place of Python's."""

    def find_spec(self, fullname: str, path=None, target: ModuleType | None = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        if fullname.partition(".")[0] not in _packages or self not in sys.meta_path:
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            find = getattr(finder, "find_spec", None)
            spec = find(fullname, path, target) if find is not None else None
            if spec is not None:
                if type(spec.loader) is SourceFileLoader:
                    spec.loader = Loader(spec.loader.name, spec.loader.path)
                return spec
        return None


def install() -> None:
    """Put the finder before Python's own, once; and note which modules of ours are being imported at this moment."""
    if any(isinstance(finder, Finder) for finder in sys.meta_path):
        return
    at = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else 0
    sys.meta_path.insert(at, Finder())
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            _begun[frame.f_globals.get("__name__", "")] = frame.f_code  # a profiler runs code without a name
        frame = frame.f_back


# ---------------------------------------------------------------------------------------------------- compiled code


def _same(a: os.stat_result, b: os.stat_result) -> bool:
    return all(getattr(a, f"st_{n}") == getattr(b, f"st_{n}") for n in ("ino", "size", "mtime_ns", "ctime_ns"))


def _cache_of(path: str) -> str | None:
    try:
        return cache_from_source(path)
    except NotImplementedError:  # this Python keeps no compiled code
        return None


def _cached(path: str, data: bytes, stat: os.stat_result | None) -> CodeType | None:
    """The compiled code beside the file, if it is provably of these bytes. stat: of the file, if it stood still."""
    target = _cache_of(path)
    if target is None:
        return None
    try:
        with open(target, "rb") as file:
            written_ns = os.fstat(file.fileno()).st_mtime_ns
            compiled = file.read()
    except OSError:
        return None
    flags = int.from_bytes(compiled[4:8], "little")
    if compiled[:4] != MAGIC_NUMBER or len(compiled) < 16:
        return None
    if flags & HASHED:
        is_of_it = compiled[8:16] == source_hash(data)
    else:
        is_of_it = (
            stat is not None and compiled[8:16] == _stamp(stat) and max(stat.st_ctime_ns, stat.st_mtime_ns) < written_ns
        )
    return _unpacked(compiled, path) if is_of_it else None


def _stamp(stat: os.stat_result) -> bytes:
    """What Python itself compares: the second, and the size."""
    return (int(stat.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little") + (stat.st_size & 0xFFFFFFFF).to_bytes(4, "little")


def _unpacked(compiled: bytes, path: str) -> CodeType | None:
    try:
        code = marshal.loads(memoryview(compiled)[16:])  # noqa: S302 - as Python does, from the same place
    except (ValueError, EOFError, TypeError):
        return None
    if not isinstance(code, CodeType):
        return None
    _imp._fix_co_filename(code, path)  # of a folder that was moved; importlib does so too
    return code


# ------------------------------------------------------------------------------- modules that came before the finder


def _shown(module: ModuleType) -> tuple[str, bytes]:
    """The file of a module that Python loaded by itself, and its bytes, if they can be shown to be what ran."""
    name = module.__name__
    path = getattr(getattr(module, "__spec__", None), "origin", None) or getattr(module, "__file__", None)
    data = _bytes(path) if path is not None and str(path).endswith(".py") else None
    if data is None:
        raise NotShown(f"{name} has no source text")
    begun = _begun.get(name)
    if begun is not None:
        is_shown = compile(data, begun.co_filename, "exec", dont_inherit=True) == begun
    else:
        is_shown = _stood_still(path, data)
    if not is_shown:
        raise NotShown(
            f"{path} may have been changed since it was loaded: import tshdb before {name.partition('.')[0]}, "
            "or give its name to tshdb.loaded.watch first"
        )
    return path, data


def _stood_still(path: str, data: bytes) -> bool:
    """Whether the file is older than this process, and Python cannot have taken it from code of another text."""
    if not older_than_process(path):
        return False
    stat, target = os.stat(path), _cache_of(path)
    compiled = _bytes(target) if target is not None else None
    if compiled is None or compiled[:4] != MAGIC_NUMBER:
        return True
    flags = int.from_bytes(compiled[4:8], "little")
    if (flags & CHECKED or not flags & HASHED) and compiled[8:16] != (
        source_hash(data) if flags & HASHED else _stamp(stat)
    ):
        return True  # Python would not take it either
    return _unpacked(compiled, path) == compile(data, path, "exec", dont_inherit=True)


def older_than_process(path: str) -> bool:
    """Whether the file is as it was when this process began. No, where the system does not say when that was."""
    stat, started = os.stat(path), _started_ns()
    return started is not None and max(stat.st_ctime_ns, stat.st_mtime_ns) < started - MARGIN_NS


def _started_ns() -> int | None:
    """When this process began, by the wall clock; None where the system does not say."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError):
        return None
    return time.time_ns() - int(age * 1e9)
