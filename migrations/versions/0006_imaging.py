"""Imaging: studies, series, instances, and what is found in them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "imaging_studies",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("study_date", sa.Text(), nullable=True),
        sa.Column("study_time_s", sa.Double(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("age_years", sa.Double(), nullable=True),
        sa.Column("trial_time_point", sa.Text(), nullable=True),
        sa.Column("time_point", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.patient_id"], name=op.f("fk_imaging_studies_patient_id")),
        sa.PrimaryKeyConstraint("study_uid", name=op.f("pk_imaging_studies")),
    )
    op.create_index(op.f("ix_imaging_studies_patient_id"), "imaging_studies", ["patient_id"], unique=False)
    op.create_table(
        "dce_phases",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("phase_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "role",
            sa.Enum("pre", "post", name="phase_role", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("is_intermediate", sa.Boolean(), nullable=False),
        sa.Column("is_last", sa.Boolean(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("t_seconds", sa.Double(), nullable=True),
        sa.Column("time_key", sa.Text(), nullable=True),
        sa.Column("key_used", sa.Text(), nullable=False),
        sa.Column("n_slices", sa.Integer(), nullable=False),
        sa.Column("mean_intensity", sa.Double(), nullable=True),
        sa.Column("qc_flags", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_dce_phases_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "phase_index", "unit_id", name=op.f("pk_dce_phases")),
    )
    op.create_table(
        "dce_sets",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "found",
                "none",
                "ambiguous",
                "unsplit",
                name="set_status",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("n_series", sa.Integer(), nullable=False),
        sa.Column("n_phases", sa.Integer(), nullable=True),
        sa.Column("n_slices", sa.Integer(), nullable=True),
        sa.Column("key_used", sa.Text(), nullable=True),
        sa.Column("qc_flags", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("merge_s", sa.Double(), nullable=False),
        sa.Column("most_left_out", sa.Double(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_dce_sets_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "unit_id", name=op.f("pk_dce_sets")),
    )
    op.create_table(
        "dce_slices",
        sa.Column("sop_uid", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("phase_index", sa.Integer(), nullable=False),
        sa.Column("slice_index", sa.Integer(), nullable=False),
        sa.Column("position_mm", sa.Double(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_dce_slices_unit_id")),
        sa.PrimaryKeyConstraint("sop_uid", "unit_id", name=op.f("pk_dce_slices")),
    )
    op.create_index(op.f("ix_dce_slices_study_uid"), "dce_slices", ["study_uid"], unique=False)
    op.create_table(
        "imaging_decisions",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("series_uid", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_uid"], ["imaging_studies.study_uid"], name=op.f("fk_imaging_decisions_study_uid")
        ),
        sa.PrimaryKeyConstraint("study_uid", "series_uid", name=op.f("pk_imaging_decisions")),
    )
    op.create_table(
        "imaging_series",
        sa.Column("series_uid", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("modality", sa.Text(), nullable=True),
        sa.Column("series_number", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("protocol_name", sa.Text(), nullable=True),
        sa.Column("body_part", sa.Text(), nullable=True),
        sa.Column("laterality", sa.Text(), nullable=True),
        sa.Column("image_type", sa.Text(), nullable=True),
        sa.Column("manufacturer", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("software", sa.Text(), nullable=True),
        sa.Column("field_strength_t", sa.Double(), nullable=True),
        sa.Column("scanning_sequence", sa.Text(), nullable=True),
        sa.Column("sequence_variant", sa.Text(), nullable=True),
        sa.Column("scan_options", sa.Text(), nullable=True),
        sa.Column("sequence_name", sa.Text(), nullable=True),
        sa.Column("acquisition_type", sa.Text(), nullable=True),
        sa.Column("tr_ms", sa.Double(), nullable=True),
        sa.Column("te_ms", sa.Double(), nullable=True),
        sa.Column("ti_ms", sa.Double(), nullable=True),
        sa.Column("flip_angle_deg", sa.Double(), nullable=True),
        sa.Column("b_value", sa.Double(), nullable=True),
        sa.Column("contrast_agent", sa.Text(), nullable=True),
        sa.Column("temporal_positions", sa.BigInteger(), nullable=True),
        sa.Column("temporal_resolution_s", sa.Double(), nullable=True),
        sa.Column("images_in_acquisition", sa.BigInteger(), nullable=True),
        sa.Column("frame_of_reference_uid", sa.Text(), nullable=True),
        sa.Column("orientation", sa.Text(), nullable=True),
        sa.Column("n_rows", sa.Integer(), nullable=True),
        sa.Column("n_columns", sa.Integer(), nullable=True),
        sa.Column("row_spacing_mm", sa.Double(), nullable=True),
        sa.Column("column_spacing_mm", sa.Double(), nullable=True),
        sa.Column("slice_thickness_mm", sa.Double(), nullable=True),
        sa.Column("photometric", sa.Text(), nullable=True),
        sa.Column("sop_class_uid", sa.Text(), nullable=True),
        sa.Column("transfer_syntax_uid", sa.Text(), nullable=True),
        sa.Column("series_time_s", sa.Double(), nullable=True),
        sa.Column("n_instances", sa.Integer(), nullable=False),
        sa.Column("n_without_pixels", sa.Integer(), nullable=False),
        sa.Column("mixed", sa.Text(), nullable=True),
        sa.Column("content_digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_uid"], ["imaging_studies.study_uid"], name=op.f("fk_imaging_series_study_uid")),
        sa.PrimaryKeyConstraint("series_uid", name=op.f("pk_imaging_series")),
    )
    op.create_index(op.f("ix_imaging_series_study_uid"), "imaging_series", ["study_uid"], unique=False)
    op.create_table(
        "masks",
        sa.Column("segmentation_id", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "fits",
                "resample",
                "no_images",
                "unclear",
                name="mask_status",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("differences", sa.Text(), nullable=True),
        sa.Column("repair", sa.Text(), nullable=True),
        sa.Column("n_voxels", sa.Integer(), nullable=True),
        sa.Column("volume_ml", sa.Double(), nullable=True),
        sa.Column("first_slice", sa.Integer(), nullable=True),
        sa.Column("last_slice", sa.Integer(), nullable=True),
        sa.Column("mean_rise", sa.Double(), nullable=True),
        sa.Column("qc_flags", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_masks_unit_id")),
        sa.PrimaryKeyConstraint("segmentation_id", "unit_id", name=op.f("pk_masks")),
    )
    op.create_index(op.f("ix_masks_study_uid"), "masks", ["study_uid"], unique=False)
    op.create_table(
        "qc_verdicts",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum("pass", "fail", name="verdict", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column(
            "cause",
            sa.Enum(
                "poor_quality",
                "no_tumor",
                "incomplete",
                "other",
                name="verdict_cause",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=True,
        ),
        sa.Column("read_by", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["study_uid"], ["imaging_studies.study_uid"], name=op.f("fk_qc_verdicts_study_uid")),
        sa.PrimaryKeyConstraint("study_uid", name=op.f("pk_qc_verdicts")),
    )
    op.create_table(
        "segmentations",
        sa.Column("segmentation_id", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("series_uid", sa.Text(), nullable=True),
        sa.Column("reference_series_uid", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column(
            "region",
            sa.Enum(
                "tumor",
                "breast",
                "enhancement",
                "other",
                name="mask_region",
                native_enum=False,
                create_constraint=True,
                length=16,
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
            nullable=False,
        ),
        sa.Column("is_outline", sa.Boolean(), nullable=False),
        sa.Column("decode_rule", sa.Text(), nullable=False),
        sa.Column("min_value", sa.Integer(), nullable=False),
        sa.Column("grid", sa.Text(), nullable=False),
        sa.Column("n_voxels", sa.Integer(), nullable=False),
        sa.Column("volume_ml", sa.Double(), nullable=True),
        sa.Column("value_counts", sa.Text(), nullable=False),
        sa.Column("flags", sa.Text(), nullable=True),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_uid"], ["imaging_studies.study_uid"], name=op.f("fk_segmentations_study_uid")),
        sa.PrimaryKeyConstraint("segmentation_id", name=op.f("pk_segmentations")),
    )
    op.create_index(op.f("ix_segmentations_study_uid"), "segmentations", ["study_uid"], unique=False)
    op.create_table(
        "series_hints",
        sa.Column("hints", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_series_hints_unit_id")),
        sa.PrimaryKeyConstraint("hints", "position", "unit_id", name=op.f("pk_series_hints")),
    )
    op.create_table(
        "series_roles",
        sa.Column("series_uid", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "dynamic",
                "static_t1",
                "subtraction",
                "mip",
                "reformat",
                "map",
                "cad",
                "localizer",
                "calibration",
                "t1",
                "t2",
                "diffusion",
                "segmentation",
                "report",
                "other",
                "other_modality",
                name="series_role",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("hints", sa.Text(), nullable=True),
        sa.Column("candidate", sa.Integer(), nullable=True),
        sa.Column("candidate_score", sa.Double(), nullable=True),
        sa.Column("candidate_hints", sa.Text(), nullable=True),
        sa.Column("is_dynamic", sa.Boolean(), nullable=False),
        sa.Column(
            "set_status",
            sa.Enum(
                "found",
                "none",
                "ambiguous",
                "unsplit",
                name="set_status",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_series_roles_unit_id")),
        sa.PrimaryKeyConstraint("series_uid", "unit_id", name=op.f("pk_series_roles")),
    )
    op.create_index(op.f("ix_series_roles_study_uid"), "series_roles", ["study_uid"], unique=False)
    op.create_table(
        "imaging_instances",
        sa.Column("sop_uid", sa.Text(), nullable=False),
        sa.Column("series_uid", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("instance_number", sa.BigInteger(), nullable=True),
        sa.Column("acquisition_number", sa.BigInteger(), nullable=True),
        sa.Column("x_mm", sa.Double(), nullable=True),
        sa.Column("y_mm", sa.Double(), nullable=True),
        sa.Column("z_mm", sa.Double(), nullable=True),
        sa.Column("orientation", sa.Text(), nullable=True),
        sa.Column("acquisition_s", sa.Double(), nullable=True),
        sa.Column("content_s", sa.Double(), nullable=True),
        sa.Column("trigger_ms", sa.Double(), nullable=True),
        sa.Column("temporal_position", sa.BigInteger(), nullable=True),
        sa.Column("n_frames", sa.Integer(), nullable=False),
        sa.Column("n_rows", sa.Integer(), nullable=True),
        sa.Column("n_columns", sa.Integer(), nullable=True),
        sa.Column("rescale_slope", sa.Double(), nullable=True),
        sa.Column("rescale_intercept", sa.Double(), nullable=True),
        sa.Column("has_pixels", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["series_uid"], ["imaging_series.series_uid"], name=op.f("fk_imaging_instances_series_uid")
        ),
        sa.PrimaryKeyConstraint("sop_uid", name=op.f("pk_imaging_instances")),
    )
    op.create_index("ix_imaging_instances_path", "imaging_instances", ["path"], unique=False)
    op.create_index(op.f("ix_imaging_instances_series_uid"), "imaging_instances", ["series_uid"], unique=False)
    op.create_index("ix_imaging_instances_study", "imaging_instances", ["study_uid"], unique=False)


def downgrade() -> None:
    op.drop_table("imaging_instances")
    op.drop_table("series_roles")
    op.drop_table("series_hints")
    op.drop_table("segmentations")
    op.drop_table("qc_verdicts")
    op.drop_table("masks")
    op.drop_table("imaging_series")
    op.drop_table("imaging_decisions")
    op.drop_table("dce_slices")
    op.drop_table("dce_sets")
    op.drop_table("dce_phases")
    op.drop_table("imaging_studies")
