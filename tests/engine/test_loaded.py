"""The text that a module was imported from is the text that ran, and is kept. Each test runs small processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.support.program import ROOT

HOOKED = "from tshdb import loaded; loaded.watch('guest'); import guest.part; "
SHOW = HOOKED + "print(guest.part.VALUE, loaded.text_of('guest.part').strip())"


@pytest.fixture
def guest(tmp_path) -> Path:
    """The file of a module of a package that is not this program's."""
    folder = tmp_path / "guest"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    path = folder / "part.py"
    path.write_text("VALUE = 'old'\n")
    return path


def python(where: Path, *arguments: str, code: int = 0) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    completed = subprocess.run(
        [sys.executable, *arguments], cwd=where, text=True, capture_output=True, timeout=60,
        env={**environment, "PYTHONPATH": f"{where}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert completed.returncode == code, completed.stdout + completed.stderr
    return completed.stdout.strip() + completed.stderr.strip()


def edited_unseen(path: Path, old: str, new: str) -> None:
    """An edit of the same length, within the second, as Python's cache of compiled code sees it."""
    stat = path.stat()
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert path.stat().st_size == stat.st_size and int(path.stat().st_mtime) == int(stat.st_mtime)


def test_stale_compiled_code_is_not_run(guest, tmp_path):
    plain = "import guest.part; print(guest.part.VALUE)"
    assert python(tmp_path, "-c", plain) == "old"
    edited_unseen(guest, "old", "new")
    assert python(tmp_path, "-c", plain) == "old", "Python by itself runs what is no longer there"
    assert python(tmp_path, "-c", SHOW) == "new VALUE = 'new'"
    edited_unseen(guest, "new", "due")  # now the compiled code is ours
    assert python(tmp_path, "-c", SHOW) == "due VALUE = 'due'"
    assert python(tmp_path, "-c", plain) == "due", "what is written is right for Python, too"


def test_compiled_code_is_used_where_it_is_of_the_text(guest, tmp_path):
    """Code that says something else than the text, with the text's hash: a proof that it was run, and not the text."""
    from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
    from marshal import dumps

    python(tmp_path, "-c", "import guest.part")
    cache = Path(cache_from_source(guest))
    before = cache.read_bytes()
    python(tmp_path, "-c", SHOW)
    assert cache.read_bytes() == before, "Python's own is trusted: the text was written before it"
    other = dumps(compile("VALUE = 'compiled'", str(guest), "exec"))
    cache.write_bytes(MAGIC_NUMBER + (3).to_bytes(4, "little") + source_hash(guest.read_bytes()) + other)
    assert python(tmp_path, "-c", SHOW) == "compiled VALUE = 'old'"


@pytest.mark.parametrize("broken", (b"", b"nonsense" * 4), ids=("empty", "nonsense"))
def test_compiled_code_that_is_broken_is_compiled_again(guest, tmp_path, broken):
    from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash

    python(tmp_path, "-c", SHOW)
    head = MAGIC_NUMBER + (3).to_bytes(4, "little") + source_hash(guest.read_bytes()) if broken else b""
    Path(cache_from_source(guest)).write_bytes(head + broken)
    assert python(tmp_path, "-c", SHOW) == "old VALUE = 'old'"


def test_the_text_stays_what_ran(guest, tmp_path):
    """After an edit: the text, inspect and tracebacks say what ran; what was changed is named; a reload reads anew."""
    guest.write_text("VALUE = 'old'\n\ndef fail():\n    raise ValueError(VALUE)\n")
    script = HOOKED + (
        "import importlib, inspect, pathlib, traceback\n"
        "path = pathlib.Path(guest.part.__file__)\n"
        "path.touch()\n"
        "assert loaded.changed() == []\n"
        "path.write_text('# another line\\nVALUE = 7\\n')\n"
        "assert loaded.changed() == [('guest.part', path)]\n"
        "assert 'old' in loaded.text_of('guest.part') and 'raise' in inspect.getsource(guest.part.fail)\n"
        "guest.part.__spec__.loader.get_code('guest.part')\n"
        "assert 'old' in loaded.text_of('guest.part')\n"
        "try:\n    guest.part.fail()\nexcept ValueError:\n    said = traceback.format_exc()\n"
        "assert said.count('File') == 2 and 'raise ValueError(VALUE)' in said, said\n"
        "importlib.reload(guest.part)\n"
        "assert guest.part.VALUE == 7 and '# another line' in loaded.text_of('guest.part')\n"
        "path.unlink()\n"
        "assert loaded.changed() == [('guest.part', path)]\n"
    )
    assert python(tmp_path, "-c", script) == ""


def test_what_python_loaded_by_itself_is_trusted_only_if_it_can_be_shown(guest, tmp_path):
    time.sleep(0.2)  # the file is older than the process
    late = "import guest.part; from tshdb import loaded; print(loaded.text_of('guest.part'))"
    assert python(tmp_path, "-c", late) == "VALUE = 'old'"
    edited_unseen(guest, "old", "new")
    time.sleep(0.2)
    refused = "may have been changed since it was loaded: import tshdb before guest"
    assert refused in python(tmp_path, "-c", late, code=1), "the compiled code that Python ran is of another text"
    edits = "import guest.part; open(guest.part.__file__, 'a').close(); import os; os.utime(guest.part.__file__); "
    assert refused in python(tmp_path, "-c", edits + late, code=1)


def test_a_package_that_imports_this_one_is_known_by_the_code_that_is_running(guest, tmp_path):
    beginning = guest.parent / "__init__.py"
    beginning.write_text("from tshdb import loaded\nfrom pathlib import Path\n\nVALUE = 1\n")
    show = "import guest; print(guest.loaded.text_of('guest').count('VALUE = 1'))"
    assert python(tmp_path, "-c", show) == "1"
    edits = "import guest; guest.Path(guest.__file__).write_text('VALUE = 2'); guest.loaded.text_of('guest')"
    assert "may have been changed" in python(tmp_path, "-c", edits, code=1)


def test_other_ways_to_import_work_as_before(guest, tmp_path):
    """A module that is run, one without a package, a folder without __init__, an archive, a module that is not there."""
    guest.write_text("print(__name__)\n")
    run = "import runpy; from tshdb import loaded; loaded.watch('guest'); runpy.run_module('guest.part', run_name='it')"
    assert python(tmp_path, "-c", run) == "it"
    (tmp_path / "spread" / "deep").mkdir(parents=True)
    (tmp_path / "spread" / "deep" / "leaf.py").write_text("VALUE = 3\n")
    (tmp_path / "alone.py").write_text("VALUE = 4\n")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed/__init__.py", "VALUE = 5\n")
    script = (
        "import importlib, sys; sys.path.append('packed.zip')\n"
        "from tshdb import loaded\n"
        "for name in ('spread', 'alone', 'packed', 'json', 'sys', 'nowhere'): loaded.watch(name)\n"
        "import alone, packed, spread.deep.leaf\n"
        "print(packed.VALUE, loaded.text_of('alone'), loaded.text_of('spread.deep.leaf'))\n"
        "for name in ('packed', 'spread', 'sys'):\n"
        "    try: assert loaded.text_of(name) == '', 'a folder without a file of its own'\n"
        "    except LookupError as error: print(error)\n"
        "try: loaded.text_of('nowhere')\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    said = python(tmp_path, "-c", script).split("\n")
    assert said == [
        "5 VALUE = 4", " VALUE = 3", "", "packed has no source text", "sys has no source text",
        "No module named 'nowhere'",
    ]  # fmt: skip
