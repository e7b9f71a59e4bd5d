"""Tables have versions, so that queries need not read again what has not changed."""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0007"
down_revision = "0006"

TABLES = (
    "annotations",
    "attempts",
    "cell_abundances",
    "change_log",
    "clinical_values",
    "cohort_exclusions",
    "cohort_flow",
    "cohort_members",
    "cohort_versions",
    "cohorts",
    "conflicts",
    "cox_terms",
    "cutoffs",
    "dce_phases",
    "dce_sets",
    "dce_slices",
    "expression_parts",
    "expression_profiles",
    "follow_ups",
    "gene_filters",
    "genes",
    "imaging_decisions",
    "imaging_instances",
    "imaging_series",
    "imaging_studies",
    "ingest_issues",
    "ingest_runs",
    "km_points",
    "logrank_tests",
    "marker_genes",
    "masks",
    "model_performance",
    "model_terms",
    "network_edges",
    "network_parameters",
    "out_of_fold_scores",
    "patients",
    "qc_verdicts",
    "result_changes",
    "roc_points",
    "runs",
    "samples",
    "segmentations",
    "series_hints",
    "series_roles",
    "source_files",
    "source_records",
    "source_releases",
    "specs",
    "survival_groups",
    "tombstones",
    "tsh_ratios",
    "tsh_scores",
    "tumor_abundances",
    "unit_inputs",
    "units",
    "wilcoxon_tests",
)


def upgrade() -> None:
    op.create_table(
        "table_versions",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", name=op.f("pk_table_versions")),
    )
    watch(TABLES)


def downgrade() -> None:
    forget(TABLES)
    op.drop_table("table_versions")
