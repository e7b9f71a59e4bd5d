"""Names of Python and of libraries that say a read from outside of the arguments, and what kind of read that is.

What stands here is never needed by a function of its arguments. Files are not here: their paths may be arguments.
"""

from __future__ import annotations

import builtins
import datetime
import gc
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What is read, in words."""

    FILE = "a file"
    ENVIRONMENT = "the environment"
    CLOCK = "the clock"
    CHANCE = "chance without a seed"
    NETWORK = "the network"
    COMMAND = "another program"
    DATABASE = "a database"
    HOST = "this machine, process or user"
    ARGUMENTS = "the command line or the keyboard"
    ORDER = "an order or number that differs from process to process"
    NATIVE = "a library of the system"
    STATE = "what an earlier call left"


ENGINE = (  # of the project: what these read never comes back as a value
    "tshdb.engine.", "tshdb.objects", "tshdb.loaded", "tshdb.failpoints", "tshdb.oath.", "tshdb.images.known_bytes",
    "analyses.shared.compiling",
)  # fmt: skip
MODULES = {  # a name of these is such a read, whichever it is
    "secrets": Kind.CHANCE, "socket": Kind.NETWORK, "urllib.request": Kind.NETWORK, "http.client": Kind.NETWORK,
    "ftplib": Kind.NETWORK, "smtplib": Kind.NETWORK, "httpx": Kind.NETWORK, "requests": Kind.NETWORK,
    "subprocess": Kind.COMMAND, "getpass": Kind.HOST, "gc": Kind.ORDER,
    "ctypes": Kind.NATIVE, "pwd": Kind.HOST, "importlib.resources": Kind.FILE, "pkgutil": Kind.FILE, "mmap": Kind.FILE,
    "random": Kind.CHANCE, "platform": Kind.HOST, "locale": Kind.HOST, "resource": Kind.HOST, "tracemalloc": Kind.ORDER,
    "glob": Kind.FILE,
}  # fmt: skip
OF_SEED = {  # of these, that do not say it: a generator that is given a seed, a type, a version that is recorded
    "random.Random", "platform.python_version", "platform.python_version_tuple", "platform.python_implementation",
    "subprocess.CalledProcessError", "locale.strxfrm",
}  # fmt: skip
NAMES = {
    "os.environ": Kind.ENVIRONMENT, "os.environb": Kind.ENVIRONMENT, "os.getenv": Kind.ENVIRONMENT,
    "os.path.expandvars": Kind.ENVIRONMENT, "os.path.expanduser": Kind.ENVIRONMENT, "posix.environ": Kind.ENVIRONMENT,
    "os.get_exec_path": Kind.ENVIRONMENT, "pathlib.Path.home": Kind.ENVIRONMENT,
    "os.urandom": Kind.CHANCE, "os.getrandom": Kind.CHANCE, "uuid.uuid1": Kind.CHANCE, "uuid.uuid4": Kind.CHANCE,
    "uuid.getnode": Kind.HOST, "os.getcwd": Kind.HOST, "os.getcwdb": Kind.HOST, "pathlib.Path.cwd": Kind.HOST,
    "os.getpid": Kind.HOST, "os.getppid": Kind.HOST, "os.getlogin": Kind.HOST, "os.getuid": Kind.HOST,
    "os.geteuid": Kind.HOST, "os.uname": Kind.HOST, "os.cpu_count": Kind.HOST, "os.getloadavg": Kind.HOST,
    "multiprocessing.cpu_count": Kind.HOST, "os.sched_getaffinity": Kind.HOST, "os.times": Kind.CLOCK,
    "os.system": Kind.COMMAND, "os.popen": Kind.COMMAND, "sys.argv": Kind.ARGUMENTS, "sys.stdin": Kind.ARGUMENTS,
    "sys.orig_argv": Kind.ARGUMENTS, "sys.getrefcount": Kind.ORDER,
    "threading.get_ident": Kind.ORDER, "threading.get_native_id": Kind.ORDER, "_thread.get_ident": Kind.ORDER,
    "threading.active_count": Kind.ORDER,
    "datetime.datetime.now": Kind.CLOCK, "datetime.datetime.utcnow": Kind.CLOCK, "datetime.datetime.today": Kind.CLOCK,
    "datetime.date.today": Kind.CLOCK, "pandas.Timestamp.now": Kind.CLOCK, "pandas.Timestamp.today": Kind.CLOCK,
    "pandas.Timestamp.utcnow": Kind.CLOCK,
}  # fmt: skip
CLOCKS = (
    "time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time", "process_time_ns",
    "thread_time", "thread_time_ns", "localtime", "clock_gettime", "clock_gettime_ns",
)  # fmt: skip
NUMPY_GLOBAL = (
    "rand", "randn", "random", "random_sample", "ranf", "sample", "randint", "random_integers", "choice", "shuffle",
    "permutation", "normal", "standard_normal", "uniform", "exponential", "poisson", "binomial", "beta", "gamma", "bytes",
    "get_state",
)  # fmt: skip
NAMES |= {f"time.{name}": Kind.CLOCK for name in CLOCKS}
NAMES |= {f"numpy.random.{name}": Kind.CHANCE for name in NUMPY_GLOBAL}
BUILTINS = {"input": Kind.ARGUMENTS, "id": Kind.ORDER, "hash": Kind.ORDER}


def kind_of(path: str) -> Kind | None:
    """What a name, by its full path, reads from outside; None for a name that does not say so."""
    for allowed in OF_SEED:
        if path == allowed or path.startswith(f"{allowed}."):
            return None
    for known in (NAMES, MODULES):
        for name, kind in known.items():
            if path == name and known is NAMES or path.startswith(f"{name}."):
                return kind
    return None


def functions() -> dict[Any, tuple[Kind, str]]:
    """Functions of C -> what a call of one reads, and its name."""
    return dict(_functions())


def _functions() -> Iterator[tuple[Any, tuple[Kind, str]]]:
    for name in CLOCKS:
        if hasattr(time, name):
            yield getattr(time, name), (Kind.CLOCK, f"time.{name}")
    for name, kind in BUILTINS.items():
        yield getattr(builtins, name), (kind, name)
    for path, kind in NAMES.items():
        module, _, name = path.rpartition(".")
        if module == "os" and _is_of_c(getattr(os, name, None)):
            yield getattr(os, name), (kind, path)
    for name in ("get_objects", "get_count", "get_stats", "get_referrers"):
        yield getattr(gc, name), (Kind.ORDER, f"gc.{name}")
    yield threading.get_ident, (Kind.ORDER, "threading.get_ident")
    yield threading.get_native_id, (Kind.ORDER, "threading.get_native_id")
    yield sys.getrefcount, (Kind.ORDER, "sys.getrefcount")
    for module, kind in (("_locale", Kind.HOST), ("pwd", Kind.HOST)):
        for name, value in vars(__import__(module)).items():
            if _is_of_c(value):
                yield value, (kind, f"{module}.{name}")


def _is_of_c(value: Any) -> bool:
    return type(value) is type(len)


def of_date(function: Any) -> str | None:
    """The name of a method that reads the clock, of a class of dates."""
    name, owner = function.__name__, getattr(function, "__self__", None)
    if name in ("now", "utcnow", "today") and isinstance(owner, type) and issubclass(owner, datetime.date):
        return f"{owner.__module__}.{owner.__name__}.{name}"
    return None


PYTHON = {  # functions of Python's own library whose call is such a read
    random.Random.__init__.__code__: (Kind.CHANCE, "random.Random()", "x"),
    random.Random.seed.__code__: (Kind.CHANCE, "random.seed()", "a"),
}  # code -> kind, name, and the argument that has to be None
