"""The flow of cohorts: steps, whom they took out, the program that ran them. And the text that code was found in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("specs", sa.Column("modules", sa.Text(), nullable=True))
    op.add_column("specs", sa.Column("text_digest", sa.Text(), nullable=True))
    op.add_column("cohort_versions", sa.Column("program", sa.Text(), nullable=True))
    op.create_table(
        "cohort_flow",
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "effect",
            sa.Enum("include", "exclude", name="step_effect", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("n_in", sa.Integer(), nullable=False),
        sa.Column("n_out", sa.Integer(), nullable=False),
        sa.Column("sql", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort", "version"],
            ["cohort_versions.cohort", "cohort_versions.version"],
            name=op.f("fk_cohort_flow_cohort_version"),
        ),
        sa.PrimaryKeyConstraint("cohort", "version", "step", name=op.f("pk_cohort_flow")),
    )
    op.create_table(
        "cohort_exclusions",
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort", "version", "step"],
            ["cohort_flow.cohort", "cohort_flow.version", "cohort_flow.step"],
            name=op.f("fk_cohort_exclusions_cohort_version_step"),
        ),
        sa.PrimaryKeyConstraint("cohort", "version", "patient_id", name=op.f("pk_cohort_exclusions")),
    )
    op.create_index("ix_cohort_exclusions_patient_id", "cohort_exclusions", ["patient_id"])


def downgrade() -> None:
    op.drop_table("cohort_exclusions")
    op.drop_table("cohort_flow")
    op.drop_column("cohort_versions", "program")
    op.drop_column("specs", "text_digest")
    op.drop_column("specs", "modules")
