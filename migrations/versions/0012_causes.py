"""What began each change of results is recorded: causes, sets of them, retirements; what an analysis took in a run.

Runs keep the program's version and study.toml as they read it. History from before has none of it, and says so. Going back
loses it.
"""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0012"
down_revision = "0011"

KINDS = (
    "parameter", "code", "library", "table", "engine", "seed", "reference", "datum", "member", "cohort", "listed", "first",
    "again", "refit", "lost", "edited", "damaged", "withdrawn", "unrecorded",
)  # fmt: skip
KIND = sa.Enum(*KINDS, name="cause_kind", native_enum=False, create_constraint=True, length=16)
TABLES = ("causes", "cause_sets", "retirements", "run_costs")
COLUMNS = (
    ("runs", "program_version", sa.Text()),
    ("runs", "settings", sa.Text()),
    ("attempts", "cause_set", sa.Integer()),
    ("attempts", "last_change_id", sa.BigInteger()),
    ("attempts", "through_unit_id", sa.Integer()),
    ("result_changes", "row_part_before", sa.Text()),
)


def upgrade() -> None:
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    op.create_table(
        "causes",
        sa.Column("cause_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("value_before", sa.Text(), nullable=True),
        sa.Column("value_after", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("entity_key", sa.Text(), nullable=True),
        sa.Column("change_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_causes_run_id")),
        sa.PrimaryKeyConstraint("cause_id", name=op.f("pk_causes")),
    )  # fmt: skip
    op.create_index(op.f("ix_causes_run_id"), "causes", ["run_id"], unique=False)
    op.create_index(op.f("ix_causes_kind"), "causes", ["kind"], unique=False)
    op.create_table(
        "cause_sets",
        sa.Column("cause_set", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cause_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["cause_id"], ["causes.cause_id"], name=op.f("fk_cause_sets_cause_id")),
        sa.PrimaryKeyConstraint("cause_set", "cause_id", name=op.f("pk_cause_sets")),
    )
    op.create_index(op.f("ix_cause_sets_cause_id"), "cause_sets", ["cause_id"], unique=False)
    op.create_table(
        "retirements",
        sa.Column("retirement_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("cause_set", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_retirements_run_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_retirements_unit_id")),
        sa.PrimaryKeyConstraint("retirement_id", name=op.f("pk_retirements")),
    )
    op.create_index(op.f("ix_retirements_run_id"), "retirements", ["run_id"], unique=False)
    op.create_index(op.f("ix_retirements_unit_id"), "retirements", ["unit_id"], unique=False)
    op.create_table(
        "run_costs",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("analysis", sa.Text(), nullable=False),
        sa.Column("n_units", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("n_workers", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_run_costs_run_id")),
        sa.PrimaryKeyConstraint("run_id", "analysis", name=op.f("pk_run_costs")),
    )
    watch(TABLES)


def downgrade() -> None:
    forget(TABLES)
    for table in ("run_costs", "retirements", "cause_sets", "causes"):
        op.drop_table(table)
    for table, name, _ in reversed(COLUMNS):
        op.drop_column(table, name)
