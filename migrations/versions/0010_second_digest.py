"""Results have a second digest, of every column of their rows as they are stored; what was damaged is marked.

The digests are taken over from the rows as they stand, and say so with the date. Tables have the version that our own last
writing left.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from tshdb.stored_rows import EMPTY, stored_digests

revision = "0010"
down_revision = "0009"

TABLES = (
    "breast_masks",
    "calibration_groups",
    "cell_abundances",
    "concordances",
    "cox_terms",
    "cutoffs",
    "dce_phases",
    "dce_sets",
    "dce_slices",
    "feature_sets",
    "feature_settings",
    "feature_stability",
    "feature_tests",
    "gene_filters",
    "km_points",
    "likelihood_ratio_tests",
    "logrank_tests",
    "marker_genes",
    "masks",
    "model_performance",
    "model_terms",
    "network_edges",
    "network_parameters",
    "out_of_fold_scores",
    "prepared_images",
    "radiomic_features",
    "retest_features",
    "roc_points",
    "search_generations",
    "selected_features",
    "series_hints",
    "series_roles",
    "signature_fold_scores",
    "signature_labels",
    "signature_models",
    "signature_scores",
    "stroma_bands",
    "survival_groups",
    "tsh_ratios",
    "tsh_scores",
    "tumor_abundances",
    "tumor_masks",
    "wilcoxon_tests",
)
COLUMNS = ("rows_digest", "digest_taken_over", "damage")


def upgrade() -> None:
    connection = op.get_bind()
    for name in COLUMNS:
        op.add_column("units", sa.Column(name, sa.Text(), nullable=True))
    where = sa.text("damage IS NOT NULL")
    op.create_index("ix_units_damage", "units", ["damage"], sqlite_where=where, postgresql_where=where)
    op.add_column("table_versions", sa.Column("written", sa.BigInteger(), nullable=True))
    today = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    connection.execute(
        sa.text(
            "UPDATE units SET rows_digest = :digest, digest_taken_over = :today "
            "WHERE state = 'current' AND (spec_id IS NOT NULL OR analysis LIKE 'reference.%')"
        ),
        {"digest": EMPTY, "today": today},
    )
    units = sa.table("units", sa.column("unit_id"), sa.column("rows_digest"))
    for name in TABLES:
        table = sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)
        rows = [{"b_unit": u, "b_digest": s.digest} for u, s in stored_digests(connection, table).items()]
        if rows:
            standing = (units.c.unit_id == sa.bindparam("b_unit")) & units.c.rows_digest.is_not(None)
            connection.execute(sa.update(units).where(standing).values(rows_digest=sa.bindparam("b_digest")), rows)
    op.execute("UPDATE table_versions SET written = version")


def downgrade() -> None:
    op.drop_column("table_versions", "written")
    op.drop_index("ix_units_damage", "units")
    for name in reversed(COLUMNS):
        op.drop_column("units", name)
