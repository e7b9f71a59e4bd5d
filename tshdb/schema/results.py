"""What analyses make. Every row carries the unit that made it."""

from sqlalchemy import Index

from tshdb.schema.base import Base, Labelled, LabelledCircular, UnitPayload, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import Compartment, Endpoint, ExpressionUnit, Prognosis


class MarkerGene(UnitPayload, Base):
    """One row is one marker gene of one cell population in a signature that the study uses."""

    __tablename__ = "marker_genes"
    signature: Mapped[str] = mapped_column(primary_key=True, doc="the table's name, such as mcp_counter")
    population: Mapped[str] = mapped_column(primary_key=True)
    marker: Mapped[str] = mapped_column(primary_key=True, doc="HUGO symbol or probe set")
    entrez: Mapped[str | None]
    ensembl: Mapped[str | None]
    position: Mapped[int] = mapped_column(doc="order in the table")


class GeneFilter(UnitPayload, Base):
    """One row is one gene that the gene filter drops, fitted on one frozen cohort version."""

    __tablename__ = "gene_filters"
    gene_id: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[str] = mapped_column(doc="cohort@version it was fitted on", info={"fingerprint": False})
    absent_fraction: Mapped[float] = mapped_column(
        doc="fraction of profiles with zero or no value", info={"fingerprint": False, "digits": 12}
    )
    n_profiles: Mapped[int] = mapped_column(doc="profiles it was fitted on", info={"fingerprint": False})


class CellAbundance(UnitPayload, Base):
    """One row is the abundance of one cell population in one expression profile (mean log2 of its marker genes)."""

    __tablename__ = "cell_abundances"
    profile_id: Mapped[str]
    population: Mapped[str] = mapped_column(primary_key=True)
    abundance: Mapped[float | None] = mapped_column(
        doc="mean log2 expression; none when no marker was measured", info={"digits": 14}
    )
    n_markers_found: Mapped[int] = mapped_column(doc="markers that the profile has and the gene filter keeps")
    n_markers_measured: Mapped[int] = mapped_column(doc="markers found that have a value")
    n_markers_total: Mapped[int]
    reason: Mapped[str | None] = mapped_column(doc="why the abundance is missing, or doubtful (low coverage)")
    unit: Mapped[ExpressionUnit] = mapped_column(closed(ExpressionUnit), doc="what the expression values count")
    transform: Mapped[str] = mapped_column(
        doc="log2(x + 1), log2(CPM + 1) of counts, or none for values on a log2 scale already"
    )
    signature: Mapped[str] = mapped_column(doc="the marker table")
    gene_filter: Mapped[str] = mapped_column(doc="the gene filter's cohort, or unfiltered", info={"fingerprint": False})

    __table_args__ = (Index("ix_cell_abundances_profile_id", "profile_id"),)


class TshRatio(UnitPayload, Base):
    """One row is the tumour-stroma heterogeneity of one population in one patient: (A_tumor - A_stroma) / A_stroma."""

    __tablename__ = "tsh_ratios"
    patient_id: Mapped[str]
    population: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[ExpressionUnit] = mapped_column(closed(ExpressionUnit), primary_key=True)
    transform: Mapped[str]
    tumor_abundance: Mapped[float | None] = mapped_column(info={"digits": 14})
    stroma_abundance: Mapped[float | None] = mapped_column(
        doc="of the patient's solid tissue normal (code 11)", info={"digits": 14}
    )
    value: Mapped[float | None] = mapped_column(doc="no unit: 0 is equal abundance", info={"digits": 14})
    biomarker: Mapped[str] = mapped_column(doc="ratio, difference or log2_ratio")
    reason: Mapped[str | None] = mapped_column(doc="why the value is missing")

    __table_args__ = (Index("ix_tsh_ratios_patient_id", "patient_id"),)


class CoxTerm(Labelled, UnitPayload, Base):
    """One row is one term of one Cox model, in one cohort."""

    __tablename__ = "cox_terms"
    model: Mapped[str] = mapped_column(
        primary_key=True,
        doc="univariable, tumor, stroma: one model a population; group, continuous, multivariable, compartments: one model",
    )
    term: Mapped[str] = mapped_column(primary_key=True, doc="the covariate, such as a cell population")
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), primary_key=True)
    cohort: Mapped[str] = mapped_column(doc="cohort@version, or the name of a live cohort", info={"fingerprint": False})
    time_origin: Mapped[str | None] = mapped_column(doc="what day 0 is", info={"fingerprint": False})
    unit: Mapped[ExpressionUnit | None] = mapped_column(closed(ExpressionUnit), doc="what the expression values count")
    transform: Mapped[str | None]
    position: Mapped[int] = mapped_column(doc="order in the table")
    coefficient: Mapped[float | None] = mapped_column(doc="log hazard ratio per unit of the term", info={"digits": 12})
    standard_error: Mapped[float | None] = mapped_column(info={"digits": 12})
    hazard_ratio: Mapped[float | None] = mapped_column(info={"digits": 12})
    ci_lower: Mapped[float | None] = mapped_column(doc="95 % interval of the hazard ratio", info={"digits": 12})
    ci_upper: Mapped[float | None] = mapped_column(info={"digits": 12})
    wald: Mapped[float | None] = mapped_column(
        doc="(coefficient / standard_error)^2; none where the likelihood is penalised", info={"digits": 12}
    )
    p_value: Mapped[float | None] = mapped_column(
        doc="of the Wald test; penalised: of the likelihood ratio; imputed: of t", info={"digits": 12}
    )
    p_adjusted: Mapped[float | None] = mapped_column(doc="Benjamini-Hochberg over the table", info={"digits": 12})
    n: Mapped[int] = mapped_column(doc="patients in the model")
    n_events: Mapped[int]
    n_left_out: Mapped[int] = mapped_column(doc="members who are not in the model")
    left_out: Mapped[str | None] = mapped_column(doc="who they are, in words: how many for want of what")
    events_per_term: Mapped[float | None] = mapped_column(doc="n_events by the model's terms", info={"digits": 12})
    censored_at_days: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(doc="why the term was refused, or a warning")
    ph_p_value: Mapped[float | None] = mapped_column(
        doc="of the score test of proportional hazards (as cox.zph of R's survival since 3.0, transform km)",
        info={"digits": 10},
    )
    ph_global_p_value: Mapped[float | None] = mapped_column(
        doc="of that test of all terms of the model together", info={"digits": 10}
    )
    imputed: Mapped[str | None] = mapped_column(
        doc="covariates that were imputed, each with the number of patients of whom it is not known"
    )
    n_complete: Mapped[int | None] = mapped_column(
        doc="of n, those of whom every covariate is known; none where complete cases were asked for"
    )
    n_imputations: Mapped[int | None] = mapped_column(
        doc="completed data sets that the estimate is pooled over (Rubin); 0 where nothing was imputed though it was asked for"
    )
    degrees: Mapped[float | None] = mapped_column(
        doc="of freedom of t, for interval and p (Barnard and Rubin); none where they are by the normal distribution",
        info={"digits": 12},
    )
    missing_information: Mapped[float | None] = mapped_column(
        doc="fraction of the information on the coefficient that is missing with the covariates", info={"digits": 12}
    )


class TumorAbundance(UnitPayload, Base):
    """One row is the abundance of one population in the tumour of one patient, whether there is a stroma sample or not."""

    __tablename__ = "tumor_abundances"
    patient_id: Mapped[str] = mapped_column(index=True)
    population: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[ExpressionUnit] = mapped_column(closed(ExpressionUnit), primary_key=True)
    transform: Mapped[str]
    abundance: Mapped[float | None] = mapped_column(info={"digits": 14})
    reason: Mapped[str | None] = mapped_column(doc="why the abundance is missing, or doubtful")


class Cutoff(UnitPayload, Base):
    """One row is the cut-off of the TSH biomarker that one frozen cohort version gave."""

    __tablename__ = "cutoffs"
    population: Mapped[str] = mapped_column(primary_key=True, doc="the cell population whose ratio is cut")
    biomarker: Mapped[str] = mapped_column(doc="ratio, difference or log2_ratio")
    unit: Mapped[ExpressionUnit] = mapped_column(closed(ExpressionUnit), doc="what the expression values count")
    transform: Mapped[str]
    method: Mapped[str] = mapped_column(doc="fixed, median, quantile or maxstat")
    value: Mapped[float] = mapped_column(doc="the smallest value of the upper group; no unit", info={"digits": 14})
    higher_is: Mapped[str] = mapped_column(doc="what the upper group foretells: good or poor")
    cohort: Mapped[str] = mapped_column(doc="cohort@version it was fitted on", info={"fingerprint": False})
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), info={"fingerprint": False})
    n: Mapped[int] = mapped_column(info={"fingerprint": False})
    n_events: Mapped[int] = mapped_column(info={"fingerprint": False})
    n_high: Mapped[int] = mapped_column(doc="patients at or above the cut-off", info={"fingerprint": False})
    n_high_events: Mapped[int] = mapped_column(info={"fingerprint": False})
    chi2: Mapped[float | None] = mapped_column(
        doc="log-rank test of the two groups on the same patients", info={"fingerprint": False, "digits": 12}
    )
    p_naive: Mapped[float | None] = mapped_column(
        doc="its p value: optimistic unless the cut-off was fixed", info={"fingerprint": False, "digits": 12}
    )
    p_permutation: Mapped[float | None] = mapped_column(
        doc="maxstat: p value by permutation of the outcomes", info={"fingerprint": False, "digits": 12}
    )
    n_permutations: Mapped[int | None] = mapped_column(info={"fingerprint": False})
    ci_lower: Mapped[float | None] = mapped_column(
        doc="95 % bootstrap interval of the cut-off", info={"fingerprint": False, "digits": 12}
    )
    ci_upper: Mapped[float | None] = mapped_column(info={"fingerprint": False, "digits": 12})
    n_bootstrap: Mapped[int | None] = mapped_column(info={"fingerprint": False})


class SurvivalGroup(UnitPayload, Base):
    """One row is the prognosis of one patient by the cut-off of the development cohort."""

    __tablename__ = "survival_groups"
    patient_id: Mapped[str] = mapped_column(index=True)
    population: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[ExpressionUnit] = mapped_column(closed(ExpressionUnit), primary_key=True)
    value: Mapped[float | None] = mapped_column(doc="the TSH ratio", info={"digits": 14})
    cutoff: Mapped[float] = mapped_column(info={"digits": 14})
    prognosis: Mapped[Prognosis | None] = mapped_column(closed(Prognosis), doc="good or poor")
    reason: Mapped[str | None] = mapped_column(doc="why there is no prognosis")


class KmPoint(UnitPayload, Base):
    """One row is one time of one Kaplan-Meier curve: one group of one cohort, from day 0."""

    __tablename__ = "km_points"
    grouping: Mapped[str] = mapped_column(
        primary_key=True, doc="tsh_ratio, tsh_score or signature: what makes the groups"
    )
    prognosis: Mapped[Prognosis] = mapped_column(closed(Prognosis), primary_key=True)
    time_days: Mapped[float] = mapped_column(primary_key=True)
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), primary_key=True)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    n_at_risk: Mapped[int] = mapped_column(doc="patients whose duration is at least time_days")
    n_events: Mapped[int]
    n_censored: Mapped[int]
    survival: Mapped[float] = mapped_column(info={"digits": 12})
    ci_lower: Mapped[float | None] = mapped_column(doc="95 % log(-log) interval", info={"digits": 12})
    ci_upper: Mapped[float | None] = mapped_column(info={"digits": 12})


class LogrankTest(Labelled, UnitPayload, Base):
    """One row is the log-rank test of good against poor prognosis in one cohort."""

    __tablename__ = "logrank_tests"
    grouping: Mapped[str] = mapped_column(
        primary_key=True, doc="tsh_ratio, tsh_score or signature: what makes the groups"
    )
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), primary_key=True)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    time_origin: Mapped[str | None] = mapped_column(doc="what day 0 is", info={"fingerprint": False})
    n_good: Mapped[int]
    n_good_events: Mapped[int]
    n_poor: Mapped[int]
    n_poor_events: Mapped[int]
    median_good_days: Mapped[float | None] = mapped_column(
        doc="as R's survfit prints it; none where survival stays above one half"
    )
    median_good_lower: Mapped[float | None] = mapped_column(doc="95 % interval, of the log(-log) limits of the curve")
    median_good_upper: Mapped[float | None] = mapped_column(doc="none where the limit stays above one half")
    median_poor_days: Mapped[float | None]
    median_poor_lower: Mapped[float | None]
    median_poor_upper: Mapped[float | None]
    mean_until_days: Mapped[float | None] = mapped_column(
        doc="the last day that somebody of either group was observed on"
    )
    mean_good_days: Mapped[float | None] = mapped_column(
        doc="restricted mean up to mean_until_days", info={"digits": 12}
    )
    mean_poor_days: Mapped[float | None] = mapped_column(info={"digits": 12})
    mean_difference_days: Mapped[float | None] = mapped_column(doc="good less poor", info={"digits": 12})
    mean_difference_lower: Mapped[float | None] = mapped_column(doc="95 % interval (Greenwood)", info={"digits": 12})
    mean_difference_upper: Mapped[float | None] = mapped_column(info={"digits": 12})
    chi2: Mapped[float | None] = mapped_column(info={"digits": 12})
    p_value: Mapped[float | None] = mapped_column(info={"digits": 12})
    censored_at_days: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(doc="why there is no test")


class WilcoxonTest(LabelledCircular, UnitPayload, Base):
    """One row is the comparison of one population's abundance in tumour and stroma, in one group of a cohort."""

    __tablename__ = "wilcoxon_tests"
    grouping: Mapped[str] = mapped_column(primary_key=True, doc="all, good or poor")
    population: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    unit: Mapped[ExpressionUnit] = mapped_column(closed(ExpressionUnit))
    transform: Mapped[str]
    n: Mapped[int] = mapped_column(doc="patients with both abundances")
    tumor_mean: Mapped[float | None] = mapped_column(info={"digits": 12})
    tumor_sd: Mapped[float | None] = mapped_column(info={"digits": 12})
    stroma_mean: Mapped[float | None] = mapped_column(info={"digits": 12})
    stroma_sd: Mapped[float | None] = mapped_column(info={"digits": 12})
    statistic: Mapped[float | None] = mapped_column(
        doc="sum of the ranks of the patients with more in the tumour (V of R)", info={"digits": 12}
    )
    p_value: Mapped[float | None] = mapped_column(doc="Wilcoxon signed-rank, two-sided", info={"digits": 12})
    p_adjusted: Mapped[float | None] = mapped_column(doc="Benjamini-Hochberg over the group", info={"digits": 12})
    is_exact: Mapped[bool] = mapped_column(
        doc="exact (fewer than 50 patients, no ties, no zeros), else normal with continuity correction"
    )
    correlation: Mapped[float | None] = mapped_column(doc="Pearson, tumour with stroma", info={"digits": 12})
    correlation_p_value: Mapped[float | None] = mapped_column(info={"digits": 12})
    correlation_p_adjusted: Mapped[float | None] = mapped_column(info={"digits": 12})
    reason: Mapped[str | None] = mapped_column(doc="why there is no test")


class NetworkEdge(UnitPayload, Base):
    """One row is one pair of populations whose abundances correlate above the threshold: an edge of a cell network."""

    __tablename__ = "network_edges"
    prognosis: Mapped[Prognosis] = mapped_column(closed(Prognosis), primary_key=True, doc="the group of patients")
    compartment: Mapped[Compartment] = mapped_column(closed(Compartment), primary_key=True, doc="tumor or stroma")
    population: Mapped[str] = mapped_column(primary_key=True)
    other_population: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    correlation: Mapped[float] = mapped_column(info={"digits": 12})
    n: Mapped[int] = mapped_column(doc="patients in the group")


class NetworkParameter(LabelledCircular, UnitPayload, Base):
    """One row is one topological parameter of one cell network, and whether it differs between the groups."""

    __tablename__ = "network_parameters"
    prognosis: Mapped[Prognosis] = mapped_column(closed(Prognosis), primary_key=True)
    compartment: Mapped[Compartment] = mapped_column(closed(Compartment), primary_key=True)
    parameter: Mapped[str] = mapped_column(primary_key=True, doc="NetworkAnalyzer's, such as density or diameter")
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    value: Mapped[float | None] = mapped_column(info={"digits": 12})
    p_value: Mapped[float | None] = mapped_column(
        doc="good against poor, by permutation of the patients' groups", info={"digits": 12}
    )
    p_adjusted: Mapped[float | None] = mapped_column(
        doc="Benjamini-Hochberg over the parameters of both compartments", info={"digits": 12}
    )
    n_permutations: Mapped[int]
    n: Mapped[int] = mapped_column(doc="patients in the group")
    is_in_paper: Mapped[bool] = mapped_column(doc="whether the paper names the parameter")


class ModelTerm(UnitPayload, Base):
    """One row is one term of the TSH model: a chosen feature, or the intercept (or why there is no model)."""

    __tablename__ = "model_terms"
    term: Mapped[str] = mapped_column(primary_key=True, doc="a cell population, or (intercept)")
    position: Mapped[int]
    coefficient: Mapped[float | None] = mapped_column(doc="log odds of a good prognosis per SD", info={"digits": 14})
    center: Mapped[float | None] = mapped_column(doc="mean on the training set", info={"digits": 14})
    scale: Mapped[float | None] = mapped_column(doc="standard deviation on the training set", info={"digits": 14})
    cohort: Mapped[str] = mapped_column(doc="cohort@version it was trained on", info={"fingerprint": False})
    unit: Mapped[ExpressionUnit | None] = mapped_column(closed(ExpressionUnit))
    transform: Mapped[str | None]
    threshold: Mapped[float] = mapped_column(doc="a score of at least this foretells a good prognosis")
    n: Mapped[int] = mapped_column(info={"fingerprint": False})
    n_good: Mapped[int] = mapped_column(info={"fingerprint": False})
    reason: Mapped[str | None] = mapped_column(doc="why there is no model")


class OutOfFoldScore(UnitPayload, Base):
    """One row is the score of one training patient by models that had not seen the patient (repeated nested CV)."""

    __tablename__ = "out_of_fold_scores"
    patient_id: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    score: Mapped[float] = mapped_column(doc="mean over the repeats", info={"digits": 12})
    is_good: Mapped[bool] = mapped_column(doc="the label: good prognosis by the TSH ratio")
    n_repeats: Mapped[int]
    features: Mapped[str] = mapped_column(
        doc="JSON: how often each feature was chosen in the folds that scored the patient"
    )


class ModelPerformance(UnitPayload, Base):
    """One row is one measure of a model's performance, with how it was measured."""

    __tablename__ = "model_performance"
    model: Mapped[str] = mapped_column(
        doc="tsh_model or signature_model", info={"fingerprint": False}, server_default="tsh_model"
    )
    scheme: Mapped[str] = mapped_column(
        primary_key=True,
        doc="nested: features and model chosen inside the outer folds; search: what the search optimised; refolded: its features "
        "on other folds; in-sample. All but nested are optimistic",
    )
    measure: Mapped[str] = mapped_column(primary_key=True, doc="auc, sensitivity, specificity, brier, …")
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    value: Mapped[float | None] = mapped_column(info={"digits": 12})
    ci_lower: Mapped[float | None] = mapped_column(doc="95 % bootstrap interval over patients", info={"digits": 12})
    ci_upper: Mapped[float | None] = mapped_column(info={"digits": 12})
    delong_lower: Mapped[float | None] = mapped_column(doc="of an AUC: 95 % interval of DeLong", info={"digits": 12})
    delong_upper: Mapped[float | None] = mapped_column(info={"digits": 12})
    reason: Mapped[str | None] = mapped_column(doc="why there is no value, or no interval of DeLong")
    n: Mapped[int]
    is_optimistic: Mapped[bool] = mapped_column(doc="measured on the patients that the model was made from")


class RocPoint(UnitPayload, Base):
    """One row is one point of the ROC curve of a model, by scores of patients that the model had not seen."""

    __tablename__ = "roc_points"
    model: Mapped[str] = mapped_column(
        doc="tsh_model or signature_model", info={"fingerprint": False}, server_default="tsh_model"
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    score: Mapped[float | None] = mapped_column(doc="at least this; none at the origin", info={"digits": 12})
    sensitivity: Mapped[float] = mapped_column(info={"digits": 12})
    specificity: Mapped[float] = mapped_column(info={"digits": 12})


class TshScore(UnitPayload, Base):
    """One row is the TSH score of one patient: the probability of a good prognosis by the tumour's abundances alone."""

    __tablename__ = "tsh_scores"
    patient_id: Mapped[str] = mapped_column(index=True)
    unit: Mapped[ExpressionUnit] = mapped_column(closed(ExpressionUnit), primary_key=True)
    score: Mapped[float | None] = mapped_column(info={"digits": 12})
    prognosis: Mapped[Prognosis | None] = mapped_column(closed(Prognosis), doc="good from the model's threshold on")
    threshold: Mapped[float]
    reason: Mapped[str | None] = mapped_column(doc="why there is no score")
