"""Rows of tests and of Cox models say whether their own patients made what they rest on.

Rows from before say nothing until the next rebuild, which notes it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

TABLES = ("logrank_tests", "cox_terms", "likelihood_ratio_tests")
ADDED = ("is_optimistic", "is_in_sample")


def upgrade() -> None:
    for table in TABLES:
        for name in ADDED:
            op.add_column(table, sa.Column(name, sa.Boolean(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        for name in ADDED:
            op.drop_column(table, name)
