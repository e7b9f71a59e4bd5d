"""From phases to features: prepared images, breasts, tumours, bands, radiomic features."""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0008"
down_revision = "0007"

TABLES = (
    "breast_masks",
    "feature_stability",
    "prepared_images",
    "radiomic_features",
    "retest_features",
    "stroma_bands",
    "tumor_masks",
)


def upgrade() -> None:
    op.create_table(
        "breast_masks",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "given", "found", "failed", name="region_status", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column("segmentation_id", sa.Text(), nullable=True),
        sa.Column("right_ml", sa.Double(), nullable=True),
        sa.Column("left_ml", sa.Double(), nullable=True),
        sa.Column("stands_out_mm", sa.Double(), nullable=True),
        sa.Column("qc_flags", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_breast_masks_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "unit_id", name=op.f("pk_breast_masks")),
    )
    op.create_table(
        "prepared_images",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column(
            "image",
            sa.Enum(
                "S0", "intermediate", "last", name="prepared_kind", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column("phase_index", sa.Integer(), nullable=False),
        sa.Column("grid", sa.Text(), nullable=False),
        sa.Column("interpolator", sa.Text(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("sd", sa.Double(), nullable=False),
        sa.Column("highest", sa.Double(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_prepared_images_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "image", "unit_id", name=op.f("pk_prepared_images")),
    )
    op.create_table(
        "radiomic_features",
        sa.Column("region_map", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("map", sa.Text(), nullable=False),
        sa.Column("feature_class", sa.Text(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("n_voxels", sa.Integer(), nullable=True),
        sa.Column("n_levels", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_radiomic_features_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "feature", "unit_id", name=op.f("pk_radiomic_features")),
    )
    op.create_table(
        "stroma_bands",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("width_mm", sa.Double(), nullable=False),
        sa.Column("volume_ml", sa.Double(), nullable=True),
        sa.Column("whole_ml", sa.Double(), nullable=True),
        sa.Column("cut_off", sa.Double(), nullable=True),
        sa.Column("beyond_view", sa.Double(), nullable=True),
        sa.Column("parenchyma_n", sa.Integer(), nullable=True),
        sa.Column("parenchyma_s0", sa.Double(), nullable=True),
        sa.Column("parenchyma_intermediate", sa.Double(), nullable=True),
        sa.Column("parenchyma_last", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_stroma_bands_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "unit_id", name=op.f("pk_stroma_bands")),
    )
    op.create_table(
        "tumor_masks",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "given", "found", "failed", name="region_status", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "manual",
                "expert",
                "les",
                "fcm",
                "ftv",
                "tissue",
                "automatic",
                "other",
                name="mask_kind",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=True,
        ),
        sa.Column("segmentation_id", sa.Text(), nullable=True),
        sa.Column("n_outlines", sa.Integer(), nullable=False),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("n_voxels", sa.Integer(), nullable=True),
        sa.Column("volume_ml", sa.Double(), nullable=True),
        sa.Column("x_mm", sa.Double(), nullable=True),
        sa.Column("y_mm", sa.Double(), nullable=True),
        sa.Column("z_mm", sa.Double(), nullable=True),
        sa.Column("seed_rule", sa.Text(), nullable=True),
        sa.Column("n_rounds", sa.Integer(), nullable=True),
        sa.Column("fcm_dice", sa.Double(), nullable=True),
        sa.Column("corrected_share", sa.Double(), nullable=True),
        sa.Column("qc_flags", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_tumor_masks_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "unit_id", name=op.f("pk_tumor_masks")),
    )
    op.create_table(
        "retest_features",
        sa.Column("region_map", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("perturbation", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_retest_features_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "feature", "perturbation", "unit_id", name=op.f("pk_retest_features")),
    )
    op.create_index("ix_retest_features_unit_id", "retest_features", ["unit_id"], unique=False)
    op.create_table(
        "feature_stability",
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("perturbation", sa.Text(), nullable=False),
        sa.Column("icc", sa.Double(), nullable=True),
        sa.Column("is_stable", sa.Boolean(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_feature_stability_unit_id")),
        sa.PrimaryKeyConstraint("cohort", "feature", "perturbation", "unit_id", name=op.f("pk_feature_stability")),
    )
    op.create_index("ix_radiomic_features_unit_id", "radiomic_features", ["unit_id"], unique=False)
    watch(TABLES)


def downgrade() -> None:
    forget(TABLES)
    for table in reversed(TABLES):
        op.drop_table(table)
