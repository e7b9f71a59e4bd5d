"""An image is a file, or one frame of an enhanced object: rows of images are by file and frame, and say more of each.

Images from before are frame 1 of their file. What stands of them is fingerprinted anew where it is what was written, so that
nobody seems to have edited it. Objects of several frames are read again at the next ingest, though their files are as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch
from tshdb.canonical import rows_fingerprint
from tshdb.stored_rows import stored_digests

revision = "0017"
down_revision = "0016"

IMAGES, SLICES = "imaging_instances", "dce_slices"
FACTS = {
    "frame_type": sa.Text(),
    "echo_time_ms": sa.Double(),
    "diffusion_b_value": sa.Double(),
    "reference_s": sa.Double(),
    "row_step_mm": sa.Double(),
    "column_step_mm": sa.Double(),
}
KEYS = {IMAGES: ["sop_uid"], SLICES: ["sop_uid", "unit_id"]}
KEYS_NOW = {IMAGES: ["sop_uid", "frame_number"], SLICES: ["sop_uid", "frame_number", "unit_id"]}
INGESTED = f"ingest.{IMAGES}"
IMAGE_FACTS = {  # that are no data: where a file lies, and by what it is known
    "path", "mtime_ns", "ctime_ns", "inode",
}  # fmt: skip
ENTITY = {IMAGES: "study_uid", SLICES: "unit_id"}


def upgrade() -> None:
    connection = op.get_bind()
    own = _own(connection)
    images, slices = _fingerprints(connection, IMAGES), _fingerprints(connection, SLICES)
    digests = stored_digests(connection, _table(connection, SLICES))
    forget((IMAGES, SLICES))
    for table in (IMAGES, SLICES):
        op.add_column(table, sa.Column("frame_number", sa.Integer(), nullable=False, server_default="1"))
        with op.batch_alter_table(table, recreate="auto") as batch:
            batch.alter_column("frame_number", existing_type=sa.Integer(), server_default=None)
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", KEYS_NOW[table])
    for name, kind in FACTS.items():
        op.add_column(IMAGES, sa.Column(name, kind, nullable=True))
    op.execute(f"UPDATE {IMAGES} SET mtime_ns = NULL WHERE n_frames > 1")  # to be read again
    watch((IMAGES, SLICES))
    _say_again(connection, images, slices, digests)
    _give_back(connection, own)


def downgrade() -> None:
    connection = op.get_bind()
    own = _own(connection)
    op.execute(f"DELETE FROM {SLICES} WHERE frame_number > 1")
    op.execute(f"DELETE FROM {IMAGES} WHERE frame_number > 1")
    images, slices = _fingerprints(connection, IMAGES), _fingerprints(connection, SLICES)
    digests = stored_digests(connection, _table(connection, SLICES))
    forget((IMAGES, SLICES))
    for name in FACTS:
        op.drop_column(IMAGES, name)
    for table in (IMAGES, SLICES):
        with op.batch_alter_table(table, recreate="auto") as batch:
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.drop_column("frame_number")
            batch.create_primary_key(f"pk_{table}", KEYS[table])
    watch((IMAGES, SLICES))
    _say_again(connection, images, slices, digests)
    _give_back(connection, own)


def _table(connection: sa.Connection, name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)


def _fingerprints(connection: sa.Connection, name: str) -> dict[str | int, str]:
    """Examination, or unit -> the fingerprint of its rows."""
    table = _table(connection, name)
    columns = sorted((c for c in table.columns if c.name not in IMAGE_FACTS | {"unit_id"}), key=lambda c: c.name)
    rows: dict[str | int, list] = {}
    for entity, *values in connection.execute(sa.select(table.c[ENTITY[name]], *columns)):
        rows.setdefault(entity, []).append(values)
    return {entity: rows_fingerprint([c.name for c in columns], of_it) for entity, of_it in rows.items()}


def _say_again(connection: sa.Connection, images: dict, slices: dict, digests: dict) -> None:
    """Units whose rows were those that they say, before, say what these are now; and so do those that saw them."""
    units = _table(connection, "units")
    seen = _table(connection, "unit_inputs")
    images_now, slices_now = _fingerprints(connection, IMAGES), _fingerprints(connection, SLICES)
    digests_now = stored_digests(connection, _table(connection, SLICES))
    for before, now, of_unit in (
        (images, images_now, lambda key: (units.c.analysis == INGESTED) & (units.c.key == key)),
        (slices, slices_now, lambda key: units.c.unit_id == key),
    ):
        for key, fingerprint in before.items():
            if key not in now:
                continue
            found = connection.execute(
                sa.select(units.c.unit_id).where(of_unit(key), units.c.fingerprint == fingerprint)
            ).scalar()
            if found is None:
                continue  # another hand changed them: so it stays
            connection.execute(sa.update(units).where(units.c.unit_id == found).values(fingerprint=now[key]))
            of_input = (seen.c.input_unit_id == found) & (seen.c.seen_fingerprint == fingerprint)
            connection.execute(sa.update(seen).where(of_input).values(seen_fingerprint=now[key]))
    for unit, stored in digests.items():
        of_it = (units.c.unit_id == unit) & (units.c.rows_digest == stored.digest)
        connection.execute(sa.update(units).where(of_it).values(rows_digest=digests_now[unit].digest))


def _own(connection: sa.Connection) -> list[str]:
    """The tables that nobody else has changed, of those that this revision changes."""
    if connection.dialect.name != "sqlite":
        return []
    names = (IMAGES, SLICES, "units", "unit_inputs")
    query = sa.text("SELECT table_name FROM table_versions WHERE version = written OR written IS NULL")
    return [name for (name,) in connection.execute(query) if name in names]


def _give_back(connection: sa.Connection, own: list[str]) -> None:
    for name in own:
        connection.execute(
            sa.text("UPDATE table_versions SET written = version WHERE table_name = :name"), {"name": name}
        )
