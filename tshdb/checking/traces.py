"""Leftovers of interruptions, and withdrawals that are not done, or undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from tshdb.checking.rule import Context, Problem, rule
from tshdb.engine.work import folders_of
from tshdb.errors import IntegrityError, TshdbError
from tshdb.objects import WRITING
from tshdb.places import COHORTS, FIGURES, RAW, REPORTS, SNAPSHOTS, WITHDRAWALS, files_below, shown
from tshdb.schema import Patient, Tombstone
from tshdb.snapshots import half_written
from tshdb.withdrawal.certificate import what_is_left
from tshdb.withdrawal.journal import journal_of, journals
from tshdb.withdrawal.tombstones import Withheld

PLACES: dict[str, tuple[str, ...]] = {  # folder -> the temporary names that we give in it, at any depth
    COHORTS: (),
    RAW: (r"\..+\.json\.writing", r"\.complete\.writing"),
    REPORTS: (r"\..+\.\d+\.writing",),
    FIGURES: (r"\..+\.\d+\.writing",),
    WITHDRAWALS: (r"\.[0-9a-f]{16}\.json\.writing",),
}
UPGRADE = re.compile(
    r"\..+\.backup-\d{8}T\d{12}(?:\.\w+)?\.\d+\.writing"
)  # a copy of tshdb migrate, in the study's own folder
REDACTED = re.compile(r"\.(.+)\.redacted")  # beside the file that it shall replace


def _left_over(c: Context) -> Iterator[Path]:
    """Files with a temporary name of ours, where we give it; anything else may be the user's."""
    root = c.study.root
    yield from (p for p in files_below(root, is_deep=False) if _is_redacted(p) or UPGRADE.fullmatch(p.name))
    for place, names in PLACES.items():
        pattern = re.compile("|".join(names) or "(?!)")
        yield from (p for p in files_below(root / place) if pattern.fullmatch(p.name) or _is_redacted(p))
    for folder in folders_of(root):
        yield from (p for p in files_below(folder, is_deep=False) if WRITING.fullmatch(p.name))
    yield from half_written(root / SNAPSHOTS)
    objects = c.study.objects
    if objects.is_marked and root.resolve() in objects.root.resolve().parents:
        yield from (p for p in files_below(objects.root, is_deep=False) if WRITING.fullmatch(p.name))


def _is_redacted(path: Path) -> bool:
    name = REDACTED.fullmatch(path.name)
    return name is not None and path.with_name(name[1]).is_file()


def _throw_away(c: Context, problems: list[Problem]) -> None:
    c.study.trash.move((Path(problem.key), problem.found) for problem in problems)


@rule(
    "file.half-written", "no file is half-written", "tshdb check --repair moves it to the trash, when no command is running",
    is_warning=True, mend=_throw_away,
)  # fmt: skip
def _half_written(c: Context) -> Iterator[Problem]:
    try:
        wanted = {move.redacted for journal in journals(c.connection, c.study) for move in journal.moves}
    except IntegrityError:
        return  # `withdrawal.pending` says so; until then nothing is known to be left over
    for path in _left_over(c):
        if path.resolve() not in wanted:
            yield Problem(shown(path, c.study.root), "an interrupted command left it", str(path))


@rule("withdrawal.pending", "every withdrawal is done", "Run the same tshdb withdraw again; it goes on")
def _pending(c: Context) -> Iterator[Problem]:
    query = select(Tombstone.__table__).where(Tombstone.pending.is_not(None)).order_by(Tombstone.token)
    for row in c.connection.execute(query):
        try:
            journal_of(c.study, row.token, row.pending)
        except IntegrityError as error:
            yield Problem(error.where, f"cannot go on: {error.message}")
        else:
            yield Problem(f"withdrawal {row.token[:16]}", "files are still to be erased")


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


@rule(
    "withdrawal.left", "nothing is left of what a withdrawal could not do itself",
    "Take the patient out of it yourself, then: tshdb withdraw --verify CERTIFICATE", is_warning=True,
)  # fmt: skip
def _left(c: Context) -> Iterator[Problem]:
    for path in files_below(c.study.root / WITHDRAWALS, is_deep=False):
        for place in what_is_left(c.connection, c.study, path):
            yield Problem(place, f"names a withdrawn patient, as {shown(path, c.study.root)} says")


RULES = (_half_written, _pending, _key, _returned, _left)
