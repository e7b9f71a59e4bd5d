-- Women with RNA of the tumour and of the solid tissue normal, and with a known outcome.
-- Whom a notice of the archive excludes as a whole (consent withdrawn, duplicate, do not use) is left out.
-- The paper's tumour-stroma development cohort (n = 112).
SELECT p.patient_id
FROM patients p
WHERE p.sex = 'female'
  AND EXISTS (
      SELECT 1
      FROM expression_profiles t
      JOIN samples a ON a.sample_id = t.sample_id AND a.compartment = 'tumor'
      JOIN samples b ON b.patient_id = a.patient_id AND b.compartment = 'stroma'
      JOIN expression_profiles s ON s.sample_id = b.sample_id AND s.unit = t.unit
      WHERE a.patient_id = p.patient_id AND t.is_selected AND s.is_selected)
  AND EXISTS (
      SELECT 1 FROM follow_ups f
      WHERE f.patient_id = p.patient_id AND f.endpoint = 'OS' AND f.event IS NOT NULL AND f.duration_days IS NOT NULL)
  AND NOT EXISTS (
      SELECT 1 FROM annotations n
      WHERE n.patient_id = p.patient_id AND n.effect = 'exclude' AND (n.entity_type = 'case' OR n.entity_id = p.patient_id))
