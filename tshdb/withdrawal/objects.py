"""Expression parts without the patient's profiles.

A part holds many patients. It is written again without the patient's columns; the rows point to the new part before the
old one is unlinked. Parts that no row names any more (of values corrected since) are looked into as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from sqlalchemy import Connection, case, select

from tshdb.expression_store import profiles_in, read_part, write_part
from tshdb.guest_tables import object_columns
from tshdb.objects import MODEL, PARTS, SUFFIXES, VOXELS, ObjectStore, is_digest
from tshdb.schema import ExpressionProfile
from tshdb.withdrawal.footprint import rows_of
from tshdb.withdrawal.identifiers import Identifiers


@dataclass(frozen=True)
class PartAnew:
    """A part that holds the patient: its id, and the part that takes its place (none if nobody else needs it)."""

    part_id: str
    new_id: str | None
    new_size: int
    n_profiles: int


def parts_with(objects: ObjectStore, names: Identifiers) -> Iterator[str]:
    """The ids of the parts in the folder, whether a row names them or not, that hold profiles of the patient."""
    profiles = set(names.profile_ids)
    for path in sorted(objects.root.glob(f"*/*{PARTS}")):
        if is_digest(path.stem) and any(profile in profiles or names.is_in(profile) for profile in profiles_in(path)):
            yield path.stem


def _rows_of(block: np.ndarray, first: int, last: int) -> np.ndarray:
    return block[first:last]


def rewrite(connection: Connection, objects: ObjectStore, names: Identifiers) -> list[PartAnew]:
    """Write the parts that hold the patient again, without; nothing points to the new ones yet."""
    anew = []
    for part_id in parts_with(objects, names):
        query = select(ExpressionProfile.profile_id).where(
            ExpressionProfile.part_id == part_id, ExpressionProfile.profile_id.not_in(names.profile_ids)
        )
        others = sorted(connection.execute(query).scalars())
        if not others:
            anew.append(PartAnew(part_id, None, 0, 0))
            continue
        genes, profiles, values = read_part(objects.verified(part_id), others)
        order = np.argsort(np.asarray(profiles, dtype=object))
        ordered = [profiles[i] for i in order]
        block = np.ascontiguousarray(values[:, order])
        new_id, size = write_part(objects, genes, ordered, partial(_rows_of, block))
        anew.append(PartAnew(part_id, new_id, size, len(ordered)))
    return anew


def of_patient_alone(connection: Connection, names: Identifiers) -> list[str]:
    """The voxels that rows of the patient name and no row of another patient: of segmentations, images and regions."""
    of_patient: set[str] = set()
    others: set[str] = set()
    for table, column, _ in object_columns(connection):
        condition = rows_of(table, names)
        if condition is None:
            continue  # a model's: the withdrawal's scope says what becomes of it
        is_of_patient = case((condition, 1), else_=0)
        for digest, is_hers in connection.execute(select(table.c[column], is_of_patient)):
            if digest is not None:
                (of_patient if is_hers else others).add(digest)
    return sorted(of_patient - others)


def unused(connection: Connection, objects: ObjectStore) -> list[str]:
    """Voxels and models that no row names: of what was replaced, whose patients nobody knows any more."""
    named = {
        digest
        for table, column, _ in object_columns(connection)
        for digest in connection.execute(select(table.c[column])).scalars()
    }
    return sorted(digest for _, digest, s in objects.own() if s in (VOXELS, MODEL) and digest not in named)


def unlink(objects: ObjectStore, digests: Sequence[str]) -> None:
    """Remove objects from the folder, whatever they are."""
    for digest in digests:
        for suffix in SUFFIXES:
            objects.remove(digest, suffix)
