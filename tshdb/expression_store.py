"""Expression values: immutable Parquet parts of at most PART_PROFILES profiles, sorted by gene.

Columns: gene, profile (text), value (double, as found in the source; null where the source has none). Rows are sorted by
gene, and every gene has all profiles of the part in the same order. Row groups are small, so that a few marker genes are
read without the rest. The part's name is its SHA-256; which part speaks for a profile stands in
`expression_profiles.part_id`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tshdb.canonical import digest
from tshdb.errors import IntegrityError
from tshdb.objects import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    Block = Callable[[int, int], np.ndarray]

PART_PROFILES = 128
ROW_GROUP = 8_192
READERS = 2  # parts that are read at once


@dataclass(frozen=True)
class ExpressionMatrix:
    """Values of some genes in some profiles.

    genes: (g,) gene ids, sorted.
    profiles: frame of p rows, indexed by profile_id, with unit and scale.
    values: (g, p) as they stand in the source, NaN where there is none.
    present: (g, p) whether the source has the gene.
    """

    genes: np.ndarray
    profiles: pd.DataFrame
    values: np.ndarray
    present: np.ndarray

    def of_profiles(self, profile_ids: Sequence[str]) -> ExpressionMatrix:
        """The same genes in fewer profiles."""
        chosen = self.profiles.index.get_indexer(list(profile_ids))
        return ExpressionMatrix(
            self.genes,
            self.profiles.iloc[chosen],
            np.ascontiguousarray(self.values[:, chosen]),
            np.ascontiguousarray(self.present[:, chosen]),
        )


def values_fingerprint(genes: Sequence[str], values: np.ndarray) -> str:
    """The fingerprint of one profile: genes (sorted) with their values, NaN and zero canonical."""
    return digest(genes_digest(genes), _canonical(values).tobytes())


def genes_digest(genes: Sequence[str]) -> bytes:
    """The part of a profile's fingerprint that all columns of a matrix share."""
    return digest("\0".join(genes).encode()).encode()


def column_fingerprint(shared: bytes, values: np.ndarray) -> str:
    """As values_fingerprint, with the digest of the genes computed once for all columns."""
    return digest(shared, _canonical(values).tobytes())


def _canonical(values: np.ndarray) -> np.ndarray:
    canonical = values + 0.0
    missing = np.isnan(canonical)
    if missing.any():
        canonical[missing] = np.nan
    return canonical.astype(">f8")


def write_part(objects: ObjectStore, genes: Sequence[str], profile_ids: Sequence[str], block: Block) -> tuple[str, int]:
    """Store profiles as one part. genes: sorted; block(first, last): values of those genes, (genes, profiles).

    Gives (part id, size in bytes), when it is written and synced.
    """
    import pyarrow as pa
    from pyarrow import parquet

    width = len(profile_ids)
    gene_dictionary, profile_dictionary = pa.array(list(genes), pa.string()), pa.array(list(profile_ids), pa.string())
    text = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([("gene", text), ("profile", text), ("value", pa.float64())])
    step = max(1, ROW_GROUP // width)

    def write(path: Path) -> None:
        with parquet.ParquetWriter(
            path, schema, compression="lz4", use_dictionary=["gene", "profile"], write_statistics=["gene"]
        ) as writer:
            for first in range(0, len(genes), step):
                last = min(first + step, len(genes))
                values = np.ascontiguousarray(block(first, last)).ravel()
                gene_codes = pa.array(np.repeat(np.arange(last - first, dtype=np.int32), width))
                profile_codes = pa.array(np.tile(np.arange(width, dtype=np.int32), last - first))
                columns = [
                    pa.DictionaryArray.from_arrays(gene_codes, gene_dictionary[first:last]),
                    pa.DictionaryArray.from_arrays(profile_codes, profile_dictionary),
                    pa.array(values, mask=np.isnan(values)),
                ]
                writer.write_table(pa.table(columns, schema=schema))

    return objects.put(write)


def read_matrix(objects: ObjectStore, profiles: pd.DataFrame, genes: Sequence[str] | None = None) -> ExpressionMatrix:
    """The values of `profiles` (indexed by profile_id, with part_id); of all genes, or of those among `genes` found."""
    wanted = None if genes is None else sorted(set(genes))
    groups = [(part_id, list(members.index)) for part_id, members in profiles.groupby("part_id", sort=True)]

    def read(group: tuple[str, list[str]]) -> _Piece:
        return _read_part(objects.verified(group[0]), wanted, group[1])

    with ThreadPoolExecutor(max_workers=READERS) as pool:
        pieces = list(pool.map(read, groups)) if len(groups) > 1 else list(map(read, groups))
    gene_sets = {id(p.genes): p.genes for p in pieces}
    gene_ids = np.array(sorted(set().union(*gene_sets.values())), dtype=object)
    values = np.full((len(gene_ids), len(profiles)), np.nan)
    present = np.zeros(values.shape, dtype=bool)
    row_of = {g: i for i, g in enumerate(gene_ids)}
    column_of = {p: i for i, p in enumerate(profiles.index)}
    for piece in pieces:
        rows = np.array([row_of[g] for g in piece.genes], dtype=int)
        columns = np.array([column_of[p] for p in piece.profiles], dtype=int)
        values[np.ix_(rows, columns)] = piece.values
        present[np.ix_(rows, columns)] = True
    if not present.any(axis=0).all() and wanted is None:
        raise IntegrityError("a part lacks a profile that it should hold", where=str(objects.root))
    return ExpressionMatrix(gene_ids, profiles, values, present)


def profiles_in(path: Path) -> list[str]:
    """The profiles that a part holds."""
    from pyarrow import parquet

    with parquet.ParquetFile(path, memory_map=True, read_dictionary=["gene", "profile"]) as file:
        return _order_of_profiles(file, 0) if file.metadata.num_row_groups else []


def read_part(path: Path, members: Sequence[str]) -> tuple[list[str], list[str], np.ndarray]:
    """All genes of some profiles of one part: (genes, profiles that are there, values as genes x profiles)."""
    return _read_part(path, None, list(members))


class _Piece(NamedTuple):
    """What one part has of what was asked for. values: (genes, profiles)."""

    genes: list[str]
    profiles: list[str]
    values: np.ndarray


def _read_part(path: Path, wanted: list[str] | None, members: list[str]) -> _Piece:
    """The wanted genes (sorted) of some profiles, from those row groups alone that may hold them.

    A part lists its profiles in the same order for every gene, so that a row group is a block of genes x profiles.
    """
    from pyarrow import parquet

    with parquet.ParquetFile(path, memory_map=True, read_dictionary=["gene", "profile"]) as file:
        groups = _groups_with(file.metadata, wanted)
        if not groups:
            return _Piece([], [], np.empty((0, 0)))
        names = _order_of_profiles(file, groups[0])
        position = {name: i for i, name in enumerate(names)}
        here = [m for m in members if m in position]
        columns = np.array([position[m] for m in here], dtype=int)
        asked = None if wanted is None else set(wanted)
        genes: list[str] = []
        blocks: list[np.ndarray] = []
        table = file.read_row_groups(groups, columns=["gene", "value"], use_threads=False)
        for batch in table.to_batches():
            profiles = batch.column(0).dictionary.to_pylist()
            rows, block = _block(batch, profiles, len(names), path)
            if asked is not None:
                keep = [i for i, gene in enumerate(rows) if gene in asked]
                rows, block = [rows[i] for i in keep], block[keep]
            genes += rows
            blocks.append(block[:, columns])
    return _Piece(genes, here, np.concatenate(blocks))


def _groups_with(metadata, wanted: list[str] | None) -> list[int]:
    """The row groups that may hold one of the wanted genes, by their smallest and largest gene."""
    if wanted is None:
        return list(range(metadata.num_row_groups))
    groups = []
    for i in range(metadata.num_row_groups):
        statistics = metadata.row_group(i).column(0).statistics
        if statistics is None or not statistics.has_min_max:
            groups.append(i)
            continue
        at = bisect_left(wanted, statistics.min)
        if at < len(wanted) and wanted[at] <= statistics.max:
            groups.append(i)
    return groups


def _order_of_profiles(file, group: int) -> list[str]:
    """The profiles of a part, in the order in which they stand for every gene."""
    table = file.read_row_group(group, columns=["gene", "profile"], use_threads=False)
    (batch,) = table.combine_chunks().to_batches()
    genes, profiles = batch.column(0), batch.column(1)
    codes = genes.indices.to_numpy(zero_copy_only=False)
    width = int(np.flatnonzero(codes != codes[0])[0]) if (codes != codes[0]).any() else len(codes)
    names = profiles.dictionary.to_pylist()
    return [names[i] for i in profiles.indices.to_numpy(zero_copy_only=False)[:width]]


def _block(batch, names: list[str], width: int, path: Path) -> tuple[list[str], np.ndarray]:
    """(genes, values as genes x profiles) of one batch of rows."""
    codes = batch.column(0).indices.to_numpy(zero_copy_only=False)
    if len(codes) % width:
        raise IntegrityError("a part is not a block of genes x profiles", where=str(path), repair="Restore a backup")
    codes = codes.reshape(-1, width)
    if (codes != codes[:, :1]).any():
        raise IntegrityError("a part is not sorted by gene", where=str(path), repair="Restore a backup")
    values = batch.column(1).to_numpy(zero_copy_only=False).reshape(-1, width)
    return [names[i] for i in codes[:, 0]], values
