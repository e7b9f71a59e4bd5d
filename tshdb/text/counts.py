"""Counts in words."""

from __future__ import annotations


def plural(n: int, noun: str) -> str:
    """`1 event`, `2 events`, `1,200 events`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
