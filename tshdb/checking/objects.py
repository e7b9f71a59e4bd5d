"""Objects: they are there, their bytes are theirs, and they hold what the rows say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import delete, select

from tshdb.checking.rule import Context, Problem, rule, unlink
from tshdb.errors import IntegrityError
from tshdb.expression_store import profiles_in, read_part, values_fingerprint
from tshdb.objects import sha256_of
from tshdb.schema import ExpressionPart, ExpressionProfile
from tshdb.schema.base import object_columns

RESTORE = "Restore the file from a backup, or ingest its source again"


def _parts(c: Context) -> list[tuple[str, int, int]]:
    query = select(ExpressionPart.part_id, ExpressionPart.size_bytes, ExpressionPart.n_profiles)
    return [tuple(row) for row in c.connection.execute(query.order_by(ExpressionPart.part_id))]


def _drop_parts(c: Context, problems: list[Problem]) -> None:
    for problem in problems:
        c.connection.execute(delete(ExpressionPart).where(ExpressionPart.part_id == problem.key))
        c.study.objects.path(problem.key).unlink(missing_ok=True)


def _whole(c: Context, part: str) -> Path | None:
    """The part's file, if it is there with its bytes; a part is read through once, however many rules ask."""
    try:
        return c.study.objects.verified(part)
    except IntegrityError:
        return None


def _named(c: Context) -> list[tuple[str, str]]:
    """(digest, suffix) of what rows name: voxels of segmentations, images and regions, and models."""
    found = {
        (digest, suffix)
        for table, column, suffix in object_columns()
        for digest in c.connection.execute(select(table.c[column])).scalars()
        if digest is not None
    }
    return sorted(found)


@rule("object.missing", "every object that a row names is there", RESTORE)
def _missing(c: Context) -> Iterator[Problem]:
    named = [(part, ".parquet") for part, _, _ in _parts(c)] + _named(c)
    for digest, suffix in named:
        if not c.study.objects.path(digest, suffix).is_file():
            yield Problem(f"objects/{digest[:2]}/{digest}{suffix}", "is not there")


@rule("object.size", "every part has the size that its row says", RESTORE)
def _size(c: Context) -> Iterator[Problem]:
    for part, size, _ in _parts(c):
        path = c.study.objects.path(part)
        if path.is_file() and path.stat().st_size != size:
            yield Problem(f"objects/{part[:2]}/{part}.parquet", f"{path.stat().st_size:,} bytes, not {size:,}")


@rule("object.bytes", "the bytes of every object are those of its name", RESTORE, is_full=True)
def _bytes(c: Context) -> Iterator[Problem]:
    for digest, suffix in _named(c):
        path = c.study.objects.path(digest, suffix)
        if path.is_file() and sha256_of(path) != digest:
            yield Problem(f"objects/{digest[:2]}/{digest}{suffix}", "its bytes have changed")
    for part, _, _ in _parts(c):
        if c.study.objects.path(part).is_file() and _whole(c, part) is None:
            yield Problem(f"objects/{part[:2]}/{part}.parquet", "its bytes have changed")


@rule(
    "object.extra",
    "every file in objects/ is named by a row",
    "tshdb check --repair removes it",
    is_warning=True,
    mend=unlink,
)
def _extra(c: Context) -> Iterator[Problem]:
    known = {part for part, _, _ in _parts(c)} | {digest for digest, _ in _named(c)}
    for path in sorted(c.study.objects.root.rglob("*")):
        if path.is_file() and path.stem not in known:
            yield Problem(str(path.relative_to(c.study.root)), "no row names it", str(path))


@rule(
    "part.unused",
    "every part holds a profile that is in use",
    "tshdb check --repair removes it with its row",
    is_warning=True,
    mend=_drop_parts,
)
def _unused(c: Context) -> Iterator[Problem]:
    used = set(c.connection.execute(select(ExpressionProfile.part_id).distinct()).scalars())
    for part, _, _ in _parts(c):
        if part not in used:
            yield Problem(f"objects/{part[:2]}/{part}.parquet", "its profiles stand in other parts now", part)


@rule("part.profiles", "every part holds the profiles that rows look for in it", RESTORE, is_full=True)
def _profiles(c: Context) -> Iterator[Problem]:
    wanted: dict[str, set[str]] = {}
    for profile, part in c.connection.execute(select(ExpressionProfile.profile_id, ExpressionProfile.part_id)):
        wanted.setdefault(part, set()).add(profile)
    for part, _, n in _parts(c):
        path = _whole(c, part)
        if path is None:
            continue
        held = profiles_in(path)
        if len(held) != n:
            yield Problem(f"part {part[:12]}…", f"holds {len(held)} profiles, its row says {n}")
        for profile in sorted(wanted.get(part, set()) - set(held)):
            yield Problem(f"profile {profile}", f"is not in its part {part[:12]}…")


@rule("profile.values", "the values of every profile are those of its fingerprint", RESTORE, is_full=True)
def _values(c: Context) -> Iterator[Problem]:
    by_part: dict[str, dict[str, str]] = {}
    columns = (ExpressionProfile.profile_id, ExpressionProfile.part_id, ExpressionProfile.values_fingerprint)
    for profile, part, fingerprint in c.connection.execute(select(*columns)):
        by_part.setdefault(part, {})[profile] = fingerprint
    for part, expected in sorted(by_part.items()):
        path = _whole(c, part)
        if path is None:
            continue
        genes, profiles, values = read_part(path, sorted(expected))
        for i, profile in enumerate(profiles):
            if values_fingerprint(genes, values[:, i]) != expected[profile]:
                yield Problem(f"profile {profile}", "its values are not those that were ingested")
