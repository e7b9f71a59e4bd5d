"""What tables at the door need.

Cohorts: from here on their SQL is that of `tshdb sql`, on every database. The schema stays; `tshdb migrate` says whose
members differ.
"""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Nothing of the schema."""


def downgrade() -> None:
    """Nothing of the schema."""
