"""The result that is followed, as it stands in a SQLite database: of the study, or of a copy by other settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from tshdb.errors import InvalidInput
from tshdb.multiverse.asked import Followed
from tshdb.near import did_you_mean
from tshdb.sqlite_files import to_read
from tshdb.variants.kept import OF_UNITS


class Found(NamedTuple):
    """A row of results. analysis, key: its unit; values: all of its columns."""

    unit_id: int
    analysis: str
    key: str
    values: dict[str, Any]


def rows_of(database: Path, followed: Followed) -> list[Found]:
    """The rows that are meant, of cohorts that have several versions the newest. Raises InvalidInput for what there is not."""
    with closing(sqlite3.connect(to_read(database.resolve()), uri=True)) as raw:
        known = columns_of(raw, followed)
        wanted = {column: value for column, value in followed.row.items() if column != "cohort"}
        conditions = "".join(f' AND r."{column}" IS ?' for column in wanted)
        cursor = raw.execute(
            f'SELECT u.unit_id, u.analysis, u.key, r.* FROM "{followed.table}" r JOIN units u ON u.unit_id = r.unit_id '
            f"WHERE u.state = 'current'{conditions} ORDER BY u.analysis, u.key, r.rowid",
            list(wanted.values()),
        )
        found = [Found(*row[:3], dict(zip(known, row[3:], strict=True))) for row in cursor]
    if followed.analysis is not None:
        found = [row for row in found if row.analysis == followed.analysis]
    if "cohort" in followed.row:
        found = [row for row in found if _is_of(row.values["cohort"], str(followed.row["cohort"]))]
    return _newest(found) if "cohort" in known else found


def columns_of(raw: sqlite3.Connection, followed: Followed) -> list[str]:
    """The columns of the table. Raises InvalidInput where it, or one of the columns that are meant, is none of results."""
    columns = [name for _, name, *_ in raw.execute("SELECT * FROM pragma_table_info(?)", [followed.table])]
    if "unit_id" not in columns or followed.table in OF_UNITS:
        names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        raise InvalidInput(
            f"'{followed.table}' is no table of results",
            where="[estimate] table",
            repair=did_you_mean(followed.table, names),
        )
    for place, named in (("row", followed.row), ("column", followed.measure.columns)):
        for column in named:
            if column not in columns:
                raise InvalidInput(
                    f"{followed.table} has no column '{column}'", where=f"[estimate] {place}",
                    repair=did_you_mean(column, columns, f"Its columns: tshdb schema {followed.table}"),
                )  # fmt: skip
    return columns


def _is_of(cohort: str, asked: str) -> bool:
    return cohort == asked or ("@" not in asked and cohort.partition("@")[0] == asked)


def _newest(found: list[Found]) -> list[Found]:
    """Of frozen cohorts the rows of the newest version."""

    def version(row: Found) -> int:
        number = row.values["cohort"].partition("@")[2]
        return int(number) if number.isdecimal() else 0

    newest: dict[str, int] = {}
    for row in found:
        name = row.values["cohort"].partition("@")[0]
        newest[name] = max(newest.get(name, 0), version(row))
    return [row for row in found if version(row) == newest[row.values["cohort"].partition("@")[0]]]


def the_one(found: list[Found], followed: Followed) -> Found:
    """The one row that is meant. Raises InvalidInput where there are several, with what tells them apart."""
    if len(found) == 1:
        return found[0]
    apart: Mapping[str, set[Any]] = {
        column: {row.values[column] for row in found} for column in found[0].values if column != "unit_id"
    }
    makers = {row.analysis for row in found}
    kinds = [
        column
        for column in ("cohort", "model", "term", "grouping", "endpoint", "scheme", "measure")
        if len(apart.get(column, ())) > 1
    ]
    told = "; ".join(f"{column} {', '.join(sorted(map(str, apart[column]))[:4])}" for column in kinds)
    if len(makers) > 1 and not kinds:
        told = f"analysis {', '.join(sorted(makers))}"
    raise InvalidInput(
        f"{len(found)} rows of {followed.table} are meant, and an estimate is in one",
        where="[estimate] row", repair=f"Say which: {told}" if told else "Say which, by more of its columns",
    )  # fmt: skip
