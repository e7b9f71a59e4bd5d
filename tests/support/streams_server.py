"""Runs every command of the program where its output, its home, its folder of temporary files or its own folder fails: a
program of its own, which forks after its imports. Each fork ends as the program does, by way of the interpreter's own end.

    python -m tests.support.streams_server FOLDER TEMPLATE EVERY FIRST [WORD]...

TEMPLATE: a study. Of all pairs of a command and a trouble every EVERY-th is run, from FIRST on; WORDs: these commands alone.
Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.in_time import in_time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS"):
    os.environ[variable] = "1"

WORDS: dict[str, tuple[str, ...]] = {  # of commands for which the values below are none, or too much work
    "move": ("--to", "sqlite:///moved.db"), "why": ("tsh_ratios/TCGA-TN-0001",), "lineage": ("tsh_ratios", "TCGA-TN-0001"),
    "drift": ("cutoff",), "diff": ("1", "2"), "sql": ("SELECT * FROM tsh_ratios",), "browse": ("--port", "70000"),
    "table": ("2",), "figure": ("km",), "withdraw": ("TCGA-TN-0001", "--reason", "consent"), "restore": ("../none", "../made"),
    "simulate": ("../made", "--patients", "1", "--genes", "120", "--no-images"), "demo": ("raw",), "checklist": ("remark",),
    "multiverse": ("raw/none.toml",), "report": ("--out", "../report.html"), "trust": ("--list",), "docs": (),
    "ingest rna": ("raw/expression.csv", "--collection", "tcga-tn", "--unit", "rsem", "--scale", "linear"),
    "ingest tcga-brca": ("--from", "raw", "--dry-run"), "ingest ispy1": ("--from", "raw", "--dry-run"),
    "ingest breast-mri-nact-pilot": ("--from", "raw", "--dry-run"), "cohort export": ("{cohort}", "--out", "../members.csv"),
    "cohort diff": ("{cohort}@1", "{cohort}@1"), "cohort define": ("another", "cohorts/{cohort}.sql"),
    "model show": ("cutoff/{cohort}@1",), "model diff": ("cutoff/{cohort}@1", "cutoff/{cohort}@1"),
    "model leakage": ("cutoff/{cohort}@1",), "export study": ("../bundle.zip",), "schema": ("patients",),
    "truth add": ("t", "--relation", "same", "--at-least", "0.9", "--derived", "tsh_ratios.value"),
    "new analysis": ("older_patients",), "check": ("--fast",), "rebuild": ("tsh_ratios",),
    "ingest folder": ("raw", "--collection", "tcga-tn", "--dry-run"),
}  # fmt: skip
VALUES = {  # name of an argument that is required -> its value
    "folder": "../made", "file": "raw/clinical.tsv", "path": "raw", "source": "../none", "out": "../made", "target": "../made",
    "bundle": "../none.zip", "patient": "TCGA-TN-0001", "name": "{cohort}",
}  # fmt: skip
COLLECTION = ("--collection", "tcga-tn")
DOCUMENTED = {0, 2, 3, 4, 5, 6, 7, 8}
ENDS = 20.0  # seconds


def commands() -> dict[str, list[str]]:
    """Every command of the program, with words to run it by: as the program itself lists them."""
    import typer.main

    from cli.described import walk
    from cli.main import app
    from tests.support import tiny

    found = {}
    for path, command in walk(typer.main.get_command(app), "tshdb"):
        _, *names = path.split()
        name = " ".join(names)
        needed = [p for p in command.params if p.required]
        arguments = [VALUES[p.name] for p in needed if p.param_type_name == "argument"] if name not in WORDS else []
        options = COLLECTION if any(p.name == "collection" for p in needed) else ()
        words = WORDS.get(name, (*arguments, *options))
        found[name] = [*names, *(word.replace("{cohort}", tiny.COHORT) for word in words)]
    return found


TROUBLES = (
    "out full",
    "out closed",
    "err full",
    "err closed",
    "both full",
    "no home",
    "no tmp",
    "tmp full",
    "no folder",
    "no encoding",
)


class Place:
    """A folder with a copy of the study, in which one command runs."""

    def __init__(self, folder: Path, template: Path):
        self.folder, self.template = folder / "place", template

    def fresh(self) -> Path:
        for path in (self.folder, self.folder.with_name("gone")):
            shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self.template, self.folder / "study")
        (self.folder / "tmp").mkdir()
        (self.folder / "home").mkdir()
        return self.folder

    def run(self, words: list[str], trouble: str = "") -> tuple[int, str, str]:
        """Exit code, what came on stdout and on stderr, as far as it could."""
        place = self.fresh()
        out, err = place / "out", place / "err"
        child = os.fork()
        if child == 0:
            prepare(place, out, err, trouble)
            sys.argv = ["tshdb", *words]
            from tshdb.start import main

            main()  # its end is that of this process
            sys.exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code, out.read_text(errors="replace"), err.read_text(errors="replace")


def prepare(place: Path, out: Path, err: Path, trouble: str) -> None:
    """Make it so in this process."""
    import io

    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(HOME=str(place / "home"), TMPDIR=str(place / "tmp"), TSHDB_STUDY=str(place / "study"))
    for name in ("TSHDB_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        os.environ.pop(name, None)
    os.chdir(place / "study")
    full, nobody = os.open("/dev/full", os.O_WRONLY), closed_pipe()
    if trouble in ("out full", "both full"):
        os.dup2(full, 1)
    if trouble == "out closed":
        os.dup2(nobody, 1)
    if trouble in ("err full", "both full"):
        os.dup2(full, 2)
    if trouble == "err closed":
        os.dup2(nobody, 2)
    if trouble == "no home":
        os.environ["HOME"] = "/dev/null/home"
    if trouble == "no tmp":
        os.environ["TMPDIR"] = str(place / "none")
    if trouble == "no folder":
        gone = place / "gone"
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()
    if trouble == "tmp full":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place / "tmp"], check=True)
    encoding = "ascii" if trouble == "no encoding" else "utf-8"
    sys.stdin = open(0, closefd=False)
    sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), encoding=encoding)
    sys.stderr = io.TextIOWrapper(
        open(2, "wb", closefd=False), encoding=encoding, errors="backslashreplace", line_buffering=True
    )


def closed_pipe() -> int:
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


BAD = re.compile(r"Traceback|Exception ignored|During handling|Error in sys\.|lost sys\.stderr")


def judged(trouble: str, plain: tuple[int, str, str], now: tuple[int, str, str]) -> list[str]:
    """What is wrong with how a command ended under a trouble, beside how it ends without."""
    (code, printed, _), (ended, out, err) = plain, now
    allowed = {code}
    if trouble in ("out full", "both full"):
        allowed = {6} if printed else {code}
    elif trouble == "out closed" and printed:
        allowed = {0, code}
    elif trouble in ("no home", "no tmp", "tmp full"):
        allowed = {code, 6}
    elif trouble in ("no folder", "no encoding"):
        allowed = DOCUMENTED
    found = [] if ended in allowed else [f"it ends with {ended}, not {sorted(allowed)}"]
    if BAD.search(out + err):
        found.append("it says " + BAD.search(out + err)[0])
    if trouble == "out full" and printed and "No space left on device" not in err:
        found.append("it does not say that its output failed")
    return [f"{each}: {(err or out).strip()[-300:]}" for each in found]


def load() -> None:
    """Import what most commands import inside of them: once, before the forks."""
    import lifelines  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    import analyses  # noqa: F401
    import cli.main  # noqa: F401
    from tests.support import tiny  # noqa: F401
    from tshdb import query  # noqa: F401
    from tshdb.actions import checking, planning, rebuilding  # noqa: F401


def main(folder: Path, template: Path, every: int, first: int, only: list[str], seed: int | None = None) -> dict:
    """seed: of the order of the pairs, which are tried as long as there is time."""
    load()
    place, wrong, n = Place(folder, template), [], 0
    can_mount = os.geteuid() == 0 and shutil.which("mount") is not None
    known = {name: words for name, words in commands().items() if not only or name in only}
    pairs = [(name, trouble) for name in known for trouble in TROUBLES]
    plain: dict[str, tuple[int, str, str]] = {}
    if seed is not None:
        random.Random(f"streams/{seed}").shuffle(pairs)
    pairs = pairs[first::every]
    for name, trouble in in_time(pairs):
        if trouble == "tmp full" and not can_mount:
            continue
        if name not in plain:
            plain[name] = place.run(known[name])
            if plain[name][0] not in DOCUMENTED or BAD.search(plain[name][2]):
                wrong.append(f"{name}: without any trouble it ends with {plain[name][0]}: {plain[name][2][-300:]}")
        n += 1
        wrong += [
            f"{name}, {trouble}: {each}" for each in judged(trouble, plain[name], place.run(known[name], trouble))
        ]
        if trouble == "tmp full":
            subprocess.run(["umount", "-l", place.folder / "tmp"], check=False)
    return {
        "n": n,
        "of": len(pairs),
        "commands": len(known),
        "wrong": wrong,
        "codes": {name: code for name, (code, _, _) in plain.items()},
    }


if __name__ == "__main__":
    where, of, step, start, *words = sys.argv[1:]
    drawn = os.environ.get("TSHDB_TEST_SEED")
    answer = main(Path(where), Path(of), int(step), int(start), words, int(drawn) if drawn else None)
    print(json.dumps(answer))
