"""p values of network parameters are adjusted for their number.

Rows from before have no adjusted ones until their units are computed again, which are due.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column("network_parameters", sa.Column("p_adjusted", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("network_parameters", "p_adjusted")
