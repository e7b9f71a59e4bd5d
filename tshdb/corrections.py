"""What was corrected of the data behind a fit since it was made: rows of data, each counted once however many units it reached.

Plain SQL, so that `tshdb status` asks it without SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Run = Callable[[str], list[tuple]]
NAMED = 5

_FIT = (
    "SELECT u.unit_id, u.analysis, u.key, max(a.attempt_id) AS made FROM units u JOIN attempts a ON a.unit_id = u.unit_id "
    "WHERE u.upstream IS NOT NULL AND u.state = 'current' GROUP BY u.unit_id, u.analysis, u.key"
)
_MOVED = (
    f"SELECT f.unit_id, f.analysis, f.key, f.made, i.unit_id AS input_id, i.analysis AS producer, i.key AS input_key "
    f"FROM ({_FIT}) f JOIN unit_inputs e ON e.unit_id = f.unit_id JOIN units i ON i.unit_id = e.input_unit_id "
    "WHERE i.fingerprint IS DISTINCT FROM e.seen_fingerprint"
)
_FLAGGED = f"SELECT DISTINCT analysis, key FROM ({_MOVED}) m ORDER BY analysis, key"
# rows that a fit reads itself
_DIRECT = (
    f"SELECT m.analysis, m.key, c.change_id FROM ({_MOVED}) m JOIN attempts a ON a.attempt_id = m.made "
    "JOIN change_log c ON c.table_name = substr(m.producer, 8) AND c.entity_key = m.input_key "
    "WHERE substr(m.producer, 1, 7) = 'ingest.' AND c.change_id > a.last_change_id"
)
# rows behind results that a fit reads
_BEHIND = (
    f"SELECT m.analysis, m.key, c.change_id FROM ({_MOVED}) m "
    "JOIN attempts a ON a.unit_id = m.input_id AND a.attempt_id > m.made AND a.is_changed "
    "JOIN cause_sets s ON s.cause_set = a.cause_set JOIN causes c ON c.cause_id = s.cause_id WHERE c.change_id IS NOT NULL"
)
# attempts from before causes were recorded
_NOT_RECORDED = (
    f"SELECT DISTINCT m.analysis, m.key FROM ({_MOVED}) m JOIN attempts a ON a.attempt_id = m.made "
    "LEFT JOIN attempts b ON b.unit_id = m.input_id AND b.attempt_id > m.made AND b.is_changed "
    "WHERE a.last_change_id IS NULL OR (b.attempt_id IS NOT NULL AND b.cause_set IS NULL)"
)


def corrections(run: Run) -> dict[tuple[str, str], frozenset[int] | None]:
    """(fit, key) -> rows of change_log that corrected its data since it was made, for fits of which an input is another one now.

    None where that was not recorded; empty where it was no row of data, such as a result that came out otherwise when it was
    made again. run: a SELECT -> its rows.
    """
    rows_of_fit: dict[tuple[str, str], set[int]] = {(analysis, key): set() for analysis, key in run(_FLAGGED)}
    if not rows_of_fit:
        return {}
    for query in (_DIRECT, _BEHIND):
        for analysis, key, change_id in run(query):
            rows_of_fit[analysis, key].add(change_id)
    unknown = set(run(_NOT_RECORDED))
    return {fit: None if fit in unknown else frozenset(rows) for fit, rows in rows_of_fit.items()}


def counted(rows: frozenset[int] | None) -> int | None:
    """How many corrections; None where that was not recorded."""
    return None if rows is None else len(rows)


def rows_named(run: Run, changes: Iterable[int]) -> list[str]:
    """The rows (table/key) that these changes corrected, at most NAMED of them."""
    some = ", ".join(map(str, sorted(changes)[:NAMED]))
    if not some:
        return []
    query = f"SELECT DISTINCT table_name, row_key FROM change_log WHERE change_id IN ({some}) ORDER BY 1, 2"
    return [f"{table}/{key}" for table, key in run(query)]


def in_words(n: int | None) -> str:
    """How many corrections, in words."""
    if n is None:
        return "data corrected since (how much was not recorded)"
    if n == 0:
        return "an input came out otherwise since"
    return f"{n:,} {'row' if n == 1 else 'rows'} of data corrected since"
