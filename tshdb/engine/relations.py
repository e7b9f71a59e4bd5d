"""How entities relate, as SELECTs over ingested tables: (key, input key). Runs unchanged on SQLite and PostgreSQL."""

from tshdb.engine.analysis import Relation

SAME_PROFILE = Relation("same profile", per="profile")
SAME_STUDY = Relation("same imaging study", per="imaging_study")
REGION_MAPS = ("tumor|shape", "tumor|S0", "tumor|SI", "tumor|SL", "stroma|S0", "stroma|SI", "stroma|SL")
STUDY_OF_REGION_MAP = Relation(
    "imaging study of a region and map",
    "region_map",
    " UNION ALL ".join(
        f"SELECT study_uid || '|{part}' AS region_map, study_uid FROM imaging_studies" for part in REGION_MAPS
    ),
)
REGION_MAPS_OF_PATIENT = Relation(
    "regions and maps of a patient's first examination",
    "patient",
    " UNION ALL ".join(
        f"SELECT patient_id, study_uid || '|{part}' AS region_map FROM imaging_studies WHERE time_point = 'T0'"
        for part in REGION_MAPS
    ),
)
STUDY_OF_PATIENT = Relation(
    "imaging study of a patient's first examination",
    "patient",
    "SELECT patient_id, study_uid FROM imaging_studies WHERE time_point = 'T0'",
)
# an examination is a DICOM study, or a row of an imported table of features
SAME_EXAMINATION = Relation("same examination", per="examination")
REGION_MAPS_OF_EXAMINATION = Relation(
    "regions and maps of an examination",
    "examination",
    " UNION ALL ".join(
        f"SELECT study_uid AS examination, study_uid || '|{part}' AS region_map FROM imaging_studies"
        for part in REGION_MAPS
    ),
)
EXAMINATIONS_OF_PATIENT = Relation(
    "first examinations of a patient",
    "patient",
    "SELECT patient_id, study_uid AS examination FROM imaging_studies WHERE time_point = 'T0' "
    "UNION ALL SELECT patient_id, examination FROM imported_features WHERE time_point = 'T0'",
)
IMPORTED_OF_PATIENT = Relation(
    "imported features of a patient's first examination",
    "patient",
    "SELECT patient_id, examination FROM imported_features WHERE time_point = 'T0'",
)
SAME_PATIENT = Relation("same patient", per="patient")

_PAIRED = """
SELECT s.patient_id, p.profile_id
FROM expression_profiles p JOIN samples s ON s.sample_id = p.sample_id
WHERE p.is_selected AND s.compartment = '{here}' AND EXISTS (
    SELECT 1 FROM samples t JOIN expression_profiles q ON q.sample_id = t.sample_id
    WHERE t.patient_id = s.patient_id AND t.compartment = '{there}' AND q.is_selected AND q.unit = p.unit)
"""
TUMOR_OF_PAIR = Relation(
    "tumour profile of a patient with both", "patient", _PAIRED.format(here="tumor", there="stroma")
)
STROMA_OF_PAIR = Relation(
    "stroma profile of a patient with both", "patient", _PAIRED.format(here="stroma", there="tumor")
)

PROFILES_OF_PATIENT = Relation(
    "selected tumour and stroma profiles of a patient",
    "patient",
    """
SELECT s.patient_id, p.profile_id
FROM expression_profiles p JOIN samples s ON s.sample_id = p.sample_id
WHERE p.is_selected AND s.compartment IN ('tumor', 'stroma')
""",
)

TUMOR_OF_PATIENT = Relation(
    "selected tumour profile of a patient",
    "patient",
    """
SELECT s.patient_id, p.profile_id
FROM expression_profiles p JOIN samples s ON s.sample_id = p.sample_id
WHERE p.is_selected AND s.compartment = 'tumor'
""",
)
