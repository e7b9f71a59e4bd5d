"""Bytes as failing disks, cut transfers and strangers leave them: five kinds of damage, each of a seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

MOST_BITS, MOST_BLOCK = 8, 512  # that one damage changes


def cut(data: bytes, dice: Random) -> bytes:
    return data[: dice.randrange(len(data))]


def flipped(data: bytes, dice: Random) -> bytes:
    made = bytearray(data)
    for _ in range(dice.randint(1, MOST_BITS)):
        made[dice.randrange(len(made))] ^= 1 << dice.randrange(8)
    return bytes(made)


def inserted(data: bytes, dice: Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.randbytes(dice.randint(1, 64)) + data[at:]


def swapped(data: bytes, dice: Random) -> bytes:
    """Two blocks of one size change places."""
    size = max(1, min(MOST_BLOCK, len(data) // 4))
    first, second = sorted(dice.randrange(len(data) - size + 1) for _ in range(2))
    if second < first + size:
        first, second = 0, len(data) - size
    return b"".join(
        [data[:first], data[second : second + size], data[first + size : second], data[first : first + size],
         data[second + size :]]
    )  # fmt: skip


def zeroed(data: bytes, dice: Random) -> bytes:
    size = dice.randint(1, min(MOST_BLOCK, len(data)))
    at = dice.randrange(len(data) - size + 1)
    return data[:at] + bytes(size) + data[at + size :]


KINDS: tuple[Callable[[bytes, Random], bytes], ...] = (cut, flipped, inserted, swapped, zeroed)


def damaged(data: bytes, seed: int, kind: Callable[[bytes, Random], bytes] | None = None) -> tuple[str, bytes]:
    """(the kind of damage, the bytes with it, which are others). kind: of KINDS; None: by the seed, each in turn."""
    dice = Random(seed)
    damage = kind or KINDS[seed % len(KINDS)]
    for _ in range(100):
        made = damage(data, dice)
        if made != data:
            return damage.__name__, made
    raise AssertionError(f"{damage.__name__} does not change these {len(data)} bytes")
