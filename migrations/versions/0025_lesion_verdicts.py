"""What people say of single lesions, after looking at them, beside that of whole examinations. Nothing of before changes."""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0025"
down_revision = "0024"

TABLE = "lesion_verdicts"
VERDICTS, CAUSES = ("pass", "fail"), ("poor_quality", "no_tumor", "incomplete", "other")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("outline", sa.Text(), nullable=False),
        sa.Column("verdict", _one_of("verdict", VERDICTS), nullable=False),
        sa.Column("cause", _one_of("verdict_cause", CAUSES), nullable=True),
        sa.Column("read_by", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("seen", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["study_uid"], ["imaging_studies.study_uid"], name=op.f(f"fk_{TABLE}_study_uid")),
        sa.PrimaryKeyConstraint("study_uid", "outline", name=op.f(f"pk_{TABLE}")),
    )
    watch([TABLE])


def downgrade() -> None:
    forget([TABLE])
    op.drop_table(TABLE)


def _one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)
