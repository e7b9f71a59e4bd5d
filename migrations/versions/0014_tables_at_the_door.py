"""What tables bring is judged at the door: counts know their library size, and counts per million are a unit.

The library sizes of counts that stand already are computed by whoever migrates, who knows where the values lie.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0014"
down_revision = "0013"

UNITS = ("tpm", "fpkm", "fpkm_uq", "rsem", "counts", "intensity")
UNITS_NOW = ("tpm", "fpkm", "fpkm_uq", "rsem", "counts", "cpm", "intensity")
WITH_UNIT = (
    "expression_profiles", "cell_abundances", "tsh_ratios", "cox_terms", "tumor_abundances", "cutoffs", "survival_groups",
    "wilcoxon_tests", "model_terms", "tsh_scores",
)  # fmt: skip


def upgrade() -> None:
    _add_library_sizes(context.config.attributes.get("handed", {}).get("library_sizes", {}))
    _units(UNITS, UNITS_NOW)


def downgrade() -> None:
    _units(UNITS_NOW, UNITS)
    op.drop_column("expression_profiles", "library_size")


def _add_library_sizes(sizes: dict[str, float]) -> None:
    """sizes: profile -> the sum of its counts, of the profiles that hold counts."""
    op.add_column("expression_profiles", sa.Column("library_size", sa.Double(), nullable=True))
    rows = [{"profile": profile, "size": size} for profile, size in sizes.items()]
    if rows:
        statement = sa.text("UPDATE expression_profiles SET library_size = :size WHERE profile_id = :profile")
        op.get_bind().execute(statement, rows)


def _units(before: tuple[str, ...], now: tuple[str, ...]) -> None:
    """What a unit may be, in every table that has one. A CHECK of SQLite is in the table's text alone, and changed there."""
    before_text, text = (", ".join(f"'{unit}'" for unit in units) for units in (before, now))
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        for table in WITH_UNIT:
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_expression_unit")
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_expression_unit CHECK (unit IN ({text}))")
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for table in WITH_UNIT:
        changed = connection.exec_driver_sql(
            "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ? AND instr(sql, ?)",
            (before_text, text, table, before_text),
        )
        if changed.rowcount != 1:
            raise RuntimeError(f"{table} has another CHECK of its unit than revision {down_revision} made")
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
