"""Withdrawn patients."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "tombstones",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("sample_tokens", sa.Text(), nullable=False),
        sa.Column(
            "scope",
            sa.Enum(
                "keep", "refit", "revoke", name="withdrawal_scope", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.Text(), nullable=False),
        sa.Column("certificate_sha256", sa.Text(), nullable=True),
        sa.Column("pending", sa.Text(), nullable=True),
        sa.Column("readmitted_at", sa.Text(), nullable=True),
        sa.Column("readmitted_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_tombstones")),
    )


def downgrade() -> None:
    op.drop_table("tombstones")
