-- The paper's prognostic validation cohort of ISPY1 (n = 180). Images are those of the first examination (T0).

-- include: patients of ISPY1 with MR images
SELECT patient_id FROM imaging_studies WHERE collection = 'ispy1' AND time_point IS NOT NULL;

-- exclude: dynamic series not complete
SELECT patient_id FROM patients WHERE patient_id NOT IN (
    SELECT i.patient_id FROM imaging_studies i JOIN dce_sets d USING (study_uid)
    WHERE i.time_point = 'T0' AND d.status = 'found' AND d.n_phases >= 3)
OR patient_id IN (
    SELECT i.patient_id FROM imaging_studies i JOIN qc_verdicts q USING (study_uid)
    WHERE i.time_point = 'T0' AND q.cause = 'incomplete');

-- exclude: the tumour cannot be told from its surroundings
SELECT i.patient_id FROM imaging_studies i JOIN qc_verdicts q USING (study_uid)
WHERE i.time_point = 'T0' AND q.verdict = 'fail' AND q.cause = 'no_tumor';

-- exclude: poor image quality
SELECT i.patient_id FROM imaging_studies i JOIN qc_verdicts q USING (study_uid)
WHERE i.time_point = 'T0' AND q.verdict = 'fail' AND coalesce(q.cause, 'other') IN ('poor_quality', 'other');
