"""Files are known by their inode and by the time at which the system last changed them, too: size and time of writing are copied.

Of files that were read before neither is known: the next ingest reads their bytes once more, and notes both.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

TABLES = ("source_files", "imaging_instances")
COLUMNS = ("ctime_ns", "inode")
ALTERED = (*TABLES, "expression_profiles")  # which 0014 gave a column


def upgrade() -> None:
    for table in TABLES:
        for column in COLUMNS:
            op.add_column(table, sa.Column(column, sa.BigInteger(), nullable=True))
    _give_versions()


def downgrade() -> None:
    for table in TABLES:
        for column in COLUMNS:
            op.drop_column(table, column)
    _give_versions()


def _give_versions() -> None:
    """What is kept of these tables lacks the columns. Who has changed their rows stays as noted."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    for table in ALTERED:
        version, written = connection.exec_driver_sql(
            "SELECT version, written FROM table_versions WHERE table_name = ?", (table,)
        ).one()
        connection.exec_driver_sql("UPDATE table_versions SET version = random() WHERE table_name = ?", (table,))
        if version == written:
            connection.exec_driver_sql("UPDATE table_versions SET written = version WHERE table_name = ?", (table,))
