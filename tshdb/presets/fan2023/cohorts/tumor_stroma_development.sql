-- The paper's tumour-stroma development cohort: women with RNA of the tumour and of the surrounding tissue (n = 112).
-- disjoint from: tumor_stroma_validation

-- include: patients with RNA
SELECT s.patient_id FROM samples s JOIN expression_profiles e USING (sample_id);

-- exclude: no RNA of the solid tissue normal
SELECT patient_id FROM patients WHERE patient_id NOT IN (
    SELECT s.patient_id FROM samples s JOIN expression_profiles e USING (sample_id)
    WHERE s.compartment = 'stroma' AND e.is_selected);

-- exclude: no RNA of the tumour, measured as that of the normal
SELECT patient_id FROM patients WHERE patient_id NOT IN (
    SELECT a.patient_id
    FROM samples a
    JOIN expression_profiles t ON t.sample_id = a.sample_id AND t.is_selected
    JOIN samples b ON b.patient_id = a.patient_id AND b.compartment = 'stroma'
    JOIN expression_profiles s ON s.sample_id = b.sample_id AND s.is_selected AND s.unit = t.unit
    WHERE a.compartment = 'tumor');

-- exclude: not female, or the sex is not known
SELECT patient_id FROM patients WHERE coalesce(sex, '') <> 'female';

-- exclude: no survival data
SELECT patient_id FROM patients WHERE patient_id NOT IN (
    SELECT patient_id FROM follow_ups WHERE endpoint = 'OS' AND event IS NOT NULL AND duration_days IS NOT NULL);

-- exclude: excluded by a notice of the archive (consent withdrawn, duplicate, do not use)
SELECT patient_id FROM annotations
WHERE effect = 'exclude' AND (entity_type = 'case' OR entity_id = patient_id);
