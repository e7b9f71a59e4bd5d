"""A signature's label may be made of a column or of survival: labels, models and scores bear the names of its classes.

Rows from before are of the TSH score, for which these columns are empty. Going back drops labels that are no TSH score's.
"""

import sqlalchemy as sa
from alembic import op

from migrations.watch import made_anew

revision = "0035"
down_revision = "0034"

LABELS = "signature_labels"
NAMES = ("asked", "foretold", "against")
ADDED = {
    LABELS: ("value", *NAMES),
    "signature_models": NAMES,
    "feature_tests": NAMES,
    "signature_scores": ("label", *NAMES),
}
CHECK = "ck_signature_labels_prognosis"


def upgrade() -> None:
    for table, names in ADDED.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), nullable=True))
    with made_anew(LABELS), op.batch_alter_table(LABELS, recreate="auto") as batch:
        batch.alter_column("threshold", existing_type=sa.Double(), nullable=True)
        batch.alter_column("label", existing_type=sa.String(16), type_=sa.Text(), existing_nullable=True)
        batch.drop_constraint(op.f(CHECK), type_="check")


def downgrade() -> None:
    op.execute(f"DELETE FROM {LABELS} WHERE threshold IS NULL OR label NOT IN ('good', 'poor')")
    with made_anew(LABELS), op.batch_alter_table(LABELS, recreate="auto") as batch:
        batch.alter_column("threshold", existing_type=sa.Double(), nullable=False)
        batch.alter_column("label", existing_type=sa.Text(), type_=sa.String(16), existing_nullable=True)
        batch.create_check_constraint(op.f(CHECK), "label IN ('good', 'poor')")
    for table, names in ADDED.items():
        for name in names:
            op.drop_column(table, name)
