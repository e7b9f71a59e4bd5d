"""What every fit of the signature reads: labels, feature sets, and features computed or imported, of the cohort's members."""

from tshdb.engine.analysis import Need
from tshdb.engine.relations import EXAMINATIONS_OF_PATIENT, IMPORTED_OF_PATIENT, REGION_MAPS_OF_PATIENT, SAME_PATIENT
from tshdb.schema import FeatureSet, ImportedFeature, RadiomicFeature, SignatureLabel

TRAINING = {
    "labels": Need(SignatureLabel, SAME_PATIENT),
    "sets": Need(FeatureSet, EXAMINATIONS_OF_PATIENT),
    "computed": Need(RadiomicFeature, REGION_MAPS_OF_PATIENT),
    "imported": Need(ImportedFeature, IMPORTED_OF_PATIENT),
}
LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy")
SOURCE = "doi:10.1186/s12967-023-04748-6, Statistical analysis; Imaging cellular tumor-stroma heterogeneity; A16, A17"
