-- The paper's radiogenomic development cohort: women of TCGA-BRCA with images and RNA of the tumour (n = 91).
-- Images are those of the first examination (T0).
-- disjoint from: tumor_stroma_development
-- disjoint from: tumor_stroma_validation

-- include: patients of TCGA-BRCA with MR images
SELECT patient_id FROM imaging_studies WHERE collection = 'tcga-brca' AND time_point IS NOT NULL;

-- exclude: no RNA of the tumour
SELECT patient_id FROM patients WHERE patient_id NOT IN (
    SELECT s.patient_id FROM samples s JOIN expression_profiles e USING (sample_id)
    WHERE s.compartment = 'tumor' AND e.is_selected);

-- exclude: imaging data not complete
SELECT patient_id FROM patients WHERE patient_id NOT IN (
    SELECT i.patient_id FROM imaging_studies i JOIN dce_sets d USING (study_uid)
    WHERE i.time_point = 'T0' AND d.status = 'found' AND d.n_phases >= 3)
OR patient_id IN (
    SELECT i.patient_id FROM imaging_studies i JOIN qc_verdicts q USING (study_uid)
    WHERE i.time_point = 'T0' AND q.verdict = 'fail');

-- exclude: in the tumour-stroma development cohort
SELECT patient_id FROM cohort_members WHERE cohort = 'tumor_stroma_development';

-- exclude: not female, or the sex is not known
SELECT patient_id FROM patients WHERE coalesce(sex, '') <> 'female';

-- exclude: excluded by a notice of the archive (consent withdrawn, duplicate, do not use)
SELECT patient_id FROM annotations
WHERE effect = 'exclude' AND (entity_type = 'case' OR entity_id = patient_id);
