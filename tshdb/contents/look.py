"""One piece of a file, how much may be unpacked, and how what lies inside of another file is opened."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, NamedTuple

MIB = 1 << 20
STEP = MIB  # bytes read at once


class Piece(NamedTuple):
    """Some text of a file; or why a part of the file gave none.

    inside: the member of an archive that it lies in; "" is the file itself.
    is_binary: bytes as they lie: what stands beside a word there may be of another field.
    column: the text is cells of this column, a line each.
    only_numbers: what is not seen are numbers alone.
    """

    text: str = ""
    unseen: str = ""
    inside: str = ""
    is_binary: bool = False
    column: str = ""
    only_numbers: bool = False


class NotSeen(Exception):
    """A part of a file that cannot be looked into; its text says why."""


@dataclass(frozen=True)
class Limits:
    """What is unpacked of one file: at most `largest` bytes, and no more than `ratio` times its own size beyond `free`."""

    largest: int = 2048 * MIB
    ratio: int = 1000
    free: int = 64 * MIB
    deepest: int = 5
    members: int = 100_000


@dataclass
class Budget:
    """How much may still be unpacked of one file."""

    left: int

    def take(self, n: int) -> None:
        self.left -= n
        if self.left < 0:
            raise NotSeen("it unpacks to more than is looked into")


Opener = Callable[[IO[bytes], "Look"], Iterator[Piece]]


@dataclass(frozen=True)
class Look:
    """A look into one file. opened: gives the pieces of what lies in it; inside: where that is; depth: layers so far."""

    opened: Opener
    limits: Limits
    budget: Budget
    inside: str = ""
    depth: int = 0

    def into(self, stream: IO[bytes], name: str = "") -> Iterator[Piece]:
        """The pieces of what a stream gives, which is read to its end first. Raises NotSeen beyond the limits."""
        inside = f"{self.inside}!{name}" if self.inside and name else self.inside or name
        with tempfile.SpooledTemporaryFile(max_size=32 * MIB) as held:
            while part := stream.read(STEP):
                self.budget.take(len(part))
                held.write(part)
            held.seek(0)
            below = Look(self.opened, self.limits, self.budget, inside, self.depth + 1)
            yield from self.opened(held, below)  # type: ignore[arg-type]

    def text(self, text: str, **more) -> Piece:
        return Piece(text=text, inside=self.inside, **more)

    def unseen(self, why: str, **more) -> Piece:
        return Piece(unseen=why, inside=self.inside, **more)


@dataclass(frozen=True)
class Kind:
    """A kind of file. what: its name with an article; is_one: by its first bytes; opened: its pieces.

    is_pack: it holds other files, so that it counts as a layer.
    """

    what: str
    is_one: Callable[[bytes], bool]
    opened: Opener
    is_pack: bool = False
    names: tuple[str, ...] = field(default=())
