"""What each analysis of the paper's way does, in a sentence. Names in braces are its parameters: {name}, {name:%}, {name:years}.

Only what a result rests on is told; what has no sentence here (an analysis of another package) is told by its own description.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tshdb.methods import references as r

Told = str | Callable[[Mapping[str, Any]], str]


class Text(NamedTuple):
    """A sentence, or a function of the parameters that gives it, and the works that it cites."""

    told: Told
    cites: tuple[str, ...] = ()


EXPRESSION, SURVIVAL, NETWORKS = "Cell populations", "Survival", "Cell networks"
MODEL, IMAGING, SIGNATURE = "The TSH model", "Images and features", "The radiogenomic signature"
FOLLOW_UP = "follow-up ended at {censor_at_days:years}"


def _cutoff(p: Mapping[str, Any]) -> str:
    how = {
        "fixed": "the fixed value {value}",
        "maxstat": "the value with the largest log-rank statistic that leaves at least {min_group:%} on each side, with a p "
        "value of {n_permutations} permutations",
        "median": "the median of the cohort",
        "quantile": "the quantile {quantile} of the cohort",
    }[p["method"]]
    divided = f"Patients were divided by the relative difference of {{population}} at {how}"
    return f"{divided}; the {{higher_is}} prognosis lies above it."


def _missing(p: Mapping[str, Any]) -> str:
    models = "Cox models of the biomarker, alone and beside {covariates}, were of {endpoint}, with at least {min_events} events"
    if p["missing"] == "impute":
        return f"{models}; missing covariates were imputed {{n_imputations}} times, and the estimates pooled."
    return f"{models}; patients who lack a covariate were left out of the models that have it."


def _missing_signature(p: Mapping[str, Any]) -> str:
    return _missing({**p}).replace("the biomarker", "the signature score").replace("{endpoint}", "{endpoints}")


TEXTS: dict[str, dict[str, Text]] = {
    EXPRESSION: {
        "gene_filter": Text(
            "Genes that were zero or missing in {absent_fraction:%} or more of the cohort's profiles were left out.",
            (r.FAN,),
        ),
        "cell_abundances": Text(
            "The abundance of a cell population in a profile is the mean log2 expression of its marker genes ({markers}), where "
            "at least {min_coverage:%} of them were measured.",
            (r.BECHT,),
        ),
        "tsh_ratios": Text(
            lambda p: (
                "Tumour-stroma heterogeneity of a patient is "
                + (
                    "(tumour - stroma) / stroma of these abundances; it is missing where the stroma's is below {min_denominator}."
                    if p["biomarker"] == "ratio"
                    else "the {biomarker} of these abundances in tumour and stroma."
                )
            ),
            (r.FAN,),
        ),
        "compartment_tests": Text(
            "Tumour and stroma of the same patients were compared by Wilcoxon's signed-rank test, where at least {min_patients} "
            "had both."
        ),
    },
    SURVIVAL: {
        "univariable_cox": Text(
            "A Cox model of {endpoint} was fitted for each population's relative difference, where there were at least "
            f"{{min_events}} events; {FOLLOW_UP}.",
            (r.FAN,),
        ),
        "abundance_cox": Text(
            "A Cox model of {endpoint} was fitted for each abundance in the tumour and in the stroma alone, with at least "
            "{min_events} events."
        ),
        "cutoff": Text(_cutoff, (r.FAN,)),
        "km_curves": Text(
            f"Survival ({{endpoint}}) of the groups was estimated by Kaplan and Meier's method; {FOLLOW_UP}."
        ),
        "logrank_tests": Text(
            "Groups were compared by the log-rank test, where there were at least {min_events} events."
        ),
        "survival_quantiles": Text("Quantiles of survival have intervals by Brookmeyer and Crowley.", (r.QUANTILES,)),
        "tsh_cox": Text(_missing),
        "ph_residuals": Text("Proportional hazards were tested by scaled Schoenfeld residuals.", (r.PH,)),
        "cumulative_incidences": Text(
            "Where other events compete, incidences were estimated by Aalen and Johansen.", ("aj",)
        ),
        "gray_tests": Text("Incidences of the groups were compared by Gray's test.", (r.GRAY,)),
    },
    NETWORKS: {
        "network_edges": Text(
            "In each group and compartment two populations were joined where Pearson's r of their abundances was "
            "beyond {threshold} ({sign}), with at least {min_patients} patients.",
            (r.FAN,),
        ),
        "network_parameters": Text(
            "Parameters of these networks (of the {scope} component) were compared between the groups by {n_permutations} "
            "permutations of the patients."
        ),
    },
    MODEL: {
        "tsh_model": Text(
            "A logistic model foretells the prognosis from abundances in the tumour alone: at most {max_features} populations, "
            "added while {inner_folds}-fold cross-validation gained at least {least_gain}, inverse penalty {inverse_penalty}; "
            "classes are divided at {threshold}.",
            (r.FAN,),
        ),
        "tsh_cross_validation": Text(
            "It was validated by nested cross-validation: {outer_folds} outer folds, {inner_folds} inner folds for the choice of "
            "populations, {repeats} repeats."
        ),
        "model_performance": Text(
            "Its measures have intervals by {n_bootstrap} bootstrap samples, and of the AUC by DeLong's method.",
            (r.DELONG,),
        ),
    },
    IMAGING: {
        "prepared_images": Text(
            "Images were brought to voxels of {in_plane_mm} x {in_plane_mm} x {across_mm} mm ({interpolator})."
        ),
        "tumor_masks": Text(
            "Tumours were taken from outlines ({prefer}) or grown from a seed by spatial fuzzy c-means.", (r.GROWING,)
        ),
        "stroma_bands": Text("The stroma is a band of {width_mm} mm around the tumour, within the breast.", (r.FAN,)),
        "radiomic_features": Text(
            "Radiomic features follow PyRadiomics, with bins of {bin_width} and distances {distances}, of filters {filters}.",
            (r.RADIOMICS,),
        ),
        "retest_features": Text("Features were measured again on perturbed images.", (r.PERTURBED,)),
        "feature_stability": Text(
            "Their agreement is the intraclass correlation; {least_icc} and more is called stable.", (r.ICC,)
        ),
        "phase_motions": Text("Motion between phases was estimated by mutual information.", (r.MOTION,)),
        "kinetics": Text(
            "Enhancement was measured as in the volume analysis of Hylton et al., from {least_pe} % on.", (r.KINETICS,)
        ),
    },
    SIGNATURE: {
        "signature_labels": Text(
            lambda p: (
                "Patients were labelled good or poor by "
                + (
                    "the TSH score at {threshold}."
                    if p["label"] == "tsh"
                    else "{label} ({endpoint}, horizon {horizon_days:years})."
                )
            )
        ),
        "selected_features": Text(
            "Of features that correlate above {max_correlation} the one with the better {keep} was kept; classes have at least "
            "{min_per_class} patients."
        ),
        "signature_search": Text(
            "A genetic algorithm searched for the subset of features ({population} subsets, {generations} generations, crossover "
            "{crossover}, tournament {tournament}, elite {elite}) by the {metric} of {folds}-fold cross-validation of random "
            "forests of {n_trees} trees.",
            (r.FAN, r.FOREST),
        ),
        "signature_model": Text(
            "The signature is a random forest of {final_trees} trees of the chosen features.", (r.FOREST,)
        ),
        "signature_cross_validation": Text(
            "The whole way, selection and search included, was validated on patients whom it had not seen: {outer_folds} outer "
            "folds, {repeats} repeats."
        ),
        "signature_performance": Text(
            "Intervals are by {n_bootstrap} bootstrap samples and by DeLong's method.", (r.DELONG,)
        ),
        "signature_ladder": Text(
            "On the same outer folds simpler rivals were tried: tumour volume, clinical variables ({covariates}), random "
            "features, regression with an elastic net, boosted trees.",
            (r.SHUFFLED, r.NET),
        ),
        "signature_logrank": Text(
            "Groups by the signature were compared by log-rank tests of {endpoints}, with at least {min_events} events; "
            f"{FOLLOW_UP}."
        ),
        "signature_cox": Text(_missing_signature),
        "likelihood_ratio_tests": Text("Whether the score adds to {covariates} was asked by likelihood ratio tests."),
        "concordances": Text("Harrell's C has intervals by {n_bootstrap} bootstrap samples."),
        "calibration_groups": Text(
            "Calibration at {calibration_days:years} is of {calibration_parts} parts by the score."
        ),
    },
}
QUIET = {  # what makes what others tell: it needs no sentence of its own
    "tumor_abundances", "survival_groups", "roc_points", "tsh_scores", "signature_scores", "signature_curves",
    "signature_quantiles", "signature_incidences", "signature_gray", "signature_residuals", "signature_roc", "feature_tests",
    "feature_sets", "series_roles",
    "dce_sets", "dce_slices", "dce_phases", "masks", "lesions", "lesion_bands", "lesion_features", "breast_masks", "kinetic_maps",
    "map_features", "control_features",
}  # fmt: skip
ADJUSTED = {
    "univariable_cox": "the populations of Table 2", "abundance_cox": "the populations of one compartment",
    "compartment_tests": "the populations of a group", "network_parameters": "all parameters of the networks",
}  # fmt: skip
