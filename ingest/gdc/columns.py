"""The GDC's fields under all the names that its exports and its API have given them, and its words for a missing value.

Sources: GDC Data Portal release notes 2.4.0 and 2.6.0 (clinical tables got dotted names, sample sheets other columns),
API release notes 8.3.0 and 8.5.0 (fields moved or renamed). Columns are found by name; unknown ones pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

FIELDS: dict[str, tuple[str, ...]] = {
    "patient_id": ("case_submitter_id", "cases.submitter_id", "submitter_id"),  # the last in 2018
    "project": ("project_id", "project.project_id", "cases.project.project_id", "Project ID"),
    "vital_status": ("vital_status", "demographic.vital_status"),
    "days_to_death": ("days_to_death", "demographic.days_to_death"),
    "days_to_last_follow_up": ("days_to_last_follow_up", "diagnoses.days_to_last_follow_up"),
    "days_to_follow_up": ("follow_ups.days_to_follow_up", "days_to_follow_up"),
    "age_at_index": ("age_at_index", "demographic.age_at_index"),
    "gender": ("gender", "sex_at_birth", "demographic.gender", "demographic.sex_at_birth"),
    "race": ("race", "demographic.race"),
    "ethnicity": ("ethnicity", "demographic.ethnicity"),
    "age_at_diagnosis": ("age_at_diagnosis", "diagnoses.age_at_diagnosis"),
    "ajcc_pathologic_t": ("ajcc_pathologic_t", "diagnoses.ajcc_pathologic_t"),
    "ajcc_pathologic_n": ("ajcc_pathologic_n", "diagnoses.ajcc_pathologic_n"),
    "ajcc_pathologic_m": ("ajcc_pathologic_m", "diagnoses.ajcc_pathologic_m"),
    "ajcc_pathologic_stage": ("ajcc_pathologic_stage", "diagnoses.ajcc_pathologic_stage"),
    "morphology": ("morphology", "diagnoses.morphology"),
    "primary_diagnosis": ("primary_diagnosis", "diagnoses.primary_diagnosis"),
    "laterality": ("laterality", "diagnoses.laterality"),
    "diagnosis_id": ("diagnosis_id", "diagnoses.diagnosis_id"),
    "days_to_diagnosis": ("days_to_diagnosis", "diagnoses.days_to_diagnosis"),
    "classification_of_tumor": ("classification_of_tumor", "diagnoses.classification_of_tumor"),
    "diagnosis_is_primary_disease": ("diagnosis_is_primary_disease", "diagnoses.diagnosis_is_primary_disease"),
    "gene_symbol": ("gene_symbol", "molecular_tests.gene_symbol", "follow_ups.molecular_tests.gene_symbol"),
    "test_result": ("test_result", "molecular_tests.test_result", "follow_ups.molecular_tests.test_result"),
    "laboratory_test": (
        "laboratory_test", "molecular_tests.laboratory_test", "follow_ups.molecular_tests.laboratory_test",
    ),
    "analysis_method": (
        "molecular_analysis_method", "molecular_tests.molecular_analysis_method",
        "follow_ups.molecular_tests.molecular_analysis_method",
    ),
    "menopause_status": (
        "menopause_status", "follow_ups.menopause_status", "other_clinical_attributes.menopause_status",
        "follow_ups.other_clinical_attributes.menopause_status",
    ),
    "relative_with_cancer_history": (
        "relative_with_cancer_history", "family_histories.relative_with_cancer_history",
    ),
    "file_id": ("File ID", "file_id", "id"),
    "file_name": ("File Name", "file_name", "filename"),
    "case": ("Case ID", "cases.submitter_id", "case_submitter_id"),
    "sample": ("Sample ID", "samples.submitter_id", "sample_submitter_id"),
    "sample_type": ("Sample Type", "sample_type"),
    "tissue_type": ("Tissue Type", "tissue_type"),
    "preservation_method": ("Preservation Method", "preservation_method"),
}  # fmt: skip

EMPTY = "empty in the source"
REASONS = {
    "'--": EMPTY,
    "--": EMPTY,
    "": EMPTY,
    "not reported": "not reported",
    "unknown": "unknown",
    "not allowed to collect": "not allowed to collect",
    "not applicable": "not applicable",
    "not available": "not available",
    "not evaluated": "not evaluated",
    "discrepancy": "discrepancy",
    "completed": "completed",
}


NOTHING = tuple(word for word, reason in REASONS.items() if reason == EMPTY)


@lru_cache(maxsize=1 << 16)
def missing_reason(text: str | None) -> str | None:
    """How the file says that a value is missing, or None for a value. The Biotab writes [Not Available] and the like."""
    if text is None:
        return EMPTY
    lower = text.strip().lower()
    if lower.startswith("[") and lower.endswith("]"):
        lower = lower[1:-1].strip()
        return REASONS.get(lower, lower or EMPTY)
    return REASONS.get(lower)


def positions(header: Sequence[str], wanted: Iterable[str]) -> dict[str, int]:
    """field -> column, of those fields that the header has under any of their names."""
    at = {name.strip(): i for i, name in reversed(list(enumerate(header)))}
    at = {name.removeprefix("cases."): i for name, i in at.items()} | at
    place_of_field = {}
    for field in wanted:
        here = next((name for name in FIELDS[field] if name in at), None)
        if here is not None:
            place_of_field[field] = at[here]
    return place_of_field
