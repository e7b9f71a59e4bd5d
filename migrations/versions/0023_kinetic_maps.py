"""Parametric maps and their radiomic features, in studies that ask for them."""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0023"
down_revision = "0022"

TABLES = ("map_features", "kinetic_maps")


def upgrade() -> None:
    op.create_table(
        "kinetic_maps",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("study_uid", "map", "unit")),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("n_undefined", "n_limited")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("reason", "object_id")),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_kinetic_maps_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "map", "unit_id", name=op.f("pk_kinetic_maps")),
    )
    op.create_table(
        "map_features",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("study_uid", "feature", "region", "map", "unit")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("feature_class", "reason")),
        sa.Column("value", sa.Double(), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("n_voxels", "n_levels")),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_map_features_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "feature", "unit_id", name=op.f("pk_map_features")),
    )
    op.create_index("ix_map_features_unit_id", "map_features", ["unit_id"])
    watch(TABLES)


def downgrade() -> None:
    forget(TABLES)
    op.drop_index("ix_map_features_unit_id", "map_features")
    for table in TABLES:
        op.drop_table(table)
