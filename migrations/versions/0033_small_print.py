"""Tests between groups say whether the groups were made from what is tested; quantiles, residuals, competing events have tables.

Rows from before say nothing of their groups until the next rebuild, which notes it. Going back drops the new tables with what
they hold.
"""

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0033"
down_revision = "0032"

TESTS = ("wilcoxon_tests", "network_parameters")
SETS = {
    "endpoint": ("OS", "RFS", "DFS"), "prognosis": ("good", "poor"), "first_event": ("disease", "death"),
}  # fmt: skip
TABLES = {  # name: kind, ? where it may be empty, * where it is of the key
    "survival_quantiles": {
        "grouping": "text*", "prognosis": "prognosis*", "endpoint": "endpoint*", "percent": "integer*", "cohort": "text",
        "time_origin": "text?", "n": "integer", "n_events": "integer", "censored_at_days": "double?", "is_reached": "boolean?",
        "days": "double?", "ci_lower": "double?", "ci_upper": "double?", "reason": "text?",
    },
    "schoenfeld_residuals": {
        "model": "text*", "term": "text*", "endpoint": "endpoint*", "position": "integer*", "cohort": "text",
        "time_days": "double?", "km_time": "double?", "value": "double?", "smooth": "double?", "smooth_lower": "double?",
        "smooth_upper": "double?", "coefficient": "double?", "ph_p_value": "double?", "n": "integer", "n_events": "integer",
        "censored_at_days": "double?", "reason": "text?",
    },
    "cumulative_incidences": {
        "grouping": "text*", "prognosis": "prognosis*", "endpoint": "endpoint*", "cause": "first_event*", "time_days": "double*",
        "cohort": "text", "n_at_risk": "integer", "n_events": "integer", "n_competing": "integer", "n_censored": "integer",
        "incidence": "double", "ci_lower": "double?", "ci_upper": "double?",
    },
    "gray_tests": {
        "grouping": "text*", "endpoint": "endpoint*", "cause": "first_event*", "cohort": "text", "time_origin": "text?",
        "n_good": "integer", "n_good_events": "integer", "n_good_competing": "integer", "n_poor": "integer",
        "n_poor_events": "integer", "n_poor_competing": "integer", "n_left_out": "integer", "left_out": "text?",
        "chi2": "double?", "p_value": "double?", "censored_at_days": "double?", "reason": "text?",
    },
}  # fmt: skip
KINDS = {"text": sa.Text, "integer": sa.Integer, "double": sa.Double, "boolean": sa.Boolean}


def upgrade() -> None:
    for table in TESTS:
        op.add_column(table, sa.Column("is_circular", sa.Boolean(), nullable=True))
    for table, columns in TABLES.items():
        key = [name for name, kind in columns.items() if kind.endswith("*")]
        op.create_table(
            table,
            *(_column(name, kind) for name, kind in columns.items()),
            sa.Column("unit_id", sa.Integer(), nullable=False),
            sa.Column("is_optimistic", sa.Boolean(), nullable=True),
            sa.Column("is_in_sample", sa.Boolean(), nullable=True),
            sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f(f"fk_{table}_unit_id")),
            sa.PrimaryKeyConstraint(*key, "unit_id", name=op.f(f"pk_{table}")),
        )
    watch(TABLES)


def downgrade() -> None:
    forget(TABLES)
    for table in reversed(TABLES):
        op.drop_table(table)
    for table in TESTS:
        op.drop_column(table, "is_circular")


def _column(name: str, kind: str) -> sa.Column:
    word = kind.rstrip("?*")
    if word in SETS:
        values = sa.Enum(*SETS[word], name=word, native_enum=False, create_constraint=True, length=16)
        return sa.Column(name, values, nullable=False)
    return sa.Column(name, KINDS[word](), nullable=kind.endswith("?"), autoincrement=False)
