"""Measures of a model say why they have no value, and an AUC has DeLong's interval beside the bootstrap's.

Rows from before have none until their units are computed again, which are due: calibration has no penalty now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

ADDED = {"delong_lower": sa.Double(), "delong_upper": sa.Double(), "reason": sa.Text()}


def upgrade() -> None:
    for name, kind in ADDED.items():
        op.add_column("model_performance", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name in ADDED:
        op.drop_column("model_performance", name)
