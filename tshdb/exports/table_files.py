"""Every table of entities and results as a file: Parquet with DuckDB's own types, or CSV with all digits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.exports.record import File, Job, Written
from tshdb.exports.tables import SECONDS, Told, left_out, tables
from tshdb.query import parquet_queries, stream_queries
from tshdb.text.answers import CSV, write_text

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[Job, Sequence[Told], Path], Iterator[int]]


def write_parquet(job: Job) -> Written:
    """A file a table: whole numbers, numbers, booleans and texts by their types; missing is null."""
    return _write(job, ".parquet", _as_parquet, "Types are Parquet's own; what is missing is null.")


def write_csv(job: Job) -> Written:
    """A file a table: UTF-8, commas; missing is nothing, an empty text is ""."""
    note = (
        'UTF-8, commas, texts in quotes where they need them; what is missing is nothing, an empty text is "". Numbers have all '
        "their digits; true and false are True and False. A spreadsheet may take a text for a formula: import it as text."
    )
    return _write(job, ".csv", _as_csv, note)


def _write(job: Job, suffix: str, write: Write, note: str) -> Written:
    told = tables(job.study)
    done = Written(write_tables(job, told, suffix, write), left_out(), notes=[note])
    there = {Path(file.name).stem for file in done.files}
    if empty := [table.name for table in told if table.name not in there]:
        done.left_out.append(f"tables without such rows: {', '.join(empty)}")
    return done


def write_tables(job: Job, told: Sequence[Told], suffix: str, write: Write) -> list[File]:
    """Write those tables that have rows of the chosen patients, all of one state of the database."""
    files = []
    for i, n in enumerate(write(job, told, job.folder)):
        path, table = job.folder / f"{told[i].name}{suffix}", told[i]
        if n:
            files.append(File(path.name, table.one_row, n, table.columns))
        else:
            path.unlink()
        job.progress("tables", i + 1, len(told))
    return files


def _as_parquet(job: Job, told: Sequence[Told], folder: Path) -> Iterator[int]:
    asked = [table.query(job.chosen) for table in told]
    for i, parts in groupby(parquet_queries(job.study, asked, seconds=SECONDS), itemgetter(0)):
        n = 0
        with (folder / f"{told[i].name}.parquet").open("wb") as file:
            for _, part in parts:
                if isinstance(part, bytes):
                    file.write(part)
                else:
                    n = part
        yield n


def _as_csv(job: Job, told: Sequence[Told], folder: Path) -> Iterator[int]:
    asked = [table.query(job.chosen) for table in told]
    for i, parts in groupby(stream_queries(job.study, asked, seconds=SECONDS), itemgetter(0)):
        with (folder / f"{told[i].name}.csv").open("w", encoding="utf-8", newline="") as file:
            yield write_text((answer for _, answer in parts), CSV, file)


def csv_tables(job: Job, folder: Path) -> list[File]:
    """The tables as CSV in a folder of an export that holds them beside other things."""
    return write_tables(replace(job, folder=folder), tables(job.study), ".csv", _as_csv)
