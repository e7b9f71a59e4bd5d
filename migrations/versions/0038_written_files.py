"""Files that commands wrote outside of the study are noted, so that a withdrawal can name them."""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0038"
down_revision = "0037"

TABLE = "written_files"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("written_file_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("path", "kind", "name", "written_at")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("sha256", "cohorts", "patient_id")),
        sa.Column("of_patients", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("written_file_id", name=op.f("pk_written_files")),
    )
    watch([TABLE])


def downgrade() -> None:
    forget([TABLE])
    op.drop_table(TABLE)
