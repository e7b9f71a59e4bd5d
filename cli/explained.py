"""What there is to explain: the rules of findings, the promises that `tshdb check` tries, and exit codes, a page each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tshdb.errors import Exit

FINDING, PROMISE, CODE = "finding", "promise", "exit code"
HUNG_UP, KILLED = 129, 137  # 128 and the signal's number
CODES = {  # exit code -> its name, what it means, what to do
    Exit.DONE: ("done", "everything was done, or there was nothing to do", "nothing"),
    Exit.BUG: (
        "bug",
        "the program itself is wrong; what was written before is whole",
        "report it with the lines that it printed: they name no patient's values; the same command with --help shows its options",
    ),
    Exit.USAGE: ("usage", "the words of the command do not go together; nothing was begun", "see tshdb COMMAND --help"),
    Exit.PARTIAL: (
        "partial",
        "it is done and saved, but some rows were withheld, some units failed, or something is doubtful",
        "read the lines above: each names its rule and its repair; then the same command again, which does what is left",
    ),
    Exit.BUSY: (
        "busy",
        "another command holds the study, or somebody else's",
        "wait for it, or see who it is: tshdb status",
    ),
    Exit.INTEGRITY: (
        "integrity",
        "bytes or rows are not what was stored, or a promise of the study is broken; nothing was computed of them",
        "tshdb check says what and how it is mended; tshdb check --repair mends what loses nothing",
    ),
    Exit.RESOURCE: (
        "resource",
        "a disk, memory, a right, a server or a network has failed; what was written before is whole",
        "mend what the line names, then the same command again: it goes on; tshdb doctor looks at the machine",
    ),
    Exit.INVALID_INPUT: (
        "invalid-input",
        "a file, a value or a setting is wrong; of that file nothing was loaded",
        "the line says where, what was found and what was expected",
    ),
    Exit.NOT_FOUND: (
        "not-found",
        "a study, cohort, unit, table or file of that name does not exist",
        "the line names those that are near",
    ),
    HUNG_UP: ("hung-up", "the terminal was closed (SIGHUP)", "the same command again: it goes on"),
    Exit.INTERRUPTED: ("interrupted", "it was stopped by Ctrl-C (SIGINT)", "the same command again: it goes on"),
    KILLED: (
        "killed",
        "the system ended it (SIGKILL), mostly since memory ended; this code is the shell's",
        "the same command again, with fewer --jobs: it goes on; tshdb doctor says how much memory there is",
    ),
    Exit.TERMINATED: ("terminated", "it was asked to end (SIGTERM)", "the same command again: it goes on"),
}


@dataclass(frozen=True)
class Explained:
    """A page. name: as messages say it; kind: FINDING, PROMISE or CODE; meaning, repair: a sentence each; more: paragraphs."""

    name: str
    kind: str
    meaning: str
    repair: str
    more: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The page as Markdown."""
        head = f"# {self.name}: {'an' if self.kind == CODE else 'a'} {self.kind}"
        return "\n\n".join([head, f"What it means: {self.meaning}.", f"What to do: {self.repair}.", *self.more]) + "\n"


@cache
def explained() -> dict[str, Explained]:
    """name -> its page; exit codes by their number."""
    return {page.name: page for page in (*_codes(), *_promises(), *_findings())}


def _codes() -> Iterator[Explained]:
    for code, (name, meaning, repair) in CODES.items():
        yield Explained(str(int(code)), CODE, f"{name}: {meaning}", repair)


def _promises() -> Iterator[Explained]:
    from tshdb.checking import RULES

    for rule in RULES.values():
        how = "It is a warning: nothing is wrong yet, and the exit code stays 0." if rule.is_warning else (
            "Where it is broken, `tshdb check` ends with exit code 5."
        )  # fmt: skip
        mended = {
            (True, True): "`tshdb check --repair` marks what is to be made or read again; the next command does it.",
            (True, False): "`tshdb check --repair` mends it; nothing is lost by that.",
            (False, False): "`tshdb check --repair` leaves it alone: it needs a decision of yours.",
        }[rule.mend is not None, rule.marks]
        read = ("It reads all bytes or rows, so `tshdb check --fast` leaves it out.",) if rule.is_full else ()
        meaning = f"it is not so that {rule.meaning}"
        yield Explained(rule.name, PROMISE, meaning, _sentence(rule.repair), (how, mended, *read))


def _findings() -> Iterator[Explained]:
    from ingest.rules import rules

    names = list(rules())
    for name, rule in rules().items():
        family = name.partition(".")[0]
        others = [n for n in names if n != name and n.partition(".")[0] == family]
        more = [
            "With severity `error` the row (or the file) is withheld; with `warning` it is loaded and the finding kept.",
            f'Where it was found: `tshdb sql "SELECT path, line, column_name, value, message FROM ingest_issues '
            f"WHERE rule = '{name}'\"`",
        ]
        more += [f"Others on {family}: {', '.join(others)}."] if others else []
        yield Explained(name, FINDING, _sentence(rule.meaning), _sentence(rule.repair), tuple(more))


def _sentence(text: str) -> str:
    return text.strip().rstrip(".")
