"""The program as a process of its own, on studies of strangers, under strace: what its libraries and children open, too.

Of every kind of `tests.support.strangers` some commands that only read are run. No path outside of the study, the folders of
temporary files and caches, and what Python compiles beside its modules may be opened for writing, made, moved or removed; nothing
of the neighbour may be opened at all; no other program is started, and nobody is connected to.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from soak import Figure
from tests.support.in_time import in_time, tried

ROOT = Path(__file__).resolve().parents[1]
COMMANDS_A_KIND = int(os.environ.get("TSHDB_TRACED", "3"))
SECONDS = 240.0  # of one command; strace makes it several times as slow
CALLS = "%file,execve,connect"
TO_OPEN = frozenset({"open", "openat", "openat2", "creat"})
LOOKS = frozenset(
    {
        "access", "faccessat", "faccessat2", "stat", "stat64", "lstat", "newfstatat", "statx", "readlink", "readlinkat", "statfs",
        "getcwd", "chdir", "getxattr", "lgetxattr", "listxattr", "llistxattr", "inotify_add_watch", "name_to_handle_at",
    }
)  # fmt: skip
DEVICES = re.compile(
    r"/dev/(null|tty|pts/\d+|shm/sem\.[\w.-]+|shm/psm_[\w.-]+)|/proc/(self|thread-self|\d+)/.*|pipe:\[\d+\]"
)
ENDLESS = frozenset({"/dev/zero", "/dev/full", "/dev/random"})
PYTHON = tuple({os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, ROOT)})
PROGRAMS = frozenset({os.path.realpath(sys.executable)})
LINE = re.compile(
    r"(?:\[pid +\d+\] +|\d+ +)?(?P<call>\w+)\((?P<arguments>.*)\) += (?P<value>-?\d+|\?)(?:<(?P<place>[^>]*)>)?"
)
TEXT = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"')


class Call(NamedTuple):
    """A call of the system with a path.

    paths: whole, as they were asked for; place: what was opened, behind all links; None where it failed."""

    name: str
    paths: tuple[str, ...]
    arguments: str
    place: str | None

    @property
    def is_writing(self) -> bool:
        if self.name in TO_OPEN:
            return self.name == "creat" or bool(re.search(r"\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND)\b", self.arguments))
        return self.name not in LOOKS and self.name not in ("execve", "execveat", "connect")


def calls(text: str, folder: str = "/") -> Iterator[Call]:
    """What strace has written (-f -y) of a program begun in a folder. A call that another interrupts is in two lines, which
    are put together."""
    begun: dict[str, str] = {}
    gone: dict[str, str] = {}  # process -> the folder that it went to
    for line in text.splitlines():
        who = line.partition(" ")[0]
        if line.endswith(" <unfinished ...>"):
            begun[who] = line.removesuffix(" <unfinished ...>")
            continue
        if resumed := re.search(r"<\.\.\. \w+ resumed>(.*)", line):
            line = begun.pop(who, "") + resumed[1]
        if (found := LINE.match(line)) is None:
            continue
        arguments = found["arguments"].partition(", [")[0] if found["call"] == "execve" else found["arguments"]
        here = gone.get(who, folder)
        paths = tuple(
            os.path.join(here, each["folder"] or "", each["path"].encode().decode("unicode_escape"))
            for each in TEXT.finditer(arguments)
        )
        is_done = not found["value"].startswith("-")
        if found["call"] == "chdir" and is_done:
            gone[who] = paths[0]
        yield Call(found["call"], paths, found["arguments"], (found["place"] or "") if is_done else None)


def _lies_in(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def wrong_of(call: Call, own: tuple[str, ...], other: str) -> str:
    """What a call does that may not be. own: folders that the program may write; other: the neighbour's."""
    if call.name == "connect":
        return f"connect {call.arguments[:120]}"
    if call.name.startswith("execve"):
        is_there = call.place is not None
        return f"starts {call.paths[0]}" if is_there and os.path.realpath(call.paths[0]) not in PROGRAMS else ""
    if call.place is None and call.name in TO_OPEN:  # nothing was opened, nor made
        return ""
    places = [call.place] if call.place else [_real(path) for path in call.paths]
    for place in places:
        is_listing = (
            call.name in TO_OPEN and "O_DIRECTORY" in call.arguments
        )  # names alone: is it a folder of objects of ours?
        if _lies_in(place, (other,)) and call.name not in LOOKS and not is_listing:
            return f"{call.name} {place}"
        if place in ENDLESS:
            return f"{call.name} {place}"
        is_compiled = "__pycache__" in Path(place).parts and _lies_in(place, PYTHON)
        if call.is_writing and not (_lies_in(place, own) or is_compiled or DEVICES.fullmatch(place)):
            return f"{call.name} {place}"
    return ""


def _real(path: str) -> str:
    """Where a name lies; its last part is not followed, as calls that move and remove do not follow it."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


class Trial(NamedTuple):
    """One command on one study. n: calls that were seen."""

    code: int | None
    said: str
    n: int
    wrong: tuple[str, ...]


class Account:
    """A user's folders, which the program may write: home, temporary files, its own data; and the program as pip leaves it."""

    def __init__(self, folder: Path):
        self.folder, self.program = folder, folder / "tshdb"
        for name in ("account", "tmp", "home"):
            (folder / name).mkdir(parents=True)
        self.program.write_text("from cli.main import main\n\nmain()\n")
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "PYTHONDONTWRITE", "TSHDB_", "MPL"))},
            "PYTHONPATH": str(ROOT), "TSHDB_HOME": str(folder / "account"), "TMPDIR": str(folder / "tmp"),
            "HOME": str(folder / "home"),
        }  # fmt: skip

    def traced(self, command: tuple[str, ...], place: Path, other: Path) -> Trial:
        """Run the program under strace, as a shell in the study's folder would."""
        return self.watched([sys.executable, str(self.program), *command, "--study", str(place)], place, other)

    def watched(self, words: list[str], place: Path, other: Path) -> Trial:
        log = self.folder / "calls"
        strace = [
            "strace",
            "-f",
            "--seccomp-bpf",
            "-y",
            "-qq",
            "-s",
            "4096",
            "-e",
            f"trace={CALLS}",
            "-e",
            "signal=none",
        ]
        process = subprocess.Popen(
            [*strace, "-o", str(log), *words], cwd=place, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return Trial(None, "", 0, (f"did not end within {SECONDS:.0f} s",))
        seen = list(calls(log.read_text(errors="replace"), os.path.realpath(place)))
        own = tuple(os.path.realpath(p) for p in (place, self.folder))
        wrong = {w for call in seen if (w := wrong_of(call, own, os.path.realpath(other)))}
        return Trial(process.returncode, said, len(seen), tuple(sorted(wrong)))


def judged(trial: Trial) -> list[str]:
    """All that was wrong with it."""
    from tests.support.forked_program import DOCUMENTED
    from tests.support.strangers import CANARY

    wrong = list(trial.wrong)
    if trial.code is not None and trial.code not in DOCUMENTED:
        wrong.append(f"exit code {trial.code}: {trial.said[-600:]}")
    if "Traceback" in trial.said:
        wrong.append(f"a traceback: {trial.said[-600:]}")
    if CANARY in trial.said:
        wrong.append("what is the neighbour's is shown")
    return wrong


def why_not() -> str:
    """Why nothing can be traced here; empty where it can."""
    if shutil.which("strace") is None:
        return "there is no strace here"
    done = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=none", "true"], capture_output=True, check=False
    )
    return "strace may not trace here" if done.returncode else ""


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """seed: chooses the commands."""
    from tests.support import kept, templates
    from tests.support.strangers import COMMANDS, KINDS, received, state

    if said := why_not():
        yield Figure("left out", said)
        return
    made = os.environ.get("TSHDB_TEST_TEMPLATE")
    template = Path(made) if made else kept.copy_of("whole", templates.whole, folder / "template")
    user = Account(folder / "user")
    drawn, other = received(template, folder / "first")
    user.traced(
        ("report",), drawn, other
    )  # its drawings are kept; for the first of them a program of the system looks for fonts
    luck, codes, n_calls, n_touched, n_wrong = random.Random(seed), Counter[str](), 0, 0, 0
    kinds, n_kinds = luck.sample(list(KINDS.items()), len(KINDS)), 0
    for i, (kind, alter) in in_time(enumerate(kinds)):
        n_kinds += 1
        place, other = received(drawn, folder / f"kind-{i}")
        alter(place, other)
        before = state(other)
        for command in luck.sample(COMMANDS, min(COMMANDS_A_KIND, len(COMMANDS))):
            trial = user.traced(command, place, other)
            codes[str(trial.code)] += 1
            n_calls += trial.n
            for wrong in judged(trial):
                n_wrong += 1
                yield Figure("wrong", f"{kind}: {' '.join(command)}: {wrong}")
        n_touched += state(other) != before
        shutil.rmtree(folder / f"kind-{i}")
    n = sum(codes.values())
    yield Figure(f"calls with paths of {n} commands on {tried(n_kinds, len(KINDS))} kinds of studies", f"{n_calls:,}")
    yield Figure("exit codes", ", ".join(f"{code}: {k}" for code, k in sorted(codes.items())))
    yield Figure("neighbours that were changed", str(n_touched), "0", not n_touched)
    yield Figure("paths outside, other programs, connections, tracebacks", str(n_wrong), "0", not n_wrong)
