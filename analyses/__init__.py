"""The paper's analyses, in its order: pure functions of frames and arrays, each with its record.

Fan et al. 2023, J Transl Med 21, doi:10.1186/s12967-023-04748-6.
"""

from analyses.abundance_cox import abundance_cox
from analyses.breast_masks import breast_masks
from analyses.calibration_groups import calibration_groups
from analyses.cell_abundances import cell_abundances
from analyses.compartment_tests import compartment_tests
from analyses.concordances import concordances
from analyses.cutoff import cutoff
from analyses.dce_phases import dce_phases
from analyses.dce_sets import dce_sets
from analyses.dce_slices import dce_slices
from analyses.feature_sets import feature_sets
from analyses.feature_stability import feature_stability
from analyses.feature_tests import feature_tests
from analyses.gene_filter import gene_filter
from analyses.km_curves import km_curves
from analyses.likelihood_ratio_tests import likelihood_ratio_tests
from analyses.logrank_tests import logrank_tests
from analyses.masks import masks
from analyses.model_performance import model_performance
from analyses.network_edges import network_edges
from analyses.network_parameters import network_parameters
from analyses.prepared_images import prepared_images
from analyses.radiomic_features import radiomic_features
from analyses.retest_features import retest_features
from analyses.roc_points import roc_points
from analyses.selected_features import selected_features
from analyses.series_roles import series_roles
from analyses.signature_cox import signature_cox
from analyses.signature_cross_validation import signature_cross_validation
from analyses.signature_curves import signature_curves
from analyses.signature_labels import signature_labels
from analyses.signature_logrank import signature_logrank
from analyses.signature_model import signature_model
from analyses.signature_performance import signature_performance
from analyses.signature_roc import signature_roc
from analyses.signature_scores import signature_scores
from analyses.signature_search import signature_search
from analyses.stroma_bands import stroma_bands
from analyses.survival_groups import survival_groups
from analyses.tsh_cox import tsh_cox
from analyses.tsh_cross_validation import tsh_cross_validation
from analyses.tsh_model import tsh_model
from analyses.tsh_ratios import tsh_ratios
from analyses.tsh_scores import tsh_scores
from analyses.tumor_abundances import tumor_abundances
from analyses.tumor_masks import tumor_masks
from analyses.univariable_cox import univariable_cox

ANALYSES = (
    gene_filter,
    cell_abundances,
    tumor_abundances,
    tsh_ratios,
    abundance_cox,
    univariable_cox,
    cutoff,
    survival_groups,
    tsh_model,
    tsh_scores,
    km_curves,
    logrank_tests,
    tsh_cox,
    compartment_tests,
    network_edges,
    network_parameters,
    tsh_cross_validation,
    model_performance,
    roc_points,
    series_roles,
    dce_sets,
    dce_slices,
    dce_phases,
    masks,
    prepared_images,
    breast_masks,
    tumor_masks,
    stroma_bands,
    radiomic_features,
    retest_features,
    feature_stability,
    feature_sets,
    signature_labels,
    signature_search,
    signature_model,
    signature_cross_validation,
    selected_features,
    signature_performance,
    signature_roc,
    signature_scores,
    signature_curves,
    signature_logrank,
    signature_cox,
    likelihood_ratio_tests,
    concordances,
    calibration_groups,
    feature_tests,
)
