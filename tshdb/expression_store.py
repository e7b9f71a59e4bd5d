"""Expression values: immutable Parquet parts of at most PART_PROFILES profiles, sorted by gene.

Columns: gene, profile (text), value (double, as found in the source; null where the source has none). Row groups are
small, so that a few marker genes are read without the rest. The part's name is its SHA-256; which part speaks for a
profile stands in `expression_profiles.part_id`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tshdb.canonical import digest
from tshdb.errors import IntegrityError
from tshdb.objects import ObjectStore

if TYPE_CHECKING:
    import pandas as pd

PART_PROFILES = 128
ROW_GROUP = 50_000


@dataclass(frozen=True)
class ExpressionMatrix:
    """Values of some genes in some profiles.

    genes: (g,) gene ids, sorted; profiles: frame of p rows, indexed by profile_id, with unit and scale;
    values: (g, p) as they stand in the source, NaN where there is none; present: (g, p) whether the source has the gene.
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


def write_parts(
    objects: ObjectStore, genes: Sequence[str], profile_ids: Sequence[str], columns: Sequence[np.ndarray]
) -> Iterator[tuple[str, int, list[str]]]:
    """Store profiles of one matrix. genes: sorted; columns: one array a profile, in the order of genes.

    Gives (part id, size in bytes, its profiles) for each part, written and synced before it is given.
    """
    import pyarrow as pa
    from pyarrow import parquet

    gene_dictionary = pa.array(list(genes), pa.string())
    for start in range(0, len(profile_ids), PART_PROFILES):
        names = list(profile_ids[start : start + PART_PROFILES])
        width = len(names)

        def write(path: Path, names=names, width=width, start=start) -> None:
            schema = pa.schema(
                [
                    ("gene", pa.dictionary(pa.int32(), pa.string())),
                    ("profile", pa.dictionary(pa.int32(), pa.string())),
                    ("value", pa.float64()),
                ]
            )
            profile_dictionary = pa.array(names, pa.string())
            step = max(1, ROW_GROUP // width)
            with parquet.ParquetWriter(
                path, schema, compression="zstd", compression_level=1, use_dictionary=["gene", "profile"]
            ) as writer:
                for first in range(0, len(genes), step):
                    last = min(first + step, len(genes))
                    block = np.column_stack([columns[start + i][first:last] for i in range(width)]).ravel()
                    gene_codes = np.repeat(np.arange(first, last, dtype=np.int32), width)
                    profile_codes = np.tile(np.arange(width, dtype=np.int32), last - first)
                    writer.write_table(
                        pa.table(
                            [
                                pa.DictionaryArray.from_arrays(
                                    pa.array(gene_codes - first), gene_dictionary[first:last]
                                ),
                                pa.DictionaryArray.from_arrays(pa.array(profile_codes), profile_dictionary),
                                pa.array(block, mask=np.isnan(block)),
                            ],
                            schema=schema,
                        )
                    )

        part_id, size = objects.put(write)
        yield part_id, size, names


def read_matrix(objects: ObjectStore, profiles: pd.DataFrame, genes: Sequence[str] | None = None) -> ExpressionMatrix:
    """The values of `profiles` (indexed by profile_id, with part_id); of all genes, or of those among `genes` found."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet

    wanted = None if genes is None else sorted(set(genes))
    pieces = []
    for part_id, members in profiles.groupby("part_id", sort=True):
        path = objects.verified(part_id)
        filters = None if wanted is None else [("gene", "in", wanted)]
        table = parquet.read_table(path, filters=filters, memory_map=True)
        keep = pc.is_in(table["profile"].cast(pa.string()), value_set=pa.array(list(members.index), pa.string()))
        pieces.append(table.filter(keep) if len(members) < len(table["profile"].unique()) else table)
    found: set[str] = set()
    for piece in pieces:
        found.update(piece["gene"].unique().to_pylist())
    gene_ids = np.array(sorted(found), dtype=object)
    values = np.full((len(gene_ids), len(profiles)), np.nan)
    present = np.zeros(values.shape, dtype=bool)
    row_of = {g: i for i, g in enumerate(gene_ids)}
    column_of = {p: i for i, p in enumerate(profiles.index)}
    for piece in pieces:
        rows = _codes(piece["gene"], row_of)
        columns = _codes(piece["profile"], column_of)
        values[rows, columns] = piece["value"].to_numpy(zero_copy_only=False)
        present[rows, columns] = True
    if not present.any(axis=0).all() and wanted is None:
        raise IntegrityError("a part lacks a profile that it should hold", where=str(objects.root))
    return ExpressionMatrix(gene_ids, profiles, values, present)


def _codes(column, position: dict[str, int]) -> np.ndarray:
    """The positions of a dictionary-encoded column's values; its dictionary may hold others, which no row uses."""
    pieces = []
    for chunk in column.chunks:
        encoded = chunk if hasattr(chunk, "dictionary") else chunk.dictionary_encode()
        table = np.array([position.get(v, -1) for v in encoded.dictionary.to_pylist()] or [-1])
        pieces.append(table[encoded.indices.to_numpy(zero_copy_only=False)])
    return np.concatenate(pieces) if pieces else np.array([], dtype=int)
