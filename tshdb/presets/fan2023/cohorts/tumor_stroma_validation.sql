-- The paper's tumour-stroma validation cohort: women with RNA of the tumour alone (n = 886).
-- disjoint from: tumor_stroma_development
-- disjoint from: radiogenomic_development

-- include: patients with RNA
SELECT s.patient_id FROM samples s JOIN expression_profiles e USING (sample_id);

-- exclude: in the tumour-stroma development cohort
SELECT patient_id FROM cohort_members WHERE cohort = 'tumor_stroma_development';

-- exclude: in the radiogenomic development cohort
SELECT patient_id FROM cohort_members WHERE cohort = 'radiogenomic_development';

-- exclude: no RNA of the tumour
SELECT patient_id FROM patients WHERE patient_id NOT IN (
    SELECT s.patient_id FROM samples s JOIN expression_profiles e USING (sample_id)
    WHERE s.compartment = 'tumor' AND e.is_selected);

-- exclude: RNA of the solid tissue normal too: for the development cohort
SELECT patient_id FROM samples WHERE compartment = 'stroma';

-- exclude: not female, or the sex is not known
SELECT patient_id FROM patients WHERE coalesce(sex, '') <> 'female';

-- exclude: no survival data
SELECT patient_id FROM patients WHERE patient_id NOT IN (
    SELECT patient_id FROM follow_ups WHERE endpoint = 'OS' AND event IS NOT NULL AND duration_days IS NOT NULL);

-- exclude: excluded by a notice of the archive (consent withdrawn, duplicate, do not use)
SELECT patient_id FROM annotations
WHERE effect = 'exclude' AND (entity_type = 'case' OR entity_id = patient_id);
