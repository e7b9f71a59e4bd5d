"""Cox terms know who is left out and why, events per term, and the test of proportional hazards of all terms together.

Rows from before have none until their units are computed again, which are due: their estimates are made otherwise now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

ADDED = {"left_out": sa.Text(), "events_per_term": sa.Double(), "ph_global_p_value": sa.Double()}


def upgrade() -> None:
    for name, kind in ADDED.items():
        op.add_column("cox_terms", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name in ADDED:
        op.drop_column("cox_terms", name)
