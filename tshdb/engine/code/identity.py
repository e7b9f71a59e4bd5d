"""The code of an analysis, from its functions; and whether its text is still what it was when it was followed.

Following names takes most of a plan's time. A database keeps which modules were read and a digest of their whole text:
while that is the same, so is the fingerprint. What one process has followed it follows once, as long as no text has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tshdb.canonical import digest
from tshdb.engine.code.follow import Code, Follower
from tshdb.engine.code.program import Definition, Program
from tshdb.engine.code.texts import OnDisk, Texts
from tshdb.errors import InvalidInput

PARTS = ("scopes", "modules", "program", "walk", "touches", "form", "follow", "refusals", "identity")
MOST_KEPT = 3  # projects whose followed code a process keeps

_followers: dict[frozenset[str], Follower] = {}  # by project, the latest last; one that is at work is not among them


class Codes:
    """The code of functions within the top-level packages `project`, as `texts` says it."""

    def __init__(self, project: frozenset[str], texts: Texts | None = None):
        self.project, self.texts = project, texts or OnDisk()
        self._own: str | None = None

    def of(self, functions: Iterable[Callable[..., Any]]) -> Code:
        """The code that the functions reach. Raises InvalidInput for code that cannot be followed."""
        roots = [_root(f) for f in functions]
        follower = _followers.pop(self.project, None)  # where it fails it stays out, since it may have stopped halfway
        if follower is None or not follower.program.is_as(self.texts):
            follower = Follower(Program(self.texts, self.project))
        code = follower.code_of(roots)
        _followers[self.project] = follower
        for oldest in tuple(_followers)[:-MOST_KEPT]:
            _followers.pop(oldest, None)
        return code

    def text_digest(self, functions: Iterable[Callable[..., Any]], modules: Iterable[str]) -> str:
        """A digest of all on which `of(functions)` depends, if it reads these modules: their whole text."""
        roots = [".".join(_root(f)) for f in functions]
        texts = [f"{name} {self.texts.digest(name)}" for name in sorted(modules)]
        return digest(*("\0".join(part).encode() for part in ([self._normaliser], roots, sorted(self.project), texts)))

    @property
    def _normaliser(self) -> str:
        """A digest of the text by which code is followed."""
        if self._own is None:
            package = __name__.rpartition(".")[0]
            self._own = digest(*(self.texts.digest(f"{package}.{part}").encode() for part in PARTS))
        return self._own


def _root(function: Callable[..., Any]) -> Definition:
    """Where a function or class is defined; of one inside another, the outer one. Raises InvalidInput for a lambda."""
    name = function.__qualname__.partition(".")[0]
    if name == "<lambda>":
        raise InvalidInput(
            "a lambda has no name by which its code can be found", where=function.__module__, repair="Write a function"
        )
    return Definition(function.__module__, name)
