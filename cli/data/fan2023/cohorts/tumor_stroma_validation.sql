-- Women with tumour RNA and a known outcome who are not in the development cohort: nobody is in both.
-- The paper's tumour-stroma validation cohort (n = 886) also leaves out its 91 patients with images.
SELECT p.patient_id
FROM patients p
WHERE p.sex = 'female'
  AND EXISTS (
      SELECT 1
      FROM expression_profiles t
      JOIN samples a ON a.sample_id = t.sample_id AND a.compartment = 'tumor'
      WHERE a.patient_id = p.patient_id AND t.is_selected)
  AND NOT EXISTS (
      SELECT 1 FROM samples b WHERE b.patient_id = p.patient_id AND b.compartment = 'stroma')
  AND NOT EXISTS (
      SELECT 1 FROM cohort_members m
      WHERE m.patient_id = p.patient_id AND m.cohort = 'tumor_stroma_development')
  AND EXISTS (
      SELECT 1 FROM follow_ups f
      WHERE f.patient_id = p.patient_id AND f.endpoint = 'OS' AND f.event IS NOT NULL AND f.duration_days IS NOT NULL)
  AND NOT EXISTS (
      SELECT 1 FROM annotations n
      WHERE n.patient_id = p.patient_id AND n.effect = 'exclude' AND (n.entity_type = 'case' OR n.entity_id = p.patient_id))
