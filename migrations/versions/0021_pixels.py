"""Images know a digest of their pixels as they are stored: what is sent again under other identifiers is no other time point.

Images from before have none until they are read again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("imaging_instances", sa.Column("pixel_digest", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("imaging_instances", "pixel_digest")
