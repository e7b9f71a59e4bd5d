"""What tables bring is judged at the door: counts know their library size, and counts per million are a unit.

The library sizes of counts that stand already are computed by whoever migrates, who knows where the values lie.

Abundances and ratios are computed otherwise of counts and of values below 0, and as before of all others. Where a database has
none that may come out otherwise, the code of the program before is said to be today's, so that nothing is due.

From here on the SQL of cohorts is that of `tshdb sql`, on every database: `tshdb migrate` says whose members differ.
"""

from __future__ import annotations

import hashlib

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


CODE = {  # analysis -> its code before, and now
    "cell_abundances": ("e8805503062f26f6c560f1af6b4d17d1", "39a6da4ef4b15034a4ccf866cdaacce7"),
    "tsh_ratios": ("bee2999d89fa7913d463115d122c3f71", "f88f1791c93dac4abc9b6ca225cd5595"),
}
OTHERWISE = "unit = 'counts' OR transform <> 'log2(x + 1)'"  # of rows that may come out otherwise


def upgrade() -> None:
    handed = context.config.attributes.get("handed", {})
    _add_library_sizes(handed.get("library_sizes", {}))
    _units(UNITS, UNITS_NOW)
    same = {analysis: codes for analysis, codes in CODE.items() if not _has_otherwise(analysis)}
    _say_code(same)
    _say_upstream(same, handed.get("upstream", {}))


def downgrade() -> None:
    _say_code({analysis: (now, before) for analysis, (before, now) in CODE.items()})
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


def _has_otherwise(table: str) -> bool:
    """Whether a result table of this database has rows that today's code may make otherwise."""
    return bool(op.get_bind().execute(sa.text(f"SELECT count(*) FROM {table} WHERE {OTHERWISE}")).scalar_one())


def _say_code(codes: dict[str, tuple[str, str]]) -> None:
    """Specs of these analyses have another code: analysis -> (the one that they have, the one that it is said to be)."""
    connection = op.get_bind()
    for analysis, (code, other) in codes.items():
        query = sa.text("SELECT spec_id, sources FROM specs WHERE analysis = :analysis AND code_fingerprint = :code")
        for row in connection.execute(query, {"analysis": analysis, "code": code}).fetchall():
            connection.execute(
                sa.text(
                    "UPDATE specs SET code_fingerprint = :code, leads = '{}', kept_digest = :kept, modules = NULL, "
                    "text_digest = NULL WHERE spec_id = :spec"
                ),
                {"code": other, "kept": _digest(row.sources.encode(), b"{}"), "spec": row.spec_id},
            )
    if connection.dialect.name == "sqlite":
        names = "'specs', 'expression_profiles'"
        connection.exec_driver_sql(f"UPDATE table_versions SET written = version WHERE table_name IN ({names})")


def _say_upstream(codes: dict[str, tuple[str, str]], upstream: dict[str, list[tuple[str, ...]]]) -> None:
    """Models whose digest of all upstream is that of the code before have that of today's.

    upstream: fit -> (analysis, code, …) of all that is upstream of it, as today's program says it.
    """
    for fit, behind in upstream.items():
        now = [tuple(parts) for parts in behind]
        before = [(name, codes[name][0], *rest) if (name in codes and code == codes[name][1]) else (name, code, *rest)
                  for name, code, *rest in now]  # fmt: skip
        if before != now:
            op.get_bind().execute(
                sa.text("UPDATE units SET upstream = :now WHERE analysis = :fit AND upstream = :before"),
                {"fit": fit, "before": _said(before), "now": _said(now)},
            )


def _said(specs: list[tuple[str, ...]]) -> str:
    return _digest(*("\0".join(parts).encode() for parts in specs))


def _digest(*parts: bytes) -> str:
    h = hashlib.blake2b(digest_size=16)
    for part in parts:
        h.update(len(part).to_bytes(8, "big"))
        h.update(part)
    return h.hexdigest()
