"""What archives publish beside values: notices, releases, checksums, quality counts, and why a status is not known."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ADDED = {
    "patients": ("er_status_reason", "pr_status_reason", "her2_status_reason", "her2_rule", "laterality"),
    "samples": ("preservation_method",),
    "expression_profiles": ("exclusion",),
    "genes": ("symbol", "gene_type"),
    "source_files": ("md5", "archive_id"),
}
COUNTS = ("n_unmapped", "n_multimapping", "n_no_feature", "n_ambiguous")


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, sa.Column(column, sa.Text(), nullable=True))
    op.execute('ALTER TABLE source_records RENAME COLUMN "values" TO row_values')  # a name that SQL does not use itself
    for column in COUNTS:
        op.add_column("expression_profiles", sa.Column(column, sa.BigInteger(), nullable=True))
    op.create_index("ix_genes_symbol", "genes", ["symbol"])
    op.create_table(
        "annotations",
        sa.Column("annotation_id", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("classification", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column(
            "effect",
            sa.Enum("exclude", "note", name="effect", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("annotation_id", name=op.f("pk_annotations")),
    )
    op.create_index("ix_annotations_patient_id", "annotations", ["patient_id"])
    op.create_table(
        "source_releases",
        sa.Column("source_release_id", sa.Integer(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("archive", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("ingest_run_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ingest_run_id"],
            ["ingest_runs.ingest_run_id"],
            name=op.f("fk_source_releases_ingest_run_id"),
        ),
        sa.PrimaryKeyConstraint("source_release_id", name=op.f("pk_source_releases")),
        sa.UniqueConstraint(
            "collection", "archive", "release", name=op.f("uq_source_releases_collection_archive_release")
        ),
    )


def downgrade() -> None:
    op.drop_table("source_releases")
    op.drop_table("annotations")
    op.drop_index("ix_genes_symbol", "genes")
    op.execute('ALTER TABLE source_records RENAME COLUMN row_values TO "values"')
    for column in COUNTS:
        op.drop_column("expression_profiles", column)
    for table, columns in ADDED.items():
        for column in reversed(columns):
            op.drop_column(table, column)
