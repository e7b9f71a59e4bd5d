"""What differs between a study and a variant of it, or between two variants: settings, units, rows of results.

Only units are looked at whose rows differ by their digests, so that features of a thousand patients that are shared cost nothing.
Labels are no part of a digest: they are compared in all rows of the tables that have them, and a label that changed is shown of
any table. A row is known by its unit (analysis and key) and by the rest of its table's key; numbers are compared as they are
stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tshdb.engine.units import COHORT, INGEST
from tshdb.engine.world import REFERENCE
from tshdb.variants import kept

KEY_VALUES = {  # table -> what a reader wants to see of each row that differs
    "cutoffs": ("method", "value", "n", "n_high", "p_permutation"),
    "logrank_tests": ("n_good", "n_poor", "chi2", "p_value", "reason"),
    "cox_terms": ("hazard_ratio", "ci_lower", "ci_upper", "p_value", "n", "n_events", "reason"),
    "likelihood_ratio_tests": ("chi2", "p_value", "reason"),
    "concordances": ("c_index", "ci_lower", "ci_upper", "reason"),
    "model_performance": ("value", "ci_lower", "ci_upper", "reason"),
    "signature_performance": ("value", "ci_lower", "ci_upper", "reason"),
}
LABELS = ("is_optimistic", "is_in_sample", "is_circular")  # what a result rests on: it may change where no number does


class Row(NamedTuple):
    """A row of results that differs. before, after: column -> value, of the columns that differ; None: there is no such row."""

    unit: str
    row: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class TableDifference(NamedTuple):
    """The rows of one table that differ."""

    table: str
    rows: list[Row]

    @property
    def counts(self) -> dict[str, int]:
        return {
            "differ": sum(r.before is not None and r.after is not None for r in self.rows),
            "gone": sum(r.after is None for r in self.rows),
            "new": sum(r.before is None for r in self.rows),
        }

    def of_interest(self, with_all: bool = False) -> Iterator[tuple[Row, list[tuple[str, Any, Any]]]]:
        """Each row with (column, before, after) of the values that matter in this table; with_all: of all that differ."""
        values_of_table = KEY_VALUES.get(self.table, ())
        for row in self.rows:
            before, after = row.before or {}, row.after or {}
            wanted = values_of_table if row.before is None or row.after is None else (*values_of_table, *LABELS)
            columns = [c for c in dict.fromkeys((*before, *after)) if with_all or c in wanted]
            values = [(c, before.get(c), after.get(c)) for c in columns if before.get(c) != after.get(c)]
            if values:
                yield row, values


def differences(before: Path, after: Path, keys: dict[str, tuple[str, ...]]) -> list[TableDifference]:
    """The result tables of two databases in which rows differ, by name. keys: table -> its key without the unit."""
    with kept.attached(before, other=after) as raw:
        units = _moved_units(raw)
        found = []
        here, there = kept.payloads(raw), kept.payloads(raw, "other")
        for table in sorted({*here, *there}):
            stood = _rows(raw, "main", table, units, keys.get(table, ())) if table in here else {}
            stands = _rows(raw, "other", table, units, keys.get(table, ())) if table in there else {}
            rows = list(_compared(stood, stands))
            if rows:
                found.append(TableDifference(table, rows))
        return found


def _moved_units(raw: sqlite3.Connection) -> set[tuple[str, str]]:
    """(analysis, key) of the units that are in one database alone, or whose rows are not the same."""
    where = f"analysis <> '{COHORT}' AND analysis NOT LIKE '{INGEST}%' AND analysis NOT LIKE '{REFERENCE}%' AND state = 'current'"
    one, other = (
        {(analysis, key): said for analysis, key, *said in kept.rows(
            raw, f"SELECT analysis, key, rows_digest FROM {schema}.units WHERE {where}"
        )}
        for schema in ("main", "other")
    )  # fmt: skip
    return {unit for unit in {*one, *other} if one.get(unit) != other.get(unit) or one.get(unit) == [None]}


def _rows(
    raw: sqlite3.Connection, schema: str, table: str, units: set[tuple[str, str]], key: tuple[str, ...]
) -> dict[tuple[str, str], dict[str, Any]]:
    """(unit, rest of the key) -> the row, of these units; of all others their labels alone."""
    cursor = raw.execute(
        f'SELECT u.analysis, u.key, r.* FROM {schema}."{table}" r JOIN {schema}.units u ON u.unit_id = r.unit_id '
        "WHERE u.state = 'current' ORDER BY u.analysis, u.key, r.rowid"
    )
    names = [d[0] for d in cursor.description][2:]
    labels = [name for name in names if name in LABELS]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for analysis, unit_key, *values in cursor:
        is_moved = (analysis, unit_key) in units
        if not is_moved and not labels:
            continue
        row = dict(zip(names, values, strict=True))
        row |= {label: None if row[label] is None else bool(row[label]) for label in labels}
        rest = ", ".join(str(row[c]) for c in key)
        told = [name for name in names if name != "unit_id" and name not in key] if is_moved else labels
        found[f"{analysis}/{unit_key}", rest] = {name: row[name] for name in told}
    return found


def _compared(
    stood: dict[tuple[str, str], dict[str, Any]], stands: dict[tuple[str, str], dict[str, Any]]
) -> Iterator[Row]:
    for name in sorted({*stood, *stands}):
        before, after = stood.get(name), stands.get(name)
        if before == after:
            continue
        if before is not None and after is not None:
            moved = [c for c in dict.fromkeys((*before, *after)) if before.get(c) != after.get(c)]
            yield Row(*name, {c: before.get(c) for c in moved}, {c: after.get(c) for c in moved})
        else:
            yield Row(*name, before, after)
