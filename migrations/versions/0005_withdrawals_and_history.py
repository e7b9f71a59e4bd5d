"""Withdrawn patients; the change log is chained; results that changed are remembered."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "tombstones",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("sample_tokens", sa.Text(), nullable=False),
        sa.Column(
            "scope",
            sa.Enum(
                "keep", "refit", "revoke", name="withdrawal_scope", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.Text(), nullable=False),
        sa.Column("certificate_sha256", sa.Text(), nullable=True),
        sa.Column("pending", sa.Text(), nullable=True),
        sa.Column("readmitted_at", sa.Text(), nullable=True),
        sa.Column("readmitted_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_tombstones")),
    )

    op.add_column("change_log", sa.Column("chain", sa.Text(), nullable=True))
    op.add_column("ingest_runs", sa.Column("change_log_head", sa.Text(), nullable=True))
    op.create_table(
        "result_changes",
        sa.Column("result_change_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("analysis", sa.Text(), nullable=False),
        sa.Column("entity_key", sa.Text(), nullable=False),
        sa.Column("row_part", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("value_before", sa.Text(), nullable=True),
        sa.Column("value_after", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_result_changes_run_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_result_changes_unit_id")),
        sa.PrimaryKeyConstraint("result_change_id", name=op.f("pk_result_changes")),
    )
    op.create_index("ix_result_changes_run_id", "result_changes", ["run_id"])


def downgrade() -> None:
    op.drop_table("result_changes")
    op.drop_column("ingest_runs", "change_log_head")
    op.drop_column("change_log", "chain")
    op.drop_table("tombstones")
