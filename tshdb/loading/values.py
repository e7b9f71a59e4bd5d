"""Expression values on their way into the store: compared with what stands, written in parts of bounded size.

Matrices come one after the other and are let go as soon as their new or changed profiles lie in a part, so that a
thousand files need no more memory than one part.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sqlalchemy import Connection, select

from tshdb.expression_store import PART_PROFILES, column_fingerprint, genes_digest, read_matrix, write_part
from tshdb.failpoints import fp
from tshdb.file_content import GeneIndex, Matrix
from tshdb.objects import ObjectStore
from tshdb.schema import ExpressionPart, ExpressionProfile, Unit

if TYPE_CHECKING:
    from tshdb.expression_store import Block

GENES_SHOWN = 5
WRITERS = 2  # parts that are written at once


class _Column(NamedTuple):
    """One profile of a matrix."""

    profile_id: str
    matrix: Matrix
    index: int


class _Known(NamedTuple):
    """What stands of a profile. is_marked: `check` found that its part does not hold it as it was ingested."""

    fingerprint: str
    part_id: str
    size_bytes: int | None
    is_marked: bool


def _block_of(columns: Sequence[_Column]) -> Block:
    """The values of neighbouring genes in these profiles; columns that stand together in one matrix are not copied."""
    first = columns[0]
    if all(c.matrix is first.matrix and c.index == first.index + i for i, c in enumerate(columns)):
        values = first.matrix.values[:, first.index : first.index + len(columns)]
        return lambda start, end: values[first.matrix.order[start:end]]
    own = [c.matrix.column(c.index) for c in columns]
    return lambda start, end: np.column_stack([column[start:end] for column in own])


@dataclass
class IncomingValues:
    """The expression values of what is loaded.

    parts: rows of expression_parts.
    part_of: profile -> its new part.
    changes: profile -> gene -> [before, after].
    """

    objects: ObjectStore
    writes: bool
    parts: list[dict] = field(default_factory=list)
    part_of: dict[str, str] = field(default_factory=dict)
    changes: dict[str, dict[str, list]] = field(default_factory=dict)
    gene_sets: dict[bytes, GeneIndex] = field(default_factory=dict)
    _digests: dict[int, bytes] = field(default_factory=dict)
    restored: set[str] = field(default_factory=set)  # profiles with the same values whose part was lost
    _known: dict[str, _Known] | None = None
    _whole: dict[str, bool] = field(default_factory=dict)  # part -> whether it is there
    _waiting: list[_Column] = field(default_factory=list)
    _waiting_genes: bytes | None = None
    _writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=WRITERS))
    _writing: deque[Future] = field(default_factory=deque)

    def take(self, connection: Connection, matrix: Matrix) -> dict[str, str]:
        """Keep what is new or changed. Gives the fingerprint of every profile of the matrix."""
        if self._known is None:
            self._known = _known_profiles(connection)
        shared = self._digest(matrix.genes)
        fingerprints = {}
        for i, profile_id in enumerate(matrix.profile_ids):
            column = matrix.column(i)
            fingerprints[profile_id] = column_fingerprint(shared, column)
            known = self._known.get(profile_id)
            if known is not None and known.fingerprint == fingerprints[profile_id]:
                if self._is_there(known):
                    continue
                self.restored.add(profile_id)
            if self._waiting and (shared != self._waiting_genes or len(self._waiting) == PART_PROFILES):
                self._write_waiting(in_background=True)
            self._waiting_genes = shared
            self._waiting.append(_Column(profile_id, matrix, i))
        return fingerprints

    def _is_there(self, known: _Known) -> bool:
        """Whether the part that holds a profile is there, as far as can be known without its bytes."""
        if known.part_id not in self._whole:
            self._whole[known.part_id] = self.objects.is_there(known.part_id, size=known.size_bytes)
        return self._whole[known.part_id] and not known.is_marked

    def _digest(self, genes: GeneIndex) -> bytes:
        """Of the genes' ids, computed once for all files that share them; gene_sets keeps each set alive."""
        if id(genes) not in self._digests:
            shared = genes_digest(genes.ids)
            genes = self.gene_sets.setdefault(shared, genes)
            self._digests[id(genes)] = shared
            return shared
        return self._digests[id(genes)]

    def flush(self) -> None:
        """Write what waits as the last part, before any row names it; all parts are on the disk then."""
        self._write_waiting(in_background=False)
        self._finish_writing()
        self._writer.shutdown()

    def _write_waiting(self, in_background: bool) -> None:
        """Store what waits as one part. In the background, the next files are read meanwhile."""
        if not self._waiting:
            return
        genes, columns = self.gene_sets[self._waiting_genes].ids, self._waiting
        self._waiting, self._waiting_genes = [], None
        if in_background:
            self._finish_writing(but=WRITERS - 1)
            self._writing.append(self._writer.submit(self._write, genes, columns))
        else:
            self._write(genes, columns)

    def _finish_writing(self, but: int = 0) -> None:
        """Wait until no more than so many parts are being written."""
        while len(self._writing) > but:
            self._writing.popleft().result()

    def _write(self, genes: Sequence[str], columns: list[_Column]) -> None:
        self._note_changes(genes, columns)
        if not self.writes:
            return
        names = [c.profile_id for c in columns]
        part_id, size = write_part(self.objects, genes, names, _block_of(columns))
        self.parts.append({"part_id": part_id, "size_bytes": size, "n_profiles": len(names), "n_genes": len(genes)})
        self.part_of |= dict.fromkeys(names, part_id)
        fp("ingest.part_written")

    def _note_changes(self, genes: Sequence[str], columns: list[_Column]) -> None:
        """The genes whose value changed in profiles that stood already, the first few with both values."""
        known = {c.profile_id: self._known[c.profile_id] for c in columns if c.profile_id in self._known}
        old = {
            p: k.part_id for p, k in known.items() if p not in self.restored and self.objects.is_whole(k.part_id)
        }  # of values whose part is lost nobody can say what they were
        if not old:
            return
        import pandas as pd

        before = read_matrix(self.objects, pd.DataFrame({"part_id": old}))
        new = {c.profile_id: c.matrix.column(c.index) for c in columns if c.profile_id in old}
        for j, name in enumerate(before.profiles.index):
            had = before.present[:, j]
            was = dict(zip(before.genes[had], before.values[had, j], strict=True))
            self.changes[name] = _gene_changes(was, genes, new[name])


def _known_profiles(connection: Connection) -> dict[str, _Known]:
    """profile -> what stands of it."""
    profiles, parts = ExpressionProfile, ExpressionPart
    rows = connection.execute(
        select(profiles.profile_id, profiles.values_fingerprint, profiles.part_id, parts.size_bytes, Unit.damage)
        .outerjoin(parts, parts.part_id == profiles.part_id)
        .outerjoin(Unit, (Unit.analysis == "ingest.expression_profiles") & (Unit.key == profiles.profile_id))
    )
    return {row[0]: _Known(*row[1:4], row[4] is not None) for row in rows}


def _gene_changes(was: dict[str, float], genes, column: np.ndarray) -> dict[str, list]:
    moved = {}
    for gene, value in zip(genes, column, strict=True):
        past = was.pop(gene, np.nan)
        if not (value == past or (value != value and past != past)):
            moved[gene] = [_plain(past), _plain(value)]
    moved |= {gene: [_plain(past), None] for gene, past in was.items()}
    shown = dict(list(moved.items())[:GENES_SHOWN])
    if len(moved) > GENES_SHOWN:
        shown["…"] = [None, f"{len(moved) - GENES_SHOWN} more genes"]
    return shown


def _plain(value: float) -> float | None:
    return None if value != value else float(value)
