"""Medians of survival have intervals, and the groups restricted means with their difference.

Rows from before have none until their units are computed again, which are due: medians are those of R's survfit now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

ADDED = (
    "median_good_lower", "median_good_upper", "median_poor_lower", "median_poor_upper", "mean_until_days", "mean_good_days",
    "mean_poor_days", "mean_difference_days", "mean_difference_lower", "mean_difference_upper",
)  # fmt: skip


def upgrade() -> None:
    for name in ADDED:
        op.add_column("logrank_tests", sa.Column(name, sa.Double(), nullable=True))


def downgrade() -> None:
    for name in ADDED:
        op.drop_column("logrank_tests", name)
