"""Cox terms say which covariates were imputed, in how many data sets, and how much of the information was missing.

Rows from before have none: covariates were never imputed. Going back drops what says so, not the estimates.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

TABLE = "cox_terms"
ADDED = {
    "imputed": sa.Text(), "n_complete": sa.Integer(), "n_imputations": sa.Integer(), "degrees": sa.Double(),
    "missing_information": sa.Double(),
}  # fmt: skip


def upgrade() -> None:
    for name, kind in ADDED.items():
        op.add_column(TABLE, sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name in ADDED:
        op.drop_column(TABLE, name)
