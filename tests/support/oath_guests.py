"""Packages of small analyses for the oath: each with one read that is no argument, each innocent, each with one broken promise.

A guest doubles one abundance of every profile; what stands in the place of BODY is what it does besides. The value that it
gives does not show it, unless its promise is about values.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = "oath_guests"
HEAD = '''"""A guest of the tests."""

from __future__ import annotations

import pandas as pd
from sqlalchemy.orm import Mapped, mapped_column

from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PROFILE
from tshdb.schema import CellAbundance
from tshdb.schema.base import Base, UnitPayload

{before}


class Row{title}(UnitPayload, Base):
    """One row is a number of one expression profile."""

    __tablename__ = "og_{name}"
    profile_id: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float | None] = mapped_column(doc="no unit")


class Parameters{title}(Parameters):
    """[{name}]"""


@analysis(
    kind="map", per="profile", needs={{"abundances": Need(CellAbundance, SAME_PROFILE)}}, makes=Row{title},
    params=Parameters{title}, source="a test", {options}
)
def {name}({arguments}):
    """Twice the abundance of cytotoxic lymphocytes."""
    rows = abundances[abundances["population"] == "Cytotoxic lymphocytes"]
    rows = rows.assign(value=2 * rows["abundance"])[["profile_id", "value"]]
    {body}
    return rows
'''

FILE = "/etc/passwd"  # which every machine of ours has
READS: dict[str, tuple[str, str]] = {  # name -> what stands before, what the function does
    "opens": ("", f"open({FILE!r}).close()"),
    "opens_low": ("import os", f"os.close(os.open({FILE!r}, os.O_RDONLY))"),
    "reads_path": ("from pathlib import Path", f"Path({FILE!r}).read_text()"),
    "lists": ("import os", "os.listdir('/etc')"),
    "scans": ("import os", "list(os.scandir('/etc'))"),
    "globs": ("from pathlib import Path", "list(Path('/etc').glob('*.conf'))"),
    "asks_time_of_file": ("import os", f"os.path.getmtime({FILE!r})"),
    "asks_existence": ("from pathlib import Path", f"Path({FILE!r}).exists()"),
    "reads_csv": ("", f"pd.read_csv({FILE!r}, sep=':', header=None)"),
    "reads_array": ("import numpy as np", f"np.fromfile({FILE!r}, dtype='u1')"),
    "unpickles": ("import pickle", "pickle.load(open(PICKLED, 'rb'))"),
    "maps": ("import mmap", f"mmap.mmap(open({FILE!r}, 'rb').fileno(), 0, access=mmap.ACCESS_READ).close()"),
    "environment": ("import os", "os.environ['PATH']"),
    "environment_whole": ("import os", "dict(os.environ)"),
    "getenv": ("from os import getenv", "getenv('LANG', '')"),
    "home": ("from pathlib import Path", "Path.home()"),
    "clock": ("import time", "time.time()"),
    "clock_by_name": ("from time import perf_counter as counted", "counted()"),
    "now": ("from datetime import datetime", "datetime.now()"),
    "today": ("import datetime as dt", "dt.date.today()"),
    "pandas_now": ("", "pd.Timestamp.now()"),
    "chance": ("import random", "random.random()"),
    "chance_of_numpy": ("import numpy as np", "np.random.rand(3)"),
    "generator_without_seed": ("import numpy as np", "np.random.default_rng().random()"),
    "random_without_seed": ("import random", "random.Random().random()"),
    "uuid": ("import uuid", "uuid.uuid4()"),
    "secret": ("import secrets", "secrets.token_hex(4)"),
    "bytes_of_system": ("import os", "os.urandom(4)"),
    "program": ("import subprocess", "subprocess.run(['true'])"),
    "shell": ("import os", "os.system('true')"),
    "host": ("import socket", "socket.gethostname()"),
    "address": ("import urllib.request", f"urllib.request.urlopen('file://{FILE}').read()"),
    "sqlite": ("import sqlite3", "sqlite3.connect(DATABASE).close()"),
    "duck": ("import duckdb", "duckdb.connect(DATABASE + '.duck').close()"),
    "folder": ("import os", "os.getcwd()"),
    "folder_by_path": ("from pathlib import Path", "Path('x').resolve()"),
    "keyboard": ("from contextlib import suppress", "with suppress(EOFError): input()"),
    "order_of_hash": ("", "hash('text')"),
    "address_of_object": ("", "id(rows)"),
    "user": ("import getpass", "getpass.getuser()"),
    "machine": ("import platform", "platform.node()"),
    "cores": ("import os", "os.cpu_count()"),
    "thread": ("import threading", "threading.get_ident()"),
    "collector": ("import gc", "gc.get_count()"),
    "language": ("import locale", "locale.getlocale()"),
    "native": ("import ctypes", "ctypes.CDLL(None).getpid()"),
    "counter": ("CALLS = [0]", "CALLS[0] += 1"),
    "cache_of_module": ("SEEN: dict = {}", "SEEN.update(dict.fromkeys(rows['profile_id']))"),
    "counter_of_class": ("class Calls:\n    n = 0", "Calls.n = Calls.n + 1"),
    "generator_of_module": ("import numpy as np\n\nDRAW = np.random.default_rng(1)", "DRAW.random()"),
    "at_import": (f"TEXT = open({FILE!r}).read()", "len(TEXT)"),
    "environment_at_import": ("import os\n\nLIMIT = os.environ.get('LIMIT', '3')", "int(LIMIT)"),
    "by_helper": (f"from {PACKAGE}.helper import read_it", "read_it()"),
    "hidden_in_map": ("import os", f"list(map(os.stat, [{FILE!r}]))"),
    "in_thread": (
        "from concurrent.futures import ThreadPoolExecutor",
        f"ThreadPoolExecutor(1).submit(lambda: open({FILE!r}).read()).result()",
    ),
}

REFUSED: dict[str, tuple[str, str]] = {  # reads that the engine does not let happen: it follows no such code
    "package_data": (
        "from importlib import resources",
        f"resources.files({PACKAGE!r}).joinpath('data.csv').read_text()",
    ),
    "package_data_by_path": ("from pathlib import Path", "(Path(__file__).parent / 'data.csv').read_text()"),
    "package_bytes": ("import pkgutil", f"pkgutil.get_data({PACKAGE!r}, 'data.csv')"),
    "arguments": ("import sys", "len(sys.argv)"),
}

INNOCENT: dict[str, tuple[str, str]] = {
    "plain": ("", "pass"),
    "seeded": ("import numpy as np", "np.random.default_rng(3).random()"),
    "seeded_python": ("import random", "random.Random(3).random()"),
    "logs": ("import logging", "logging.getLogger('og').warning('said')"),
    "warns": ("import warnings", "warnings.warn('said')"),
    "imports_inside": ("", "import scipy.stats; scipy.stats.rankdata([2, 1])"),
    "learns": (
        "", "from sklearn.linear_model import LogisticRegression; "
        "LogisticRegression(random_state=1).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])",
    ),
    "remembers": ("from functools import cache\n\n\n@cache\ndef square(x):\n    return x * x", "square(3)"),
    "in_memory": ("import sqlite3", "sqlite3.connect(':memory:').execute('SELECT 1').fetchall()"),
    "text_as_file": ("import io", "pd.read_csv(io.StringIO('a,b\\n1,2'))"),
    "own_file": (
        "import tempfile\nfrom pathlib import Path",
        "with tempfile.TemporaryDirectory() as d: Path(d, 'x').write_text('1'); Path(d, 'x').read_text()",
    ),
    "pure_paths": ("from pathlib import Path", "Path('a', 'b').with_suffix('.c').name"),
    "fixed_date": ("from datetime import datetime, timedelta", "datetime(2020, 1, 2) + timedelta(days=3)"),
    "name_from_text": ("import hashlib\nimport uuid", "uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(b'x').hexdigest())"),
    "survival": (
        "", "from lifelines import KaplanMeierFitter; KaplanMeierFitter().fit([1, 2, 3, 4], [1, 0, 1, 1])",
    ),
    "parses": ("import json\nimport re", "json.loads(re.sub('x', '1', 'x'))"),
}  # fmt: skip

BROKEN: dict[str, tuple[str, str]] = {
    "of_company": ("", "rows['value'] = rows['value'] - rows['value'].mean()"),
    "of_hash": ("", "rows['value'] = rows['value'] + ''.join({'a', 'b', 'c', 'd'}).index('a')"),
    "of_chance": ("import numpy as np", "rows['value'] = rows['value'] + np.random.rand()"),
    "of_calls": ("CALLS = [0]", "CALLS[0] += 1; rows['value'] = rows['value'] + CALLS[0]"),
    "of_workers": (
        "import multiprocessing",
        "rows['value'] = rows['value'] + (multiprocessing.parent_process() is None)",
    ),
    "of_library": ("import scipy.special", "rows['value'] = rows['value'] + scipy.special.gamma(3)"),
}
BREAKS = {  # the promises that each of them breaks, at least
    "of_company": ("company",),
    "of_hash": ("determinism",),
    "of_chance": ("determinism",),
    "of_calls": ("determinism", "order", "kill", "correction"),  # and workers, if both of them get something to do
    "of_workers": ("workers",),
    "of_library": ("declaration",),
}


def write(folder: Path, chosen: dict[str, tuple[str, str]]) -> None:
    """The package and what pip leaves of it, in a folder that is on the path of imports. chosen: name -> before, body."""
    package = folder / PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "data.csv").write_text("a,b\n1,2\n")
    (package / "helper.py").write_text(f"def read_it():\n    return open({FILE!r}).read()\n")
    (folder / "kept.pickle").write_bytes(b"N.")
    points = []
    for name, (before, body) in chosen.items():
        before = f"PICKLED, DATABASE = {str(folder / 'kept.pickle')!r}, {str(folder / 'kept.db')!r}\n{before}"
        text = HEAD.format(name=f"og_{name}", title=name.title().replace("_", ""), before=before, body=body, options="",
                           arguments="abundances, params")  # fmt: skip
        (package / f"{name}.py").write_text(text.replace('__tablename__ = "og_og_', '__tablename__ = "og_'))
        points.append(f"og_{name} = {PACKAGE}.{name}:og_{name}")
    info = folder / "oath_guests-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: oath-guests\nVersion: 1.0\nRequires-Dist: scipy\n")
    (info / "entry_points.txt").write_text("\n".join(["[tshdb.analyses]", *points, ""]))
