"""Features say how far apart slices were scanned, how far the patient moved, and the scanner in its headers' words."""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0019"
down_revision = "0018"

MEASURED = ("x_mm", "y_mm", "z_mm", "angle_deg", "furthest_mm", "in_plane_voxels")
KIND = sa.Enum("S0", "intermediate", "last", name="prepared_kind", native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    op.add_column("feature_sets", sa.Column("slice_mm", sa.Double(), nullable=True))
    op.add_column("feature_sets", sa.Column("scanner", sa.Text(), nullable=True))
    op.add_column("feature_sets", sa.Column("motion_voxels", sa.Double(), nullable=True))
    op.create_table(
        "phase_motions",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("image", KIND, nullable=False),
        sa.Column("phase_index", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=True) for name in MEASURED),
        sa.Column("is_moved", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_phase_motions_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "image", "unit_id", name=op.f("pk_phase_motions")),
    )
    watch(["phase_motions"])


def downgrade() -> None:
    forget(["phase_motions"])
    op.drop_table("phase_motions")
    op.drop_column("feature_sets", "motion_voxels")
    op.drop_column("feature_sets", "scanner")
    op.drop_column("feature_sets", "slice_mm")
