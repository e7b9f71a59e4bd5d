"""How tumour and background take up contrast agent; prepared images say whether later phases were put back on S0."""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0020"
down_revision = "0019"

TEXTS = ("side", "curve", "tissue", "qc_flags", "reason")
WHOLE = ("n_voxels", "late_phase", "peak_phase")
NUMBERS = (
    "volume_ml", "early_s", "late_s", "s0_mean", "peak_pe", "time_to_peak_s", "wash_in", "wash_out", "pe_early", "pe_late",
    "ser", "ftv_ml", "ftv_gradual_ml", "ftv_plateau_ml", "ftv_washout_ml", "ftv_threshold", "bpe", "bpe_median",
    "tissue_threshold",
)  # fmt: skip


def upgrade() -> None:
    op.add_column("prepared_images", sa.Column("registration", sa.Text(), nullable=True))
    op.create_table(
        "kinetics",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("n_phases", "early_phase", "unit_id")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in TEXTS),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in WHOLE),
        *(sa.Column(name, sa.Double(), nullable=True) for name in NUMBERS),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_kinetics_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "region", "unit_id", name=op.f("pk_kinetics")),
    )
    watch(["kinetics"])


def downgrade() -> None:
    forget(["kinetics"])
    op.drop_table("kinetics")
    op.drop_column("prepared_images", "registration")
