"""Tables and arrays with a form of their own: Parquet, Arrow, NumPy, SQLite, HDF5, and workbooks from before 2007.

Texts are given as they are. Of numbers those that could be a name: whole ones of six digits and more.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from tshdb.contents.look import MIB, STEP, Look, NotSeen, Piece
from tshdb.contents.plain import names_somebody, raw
from tshdb.files import temporary_folder

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SMALLEST_NAME = 100_000  # shorter numbers mean too much to be looked for
ROWS = 20_000


def as_cells(values: Iterable[Any]) -> str:
    return "\n".join(_cell(v) for v in values if v is not None)


def _cell(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


# ------------------------------------------------------------------------------------------------ Parquet and Arrow


def parquet(file: IO[bytes], look: Look) -> Iterator[Piece]:
    import pyarrow.parquet as pq

    opened = pq.ParquetFile(file)
    yield look.text(str(opened.schema_arrow.names) + str(opened.metadata.metadata), is_binary=True)
    for batch in opened.iter_batches(batch_size=ROWS, use_threads=False):
        yield from _batch(batch, look)


def arrow(file: IO[bytes], look: Look) -> Iterator[Piece]:
    import pyarrow as pa

    opened = pa.ipc.open_file(file)
    yield look.text(str(opened.schema), is_binary=True)
    for i in range(opened.num_record_batches):
        yield from _batch(opened.get_batch(i), look)


def feather_1(file: IO[bytes], look: Look) -> Iterator[Piece]:
    import pyarrow.feather as feather

    for batch in feather.read_table(file, use_threads=False, memory_map=False).to_batches(ROWS):
        yield from _batch(batch, look)


def _batch(batch: pa.RecordBatch, look: Look) -> Iterator[Piece]:
    import pyarrow as pa

    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
            of_people = names_somebody(name)
            values = column.drop_null().to_numpy(zero_copy_only=False)
            cells = as_cells(values.tolist()) if of_people else _numbers(values)
        else:
            cells = as_cells(column.to_pylist())
        if cells:
            yield look.text(cells, column=name)


def _numbers(values: np.ndarray) -> str:
    """The whole numbers of an array that are long enough to be a name."""
    import numpy as np

    flat = np.asarray(values).ravel()
    large = flat[np.abs(flat) >= SMALLEST_NAME]
    if large.dtype.kind == "f":
        large = large[np.isfinite(large) & (large == np.floor(large))]
    return as_cells(np.unique(large).tolist())


# ------------------------------------------------------------------------------------------------ NumPy


def numpy_array(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """Nothing that is pickled is loaded: its texts lie in the bytes as they are."""
    import numpy as np

    major = np.lib.format.read_magic(file)
    read_head = np.lib.format.read_array_header_1_0 if major == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_head(file)
    yield look.text(str(dtype))
    if dtype.hasobject:
        yield look.unseen("Python objects in a NumPy array, which are not loaded")
        yield from raw(file, look)
        return
    left = int(np.prod(shape, dtype=np.int64))
    if not dtype.itemsize:
        return
    while left:
        n = min(left, max(1, 4 * MIB // dtype.itemsize))
        data = file.read(n * dtype.itemsize)
        if len(data) < n * dtype.itemsize:
            raise NotSeen("a NumPy array that is cut")
        left -= n
        yield from _array(np.frombuffer(data, dtype), look)


def _array(values: np.ndarray, look: Look) -> Iterator[Piece]:
    if values.dtype.names:
        for name in values.dtype.names:
            yield from _array(values[name], look)
    elif values.dtype.kind in "US":
        yield look.text(as_cells(values.ravel().tolist()))
    elif values.dtype.kind in "iuf":
        if cells := _numbers(values):
            yield look.text(cells)
    elif values.dtype.kind not in "bcmM":
        yield look.text(values.tobytes().decode("latin-1"), is_binary=True)


# ------------------------------------------------------------------------------------------------ SQLite


def sqlite(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """Free pages as bytes, and every row of every table. A copy is opened, as nobody else will change it."""
    yield from raw(file, look)
    file.seek(0)
    with temporary_folder("tshdb-look-") as folder:
        path = folder / "copy.db"
        with path.open("wb") as copy:
            while part := file.read(STEP):
                copy.write(part)
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as database:
            database.text_factory = lambda held: held.decode("utf-8", "replace")
            yield look.text(as_cells(sql for (sql,) in database.execute("SELECT sql FROM sqlite_master")))
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                yield from _rows(database, table, look)


def _rows(database: sqlite3.Connection, table: str, look: Look) -> Iterator[Piece]:
    quoted = '"' + table.replace('"', '""') + '"'
    try:
        cursor = database.execute(f"SELECT * FROM {quoted}")
        columns = [about[0] for about in cursor.description]
        while rows := cursor.fetchmany(ROWS):
            for name, values in zip(columns, zip(*rows, strict=True), strict=True):
                yield look.text(as_cells(values), column=name)
    except sqlite3.Error as error:
        yield look.unseen(f"a table of an SQLite database ({error})")


# ------------------------------------------------------------------------------------------------ HDF5


def hdf5(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """Names, attributes and data, by h5py where it is installed; else it is said, and the bytes are searched."""
    yield from raw(file, look)
    try:
        import h5py  # type: ignore[import-not-found]
    except ModuleNotFoundError:
        yield look.unseen("an HDF5 file (.h5, .h5ad, .loom): looking into it needs h5py (pip install h5py)")
        return
    file.seek(0)
    with h5py.File(file, "r") as opened:
        names: list[str] = []
        opened.visit(names.append)
        yield look.text("\n".join(names))
        for name in ["/", *names]:
            item = opened.get(name)
            if item is None:
                yield look.unseen("a link out of an HDF5 file")
                continue
            yield look.text("\n".join(f"{k}\n{_cell(v)}" for k, v in item.attrs.items()), is_binary=True)
            if isinstance(item, h5py.Dataset) and item.shape is not None:
                yield from _dataset(item, look)


def _dataset(item: Any, look: Look) -> Iterator[Piece]:
    step = max(1, ROWS // max(1, item.size // max(1, item.shape[0]))) if item.shape else 1
    for first in range(0, item.shape[0] if item.shape else 1, step):
        values = item[first : first + step] if item.shape else item[()]
        if item.dtype.kind == "O":
            flat = values.ravel().tolist() if hasattr(values, "ravel") else [values]
            yield look.text(as_cells(flat))
        elif hasattr(values, "dtype") and hasattr(values, "ravel"):
            yield from _array(values.ravel(), look)


# ------------------------------------------------------------------------------------------------ old workbooks


def old_office(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """A workbook by its cells. Of what else the old Office wrote, the bytes alone."""
    import xlrd

    yield from raw(file, look)
    file.seek(0)
    with tempfile.TemporaryFile("w+") as told:
        try:
            book = xlrd.open_workbook(file_contents=file.read(), logfile=told)
        except xlrd.XLRDError:
            yield look.unseen("a document of the old Office (.doc, .ppt, .msg)")
            return
    for sheet in book.sheets():
        yield look.text(sheet.name)
        for i in range(sheet.ncols):
            column = sheet.col_values(i)
            yield look.text(as_cells(column), column=str(column[0]) if column else "")
