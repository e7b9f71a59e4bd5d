"""Tests between groups say whether the groups were made from what is tested.

Rows from before say nothing until the next rebuild, which notes it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

TESTS = ("wilcoxon_tests", "network_parameters")


def upgrade() -> None:
    for table in TESTS:
        op.add_column(table, sa.Column("is_circular", sa.Boolean(), nullable=True))


def downgrade() -> None:
    for table in TESTS:
        op.drop_column(table, "is_circular")
