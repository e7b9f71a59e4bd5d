"""A patient whom a fold's signature cannot score says why (nested cross-validation of the signature).

Rows from before have scores all; where folds could not be searched there were no rows, and the units are due.
"""

import sqlalchemy as sa
from alembic import op

from migrations.watch import made_anew

revision = "0030"
down_revision = "0029"

TABLE = "signature_fold_scores"
NUMBERS = ("score", "fold_fitness")


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("reason", sa.Text(), nullable=True))
    _allow_none(True)


def downgrade() -> None:
    op.execute(f"DELETE FROM {TABLE} WHERE score IS NULL OR fold_fitness IS NULL")
    _allow_none(False)
    op.drop_column(TABLE, "reason")


def _allow_none(is_allowed: bool) -> None:
    with made_anew(TABLE), op.batch_alter_table(TABLE, recreate="auto") as batch:
        for name in NUMBERS:
            batch.alter_column(name, existing_type=sa.Double(), nullable=is_allowed)
