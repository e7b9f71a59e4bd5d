"""A model's C is held against that of the clinical variables, on the patients whom both know.

Rows from before have no difference until their units are computed again, which are due.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

TABLE = "concordances"
ADDED = {name: sa.Double() for name in ("difference", "difference_lower", "difference_upper")} | {
    "n_shared": sa.Integer()
}


def upgrade() -> None:
    for name, kind in ADDED.items():
        op.add_column(TABLE, sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name in ADDED:
        op.drop_column(TABLE, name)
