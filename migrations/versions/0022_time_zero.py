"""Series know when contrast was injected, where their headers say it; kinetics from where time to peak counts.

Series from before have no time of injection until their files are read again, as those with contrast are at the next ingest. What
stands of them is fingerprinted anew where it is what was ingested, so that nobody seems to have edited it; nothing is due by that
alone.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from tshdb.canonical import json_text, rows_fingerprint

revision = "0022"
down_revision = "0021"

SERIES, ADDED, UNIT = "imaging_series", "contrast_start_s", "ingest.imaging_series"
KINETICS = {"time_zero": sa.Text(), "zero_s": sa.Double()}
AGAIN = f"UPDATE imaging_instances SET mtime_ns = NULL WHERE series_uid IN (SELECT series_uid FROM {SERIES} WHERE %s)"


def upgrade() -> None:
    before = _columns()
    op.add_column(SERIES, sa.Column(ADDED, sa.Double(), nullable=True))
    _fingerprints(before, _columns())
    _words(lambda values: {ADDED: None} | values)
    op.execute(AGAIN % "contrast_agent IS NOT NULL")
    for name, kind in KINETICS.items():
        op.add_column("kinetics", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    before = _columns()
    _fingerprints(before, [name for name in before if name != ADDED])
    _words(lambda values: {name: value for name, value in values.items() if name != ADDED})
    op.drop_column(SERIES, ADDED)
    for name in KINETICS:
        op.drop_column("kinetics", name)


def _columns() -> list[str]:
    return sorted(c["name"] for c in sa.inspect(op.get_bind()).get_columns(SERIES))


def _fingerprints(before: list[str], after: list[str]) -> None:
    """Ingested rows that are what was ingested have the fingerprint of the other columns, and so has what was seen of them."""
    connection = op.get_bind()
    table = sa.Table(SERIES, sa.MetaData(), autoload_with=connection, resolve_fks=False)
    by_study: dict[str, list[dict]] = {}
    for row in connection.execute(sa.select(table)).mappings():
        by_study.setdefault(row["study_uid"], []).append(dict(row))
    of_unit = "SELECT unit_id FROM units WHERE analysis = :analysis AND key = :key"
    for study_uid, rows in by_study.items():
        was, now = (rows_fingerprint(names, [[r.get(n) for n in names] for r in rows]) for names in (before, after))
        facts = {"was": was, "now": now, "analysis": UNIT, "key": study_uid}
        seen = "UPDATE unit_inputs SET seen_fingerprint = :now WHERE seen_fingerprint = :was AND input_unit_id IN"
        connection.execute(sa.text(f"{seen} ({of_unit})"), facts)
        said = "UPDATE units SET fingerprint = :now WHERE fingerprint = :was AND analysis = :analysis AND key = :key"
        connection.execute(sa.text(said), facts)


def _words(changed) -> None:
    connection = op.get_bind()
    query = sa.text(f"SELECT source_record_id, row_values FROM source_records WHERE table_name = '{SERIES}'")
    rows = [
        {"id": row.source_record_id, "said": json_text(changed(json.loads(row.row_values)))}
        for row in connection.execute(query)
    ]
    if rows:
        connection.execute(sa.text("UPDATE source_records SET row_values = :said WHERE source_record_id = :id"), rows)
