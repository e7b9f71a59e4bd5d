"""The radiogenomic signature: feature tables, labels, search, model, scores, validation; several endpoints of one cohort.

Curves, log-rank tests and Cox models get the endpoint into their keys. Going back loses what the signature made.
"""

import re

import sqlalchemy as sa
from alembic import op

from migrations.watch import forget, watch

revision = "0009"
down_revision = "0008"

TABLES = (
    "calibration_groups",
    "concordances",
    "feature_sets",
    "feature_settings",
    "feature_tests",
    "imported_features",
    "likelihood_ratio_tests",
    "search_generations",
    "selected_features",
    "signature_fold_scores",
    "signature_labels",
    "signature_models",
    "signature_scores",
)
KEYS = {  # before, and what is new
    "km_points": ("grouping", "prognosis", "time_days"),
    "logrank_tests": ("grouping",),
    "cox_terms": ("model", "term"),
}
WITH_ORIGIN = ("logrank_tests", "cox_terms")
WITH_MODEL = ("model_performance", "roc_points")


def upgrade() -> None:
    op.create_table(
        "imported_features",
        sa.Column("examination", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("feature_table", sa.Text(), nullable=False),
        sa.Column("time_point", sa.Text(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("normalisation", sa.Text(), nullable=False),
        sa.Column("phases", sa.Text(), nullable=False),
        sa.Column("mask_kind", sa.Text(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("n_features", sa.Integer(), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.patient_id"], name=op.f("fk_imported_features_patient_id")),
        sa.PrimaryKeyConstraint("examination", name=op.f("pk_imported_features")),
    )
    op.create_index(op.f("ix_imported_features_patient_id"), "imported_features", ["patient_id"], unique=False)
    op.create_table(
        "feature_settings",
        sa.Column("analysis", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("libraries", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_feature_settings_unit_id")),
        sa.PrimaryKeyConstraint("analysis", "unit_id", name=op.f("pk_feature_settings")),
    )
    op.create_table(
        "feature_sets",
        sa.Column("examination", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("time_point", sa.Text(), nullable=True),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("normalisation", sa.Text(), nullable=False),
        sa.Column("phase_rule", sa.Text(), nullable=False),
        sa.Column("mask_kind", sa.Text(), nullable=True),
        sa.Column("intermediate_s", sa.Double(), nullable=True),
        sa.Column("last_s", sa.Double(), nullable=True),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("comparability", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_feature_sets_unit_id")),
        sa.PrimaryKeyConstraint("examination", "unit_id", name=op.f("pk_feature_sets")),
    )
    op.create_index(op.f("ix_feature_sets_patient_id"), "feature_sets", ["patient_id"], unique=False)
    op.create_table(
        "signature_labels",
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column(
            "label",
            sa.Enum("good", "poor", name="prognosis", native_enum=False, create_constraint=True, length=16),
            nullable=True,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_signature_labels_unit_id")),
        sa.PrimaryKeyConstraint("patient_id", "unit_id", name=op.f("pk_signature_labels")),
    )
    op.create_table(
        "search_generations",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("best_fitness", sa.Double(), nullable=True),
        sa.Column("mean_fitness", sa.Double(), nullable=True),
        sa.Column("n_best", sa.Integer(), nullable=False),
        sa.Column("mean_size", sa.Double(), nullable=True),
        sa.Column("n_evaluated", sa.Integer(), nullable=False),
        sa.Column("best", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_good", sa.Integer(), nullable=False),
        sa.Column("n_candidates", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_search_generations_unit_id")),
        sa.PrimaryKeyConstraint("generation", "unit_id", name=op.f("pk_search_generations")),
    )
    op.create_table(
        "signature_models",
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_good", sa.Integer(), nullable=False),
        sa.Column("n_left_out", sa.Integer(), nullable=False),
        sa.Column("n_features", sa.Integer(), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("search_fitness", sa.Double(), nullable=True),
        sa.Column("software", sa.Text(), nullable=True),
        sa.Column("settings", sa.Text(), nullable=True),
        sa.Column("normalisation", sa.Text(), nullable=True),
        sa.Column("phase_rule", sa.Text(), nullable=True),
        sa.Column("mask_kinds", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Text(), nullable=True),
        sa.Column("batches", sa.Text(), nullable=True),
        sa.Column("harmonised", sa.Boolean(), nullable=False),
        sa.Column("comparability", sa.Text(), nullable=True),
        sa.Column("seed", sa.Text(), nullable=True),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_signature_models_unit_id")),
        sa.PrimaryKeyConstraint("cohort", "unit_id", name=op.f("pk_signature_models")),
    )
    op.create_table(
        "signature_fold_scores",
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("repeat", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("fold", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("is_good", sa.Boolean(), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("fold_fitness", sa.Double(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_signature_fold_scores_unit_id")),
        sa.PrimaryKeyConstraint("patient_id", "repeat", "unit_id", name=op.f("pk_signature_fold_scores")),
    )
    op.create_table(
        "selected_features",
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "selected",
                "candidate",
                "dropped",
                name="feature_status",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("auc", sa.Double(), nullable=True),
        sa.Column("mean_good", sa.Double(), nullable=True),
        sa.Column("mean_poor", sa.Double(), nullable=True),
        sa.Column("importance", sa.Double(), nullable=True),
        sa.Column("n_folds", sa.Integer(), nullable=False),
        sa.Column("frequency", sa.Double(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_selected_features_unit_id")),
        sa.PrimaryKeyConstraint("feature", "unit_id", name=op.f("pk_selected_features")),
    )
    op.create_table(
        "signature_scores",
        sa.Column("examination", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("time_point", sa.Text(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "scored",
                "degraded",
                "refused",
                name="score_status",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column(
            "prognosis",
            sa.Enum("good", "poor", name="prognosis", native_enum=False, create_constraint=True, length=16),
            nullable=True,
        ),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("distance", sa.Double(), nullable=True),
        sa.Column("n_outside", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_signature_scores_unit_id")),
        sa.PrimaryKeyConstraint("examination", "unit_id", name=op.f("pk_signature_scores")),
    )
    op.create_index(op.f("ix_signature_scores_patient_id"), "signature_scores", ["patient_id"], unique=False)
    op.create_table(
        "likelihood_ratio_tests",
        sa.Column("score", sa.Text(), nullable=False),
        sa.Column(
            "endpoint",
            sa.Enum("OS", "RFS", "DFS", name="endpoint", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("covariates", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_events", sa.Integer(), nullable=False),
        sa.Column("log_likelihood_clinical", sa.Double(), nullable=True),
        sa.Column("log_likelihood_both", sa.Double(), nullable=True),
        sa.Column("chi2", sa.Double(), nullable=True),
        sa.Column("degrees", sa.Integer(), nullable=True),
        sa.Column("p_value", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_likelihood_ratio_tests_unit_id")),
        sa.PrimaryKeyConstraint("score", "endpoint", "unit_id", name=op.f("pk_likelihood_ratio_tests")),
    )
    op.create_table(
        "concordances",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column(
            "endpoint",
            sa.Enum("OS", "RFS", "DFS", name="endpoint", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("c_index", sa.Double(), nullable=True),
        sa.Column("ci_lower", sa.Double(), nullable=True),
        sa.Column("ci_upper", sa.Double(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_events", sa.Integer(), nullable=False),
        sa.Column("n_bootstrap", sa.Integer(), nullable=False),
        sa.Column("is_optimistic", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_concordances_unit_id")),
        sa.PrimaryKeyConstraint("model", "endpoint", "unit_id", name=op.f("pk_concordances")),
    )
    op.create_table(
        "calibration_groups",
        sa.Column(
            "endpoint",
            sa.Enum("OS", "RFS", "DFS", name="endpoint", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("at_days", sa.Double(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_events", sa.Integer(), nullable=False),
        sa.Column("mean_score", sa.Double(), nullable=True),
        sa.Column("foretold", sa.Double(), nullable=True),
        sa.Column("seen", sa.Double(), nullable=True),
        sa.Column("ci_lower", sa.Double(), nullable=True),
        sa.Column("ci_upper", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_calibration_groups_unit_id")),
        sa.PrimaryKeyConstraint("endpoint", "part", "unit_id", name=op.f("pk_calibration_groups")),
    )
    op.create_table(
        "feature_tests",
        sa.Column("grouping", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("n_good", sa.Integer(), nullable=False),
        sa.Column("n_poor", sa.Integer(), nullable=False),
        sa.Column("median_good", sa.Double(), nullable=True),
        sa.Column("median_poor", sa.Double(), nullable=True),
        sa.Column("statistic", sa.Double(), nullable=True),
        sa.Column("p_value", sa.Double(), nullable=True),
        sa.Column("p_adjusted", sa.Double(), nullable=True),
        sa.Column("is_circular", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_feature_tests_unit_id")),
        sa.PrimaryKeyConstraint("grouping", "feature", "unit_id", name=op.f("pk_feature_tests")),
    )
    op.create_index("ix_feature_tests_feature", "feature_tests", ["feature"], unique=False)
    watch(TABLES)
    for table in WITH_ORIGIN:
        op.add_column(table, sa.Column("time_origin", sa.Text(), nullable=True))
    for table in WITH_MODEL:
        op.add_column(table, sa.Column("model", sa.Text(), nullable=False, server_default="tsh_model"))
    for table, key in KEYS.items():
        _rekey(table, (*key, "endpoint", "unit_id"))


def downgrade() -> None:
    for table in (*KEYS, *WITH_MODEL):
        op.execute(f"DELETE FROM {table} WHERE unit_id IN (SELECT unit_id FROM units WHERE analysis LIKE 'signature%')")
    for table, key in KEYS.items():
        _rekey(table, (*key, "unit_id"))
    for table in WITH_MODEL:
        op.drop_column(table, "model")
    for table in WITH_ORIGIN:
        op.drop_column(table, "time_origin")
    forget(TABLES)
    for table in reversed(TABLES):
        op.drop_table(table)


def _rekey(table: str, columns: tuple[str, ...]) -> None:
    """Another primary key, with all rows kept. SQLite must write the table anew, and with it its triggers and indexes."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(f"pk_{table}", table, type_="primary")
        op.create_primary_key(f"pk_{table}", table, columns)
        return
    forget([table])
    statements = connection.exec_driver_sql(
        "SELECT type, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", (table,)
    ).fetchall()
    made = next(sql for kind, sql in statements if kind == "table")
    made = re.sub(rf"(CREATE TABLE) \"?{table}\"?", rf"\1 {table}_anew", made, count=1)
    made, n = re.subn(r"PRIMARY KEY \([^)]*\)", f"PRIMARY KEY ({', '.join(columns)})", made)
    if n != 1:
        raise RuntimeError(f"{table} has {n} primary keys: {made}")
    op.execute(made)
    op.execute(f"INSERT INTO {table}_anew SELECT * FROM {table}")
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE {table}_anew RENAME TO {table}")
    for kind, sql in statements:
        if kind == "index":
            op.execute(sql)
    watch([table])
