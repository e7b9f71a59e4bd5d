"""Features of altered images, in studies that ask for them; and what a ladder's verdict says of texture."""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, made_anew, watch

revision = "0036"
down_revision = "0035"

TABLE, LADDER, VERDICT = "control_features", "ladder_rungs", "ck_ladder_rungs_ladder_verdict"
BEFORE = ("adds", "volume only", "cannot be judged")
NOW = ("adds", "adds texture", "no texture shown", "volume only", "cannot be judged")


def upgrade() -> None:
    op.create_table(
        TABLE,
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("study_uid", "control", "feature", "region", "map")),
        sa.Column("feature_class", sa.Text(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("n_voxels", "n_levels")),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_control_features_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "control", "feature", "unit_id", name=op.f("pk_control_features")),
    )
    op.create_index("ix_control_features_unit_id", TABLE, ["unit_id"], unique=False)
    watch([TABLE])
    _verdicts(BEFORE, NOW)


def downgrade() -> None:
    op.execute(f"UPDATE {LADDER} SET verdict = 'adds' WHERE verdict IN ('adds texture', 'no texture shown')")
    _verdicts(NOW, BEFORE)
    forget([TABLE])
    op.drop_table(TABLE)


def _verdicts(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """What the verdict's column may hold."""
    with made_anew(LADDER), op.batch_alter_table(LADDER, recreate="auto") as batch:
        batch.drop_constraint(op.f(VERDICT), type_="check")
        batch.create_check_constraint(op.f(VERDICT), f"verdict IN ({', '.join(repr(word) for word in after)})")
