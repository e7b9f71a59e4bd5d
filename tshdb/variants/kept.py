"""The units of a variant that differ from the study's: taken out of a copy of its database, and laid over another one.

variant.db holds them by name (analysis and key), with their rows, inputs, specs and what is known of how they came to be. A unit
that the study has just so (state, fingerprint, all columns of its rows, spec, inputs as they were seen) is the study's, and is
not kept. Numbers (unit_id, run_id, …) are given anew where the units are laid over a copy: the study goes on counting
meanwhile.

A unit cannot be laid over where an input of it is no unit of the study any more, where its table is declared otherwise, or
where its cohort is frozen by now. It is left out, and due again.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tshdb.database import REVISION
from tshdb.engine.units import COHORT, IDENTITY_COLUMNS, INGEST, now
from tshdb.engine.world import REFERENCE
from tshdb.sqlite_files import to_read
from tshdb.version import __version__

FORM = "1"  # of variant.db
COUNTED = {  # tables of history -> their columns with numbers of these tables, which go on from where the study's end
    "runs": {"run_id": "runs"},
    "run_costs": {"run_id": "runs"},
    "causes": {"cause_id": "causes", "run_id": "runs"},
    "cause_sets": {"cause_set": "cause_sets", "cause_id": "causes"},
    "attempts": {"attempt_id": "attempts", "run_id": "runs", "cause_set": "cause_sets"},
    "retirements": {"retirement_id": "retirements", "run_id": "runs", "cause_set": "cause_sets"},
    "result_changes": {"result_change_id": "result_changes", "run_id": "runs"},
}
NUMBER = {  # table -> its own number
    "runs": "run_id", "causes": "cause_id", "cause_sets": "cause_set", "attempts": "attempt_id",
    "retirements": "retirement_id", "result_changes": "result_change_id",
}  # fmt: skip
OF_UNITS = {  # the tables whose rows are of units, and no results -> their columns that name units
    "attempts": ("unit_id", "through_unit_id"), "retirements": ("unit_id",), "result_changes": ("unit_id",),
    "units": ("unit_id",), "unit_inputs": ("unit_id", "input_unit_id"),
}  # fmt: skip
OF_COHORTS = ("cohort_versions", "cohort_members", "cohort_flow", "cohort_exclusions")
BASE_UNITS = "unit_id, analysis, key, state, fingerprint, spec_id, run_id, message, rows_digest"
SPEC = tuple(column.key for column in IDENTITY_COLUMNS)


@contextmanager
def attached(path: Path, **others: Path) -> Iterator[sqlite3.Connection]:
    """A connection to one SQLite file, with others beside it, which are read only."""
    with closing(sqlite3.connect(f"file:{quote(str(path))}", uri=True, isolation_level=None)) as raw:
        raw.execute("PRAGMA busy_timeout = 30000")
        for name, other in others.items():
            raw.execute(f"ATTACH ? AS {name}", [to_read(other)])
        yield raw


def rows(raw: sqlite3.Connection, sql: str, values: Iterable[Any] = ()) -> list[tuple]:
    return raw.execute(sql, tuple(values)).fetchall()


def tables(raw: sqlite3.Connection, schema: str = "main") -> dict[str, list[str]]:
    """table -> its columns."""
    names = [
        name for (name,) in rows(raw, f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table' ORDER BY name")
    ]
    return {name: [r[1] for r in rows(raw, f'PRAGMA {schema}.table_info("{name}")')] for name in names}


def payloads(raw: sqlite3.Connection, schema: str = "main") -> dict[str, list[str]]:
    """The tables of results, this program's and guests': table -> its columns."""
    return {
        name: columns for name, columns in tables(raw, schema).items() if "unit_id" in columns and name not in OF_UNITS
    }


# ----------------------------------------------------------------------------------------------------- what stood


def note_base(copy: Path, base: Path) -> None:
    """Note beside a copy what it holds as it came from the study: its units, the last of all numbers, versions of cohorts."""
    base.unlink(missing_ok=True)
    with closing(sqlite3.connect(base)) as made:
        made.executescript(
            "CREATE TABLE numbers (name TEXT PRIMARY KEY, last INTEGER); CREATE TABLE cohorts (cohort TEXT, last INTEGER)"
        )
    with closing(sqlite3.connect(f"file:{quote(str(base))}", uri=True, isolation_level=None)) as raw:
        raw.execute("ATTACH ? AS copy", [to_read(copy)])
        raw.execute("BEGIN")
        raw.execute(f"CREATE TABLE units AS SELECT {BASE_UNITS} FROM copy.units")
        for name, last in _last(raw, "copy").items():
            raw.execute("INSERT INTO numbers VALUES (?, ?)", [name, last])
        raw.execute("INSERT INTO cohorts SELECT cohort, max(version) FROM copy.cohort_versions GROUP BY cohort")
        raw.execute("COMMIT")


def _last(raw: sqlite3.Connection, schema: str) -> dict[str, int]:
    """table -> the largest of its numbers."""
    return {
        table: rows(raw, f"SELECT coalesce(max({column}), 0) FROM {schema}.{table}")[0][0]
        for table, column in NUMBER.items()
    }


# ------------------------------------------------------------------------------------------------------ taken out


def take_out(copy: Path, base: Path, study: Path, made: Path, objects: Mapping[str, Mapping[str, str]]) -> None:
    """Write what differs from the study's into a new file.

    objects: table -> column that names objects -> suffix.
    """
    made.unlink(missing_ok=True)
    with attached(copy, base=base, study=study) as raw:
        raw.execute("ATTACH ? AS made", [str(made)])
        raw.execute("PRAGMA made.synchronous = FULL")
        raw.execute("BEGIN")
        raw.execute("CREATE TEMP TABLE own (unit_id INTEGER PRIMARY KEY)")
        raw.executemany("INSERT INTO own VALUES (?)", [(unit,) for unit in _differing(raw)])
        ours = "unit_id IN (SELECT unit_id FROM own)"
        raw.execute("CREATE TABLE made.info (name TEXT PRIMARY KEY, value)")
        said = {"form": FORM, "revision": REVISION, "program": __version__, "made_at": now()}
        raw.executemany("INSERT INTO made.info VALUES (?, ?)", said.items())
        raw.execute("CREATE TABLE made.numbers AS SELECT name, last FROM base.numbers")
        for table in ("units", "unit_inputs", *payloads(raw)):
            if table in ("units", "unit_inputs") or rows(raw, f'SELECT 1 FROM "{table}" WHERE {ours} LIMIT 1'):
                raw.execute(f'CREATE TABLE made."{table}" AS SELECT * FROM main."{table}" WHERE {ours}')
        raw.execute(
            "CREATE TABLE made.specs AS SELECT * FROM main.specs WHERE spec_id IN (SELECT spec_id FROM made.units)"
        )
        _take_history(raw, ours)
        _take_cohorts(raw)
        _name_units(raw)
        raw.execute("CREATE TABLE made.objects (digest TEXT, suffix TEXT, UNIQUE (digest, suffix))")
        for table, columns in objects.items():
            for column, suffix in columns.items() if table in tables(raw, "made") else ():
                raw.execute(
                    f'INSERT OR IGNORE INTO made.objects SELECT "{column}", ? FROM made."{table}" WHERE "{column}" IS NOT NULL',
                    [suffix],
                )
        raw.execute("COMMIT")


def _differing(raw: sqlite3.Connection) -> list[int]:
    """The units that the copy has made otherwise since it was made, or that were laid over it, and that the study has not so."""
    columns = ("state", "fingerprint", "spec_id", "run_id", "message", "rows_digest")
    moved = " OR ".join(f"u.{c} IS NOT b.{c}" for c in columns)
    found = rows(
        raw,
        "SELECT u.unit_id FROM main.units u LEFT JOIN base.units b ON b.unit_id = u.unit_id "
        f"WHERE u.analysis NOT LIKE '{INGEST}%' AND NOT (u.analysis = '{COHORT}' AND u.key LIKE '%@%') "
        f"AND (b.unit_id IS NULL AND u.state <> 'retired' OR b.unit_id IS NOT NULL AND ({moved}))",
    )
    units = {unit for (unit,) in found}
    return sorted(units - _same(raw, "main", "main.units", "study", units))


def _same(raw: sqlite3.Connection, one: str, names: str, other: str, units: Collection[int]) -> set[int]:
    """Those of the units of one database that another one has just so. names: where the keys of inputs stand in the first."""
    raw.execute("CREATE TEMP TABLE asked (unit_id INTEGER PRIMARY KEY)")
    raw.executemany("INSERT INTO asked VALUES (?)", [(unit,) for unit in units])
    specs = " AND ".join(f"s.{c} IS t.{c}" for c in ("analysis", *SPEC))
    alike = dict(rows(
        raw,
        f"SELECT u.unit_id, v.unit_id FROM temp.asked a JOIN {one}.units u ON u.unit_id = a.unit_id "
        f"JOIN {other}.units v ON v.analysis = u.analysis AND v.key = u.key AND v.state = u.state "
        "AND v.fingerprint IS u.fingerprint AND v.rows_digest IS u.rows_digest AND v.message IS u.message "
        f"LEFT JOIN {one}.specs s ON s.spec_id = u.spec_id LEFT JOIN {other}.specs t ON t.spec_id = v.spec_id "
        f"WHERE {specs}",
    ))  # fmt: skip
    inputs: dict[int, set[tuple]] = defaultdict(set)
    theirs: dict[int, set[tuple]] = defaultdict(set)
    for found, schema, keys, of in (
        (inputs, one, names, set(alike)), (theirs, other, f"{other}.units", set(alike.values())),
    ):  # fmt: skip
        raw.execute("DELETE FROM asked")
        raw.executemany("INSERT INTO asked VALUES (?)", [(unit,) for unit in of])
        for unit, *edge in rows(
            raw,
            f"SELECT e.unit_id, e.role, i.analysis, i.key, e.seen_fingerprint FROM temp.asked a JOIN {schema}.unit_inputs e "
            f"ON e.unit_id = a.unit_id JOIN {keys} i ON i.unit_id = e.input_unit_id",
        ):
            found[unit].add(tuple(edge))
    raw.execute("DROP TABLE temp.asked")
    return {unit for unit, their in alike.items() if inputs[unit] == theirs[their]}


def _take_history(raw: sqlite3.Connection, ours: str) -> None:
    """How the units came to be: what runs of the variant have noted of them."""
    last = dict(rows(raw, "SELECT name, last FROM base.numbers"))
    for table in ("attempts", "retirements", "result_changes"):
        raw.execute(
            f"CREATE TABLE made.{table} AS SELECT * FROM main.{table} WHERE {ours} AND {NUMBER[table]} > {last[table]}"
        )
    raw.execute(
        f"CREATE TABLE made.cause_sets AS SELECT * FROM main.cause_sets WHERE cause_set > {last['cause_sets']} AND cause_set IN "
        "(SELECT cause_set FROM made.attempts UNION SELECT cause_set FROM made.retirements)"
    )
    raw.execute(
        f"CREATE TABLE made.causes AS SELECT * FROM main.causes WHERE cause_id > {last['causes']} AND cause_id IN "
        "(SELECT cause_id FROM made.cause_sets)"
    )
    named = " UNION ".join(
        f"SELECT run_id FROM made.{t}" for t in ("units", "attempts", "retirements", "result_changes", "causes")
    )
    of_runs = f"run_id > {last['runs']} AND (run_id IN ({named}) OR run_id = (SELECT max(run_id) FROM main.runs))"
    raw.execute(f"CREATE TABLE made.runs AS SELECT * FROM main.runs WHERE {of_runs}")
    raw.execute(
        "CREATE TABLE made.run_costs AS SELECT * FROM main.run_costs WHERE run_id IN (SELECT run_id FROM made.runs)"
    )


def _take_cohorts(raw: sqlite3.Connection) -> None:
    """The newest version of each live cohort that has other members than the study's."""
    newest = (
        "(cohort, version) IN (SELECT v.cohort, max(v.version) FROM main.cohort_versions v "
        f"JOIN made.units u ON u.analysis = '{COHORT}' AND u.key = v.cohort AND u.state = 'current' "
        "LEFT JOIN base.cohorts b ON b.cohort = v.cohort "
        "WHERE v.mode = 'live' AND v.version > coalesce(b.last, 0) GROUP BY v.cohort)"
    )
    for table in OF_COHORTS:
        raw.execute(f"CREATE TABLE made.{table} AS SELECT * FROM main.{table} WHERE {newest}")


def _name_units(raw: sqlite3.Connection) -> None:
    """The names of all units that are kept, or that what is kept rests on."""
    named = [(table, column) for table, columns in OF_UNITS.items() for column in columns]
    found = " UNION ".join(f"SELECT {column} FROM made.{table} WHERE {column} IS NOT NULL" for table, column in named)
    raw.execute(f"CREATE TABLE made.named AS SELECT unit_id, analysis, key FROM main.units WHERE unit_id IN ({found})")


# ------------------------------------------------------------------------------------------------------ laid over


def lay_over(copy: Path, kept: Path) -> int:
    """Put the units of a variant in place of the study's, in a copy of its database. Gives how many they are.

    Those that the study has just so by now are left to it.
    """
    with attached(copy, own=kept) as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        suspects = [
            (name,) for (name,) in rows(raw, "SELECT table_name FROM table_versions WHERE written IS NOT version")
        ]
        raw.execute("BEGIN IMMEDIATE")
        ids = _numbered(raw)
        _put_units(raw, _put_specs_and_history(raw))
        _put_cohorts(raw)
        raw.execute("CREATE TEMP TABLE suspects (name TEXT)")
        raw.executemany("INSERT INTO suspects VALUES (?)", suspects)
        raw.execute(
            "UPDATE table_versions SET written = version WHERE written IS NOT version "
            "AND table_name NOT IN (SELECT name FROM suspects)"
        )
        raw.execute("COMMIT")
    return ids


def _numbered(raw: sqlite3.Connection) -> int:
    """Temporary tables of what is laid over: `ids` (its numbers here), `laid` (the units), `specs_here`. Gives how many units."""
    raw.execute("CREATE TEMP TABLE ids (old INTEGER PRIMARY KEY, new INTEGER, analysis TEXT, key TEXT)")
    raw.execute(
        "INSERT INTO ids SELECT n.unit_id, u.unit_id, n.analysis, n.key FROM own.named n "
        "LEFT JOIN main.units u ON u.analysis = n.analysis AND u.key = n.key"
    )
    raw.execute("CREATE TEMP TABLE laid (unit_id INTEGER PRIMARY KEY)")
    units = {unit for (unit,) in rows(raw, "SELECT unit_id FROM own.units")}
    units -= _of_frozen(raw) | _of_other_tables(raw)
    units -= _same(raw, "own", "own.named", "main", units)
    there = {old for (old,) in rows(raw, "SELECT old FROM ids WHERE new IS NOT NULL")}
    edges: dict[int, set[int]] = defaultdict(set)
    for unit, input_unit in rows(raw, "SELECT unit_id, input_unit_id FROM own.unit_inputs"):
        edges[unit].add(input_unit)
    known = there | units
    while lost := {unit for unit in units if not edges[unit] <= known}:
        units -= lost
        known = there | units
    raw.executemany("INSERT INTO laid VALUES (?)", [(unit,) for unit in units])
    (last,) = rows(raw, "SELECT coalesce(max(unit_id), 0) FROM main.units")[0]
    fresh = rows(raw, "SELECT old FROM ids WHERE new IS NULL AND old IN (SELECT unit_id FROM laid) ORDER BY old")
    raw.executemany("UPDATE ids SET new = ? WHERE old = ?", [(last + i, old) for i, (old,) in enumerate(fresh, 1)])
    return len(units)


def _of_frozen(raw: sqlite3.Connection) -> set[int]:
    """The members of live cohorts that are frozen by now, or are no more."""
    return {unit for (unit,) in rows(
        raw,
        f"SELECT unit_id FROM own.units WHERE analysis = '{COHORT}' AND key NOT IN "
        "(SELECT cohort FROM main.cohorts WHERE mode = 'live')",
    )}  # fmt: skip


def _of_other_tables(raw: sqlite3.Connection) -> set[int]:
    """The units with rows in tables that are not declared so here."""
    here = payloads(raw)
    others = [name for name, columns in payloads(raw, "own").items() if name != "named" and here.get(name) != columns]
    return {unit for name in others for (unit,) in rows(raw, f'SELECT DISTINCT unit_id FROM own."{name}"')}


def _put_specs_and_history(raw: sqlite3.Connection) -> str:
    """What the units were made by, and what is noted of that: numbers go on where those of the study end.

    Gives the expression for a run's number.
    """
    same = " AND ".join(f"h.{c} IS o.{c}" for c in ("analysis", *SPEC))
    raw.execute("CREATE TEMP TABLE specs_here (old INTEGER PRIMARY KEY, new INTEGER)")
    raw.execute(f"INSERT INTO specs_here SELECT o.spec_id, h.spec_id FROM own.specs o LEFT JOIN main.specs h ON {same}")
    (last,) = rows(raw, "SELECT coalesce(max(spec_id), 0) FROM main.specs")[0]
    fresh = [old for (old,) in rows(raw, "SELECT old FROM specs_here WHERE new IS NULL ORDER BY old")]
    raw.executemany("UPDATE specs_here SET new = ? WHERE old = ?", [(last + i, old) for i, old in enumerate(fresh, 1)])
    columns = tables(raw)
    _insert(raw, "specs", columns["specs"], {"spec_id": "(SELECT new FROM specs_here WHERE old = t.spec_id)"},
            f"spec_id IN ({', '.join(map(str, fresh)) or 'NULL'})")  # fmt: skip
    before, here = dict(rows(raw, "SELECT name, last FROM own.numbers")), _last(raw, "main")
    shift = {name: here[name] - before[name] for name in NUMBER}
    for table, numbers in COUNTED.items():
        instead = {column: _moved(column, before[of], shift[of]) for column, of in numbers.items()}
        named = [c for c in OF_UNITS.get(table, ()) if c in columns[table]]
        instead |= {column: f"(SELECT new FROM ids WHERE old = t.{column})" for column in named}
        is_here = "unit_id IN (SELECT old FROM ids WHERE new IS NOT NULL)" if named else "1"
        _insert(raw, table, columns[table], instead, is_here)
    return _moved("run_id", before["runs"], shift["runs"])


def _moved(column: str, last: int, by: int) -> str:
    """The expression for a number that goes on where the study's end; those up to `last` are the study's own."""
    return f"t.{column} + CASE WHEN t.{column} > {last} THEN {by} ELSE 0 END"


def _put_units(raw: sqlite3.Connection, run: str) -> None:
    """run: the expression for a run's number."""
    columns, here = tables(raw), payloads(raw)
    ours = "unit_id IN (SELECT new FROM ids WHERE old IN (SELECT unit_id FROM laid))"
    laid = "unit_id IN (SELECT unit_id FROM laid)"
    unit = "(SELECT new FROM ids WHERE old = t.unit_id)"
    for table in ("unit_inputs", *here):
        raw.execute(f'DELETE FROM main."{table}" WHERE {ours}')
    raw.execute(f"DELETE FROM main.units WHERE {ours}")
    _insert(raw, "units", columns["units"], {
        "unit_id": unit,
        "spec_id": "(SELECT new FROM specs_here WHERE old = t.spec_id)",
        "run_id": run,
    }, laid)  # fmt: skip
    _insert(raw, "unit_inputs", columns["unit_inputs"], {
        "unit_id": unit, "input_unit_id": "(SELECT new FROM ids WHERE old = t.input_unit_id)",
    }, laid)  # fmt: skip
    for table in payloads(raw, "own"):
        if table in here:
            _insert(raw, table, columns[table], {"unit_id": unit}, laid)


def _put_cohorts(raw: sqlite3.Connection) -> None:
    """The members of live cohorts in the variant, as their newest version."""
    columns = tables(raw)
    raw.execute("CREATE TEMP TABLE versions (cohort TEXT PRIMARY KEY, version INTEGER)")
    raw.execute(
        "INSERT INTO versions SELECT o.cohort, coalesce((SELECT max(version) FROM main.cohort_versions h "
        "WHERE h.cohort = o.cohort), 0) + 1 FROM own.cohort_versions o WHERE o.cohort IN "
        f"(SELECT key FROM ids WHERE analysis = '{COHORT}' AND old IN (SELECT unit_id FROM laid))"
    )
    for table in OF_COHORTS:
        version = "(SELECT version FROM versions WHERE cohort = t.cohort)"
        _insert(raw, table, columns[table], {"version": version}, "cohort IN (SELECT cohort FROM versions)")


def _insert(raw: sqlite3.Connection, table: str, columns: list[str], instead: Mapping[str, str], where: str) -> None:
    """Copy rows of a table of the variant, some columns by other expressions (in which the row is t)."""
    names = ", ".join(f'"{c}"' for c in columns)
    values = ", ".join(instead.get(c, f't."{c}"') for c in columns)
    raw.execute(f'INSERT INTO main."{table}" ({names}) SELECT {values} FROM own."{table}" t WHERE {where}')


# ------------------------------------------------------------------------------------------------------- counted


def info(kept: Path) -> dict[str, Any]:
    """What a variant's database says of itself. `states`: its units of analyses, by state."""
    with closing(sqlite3.connect(to_read(kept), uri=True)) as raw:
        said = dict(rows(raw, "SELECT name, value FROM info"))
        of_analyses = f"analysis <> '{COHORT}' AND analysis NOT LIKE '{REFERENCE}%'"
        states = dict(rows(raw, f"SELECT state, count(*) FROM units WHERE {of_analyses} GROUP BY state"))
    return {**said, "states": states}
