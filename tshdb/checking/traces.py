"""Leftovers of interruptions, and withdrawals that are not done, or undone."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from tshdb.checking.rule import Context, Problem, rule, unlink
from tshdb.errors import TshdbError
from tshdb.schema import Patient, Tombstone
from tshdb.withdrawal.tombstones import Withheld

PATTERNS = (".writing-*", ".*.writing", ".*.redacted")


@rule(
    "file.half-written", "no file is half-written", "tshdb check --repair removes it, when no command is running",
    is_warning=True, mend=unlink,
)  # fmt: skip
def _half_written(c: Context) -> Iterator[Problem]:
    pending = c.connection.execute(select(Tombstone.pending).where(Tombstone.pending.is_not(None))).scalars().all()
    for pattern in PATTERNS:
        for path in sorted(c.study.root.rglob(pattern)):
            if not any(str(path.resolve()) in text for text in pending):
                yield Problem(str(path.relative_to(c.study.root)), "an interrupted command left it", str(path))


@rule("withdrawal.pending", "every withdrawal is done", "Run the same tshdb withdraw again; it goes on")
def _pending(c: Context) -> Iterator[Problem]:
    for token in c.connection.execute(select(Tombstone.token).where(Tombstone.pending.is_not(None))).scalars():
        yield Problem(f"withdrawal {token[:16]}", "files are still to be erased")


@rule("withdrawal.key", "withdrawn patients can be recognised", "Restore .withdrawal-key from a backup")
def _key(c: Context) -> Iterator[Problem]:
    try:
        Withheld(c.connection, c.study.root)
    except TshdbError as error:
        yield Problem(".withdrawal-key", str(error))


@rule("withdrawal.returned", "no withdrawn patient is in the study", "Run: tshdb withdraw PATIENT")
def _returned(c: Context) -> Iterator[Problem]:
    try:
        withheld = Withheld(c.connection, c.study.root)
    except TshdbError:
        return
    if withheld:
        for patient in c.connection.execute(select(Patient.patient_id)).scalars():
            if withheld.has(patient):
                yield Problem(f"patients/{patient}", "was withdrawn")
