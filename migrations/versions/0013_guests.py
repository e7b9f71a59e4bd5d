"""Analyses and tables of results that are not this program's are described in the database.

Going back leaves the tables of guests as they are: they are results, and can be made again.
"""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0013"
down_revision = "0012"

TABLES = ("guest_tables", "guest_analyses")


def upgrade() -> None:
    op.create_table(
        "guest_tables",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("one_row", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", name=op.f("pk_guest_tables")),
    )
    op.create_table(
        "guest_analyses",
        sa.Column("analysis", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("per", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("guest_table", sa.Text(), nullable=True),
        sa.Column("replaces", sa.Text(), nullable=True),
        sa.Column("needs", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["guest_table"], ["guest_tables.table_name"], name=op.f("fk_guest_analyses_guest_table")
        ),
        sa.PrimaryKeyConstraint("analysis", name=op.f("pk_guest_analyses")),
    )
    watch(TABLES)


def downgrade() -> None:
    forget(TABLES)
    op.drop_table("guest_analyses")
    op.drop_table("guest_tables")
