"""The paper's analyses, in its order: pure functions of frames and arrays, each with its record.

Fan et al. 2023, J Transl Med 21, doi:10.1186/s12967-023-04748-6.
"""

from analyses.expression.cell_abundances import cell_abundances
from analyses.expression.compartment_tests import compartment_tests
from analyses.expression.gene_filter import gene_filter
from analyses.expression.tsh_ratios import tsh_ratios
from analyses.expression.tumor_abundances import tumor_abundances
from analyses.imaging.breast_masks import breast_masks
from analyses.imaging.control_features import control_features
from analyses.imaging.dce_phases import dce_phases
from analyses.imaging.dce_sets import dce_sets
from analyses.imaging.dce_slices import dce_slices
from analyses.imaging.feature_stability import feature_stability
from analyses.imaging.kinetic_maps import kinetic_maps
from analyses.imaging.kinetics import kinetics
from analyses.imaging.lesion_bands import lesion_bands
from analyses.imaging.lesion_features import lesion_features
from analyses.imaging.lesions import lesions
from analyses.imaging.map_features import map_features
from analyses.imaging.masks import masks
from analyses.imaging.phase_motions import phase_motions
from analyses.imaging.prepared_images import prepared_images
from analyses.imaging.radiomic_features import radiomic_features
from analyses.imaging.retest_features import retest_features
from analyses.imaging.series_roles import series_roles
from analyses.imaging.stroma_bands import stroma_bands
from analyses.imaging.tumor_masks import tumor_masks
from analyses.networks.network_edges import network_edges
from analyses.networks.network_parameters import network_parameters
from analyses.prognosis.abundance_cox import abundance_cox
from analyses.prognosis.cumulative_incidences import cumulative_incidences
from analyses.prognosis.cutoff import cutoff
from analyses.prognosis.gray_tests import gray_tests
from analyses.prognosis.km_curves import km_curves
from analyses.prognosis.logrank_tests import logrank_tests
from analyses.prognosis.ph_residuals import ph_residuals
from analyses.prognosis.survival_groups import survival_groups
from analyses.prognosis.survival_quantiles import survival_quantiles
from analyses.prognosis.tsh_cox import tsh_cox
from analyses.prognosis.univariable_cox import univariable_cox
from analyses.signature.calibration_groups import calibration_groups
from analyses.signature.concordances import concordances
from analyses.signature.feature_sets import feature_sets
from analyses.signature.feature_tests import feature_tests
from analyses.signature.likelihood_ratio_tests import likelihood_ratio_tests
from analyses.signature.selected_features import selected_features
from analyses.signature.signature_cox import signature_cox
from analyses.signature.signature_cross_validation import signature_cross_validation
from analyses.signature.signature_curves import signature_curves
from analyses.signature.signature_gray import signature_gray
from analyses.signature.signature_incidences import signature_incidences
from analyses.signature.signature_labels import signature_labels
from analyses.signature.signature_ladder import signature_ladder
from analyses.signature.signature_logrank import signature_logrank
from analyses.signature.signature_model import signature_model
from analyses.signature.signature_performance import signature_performance
from analyses.signature.signature_quantiles import signature_quantiles
from analyses.signature.signature_residuals import signature_residuals
from analyses.signature.signature_roc import signature_roc
from analyses.signature.signature_scores import signature_scores
from analyses.signature.signature_search import signature_search
from analyses.tsh_model.model_performance import model_performance
from analyses.tsh_model.roc_points import roc_points
from analyses.tsh_model.tsh_cross_validation import tsh_cross_validation
from analyses.tsh_model.tsh_model import tsh_model
from analyses.tsh_model.tsh_scores import tsh_scores

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
    survival_quantiles,
    tsh_cox,
    ph_residuals,
    cumulative_incidences,
    gray_tests,
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
    phase_motions,
    breast_masks,
    lesions,
    tumor_masks,
    stroma_bands,
    kinetics,
    kinetic_maps,
    radiomic_features,
    map_features,
    lesion_bands,
    lesion_features,
    retest_features,
    feature_stability,
    control_features,
    feature_sets,
    signature_labels,
    signature_search,
    signature_model,
    signature_cross_validation,
    selected_features,
    signature_performance,
    signature_roc,
    signature_ladder,
    signature_scores,
    signature_curves,
    signature_logrank,
    signature_quantiles,
    signature_cox,
    signature_residuals,
    signature_incidences,
    signature_gray,
    likelihood_ratio_tests,
    concordances,
    calibration_groups,
    feature_tests,
)
