-- what these revisions come to, written by make docs: efc9c13e5c4e73ce85076de69d632bb1dff37aec1c603835f48a292f8d35a7a4
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0038');
CREATE TABLE annotations (
	annotation_id TEXT NOT NULL, 
	collection TEXT NOT NULL, 
	patient_id TEXT NOT NULL, 
	entity_type TEXT NOT NULL, 
	entity_id TEXT NOT NULL, 
	category TEXT NOT NULL, 
	classification TEXT, 
	status TEXT, 
	notes TEXT, 
	effect VARCHAR(16) NOT NULL, 
	rule TEXT NOT NULL, 
	CONSTRAINT pk_annotations PRIMARY KEY (annotation_id), 
	CONSTRAINT ck_annotations_effect CHECK (effect IN ('exclude', 'note'))
);
CREATE TABLE attempts (
	attempt_id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	unit_id INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	seconds DOUBLE NOT NULL, 
	is_changed BOOLEAN NOT NULL, 
	ended_at TEXT NOT NULL, cause_set INTEGER, last_change_id BIGINT, through_unit_id INTEGER, 
	CONSTRAINT pk_attempts PRIMARY KEY (attempt_id), 
	CONSTRAINT fk_attempts_run_id FOREIGN KEY(run_id) REFERENCES runs (run_id), 
	CONSTRAINT fk_attempts_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_attempts_unit_state CHECK (state IN ('current', 'failed', 'blocked', 'retired'))
);
CREATE TABLE breast_masks (
	study_uid TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	segmentation_id TEXT, 
	right_ml DOUBLE, 
	left_ml DOUBLE, 
	stands_out_mm DOUBLE, 
	qc_flags TEXT, 
	reason TEXT, 
	object_id TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_breast_masks PRIMARY KEY (study_uid, unit_id), 
	CONSTRAINT fk_breast_masks_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_breast_masks_region_status CHECK (status IN ('given', 'found', 'failed'))
);
CREATE TABLE calibration_groups (
	endpoint VARCHAR(16) NOT NULL, 
	part INTEGER NOT NULL, 
	cohort TEXT NOT NULL, 
	at_days DOUBLE NOT NULL, 
	n INTEGER NOT NULL, 
	n_events INTEGER NOT NULL, 
	mean_score DOUBLE, 
	foretold DOUBLE, 
	seen DOUBLE, 
	ci_lower DOUBLE, 
	ci_upper DOUBLE, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_calibration_groups PRIMARY KEY (endpoint, part, unit_id), 
	CONSTRAINT fk_calibration_groups_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_calibration_groups_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS'))
);
CREATE TABLE cause_sets (
	cause_set INTEGER NOT NULL, 
	cause_id INTEGER NOT NULL, 
	CONSTRAINT pk_cause_sets PRIMARY KEY (cause_set, cause_id), 
	CONSTRAINT fk_cause_sets_cause_id FOREIGN KEY(cause_id) REFERENCES causes (cause_id)
);
CREATE TABLE causes (
	cause_id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	subject TEXT NOT NULL, 
	value_before TEXT, 
	value_after TEXT, 
	place TEXT, 
	entity_key TEXT, 
	change_id BIGINT, 
	CONSTRAINT pk_causes PRIMARY KEY (cause_id), 
	CONSTRAINT fk_causes_run_id FOREIGN KEY(run_id) REFERENCES runs (run_id), 
	CONSTRAINT ck_causes_cause_kind CHECK (kind IN ('parameter', 'code', 'library', 'table', 'engine', 'seed', 'reference', 'datum', 'member', 'cohort', 'listed', 'first', 'again', 'refit', 'lost', 'edited', 'damaged', 'withdrawn', 'unrecorded'))
);
CREATE TABLE cell_abundances (
	profile_id TEXT NOT NULL, 
	population TEXT NOT NULL, 
	abundance DOUBLE, 
	n_markers_found INTEGER NOT NULL, 
	n_markers_measured INTEGER NOT NULL, 
	n_markers_total INTEGER NOT NULL, 
	reason TEXT, 
	unit VARCHAR(16) NOT NULL, 
	transform TEXT NOT NULL, 
	signature TEXT NOT NULL, 
	gene_filter TEXT NOT NULL, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_cell_abundances PRIMARY KEY (population, unit_id), 
	CONSTRAINT fk_cell_abundances_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_cell_abundances_expression_unit CHECK (unit IN ('tpm', 'fpkm', 'fpkm_uq', 'rsem', 'counts', 'cpm', 'intensity'))
);
CREATE TABLE change_log (
	change_id INTEGER NOT NULL, 
	ingest_run_id INTEGER NOT NULL, 
	table_name TEXT NOT NULL, 
	row_key TEXT NOT NULL, 
	entity_key TEXT NOT NULL, 
	action TEXT NOT NULL, 
	changes TEXT NOT NULL, 
	before_file_id INTEGER, 
	before_line INTEGER, 
	after_file_id INTEGER, 
	after_line INTEGER, chain TEXT, 
	CONSTRAINT pk_change_log PRIMARY KEY (change_id), 
	CONSTRAINT fk_change_log_after_file_id FOREIGN KEY(after_file_id) REFERENCES source_files (source_file_id), 
	CONSTRAINT fk_change_log_before_file_id FOREIGN KEY(before_file_id) REFERENCES source_files (source_file_id), 
	CONSTRAINT fk_change_log_ingest_run_id FOREIGN KEY(ingest_run_id) REFERENCES ingest_runs (ingest_run_id)
);
CREATE TABLE clinical_values (
	source_file_id INTEGER NOT NULL, 
	line INTEGER NOT NULL, 
	field TEXT NOT NULL, 
	patient_id TEXT NOT NULL, 
	value TEXT, 
	missing_reason TEXT, 
	CONSTRAINT pk_clinical_values PRIMARY KEY (source_file_id, line, field), 
	CONSTRAINT fk_clinical_values_patient_id FOREIGN KEY(patient_id) REFERENCES patients (patient_id), 
	CONSTRAINT fk_clinical_values_source_file_id FOREIGN KEY(source_file_id) REFERENCES source_files (source_file_id)
);
CREATE TABLE cohort_exclusions (
	cohort TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	patient_id TEXT NOT NULL, 
	step INTEGER NOT NULL, 
	CONSTRAINT pk_cohort_exclusions PRIMARY KEY (cohort, version, patient_id), 
	CONSTRAINT fk_cohort_exclusions_cohort_version_step FOREIGN KEY(cohort, version, step) REFERENCES cohort_flow (cohort, version, step)
);
CREATE TABLE cohort_flow (
	cohort TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	effect VARCHAR(16) NOT NULL, 
	reason TEXT NOT NULL, 
	n_in INTEGER NOT NULL, 
	n_out INTEGER NOT NULL, 
	sql TEXT NOT NULL, 
	CONSTRAINT pk_cohort_flow PRIMARY KEY (cohort, version, step), 
	CONSTRAINT fk_cohort_flow_cohort_version FOREIGN KEY(cohort, version) REFERENCES cohort_versions (cohort, version), 
	CONSTRAINT ck_cohort_flow_step_effect CHECK (effect IN ('include', 'exclude'))
);
CREATE TABLE cohort_members (
	cohort TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	patient_id TEXT NOT NULL, 
	CONSTRAINT pk_cohort_members PRIMARY KEY (cohort, version, patient_id), 
	CONSTRAINT fk_cohort_members_cohort_version FOREIGN KEY(cohort, version) REFERENCES cohort_versions (cohort, version)
);
CREATE TABLE cohort_versions (
	cohort TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	mode VARCHAR(16) NOT NULL, 
	sql_text TEXT NOT NULL, 
	n_members INTEGER NOT NULL, 
	fingerprint TEXT NOT NULL, 
	created_at TEXT NOT NULL, program TEXT, 
	CONSTRAINT pk_cohort_versions PRIMARY KEY (cohort, version), 
	CONSTRAINT fk_cohort_versions_cohort FOREIGN KEY(cohort) REFERENCES cohorts (cohort), 
	CONSTRAINT ck_cohort_versions_cohort_mode CHECK (mode IN ('live', 'frozen'))
);
CREATE TABLE cohorts (
	cohort TEXT NOT NULL, 
	sql_text TEXT NOT NULL, 
	mode VARCHAR(16) NOT NULL, 
	tables TEXT NOT NULL, 
	defined_at TEXT NOT NULL, 
	CONSTRAINT pk_cohorts PRIMARY KEY (cohort), 
	CONSTRAINT ck_cohorts_cohort_mode CHECK (mode IN ('live', 'frozen'))
);
CREATE TABLE concordances (
	model TEXT NOT NULL, 
	endpoint VARCHAR(16) NOT NULL, 
	cohort TEXT NOT NULL, 
	c_index DOUBLE, 
	ci_lower DOUBLE, 
	ci_upper DOUBLE, 
	n INTEGER NOT NULL, 
	n_events INTEGER NOT NULL, 
	n_bootstrap INTEGER NOT NULL, 
	is_optimistic BOOLEAN NOT NULL, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, difference DOUBLE, difference_lower DOUBLE, difference_upper DOUBLE, n_shared INTEGER, 
	CONSTRAINT pk_concordances PRIMARY KEY (model, endpoint, unit_id), 
	CONSTRAINT fk_concordances_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_concordances_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS'))
);
CREATE TABLE conflicts (
	table_name TEXT NOT NULL, 
	row_key TEXT NOT NULL, 
	column_name TEXT NOT NULL, 
	other_source TEXT NOT NULL, 
	held_source TEXT NOT NULL, 
	held_value TEXT, 
	other_value TEXT, 
	rule TEXT NOT NULL, 
	CONSTRAINT pk_conflicts PRIMARY KEY (table_name, row_key, column_name, other_source)
);
CREATE TABLE control_features (
	study_uid TEXT NOT NULL, 
	control TEXT NOT NULL, 
	feature TEXT NOT NULL, 
	region TEXT NOT NULL, 
	map TEXT NOT NULL, 
	feature_class TEXT, 
	value DOUBLE, 
	reason TEXT, 
	n_voxels INTEGER, 
	n_levels INTEGER, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_control_features PRIMARY KEY (study_uid, control, feature, unit_id), 
	CONSTRAINT fk_control_features_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE "cox_terms" (
	model TEXT NOT NULL, 
	term TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	endpoint VARCHAR(16) NOT NULL, 
	unit VARCHAR(16), 
	transform TEXT, 
	position INTEGER NOT NULL, 
	coefficient DOUBLE, 
	standard_error DOUBLE, 
	hazard_ratio DOUBLE, 
	ci_lower DOUBLE, 
	ci_upper DOUBLE, 
	wald DOUBLE, 
	p_value DOUBLE, 
	p_adjusted DOUBLE, 
	n INTEGER NOT NULL, 
	n_events INTEGER NOT NULL, 
	n_left_out INTEGER NOT NULL, 
	censored_at_days DOUBLE, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, ph_p_value DOUBLE, time_origin TEXT, left_out TEXT, events_per_term DOUBLE, ph_global_p_value DOUBLE, is_optimistic BOOLEAN, is_in_sample BOOLEAN, imputed TEXT, n_complete INTEGER, n_imputations INTEGER, degrees DOUBLE, missing_information DOUBLE, 
	CONSTRAINT pk_cox_terms PRIMARY KEY (model, term, endpoint, unit_id), 
	CONSTRAINT fk_cox_terms_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_cox_terms_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS')), 
	CONSTRAINT ck_cox_terms_expression_unit CHECK (unit IN ('tpm', 'fpkm', 'fpkm_uq', 'rsem', 'counts', 'cpm', 'intensity'))
);
CREATE TABLE cumulative_incidences (
	grouping TEXT NOT NULL, 
	prognosis VARCHAR(16) NOT NULL, 
	endpoint VARCHAR(16) NOT NULL, 
	cause VARCHAR(16) NOT NULL, 
	time_days DOUBLE NOT NULL, 
	cohort TEXT NOT NULL, 
	n_at_risk INTEGER NOT NULL, 
	n_events INTEGER NOT NULL, 
	n_competing INTEGER NOT NULL, 
	n_censored INTEGER NOT NULL, 
	incidence DOUBLE NOT NULL, 
	ci_lower DOUBLE, 
	ci_upper DOUBLE, 
	unit_id INTEGER NOT NULL, 
	is_optimistic BOOLEAN, 
	is_in_sample BOOLEAN, 
	CONSTRAINT pk_cumulative_incidences PRIMARY KEY (grouping, prognosis, endpoint, cause, time_days, unit_id), 
	CONSTRAINT fk_cumulative_incidences_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_cumulative_incidences_prognosis CHECK (prognosis IN ('good', 'poor')), 
	CONSTRAINT ck_cumulative_incidences_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS')), 
	CONSTRAINT ck_cumulative_incidences_first_event CHECK (cause IN ('disease', 'death'))
);
CREATE TABLE cutoffs (
	population TEXT NOT NULL, 
	biomarker TEXT NOT NULL, 
	unit VARCHAR(16) NOT NULL, 
	transform TEXT NOT NULL, 
	method TEXT NOT NULL, 
	value DOUBLE NOT NULL, 
	higher_is TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	endpoint VARCHAR(16) NOT NULL, 
	n INTEGER NOT NULL, 
	n_events INTEGER NOT NULL, 
	n_high INTEGER NOT NULL, 
	n_high_events INTEGER NOT NULL, 
	chi2 DOUBLE, 
	p_naive DOUBLE, 
	p_permutation DOUBLE, 
	n_permutations INTEGER, 
	ci_lower DOUBLE, 
	ci_upper DOUBLE, 
	n_bootstrap INTEGER, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_cutoffs PRIMARY KEY (population, unit_id), 
	CONSTRAINT fk_cutoffs_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_cutoffs_expression_unit CHECK (unit IN ('tpm', 'fpkm', 'fpkm_uq', 'rsem', 'counts', 'cpm', 'intensity')), 
	CONSTRAINT ck_cutoffs_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS'))
);
CREATE TABLE dce_phases (
	study_uid TEXT NOT NULL, 
	phase_index INTEGER NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	is_intermediate BOOLEAN NOT NULL, 
	is_last BOOLEAN NOT NULL, 
	rule TEXT NOT NULL, 
	t_seconds DOUBLE, 
	time_key TEXT, 
	key_used TEXT NOT NULL, 
	n_slices INTEGER NOT NULL, 
	mean_intensity DOUBLE, 
	qc_flags TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_dce_phases PRIMARY KEY (study_uid, phase_index, unit_id), 
	CONSTRAINT fk_dce_phases_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_dce_phases_phase_role CHECK (role IN ('pre', 'post'))
);
CREATE TABLE dce_sets (
	study_uid TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	n_series INTEGER NOT NULL, 
	n_phases INTEGER, 
	n_slices INTEGER, 
	key_used TEXT, 
	qc_flags TEXT, 
	reason TEXT, 
	merge_s DOUBLE NOT NULL, 
	most_left_out DOUBLE NOT NULL, 
	decided_by TEXT NOT NULL, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_dce_sets PRIMARY KEY (study_uid, unit_id), 
	CONSTRAINT fk_dce_sets_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_dce_sets_set_status CHECK (status IN ('found', 'none', 'ambiguous', 'unsplit'))
);
CREATE TABLE "dce_slices" (
	sop_uid TEXT NOT NULL, 
	study_uid TEXT NOT NULL, 
	phase_index INTEGER NOT NULL, 
	slice_index INTEGER NOT NULL, 
	position_mm DOUBLE NOT NULL, 
	unit_id INTEGER NOT NULL, 
	frame_number INTEGER NOT NULL, 
	CONSTRAINT pk_dce_slices PRIMARY KEY (sop_uid, frame_number, unit_id), 
	CONSTRAINT fk_dce_slices_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE expression_parts (
	part_id TEXT NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	n_profiles INTEGER NOT NULL, 
	n_genes INTEGER NOT NULL, 
	CONSTRAINT pk_expression_parts PRIMARY KEY (part_id)
);
CREATE TABLE expression_profiles (
	profile_id TEXT NOT NULL, 
	sample_id TEXT NOT NULL, 
	aliquot_id TEXT NOT NULL, 
	unit VARCHAR(16) NOT NULL, 
	scale VARCHAR(16) NOT NULL, 
	workflow TEXT, 
	gene_model TEXT, 
	n_genes INTEGER NOT NULL, 
	n_missing INTEGER NOT NULL, 
	values_fingerprint TEXT NOT NULL, 
	part_id TEXT NOT NULL, 
	is_selected BOOLEAN NOT NULL, 
	selection_rule TEXT, exclusion TEXT, n_unmapped BIGINT, n_multimapping BIGINT, n_no_feature BIGINT, n_ambiguous BIGINT, library_size DOUBLE, 
	CONSTRAINT pk_expression_profiles PRIMARY KEY (profile_id), 
	CONSTRAINT fk_expression_profiles_part_id FOREIGN KEY(part_id) REFERENCES expression_parts (part_id), 
	CONSTRAINT fk_expression_profiles_sample_id FOREIGN KEY(sample_id) REFERENCES samples (sample_id), 
	CONSTRAINT ck_expression_profiles_expression_unit CHECK (unit IN ('tpm', 'fpkm', 'fpkm_uq', 'rsem', 'counts', 'cpm', 'intensity')), 
	CONSTRAINT ck_expression_profiles_scale CHECK (scale IN ('linear', 'log2'))
);
CREATE TABLE feature_sets (
	examination TEXT NOT NULL, 
	patient_id TEXT NOT NULL, 
	collection TEXT NOT NULL, 
	source TEXT NOT NULL, 
	time_point TEXT, 
	software TEXT NOT NULL, 
	settings TEXT NOT NULL, 
	normalisation TEXT NOT NULL, 
	phase_rule TEXT NOT NULL, 
	mask_kind TEXT, 
	intermediate_s DOUBLE, 
	last_s DOUBLE, 
	batch TEXT, 
	comparability TEXT NOT NULL, 
	unit_id INTEGER NOT NULL, slice_mm DOUBLE, scanner TEXT, motion_voxels DOUBLE, 
	CONSTRAINT pk_feature_sets PRIMARY KEY (examination, unit_id), 
	CONSTRAINT fk_feature_sets_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE feature_settings (
	analysis TEXT NOT NULL, 
	parameters TEXT NOT NULL, 
	libraries TEXT NOT NULL, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_feature_settings PRIMARY KEY (analysis, unit_id), 
	CONSTRAINT fk_feature_settings_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE feature_stability (
	cohort TEXT NOT NULL, 
	feature TEXT NOT NULL, 
	perturbation TEXT NOT NULL, 
	icc DOUBLE, 
	is_stable BOOLEAN, 
	n INTEGER NOT NULL, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_feature_stability PRIMARY KEY (cohort, feature, perturbation, unit_id), 
	CONSTRAINT fk_feature_stability_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE feature_tests (
	grouping TEXT NOT NULL, 
	feature TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	n_good INTEGER NOT NULL, 
	n_poor INTEGER NOT NULL, 
	median_good DOUBLE, 
	median_poor DOUBLE, 
	statistic DOUBLE, 
	p_value DOUBLE, 
	p_adjusted DOUBLE, 
	is_circular BOOLEAN NOT NULL, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, asked TEXT, foretold TEXT, against TEXT, 
	CONSTRAINT pk_feature_tests PRIMARY KEY (grouping, feature, unit_id), 
	CONSTRAINT fk_feature_tests_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE follow_ups (
	patient_id TEXT NOT NULL, 
	endpoint VARCHAR(16) NOT NULL, 
	event BOOLEAN, 
	duration_days DOUBLE, 
	time_origin TEXT NOT NULL, 
	reason TEXT, 
	rule TEXT NOT NULL, 
	CONSTRAINT pk_follow_ups PRIMARY KEY (patient_id, endpoint), 
	CONSTRAINT ck_follow_ups_duration_not_negative CHECK (duration_days IS NULL OR duration_days >= 0), 
	CONSTRAINT fk_follow_ups_patient_id FOREIGN KEY(patient_id) REFERENCES patients (patient_id), 
	CONSTRAINT ck_follow_ups_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS'))
);
CREATE TABLE gene_filters (
	gene_id TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	absent_fraction DOUBLE NOT NULL, 
	n_profiles INTEGER NOT NULL, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_gene_filters PRIMARY KEY (gene_id, unit_id), 
	CONSTRAINT fk_gene_filters_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE genes (
	gene_id TEXT NOT NULL, 
	id_type TEXT NOT NULL, 
	source_name TEXT, symbol TEXT, gene_type TEXT, 
	CONSTRAINT pk_genes PRIMARY KEY (gene_id)
);
CREATE TABLE gray_tests (
	grouping TEXT NOT NULL, 
	endpoint VARCHAR(16) NOT NULL, 
	cause VARCHAR(16) NOT NULL, 
	cohort TEXT NOT NULL, 
	time_origin TEXT, 
	n_good INTEGER NOT NULL, 
	n_good_events INTEGER NOT NULL, 
	n_good_competing INTEGER NOT NULL, 
	n_poor INTEGER NOT NULL, 
	n_poor_events INTEGER NOT NULL, 
	n_poor_competing INTEGER NOT NULL, 
	n_left_out INTEGER NOT NULL, 
	left_out TEXT, 
	chi2 DOUBLE, 
	p_value DOUBLE, 
	censored_at_days DOUBLE, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	is_optimistic BOOLEAN, 
	is_in_sample BOOLEAN, 
	CONSTRAINT pk_gray_tests PRIMARY KEY (grouping, endpoint, cause, unit_id), 
	CONSTRAINT fk_gray_tests_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_gray_tests_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS')), 
	CONSTRAINT ck_gray_tests_first_event CHECK (cause IN ('disease', 'death'))
);
CREATE TABLE guest_analyses (
	analysis TEXT NOT NULL, 
	origin TEXT NOT NULL, 
	version TEXT, 
	kind TEXT NOT NULL, 
	per TEXT NOT NULL, 
	table_name TEXT NOT NULL, 
	guest_table TEXT, 
	replaces TEXT, 
	needs TEXT NOT NULL, 
	about TEXT NOT NULL, 
	seen_at TEXT NOT NULL, 
	CONSTRAINT pk_guest_analyses PRIMARY KEY (analysis), 
	CONSTRAINT fk_guest_analyses_guest_table FOREIGN KEY(guest_table) REFERENCES guest_tables (table_name)
);
CREATE TABLE guest_tables (
	table_name TEXT NOT NULL, 
	origin TEXT NOT NULL, 
	one_row TEXT NOT NULL, 
	columns TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	CONSTRAINT pk_guest_tables PRIMARY KEY (table_name)
);
CREATE TABLE imaging_decisions (
	study_uid TEXT NOT NULL, 
	series_uid TEXT NOT NULL, 
	decision TEXT NOT NULL, 
	decided_by TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_imaging_decisions PRIMARY KEY (study_uid, series_uid), 
	CONSTRAINT fk_imaging_decisions_study_uid FOREIGN KEY(study_uid) REFERENCES imaging_studies (study_uid)
);
CREATE TABLE "imaging_instances" (
	sop_uid TEXT NOT NULL, 
	series_uid TEXT NOT NULL, 
	study_uid TEXT NOT NULL, 
	instance_number BIGINT, 
	acquisition_number BIGINT, 
	x_mm DOUBLE, 
	y_mm DOUBLE, 
	z_mm DOUBLE, 
	orientation TEXT, 
	acquisition_s DOUBLE, 
	content_s DOUBLE, 
	trigger_ms DOUBLE, 
	temporal_position BIGINT, 
	n_frames INTEGER NOT NULL, 
	n_rows INTEGER, 
	n_columns INTEGER, 
	rescale_slope DOUBLE, 
	rescale_intercept DOUBLE, 
	has_pixels BOOLEAN NOT NULL, 
	sha256 TEXT NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	path TEXT NOT NULL, 
	mtime_ns BIGINT, 
	ctime_ns BIGINT, 
	inode BIGINT, 
	frame_number INTEGER NOT NULL, frame_type TEXT, echo_time_ms DOUBLE, diffusion_b_value DOUBLE, reference_s DOUBLE, row_step_mm DOUBLE, column_step_mm DOUBLE, pixel_digest TEXT, 
	CONSTRAINT pk_imaging_instances PRIMARY KEY (sop_uid, frame_number), 
	CONSTRAINT fk_imaging_instances_series_uid FOREIGN KEY(series_uid) REFERENCES imaging_series (series_uid)
);
CREATE TABLE imaging_series (
	series_uid TEXT NOT NULL, 
	study_uid TEXT NOT NULL, 
	modality TEXT, 
	series_number BIGINT, 
	description TEXT, 
	protocol_name TEXT, 
	body_part TEXT, 
	laterality TEXT, 
	image_type TEXT, 
	manufacturer TEXT, 
	model TEXT, 
	software TEXT, 
	field_strength_t DOUBLE, 
	scanning_sequence TEXT, 
	sequence_variant TEXT, 
	scan_options TEXT, 
	sequence_name TEXT, 
	acquisition_type TEXT, 
	tr_ms DOUBLE, 
	te_ms DOUBLE, 
	ti_ms DOUBLE, 
	flip_angle_deg DOUBLE, 
	b_value DOUBLE, 
	contrast_agent TEXT, 
	temporal_positions BIGINT, 
	temporal_resolution_s DOUBLE, 
	images_in_acquisition BIGINT, 
	frame_of_reference_uid TEXT, 
	orientation TEXT, 
	n_rows INTEGER, 
	n_columns INTEGER, 
	row_spacing_mm DOUBLE, 
	column_spacing_mm DOUBLE, 
	slice_thickness_mm DOUBLE, 
	photometric TEXT, 
	sop_class_uid TEXT, 
	transfer_syntax_uid TEXT, 
	series_time_s DOUBLE, 
	n_instances INTEGER NOT NULL, 
	n_without_pixels INTEGER NOT NULL, 
	mixed TEXT, 
	content_digest TEXT NOT NULL, contrast_start_s DOUBLE, 
	CONSTRAINT pk_imaging_series PRIMARY KEY (series_uid), 
	CONSTRAINT fk_imaging_series_study_uid FOREIGN KEY(study_uid) REFERENCES imaging_studies (study_uid)
);
CREATE TABLE imaging_studies (
	study_uid TEXT NOT NULL, 
	patient_id TEXT NOT NULL, 
	collection TEXT NOT NULL, 
	study_date TEXT, 
	study_time_s DOUBLE, 
	description TEXT, 
	age_years DOUBLE, 
	trial_time_point TEXT, 
	time_point TEXT, 
	CONSTRAINT pk_imaging_studies PRIMARY KEY (study_uid), 
	CONSTRAINT fk_imaging_studies_patient_id FOREIGN KEY(patient_id) REFERENCES patients (patient_id)
);
CREATE TABLE imported_features (
	examination TEXT NOT NULL, 
	patient_id TEXT NOT NULL, 
	collection TEXT NOT NULL, 
	feature_table TEXT NOT NULL, 
	time_point TEXT NOT NULL, 
	software TEXT NOT NULL, 
	settings TEXT NOT NULL, 
	normalisation TEXT NOT NULL, 
	phases TEXT NOT NULL, 
	mask_kind TEXT NOT NULL, 
	batch TEXT, 
	n_features INTEGER NOT NULL, 
	features TEXT NOT NULL, 
	CONSTRAINT pk_imported_features PRIMARY KEY (examination), 
	CONSTRAINT fk_imported_features_patient_id FOREIGN KEY(patient_id) REFERENCES patients (patient_id)
);
CREATE TABLE ingest_issues (
	ingest_issue_id INTEGER NOT NULL, 
	ingest_run_id INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	line INTEGER, 
	column_name TEXT, 
	value TEXT, 
	rule TEXT NOT NULL, 
	severity VARCHAR(16) NOT NULL, 
	message TEXT NOT NULL, 
	CONSTRAINT pk_ingest_issues PRIMARY KEY (ingest_issue_id), 
	CONSTRAINT fk_ingest_issues_ingest_run_id FOREIGN KEY(ingest_run_id) REFERENCES ingest_runs (ingest_run_id), 
	CONSTRAINT ck_ingest_issues_severity CHECK (severity IN ('error', 'warning'))
);
CREATE TABLE ingest_runs (
	ingest_run_id INTEGER NOT NULL, 
	command TEXT NOT NULL, 
	started_at TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	program_version TEXT NOT NULL, 
	n_inserted INTEGER NOT NULL, 
	n_updated INTEGER NOT NULL, 
	n_deleted INTEGER NOT NULL, 
	n_unchanged INTEGER NOT NULL, 
	n_withheld INTEGER NOT NULL, change_log_head TEXT, 
	CONSTRAINT pk_ingest_runs PRIMARY KEY (ingest_run_id)
);
CREATE TABLE kinetic_maps (
	study_uid TEXT NOT NULL, 
	map TEXT NOT NULL, 
	unit TEXT NOT NULL, 
	n_undefined INTEGER, 
	n_limited INTEGER, 
	reason TEXT, 
	object_id TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_kinetic_maps PRIMARY KEY (study_uid, map, unit_id), 
	CONSTRAINT fk_kinetic_maps_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE kinetics (
	study_uid TEXT NOT NULL, 
	region TEXT NOT NULL, 
	n_phases INTEGER NOT NULL, 
	early_phase INTEGER NOT NULL, 
	unit_id INTEGER NOT NULL, 
	side TEXT, 
	curve TEXT, 
	tissue TEXT, 
	qc_flags TEXT, 
	reason TEXT, 
	n_voxels INTEGER, 
	late_phase INTEGER, 
	peak_phase INTEGER, 
	volume_ml DOUBLE, 
	early_s DOUBLE, 
	late_s DOUBLE, 
	s0_mean DOUBLE, 
	peak_pe DOUBLE, 
	time_to_peak_s DOUBLE, 
	wash_in DOUBLE, 
	wash_out DOUBLE, 
	pe_early DOUBLE, 
	pe_late DOUBLE, 
	ser DOUBLE, 
	ftv_ml DOUBLE, 
	ftv_gradual_ml DOUBLE, 
	ftv_plateau_ml DOUBLE, 
	ftv_washout_ml DOUBLE, 
	ftv_threshold DOUBLE, 
	bpe DOUBLE, 
	bpe_median DOUBLE, 
	tissue_threshold DOUBLE, time_zero TEXT, zero_s DOUBLE, 
	CONSTRAINT pk_kinetics PRIMARY KEY (study_uid, region, unit_id), 
	CONSTRAINT fk_kinetics_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE "km_points" (
	grouping TEXT NOT NULL, 
	prognosis VARCHAR(16) NOT NULL, 
	time_days DOUBLE NOT NULL, 
	cohort TEXT NOT NULL, 
	endpoint VARCHAR(16) NOT NULL, 
	n_at_risk INTEGER NOT NULL, 
	n_events INTEGER NOT NULL, 
	n_censored INTEGER NOT NULL, 
	survival DOUBLE NOT NULL, 
	ci_lower DOUBLE, 
	ci_upper DOUBLE, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_km_points PRIMARY KEY (grouping, prognosis, time_days, endpoint, unit_id), 
	CONSTRAINT fk_km_points_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_km_points_prognosis CHECK (prognosis IN ('good', 'poor')), 
	CONSTRAINT ck_km_points_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS'))
);
CREATE TABLE "ladder_rungs" (
	rung TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	way TEXT NOT NULL, 
	draws TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	n_good INTEGER NOT NULL, 
	n_features INTEGER, 
	n_draws INTEGER, 
	n_reached INTEGER, 
	n_shared INTEGER, 
	auc DOUBLE, 
	ci_lower DOUBLE, 
	ci_upper DOUBLE, 
	lowest DOUBLE, 
	highest DOUBLE, 
	difference DOUBLE, 
	difference_lower DOUBLE, 
	difference_upper DOUBLE, 
	search TEXT, 
	finding TEXT, 
	reason TEXT, 
	verdict VARCHAR(16), 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_ladder_rungs PRIMARY KEY (rung, unit_id), 
	CONSTRAINT fk_ladder_rungs_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_ladder_rungs_ladder_verdict CHECK (verdict IN ('adds', 'adds texture', 'no texture shown', 'volume only', 'cannot be judged'))
);
CREATE TABLE leases (
	analysis TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	token INTEGER NOT NULL, 
	host TEXT NOT NULL, 
	process TEXT NOT NULL, 
	expires_at DOUBLE NOT NULL, 
	CONSTRAINT pk_leases PRIMARY KEY (analysis, "key")
);
CREATE TABLE lesion_bands (
	study_uid TEXT NOT NULL, 
	lesion INTEGER NOT NULL, 
	width_mm DOUBLE NOT NULL, 
	volume_ml DOUBLE, 
	whole_ml DOUBLE, 
	cut_off DOUBLE, 
	beyond_view DOUBLE, 
	reason TEXT, 
	object_id TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_lesion_bands PRIMARY KEY (study_uid, lesion, unit_id), 
	CONSTRAINT fk_lesion_bands_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE lesion_features (
	study_uid TEXT NOT NULL, 
	lesion INTEGER NOT NULL, 
	feature TEXT NOT NULL, 
	map TEXT NOT NULL, 
	feature_class TEXT, 
	value DOUBLE, 
	reason TEXT, 
	n_voxels INTEGER, 
	n_levels INTEGER, 
	unit_id INTEGER NOT NULL, region TEXT, unit TEXT, 
	CONSTRAINT pk_lesion_features PRIMARY KEY (study_uid, lesion, feature, unit_id), 
	CONSTRAINT fk_lesion_features_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE lesion_verdicts (
	study_uid TEXT NOT NULL, 
	outline TEXT NOT NULL, 
	verdict VARCHAR(16) NOT NULL, 
	cause VARCHAR(16), 
	read_by TEXT NOT NULL, 
	comment TEXT, 
	seen TEXT, 
	CONSTRAINT pk_lesion_verdicts PRIMARY KEY (study_uid, outline), 
	CONSTRAINT fk_lesion_verdicts_study_uid FOREIGN KEY(study_uid) REFERENCES imaging_studies (study_uid), 
	CONSTRAINT ck_lesion_verdicts_verdict CHECK (verdict IN ('pass', 'fail')), 
	CONSTRAINT ck_lesion_verdicts_verdict_cause CHECK (cause IN ('poor_quality', 'no_tumor', 'incomplete', 'other'))
);
CREATE TABLE lesions (
	study_uid TEXT NOT NULL, 
	lesion INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	segmentation_id TEXT, 
	n_outlines INTEGER NOT NULL, 
	is_index BOOLEAN, 
	is_measured BOOLEAN NOT NULL, 
	n_voxels INTEGER, 
	volume_ml DOUBLE, 
	x_mm DOUBLE, 
	y_mm DOUBLE, 
	z_mm DOUBLE, 
	qc_flags TEXT, 
	reason TEXT, 
	object_id TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_lesions PRIMARY KEY (study_uid, lesion, unit_id), 
	CONSTRAINT fk_lesions_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_lesions_mask_kind CHECK (kind IN ('manual', 'expert', 'les', 'fcm', 'ftv', 'tissue', 'automatic', 'other'))
);
CREATE TABLE likelihood_ratio_tests (
	score TEXT NOT NULL, 
	endpoint VARCHAR(16) NOT NULL, 
	cohort TEXT NOT NULL, 
	covariates TEXT NOT NULL, 
	n INTEGER NOT NULL, 
	n_events INTEGER NOT NULL, 
	log_likelihood_clinical DOUBLE, 
	log_likelihood_both DOUBLE, 
	chi2 DOUBLE, 
	degrees INTEGER, 
	p_value DOUBLE, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, is_optimistic BOOLEAN, is_in_sample BOOLEAN, 
	CONSTRAINT pk_likelihood_ratio_tests PRIMARY KEY (score, endpoint, unit_id), 
	CONSTRAINT fk_likelihood_ratio_tests_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_likelihood_ratio_tests_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS'))
);
CREATE TABLE "logrank_tests" (
	grouping TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	endpoint VARCHAR(16) NOT NULL, 
	n_good INTEGER NOT NULL, 
	n_good_events INTEGER NOT NULL, 
	n_poor INTEGER NOT NULL, 
	n_poor_events INTEGER NOT NULL, 
	median_good_days DOUBLE, 
	median_poor_days DOUBLE, 
	chi2 DOUBLE, 
	p_value DOUBLE, 
	censored_at_days DOUBLE, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, time_origin TEXT, median_good_lower DOUBLE, median_good_upper DOUBLE, median_poor_lower DOUBLE, median_poor_upper DOUBLE, mean_until_days DOUBLE, mean_good_days DOUBLE, mean_poor_days DOUBLE, mean_difference_days DOUBLE, mean_difference_lower DOUBLE, mean_difference_upper DOUBLE, is_optimistic BOOLEAN, is_in_sample BOOLEAN, 
	CONSTRAINT pk_logrank_tests PRIMARY KEY (grouping, endpoint, unit_id), 
	CONSTRAINT fk_logrank_tests_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_logrank_tests_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS'))
);
CREATE TABLE map_features (
	study_uid TEXT NOT NULL, 
	feature TEXT NOT NULL, 
	region TEXT NOT NULL, 
	map TEXT NOT NULL, 
	unit TEXT NOT NULL, 
	feature_class TEXT, 
	reason TEXT, 
	value DOUBLE, 
	n_voxels INTEGER, 
	n_levels INTEGER, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_map_features PRIMARY KEY (study_uid, feature, unit_id), 
	CONSTRAINT fk_map_features_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE marker_genes (
	signature TEXT NOT NULL, 
	population TEXT NOT NULL, 
	marker TEXT NOT NULL, 
	entrez TEXT, 
	ensembl TEXT, 
	position INTEGER NOT NULL, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_marker_genes PRIMARY KEY (signature, population, marker, unit_id), 
	CONSTRAINT fk_marker_genes_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE masks (
	segmentation_id TEXT NOT NULL, 
	study_uid TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	differences TEXT, 
	repair TEXT, 
	n_voxels INTEGER, 
	volume_ml DOUBLE, 
	first_slice INTEGER, 
	last_slice INTEGER, 
	mean_rise DOUBLE, 
	qc_flags TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_masks PRIMARY KEY (segmentation_id, unit_id), 
	CONSTRAINT fk_masks_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_masks_mask_status CHECK (status IN ('fits', 'resample', 'no_images', 'unclear'))
);
CREATE TABLE model_performance (
	scheme TEXT NOT NULL, 
	measure TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	value DOUBLE, 
	ci_lower DOUBLE, 
	ci_upper DOUBLE, 
	n INTEGER NOT NULL, 
	is_optimistic BOOLEAN NOT NULL, 
	unit_id INTEGER NOT NULL, model TEXT DEFAULT 'tsh_model' NOT NULL, delong_lower DOUBLE, delong_upper DOUBLE, reason TEXT, 
	CONSTRAINT pk_model_performance PRIMARY KEY (scheme, measure, unit_id), 
	CONSTRAINT fk_model_performance_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE model_terms (
	term TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	coefficient DOUBLE, 
	center DOUBLE, 
	scale DOUBLE, 
	cohort TEXT NOT NULL, 
	unit VARCHAR(16), 
	transform TEXT, 
	threshold DOUBLE NOT NULL, 
	n INTEGER NOT NULL, 
	n_good INTEGER NOT NULL, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_model_terms PRIMARY KEY (term, unit_id), 
	CONSTRAINT fk_model_terms_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_model_terms_expression_unit CHECK (unit IN ('tpm', 'fpkm', 'fpkm_uq', 'rsem', 'counts', 'cpm', 'intensity'))
);
CREATE TABLE network_edges (
	prognosis VARCHAR(16) NOT NULL, 
	compartment VARCHAR(16) NOT NULL, 
	population TEXT NOT NULL, 
	other_population TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	correlation DOUBLE NOT NULL, 
	n INTEGER NOT NULL, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_network_edges PRIMARY KEY (prognosis, compartment, population, other_population, unit_id), 
	CONSTRAINT fk_network_edges_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_network_edges_prognosis CHECK (prognosis IN ('good', 'poor')), 
	CONSTRAINT ck_network_edges_compartment CHECK (compartment IN ('tumor', 'stroma', 'other'))
);
CREATE TABLE network_parameters (
	prognosis VARCHAR(16) NOT NULL, 
	compartment VARCHAR(16) NOT NULL, 
	parameter TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	value DOUBLE, 
	p_value DOUBLE, 
	n_permutations INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	is_in_paper BOOLEAN NOT NULL, 
	unit_id INTEGER NOT NULL, p_adjusted DOUBLE, is_circular BOOLEAN, 
	CONSTRAINT pk_network_parameters PRIMARY KEY (prognosis, compartment, parameter, unit_id), 
	CONSTRAINT fk_network_parameters_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_network_parameters_prognosis CHECK (prognosis IN ('good', 'poor')), 
	CONSTRAINT ck_network_parameters_compartment CHECK (compartment IN ('tumor', 'stroma', 'other'))
);
CREATE TABLE out_of_fold_scores (
	patient_id TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	score DOUBLE NOT NULL, 
	is_good BOOLEAN NOT NULL, 
	n_repeats INTEGER NOT NULL, 
	features TEXT NOT NULL, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_out_of_fold_scores PRIMARY KEY (patient_id, unit_id), 
	CONSTRAINT fk_out_of_fold_scores_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE patients (
	patient_id TEXT NOT NULL, 
	collection TEXT NOT NULL, 
	age_years DOUBLE, 
	sex TEXT, 
	race TEXT, 
	ethnicity TEXT, 
	menopausal_status TEXT, 
	er_status TEXT, 
	pr_status TEXT, 
	her2_status TEXT, 
	tumor_size_mm DOUBLE, 
	tumor_size_source TEXT, 
	t_stage TEXT, 
	n_stage TEXT, 
	m_stage TEXT, 
	stage TEXT, 
	histology TEXT, 
	family_history TEXT, er_status_reason TEXT, pr_status_reason TEXT, her2_status_reason TEXT, her2_rule TEXT, laterality TEXT, 
	CONSTRAINT pk_patients PRIMARY KEY (patient_id)
);
CREATE TABLE phase_motions (
	study_uid TEXT NOT NULL, 
	image VARCHAR(16) NOT NULL, 
	phase_index INTEGER NOT NULL, 
	x_mm DOUBLE, 
	y_mm DOUBLE, 
	z_mm DOUBLE, 
	angle_deg DOUBLE, 
	furthest_mm DOUBLE, 
	in_plane_voxels DOUBLE, 
	is_moved BOOLEAN, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_phase_motions PRIMARY KEY (study_uid, image, unit_id), 
	CONSTRAINT fk_phase_motions_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_phase_motions_prepared_kind CHECK (image IN ('S0', 'intermediate', 'last'))
);
CREATE TABLE prepared_images (
	study_uid TEXT NOT NULL, 
	image VARCHAR(16) NOT NULL, 
	phase_index INTEGER NOT NULL, 
	grid TEXT NOT NULL, 
	interpolator TEXT NOT NULL, 
	mean DOUBLE NOT NULL, 
	sd DOUBLE NOT NULL, 
	highest DOUBLE NOT NULL, 
	object_id TEXT NOT NULL, 
	unit_id INTEGER NOT NULL, registration TEXT, 
	CONSTRAINT pk_prepared_images PRIMARY KEY (study_uid, image, unit_id), 
	CONSTRAINT fk_prepared_images_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_prepared_images_prepared_kind CHECK (image IN ('S0', 'intermediate', 'last'))
);
CREATE TABLE qc_verdicts (
	study_uid TEXT NOT NULL, 
	verdict VARCHAR(16) NOT NULL, 
	cause VARCHAR(16), 
	read_by TEXT NOT NULL, 
	comment TEXT, 
	CONSTRAINT pk_qc_verdicts PRIMARY KEY (study_uid), 
	CONSTRAINT fk_qc_verdicts_study_uid FOREIGN KEY(study_uid) REFERENCES imaging_studies (study_uid), 
	CONSTRAINT ck_qc_verdicts_verdict CHECK (verdict IN ('pass', 'fail')), 
	CONSTRAINT ck_qc_verdicts_verdict_cause CHECK (cause IN ('poor_quality', 'no_tumor', 'incomplete', 'other'))
);
CREATE TABLE radiomic_features (
	region_map TEXT NOT NULL, 
	study_uid TEXT NOT NULL, 
	feature TEXT NOT NULL, 
	region TEXT NOT NULL, 
	map TEXT NOT NULL, 
	feature_class TEXT, 
	value DOUBLE, 
	reason TEXT, 
	n_voxels INTEGER, 
	n_levels INTEGER, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_radiomic_features PRIMARY KEY (study_uid, feature, unit_id), 
	CONSTRAINT fk_radiomic_features_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE result_changes (
	result_change_id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	unit_id INTEGER NOT NULL, 
	analysis TEXT NOT NULL, 
	entity_key TEXT NOT NULL, 
	row_part TEXT NOT NULL, 
	column_name TEXT NOT NULL, 
	value_before TEXT, 
	value_after TEXT, row_part_before TEXT, 
	CONSTRAINT pk_result_changes PRIMARY KEY (result_change_id), 
	CONSTRAINT fk_result_changes_run_id FOREIGN KEY(run_id) REFERENCES runs (run_id), 
	CONSTRAINT fk_result_changes_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE retest_features (
	region_map TEXT NOT NULL, 
	study_uid TEXT NOT NULL, 
	feature TEXT NOT NULL, 
	perturbation TEXT NOT NULL, 
	value DOUBLE, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_retest_features PRIMARY KEY (study_uid, feature, perturbation, unit_id), 
	CONSTRAINT fk_retest_features_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE retirements (
	retirement_id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	unit_id INTEGER NOT NULL, 
	cause_set INTEGER, 
	ended_at TEXT NOT NULL, 
	CONSTRAINT pk_retirements PRIMARY KEY (retirement_id), 
	CONSTRAINT fk_retirements_run_id FOREIGN KEY(run_id) REFERENCES runs (run_id), 
	CONSTRAINT fk_retirements_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE roc_points (
	position INTEGER NOT NULL, 
	cohort TEXT NOT NULL, 
	score DOUBLE, 
	sensitivity DOUBLE NOT NULL, 
	specificity DOUBLE NOT NULL, 
	unit_id INTEGER NOT NULL, model TEXT DEFAULT 'tsh_model' NOT NULL, 
	CONSTRAINT pk_roc_points PRIMARY KEY (position, unit_id), 
	CONSTRAINT fk_roc_points_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE run_costs (
	run_id INTEGER NOT NULL, 
	analysis TEXT NOT NULL, 
	n_units INTEGER NOT NULL, 
	seconds DOUBLE NOT NULL, 
	n_workers INTEGER NOT NULL, 
	CONSTRAINT pk_run_costs PRIMARY KEY (run_id, analysis), 
	CONSTRAINT fk_run_costs_run_id FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
CREATE TABLE runs (
	run_id INTEGER NOT NULL, 
	command TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	host TEXT NOT NULL, 
	process TEXT NOT NULL, 
	started_at TEXT NOT NULL, 
	ended_at TEXT, 
	state VARCHAR(16) NOT NULL, 
	libraries TEXT NOT NULL, program_version TEXT, settings TEXT, 
	CONSTRAINT pk_runs PRIMARY KEY (run_id), 
	CONSTRAINT ck_runs_run_state CHECK (state IN ('running', 'done', 'partial', 'interrupted'))
);
CREATE TABLE samples (
	sample_id TEXT NOT NULL, 
	patient_id TEXT NOT NULL, 
	sample_type_code TEXT, 
	compartment VARCHAR(16) NOT NULL, preservation_method TEXT, 
	CONSTRAINT pk_samples PRIMARY KEY (sample_id), 
	CONSTRAINT fk_samples_patient_id FOREIGN KEY(patient_id) REFERENCES patients (patient_id), 
	CONSTRAINT ck_samples_compartment CHECK (compartment IN ('tumor', 'stroma', 'other'))
);
CREATE TABLE schoenfeld_residuals (
	model TEXT NOT NULL, 
	term TEXT NOT NULL, 
	endpoint VARCHAR(16) NOT NULL, 
	position INTEGER NOT NULL, 
	cohort TEXT NOT NULL, 
	time_days DOUBLE, 
	km_time DOUBLE, 
	value DOUBLE, 
	smooth DOUBLE, 
	smooth_lower DOUBLE, 
	smooth_upper DOUBLE, 
	coefficient DOUBLE, 
	ph_p_value DOUBLE, 
	n INTEGER NOT NULL, 
	n_events INTEGER NOT NULL, 
	censored_at_days DOUBLE, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	is_optimistic BOOLEAN, 
	is_in_sample BOOLEAN, 
	CONSTRAINT pk_schoenfeld_residuals PRIMARY KEY (model, term, endpoint, position, unit_id), 
	CONSTRAINT fk_schoenfeld_residuals_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_schoenfeld_residuals_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS'))
);
CREATE TABLE search_generations (
	generation INTEGER NOT NULL, 
	cohort TEXT NOT NULL, 
	best_fitness DOUBLE, 
	mean_fitness DOUBLE, 
	n_best INTEGER NOT NULL, 
	mean_size DOUBLE, 
	n_evaluated INTEGER NOT NULL, 
	best TEXT NOT NULL, 
	n INTEGER NOT NULL, 
	n_good INTEGER NOT NULL, 
	n_candidates INTEGER NOT NULL, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_search_generations PRIMARY KEY (generation, unit_id), 
	CONSTRAINT fk_search_generations_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE segmentations (
	segmentation_id TEXT NOT NULL, 
	study_uid TEXT NOT NULL, 
	series_uid TEXT, 
	reference_series_uid TEXT, 
	format TEXT NOT NULL, 
	segment INTEGER NOT NULL, 
	label TEXT, 
	region VARCHAR(16) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	is_outline BOOLEAN NOT NULL, 
	decode_rule TEXT NOT NULL, 
	min_value INTEGER NOT NULL, 
	grid TEXT NOT NULL, 
	n_voxels INTEGER NOT NULL, 
	volume_ml DOUBLE, 
	value_counts TEXT NOT NULL, 
	flags TEXT, 
	object_id TEXT NOT NULL, 
	file_sha256 TEXT NOT NULL, path TEXT, evidence TEXT, lesion INTEGER, drawn_on TEXT, 
	CONSTRAINT pk_segmentations PRIMARY KEY (segmentation_id), 
	CONSTRAINT fk_segmentations_study_uid FOREIGN KEY(study_uid) REFERENCES imaging_studies (study_uid), 
	CONSTRAINT ck_segmentations_mask_region CHECK (region IN ('tumor', 'breast', 'enhancement', 'other')), 
	CONSTRAINT ck_segmentations_mask_kind CHECK (kind IN ('manual', 'expert', 'les', 'fcm', 'ftv', 'tissue', 'automatic', 'other'))
);
CREATE TABLE selected_features (
	feature TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	reason TEXT, 
	auc DOUBLE, 
	mean_good DOUBLE, 
	mean_poor DOUBLE, 
	importance DOUBLE, 
	n_folds INTEGER NOT NULL, 
	frequency DOUBLE, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_selected_features PRIMARY KEY (feature, unit_id), 
	CONSTRAINT fk_selected_features_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_selected_features_feature_status CHECK (status IN ('selected', 'candidate', 'dropped'))
);
CREATE TABLE series_hints (
	hints TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	role TEXT NOT NULL, 
	column_name TEXT NOT NULL, 
	pattern TEXT NOT NULL, 
	weight DOUBLE NOT NULL, 
	meaning TEXT NOT NULL, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_series_hints PRIMARY KEY (hints, position, unit_id), 
	CONSTRAINT fk_series_hints_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE series_roles (
	series_uid TEXT NOT NULL, 
	study_uid TEXT NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	score DOUBLE NOT NULL, 
	hints TEXT, 
	candidate INTEGER, 
	candidate_score DOUBLE, 
	candidate_hints TEXT, 
	is_dynamic BOOLEAN NOT NULL, 
	set_status VARCHAR(16) NOT NULL, 
	decided_by TEXT NOT NULL, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_series_roles PRIMARY KEY (series_uid, unit_id), 
	CONSTRAINT fk_series_roles_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_series_roles_series_role CHECK (role IN ('dynamic', 'static_t1', 'subtraction', 'mip', 'reformat', 'map', 'cad', 'localizer', 'calibration', 't1', 't2', 'diffusion', 'segmentation', 'report', 'other', 'other_modality')), 
	CONSTRAINT ck_series_roles_set_status CHECK (set_status IN ('found', 'none', 'ambiguous', 'unsplit'))
);
CREATE TABLE "signature_fold_scores" (
	patient_id TEXT NOT NULL, 
	repeat INTEGER NOT NULL, 
	cohort TEXT NOT NULL, 
	fold INTEGER NOT NULL, 
	score DOUBLE, 
	is_good BOOLEAN NOT NULL, 
	features TEXT NOT NULL, 
	fold_fitness DOUBLE, 
	unit_id INTEGER NOT NULL, 
	reason TEXT, 
	CONSTRAINT pk_signature_fold_scores PRIMARY KEY (patient_id, repeat, unit_id), 
	CONSTRAINT fk_signature_fold_scores_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE "signature_labels" (
	patient_id TEXT NOT NULL, 
	score DOUBLE, 
	threshold DOUBLE, 
	label TEXT, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	value TEXT, 
	asked TEXT, 
	foretold TEXT, 
	against TEXT, 
	CONSTRAINT pk_signature_labels PRIMARY KEY (patient_id, unit_id), 
	CONSTRAINT fk_signature_labels_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE signature_models (
	cohort TEXT NOT NULL, 
	source TEXT NOT NULL, 
	threshold DOUBLE NOT NULL, 
	n INTEGER NOT NULL, 
	n_good INTEGER NOT NULL, 
	n_left_out INTEGER NOT NULL, 
	n_features INTEGER NOT NULL, 
	features TEXT NOT NULL, 
	search_fitness DOUBLE, 
	software TEXT, 
	settings TEXT, 
	normalisation TEXT, 
	phase_rule TEXT, 
	mask_kinds TEXT, 
	seconds TEXT, 
	batches TEXT, 
	harmonised BOOLEAN NOT NULL, 
	comparability TEXT, 
	seed TEXT, 
	versions TEXT NOT NULL, 
	content TEXT, 
	reason TEXT, 
	object_id TEXT, 
	unit_id INTEGER NOT NULL, asked TEXT, foretold TEXT, against TEXT, 
	CONSTRAINT pk_signature_models PRIMARY KEY (cohort, unit_id), 
	CONSTRAINT fk_signature_models_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE signature_scores (
	examination TEXT NOT NULL, 
	patient_id TEXT NOT NULL, 
	source TEXT NOT NULL, 
	time_point TEXT, 
	status VARCHAR(16) NOT NULL, 
	score DOUBLE, 
	prognosis VARCHAR(16), 
	threshold DOUBLE NOT NULL, 
	reason TEXT, 
	distance DOUBLE, 
	n_outside INTEGER, 
	unit_id INTEGER NOT NULL, label TEXT, asked TEXT, foretold TEXT, against TEXT, 
	CONSTRAINT pk_signature_scores PRIMARY KEY (examination, unit_id), 
	CONSTRAINT fk_signature_scores_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_signature_scores_score_status CHECK (status IN ('scored', 'degraded', 'refused')), 
	CONSTRAINT ck_signature_scores_prognosis CHECK (prognosis IN ('good', 'poor'))
);
CREATE TABLE source_files (
	source_file_id INTEGER NOT NULL, 
	collection TEXT NOT NULL, 
	reader TEXT NOT NULL, 
	name TEXT NOT NULL, 
	path TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	options TEXT NOT NULL, 
	is_current BOOLEAN NOT NULL, 
	ingest_run_id INTEGER NOT NULL, md5 TEXT, archive_id TEXT, mtime_ns BIGINT, ctime_ns BIGINT, inode BIGINT, 
	CONSTRAINT pk_source_files PRIMARY KEY (source_file_id), 
	CONSTRAINT fk_source_files_ingest_run_id FOREIGN KEY(ingest_run_id) REFERENCES ingest_runs (ingest_run_id)
);
CREATE TABLE source_records (
	source_record_id INTEGER NOT NULL, 
	table_name TEXT NOT NULL, 
	row_key TEXT NOT NULL, 
	collection TEXT NOT NULL, 
	reader TEXT NOT NULL, 
	name TEXT NOT NULL, 
	source_file_id INTEGER NOT NULL, 
	line INTEGER NOT NULL, 
	column_number INTEGER, 
	"row_values" TEXT NOT NULL, as_of TEXT, 
	CONSTRAINT pk_source_records PRIMARY KEY (source_record_id), 
	CONSTRAINT fk_source_records_source_file_id FOREIGN KEY(source_file_id) REFERENCES source_files (source_file_id), 
	CONSTRAINT uq_source_records_table_name_row_key_collection_reader_name UNIQUE (table_name, row_key, collection, reader, name)
);
CREATE TABLE source_releases (
	source_release_id INTEGER NOT NULL, 
	collection TEXT NOT NULL, 
	archive TEXT NOT NULL, 
	release TEXT NOT NULL, 
	details TEXT NOT NULL, 
	ingest_run_id INTEGER NOT NULL, 
	CONSTRAINT pk_source_releases PRIMARY KEY (source_release_id), 
	CONSTRAINT fk_source_releases_ingest_run_id FOREIGN KEY(ingest_run_id) REFERENCES ingest_runs (ingest_run_id), 
	CONSTRAINT uq_source_releases_collection_archive_release UNIQUE (collection, archive, release)
);
CREATE TABLE "specs" (
	spec_id INTEGER NOT NULL, 
	analysis TEXT NOT NULL, 
	code_fingerprint TEXT NOT NULL, 
	params_fingerprint TEXT NOT NULL, 
	libraries_fingerprint TEXT NOT NULL, 
	sources TEXT NOT NULL, 
	params TEXT NOT NULL, 
	python_version TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	modules TEXT, 
	text_digest TEXT, 
	table_fingerprint TEXT NOT NULL, 
	seed TEXT NOT NULL, 
	engine_version TEXT NOT NULL, 
	leads TEXT NOT NULL, 
	kept_digest TEXT NOT NULL, 
	form INTEGER NOT NULL, 
	taken_over TEXT, 
	CONSTRAINT pk_specs PRIMARY KEY (spec_id), 
	CONSTRAINT uq_specs_identity UNIQUE (analysis, code_fingerprint, params_fingerprint, libraries_fingerprint, table_fingerprint, seed, engine_version)
);
CREATE TABLE stroma_bands (
	study_uid TEXT NOT NULL, 
	width_mm DOUBLE NOT NULL, 
	volume_ml DOUBLE, 
	whole_ml DOUBLE, 
	cut_off DOUBLE, 
	beyond_view DOUBLE, 
	parenchyma_n INTEGER, 
	parenchyma_s0 DOUBLE, 
	parenchyma_intermediate DOUBLE, 
	parenchyma_last DOUBLE, 
	reason TEXT, 
	object_id TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_stroma_bands PRIMARY KEY (study_uid, unit_id), 
	CONSTRAINT fk_stroma_bands_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
);
CREATE TABLE survival_groups (
	patient_id TEXT NOT NULL, 
	population TEXT NOT NULL, 
	unit VARCHAR(16) NOT NULL, 
	value DOUBLE, 
	cutoff DOUBLE NOT NULL, 
	prognosis VARCHAR(16), 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_survival_groups PRIMARY KEY (population, unit, unit_id), 
	CONSTRAINT fk_survival_groups_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_survival_groups_expression_unit CHECK (unit IN ('tpm', 'fpkm', 'fpkm_uq', 'rsem', 'counts', 'cpm', 'intensity')), 
	CONSTRAINT ck_survival_groups_prognosis CHECK (prognosis IN ('good', 'poor'))
);
CREATE TABLE survival_quantiles (
	grouping TEXT NOT NULL, 
	prognosis VARCHAR(16) NOT NULL, 
	endpoint VARCHAR(16) NOT NULL, 
	percent INTEGER NOT NULL, 
	cohort TEXT NOT NULL, 
	time_origin TEXT, 
	n INTEGER NOT NULL, 
	n_events INTEGER NOT NULL, 
	censored_at_days DOUBLE, 
	is_reached BOOLEAN, 
	days DOUBLE, 
	ci_lower DOUBLE, 
	ci_upper DOUBLE, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	is_optimistic BOOLEAN, 
	is_in_sample BOOLEAN, 
	CONSTRAINT pk_survival_quantiles PRIMARY KEY (grouping, prognosis, endpoint, percent, unit_id), 
	CONSTRAINT fk_survival_quantiles_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_survival_quantiles_prognosis CHECK (prognosis IN ('good', 'poor')), 
	CONSTRAINT ck_survival_quantiles_endpoint CHECK (endpoint IN ('OS', 'RFS', 'DFS'))
);
CREATE TABLE table_versions (
	table_name TEXT NOT NULL, 
	version BIGINT NOT NULL, written BIGINT, 
	CONSTRAINT pk_table_versions PRIMARY KEY (table_name)
);
CREATE TABLE tombstones (
	token TEXT NOT NULL, 
	sample_tokens TEXT NOT NULL, 
	scope VARCHAR(16) NOT NULL, 
	reason TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	withdrawn_at TEXT NOT NULL, 
	certificate_sha256 TEXT, 
	pending TEXT, 
	readmitted_at TEXT, 
	readmitted_because TEXT, 
	CONSTRAINT pk_tombstones PRIMARY KEY (token), 
	CONSTRAINT ck_tombstones_withdrawal_scope CHECK (scope IN ('keep', 'refit', 'revoke'))
);
CREATE TABLE tsh_ratios (
	patient_id TEXT NOT NULL, 
	population TEXT NOT NULL, 
	unit VARCHAR(16) NOT NULL, 
	transform TEXT NOT NULL, 
	tumor_abundance DOUBLE, 
	stroma_abundance DOUBLE, 
	value DOUBLE, 
	biomarker TEXT NOT NULL, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_tsh_ratios PRIMARY KEY (population, unit, unit_id), 
	CONSTRAINT fk_tsh_ratios_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_tsh_ratios_expression_unit CHECK (unit IN ('tpm', 'fpkm', 'fpkm_uq', 'rsem', 'counts', 'cpm', 'intensity'))
);
CREATE TABLE tsh_scores (
	patient_id TEXT NOT NULL, 
	unit VARCHAR(16) NOT NULL, 
	score DOUBLE, 
	prognosis VARCHAR(16), 
	threshold DOUBLE NOT NULL, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_tsh_scores PRIMARY KEY (unit, unit_id), 
	CONSTRAINT fk_tsh_scores_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_tsh_scores_expression_unit CHECK (unit IN ('tpm', 'fpkm', 'fpkm_uq', 'rsem', 'counts', 'cpm', 'intensity')), 
	CONSTRAINT ck_tsh_scores_prognosis CHECK (prognosis IN ('good', 'poor'))
);
CREATE TABLE tumor_abundances (
	patient_id TEXT NOT NULL, 
	population TEXT NOT NULL, 
	unit VARCHAR(16) NOT NULL, 
	transform TEXT NOT NULL, 
	abundance DOUBLE, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_tumor_abundances PRIMARY KEY (population, unit, unit_id), 
	CONSTRAINT fk_tumor_abundances_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_tumor_abundances_expression_unit CHECK (unit IN ('tpm', 'fpkm', 'fpkm_uq', 'rsem', 'counts', 'cpm', 'intensity'))
);
CREATE TABLE tumor_masks (
	study_uid TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	kind VARCHAR(16), 
	segmentation_id TEXT, 
	n_outlines INTEGER NOT NULL, 
	side TEXT, 
	n_voxels INTEGER, 
	volume_ml DOUBLE, 
	x_mm DOUBLE, 
	y_mm DOUBLE, 
	z_mm DOUBLE, 
	seed_rule TEXT, 
	n_rounds INTEGER, 
	fcm_dice DOUBLE, 
	corrected_share DOUBLE, 
	qc_flags TEXT, 
	reason TEXT, 
	object_id TEXT, 
	unit_id INTEGER NOT NULL, 
	CONSTRAINT pk_tumor_masks PRIMARY KEY (study_uid, unit_id), 
	CONSTRAINT fk_tumor_masks_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_tumor_masks_region_status CHECK (status IN ('given', 'found', 'failed')), 
	CONSTRAINT ck_tumor_masks_mask_kind CHECK (kind IN ('manual', 'expert', 'les', 'fcm', 'ftv', 'tissue', 'automatic', 'other'))
);
CREATE TABLE unit_inputs (
	unit_id INTEGER NOT NULL, 
	role TEXT NOT NULL, 
	input_unit_id INTEGER NOT NULL, 
	seen_fingerprint TEXT NOT NULL, 
	CONSTRAINT pk_unit_inputs PRIMARY KEY (unit_id, role, input_unit_id), 
	CONSTRAINT fk_unit_inputs_input_unit_id FOREIGN KEY(input_unit_id) REFERENCES units (unit_id), 
	CONSTRAINT fk_unit_inputs_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id)
)
 WITHOUT ROWID

;
CREATE TABLE units (
	unit_id INTEGER NOT NULL, 
	analysis TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	fingerprint TEXT, 
	spec_id INTEGER, 
	run_id INTEGER, 
	upstream TEXT, 
	message TEXT, 
	updated_at TEXT NOT NULL, rows_digest TEXT, digest_taken_over TEXT, damage TEXT, 
	CONSTRAINT pk_units PRIMARY KEY (unit_id), 
	CONSTRAINT fk_units_run_id FOREIGN KEY(run_id) REFERENCES runs (run_id), 
	CONSTRAINT fk_units_spec_id FOREIGN KEY(spec_id) REFERENCES specs (spec_id), 
	CONSTRAINT uq_units_analysis_key UNIQUE (analysis, "key"), 
	CONSTRAINT ck_units_unit_state CHECK (state IN ('current', 'failed', 'blocked', 'retired'))
);
CREATE TABLE wilcoxon_tests (
	grouping TEXT NOT NULL, 
	population TEXT NOT NULL, 
	cohort TEXT NOT NULL, 
	unit VARCHAR(16) NOT NULL, 
	transform TEXT NOT NULL, 
	n INTEGER NOT NULL, 
	tumor_mean DOUBLE, 
	tumor_sd DOUBLE, 
	stroma_mean DOUBLE, 
	stroma_sd DOUBLE, 
	statistic DOUBLE, 
	p_value DOUBLE, 
	p_adjusted DOUBLE, 
	is_exact BOOLEAN NOT NULL, 
	correlation DOUBLE, 
	correlation_p_value DOUBLE, 
	correlation_p_adjusted DOUBLE, 
	reason TEXT, 
	unit_id INTEGER NOT NULL, is_circular BOOLEAN, 
	CONSTRAINT pk_wilcoxon_tests PRIMARY KEY (grouping, population, unit_id), 
	CONSTRAINT fk_wilcoxon_tests_unit_id FOREIGN KEY(unit_id) REFERENCES units (unit_id), 
	CONSTRAINT ck_wilcoxon_tests_expression_unit CHECK (unit IN ('tpm', 'fpkm', 'fpkm_uq', 'rsem', 'counts', 'cpm', 'intensity'))
);
CREATE TABLE written_files (
	written_file_id INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	written_at TEXT NOT NULL, 
	sha256 TEXT, 
	cohorts TEXT, 
	patient_id TEXT, 
	of_patients BOOLEAN, 
	CONSTRAINT pk_written_files PRIMARY KEY (written_file_id)
);
CREATE INDEX ix_annotations_patient_id ON annotations (patient_id);
CREATE INDEX ix_attempts_run_id ON attempts (run_id);
CREATE INDEX ix_attempts_unit_id ON attempts (unit_id);
CREATE INDEX ix_cell_abundances_profile_id ON cell_abundances (profile_id);
CREATE INDEX ix_change_log_entity ON change_log (table_name, entity_key);
CREATE INDEX ix_change_log_ingest_run_id ON change_log (ingest_run_id);
CREATE INDEX ix_clinical_values_patient_id ON clinical_values (patient_id);
CREATE INDEX ix_cohort_exclusions_patient_id ON cohort_exclusions (patient_id);
CREATE INDEX ix_cohort_members_patient_id ON cohort_members (patient_id);
CREATE INDEX ix_expression_profiles_part_id ON expression_profiles (part_id);
CREATE INDEX ix_genes_symbol ON genes (symbol);
CREATE INDEX ix_imaging_series_study_uid ON imaging_series (study_uid);
CREATE INDEX ix_imaging_studies_patient_id ON imaging_studies (patient_id);
CREATE INDEX ix_ingest_issues_ingest_run_id ON ingest_issues (ingest_run_id);
CREATE INDEX ix_masks_study_uid ON masks (study_uid);
CREATE INDEX ix_profiles_of_sample ON expression_profiles (sample_id, is_selected, unit, profile_id);
CREATE INDEX ix_result_changes_run_id ON result_changes (run_id);
CREATE INDEX ix_samples_of_patient ON samples (patient_id, compartment, sample_id);
CREATE INDEX ix_segmentations_study_uid ON segmentations (study_uid);
CREATE INDEX ix_series_roles_study_uid ON series_roles (study_uid);
CREATE INDEX ix_source_files_source ON source_files (collection, reader, name);
CREATE INDEX ix_source_records_source ON source_records (collection, reader, name);
CREATE INDEX ix_source_records_source_file_id ON source_records (source_file_id);
CREATE INDEX ix_survival_groups_patient_id ON survival_groups (patient_id);
CREATE INDEX ix_tsh_ratios_patient_id ON tsh_ratios (patient_id);
CREATE INDEX ix_tsh_scores_patient_id ON tsh_scores (patient_id);
CREATE INDEX ix_tumor_abundances_patient_id ON tumor_abundances (patient_id);
CREATE INDEX ix_unit_inputs_input_unit_id ON unit_inputs (input_unit_id);
CREATE INDEX ix_units_standing ON units (analysis, state, spec_id, "key");
CREATE TRIGGER watch_annotations_insert AFTER INSERT ON annotations BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'annotations'; END;
CREATE TRIGGER watch_annotations_update AFTER UPDATE ON annotations BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'annotations'; END;
CREATE TRIGGER watch_annotations_delete AFTER DELETE ON annotations BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'annotations'; END;
CREATE TRIGGER watch_attempts_insert AFTER INSERT ON attempts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'attempts'; END;
CREATE TRIGGER watch_attempts_update AFTER UPDATE ON attempts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'attempts'; END;
CREATE TRIGGER watch_attempts_delete AFTER DELETE ON attempts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'attempts'; END;
CREATE TRIGGER watch_cell_abundances_insert AFTER INSERT ON cell_abundances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cell_abundances'; END;
CREATE TRIGGER watch_cell_abundances_update AFTER UPDATE ON cell_abundances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cell_abundances'; END;
CREATE TRIGGER watch_cell_abundances_delete AFTER DELETE ON cell_abundances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cell_abundances'; END;
CREATE TRIGGER watch_change_log_insert AFTER INSERT ON change_log BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'change_log'; END;
CREATE TRIGGER watch_change_log_update AFTER UPDATE ON change_log BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'change_log'; END;
CREATE TRIGGER watch_change_log_delete AFTER DELETE ON change_log BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'change_log'; END;
CREATE TRIGGER watch_clinical_values_insert AFTER INSERT ON clinical_values BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'clinical_values'; END;
CREATE TRIGGER watch_clinical_values_update AFTER UPDATE ON clinical_values BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'clinical_values'; END;
CREATE TRIGGER watch_clinical_values_delete AFTER DELETE ON clinical_values BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'clinical_values'; END;
CREATE TRIGGER watch_cohort_exclusions_insert AFTER INSERT ON cohort_exclusions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_exclusions'; END;
CREATE TRIGGER watch_cohort_exclusions_update AFTER UPDATE ON cohort_exclusions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_exclusions'; END;
CREATE TRIGGER watch_cohort_exclusions_delete AFTER DELETE ON cohort_exclusions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_exclusions'; END;
CREATE TRIGGER watch_cohort_flow_insert AFTER INSERT ON cohort_flow BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_flow'; END;
CREATE TRIGGER watch_cohort_flow_update AFTER UPDATE ON cohort_flow BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_flow'; END;
CREATE TRIGGER watch_cohort_flow_delete AFTER DELETE ON cohort_flow BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_flow'; END;
CREATE TRIGGER watch_cohort_members_insert AFTER INSERT ON cohort_members BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_members'; END;
CREATE TRIGGER watch_cohort_members_update AFTER UPDATE ON cohort_members BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_members'; END;
CREATE TRIGGER watch_cohort_members_delete AFTER DELETE ON cohort_members BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_members'; END;
CREATE TRIGGER watch_cohort_versions_insert AFTER INSERT ON cohort_versions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_versions'; END;
CREATE TRIGGER watch_cohort_versions_update AFTER UPDATE ON cohort_versions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_versions'; END;
CREATE TRIGGER watch_cohort_versions_delete AFTER DELETE ON cohort_versions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohort_versions'; END;
CREATE TRIGGER watch_cohorts_insert AFTER INSERT ON cohorts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohorts'; END;
CREATE TRIGGER watch_cohorts_update AFTER UPDATE ON cohorts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohorts'; END;
CREATE TRIGGER watch_cohorts_delete AFTER DELETE ON cohorts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cohorts'; END;
CREATE TRIGGER watch_conflicts_insert AFTER INSERT ON conflicts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'conflicts'; END;
CREATE TRIGGER watch_conflicts_update AFTER UPDATE ON conflicts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'conflicts'; END;
CREATE TRIGGER watch_conflicts_delete AFTER DELETE ON conflicts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'conflicts'; END;
CREATE TRIGGER watch_cutoffs_insert AFTER INSERT ON cutoffs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cutoffs'; END;
CREATE TRIGGER watch_cutoffs_update AFTER UPDATE ON cutoffs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cutoffs'; END;
CREATE TRIGGER watch_cutoffs_delete AFTER DELETE ON cutoffs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cutoffs'; END;
CREATE TRIGGER watch_dce_phases_insert AFTER INSERT ON dce_phases BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'dce_phases'; END;
CREATE TRIGGER watch_dce_phases_update AFTER UPDATE ON dce_phases BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'dce_phases'; END;
CREATE TRIGGER watch_dce_phases_delete AFTER DELETE ON dce_phases BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'dce_phases'; END;
CREATE TRIGGER watch_dce_sets_insert AFTER INSERT ON dce_sets BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'dce_sets'; END;
CREATE TRIGGER watch_dce_sets_update AFTER UPDATE ON dce_sets BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'dce_sets'; END;
CREATE TRIGGER watch_dce_sets_delete AFTER DELETE ON dce_sets BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'dce_sets'; END;
CREATE TRIGGER watch_expression_parts_insert AFTER INSERT ON expression_parts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'expression_parts'; END;
CREATE TRIGGER watch_expression_parts_update AFTER UPDATE ON expression_parts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'expression_parts'; END;
CREATE TRIGGER watch_expression_parts_delete AFTER DELETE ON expression_parts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'expression_parts'; END;
CREATE TRIGGER watch_expression_profiles_insert AFTER INSERT ON expression_profiles BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'expression_profiles'; END;
CREATE TRIGGER watch_expression_profiles_update AFTER UPDATE ON expression_profiles BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'expression_profiles'; END;
CREATE TRIGGER watch_expression_profiles_delete AFTER DELETE ON expression_profiles BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'expression_profiles'; END;
CREATE TRIGGER watch_follow_ups_insert AFTER INSERT ON follow_ups BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'follow_ups'; END;
CREATE TRIGGER watch_follow_ups_update AFTER UPDATE ON follow_ups BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'follow_ups'; END;
CREATE TRIGGER watch_follow_ups_delete AFTER DELETE ON follow_ups BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'follow_ups'; END;
CREATE TRIGGER watch_gene_filters_insert AFTER INSERT ON gene_filters BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'gene_filters'; END;
CREATE TRIGGER watch_gene_filters_update AFTER UPDATE ON gene_filters BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'gene_filters'; END;
CREATE TRIGGER watch_gene_filters_delete AFTER DELETE ON gene_filters BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'gene_filters'; END;
CREATE TRIGGER watch_genes_insert AFTER INSERT ON genes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'genes'; END;
CREATE TRIGGER watch_genes_update AFTER UPDATE ON genes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'genes'; END;
CREATE TRIGGER watch_genes_delete AFTER DELETE ON genes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'genes'; END;
CREATE TRIGGER watch_imaging_decisions_insert AFTER INSERT ON imaging_decisions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_decisions'; END;
CREATE TRIGGER watch_imaging_decisions_update AFTER UPDATE ON imaging_decisions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_decisions'; END;
CREATE TRIGGER watch_imaging_decisions_delete AFTER DELETE ON imaging_decisions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_decisions'; END;
CREATE TRIGGER watch_imaging_series_insert AFTER INSERT ON imaging_series BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_series'; END;
CREATE TRIGGER watch_imaging_series_update AFTER UPDATE ON imaging_series BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_series'; END;
CREATE TRIGGER watch_imaging_series_delete AFTER DELETE ON imaging_series BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_series'; END;
CREATE TRIGGER watch_imaging_studies_insert AFTER INSERT ON imaging_studies BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_studies'; END;
CREATE TRIGGER watch_imaging_studies_update AFTER UPDATE ON imaging_studies BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_studies'; END;
CREATE TRIGGER watch_imaging_studies_delete AFTER DELETE ON imaging_studies BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_studies'; END;
CREATE TRIGGER watch_ingest_issues_insert AFTER INSERT ON ingest_issues BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'ingest_issues'; END;
CREATE TRIGGER watch_ingest_issues_update AFTER UPDATE ON ingest_issues BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'ingest_issues'; END;
CREATE TRIGGER watch_ingest_issues_delete AFTER DELETE ON ingest_issues BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'ingest_issues'; END;
CREATE TRIGGER watch_ingest_runs_insert AFTER INSERT ON ingest_runs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'ingest_runs'; END;
CREATE TRIGGER watch_ingest_runs_update AFTER UPDATE ON ingest_runs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'ingest_runs'; END;
CREATE TRIGGER watch_ingest_runs_delete AFTER DELETE ON ingest_runs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'ingest_runs'; END;
CREATE TRIGGER watch_marker_genes_insert AFTER INSERT ON marker_genes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'marker_genes'; END;
CREATE TRIGGER watch_marker_genes_update AFTER UPDATE ON marker_genes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'marker_genes'; END;
CREATE TRIGGER watch_marker_genes_delete AFTER DELETE ON marker_genes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'marker_genes'; END;
CREATE TRIGGER watch_masks_insert AFTER INSERT ON masks BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'masks'; END;
CREATE TRIGGER watch_masks_update AFTER UPDATE ON masks BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'masks'; END;
CREATE TRIGGER watch_masks_delete AFTER DELETE ON masks BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'masks'; END;
CREATE TRIGGER watch_model_performance_insert AFTER INSERT ON model_performance BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'model_performance'; END;
CREATE TRIGGER watch_model_performance_update AFTER UPDATE ON model_performance BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'model_performance'; END;
CREATE TRIGGER watch_model_performance_delete AFTER DELETE ON model_performance BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'model_performance'; END;
CREATE TRIGGER watch_model_terms_insert AFTER INSERT ON model_terms BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'model_terms'; END;
CREATE TRIGGER watch_model_terms_update AFTER UPDATE ON model_terms BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'model_terms'; END;
CREATE TRIGGER watch_model_terms_delete AFTER DELETE ON model_terms BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'model_terms'; END;
CREATE TRIGGER watch_network_edges_insert AFTER INSERT ON network_edges BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'network_edges'; END;
CREATE TRIGGER watch_network_edges_update AFTER UPDATE ON network_edges BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'network_edges'; END;
CREATE TRIGGER watch_network_edges_delete AFTER DELETE ON network_edges BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'network_edges'; END;
CREATE TRIGGER watch_network_parameters_insert AFTER INSERT ON network_parameters BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'network_parameters'; END;
CREATE TRIGGER watch_network_parameters_update AFTER UPDATE ON network_parameters BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'network_parameters'; END;
CREATE TRIGGER watch_network_parameters_delete AFTER DELETE ON network_parameters BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'network_parameters'; END;
CREATE TRIGGER watch_out_of_fold_scores_insert AFTER INSERT ON out_of_fold_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'out_of_fold_scores'; END;
CREATE TRIGGER watch_out_of_fold_scores_update AFTER UPDATE ON out_of_fold_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'out_of_fold_scores'; END;
CREATE TRIGGER watch_out_of_fold_scores_delete AFTER DELETE ON out_of_fold_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'out_of_fold_scores'; END;
CREATE TRIGGER watch_patients_insert AFTER INSERT ON patients BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'patients'; END;
CREATE TRIGGER watch_patients_update AFTER UPDATE ON patients BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'patients'; END;
CREATE TRIGGER watch_patients_delete AFTER DELETE ON patients BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'patients'; END;
CREATE TRIGGER watch_qc_verdicts_insert AFTER INSERT ON qc_verdicts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'qc_verdicts'; END;
CREATE TRIGGER watch_qc_verdicts_update AFTER UPDATE ON qc_verdicts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'qc_verdicts'; END;
CREATE TRIGGER watch_qc_verdicts_delete AFTER DELETE ON qc_verdicts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'qc_verdicts'; END;
CREATE TRIGGER watch_result_changes_insert AFTER INSERT ON result_changes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'result_changes'; END;
CREATE TRIGGER watch_result_changes_update AFTER UPDATE ON result_changes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'result_changes'; END;
CREATE TRIGGER watch_result_changes_delete AFTER DELETE ON result_changes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'result_changes'; END;
CREATE TRIGGER watch_roc_points_insert AFTER INSERT ON roc_points BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'roc_points'; END;
CREATE TRIGGER watch_roc_points_update AFTER UPDATE ON roc_points BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'roc_points'; END;
CREATE TRIGGER watch_roc_points_delete AFTER DELETE ON roc_points BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'roc_points'; END;
CREATE TRIGGER watch_runs_insert AFTER INSERT ON runs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'runs'; END;
CREATE TRIGGER watch_runs_update AFTER UPDATE ON runs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'runs'; END;
CREATE TRIGGER watch_runs_delete AFTER DELETE ON runs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'runs'; END;
CREATE TRIGGER watch_samples_insert AFTER INSERT ON samples BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'samples'; END;
CREATE TRIGGER watch_samples_update AFTER UPDATE ON samples BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'samples'; END;
CREATE TRIGGER watch_samples_delete AFTER DELETE ON samples BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'samples'; END;
CREATE TRIGGER watch_segmentations_insert AFTER INSERT ON segmentations BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'segmentations'; END;
CREATE TRIGGER watch_segmentations_update AFTER UPDATE ON segmentations BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'segmentations'; END;
CREATE TRIGGER watch_segmentations_delete AFTER DELETE ON segmentations BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'segmentations'; END;
CREATE TRIGGER watch_series_hints_insert AFTER INSERT ON series_hints BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'series_hints'; END;
CREATE TRIGGER watch_series_hints_update AFTER UPDATE ON series_hints BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'series_hints'; END;
CREATE TRIGGER watch_series_hints_delete AFTER DELETE ON series_hints BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'series_hints'; END;
CREATE TRIGGER watch_series_roles_insert AFTER INSERT ON series_roles BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'series_roles'; END;
CREATE TRIGGER watch_series_roles_update AFTER UPDATE ON series_roles BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'series_roles'; END;
CREATE TRIGGER watch_series_roles_delete AFTER DELETE ON series_roles BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'series_roles'; END;
CREATE TRIGGER watch_source_files_insert AFTER INSERT ON source_files BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'source_files'; END;
CREATE TRIGGER watch_source_files_update AFTER UPDATE ON source_files BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'source_files'; END;
CREATE TRIGGER watch_source_files_delete AFTER DELETE ON source_files BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'source_files'; END;
CREATE TRIGGER watch_source_records_insert AFTER INSERT ON source_records BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'source_records'; END;
CREATE TRIGGER watch_source_records_update AFTER UPDATE ON source_records BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'source_records'; END;
CREATE TRIGGER watch_source_records_delete AFTER DELETE ON source_records BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'source_records'; END;
CREATE TRIGGER watch_source_releases_insert AFTER INSERT ON source_releases BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'source_releases'; END;
CREATE TRIGGER watch_source_releases_update AFTER UPDATE ON source_releases BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'source_releases'; END;
CREATE TRIGGER watch_source_releases_delete AFTER DELETE ON source_releases BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'source_releases'; END;
CREATE TRIGGER watch_survival_groups_insert AFTER INSERT ON survival_groups BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'survival_groups'; END;
CREATE TRIGGER watch_survival_groups_update AFTER UPDATE ON survival_groups BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'survival_groups'; END;
CREATE TRIGGER watch_survival_groups_delete AFTER DELETE ON survival_groups BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'survival_groups'; END;
CREATE TRIGGER watch_tombstones_insert AFTER INSERT ON tombstones BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tombstones'; END;
CREATE TRIGGER watch_tombstones_update AFTER UPDATE ON tombstones BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tombstones'; END;
CREATE TRIGGER watch_tombstones_delete AFTER DELETE ON tombstones BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tombstones'; END;
CREATE TRIGGER watch_tsh_ratios_insert AFTER INSERT ON tsh_ratios BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tsh_ratios'; END;
CREATE TRIGGER watch_tsh_ratios_update AFTER UPDATE ON tsh_ratios BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tsh_ratios'; END;
CREATE TRIGGER watch_tsh_ratios_delete AFTER DELETE ON tsh_ratios BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tsh_ratios'; END;
CREATE TRIGGER watch_tsh_scores_insert AFTER INSERT ON tsh_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tsh_scores'; END;
CREATE TRIGGER watch_tsh_scores_update AFTER UPDATE ON tsh_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tsh_scores'; END;
CREATE TRIGGER watch_tsh_scores_delete AFTER DELETE ON tsh_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tsh_scores'; END;
CREATE TRIGGER watch_tumor_abundances_insert AFTER INSERT ON tumor_abundances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tumor_abundances'; END;
CREATE TRIGGER watch_tumor_abundances_update AFTER UPDATE ON tumor_abundances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tumor_abundances'; END;
CREATE TRIGGER watch_tumor_abundances_delete AFTER DELETE ON tumor_abundances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tumor_abundances'; END;
CREATE TRIGGER watch_unit_inputs_insert AFTER INSERT ON unit_inputs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'unit_inputs'; END;
CREATE TRIGGER watch_unit_inputs_update AFTER UPDATE ON unit_inputs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'unit_inputs'; END;
CREATE TRIGGER watch_unit_inputs_delete AFTER DELETE ON unit_inputs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'unit_inputs'; END;
CREATE TRIGGER watch_units_insert AFTER INSERT ON units BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'units'; END;
CREATE TRIGGER watch_units_update AFTER UPDATE ON units BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'units'; END;
CREATE TRIGGER watch_units_delete AFTER DELETE ON units BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'units'; END;
CREATE TRIGGER watch_wilcoxon_tests_insert AFTER INSERT ON wilcoxon_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'wilcoxon_tests'; END;
CREATE TRIGGER watch_wilcoxon_tests_update AFTER UPDATE ON wilcoxon_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'wilcoxon_tests'; END;
CREATE TRIGGER watch_wilcoxon_tests_delete AFTER DELETE ON wilcoxon_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'wilcoxon_tests'; END;
CREATE INDEX ix_radiomic_features_unit_id ON radiomic_features (unit_id);
CREATE INDEX ix_retest_features_unit_id ON retest_features (unit_id);
CREATE TRIGGER watch_breast_masks_insert AFTER INSERT ON breast_masks BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'breast_masks'; END;
CREATE TRIGGER watch_breast_masks_update AFTER UPDATE ON breast_masks BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'breast_masks'; END;
CREATE TRIGGER watch_breast_masks_delete AFTER DELETE ON breast_masks BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'breast_masks'; END;
CREATE TRIGGER watch_feature_stability_insert AFTER INSERT ON feature_stability BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_stability'; END;
CREATE TRIGGER watch_feature_stability_update AFTER UPDATE ON feature_stability BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_stability'; END;
CREATE TRIGGER watch_feature_stability_delete AFTER DELETE ON feature_stability BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_stability'; END;
CREATE TRIGGER watch_prepared_images_insert AFTER INSERT ON prepared_images BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'prepared_images'; END;
CREATE TRIGGER watch_prepared_images_update AFTER UPDATE ON prepared_images BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'prepared_images'; END;
CREATE TRIGGER watch_prepared_images_delete AFTER DELETE ON prepared_images BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'prepared_images'; END;
CREATE TRIGGER watch_radiomic_features_insert AFTER INSERT ON radiomic_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'radiomic_features'; END;
CREATE TRIGGER watch_radiomic_features_update AFTER UPDATE ON radiomic_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'radiomic_features'; END;
CREATE TRIGGER watch_radiomic_features_delete AFTER DELETE ON radiomic_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'radiomic_features'; END;
CREATE TRIGGER watch_retest_features_insert AFTER INSERT ON retest_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'retest_features'; END;
CREATE TRIGGER watch_retest_features_update AFTER UPDATE ON retest_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'retest_features'; END;
CREATE TRIGGER watch_retest_features_delete AFTER DELETE ON retest_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'retest_features'; END;
CREATE TRIGGER watch_stroma_bands_insert AFTER INSERT ON stroma_bands BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'stroma_bands'; END;
CREATE TRIGGER watch_stroma_bands_update AFTER UPDATE ON stroma_bands BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'stroma_bands'; END;
CREATE TRIGGER watch_stroma_bands_delete AFTER DELETE ON stroma_bands BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'stroma_bands'; END;
CREATE TRIGGER watch_tumor_masks_insert AFTER INSERT ON tumor_masks BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tumor_masks'; END;
CREATE TRIGGER watch_tumor_masks_update AFTER UPDATE ON tumor_masks BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tumor_masks'; END;
CREATE TRIGGER watch_tumor_masks_delete AFTER DELETE ON tumor_masks BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'tumor_masks'; END;
CREATE INDEX ix_feature_sets_patient_id ON feature_sets (patient_id);
CREATE INDEX ix_feature_tests_feature ON feature_tests (feature);
CREATE INDEX ix_imported_features_patient_id ON imported_features (patient_id);
CREATE INDEX ix_signature_scores_patient_id ON signature_scores (patient_id);
CREATE TRIGGER watch_calibration_groups_insert AFTER INSERT ON calibration_groups BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'calibration_groups'; END;
CREATE TRIGGER watch_calibration_groups_update AFTER UPDATE ON calibration_groups BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'calibration_groups'; END;
CREATE TRIGGER watch_calibration_groups_delete AFTER DELETE ON calibration_groups BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'calibration_groups'; END;
CREATE TRIGGER watch_concordances_insert AFTER INSERT ON concordances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'concordances'; END;
CREATE TRIGGER watch_concordances_update AFTER UPDATE ON concordances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'concordances'; END;
CREATE TRIGGER watch_concordances_delete AFTER DELETE ON concordances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'concordances'; END;
CREATE TRIGGER watch_feature_sets_insert AFTER INSERT ON feature_sets BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_sets'; END;
CREATE TRIGGER watch_feature_sets_update AFTER UPDATE ON feature_sets BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_sets'; END;
CREATE TRIGGER watch_feature_sets_delete AFTER DELETE ON feature_sets BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_sets'; END;
CREATE TRIGGER watch_feature_settings_insert AFTER INSERT ON feature_settings BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_settings'; END;
CREATE TRIGGER watch_feature_settings_update AFTER UPDATE ON feature_settings BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_settings'; END;
CREATE TRIGGER watch_feature_settings_delete AFTER DELETE ON feature_settings BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_settings'; END;
CREATE TRIGGER watch_feature_tests_insert AFTER INSERT ON feature_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_tests'; END;
CREATE TRIGGER watch_feature_tests_update AFTER UPDATE ON feature_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_tests'; END;
CREATE TRIGGER watch_feature_tests_delete AFTER DELETE ON feature_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'feature_tests'; END;
CREATE TRIGGER watch_imported_features_insert AFTER INSERT ON imported_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imported_features'; END;
CREATE TRIGGER watch_imported_features_update AFTER UPDATE ON imported_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imported_features'; END;
CREATE TRIGGER watch_imported_features_delete AFTER DELETE ON imported_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imported_features'; END;
CREATE TRIGGER watch_likelihood_ratio_tests_insert AFTER INSERT ON likelihood_ratio_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'likelihood_ratio_tests'; END;
CREATE TRIGGER watch_likelihood_ratio_tests_update AFTER UPDATE ON likelihood_ratio_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'likelihood_ratio_tests'; END;
CREATE TRIGGER watch_likelihood_ratio_tests_delete AFTER DELETE ON likelihood_ratio_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'likelihood_ratio_tests'; END;
CREATE TRIGGER watch_search_generations_insert AFTER INSERT ON search_generations BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'search_generations'; END;
CREATE TRIGGER watch_search_generations_update AFTER UPDATE ON search_generations BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'search_generations'; END;
CREATE TRIGGER watch_search_generations_delete AFTER DELETE ON search_generations BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'search_generations'; END;
CREATE TRIGGER watch_selected_features_insert AFTER INSERT ON selected_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'selected_features'; END;
CREATE TRIGGER watch_selected_features_update AFTER UPDATE ON selected_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'selected_features'; END;
CREATE TRIGGER watch_selected_features_delete AFTER DELETE ON selected_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'selected_features'; END;
CREATE TRIGGER watch_signature_models_insert AFTER INSERT ON signature_models BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_models'; END;
CREATE TRIGGER watch_signature_models_update AFTER UPDATE ON signature_models BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_models'; END;
CREATE TRIGGER watch_signature_models_delete AFTER DELETE ON signature_models BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_models'; END;
CREATE TRIGGER watch_signature_scores_insert AFTER INSERT ON signature_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_scores'; END;
CREATE TRIGGER watch_signature_scores_update AFTER UPDATE ON signature_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_scores'; END;
CREATE TRIGGER watch_signature_scores_delete AFTER DELETE ON signature_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_scores'; END;
CREATE TRIGGER watch_km_points_insert AFTER INSERT ON km_points BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'km_points'; END;
CREATE TRIGGER watch_km_points_update AFTER UPDATE ON km_points BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'km_points'; END;
CREATE TRIGGER watch_km_points_delete AFTER DELETE ON km_points BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'km_points'; END;
CREATE TRIGGER watch_logrank_tests_insert AFTER INSERT ON logrank_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'logrank_tests'; END;
CREATE TRIGGER watch_logrank_tests_update AFTER UPDATE ON logrank_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'logrank_tests'; END;
CREATE TRIGGER watch_logrank_tests_delete AFTER DELETE ON logrank_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'logrank_tests'; END;
CREATE TRIGGER watch_cox_terms_insert AFTER INSERT ON cox_terms BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cox_terms'; END;
CREATE TRIGGER watch_cox_terms_update AFTER UPDATE ON cox_terms BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cox_terms'; END;
CREATE TRIGGER watch_cox_terms_delete AFTER DELETE ON cox_terms BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cox_terms'; END;
CREATE INDEX ix_units_damage ON units (damage) WHERE damage IS NOT NULL;
CREATE TRIGGER watch_specs_insert AFTER INSERT ON specs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'specs'; END;
CREATE TRIGGER watch_specs_update AFTER UPDATE ON specs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'specs'; END;
CREATE TRIGGER watch_specs_delete AFTER DELETE ON specs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'specs'; END;
CREATE INDEX ix_cause_sets_cause_id ON cause_sets (cause_id);
CREATE INDEX ix_causes_kind ON causes (kind);
CREATE INDEX ix_causes_run_id ON causes (run_id);
CREATE INDEX ix_retirements_run_id ON retirements (run_id);
CREATE INDEX ix_retirements_unit_id ON retirements (unit_id);
CREATE TRIGGER watch_causes_insert AFTER INSERT ON causes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'causes'; END;
CREATE TRIGGER watch_causes_update AFTER UPDATE ON causes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'causes'; END;
CREATE TRIGGER watch_causes_delete AFTER DELETE ON causes BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'causes'; END;
CREATE TRIGGER watch_cause_sets_insert AFTER INSERT ON cause_sets BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cause_sets'; END;
CREATE TRIGGER watch_cause_sets_update AFTER UPDATE ON cause_sets BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cause_sets'; END;
CREATE TRIGGER watch_cause_sets_delete AFTER DELETE ON cause_sets BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cause_sets'; END;
CREATE TRIGGER watch_retirements_insert AFTER INSERT ON retirements BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'retirements'; END;
CREATE TRIGGER watch_retirements_update AFTER UPDATE ON retirements BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'retirements'; END;
CREATE TRIGGER watch_retirements_delete AFTER DELETE ON retirements BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'retirements'; END;
CREATE TRIGGER watch_run_costs_insert AFTER INSERT ON run_costs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'run_costs'; END;
CREATE TRIGGER watch_run_costs_update AFTER UPDATE ON run_costs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'run_costs'; END;
CREATE TRIGGER watch_run_costs_delete AFTER DELETE ON run_costs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'run_costs'; END;
CREATE TRIGGER watch_guest_tables_insert AFTER INSERT ON guest_tables BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'guest_tables'; END;
CREATE TRIGGER watch_guest_tables_update AFTER UPDATE ON guest_tables BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'guest_tables'; END;
CREATE TRIGGER watch_guest_tables_delete AFTER DELETE ON guest_tables BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'guest_tables'; END;
CREATE TRIGGER watch_guest_analyses_insert AFTER INSERT ON guest_analyses BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'guest_analyses'; END;
CREATE TRIGGER watch_guest_analyses_update AFTER UPDATE ON guest_analyses BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'guest_analyses'; END;
CREATE TRIGGER watch_guest_analyses_delete AFTER DELETE ON guest_analyses BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'guest_analyses'; END;
CREATE INDEX ix_dce_slices_study_uid ON dce_slices (study_uid);
CREATE INDEX ix_imaging_instances_path ON imaging_instances (path);
CREATE INDEX ix_imaging_instances_series_uid ON imaging_instances (series_uid);
CREATE INDEX ix_imaging_instances_study ON imaging_instances (study_uid);
CREATE TRIGGER watch_imaging_instances_insert AFTER INSERT ON imaging_instances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_instances'; END;
CREATE TRIGGER watch_imaging_instances_update AFTER UPDATE ON imaging_instances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_instances'; END;
CREATE TRIGGER watch_imaging_instances_delete AFTER DELETE ON imaging_instances BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'imaging_instances'; END;
CREATE TRIGGER watch_dce_slices_insert AFTER INSERT ON dce_slices BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'dce_slices'; END;
CREATE TRIGGER watch_dce_slices_update AFTER UPDATE ON dce_slices BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'dce_slices'; END;
CREATE TRIGGER watch_dce_slices_delete AFTER DELETE ON dce_slices BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'dce_slices'; END;
CREATE TRIGGER watch_lesion_features_insert AFTER INSERT ON lesion_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesion_features'; END;
CREATE TRIGGER watch_lesion_features_update AFTER UPDATE ON lesion_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesion_features'; END;
CREATE TRIGGER watch_lesion_features_delete AFTER DELETE ON lesion_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesion_features'; END;
CREATE TRIGGER watch_lesions_insert AFTER INSERT ON lesions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesions'; END;
CREATE TRIGGER watch_lesions_update AFTER UPDATE ON lesions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesions'; END;
CREATE TRIGGER watch_lesions_delete AFTER DELETE ON lesions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesions'; END;
CREATE TRIGGER watch_phase_motions_insert AFTER INSERT ON phase_motions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'phase_motions'; END;
CREATE TRIGGER watch_phase_motions_update AFTER UPDATE ON phase_motions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'phase_motions'; END;
CREATE TRIGGER watch_phase_motions_delete AFTER DELETE ON phase_motions BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'phase_motions'; END;
CREATE TRIGGER watch_kinetics_insert AFTER INSERT ON kinetics BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'kinetics'; END;
CREATE TRIGGER watch_kinetics_update AFTER UPDATE ON kinetics BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'kinetics'; END;
CREATE TRIGGER watch_kinetics_delete AFTER DELETE ON kinetics BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'kinetics'; END;
CREATE INDEX ix_map_features_unit_id ON map_features (unit_id);
CREATE TRIGGER watch_map_features_insert AFTER INSERT ON map_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'map_features'; END;
CREATE TRIGGER watch_map_features_update AFTER UPDATE ON map_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'map_features'; END;
CREATE TRIGGER watch_map_features_delete AFTER DELETE ON map_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'map_features'; END;
CREATE TRIGGER watch_kinetic_maps_insert AFTER INSERT ON kinetic_maps BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'kinetic_maps'; END;
CREATE TRIGGER watch_kinetic_maps_update AFTER UPDATE ON kinetic_maps BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'kinetic_maps'; END;
CREATE TRIGGER watch_kinetic_maps_delete AFTER DELETE ON kinetic_maps BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'kinetic_maps'; END;
CREATE TRIGGER watch_lesion_bands_insert AFTER INSERT ON lesion_bands BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesion_bands'; END;
CREATE TRIGGER watch_lesion_bands_update AFTER UPDATE ON lesion_bands BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesion_bands'; END;
CREATE TRIGGER watch_lesion_bands_delete AFTER DELETE ON lesion_bands BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesion_bands'; END;
CREATE TRIGGER watch_lesion_verdicts_insert AFTER INSERT ON lesion_verdicts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesion_verdicts'; END;
CREATE TRIGGER watch_lesion_verdicts_update AFTER UPDATE ON lesion_verdicts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesion_verdicts'; END;
CREATE TRIGGER watch_lesion_verdicts_delete AFTER DELETE ON lesion_verdicts BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'lesion_verdicts'; END;
CREATE TRIGGER watch_signature_fold_scores_insert AFTER INSERT ON signature_fold_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_fold_scores'; END;
CREATE TRIGGER watch_signature_fold_scores_update AFTER UPDATE ON signature_fold_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_fold_scores'; END;
CREATE TRIGGER watch_signature_fold_scores_delete AFTER DELETE ON signature_fold_scores BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_fold_scores'; END;
CREATE TRIGGER watch_survival_quantiles_insert AFTER INSERT ON survival_quantiles BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'survival_quantiles'; END;
CREATE TRIGGER watch_survival_quantiles_update AFTER UPDATE ON survival_quantiles BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'survival_quantiles'; END;
CREATE TRIGGER watch_survival_quantiles_delete AFTER DELETE ON survival_quantiles BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'survival_quantiles'; END;
CREATE TRIGGER watch_schoenfeld_residuals_insert AFTER INSERT ON schoenfeld_residuals BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'schoenfeld_residuals'; END;
CREATE TRIGGER watch_schoenfeld_residuals_update AFTER UPDATE ON schoenfeld_residuals BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'schoenfeld_residuals'; END;
CREATE TRIGGER watch_schoenfeld_residuals_delete AFTER DELETE ON schoenfeld_residuals BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'schoenfeld_residuals'; END;
CREATE TRIGGER watch_cumulative_incidences_insert AFTER INSERT ON cumulative_incidences BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cumulative_incidences'; END;
CREATE TRIGGER watch_cumulative_incidences_update AFTER UPDATE ON cumulative_incidences BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cumulative_incidences'; END;
CREATE TRIGGER watch_cumulative_incidences_delete AFTER DELETE ON cumulative_incidences BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'cumulative_incidences'; END;
CREATE TRIGGER watch_gray_tests_insert AFTER INSERT ON gray_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'gray_tests'; END;
CREATE TRIGGER watch_gray_tests_update AFTER UPDATE ON gray_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'gray_tests'; END;
CREATE TRIGGER watch_gray_tests_delete AFTER DELETE ON gray_tests BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'gray_tests'; END;
CREATE TRIGGER watch_signature_labels_insert AFTER INSERT ON signature_labels BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_labels'; END;
CREATE TRIGGER watch_signature_labels_update AFTER UPDATE ON signature_labels BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_labels'; END;
CREATE TRIGGER watch_signature_labels_delete AFTER DELETE ON signature_labels BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'signature_labels'; END;
CREATE INDEX ix_control_features_unit_id ON control_features (unit_id);
CREATE TRIGGER watch_control_features_insert AFTER INSERT ON control_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'control_features'; END;
CREATE TRIGGER watch_control_features_update AFTER UPDATE ON control_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'control_features'; END;
CREATE TRIGGER watch_control_features_delete AFTER DELETE ON control_features BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'control_features'; END;
CREATE TRIGGER watch_ladder_rungs_insert AFTER INSERT ON ladder_rungs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'ladder_rungs'; END;
CREATE TRIGGER watch_ladder_rungs_update AFTER UPDATE ON ladder_rungs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'ladder_rungs'; END;
CREATE TRIGGER watch_ladder_rungs_delete AFTER DELETE ON ladder_rungs BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'ladder_rungs'; END;
CREATE TRIGGER watch_written_files_insert AFTER INSERT ON written_files BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'written_files'; END;
CREATE TRIGGER watch_written_files_update AFTER UPDATE ON written_files BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'written_files'; END;
CREATE TRIGGER watch_written_files_delete AFTER DELETE ON written_files BEGIN UPDATE table_versions SET version = random() WHERE table_name = 'written_files'; END;
INSERT INTO table_versions (table_name, version) VALUES ('annotations', random());
INSERT INTO table_versions (table_name, version) VALUES ('attempts', random());
INSERT INTO table_versions (table_name, version) VALUES ('breast_masks', random());
INSERT INTO table_versions (table_name, version) VALUES ('calibration_groups', random());
INSERT INTO table_versions (table_name, version) VALUES ('cause_sets', random());
INSERT INTO table_versions (table_name, version) VALUES ('causes', random());
INSERT INTO table_versions (table_name, version) VALUES ('cell_abundances', random());
INSERT INTO table_versions (table_name, version) VALUES ('change_log', random());
INSERT INTO table_versions (table_name, version) VALUES ('clinical_values', random());
INSERT INTO table_versions (table_name, version) VALUES ('cohort_exclusions', random());
INSERT INTO table_versions (table_name, version) VALUES ('cohort_flow', random());
INSERT INTO table_versions (table_name, version) VALUES ('cohort_members', random());
INSERT INTO table_versions (table_name, version) VALUES ('cohort_versions', random());
INSERT INTO table_versions (table_name, version) VALUES ('cohorts', random());
INSERT INTO table_versions (table_name, version) VALUES ('concordances', random());
INSERT INTO table_versions (table_name, version) VALUES ('conflicts', random());
INSERT INTO table_versions (table_name, version) VALUES ('control_features', random());
INSERT INTO table_versions (table_name, version) VALUES ('cox_terms', random());
INSERT INTO table_versions (table_name, version) VALUES ('cumulative_incidences', random());
INSERT INTO table_versions (table_name, version) VALUES ('cutoffs', random());
INSERT INTO table_versions (table_name, version) VALUES ('dce_phases', random());
INSERT INTO table_versions (table_name, version) VALUES ('dce_sets', random());
INSERT INTO table_versions (table_name, version) VALUES ('dce_slices', random());
INSERT INTO table_versions (table_name, version) VALUES ('expression_parts', random());
INSERT INTO table_versions (table_name, version) VALUES ('expression_profiles', random());
INSERT INTO table_versions (table_name, version) VALUES ('feature_sets', random());
INSERT INTO table_versions (table_name, version) VALUES ('feature_settings', random());
INSERT INTO table_versions (table_name, version) VALUES ('feature_stability', random());
INSERT INTO table_versions (table_name, version) VALUES ('feature_tests', random());
INSERT INTO table_versions (table_name, version) VALUES ('follow_ups', random());
INSERT INTO table_versions (table_name, version) VALUES ('gene_filters', random());
INSERT INTO table_versions (table_name, version) VALUES ('genes', random());
INSERT INTO table_versions (table_name, version) VALUES ('gray_tests', random());
INSERT INTO table_versions (table_name, version) VALUES ('guest_analyses', random());
INSERT INTO table_versions (table_name, version) VALUES ('guest_tables', random());
INSERT INTO table_versions (table_name, version) VALUES ('imaging_decisions', random());
INSERT INTO table_versions (table_name, version) VALUES ('imaging_instances', random());
INSERT INTO table_versions (table_name, version) VALUES ('imaging_series', random());
INSERT INTO table_versions (table_name, version) VALUES ('imaging_studies', random());
INSERT INTO table_versions (table_name, version) VALUES ('imported_features', random());
INSERT INTO table_versions (table_name, version) VALUES ('ingest_issues', random());
INSERT INTO table_versions (table_name, version) VALUES ('ingest_runs', random());
INSERT INTO table_versions (table_name, version) VALUES ('kinetic_maps', random());
INSERT INTO table_versions (table_name, version) VALUES ('kinetics', random());
INSERT INTO table_versions (table_name, version) VALUES ('km_points', random());
INSERT INTO table_versions (table_name, version) VALUES ('ladder_rungs', random());
INSERT INTO table_versions (table_name, version) VALUES ('lesion_bands', random());
INSERT INTO table_versions (table_name, version) VALUES ('lesion_features', random());
INSERT INTO table_versions (table_name, version) VALUES ('lesion_verdicts', random());
INSERT INTO table_versions (table_name, version) VALUES ('lesions', random());
INSERT INTO table_versions (table_name, version) VALUES ('likelihood_ratio_tests', random());
INSERT INTO table_versions (table_name, version) VALUES ('logrank_tests', random());
INSERT INTO table_versions (table_name, version) VALUES ('map_features', random());
INSERT INTO table_versions (table_name, version) VALUES ('marker_genes', random());
INSERT INTO table_versions (table_name, version) VALUES ('masks', random());
INSERT INTO table_versions (table_name, version) VALUES ('model_performance', random());
INSERT INTO table_versions (table_name, version) VALUES ('model_terms', random());
INSERT INTO table_versions (table_name, version) VALUES ('network_edges', random());
INSERT INTO table_versions (table_name, version) VALUES ('network_parameters', random());
INSERT INTO table_versions (table_name, version) VALUES ('out_of_fold_scores', random());
INSERT INTO table_versions (table_name, version) VALUES ('patients', random());
INSERT INTO table_versions (table_name, version) VALUES ('phase_motions', random());
INSERT INTO table_versions (table_name, version) VALUES ('prepared_images', random());
INSERT INTO table_versions (table_name, version) VALUES ('qc_verdicts', random());
INSERT INTO table_versions (table_name, version) VALUES ('radiomic_features', random());
INSERT INTO table_versions (table_name, version) VALUES ('result_changes', random());
INSERT INTO table_versions (table_name, version) VALUES ('retest_features', random());
INSERT INTO table_versions (table_name, version) VALUES ('retirements', random());
INSERT INTO table_versions (table_name, version) VALUES ('roc_points', random());
INSERT INTO table_versions (table_name, version) VALUES ('run_costs', random());
INSERT INTO table_versions (table_name, version) VALUES ('runs', random());
INSERT INTO table_versions (table_name, version) VALUES ('samples', random());
INSERT INTO table_versions (table_name, version) VALUES ('schoenfeld_residuals', random());
INSERT INTO table_versions (table_name, version) VALUES ('search_generations', random());
INSERT INTO table_versions (table_name, version) VALUES ('segmentations', random());
INSERT INTO table_versions (table_name, version) VALUES ('selected_features', random());
INSERT INTO table_versions (table_name, version) VALUES ('series_hints', random());
INSERT INTO table_versions (table_name, version) VALUES ('series_roles', random());
INSERT INTO table_versions (table_name, version) VALUES ('signature_fold_scores', random());
INSERT INTO table_versions (table_name, version) VALUES ('signature_labels', random());
INSERT INTO table_versions (table_name, version) VALUES ('signature_models', random());
INSERT INTO table_versions (table_name, version) VALUES ('signature_scores', random());
INSERT INTO table_versions (table_name, version) VALUES ('source_files', random());
INSERT INTO table_versions (table_name, version) VALUES ('source_records', random());
INSERT INTO table_versions (table_name, version) VALUES ('source_releases', random());
INSERT INTO table_versions (table_name, version) VALUES ('specs', random());
INSERT INTO table_versions (table_name, version) VALUES ('stroma_bands', random());
INSERT INTO table_versions (table_name, version) VALUES ('survival_groups', random());
INSERT INTO table_versions (table_name, version) VALUES ('survival_quantiles', random());
INSERT INTO table_versions (table_name, version) VALUES ('tombstones', random());
INSERT INTO table_versions (table_name, version) VALUES ('tsh_ratios', random());
INSERT INTO table_versions (table_name, version) VALUES ('tsh_scores', random());
INSERT INTO table_versions (table_name, version) VALUES ('tumor_abundances', random());
INSERT INTO table_versions (table_name, version) VALUES ('tumor_masks', random());
INSERT INTO table_versions (table_name, version) VALUES ('unit_inputs', random());
INSERT INTO table_versions (table_name, version) VALUES ('units', random());
INSERT INTO table_versions (table_name, version) VALUES ('wilcoxon_tests', random());
INSERT INTO table_versions (table_name, version) VALUES ('written_files', random());
