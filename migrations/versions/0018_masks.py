"""Masks have owners: what says whose they are and who drew them, their lesion, their day; lesions and their features.

Keys of masks that stand are kept: where a file lay in what was delivered is known once it is read again. Rows have the new
columns empty, and so have the words of their sources; nothing is due by that alone.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch
from tshdb.canonical import json_text, rows_fingerprint

revision = "0018"
down_revision = "0017"

TABLES = ("lesion_features", "lesions")
ADDED = {"path": sa.Text(), "evidence": sa.Text(), "lesion": sa.Integer(), "drawn_on": sa.Text()}
UNIT = "ingest.segmentations"
KINDS = ("manual", "expert", "les", "fcm", "ftv", "tissue", "automatic", "other")


def upgrade() -> None:
    before = _columns()
    for name, kind in ADDED.items():
        op.add_column("segmentations", sa.Column(name, kind, nullable=True))
    _fingerprints(before, _columns())
    _words(lambda values: dict.fromkeys(ADDED) | values)
    _create()
    watch(TABLES)


def downgrade() -> None:
    forget(TABLES)
    for table in TABLES:
        op.drop_table(table)
    before = _columns()
    after = [name for name in before if name not in ADDED]
    _fingerprints(before, after)
    _words(lambda values: {name: value for name, value in values.items() if name not in ADDED})
    for name in ADDED:
        op.drop_column("segmentations", name)


def _columns() -> list[str]:
    return sorted(c["name"] for c in sa.inspect(op.get_bind()).get_columns("segmentations"))


def _fingerprints(before: list[str], after: list[str]) -> None:
    """Ingested rows that are what was ingested have the fingerprint of the other columns, and so has what was seen of them."""
    connection = op.get_bind()
    here = [name for name in before if name in _columns()]
    table = sa.table(
        "segmentations", *(sa.column(name, sa.Boolean() if name == "is_outline" else None) for name in here)
    )
    by_study: dict[str, list[dict]] = {}
    for row in connection.execute(sa.select(table)).mappings():
        by_study.setdefault(row["study_uid"], []).append(dict(row))
    for study_uid, rows in by_study.items():
        was, now = (rows_fingerprint(names, [[r.get(n) for n in names] for r in rows]) for names in (before, after))
        facts = {"was": was, "now": now, "analysis": UNIT, "key": study_uid}
        of_unit = "SELECT unit_id FROM units WHERE analysis = :analysis AND key = :key"
        connection.execute(
            sa.text(
                f"UPDATE unit_inputs SET seen_fingerprint = :now WHERE seen_fingerprint = :was AND input_unit_id IN ({of_unit})"
            ),
            facts,
        )
        connection.execute(
            sa.text(
                "UPDATE units SET fingerprint = :now WHERE fingerprint = :was AND analysis = :analysis AND key = :key"
            ),
            facts,
        )


def _words(changed) -> None:
    connection = op.get_bind()
    query = sa.text("SELECT source_record_id, row_values FROM source_records WHERE table_name = 'segmentations'")
    rows = [
        {"id": row.source_record_id, "said": json_text(changed(json.loads(row.row_values)))}
        for row in connection.execute(query)
    ]
    if rows:
        connection.execute(sa.text("UPDATE source_records SET row_values = :said WHERE source_record_id = :id"), rows)


def _create() -> None:
    op.create_table(
        "lesions",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("lesion", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="mask_kind", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("segmentation_id", sa.Text(), nullable=True),
        sa.Column("n_outlines", sa.Integer(), nullable=False),
        sa.Column("is_index", sa.Boolean(), nullable=True),
        sa.Column("is_measured", sa.Boolean(), nullable=False),
        sa.Column("n_voxels", sa.Integer(), nullable=True),
        sa.Column("volume_ml", sa.Double(), nullable=True),
        sa.Column("x_mm", sa.Double(), nullable=True),
        sa.Column("y_mm", sa.Double(), nullable=True),
        sa.Column("z_mm", sa.Double(), nullable=True),
        sa.Column("qc_flags", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_lesions_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "lesion", "unit_id", name=op.f("pk_lesions")),
    )
    op.create_table(
        "lesion_features",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("lesion", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("map", sa.Text(), nullable=False),
        sa.Column("feature_class", sa.Text(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("n_voxels", sa.Integer(), nullable=True),
        sa.Column("n_levels", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_lesion_features_unit_id")),
        sa.PrimaryKeyConstraint("study_uid", "lesion", "feature", "unit_id", name=op.f("pk_lesion_features")),
    )
