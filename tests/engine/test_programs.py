"""A program that computes an analysis: what it is given, how it fails, how it ends, and what is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.support.program import ROOT
from tests.support.programs.by_shell import MeanByShellParameters, mean_by_shell
from tshdb.engine.outside.call import call
from tshdb.engine.outside.record import Failed
from tshdb.errors import InvalidInput

RATIOS = pd.DataFrame(
    {"patient_id": ["P1", "P1", "P2"], "population": ["T", "B", "T"], "value": [0.1, 0.2, None], "unit": "tpm"}
)
HEADER = "patient_id,mean,n,is_high,note\n"


def run(script: str, ratios: pd.DataFrame = RATIOS, **options) -> pd.DataFrame:
    """What a script makes of the ratios. options: of its program."""
    record = replace(mean_by_shell, program=replace(mean_by_shell.program, **options))
    inputs = {"ratios": ratios, "params": MeanByShellParameters(), "seeds": {"P1": 2**32 - 1}}
    return call(record, inputs, {"mean.sh": script})


def writing(result: str) -> str:
    return f"cat > result.csv <<'END'\n{result}END\n"


@pytest.fixture(autouse=True)
def _no_folder_is_left(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield
    assert list(folder.glob("tshdb-program-*")) == []


def test_a_script_computes():
    # by hand: (0.1 + 0.2) / 2; P2 has no value
    frame = mean_by_shell(RATIOS, params=MeanByShellParameters(factor=2.0), seeds={})
    assert frame.to_dict("records") == [
        {"patient_id": "P1", "mean": pytest.approx(0.3), "n": 2, "is_high": True, "note": None}
    ]


def test_it_sees_its_folder_and_nothing_of_the_user(monkeypatch):
    monkeypatch.setenv("SECRET", "of the user")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    frame = run(
        "env | sort | cut -d= -f1 | grep -v -e ^PWD -e ^_ -e ^SHLVL -e ^OLDPWD | tr '\\n' ' ' > note\n"
        'test "$HOME" = "$PWD" && test "$TMPDIR" = "$PWD" && test "$LANG" = C.UTF-8 || exit 9\n'
        "ls | tr '\\n' ' ' >> note\n" + f'printf \'{HEADER}P1,1,1,TRUE,"%s"\\n\' "$(cat note)" > result.csv\n'
    )
    assert frame["note"].tolist() == [
        "BLIS_NUM_THREADS HOME LANG MKL_NUM_THREADS OMP_NUM_THREADS OPENBLAS_NUM_THREADS PATH TMPDIR TZ "
        "VECLIB_MAXIMUM_THREADS columns.csv mean.sh note parameters.csv parameters.json ratios.csv seeds.csv tshdb.R "
    ]


def test_it_is_given_parameters_seeds_and_types():
    script = "cat parameters.json parameters.csv seeds.csv columns.csv >&2; exit 1"
    with pytest.raises(Failed) as failed:
        run(script)
    said = str(failed.value)
    # 2^32 - 1 modulo 2^31 - 1 is 1, and R takes no larger number than 2^31 - 1
    assert '"seeds","seed","integer"' in said and '"ratios","value","double"' in said
    with pytest.raises(Failed, match=r'"factor": 1\.0'):
        run("cat parameters.json >&2; exit 1")
    with pytest.raises(Failed, match=r'"P1",1$'):
        run("cat seeds.csv >&2; exit 1")


FAILS = {
    "an exit code": ("echo one >&2; echo two >&2; exit 3", {}, "it ended with exit code 3. It said: one | two"),
    "a hang": ("sleep 100", {"seconds": 0.5}, "it ran longer than 0.5 seconds and was ended. It said nothing"),
    "a signal": ("kill -9 $$", {}, "it was killed by signal 9. It said nothing"),
    "no result": ("true", {}, "mean_by_shell wrote no result.csv"),
    "an empty result": (": > result.csv", {}, "result.csv is empty: not even its columns stand there"),
    "half a file": (
        f"printf '{HEADER}P1,1,1,TRUE,NA\\nP2,0.' > result.csv", {}, "result.csv ends in the middle of a line",
    ),
    "half a row": (writing(HEADER + "P1,1\n"), {}, "result.csv row 1 has 2 values, and there are 5 columns"),
    "another column": (
        writing("patient_id,mean,n,is_high,nota\nP1,1,1,TRUE,NA\n"), {}, "result.csv has the column nota; xs_means has",
    ),
    "the names of rows": (
        writing('"",patient_id,mean,n,is_high,note\n1,P1,1,1,TRUE,NA\n'), {}, "a column without a name (in R: row.names",
    ),
    "a column too few": (writing("patient_id,mean,n,is_high\nP1,1,1,TRUE\n"), {}, "lacks the column note of xs_means"),
    "a text": (writing(HEADER + "P1,high,1,TRUE,NA\n"), {}, "row 1: mean is 'high', and double was expected"),
    "a fraction": (writing(HEADER + "P1,1,1.5,TRUE,NA\n"), {}, "row 1: n is '1.5', and integer was expected"),
    "no boolean": (writing(HEADER + "P1,1,1,1,NA\n"), {}, "row 1: is_high is '1', and boolean was expected"),
    "nothing": (writing(HEADER + "P1,NA,1,TRUE,NA\n"), {}, "row 1: mean is missing, and may not be"),
    "not a number": (writing(HEADER + "P1,NaN,1,TRUE,NA\n"), {}, "row 1: mean is missing, and may not be"),
    "a row twice": (writing(HEADER + "P1,1,1,TRUE,NA\n" * 1 + "P1,2,1,TRUE,NA\n"), {}, "two rows of patient_id P1"),
    "no CSV": (writing(HEADER + 'P1,1,1,TRUE,a "b"\n'), {}, "line 2: a quotation mark"),
    "no text": ("printf '\\377\\n' > result.csv", {}, "result.csv is no text in UTF-8: byte 1"),
    "a link": ("ln -s /etc/passwd result.csv", {}, "wrote no result.csv"),
    "no command": (
        "true", {"command": ("no-such-program", "mean.sh")},
        "the command 'no-such-program' cannot be started here: No such file or directory. Install it",
    ),
    "too much memory": (
        f"{sys.executable} -I -S -c 'b = bytearray(4 << 30)'", {"memory_gb": 0.5}, "It said: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILS)
def test_what_goes_wrong_is_said_in_one_line(name):
    script, options, says = FAILS[name]
    with pytest.raises((Failed, ValueError)) as failed:
        run(script, **options)
    assert says in str(failed.value) and "\n" not in str(failed.value)
    if name == "too much memory":
        assert "MemoryError" in str(failed.value)


def test_much_that_is_printed_harms_nothing():
    noise = "i=0; while [ $i -lt 160 ]; do head -c 65536 /dev/zero | tr '\\0' x; head -c 65536 /dev/zero >&2; i=$((i+1)); done"
    frame = run(noise + "\n" + writing(HEADER + 'P1,1e+00,1e+05,false,"NA"\n'))
    assert frame.to_dict("records") == [{"patient_id": "P1", "mean": 1.0, "n": 100_000, "is_high": False, "note": "NA"}]
    with pytest.raises(Failed) as failed:
        run(f"{noise}; echo the end >&2; exit 1")
    assert str(failed.value).endswith("the end") and len(str(failed.value)) < 1000


def test_parquet():
    pyarrow = "import pyarrow.parquet as p; t = p.read_table('ratios.parquet').to_pylist(); import pyarrow as a\n"
    made = (
        "p.write_table(a.table({'patient_id': ['P1'], 'mean': [t[0]['value'] + t[1]['value']], 'n': [2], "
        "'is_high': [None], 'note': ['x']}), 'result.parquet')"
    )
    frame = run(f'{sys.executable} -c "{pyarrow}{made}"', format="parquet")
    assert frame.to_dict("records") == [{"patient_id": "P1", "mean": 0.1 + 0.2, "n": 2, "is_high": None, "note": "x"}]
    with pytest.raises(ValueError, match=r"result\.parquet is no Parquet file"):
        run("echo no > result.parquet", format="parquet")


# ------------------------------------------------------------------------------------------------------------ its end

LONG_LIVED = "sleep 1000 & echo $! > {pids}; setsid sleep 1000 & echo $! >> {pids}; echo $$ >> {pids}; {then}"


def _are_alive(pids: Path) -> list[int]:
    alive = []
    for pid in map(int, pids.read_text().split()):
        try:
            os.kill(pid, 0)
            alive.append(pid)
        except ProcessLookupError:
            pass
    return alive


@pytest.mark.parametrize("then", ["wait", "exit 0", "exit 1"])
def test_its_children_end_with_it(tmp_path, then):
    pids = tmp_path / "pids"
    with pytest.raises((Failed, ValueError)):
        run(LONG_LIVED.format(pids=pids, then=then), seconds=1)
    assert len(pids.read_text().split()) == 3 and _are_alive(pids) == []


KILLED = """
import signal, tempfile; tempfile.tempdir = {folder!r}
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts jobs in the background without it
from tests.engine.test_programs import LONG_LIVED, run
run(LONG_LIVED.format(pids={pids!r}, then="wait"))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_whoever_asked(tmp_path, number):
    pids, folder = tmp_path / "pids", tmp_path / "temporary"
    folder.mkdir()
    code = KILLED.format(folder=str(folder), pids=str(pids))
    asking = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    _until(lambda: pids.is_file() and len(pids.read_text().split()) == 3)
    assert len(list(folder.iterdir())) == 1 and len(_are_alive(pids)) == 3
    asking.send_signal(number)
    asking.wait(20)
    _until(lambda: not _are_alive(pids) and not list(folder.iterdir()))


def test_a_worker_whose_parent_is_killed_ends_its_program(core, tmp_path):
    """kill -9 of a rebuild with two workers: neither workers nor programs stay."""
    pids, folder = tmp_path / "pids", tmp_path / "temporary"
    folder.mkdir()
    code = (
        "import sys; from tests.support import tiny; from tests.engine.test_programs import *\n"
        f"from tshdb.study import Study\n"
        "if __name__ == '__main__':\n"
        "    import tests.support.programs.by_shell as shell\n"
        f"    tiny.rebuild(Study(Path({str(core.root)!r})), (*tiny.CORE, shell.mean_by_shell), jobs=2)\n"
    )
    program = tmp_path / "rebuild.py"
    program.write_text(code)
    fake = tmp_path / "bin" / "awk"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\necho $$ $PPID >> {pids}\nexec sleep 1000\n")
    fake.chmod(0o755)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "PATH": f"{fake.parent}:{os.environ['PATH']}",
    }  # fmt: skip
    asking = subprocess.Popen([sys.executable, str(program)], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: pids.is_file() and len(pids.read_text().split()) >= 2, 60)
        workers = _children_of(asking.pid)
    finally:
        asking.kill()
        asking.wait(20)
    assert len(workers) >= 2
    _until(lambda: not _are_alive(pids) and not list(folder.glob("tshdb-program-*")))


def _children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _until(is_so, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


# ------------------------------------------------------------------------------------------------------- declared


def test_a_file_that_is_not_there_is_named(tmp_path, monkeypatch):
    package = tmp_path / "lab_of_tests"
    package.mkdir()
    (package / "__init__.py").touch()
    source = (ROOT / "tests/support/programs/by_shell.py").read_text().replace("xs_means", "lab_means")
    (package / "means.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InvalidInput, match=r"lab_of_tests/mean\.sh: the analysis mean_by_shell names this file"):
        import lab_of_tests.means  # noqa: F401


BAD = {
    "no words": ({"command": ()}, "command"),
    "a text": ({"files": "mean.sh"}, "files"),
    "upwards": ({"files": ("../mean.sh",)}, r"\.\./mean\.sh"),
    "absolute": ({"lock": "/etc/passwd"}, "/etc/passwd"),
    "ours": ({"files": ("result.csv",)}, r"result\.csv"),
    "a role's": ({"files": ("ratios.csv",)}, r"ratios\.csv"),
    "twice": ({"files": ("a.R", "a.R")}, "twice"),
    "format": ({"format": "xlsx"}, "xlsx"),
    "seconds": ({"seconds": 0}, "seconds"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_declaration_that_cannot_run_is_refused(name):
    options, says = BAD[name]
    with pytest.raises(TypeError, match=says):
        replace(mean_by_shell, program=replace(mean_by_shell.program, **options))
