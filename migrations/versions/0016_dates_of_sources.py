"""What a source says of a row may bear a date, by which the later word holds; a source's name decides nothing any more.

Words from before have the date that stands in their file's name. Rows on which sources of one kind disagreed, so that a name
decided, are derived again by whoever migrates.
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("source_records", sa.Column("as_of", sa.Text(), nullable=True))
    dates: dict[int, str] = context.config.attributes.get("handed", {}).get("dates", {})
    if dates:
        statement = sa.text("UPDATE source_records SET as_of = :as_of WHERE source_file_id = :file")
        op.get_bind().execute(statement, [{"file": file, "as_of": as_of} for file, as_of in dates.items()])


def downgrade() -> None:
    op.drop_column("source_records", "as_of")
