"""The blocks of the manual's pages, and how they are run: docs/testing.md, "Documentation".

A block is what stands between fences. A mark is a comment in the lines above it, or at the top of a page.

    <!-- not run: WHY -->           is not run
    <!-- run by tests/FILE -->      is run there; at the top of a page, all of its blocks are
    <!-- slow from here -->         this block and those after it are run by `make soak PART=long`
    <!-- ends with 3 -->            the exit code of the block's last command
    <!-- begins in: pairs -->       of a page: it begins in a study of the example's pairs. Else in an empty folder
    <!-- continues: PAGE -->        of a page: it begins where the quick blocks of that page ended

A name in backquotes with a colon above a block is the file that the block is put into; with ", added:" it is added to it.
"""

from __future__ import annotations

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tests.support.program import ROOT, run_quick

DOCS = ROOT / "docs"
BLOCK = re.compile(
    r"(?P<above>(?:^(?:<!-- [^\n]*? -->|`[^`\n]+`(?:, added)?:)\n+)*)"
    r"^```(?P<kind>[\w-]*)\n(?P<text>.*?)^```$",
    re.M | re.S,
)
MARK = re.compile(
    r"<!-- (?:(not run|begins in|continues): (\S.*?)|(run by|ends with) (\S+)|(slow from here)|picture: \S+ \| .+?) -->"
)
FILE = re.compile(r"^`([^`\n]+)`(, added)?:$", re.M)
NEEDS_BASH = re.compile(r"[|<>;&$`*]")
RUNS = ("sh", "python", "sql", "r")  # without a file's name
IS_DATA = ("toml", "csv")  # read by their own reader, without a file's name
OF_ITS_OWN = ("demo",)  # commands that take over their output
SHIMS = {"tshdb": "-c 'from tshdb.start import main; main()'", "python": "", "dask": "-m dask"}


def marks_of(text: str) -> dict[str, str]:
    """mark -> what it says, of all marks in a text."""
    found = (match.groups() for match in MARK.finditer(text))
    return {a or b or c: said or code or "" for a, said, b, code, c in found if a or b or c}


def _is_plain(line: str, words: list[str]) -> bool:
    """Whether a line is one command of ours that needs no shell."""
    outside = re.sub(r"\"[^\"]*\"|'[^']*'|#.*", "", line)
    return words[0] == "tshdb" and words[1] not in OF_ITS_OWN and not NEEDS_BASH.search(outside)


@dataclass(frozen=True)
class Block:
    """One block of a page, with what its marks say."""

    page: str
    line: int  # of its fence, from 1
    kind: str
    text: str
    file: str | None
    is_added: bool
    marks: dict[str, str]

    @property
    def is_run(self) -> bool:
        return self.kind in (*RUNS, *IS_DATA) or self.file is not None

    @property
    def where(self) -> str:
        return f"docs/{self.page}.md:{self.line}"


@dataclass(frozen=True)
class Page:
    """A page's marks and blocks."""

    name: str

    @cached_property
    def text(self) -> str:
        return (DOCS / f"{self.name}.md").read_text(encoding="utf-8")

    @cached_property
    def marks(self) -> dict[str, str]:
        """Those at its top, before the first line of text or block."""
        top = re.match(r"# [^\n]+\n+((?:<!-- [^\n]*? -->\n+)*)(?!```|`)", self.text)
        return marks_of(top[1]) if top else {}

    @cached_property
    def blocks(self) -> list[Block]:
        found = []
        for match in BLOCK.finditer(self.text):
            line = self.text[: match.start("kind")].count("\n") + 1
            named = FILE.search(match["above"])
            file, is_added = (named[1], bool(named[2])) if named else (None, False)
            marks = marks_of(match["above"])
            found.append(Block(self.name, line, match["kind"], match["text"], file, is_added, marks))
        return found

    @property
    def mine(self) -> list[Block]:
        """The blocks that are run here, in order; with those that are slow."""
        if "run by" in self.marks:
            return []
        return [b for b in self.blocks if b.is_run and not {"not run", "run by"} & b.marks.keys()]

    @property
    def quick(self) -> list[Block]:
        before = []
        for block in self.mine:
            if "slow from here" in block.marks:
                break
            before.append(block)
        return before

    @property
    def is_slow(self) -> bool:
        return len(self.quick) < len(self.mine)


def pages() -> list[Page]:
    return [Page(path.stem) for path in sorted(DOCS.glob("*.md"))]


@dataclass
class Reader:
    """Somebody who does what a page says, in a folder of his own."""

    home: Path
    here: Path
    names: dict = field(default_factory=dict)  # of the page's Python
    said: str = ""  # by all commands

    @classmethod
    def at(cls, home: Path, below: str = ".") -> Reader:
        tools = home.parent / "bin"
        tools.mkdir(parents=True, exist_ok=True)
        for name, runs in SHIMS.items():
            script = tools / name
            script.write_text(f'#!/bin/sh\nexec {sys.executable} {runs} "$@"\n')
            script.chmod(0o755)
        return cls(home, home / below)

    def read(self, blocks: list[Block]) -> None:
        for block in blocks:
            try:
                self._read(block)
            except AssertionError as error:
                raise AssertionError(f"{block.where}\n{error}") from None
            except Exception as error:
                raise AssertionError(f"{block.where}: {type(error).__name__}: {error}") from error

    def _read(self, block: Block) -> None:
        if block.file is not None:
            path = self.here / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a" if block.is_added else "w", encoding="utf-8") as file:
                file.write(("\n" if block.is_added else "") + block.text)
        elif block.kind == "sh":
            self._shell(block)
        elif block.kind == "python":
            before = Path.cwd()
            os.chdir(self.here)
            try:
                exec(compile(block.text, block.where, "exec"), self.names)
            finally:
                os.chdir(before)
        elif block.kind == "sql":
            self.said += run_quick("sql", block.text, cwd=self.here).stdout
        elif block.kind == "r":
            if shutil.which("Rscript"):
                self._program(["Rscript", "-e", block.text], 0)
        elif block.kind == "toml":
            tomllib.loads(block.text)
        else:
            list(csv.reader(block.text.splitlines(), strict=True))

    def _shell(self, block: Block) -> None:
        ends = int(block.marks.get("ends with", 0))
        if "slow from here" in block.marks or "&\n" in block.text:
            return self._bash(block.text, ends)
        lines = [line for line in block.text.replace("\\\n", " ").splitlines() if shlex.split(line, comments=True)]
        for number, line in enumerate(lines):
            code = ends if number == len(lines) - 1 else 0
            words = shlex.split(line, comments=True)
            if words[0] == "cd":
                self.here = (self.here / words[1]).resolve(strict=True)
            elif _is_plain(line, words):
                done = run_quick(*words[1:], cwd=self.here, code=None)
                self.said += done.stdout + done.stderr
                assert done.returncode == code, f"{line}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
            else:
                self._bash(line, code)

    def _bash(self, text: str, code: int) -> None:
        """Run it by a shell; where that ends up, the next block begins."""
        place = self.home.parent / "here"
        self._program(["bash", "-ec", f"{text}\npwd -P > {shlex.quote(str(place))}"], code)
        if code == 0:
            self.here = Path(place.read_text().rstrip("\n"))

    def _program(self, words: list[str], code: int) -> None:
        environment = os.environ | {"PATH": f"{self.home.parent / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(words, cwd=self.here, env=environment, capture_output=True, text=True, check=False)
        self.said += done.stdout + done.stderr
        assert done.returncode == code, f"{words[2]}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
