"""GEO's series matrix: lines that tell of the series and of its samples, and between two marks a table of values.

File     ..._series_matrix.txt: !Series_…, !Sample_… (one field a sample, in the order of the columns), then
         !series_matrix_table_begin, ID_REF and the samples' GSM numbers, one row a probe or gene, and !series_matrix_table_end.
Names    A column is a GSM number. Where the samples' titles are unique, a sample may be named by its title instead.
Samples  `sample_table` gives the !Sample_ lines as a table, one row a sample, for a map of clinical values.
Source   GEO's page "Series Matrix File Format".
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tshdb.errors import InvalidInput
from tshdb.text_files import csv_reader, open_text

GEO = "GEO series matrix"
TABLE_BEGIN, TABLE_END = "!series_matrix_table_begin", "!series_matrix_table_end"
SAMPLE = "!Sample_"
TITLE, ACCESSION = "title", "geo_accession"


class Series(NamedTuple):
    """What stands above the table. line: of the table's header; samples: (line, key, one text a sample)."""

    line: int
    header: list[str]
    samples: list[tuple[int, str, list[str]]]

    @property
    def titles(self) -> dict[str, str]:
        """GSM number -> title, where the titles are unique."""
        texts = {key: values for _, key, values in self.samples}
        pairs = dict(zip(texts.get(ACCESSION, ()), texts.get(TITLE, ()), strict=False))
        return pairs if len(set(pairs.values())) == len(pairs) else {}


def is_series_matrix(text: str) -> bool:
    """Whether a text begins as GEO's series matrix does."""
    return text.lstrip('"').startswith(("!Series_", SAMPLE))


def series_of(path: Path) -> Series:
    """The lines above the table. Raises InvalidInput for a file without a table."""
    samples: list[tuple[int, str, list[str]]] = []
    with open_text(path) as file:
        numbered = enumerate(file, 1)
        for line, text in numbered:
            pieces = [text]
            while text.startswith(("!", '"!')) and sum(p.count('"') for p in pieces) % 2:  # line ends within a text
                further = next(numbered, None)
                if further is None:
                    break
                line = further[0]
                pieces.append(further[1])
            bare = " ".join(piece.rstrip("\r\n") for piece in pieces)
            if bare.strip('"') == TABLE_BEGIN:
                header = next(csv_reader([file.readline()], "\t"), [])
                return Series(line + 1, header, samples)
            if bare.strip('"').startswith(SAMPLE):
                key, *values = next(csv_reader([bare], "\t"), [""])
                samples.append((line, key.removeprefix(SAMPLE), values))
    raise InvalidInput(
        "a series matrix of GEO without a table: it is cut, or its values lie in supplementary files", where=str(path),
        repair="Fetch it again, or take the series' supplementary table",
    )  # fmt: skip


def sample_table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """(header, rows): one row a sample, one column a !Sample_ line. `tissue: tumor` is the column tissue with the value tumor.

    A row bears the number of the sample, since its texts stand on many lines.
    """
    header: list[str] = []
    columns: list[list[str]] = []
    for _, key, values in series_of(path).samples:
        for name, texts in _columns_of(key, values):
            if name in header and key.startswith("characteristics"):
                into = columns[header.index(name)]
                into[:] = [old or new for old, new in zip(into, texts, strict=False)]
                continue
            while name in header:
                name += "'"
            header.append(name)
            columns.append(list(texts))
    n = max(map(len, columns), default=0)
    return header, [(i + 1, [c[i] if i < len(c) else "" for c in columns]) for i in range(n)]


def _columns_of(key: str, values: list[str]) -> Iterable[tuple[str, list[str]]]:
    """The columns of one line: characteristics name each value themselves, and one line may hold several kinds."""
    if not key.startswith("characteristics"):
        return [(key, values)]
    pairs = [value.partition(": ") for value in values]
    names = list(dict.fromkeys(name for name, sign, _ in pairs if sign))
    if not names:
        return [(key, values)]
    return [(name, [text.strip() if each == name else "" for each, _, text in pairs]) for name in names]
