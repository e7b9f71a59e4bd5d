"""What a function reads that is no argument, as Python sees it: by whose frame it is read, or on whose behalf.

Seen  what Python audits (files, folders, sockets, programs, databases, libraries of the system), calls of functions that
      read clock, chance, machine and environment, and what asks for a file's state.
Judged  by the frames between the read and the project's code. The project itself, or Python's library on its behalf: a
      read. Another library: one if what it reads was among its arguments, else its own affair (thread pools, its own
      files). Imports, and what the engine does for it, are none. What is read inside of C is not seen.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import CodeType, FrameType
from typing import Any, NamedTuple

from tshdb.oath.names import ENGINE, PYTHON, Kind, functions, of_date

IMPORTS = ("_find_and_load", "_find_spec", "_load_unlocked", "exec_module", "find_spec", "_handle_fromlist")
IMPORTERS = ("_frozen_importlib", "_frozen_importlib_external", "importlib._bootstrap", "importlib._bootstrap_external")
HARMLESS = {  # of Python's library: what they read does not come back as a value
    "logging", "warnings", "traceback", "linecache", "tempfile", "threading", "queue", "concurrent", "multiprocessing",
    "inspect", "weakref", "_weakrefset", "faulthandler", "tokenize", "zoneinfo",
}  # fmt: skip
FILES = {"open", "os.listdir", "os.scandir", "os.walk", "os.fwalk", "glob.glob", "os.getxattr", "os.listxattr"}
STATES = ("stat", "lstat", "access", "readlink")  # of os: replaced, since Python does not audit them
COMMANDS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile"}
NETWORK = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostname", "socket.sendto",
           "socket.bind", "socket.getnameinfo", "socket.gethostbyaddr", "urllib.Request"}  # fmt: skip
AUDITED = FILES | COMMANDS | NETWORK | {"sqlite3.connect", "ctypes.dlopen", "builtins.input", "os.mkdir"}
GLOBAL = random.random.__self__  # type: ignore[attr-defined] # the generator of the module itself
WRITES = os.O_WRONLY | os.O_CREAT


class Read(NamedTuple):
    """One undeclared read. what: the function, and what it asked for; where: module:line of the project's code."""

    kind: Kind
    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what} ({self.where})"


class Watch:
    """Watches calls of a project's code, once `begin` was called; there is one in a process.

    project: its top-level packages and modules; declared: paths that are arguments; folders: where its code lies.
    """

    def __init__(self, project: frozenset[str], declared: frozenset[str], folders: tuple[str, ...]):
        self.project, self.declared, self.folders = project, declared, folders
        self.reads: dict[Read, None] = {}
        self.own: set[str] = set()  # files that it has written itself
        self._functions = functions()
        self._is_on = False
        self._thread = threading.local()
        sys.addaudithook(self._audited)
        for name in STATES:
            setattr(os, name, self._asking(name, getattr(os, name)))
        time.gmtime = self._of_now(time.gmtime)
        with suppress(ImportError):
            import duckdb

            for name in ("connect", "read_csv", "read_parquet", "read_json"):
                setattr(duckdb, name, self._database(f"duckdb.{name}", getattr(duckdb, name)))

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch all that is called inside."""
        self._is_on = True
        threading.setprofile(self._called)
        sys.setprofile(self._called)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
            self._is_on = False

    # -------------------------------------------------------------------------------------------------- what is seen

    def _called(self, frame: FrameType, event: str, argument: Any) -> None:
        """See `sys.setprofile`."""
        if event == "c_call":
            with suppress(TypeError):  # a method of something that has no hash
                if seen := self._functions.get(argument):
                    is_of_type = seen[1] == "hash" and frame.f_code.co_name == "__hash__"
                    if not is_of_type:
                        self._note(*seen, frame, needs_direct=seen[1] in ("hash", "id"))
                    return
            if getattr(argument, "__self__", None) is GLOBAL:
                self._note(Kind.CHANCE, f"random.{argument.__name__}", frame)
            elif argument.__name__ in ("now", "utcnow", "today") and (name := of_date(argument)):
                self._note(Kind.CLOCK, name, frame)
            elif getattr(argument, "__self__", None) is sys.stdin and sys.stdin is not None:
                self._note(Kind.ARGUMENTS, f"sys.stdin.{argument.__name__}", frame)
        elif event == "call":
            code = frame.f_code
            if code in ENVIRONMENT:
                key = frame.f_locals.get("key", "")
                self._note(Kind.ENVIRONMENT, f"os.environ[{key!r}]" if key else "os.environ", frame.f_back, given=key)
            elif code in PYTHON:
                kind, name, argument_name = PYTHON[code]
                if frame.f_locals.get(argument_name) is None:
                    self._note(kind, name, frame.f_back)
            elif frame.f_globals.get("__name__") == "platform" and not code.co_name.startswith(("python_", "_")):
                self._note(Kind.HOST, f"platform.{code.co_name}", frame.f_back, needs_direct=True)

    def _audited(self, event: str, arguments: tuple) -> None:
        """See `sys.addaudithook`."""
        if not self._is_on or event not in AUDITED or getattr(self._thread, "is_noting", False):
            return
        frame = sys._getframe(1)
        if event in FILES:
            self._file(event, arguments, frame)
        elif event in COMMANDS:
            self._note(Kind.COMMAND, f"{event} {_short(arguments[0] if arguments else '')}", frame, given=arguments[:1])
        elif event in NETWORK:
            self._note(Kind.NETWORK, f"{event} {_short(arguments[-1] if arguments else '')}", frame, is_always=True)
        elif event == "sqlite3.connect" and _text(arguments[0]) not in (":memory:", ""):
            self._note(Kind.DATABASE, f"sqlite3.connect {_short(arguments[0])}", frame, is_always=True)
        elif event == "ctypes.dlopen":
            self._note(Kind.NATIVE, f"ctypes {_short(arguments[0])}", frame)
        elif event == "os.mkdir" and (place := _text(arguments[0])):
            self.own.add(os.path.abspath(place))
        elif event == "builtins.input":
            self._note(Kind.ARGUMENTS, "input()", frame)

    def _file(self, event: str, arguments: tuple, frame: FrameType) -> None:
        path = _text(arguments[0]) if arguments else None
        if path is None:  # a file that is open already
            return
        place = os.path.abspath(path)
        if event == "open":
            mode, flags = arguments[1], arguments[2]
            if isinstance(mode, str) and mode[:1] in "wxa" and "+" not in mode or (
                mode is None and isinstance(flags, int) and flags & WRITES
            ):  # fmt: skip
                self.own.add(place)
                return
        self._path(event, place, frame)

    def _path(self, what: str, place: str, frame: FrameType) -> None:
        if place in self.declared or place in self.own or any(place.startswith(f"{own}/") for own in self.own):
            return
        is_inside = any(place.startswith(f) for f in self.folders) and "__pycache__" not in place
        self._note(Kind.FILE, f"{what} {_short(place)}", frame, given=place, is_always=is_inside)

    def _asking(self, name: str, function: Callable) -> Callable:
        """A function of `os` that asks for a file's state, which says what it asks for."""

        def asking(path, *args, **options):
            if self._is_on and not getattr(self._thread, "is_noting", False) and (text := _text(path)) is not None:
                self._path(f"os.{name}", os.path.abspath(text), sys._getframe(1))
            return function(path, *args, **options)

        return asking

    def _of_now(self, function: Callable) -> Callable:
        """`time.gmtime`, which reads the clock where it is given no time."""

        def of_now(seconds=None):
            if seconds is None:
                self._note(Kind.CLOCK, f"time.{function.__name__}", sys._getframe(1))
            return function(seconds)

        return of_now

    def _database(self, name: str, function: Callable) -> Callable:
        def connecting(*args, **options):
            target = args[0] if args else options.get("database", "")
            if self._is_on and target not in (":memory:", ""):
                self._note(Kind.DATABASE, f"{name} {_short(target)}", sys._getframe(1), is_always=True)
            return function(*args, **options)

        return connecting

    # --------------------------------------------------------------------------------------------------- the judgement

    def _note(
        self, kind: Kind, what: str, frame: FrameType | None, *,
        given: Any = None, is_always: bool = False, needs_direct: bool = False,
    ) -> None:  # fmt: skip
        """Keep the read, if it is the project's.

        given: what another library must have been given for it to count; is_always: it counts whichever library reads.
        needs_direct: it counts only where the project itself calls.
        """
        if not self._is_on or getattr(self._thread, "is_noting", False):
            return
        self._thread.is_noting = True
        try:
            self._judge(kind, what, frame, given, is_always, needs_direct)
        finally:
            self._thread.is_noting = False

    def _judge(
        self, kind: Kind, what: str, frame: FrameType | None, given: Any, is_always: bool, needs_direct: bool
    ) -> None:
        between: list[FrameType] = []
        while frame is not None and not self._is_project(frame):
            if _is_import(frame):
                return
            between.append(frame)
            frame = frame.f_back
        if frame is None:
            return  # nothing of the project asked for it
        modules = [_module(f) for f in between]
        if any(m.startswith(ENGINE) for m in modules) or needs_direct and between:
            return
        tops = {m.partition(".")[0] for m in modules}
        if "numba" in tops and isinstance(given, str) and given.endswith(".py"):
            return  # it looks whether what it keeps compiled is of this text, which is in the fingerprint
        is_python_s = all(top in sys.stdlib_module_names or not top for top in tops)
        if is_python_s:
            counts = not tops & HARMLESS or is_always
        else:
            counts = is_always or bool(given) and _was_given(between[-1], given)
        if counts:
            self.reads[Read(kind, what, f"{_module(frame)}:{frame.f_lineno}")] = None

    def _is_project(self, frame: FrameType) -> bool:
        module = _module(frame)
        if module.startswith(ENGINE):
            return False
        return module in self.project or module.partition(".")[0] in self.project


ENVIRONMENT: set[CodeType] = {
    function.__code__ for function in (
        type(os.environ).__getitem__, type(os.environ).__iter__, type(os.environ).copy, type(os.environ).__len__,
    )
}  # fmt: skip


def _module(frame: FrameType) -> str:
    return frame.f_globals.get("__name__") or ""


def _is_import(frame: FrameType) -> bool:
    return _module(frame) in IMPORTERS and frame.f_code.co_name in IMPORTS or (
        _module(frame) in ("importlib.metadata", "pkg_resources")
    )  # fmt: skip


def _was_given(frame: FrameType, given: Any) -> bool:
    """Whether the function of another library was given this text or path, alone or in a list."""
    wanted = [t for each in (given if isinstance(given, tuple) else (given,)) if (t := _text(each))]
    for value in list(frame.f_locals.values()):
        for each in value if isinstance(value, list | tuple) else (value,):
            text = _text(each)
            if text and any(
                text == w or os.path.isabs(w) and os.path.abspath(os.path.expanduser(text)) == w for w in wanted
            ):
                return True
    return False


def _text(value: Any) -> str | None:
    """A path or text; None for anything else, such as the number of an open file."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return os.fsdecode(value)
    if hasattr(value, "__fspath__"):
        with suppress(Exception):  # whatever stands behind it
            return os.fsdecode(value.__fspath__())
    return None


def _short(value: Any) -> str:
    text = _text(value)
    text = repr(value) if text is None else text
    return text if len(text) <= 80 else f"…{text[-79:]}"


sqlite3.connect(":memory:").close()  # what it imports first is not the analysis's
