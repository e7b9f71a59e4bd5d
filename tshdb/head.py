"""The beginning of a file, by which readers recognise what it is; it is opened when they ask, and once."""

from __future__ import annotations

import io
import json
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tshdb.errors import TshdbError
from tshdb.everyday import refuse_of_machine
from tshdb.packing import is_workbook
from tshdb.text_files import csv_reader, open_text, top_of

HEAD_CHARACTERS = 1 << 16
HEAD_ROWS = 3
MAGIC_BYTES = 132  # DICOM's mark ends there
SHOWN = 6


class Head:
    """What the first lines of a file show."""

    def __init__(self, path: Path):
        self.path = path
        self._problem: TshdbError | None = None

    @property
    def name(self) -> str:
        """The file's name in lower case."""
        return self.path.name.lower()

    @cached_property
    def magic(self) -> bytes:
        """The first bytes as they lie on the disk; none of a file that cannot be opened."""
        try:
            with self.path.open("rb") as file:
                return file.read(MAGIC_BYTES)
        except OSError as error:
            refuse_of_machine(error)
            return b""

    @cached_property
    def is_workbook(self) -> bool:
        return is_workbook(self.path)

    @cached_property
    def text(self) -> str:
        """The first characters, unpacked; none of a file that is no text (`problem` says why)."""
        try:
            with open_text(self.path) as file:
                return file.read(HEAD_CHARACTERS)
        except TshdbError as error:
            self._problem = error
        except OSError as error:
            refuse_of_machine(error)
            self._problem = TshdbError(f"cannot be read ({error.strerror})", where=str(self.path))
        return ""

    @property
    def problem(self) -> TshdbError | None:
        """Why it has no text; None where it has."""
        return self._problem if not self.text else None

    @property
    def is_json(self) -> bool:
        return self.text[:1] in ("[", "{")

    @cached_property
    def json(self) -> Any:
        """The whole file where it is JSON, else None."""
        if not self.is_json:
            return None
        try:
            return json.loads(self.path.read_text(encoding="utf-8-sig"))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
            return None

    @cached_property
    def rows(self) -> list[list[str]]:
        """The first rows of a table, from its header on, by the header's delimiter; fields without blanks around them."""
        if self.is_json:
            return []
        top = top_of(io.StringIO(self.text, newline=""))
        rows = csv_reader(chain([top.header], top.rest), top.delimiter) if top.header else []
        return [[field.strip() for field in row] for row in islice(rows, HEAD_ROWS)]

    @property
    def header(self) -> list[str]:
        return self.rows[0] if self.rows else []

    @property
    def shown(self) -> str:
        """What it looks like, in a few words."""
        if self.is_workbook:
            return "a workbook"
        if self.is_json:
            return "JSON of another kind"
        columns = ", ".join(self.header[:SHOWN]) + (" …" if len(self.header) > SHOWN else "")
        return f"columns {columns}" if columns else "an empty file"
