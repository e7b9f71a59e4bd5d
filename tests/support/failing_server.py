"""Has commands fail at a call of the system, or for want of room or memory, looks at what is left, and runs them again: a program
of its own, which forks after its imports and runs with failing_calls.c loaded before the C library.

    python -m tests.support.failing_server FOLDER     reads FOLDER/trials.json, writes FOLDER/answers.jsonl

A trial: {"command": of COMMANDS, "how": of WAYS, and that way's own settings}. An answer: {"trial", "n_calls", "n_failed",
"call", "path", "code", "said", "complaints"}.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS"):
    os.environ[variable] = "1"

from tests.support import crash_server, tiny, write_order  # noqa: E402
from tests.support.in_time import in_time  # noqa: E402
from tshdb.study import Study  # noqa: E402

CALLS = ctypes.CDLL(None)
CALLS.fail_arm.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_long, ctypes.c_int, ctypes.c_int]
CALLS.fail_chance.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_double, ctypes.c_ulonglong, ctypes.c_int]
CALLS.fail_log.argtypes = [ctypes.c_char_p, ctypes.c_int]
CALLS.fail_clock.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_long]
CALLS.fail_seen.restype = CALLS.fail_failed.restype = ctypes.c_long
CALLS.fail_call.restype = CALLS.fail_path.restype = ctypes.c_char_p

OPENS, WRITES, SYNCS, NAMES, READS, LOOKS, REMOVES = (1 << i for i in range(7))
KINDS = {  # which calls can fail so
    "ENOSPC": OPENS | WRITES | SYNCS | NAMES,
    "EIO": OPENS | WRITES | SYNCS | NAMES | READS | LOOKS | REMOVES,
    "EACCES": OPENS | LOOKS | NAMES | REMOVES,
    "EMFILE": OPENS | LOOKS,
}
NAMED = ("univariable_cox", "cutoff", "survival_groups")  # of tiny.CORE, what rests on all others
RNA = ("--collection", "tcga-tn", "--unit", "rsem", "--scale", "linear")
WHO = "TCGA-TN-0003"
COMMANDS: dict[str, tuple[str, tuple[str, ...]]] = {  # name -> the state that it begins in, its words
    "ingest": ("written", ("ingest", "rna", "raw/expression.csv", *RNA)),
    "images": ("written", ("ingest", "dicom", "raw/images", "--collection", "tcga-tn")),
    "rebuild": ("ingested", ("rebuild", *NAMED)),
    "report": ("whole", ("report", "--out", "report.html")),
    "backup": ("whole", ("backup", "../backups")),
    "withdraw": ("whole", ("withdraw", WHO, "--reason", "consent")),
    "table": ("whole", ("sql", "SELECT * FROM tsh_ratios ORDER BY patient_id", "--format", "parquet", "--out", "ratios.parquet")),
    "bundle": ("whole", ("export", "study", "../bundle.zip")),
}  # fmt: skip
DONE = 0
PAGE = os.sysconf("SC_PAGE_SIZE")
RESOURCE, FAILED, DAMAGED = 6, 3, 5
DONE_ALREADY = {"withdraw": 8, "bundle": 7}  # nobody is there any more; the file is there


# ------------------------------------------------------------------------------------------------------------- states


def begin(folder: Path) -> dict[str, Path]:
    """The states that commands begin in, each a folder with a `study` and its own temporary files and account."""
    study = tiny.new_study(folder / "spring" / "study", analyses=tiny.CORE)
    tiny.ingest(study, crash_server.spring())
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study, tiny.CORE)
    study.engine.dispose()
    (folder / "spring" / "tmp").mkdir()
    autumn = crash_server.autumn()
    written = Study(crash_server.copied(folder / "spring", folder / "written") / "study")
    autumn.write(written.root / "raw")
    autumn.change("TCGA-TN-0001", images=2)
    autumn.write_images(written.root / "raw" / "images")
    ingested = Study(crash_server.copied(folder / "spring", folder / "ingested") / "study")
    tiny.ingest(ingested, autumn, images=False)
    whole = Study(crash_server.copied(folder / "ingested", folder / "whole") / "study")
    tiny.rebuild(whole, tiny.CORE)
    for each in (ingested, whole):
        each.engine.dispose()
    return {name: folder / name for name in ("written", "ingested", "whole")}


def program(folder: Path, words: tuple[str, ...], limited: Callable[[], None] = lambda: None) -> int:
    """The command line in a forked child, as a user runs it in the study; gives its exit code. What it says is in out and err
    beside the folder."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        os.chdir(folder / "study")
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(folder.with_suffix(f".{name}"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), number)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False, buffering=1)
        os.environ.update(TMPDIR=str(folder / "tmp"), TSHDB_HOME=str(folder / "account"))
        import tempfile

        from cli.main import main

        tempfile.tempdir = None
        sys.argv = ["tshdb", *words]
        limited()
        code = DONE
        main()
    except SystemExit as stopped:
        code = int(stopped.code or DONE)
    except BaseException:
        code = 1
        sys.excepthook(*sys.exc_info())
    finally:
        CALLS.fail_end()
        try:
            sys.stdout.flush()
        finally:
            os._exit(code)
    return code


def said(folder: Path) -> str:
    return folder.with_suffix(".err").read_text(errors="replace")


# ----------------------------------------------------------------------------------------------------- how it fails


def at_call(folder: Path, trial: dict) -> Callable[[], None]:
    """The call number `at` fails with `errno`; is_lasting: and all after it."""
    number, kinds = getattr(errno, trial["errno"]), KINDS[trial["errno"]]
    return lambda: CALLS.fail_arm(os.fsencode(folder), kinds, trial["at"], number, trial["is_lasting"])


def by_chance(folder: Path, trial: dict) -> Callable[[], None]:
    """Each call fails with a probability."""
    number, kinds = getattr(errno, trial["errno"]), KINDS[trial["errno"]]
    return lambda: CALLS.fail_chance(os.fsencode(folder), kinds, trial["p"], trial["seed"], number)


def file_size(folder: Path, trial: dict) -> Callable[[], None]:
    """No file grows beyond so many bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (trial["bytes"], trial["bytes"]))


def memory(folder: Path, trial: dict) -> Callable[[], None]:
    """So many bytes can be mapped beyond those that are."""
    from tshdb.system import limit_more_memory

    return lambda: limit_more_memory(trial["bytes"])


def clock(folder: Path, trial: dict) -> Callable[[], None]:
    """After so many calls the clock of the day goes wrong by so many seconds."""
    return lambda: CALLS.fail_clock(os.fsencode(folder), trial["at"], trial["seconds"])


def nothing(folder: Path, trial: dict) -> Callable[[], None]:
    """Nothing fails."""
    return lambda: None


WAYS = {
    "call": at_call,
    "chance": by_chance,
    "size": file_size,
    "memory": memory,
    "clock": clock,
    "room": nothing,
    "none": nothing,
}


# ------------------------------------------------------------------------------------------------------------- trials


class Trials:
    """Commands and what they come to when nothing fails."""

    def __init__(self, folder: Path):
        self.folder, self.states = folder, begin(folder)

    @cache  # noqa: B019 - it lives as long as the program
    def reference(self, command: str) -> dict:
        """What a run comes to in which nothing fails."""
        place = self._copy(command, self.folder / "reference")
        code = program(place, COMMANDS[command][1])
        assert code == DONE, f"{command}: {code} {said(place)}"
        return self._outcome(place)

    def _copy(self, command: str, target: Path) -> Path:
        return crash_server.copied(self.states[COMMANDS[command][0]], target)

    def _outcome(self, place: Path) -> dict:
        """Tables, objects and files, without what bears a time."""

        def look() -> dict:
            study = Study(place / "study")
            rows = tiny.dump(study)
            study.engine.dispose()
            return rows

        return {**in_child(place, look), "files": files_of(place), "objects": objects_of(place)}

    def order(self, trial: dict) -> dict:
        """A run in which every call is written down: what was in the wrong order."""
        place, log = self._copy(trial["command"], self.folder / "trial"), self.folder / "calls.log"
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        had = set(objects_of(place))
        code = program(place, COMMANDS[trial["command"]][1], lambda: CALLS.fail_log(os.fsencode(place), handle))
        os.close(handle)
        new = set(objects_of(place)) - had
        n, found = write_order.judged(log.read_text().splitlines(), place / "study")
        if code != DONE or n < len(new):
            found.append(f"it ends with {code}; {n} objects were seen of {len(new)}")
        return {"trial": trial, "code": code, "n_objects": n, "said": said(place), "complaints": found}

    def run(self, trial: dict) -> dict:
        """One trial: what was wrong with it."""
        if trial["how"] == "log":
            return self.order(trial)
        command = trial["command"]
        state, words = COMMANDS[command]
        reference = self.reference(command)
        room = trial["how"] == "room"
        place = self.folder / "trial"
        before = files_of(self.states[state])
        with small_disk(place, taken_by(self.states[state]) + trial["bytes"]) if room else plain(place):
            copy_into(self.states[state], place)
            counted = place.with_suffix(".count")
            counted.unlink(missing_ok=True)
            arm = WAYS[trial["how"]](place, trial)
            code = program(place, words, counting(arm, counted))
            answer = {"trial": trial, "code": code, "said": said(place)} | json.loads(counted.read_text() or "{}")
            may_leave = trial.get("is_lasting", trial["how"] == "chance")  # what cannot be opened cannot be taken away
            found = [*judged(trial, answer, place), *self._between(place, before, reference, may_leave)]
            if room:
                grow(place)
            again = program(place, words)
            if again != DONE and again != DONE_ALREADY.get(command):
                found.append(f"run again it ends with {again}: {said(place)[-600:]}")
            ours = self._outcome(place)
            found += [f"{what} differ in the end" for what in reference if ours[what] != reference[what]]
        return answer | {"complaints": found}

    def _between(self, place: Path, before: dict, after: dict, may_leave: bool) -> list[str]:
        """What must hold when the command has failed. may_leave: temporary files."""
        found = in_child(place, lambda: [*crash_server.complaints(place / "study"), *broken(place / "study")])
        for name, digest in files_of(place).items():
            if digest not in (before.get(name), after["files"].get(name)):
                found.append(f"{name} is neither what it was nor what it will be")
        if not may_leave and (left := [p for p in (place / "tmp").rglob("*") if p.is_file()]):
            found.append(f"temporary files are left: {left[:3]}")
        return found


def counting(arm: Callable[[], None], to: Path) -> Callable[[], None]:
    """Arm, and write down what was counted when the process ends."""
    to.write_text("")
    handle = os.open(to, os.O_WRONLY)

    def armed() -> None:
        original = os._exit

        def ended(code: int) -> None:
            counts = {"n_calls": CALLS.fail_seen(), "n_failed": CALLS.fail_failed(),
                      "call": CALLS.fail_call().decode(), "path": os.fsdecode(CALLS.fail_path())}  # fmt: skip
            if os.getpid() == me:
                resource.setrlimit(resource.RLIMIT_FSIZE, resource.getrlimit(resource.RLIMIT_FSIZE)[1:] * 2)
                os.write(handle, json.dumps(counts).encode())
            original(code)

        me = os.getpid()
        os._exit = ended
        arm()

    return armed


def judged(trial: dict, answer: dict, place: Path) -> list[str]:
    """How it ended and what it said."""
    code, text = answer["code"], answer["said"]
    if code == DONE:
        return []
    if trial["how"] == "clock":
        return [f"it ends with {code}"]
    found = []
    if code == DAMAGED and trial.get("errno") == "EIO" and "or its disk cannot be read" in text:
        code = RESOURCE  # SQLite takes a page that cannot be read for a damaged one, and we say both
    elif code not in (RESOURCE, FAILED):
        found.append(f"it ends with {code}")
    for word in ("Traceback", "Exception ignored", "Error in "):
        if word in text:
            found.append(f"it says {word}")
    last = (text.strip().splitlines() or [""])[-1]
    if code == RESOURCE and not last.startswith("tshdb: "):
        found.append("its last line is not that of the error")
    if code == RESOURCE and trial["how"] in ("call", "chance"):
        number = getattr(errno, trial["errno"])
        if os.strerror(number) not in last and not re.search(
            r"disk is full|disk I/O error|disk cannot be read|unable to open|readonly", last
        ):
            found.append("it does not say what failed")
        if not re.search(r"[\w.-]+/[\w./-]+|[\w-]+\.(db|toml|html|csv|parquet|zip)|\.{3}", last):
            found.append("it names no path")
    return found


def broken(root: Path) -> list[str]:
    """The promises of the study that do not hold."""
    from tshdb.actions.checking import check

    study = Study(root)
    found = [
        f"check {b.rule.name}: {b.problems[0].where} {b.problems[0].found}"
        for b in check(study).broken
        if not b.rule.is_warning
    ]
    study.engine.dispose()
    return found


TIMED = re.compile(r"\d{8}T\d{6}\.\d{3}Z")
UNSTEADY = re.compile(
    r"study\.db.*|.*\.tshdb.*|\.withdrawal-key|withdrawals/.*|tmp/.*|account/.*|costs.*|ingest-\d+\.html|reports/.*"
)


def files_of(place: Path) -> dict[str, str]:
    """Files under final names -> SHA-256; without databases, objects, and what bears a time or a random key."""
    found = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        own = name.removeprefix("study/")
        if path.is_file() and not path.is_symlink() and not UNSTEADY.fullmatch(own) and not own.startswith("objects/"):
            if path.name.startswith(".") or "/." in name or TIMED.search(name) or path.suffix == ".zip":
                continue
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def objects_of(place: Path) -> list[str]:
    return sorted(p.name for p in (place / "study" / "objects").glob("??/*"))


def in_child(place: Path, function: Callable):
    """What a function gives, computed in a child, so that nothing of it stays here."""
    answer = place.with_suffix(".answer")
    answer.unlink(missing_ok=True)
    status = crash_server.status_of(crash_server.forked(lambda: answer.write_text(json.dumps(function()))))
    assert status == 0, crash_server.ERRORS.read_text() if crash_server.ERRORS.exists() else "a child died"
    return json.loads(answer.read_text())


# -------------------------------------------------------------------------------------------------------------- disks


class plain:
    """A folder of the disk that there is."""

    def __init__(self, place: Path):
        shutil.rmtree(place, ignore_errors=True)

    def __enter__(self) -> None: ...

    def __exit__(self, *_) -> None: ...


class small_disk:
    """A file system in memory that has so many bytes besides what is copied into it."""

    def __init__(self, place: Path, n_bytes: int):
        self.place, self.n_bytes = place, n_bytes

    def __enter__(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.n_bytes}", "tmpfs", self.place], check=True)

    def __exit__(self, *_) -> None:
        subprocess.run(["umount", "-l", self.place], check=True)


def taken_by(folder: Path) -> int:
    """Bytes that a copy takes on a disk of whole pages, folders among them."""
    return sum(-(-max(1, p.lstat().st_size) // PAGE) * PAGE for p in folder.rglob("*")) + PAGE


def grow(place: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=1g", place], check=True)


def copy_into(source: Path, place: Path) -> None:
    shutil.copytree(source, place, dirs_exist_ok=True)


def load() -> None:
    """Import what commands import inside of them: once, before the forks."""
    import importlib
    import pkgutil

    import analyses
    import cli
    import ingest
    import tshdb

    for package in (cli, tshdb, analyses, ingest):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


if __name__ == "__main__":
    load()
    where = Path(sys.argv[1])
    trials = Trials(where)
    with (where / "answers.jsonl").open("w", buffering=1) as answers:
        for wanted in in_time(json.loads((where / "trials.json").read_text())):
            answers.write(json.dumps(trials.run(wanted)) + "\n")
