"""What a study holds, read straight from the database: fast enough to be asked all the time.

On SQLite the standard library's driver is enough; importing SQLAlchemy would take longer than the answer.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tshdb.code_in_database import refuse_code_of_others
from tshdb.cohorts.evaluation import Evaluated, evaluate_each
from tshdb.cohorts.rows import Rows, SqliteRows, rows_of
from tshdb.corrections import corrections, counted, rows_named
from tshdb.database import sqlite_path
from tshdb.disk import disk
from tshdb.engine.causes import Cause, causes_in_words
from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.places import refuse_database_outside
from tshdb.process import is_alive, machine
from tshdb.sqlite_files import opened_to_read
from tshdb.study import SETTINGS_FILE, Study, absolute_url, check_revision
from tshdb.vocabulary import CauseKind
from tshdb.written import written_text

COUNTS = {
    "patients": "SELECT count(*) FROM patients",
    "samples": "SELECT count(*) FROM samples",
    "profiles": "SELECT count(*) FROM expression_profiles",
    "examinations": "SELECT count(*) FROM imaging_studies",
    "follow_ups": "SELECT count(*) FROM follow_ups WHERE event IS NOT NULL AND duration_days IS NOT NULL",
    "conflicts": "SELECT count(*) FROM conflicts",
    "undecided": "SELECT count(*) FROM (SELECT DISTINCT table_name, row_key, column_name FROM conflicts "
    "WHERE held_source = '') AS u",
}
UNITS = (
    "SELECT analysis, state, count(*) FROM units WHERE analysis NOT LIKE 'ingest.%' AND analysis NOT LIKE 'reference.%' "
    "AND analysis <> 'cohort' AND state <> 'retired' GROUP BY analysis, state ORDER BY analysis, state"
)
DAMAGED = (
    "SELECT analysis, damage, count(*) FROM units WHERE damage IS NOT NULL GROUP BY analysis, damage ORDER BY 1, 2"
)
COHORTS = (
    "SELECT c.cohort, c.mode, c.sql_text, v.version, v.n_members FROM cohorts c LEFT JOIN cohort_versions v "
    "ON v.cohort = c.cohort AND v.mode = c.mode AND v.version = "
    "(SELECT max(w.version) FROM cohort_versions w WHERE w.cohort = c.cohort AND w.mode = c.mode) ORDER BY c.cohort"
)
LEASES = "SELECT token, host, process, analysis, count(*), max(expires_at) FROM leases GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
LAST_INGEST = "SELECT command, started_at FROM ingest_runs ORDER BY ingest_run_id DESC LIMIT 1"
LAST_RUN = "SELECT run_id, state, started_at FROM runs ORDER BY run_id DESC LIMIT 1"


def status(root: Path) -> dict[str, Any]:
    """Counts, cohorts, units by state, flagged fits, what it takes on disk, the last ingest and the last rebuild."""
    try:
        settings = tomllib.loads(written_text(root / SETTINGS_FILE)).get("study", {})
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"not TOML: {error}", where=str(root / SETTINGS_FILE), repair="Mend the line") from None
    named = settings.get("database", "sqlite:///study.db")
    refuse_database_outside(named, str(root / SETTINGS_FILE), root)
    url = absolute_url(root, named)
    path, study = sqlite_path(url), Study(root)
    trash = {"trash": study.trash.held()}
    if path is None:
        from tshdb.database import reading, tuples

        with reading(study.engine) as connection:

            def run(sql: str) -> list[tuple]:
                return tuples(connection, sql.replace("%", "%%"))  # % is the driver's mark of a parameter

            return _collect(settings, run, rows_of(connection)) | {"disk": disk(study.objects.root, None, run)} | trash
    if not path.is_file():
        raise NotFound("the database does not exist", where=str(path), repair="Restore it from a backup")
    with opened_to_read(path) as raw:
        tables = raw.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()[0]
        row = raw.execute("SELECT version_num FROM alembic_version").fetchone() if tables else None
        check_revision(row[0] if row else None, root)
        raw.execute("BEGIN")
        refuse_code_of_others(raw.execute, True, str(root))

        def asked(sql: str) -> list[tuple]:
            return raw.execute(sql).fetchall()

        found = _collect(settings, asked, SqliteRows(raw, study))
        return found | {"disk": disk(study.objects.root, path, asked)} | trash


def _collect(settings: dict, run: Callable[[str], list[tuple]], rows: Rows) -> dict[str, Any]:
    cohorts = run(COHORTS)
    evaluated = evaluate_each(rows, {name: text for name, _, text, _, _ in cohorts})
    units: dict[str, dict[str, int]] = {}
    for analysis, state, n in run(UNITS):
        units.setdefault(analysis, {})[state] = n
    ingest, rebuild = run(LAST_INGEST), run(LAST_RUN)
    return {
        "study": settings.get("name", ""),
        "counts": {name: run(sql)[0][0] for name, sql in COUNTS.items()},
        "cohorts": [_cohort(run, evaluated[row[0]], *row) for row in cohorts],
        "units": units,
        "flagged_fits": [
            {"unit": f"{a}/{k}", "corrections": counted(rows), "rows": rows_named(run, rows or ())}
            for (a, k), rows in corrections(run).items()
        ],
        "damaged": [{"analysis": a, "damage": d, "n": n} for a, d, n in run(DAMAGED)],
        "last_ingest": dict(zip(("command", "started_at"), ingest[0], strict=True)) if ingest else None,
        "last_rebuild": _rebuild(run, *rebuild[0]) if rebuild else None,
        "computing": [_computing(*row) for row in run(LEASES)],
    }


def _computing(run_id: int, host: str, process: str, analysis: str, n: int, expires_at: float) -> dict[str, Any]:
    """Units that a rebuild has taken to compute; `is_alive` is known of this machine's processes alone."""
    is_here = host == machine()
    return {
        "run_id": run_id, "host": host, "process": process, "analysis": analysis, "n": n,
        "is_alive": is_alive(process) if is_here else None, "lease_seconds_left": round(expires_at - time.time()),
    }  # fmt: skip


def _rebuild(run: Callable[[str], list[tuple]], run_id: int, state: str, started_at: str) -> dict[str, Any]:
    """The last rebuild, and what began what it did; `because`: None where it did nothing."""
    of_run = f"WHERE run_id = {run_id}"
    sets = f"SELECT cause_set FROM attempts {of_run} UNION SELECT cause_set FROM retirements {of_run}"
    numbers = [number for (number,) in run(sets)]
    fields = "kind, subject, value_before, value_after, place, entity_key, change_id"
    recorded = run(
        f"SELECT DISTINCT {fields} FROM causes c JOIN cause_sets s ON s.cause_id = c.cause_id WHERE s.cause_set IN ({sets})"
    )
    causes = [Cause(CauseKind(kind), *values) for kind, *values in recorded]
    return {
        "run_id": run_id,
        "state": state,
        "started_at": started_at,
        "because": causes_in_words(causes) if numbers else None,
        "causes": [cause.facts() for cause in causes],
    }


def _cohort(
    run, now: Evaluated | TshdbError, name: str, mode: str, _text: str, version: int | None, n_members: int | None
) -> dict:
    entry = {"cohort": name, "mode": mode, "version": version, "n_members": n_members, "problem": None}
    if isinstance(now, TshdbError):
        return entry | {"problem": f"its SQL fails now: {now.message}", "newly_eligible": 0, "no_longer_eligible": 0}
    if mode == "live":
        return entry | {"n_members": len(now.members), "newly_eligible": 0, "no_longer_eligible": 0}
    quoted = name.replace("'", "''")
    rows = run(f"SELECT patient_id FROM cohort_members WHERE cohort = '{quoted}' AND version = {version or 0}")
    eligible, members = set(now.members), {row[0] for row in rows}
    return entry | {"newly_eligible": len(eligible - members), "no_longer_eligible": len(members - eligible)}
