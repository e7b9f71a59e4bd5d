"""What else was tried on the outer folds of a signature, in studies that ask for it."""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0034"
down_revision = "0033"

TABLE = "ladder_rungs"
TEXTS = ("rung", "cohort", "way", "draws")
INTEGERS = ("n_features", "n_draws", "n_reached", "n_shared")
NUMBERS = (
    "auc", "ci_lower", "ci_upper", "lowest", "highest", "difference", "difference_lower", "difference_upper",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        TABLE,
        *(sa.Column(name, sa.Text(), nullable=False) for name in TEXTS),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("position", "n", "n_good")),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in INTEGERS),
        *(sa.Column(name, sa.Double(), nullable=True) for name in NUMBERS),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("search", "finding", "reason")),
        sa.Column(
            "verdict",
            sa.Enum(
                "adds", "volume only", "cannot be judged", name="ladder_verdict", native_enum=False, create_constraint=True,
                length=16,
            ),
            nullable=True,
        ),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_ladder_rungs_unit_id")),
        sa.PrimaryKeyConstraint("rung", "unit_id", name=op.f("pk_ladder_rungs")),
    )  # fmt: skip
    watch([TABLE])


def downgrade() -> None:
    forget([TABLE])
    op.drop_table(TABLE)
