"""The first tables: clinical, expression, cohorts, provenance, engine and the results of the expression half."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "cohorts",
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("sql_text", sa.Text(), nullable=False),
        sa.Column(
            "mode",
            sa.Enum("live", "frozen", name="cohort_mode", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("tables", sa.Text(), nullable=False),
        sa.Column("defined_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cohort", name=op.f("pk_cohorts")),
    )
    op.create_table(
        "conflicts",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("other_source", sa.Text(), nullable=False),
        sa.Column("held_source", sa.Text(), nullable=False),
        sa.Column("held_value", sa.Text(), nullable=True),
        sa.Column("other_value", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "row_key", "column_name", "other_source", name=op.f("pk_conflicts")),
    )
    op.create_table(
        "expression_parts",
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("n_profiles", sa.Integer(), nullable=False),
        sa.Column("n_genes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("part_id", name=op.f("pk_expression_parts")),
    )
    op.create_table(
        "genes",
        sa.Column("gene_id", sa.Text(), nullable=False),
        sa.Column("id_type", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("gene_id", name=op.f("pk_genes")),
    )
    op.create_table(
        "ingest_runs",
        sa.Column("ingest_run_id", sa.Integer(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("program_version", sa.Text(), nullable=False),
        sa.Column("n_inserted", sa.Integer(), nullable=False),
        sa.Column("n_updated", sa.Integer(), nullable=False),
        sa.Column("n_deleted", sa.Integer(), nullable=False),
        sa.Column("n_unchanged", sa.Integer(), nullable=False),
        sa.Column("n_withheld", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ingest_run_id", name=op.f("pk_ingest_runs")),
    )
    op.create_table(
        "leases",
        sa.Column("analysis", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("analysis", "key", name=op.f("pk_leases")),
    )
    op.create_table(
        "patients",
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("age_years", sa.Double(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("race", sa.Text(), nullable=True),
        sa.Column("ethnicity", sa.Text(), nullable=True),
        sa.Column("menopausal_status", sa.Text(), nullable=True),
        sa.Column("er_status", sa.Text(), nullable=True),
        sa.Column("pr_status", sa.Text(), nullable=True),
        sa.Column("her2_status", sa.Text(), nullable=True),
        sa.Column("tumor_size_mm", sa.Double(), nullable=True),
        sa.Column("tumor_size_source", sa.Text(), nullable=True),
        sa.Column("t_stage", sa.Text(), nullable=True),
        sa.Column("n_stage", sa.Text(), nullable=True),
        sa.Column("m_stage", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("histology", sa.Text(), nullable=True),
        sa.Column("family_history", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("patient_id", name=op.f("pk_patients")),
    )
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "running",
                "done",
                "partial",
                "interrupted",
                name="run_state",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("libraries", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
    )
    op.create_table(
        "specs",
        sa.Column("spec_id", sa.Integer(), nullable=False),
        sa.Column("analysis", sa.Text(), nullable=False),
        sa.Column("code_fingerprint", sa.Text(), nullable=False),
        sa.Column("params_fingerprint", sa.Text(), nullable=False),
        sa.Column("libraries_fingerprint", sa.Text(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("python_version", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("spec_id", name=op.f("pk_specs")),
        sa.UniqueConstraint(
            "analysis",
            "code_fingerprint",
            "params_fingerprint",
            "libraries_fingerprint",
            name=op.f("uq_specs_analysis_code_fingerprint_params_fingerprint_libraries_fingerprint"),
        ),
    )
    op.create_table(
        "cohort_versions",
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "mode",
            sa.Enum("live", "frozen", name="cohort_mode", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("sql_text", sa.Text(), nullable=False),
        sa.Column("n_members", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["cohort"], ["cohorts.cohort"], name=op.f("fk_cohort_versions_cohort")),
        sa.PrimaryKeyConstraint("cohort", "version", name=op.f("pk_cohort_versions")),
    )
    op.create_table(
        "follow_ups",
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column(
            "endpoint",
            sa.Enum("OS", "RFS", "DFS", name="endpoint", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("event", sa.Boolean(), nullable=True),
        sa.Column("duration_days", sa.Double(), nullable=True),
        sa.Column("time_origin", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "duration_days IS NULL OR duration_days >= 0", name=op.f("ck_follow_ups_duration_not_negative")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.patient_id"], name=op.f("fk_follow_ups_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", "endpoint", name=op.f("pk_follow_ups")),
    )
    op.create_table(
        "ingest_issues",
        sa.Column("ingest_issue_id", sa.Integer(), nullable=False),
        sa.Column("ingest_run_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("column_name", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column(
            "severity",
            sa.Enum("error", "warning", name="severity", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ingest_run_id"], ["ingest_runs.ingest_run_id"], name=op.f("fk_ingest_issues_ingest_run_id")
        ),
        sa.PrimaryKeyConstraint("ingest_issue_id", name=op.f("pk_ingest_issues")),
    )
    with op.batch_alter_table("ingest_issues", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ingest_issues_ingest_run_id"), ["ingest_run_id"], unique=False)

    op.create_table(
        "samples",
        sa.Column("sample_id", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("sample_type_code", sa.Text(), nullable=True),
        sa.Column(
            "compartment",
            sa.Enum(
                "tumor", "stroma", "other", name="compartment", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.patient_id"], name=op.f("fk_samples_patient_id")),
        sa.PrimaryKeyConstraint("sample_id", name=op.f("pk_samples")),
    )
    with op.batch_alter_table("samples", schema=None) as batch_op:
        batch_op.create_index("ix_samples_of_patient", ["patient_id", "compartment", "sample_id"], unique=False)

    op.create_table(
        "source_files",
        sa.Column("source_file_id", sa.Integer(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("ingest_run_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ingest_run_id"], ["ingest_runs.ingest_run_id"], name=op.f("fk_source_files_ingest_run_id")
        ),
        sa.PrimaryKeyConstraint("source_file_id", name=op.f("pk_source_files")),
    )
    with op.batch_alter_table("source_files", schema=None) as batch_op:
        batch_op.create_index("ix_source_files_source", ["collection", "reader", "name"], unique=False)

    op.create_table(
        "units",
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("analysis", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "current",
                "failed",
                "blocked",
                "retired",
                name="unit_state",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("spec_id", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("upstream", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_units_run_id")),
        sa.ForeignKeyConstraint(["spec_id"], ["specs.spec_id"], name=op.f("fk_units_spec_id")),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_units")),
        sa.UniqueConstraint("analysis", "key", name=op.f("uq_units_analysis_key")),
    )
    with op.batch_alter_table("units", schema=None) as batch_op:
        batch_op.create_index("ix_units_standing", ["analysis", "state", "spec_id", "key"], unique=False)

    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "current",
                "failed",
                "blocked",
                "retired",
                name="unit_state",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("is_changed", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_attempts_run_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_attempts_unit_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempts")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempts_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attempts_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "cell_abundances",
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column("abundance", sa.Double(), nullable=True),
        sa.Column("n_markers_found", sa.Integer(), nullable=False),
        sa.Column("n_markers_measured", sa.Integer(), nullable=False),
        sa.Column("n_markers_total", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
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
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("gene_filter", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_cell_abundances_unit_id")),
        sa.PrimaryKeyConstraint("population", "unit_id", name=op.f("pk_cell_abundances")),
    )
    with op.batch_alter_table("cell_abundances", schema=None) as batch_op:
        batch_op.create_index("ix_cell_abundances_profile_id", ["profile_id"], unique=False)

    op.create_table(
        "change_log",
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("ingest_run_id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("entity_key", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("before_file_id", sa.Integer(), nullable=True),
        sa.Column("before_line", sa.Integer(), nullable=True),
        sa.Column("after_file_id", sa.Integer(), nullable=True),
        sa.Column("after_line", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["after_file_id"], ["source_files.source_file_id"], name=op.f("fk_change_log_after_file_id")
        ),
        sa.ForeignKeyConstraint(
            ["before_file_id"], ["source_files.source_file_id"], name=op.f("fk_change_log_before_file_id")
        ),
        sa.ForeignKeyConstraint(
            ["ingest_run_id"], ["ingest_runs.ingest_run_id"], name=op.f("fk_change_log_ingest_run_id")
        ),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_change_log")),
    )
    with op.batch_alter_table("change_log", schema=None) as batch_op:
        batch_op.create_index("ix_change_log_entity", ["table_name", "entity_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_change_log_ingest_run_id"), ["ingest_run_id"], unique=False)

    op.create_table(
        "clinical_values",
        sa.Column("source_file_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("missing_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.patient_id"], name=op.f("fk_clinical_values_patient_id")),
        sa.ForeignKeyConstraint(
            ["source_file_id"], ["source_files.source_file_id"], name=op.f("fk_clinical_values_source_file_id")
        ),
        sa.PrimaryKeyConstraint("source_file_id", "line", "field", name=op.f("pk_clinical_values")),
    )
    with op.batch_alter_table("clinical_values", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clinical_values_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "cohort_members",
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort", "version"],
            ["cohort_versions.cohort", "cohort_versions.version"],
            name=op.f("fk_cohort_members_cohort_version"),
        ),
        sa.PrimaryKeyConstraint("cohort", "version", "patient_id", name=op.f("pk_cohort_members")),
    )
    with op.batch_alter_table("cohort_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cohort_members_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "cox_terms",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column(
            "endpoint",
            sa.Enum("OS", "RFS", "DFS", name="endpoint", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
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
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("coefficient", sa.Double(), nullable=True),
        sa.Column("standard_error", sa.Double(), nullable=True),
        sa.Column("hazard_ratio", sa.Double(), nullable=True),
        sa.Column("ci_lower", sa.Double(), nullable=True),
        sa.Column("ci_upper", sa.Double(), nullable=True),
        sa.Column("wald", sa.Double(), nullable=True),
        sa.Column("p_value", sa.Double(), nullable=True),
        sa.Column("p_adjusted", sa.Double(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("n_events", sa.Integer(), nullable=False),
        sa.Column("n_left_out", sa.Integer(), nullable=False),
        sa.Column("censored_at_days", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_cox_terms_unit_id")),
        sa.PrimaryKeyConstraint("model", "term", "unit_id", name=op.f("pk_cox_terms")),
    )
    op.create_table(
        "expression_profiles",
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("sample_id", sa.Text(), nullable=False),
        sa.Column("aliquot_id", sa.Text(), nullable=False),
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
        sa.Column(
            "scale",
            sa.Enum("linear", "log2", name="scale", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("workflow", sa.Text(), nullable=True),
        sa.Column("gene_model", sa.Text(), nullable=True),
        sa.Column("n_genes", sa.Integer(), nullable=False),
        sa.Column("n_missing", sa.Integer(), nullable=False),
        sa.Column("values_fingerprint", sa.Text(), nullable=False),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("is_selected", sa.Boolean(), nullable=False),
        sa.Column("selection_rule", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["part_id"], ["expression_parts.part_id"], name=op.f("fk_expression_profiles_part_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.sample_id"], name=op.f("fk_expression_profiles_sample_id")),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_expression_profiles")),
    )
    with op.batch_alter_table("expression_profiles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_expression_profiles_part_id"), ["part_id"], unique=False)
        batch_op.create_index("ix_profiles_of_sample", ["sample_id", "is_selected", "unit", "profile_id"], unique=False)

    op.create_table(
        "gene_filters",
        sa.Column("gene_id", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("absent_fraction", sa.Double(), nullable=False),
        sa.Column("n_profiles", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_gene_filters_unit_id")),
        sa.PrimaryKeyConstraint("gene_id", "unit_id", name=op.f("pk_gene_filters")),
    )
    op.create_table(
        "marker_genes",
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column("marker", sa.Text(), nullable=False),
        sa.Column("entrez", sa.Text(), nullable=True),
        sa.Column("ensembl", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_marker_genes_unit_id")),
        sa.PrimaryKeyConstraint("signature", "population", "marker", "unit_id", name=op.f("pk_marker_genes")),
    )
    op.create_table(
        "source_records",
        sa.Column("source_record_id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source_file_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column_number", sa.Integer(), nullable=True),
        sa.Column("values", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_file_id"], ["source_files.source_file_id"], name=op.f("fk_source_records_source_file_id")
        ),
        sa.PrimaryKeyConstraint("source_record_id", name=op.f("pk_source_records")),
        sa.UniqueConstraint(
            "table_name",
            "row_key",
            "collection",
            "reader",
            "name",
            name=op.f("uq_source_records_table_name_row_key_collection_reader_name"),
        ),
    )
    with op.batch_alter_table("source_records", schema=None) as batch_op:
        batch_op.create_index("ix_source_records_source", ["collection", "reader", "name"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_records_source_file_id"), ["source_file_id"], unique=False)

    op.create_table(
        "tsh_ratios",
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
        sa.Column("tumor_abundance", sa.Double(), nullable=True),
        sa.Column("stroma_abundance", sa.Double(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("biomarker", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_tsh_ratios_unit_id")),
        sa.PrimaryKeyConstraint("population", "unit", "unit_id", name=op.f("pk_tsh_ratios")),
    )
    with op.batch_alter_table("tsh_ratios", schema=None) as batch_op:
        batch_op.create_index("ix_tsh_ratios_patient_id", ["patient_id"], unique=False)

    op.create_table(
        "unit_inputs",
        sa.Column("unit_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("input_unit_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen_fingerprint", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["input_unit_id"], ["units.unit_id"], name=op.f("fk_unit_inputs_input_unit_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.unit_id"], name=op.f("fk_unit_inputs_unit_id")),
        sa.PrimaryKeyConstraint("unit_id", "role", "input_unit_id", name=op.f("pk_unit_inputs")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("unit_inputs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unit_inputs_input_unit_id"), ["input_unit_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("unit_inputs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_inputs_input_unit_id"))

    op.drop_table("unit_inputs")
    with op.batch_alter_table("tsh_ratios", schema=None) as batch_op:
        batch_op.drop_index("ix_tsh_ratios_patient_id")

    op.drop_table("tsh_ratios")
    with op.batch_alter_table("source_records", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_records_source_file_id"))
        batch_op.drop_index("ix_source_records_source")

    op.drop_table("source_records")
    op.drop_table("marker_genes")
    op.drop_table("gene_filters")
    with op.batch_alter_table("expression_profiles", schema=None) as batch_op:
        batch_op.drop_index("ix_profiles_of_sample")
        batch_op.drop_index(batch_op.f("ix_expression_profiles_part_id"))

    op.drop_table("expression_profiles")
    op.drop_table("cox_terms")
    with op.batch_alter_table("cohort_members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cohort_members_patient_id"))

    op.drop_table("cohort_members")
    with op.batch_alter_table("clinical_values", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clinical_values_patient_id"))

    op.drop_table("clinical_values")
    with op.batch_alter_table("change_log", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_change_log_ingest_run_id"))
        batch_op.drop_index("ix_change_log_entity")

    op.drop_table("change_log")
    with op.batch_alter_table("cell_abundances", schema=None) as batch_op:
        batch_op.drop_index("ix_cell_abundances_profile_id")

    op.drop_table("cell_abundances")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempts_unit_id"))
        batch_op.drop_index(batch_op.f("ix_attempts_run_id"))

    op.drop_table("attempts")
    with op.batch_alter_table("units", schema=None) as batch_op:
        batch_op.drop_index("ix_units_standing")

    op.drop_table("units")
    with op.batch_alter_table("source_files", schema=None) as batch_op:
        batch_op.drop_index("ix_source_files_source")

    op.drop_table("source_files")
    with op.batch_alter_table("samples", schema=None) as batch_op:
        batch_op.drop_index("ix_samples_of_patient")

    op.drop_table("samples")
    with op.batch_alter_table("ingest_issues", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ingest_issues_ingest_run_id"))

    op.drop_table("ingest_issues")
    op.drop_table("follow_ups")
    op.drop_table("cohort_versions")
    op.drop_table("specs")
    op.drop_table("runs")
    op.drop_table("patients")
    op.drop_table("leases")
    op.drop_table("ingest_runs")
    op.drop_table("genes")
    op.drop_table("expression_parts")
    op.drop_table("conflicts")
    op.drop_table("cohorts")
