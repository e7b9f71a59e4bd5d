"""Expression values on their way into the store: compared with what stands, written in parts of bounded size.

Matrices come one after the other and are let go as soon as their new or changed profiles lie in a part, so that a
thousand files need no more memory than one part.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from tshdb.expression_store import PART_PROFILES, column_fingerprint, genes_digest, read_matrix, write_parts
from tshdb.failpoints import fp
from tshdb.objects import ObjectStore
from tshdb.reading import GeneIndex, Matrix
from tshdb.schema import ExpressionProfile

GENES_SHOWN = 5


@dataclass
class IncomingValues:
    """parts: rows of expression_parts; part_of: profile -> its new part; changes: profile -> gene -> [before, after]."""

    objects: ObjectStore
    writes: bool
    parts: list[dict] = field(default_factory=list)
    part_of: dict[str, str] = field(default_factory=dict)
    changes: dict[str, dict[str, list]] = field(default_factory=dict)
    gene_sets: dict[bytes, GeneIndex] = field(default_factory=dict)
    _digests: dict[int, bytes] = field(default_factory=dict)
    _known: dict[str, tuple[str, str]] | None = None
    _waiting: list[tuple[str, np.ndarray]] = field(default_factory=list)
    _waiting_genes: bytes | None = None

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
            if known is not None and known[0] == fingerprints[profile_id]:
                continue
            if self._waiting and (shared != self._waiting_genes or len(self._waiting) == PART_PROFILES):
                self.flush()
            self._waiting_genes = shared
            self._waiting.append((profile_id, column))
        return fingerprints

    def _digest(self, genes: GeneIndex) -> bytes:
        """Of the genes' ids, computed once for all files that share them; gene_sets keeps each set alive."""
        if id(genes) not in self._digests:
            shared = genes_digest(genes.ids)
            genes = self.gene_sets.setdefault(shared, genes)
            self._digests[id(genes)] = shared
            return shared
        return self._digests[id(genes)]

    def flush(self) -> None:
        """Write what waits as one part, before any row names it."""
        if not self._waiting:
            return
        genes = self.gene_sets[self._waiting_genes].ids
        names = [name for name, _ in self._waiting]
        self._note_changes(genes)
        if self.writes:
            columns = [column for _, column in self._waiting]
            for part_id, size, members in write_parts(self.objects, genes, names, columns):
                self.parts.append(
                    {"part_id": part_id, "size_bytes": size, "n_profiles": len(members), "n_genes": len(genes)}
                )
                self.part_of |= dict.fromkeys(members, part_id)
                fp("ingest.part_written")
        self._waiting, self._waiting_genes = [], None

    def _note_changes(self, genes) -> None:
        """The genes whose value changed in profiles that stood already, the first few with both values."""
        old = {name: self._known[name][1] for name, _ in self._waiting if name in self._known}
        if not old:
            return
        before = read_matrix(self.objects, pd.DataFrame({"part_id": old}))
        columns = dict(self._waiting)
        for j, name in enumerate(before.profiles.index):
            had = before.present[:, j]
            was = dict(zip(before.genes[had], before.values[had, j], strict=True))
            self.changes[name] = _gene_changes(was, genes, columns[name])


def _known_profiles(connection: Connection) -> dict[str, tuple[str, str]]:
    """profile -> (fingerprint of its values, its part)."""
    rows = connection.execute(
        select(ExpressionProfile.profile_id, ExpressionProfile.values_fingerprint, ExpressionProfile.part_id)
    )
    return {row.profile_id: (row.values_fingerprint, row.part_id) for row in rows}


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
