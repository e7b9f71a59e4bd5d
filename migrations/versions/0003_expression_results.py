"""The expression half's results: cut-offs, groups, curves, tests, networks, the TSH model and its scores."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = (
    "tumor_abundances",
    "cutoffs",
    "km_points",
    "logrank_tests",
    "model_performance",
    "model_terms",
    "out_of_fold_scores",
    "network_edges",
    "network_parameters",
    "roc_points",
    "survival_groups",
    "tsh_scores",
    "wilcoxon_tests",
)


def upgrade() -> None:
    op.add_column("cox_terms", sa.Column("ph_p_value", sa.Double(), nullable=True))
    op.add_column("source_files", sa.Column("mtime_ns", sa.BigInteger(), nullable=True))
    op.create_table(
        "tumor_abundances",
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum(
                "tpm",
                "fpkm",
                "fpkm_uq",
                "rsem",
                "counts",
                "intensity",
                name="expression_unit",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("transform", sa.Text(), nullable=False),
        sa.Column("abundance", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_tumor_abundances_unit_id")),
        sa.PrimaryKeyConstraint("population", "unit", "unit_id", name=op.f("pk_tumor_abundances")),
    )
    op.create_index("ix_tumor_abundances_patient_id", "tumor_abundances", ["patient_id"])
    op.create_table(
        "cutoffs",
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column("biomarker", sa.Text(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum(
                "tpm",
                "fpkm",
                "fpkm_uq",
                "rsem",
                "counts",
                "intensity",
                name="expression_unit",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("transform", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("higher_is", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column(
            "endpoint",
            sa.Enum("OS", "RFS", "DFS", name="endpoint", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_events", sa.Integer(), nullable=False),
        sa.Column("n_high", sa.Integer(), nullable=False),
        sa.Column("n_high_events", sa.Integer(), nullable=False),
        sa.Column("chi2", sa.Double(), nullable=True),
        sa.Column("p_naive", sa.Double(), nullable=True),
        sa.Column("p_permutation", sa.Double(), nullable=True),
        sa.Column("n_permutations", sa.Integer(), nullable=True),
        sa.Column("ci_lower", sa.Double(), nullable=True),
        sa.Column("ci_upper", sa.Double(), nullable=True),
        sa.Column("n_bootstrap", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_cutoffs_unit_id")),
        sa.PrimaryKeyConstraint("population", "unit_id", name=op.f("pk_cutoffs")),
    )
    op.create_table(
        "km_points",
        sa.Column("grouping", sa.Text(), nullable=False),
        sa.Column(
            "prognosis",
            sa.Enum("good", "poor", name="prognosis", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("time_days", sa.Double(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column(
            "endpoint",
            sa.Enum("OS", "RFS", "DFS", name="endpoint", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("n_at_risk", sa.Integer(), nullable=False),
        sa.Column("n_events", sa.Integer(), nullable=False),
        sa.Column("n_censored", sa.Integer(), nullable=False),
        sa.Column("survival", sa.Double(), nullable=False),
        sa.Column("ci_lower", sa.Double(), nullable=True),
        sa.Column("ci_upper", sa.Double(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_km_points_unit_id")),
        sa.PrimaryKeyConstraint("grouping", "prognosis", "time_days", "unit_id", name=op.f("pk_km_points")),
    )
    op.create_table(
        "logrank_tests",
        sa.Column("grouping", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column(
            "endpoint",
            sa.Enum("OS", "RFS", "DFS", name="endpoint", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("n_good", sa.Integer(), nullable=False),
        sa.Column("n_good_events", sa.Integer(), nullable=False),
        sa.Column("n_poor", sa.Integer(), nullable=False),
        sa.Column("n_poor_events", sa.Integer(), nullable=False),
        sa.Column("median_good_days", sa.Double(), nullable=True),
        sa.Column("median_poor_days", sa.Double(), nullable=True),
        sa.Column("chi2", sa.Double(), nullable=True),
        sa.Column("p_value", sa.Double(), nullable=True),
        sa.Column("censored_at_days", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_logrank_tests_unit_id")),
        sa.PrimaryKeyConstraint("grouping", "unit_id", name=op.f("pk_logrank_tests")),
    )
    op.create_table(
        "model_performance",
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("ci_lower", sa.Double(), nullable=True),
        sa.Column("ci_upper", sa.Double(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("is_optimistic", sa.Boolean(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_model_performance_unit_id")),
        sa.PrimaryKeyConstraint("scheme", "measure", "unit_id", name=op.f("pk_model_performance")),
    )
    op.create_table(
        "model_terms",
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("coefficient", sa.Double(), nullable=True),
        sa.Column("center", sa.Double(), nullable=True),
        sa.Column("scale", sa.Double(), nullable=True),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum(
                "tpm",
                "fpkm",
                "fpkm_uq",
                "rsem",
                "counts",
                "intensity",
                name="expression_unit",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=True,
        ),
        sa.Column("transform", sa.Text(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_good", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_model_terms_unit_id")),
        sa.PrimaryKeyConstraint("term", "unit_id", name=op.f("pk_model_terms")),
    )
    op.create_table(
        "out_of_fold_scores",
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("is_good", sa.Boolean(), nullable=False),
        sa.Column("n_repeats", sa.Integer(), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_out_of_fold_scores_unit_id")),
        sa.PrimaryKeyConstraint("patient_id", "unit_id", name=op.f("pk_out_of_fold_scores")),
    )
    op.create_table(
        "network_edges",
        sa.Column(
            "prognosis",
            sa.Enum("good", "poor", name="prognosis", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column(
            "compartment",
            sa.Enum(
                "tumor", "stroma", "other", name="compartment", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column("other_population", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("correlation", sa.Double(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_network_edges_unit_id")),
        sa.PrimaryKeyConstraint(
            "prognosis", "compartment", "population", "other_population", "unit_id", name=op.f("pk_network_edges")
        ),
    )
    op.create_table(
        "network_parameters",
        sa.Column(
            "prognosis",
            sa.Enum("good", "poor", name="prognosis", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column(
            "compartment",
            sa.Enum(
                "tumor", "stroma", "other", name="compartment", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column("parameter", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("p_value", sa.Double(), nullable=True),
        sa.Column("n_permutations", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("is_in_paper", sa.Boolean(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_network_parameters_unit_id")),
        sa.PrimaryKeyConstraint("prognosis", "compartment", "parameter", "unit_id", name=op.f("pk_network_parameters")),
    )
    op.create_table(
        "roc_points",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("sensitivity", sa.Double(), nullable=False),
        sa.Column("specificity", sa.Double(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_roc_points_unit_id")),
        sa.PrimaryKeyConstraint("position", "unit_id", name=op.f("pk_roc_points")),
    )
    op.create_table(
        "survival_groups",
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum(
                "tpm",
                "fpkm",
                "fpkm_uq",
                "rsem",
                "counts",
                "intensity",
                name="expression_unit",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("cutoff", sa.Double(), nullable=False),
        sa.Column(
            "prognosis",
            sa.Enum("good", "poor", name="prognosis", native_enum=False, create_constraint=True, length=16),
            nullable=True,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_survival_groups_unit_id")),
        sa.PrimaryKeyConstraint("population", "unit", "unit_id", name=op.f("pk_survival_groups")),
    )
    op.create_index("ix_survival_groups_patient_id", "survival_groups", ["patient_id"])

    op.create_table(
        "tsh_scores",
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum(
                "tpm",
                "fpkm",
                "fpkm_uq",
                "rsem",
                "counts",
                "intensity",
                name="expression_unit",
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
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_tsh_scores_unit_id")),
        sa.PrimaryKeyConstraint("unit", "unit_id", name=op.f("pk_tsh_scores")),
    )
    op.create_index("ix_tsh_scores_patient_id", "tsh_scores", ["patient_id"])

    op.create_table(
        "wilcoxon_tests",
        sa.Column("grouping", sa.Text(), nullable=False),
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum(
                "tpm",
                "fpkm",
                "fpkm_uq",
                "rsem",
                "counts",
                "intensity",
                name="expression_unit",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("transform", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("tumor_mean", sa.Double(), nullable=True),
        sa.Column("tumor_sd", sa.Double(), nullable=True),
        sa.Column("stroma_mean", sa.Double(), nullable=True),
        sa.Column("stroma_sd", sa.Double(), nullable=True),
        sa.Column("statistic", sa.Double(), nullable=True),
        sa.Column("p_value", sa.Double(), nullable=True),
        sa.Column("p_adjusted", sa.Double(), nullable=True),
        sa.Column("is_exact", sa.Boolean(), nullable=False),
        sa.Column("correlation", sa.Double(), nullable=True),
        sa.Column("correlation_p_value", sa.Double(), nullable=True),
        sa.Column("correlation_p_adjusted", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_wilcoxon_tests_unit_id")),
        sa.PrimaryKeyConstraint("grouping", "population", "unit_id", name=op.f("pk_wilcoxon_tests")),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("source_files", "mtime_ns")
    op.drop_column("cox_terms", "ph_p_value")
