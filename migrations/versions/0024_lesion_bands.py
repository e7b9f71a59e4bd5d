"""The stroma around each of several lesions; features of lesions say region and unit."""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0024"
down_revision = "0023"

NUMBERS = ("volume_ml", "whole_ml", "cut_off", "beyond_view")


def upgrade() -> None:
    op.create_table(
        "lesion_bands",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("lesion", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("width_mm", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=True) for name in NUMBERS),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("reason", "object_id")),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_lesion_bands_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "lesion", "unit_id", name=op.f("pk_lesion_bands")),
    )
    for name in ("region", "unit"):
        op.add_column("lesion_features", sa.Column(name, sa.Text(), nullable=True))
    watch(["lesion_bands"])


def downgrade() -> None:
    forget(["lesion_bands"])
    for name in ("region", "unit"):
        op.drop_column("lesion_features", name)
    op.drop_table("lesion_bands")
