"""Objects: they are there, their bytes are theirs, and they hold what the rows say.

What is lost of a result is made again; what is lost of a source is read again by the ingest that is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sqlalchemy import delete, select

from tshdb.checking.healing import healing, mark_ingested
from tshdb.checking.rule import Context, Problem, rule
from tshdb.engine.damage import Damaged, mark
from tshdb.expression_store import profiles_in, read_part, values_fingerprint
from tshdb.guest_tables import object_columns
from tshdb.objects import MARK, PARTS, is_digest, is_file, name_of, sha256_of
from tshdb.origins import MADE_AGAIN, Row
from tshdb.places import shown
from tshdb.schema import ExpressionPart, ExpressionProfile
from tshdb.vocabulary import Damage

AS_TOLD = "As is said of each"


def _all_parts(c: Context) -> list[tuple[str, int, int]]:
    query = select(ExpressionPart.part_id, ExpressionPart.size_bytes, ExpressionPart.n_profiles)
    return [(part, size, n) for part, size, n in c.connection.execute(query.order_by(ExpressionPart.part_id))]


def _parts(c: Context) -> list[tuple[str, int, int]]:
    """Those with a digest for a name; `object.digest` names the others."""
    return [part for part in _all_parts(c) if is_digest(part[0])]


def _drop_parts(c: Context, problems: list[Problem]) -> None:
    for problem in problems:
        c.connection.execute(delete(ExpressionPart).where(ExpressionPart.part_id == problem.key))
        if _is_whole(c.study.objects.path(problem.key)) and _is_inside(c):
            _throw_away(c, problem.key, PARTS, problem.found)


def _drop_objects(c: Context, problems: list[Problem]) -> None:
    for problem in problems:
        digest, suffix = problem.key.split()
        _throw_away(c, digest, suffix, problem.found)


def _throw_away(c: Context, digest: str, suffix: str, why: str) -> None:
    path = c.study.objects.removable(digest, suffix)
    if path is not None:
        c.study.trash.move([(path, why)])


def _is_whole(path: Path) -> bool:
    """Whether the file is an object: its name is the SHA-256 of its bytes."""
    return is_file(path) and sha256_of(path) == path.stem


def _is_inside(c: Context) -> bool:
    """Whether the objects lie in the study: elsewhere other studies may keep theirs beside ours."""
    return c.study.root.resolve() in c.study.objects.root.resolve().parents


def _whole(c: Context, part: str) -> Path | None:
    """The part's file, if it is there with its bytes; a part is read through once, however many rules ask."""
    return c.study.objects.path(part) if c.study.objects.is_whole(part) else None


def _in_use(c: Context) -> set[str]:
    return set(c.connection.execute(select(ExpressionProfile.part_id).distinct()).scalars())


def _all_named(c: Context) -> list[tuple[str, str, str]]:
    """(digest, suffix, column) of what rows name: voxels of segmentations, images and regions, and models."""
    named = {
        (digest, suffix, f"{table.name}.{column}")
        for table, column, suffix in object_columns(c.connection)
        for digest in c.connection.execute(select(table.c[column])).scalars()
        if digest is not None
    }
    return sorted(named)


def _named(c: Context) -> list[tuple[str, str]]:
    return sorted({(digest, suffix) for digest, suffix, _ in _all_named(c) if is_digest(digest)})


@rule("object.digest", "every object that a row names has a SHA-256 for a name", "Restore a backup of the study")
def _digests(c: Context) -> Iterator[Problem]:
    named = [(part, "expression_parts.part_id") for part, _, _ in _all_parts(c)]
    for digest, place in named + [(digest, column) for digest, _, column in _all_named(c)]:
        if not is_digest(digest):
            yield Problem(place, f"'{digest}' is no SHA-256")


def _problems(c: Context, lost: Iterable[tuple[str, str, str]], damage: Damage) -> Iterator[Problem]:
    """lost: (digest, suffix, what was found)."""
    origins = c.origins
    lost = list(lost)
    units = {unit: f"{digest} {damage.value}" for digest, *_ in lost for unit in origins.units.get(digest, ())}
    helps = healing(c, (Damaged(unit, damage, detail) for unit, detail in units.items()))
    for digest, suffix, text in lost:
        made_by = origins.units.get(digest, {})
        held = next((helps[unit] for unit in made_by if helps.get(unit) != MADE_AGAIN), None) if made_by else None
        yield Problem(name_of(digest, suffix), text, digest, held or origins.advice(digest, damage))


def _marking(damage: Damage) -> Callable[[Context, list[Problem]], None]:
    """Mark the results that name the objects, and the ingest units of rows that these speak for."""

    def mark_all(c: Context, problems: list[Problem]) -> None:
        origins = c.origins
        for problem in problems:
            mark(c.connection, (Damaged(unit, damage, "") for unit in origins.units.get(problem.key, ())))
            mark_ingested(c, origins.rows.get(problem.key, ()), damage)

    return mark_all


@rule("object.missing", "every object that a row names is there", AS_TOLD, mend=_marking(Damage.LOST), marks=True)
def _missing(c: Context) -> Iterator[Problem]:
    used = _in_use(c)
    named = [(part, ".parquet") for part, _, _ in _parts(c) if part in used] + _named(c)
    there = c.study.objects.names()
    lost = [(d, suffix, "is not there") for d, suffix in named if f"{d}{suffix}" not in there]
    return _problems(c, lost, Damage.LOST)


@rule("object.size", "every part has the size that its row says", AS_TOLD, mend=_marking(Damage.DAMAGED), marks=True)
def _size(c: Context) -> Iterator[Problem]:
    lost = []
    for part, size, _ in _parts(c):
        path = c.study.objects.path(part)
        if path.is_file() and path.stat().st_size != size:
            lost.append((part, ".parquet", f"{path.stat().st_size:,} bytes, not {size:,}"))
    return _problems(c, lost, Damage.DAMAGED)


@rule(
    "object.bytes", "the bytes of every object are those of its name", AS_TOLD,
    is_full=True, mend=_marking(Damage.DAMAGED), marks=True,
)  # fmt: skip
def _bytes(c: Context) -> Iterator[Problem]:
    used = _in_use(c)
    named = _named(c) + [(part, ".parquet") for part, _, _ in _parts(c) if part in used]
    lost = [
        (digest, suffix, "its bytes have changed")
        for digest, suffix in named
        if c.study.objects.path(digest, suffix).is_file() and not c.study.objects.is_whole(digest, suffix)
    ]
    return _problems(c, lost, Damage.DAMAGED)


def _extras(c: Context) -> Iterator[tuple[Path, str, str]]:
    """Files with an object's name that no row names, of the study or of a variant."""
    known = {(part, PARTS) for part, _, _ in _parts(c)} | set(_named(c))
    others = c.study.objects.others
    for path, digest, suffix in c.study.objects.own():
        if (digest, suffix) not in known and not (others is not None and others.may_need(digest)):
            yield path, digest, suffix


def _is_cleaned(c: Context) -> bool:
    """Whether --repair may remove anything: from a folder of ours alone."""
    objects = c.study.objects
    return _is_inside(c) and (objects.is_marked or next(objects.strangers(), None) is None)


@rule(
    "object.extra",
    "every object is named by a row",
    "tshdb gc moves it to the trash",
    is_warning=True,
    mend=_drop_objects,
)
def _extra(c: Context) -> Iterator[Problem]:
    if _is_cleaned(c):
        for path, digest, suffix in _extras(c):
            if _is_whole(path):
                yield Problem(shown(path, c.study.root), "no row names it", f"{digest} {suffix}")


@rule(
    "object.foreign",
    "everything in the folder of objects is ours",
    "Move it elsewhere, or remove it yourself; tshdb check --repair leaves it alone",
    is_warning=True,
)
def _foreign(c: Context) -> Iterator[Problem]:
    for path in c.study.objects.strangers():
        yield Problem(shown(path, c.study.root), "is no object")
    is_cleaned = _is_cleaned(c)
    why = "the folder lies outside of the study" if not _is_inside(c) else f"the folder has no {MARK}"
    for path, _, _ in _extras(c):
        if not _is_whole(path):
            yield Problem(shown(path, c.study.root), "no row names it, and its name is not that of its bytes")
        elif not is_cleaned:
            yield Problem(shown(path, c.study.root), f"no row names it, and {why}")


@rule(
    "part.unused",
    "every part holds a profile that is in use",
    "tshdb gc moves it to the trash, and removes its row",
    is_warning=True,
    mend=_drop_parts,
)
def _unused(c: Context) -> Iterator[Problem]:
    used = _in_use(c)
    for part, _, _ in _parts(c):
        if part not in used:
            yield Problem(f"objects/{part[:2]}/{part}.parquet", "its profiles stand in other parts now", part)


def _of_profiles(c: Context, problems: dict[str, str]) -> Iterator[Problem]:
    """found: profile -> what is wrong with it."""
    origins = c.origins
    for profile, text in sorted(problems.items()):
        row = Row("expression_profiles", profile, profile)
        yield Problem(f"profile {profile}", text, profile, origins.advice_of_rows([row], Damage.EDITED))


def _mark_profiles(c: Context, problems: list[Problem]) -> None:
    mark_ingested(c, (Row("expression_profiles", p.key, p.key) for p in problems), Damage.EDITED)


@rule(
    "part.profiles", "every part holds the profiles that rows look for in it", AS_TOLD,
    is_full=True, mend=_mark_profiles, marks=True,
)  # fmt: skip
def _profiles(c: Context) -> Iterator[Problem]:
    wanted: dict[str, set[str]] = {}
    for profile, part in c.connection.execute(select(ExpressionProfile.profile_id, ExpressionProfile.part_id)):
        wanted.setdefault(part, set()).add(profile)
    problems: dict[str, str] = {}
    for part, _, n in _parts(c):
        path = _whole(c, part)
        if path is None:
            continue
        held = profiles_in(path)
        if len(held) != n:
            text = f"its part {part[:12]}… holds {len(held)} profiles, its row says {n}"
            problems |= dict.fromkeys(wanted.get(part, ()), text)
        problems |= dict.fromkeys(wanted.get(part, set()) - set(held), f"is not in its part {part[:12]}…")
    return _of_profiles(c, problems)


@rule(
    "profile.values", "the values of every profile are those of its fingerprint", AS_TOLD,
    is_full=True, mend=_mark_profiles, marks=True,
)  # fmt: skip
def _values(c: Context) -> Iterator[Problem]:
    by_part: dict[str, dict[str, str]] = {}
    columns = (ExpressionProfile.profile_id, ExpressionProfile.part_id, ExpressionProfile.values_fingerprint)
    for profile, part, fingerprint in c.connection.execute(select(*columns)):
        by_part.setdefault(part, {})[profile] = fingerprint
    problems: dict[str, str] = {}
    for part, expected in sorted(by_part.items()):
        path = _whole(c, part)
        if path is None:
            continue
        genes, profiles, values = read_part(path, sorted(expected))
        for i, profile in enumerate(profiles):
            if values_fingerprint(genes, values[:, i]) != expected[profile]:
                problems[profile] = "its values are not those that were ingested"
    return _of_profiles(c, problems)


RULES = (_digests, _missing, _size, _bytes, _extra, _foreign, _unused, _profiles, _values)
