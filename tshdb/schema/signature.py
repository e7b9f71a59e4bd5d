"""The radiogenomic signature: feature tables, labels, the search, the model, its scores, and what they foretell."""

from sqlalchemy import ForeignKey, Index

from tshdb.objects import MODEL
from tshdb.schema.base import Base, Labelled, UnitPayload, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import Endpoint, FeatureStatus, LadderVerdict, Prognosis, ScoreStatus

ASKED = "what the label is made of: a column, or an endpoint and a day; empty: the TSH score"
FORETOLD = "the class whose probability a score is, in the label's own words; empty: good"
AGAINST = "the other class; empty: poor"
OF_QUESTION = {"fingerprint": False}  # of labels: what is asked is a parameter of every fit that reads them


class ImportedFeature(Base):
    """One row is the features of one examination in a table of features that were computed elsewhere."""

    __tablename__ = "imported_features"
    examination: Mapped[str] = mapped_column(primary_key=True, doc="collection/feature_table/patient_id/time_point")
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    collection: Mapped[str]
    feature_table: Mapped[str] = mapped_column(doc="the table's name in this study")
    time_point: Mapped[str] = mapped_column(doc="T0, T1 …: T0 where the table does not say")
    software: Mapped[str] = mapped_column(doc="program and version; unknown without a file of settings")
    settings: Mapped[str] = mapped_column(doc="how features were computed, canonical JSON; unknown: TABLE without")
    normalisation: Mapped[str] = mapped_column(
        doc="how images were resampled and normalised, canonical JSON, or unknown"
    )
    phases: Mapped[str] = mapped_column(doc="which phases the maps are of, canonical JSON, or unknown")
    mask_kind: Mapped[str] = mapped_column(doc="who or what outlined the tumours, or unknown")
    batch: Mapped[str | None] = mapped_column(doc="scanner or site, where the table says")
    n_features: Mapped[int] = mapped_column(doc="with a value")
    features: Mapped[str] = mapped_column(doc="JSON: feature -> value, or null")


class FeatureSetting(UnitPayload, Base):
    """One row is one analysis on which the radiomic features rest, as study.toml has it now."""

    __tablename__ = "feature_settings"
    analysis: Mapped[str] = mapped_column(primary_key=True)
    parameters: Mapped[str] = mapped_column(doc="canonical JSON")
    libraries: Mapped[str] = mapped_column(doc="JSON: those on which its values depend")


class FeatureSet(UnitPayload, Base):
    """One row is how the features of one examination were made: what must be alike where features are compared."""

    __tablename__ = "feature_sets"
    examination: Mapped[str] = mapped_column(
        primary_key=True, doc="the study_uid; of imported features collection/feature_table/patient_id/time_point"
    )
    patient_id: Mapped[str] = mapped_column(index=True)
    collection: Mapped[str]
    source: Mapped[str] = mapped_column(doc="computed, or the name of an imported table")
    time_point: Mapped[str | None]
    software: Mapped[str] = mapped_column(doc="program and version")
    settings: Mapped[str] = mapped_column(doc="of the features, canonical JSON")
    normalisation: Mapped[str] = mapped_column(doc="of the images, canonical JSON")
    phase_rule: Mapped[str] = mapped_column(doc="how the phases of the maps were chosen")
    mask_kind: Mapped[str | None] = mapped_column(doc="who or what outlined the tumour")
    intermediate_s: Mapped[float | None] = mapped_column(doc="seconds after phase 0", info={"digits": 9})
    last_s: Mapped[float | None] = mapped_column(doc="seconds after phase 0", info={"digits": 9})
    slice_mm: Mapped[float | None] = mapped_column(
        doc="between slices as they were scanned", info={"digits": 9, "fingerprint": False}
    )
    motion_voxels: Mapped[float | None] = mapped_column(
        doc="how far the patient moved between phases, within slices, prepared voxels",
        info={"digits": 6, "fingerprint": False},
    )
    batch: Mapped[str | None] = mapped_column(doc="maker and nominal field strength, tesla: one name for one make")
    scanner: Mapped[str | None] = mapped_column(
        doc="the same in the words of the headers, or of the table", info={"fingerprint": False}
    )
    comparability: Mapped[str] = mapped_column(
        doc="digest of software, settings, normalisation and phase_rule: features compare where it is the same"
    )


class SignatureLabel(UnitPayload, Base):
    """One row is the class of one patient that the signature learns: by her TSH score, or by what study.toml names."""

    __tablename__ = "signature_labels"
    patient_id: Mapped[str] = mapped_column(primary_key=True)
    score: Mapped[float | None] = mapped_column(doc="the TSH score, of the tumour's RNA", info={"digits": 12})
    threshold: Mapped[float | None] = mapped_column(doc="of the TSH score")
    value: Mapped[str | None] = mapped_column(
        doc="of another label what was found: the value of the column, or the outcome",
        info=OF_QUESTION,
    )
    label: Mapped[str | None] = mapped_column(
        doc="the class in the label's own words; of the TSH score good from the threshold on, else poor"
    )
    asked: Mapped[str | None] = mapped_column(doc=ASKED, info=OF_QUESTION)
    foretold: Mapped[str | None] = mapped_column(doc=FORETOLD, info=OF_QUESTION)
    against: Mapped[str | None] = mapped_column(doc=AGAINST, info=OF_QUESTION)
    reason: Mapped[str | None] = mapped_column(doc="why there is no label")


class SearchGeneration(UnitPayload, Base):
    """One row is one generation of the genetic search over all development patients; or why there is no search."""

    __tablename__ = "search_generations"
    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, doc="0 is the first population")
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    best_fitness: Mapped[float | None] = mapped_column(
        doc="of the best subset so far, on the folds that the search optimises: optimistic", info={"digits": 12}
    )
    mean_fitness: Mapped[float | None] = mapped_column(doc="of the population", info={"digits": 12})
    n_best: Mapped[int] = mapped_column(doc="features of the best subset")
    mean_size: Mapped[float | None] = mapped_column(doc="features of a subset, on average", info={"digits": 12})
    n_evaluated: Mapped[int] = mapped_column(doc="subsets that were met for the first time")
    best: Mapped[str] = mapped_column(doc="JSON: the features of the best subset")
    n: Mapped[int] = mapped_column(doc="patients with a label and features")
    n_good: Mapped[int]
    n_candidates: Mapped[int] = mapped_column(doc="features that the correlation filter left")
    reason: Mapped[str | None] = mapped_column(doc="why there is no search")


class SignatureModel(UnitPayload, Base):
    """One row is one version of the signature: the fitted forest, and all that it takes to use it and to distrust it."""

    __tablename__ = "signature_models"
    cohort: Mapped[str] = mapped_column(
        primary_key=True, doc="cohort@version it was trained on", info={"fingerprint": False}
    )
    source: Mapped[str] = mapped_column(doc="the features it reads: computed, or an imported table")
    threshold: Mapped[float] = mapped_column(doc="a score of at least this foretells a good prognosis")
    asked: Mapped[str | None] = mapped_column(doc=ASKED)
    foretold: Mapped[str | None] = mapped_column(doc=FORETOLD)
    against: Mapped[str | None] = mapped_column(doc=AGAINST)
    n: Mapped[int] = mapped_column(doc="patients it was trained on")
    n_good: Mapped[int] = mapped_column(doc="of the class that is foretold")
    n_left_out: Mapped[int] = mapped_column(doc="members without label or features", info={"fingerprint": False})
    n_features: Mapped[int]
    features: Mapped[str] = mapped_column(
        doc="JSON: of each feature its name, mean, sd, lowest and highest value among the training patients"
    )
    search_fitness: Mapped[float | None] = mapped_column(
        doc="the search's own figure, on the folds that it optimised: optimistic",
        info={"fingerprint": False, "digits": 12},
    )
    software: Mapped[str | None] = mapped_column(doc="that made the features")
    settings: Mapped[str | None]
    normalisation: Mapped[str | None]
    phase_rule: Mapped[str | None]
    mask_kinds: Mapped[str | None] = mapped_column(doc="JSON: kind -> training patients")
    seconds: Mapped[str | None] = mapped_column(
        doc="JSON: lowest and highest intermediate_s and last_s of the training set"
    )
    batches: Mapped[str | None] = mapped_column(doc="JSON: batch -> training patients")
    harmonised: Mapped[bool] = mapped_column(doc="whether features are brought to one scale by ComBat")
    comparability: Mapped[str | None] = mapped_column(doc="of the training set's features; see feature_sets")
    seed: Mapped[str | None] = mapped_column(doc="of the forest")
    versions: Mapped[str] = mapped_column(doc="JSON: library -> version", info={"fingerprint": False})
    content: Mapped[str | None] = mapped_column(
        doc="digest of scaler and trees, which the file is held against when it is read"
    )
    reason: Mapped[str | None] = mapped_column(doc="why there is no model")
    object_id: Mapped[str | None] = mapped_column(
        doc="SHA-256 of the file under objects/ (skops)", info={"object": MODEL, "fingerprint": False}
    )


class SignatureFoldScore(UnitPayload, Base):
    """One row is the score of one development patient by signatures that had not seen her (nested cross-validation)."""

    __tablename__ = "signature_fold_scores"
    patient_id: Mapped[str] = mapped_column(primary_key=True)
    repeat: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    fold: Mapped[int] = mapped_column(doc="the outer fold in which she was held out")
    score: Mapped[float | None] = mapped_column(info={"digits": 12})
    reason: Mapped[str | None] = mapped_column(doc="why there is no score")
    is_good: Mapped[bool] = mapped_column(doc="the label: whether of the class that is foretold")
    features: Mapped[str] = mapped_column(doc="JSON: the features that the fold's search found")
    fold_fitness: Mapped[float | None] = mapped_column(
        doc="what that search thought of them: optimistic; empty where the fold had too few to learn from",
        info={"digits": 12},
    )


class LadderRung(UnitPayload, Base):
    """One row is what else was tried on the outer folds of a signature, and how far that is below it (on request alone)."""

    __tablename__ = "ladder_rungs"
    rung: Mapped[str] = mapped_column(
        primary_key=True,
        doc="signature; forest without search, elastic net, gradient boosting; volume, volume by forest, clinical, shape, "
        "random features, noise, permuted labels, shuffled voxels, noise in the region",
    )
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    position: Mapped[int] = mapped_column(doc="of the rung, the signature's is 0")
    way: Mapped[str] = mapped_column(
        doc="to its scores: whole way (filter, search, forest), forest (without a search), elastic net, gradient boosting or "
        "logistic (ridge)"
    )
    search: Mapped[str | None] = mapped_column(doc="population x generations of the rung's own searches")
    n_features: Mapped[int | None] = mapped_column(doc="columns that it could take")
    n: Mapped[int] = mapped_column(doc="patients whom it scores")
    n_good: Mapped[int]
    auc: Mapped[float | None] = mapped_column(
        doc="of scores of patients not seen, averaged over repeats; of draws the mean", info={"digits": 12}
    )
    ci_lower: Mapped[float | None] = mapped_column(doc="95 % interval over patients (DeLong)", info={"digits": 12})
    ci_upper: Mapped[float | None] = mapped_column(info={"digits": 12})
    n_draws: Mapped[int | None] = mapped_column(doc="of random features, noise or permutations")
    lowest: Mapped[float | None] = mapped_column(doc="AUC of the draws", info={"digits": 12})
    highest: Mapped[float | None] = mapped_column(info={"digits": 12})
    n_reached: Mapped[int | None] = mapped_column(doc="draws whose AUC is at least the signature's")
    draws: Mapped[str] = mapped_column(doc="JSON: the AUC of each draw")
    n_shared: Mapped[int | None] = mapped_column(doc="patients whom the signature scores as well")
    difference: Mapped[float | None] = mapped_column(
        doc="the signature's AUC less the rung's, on the shared patients", info={"digits": 12}
    )
    difference_lower: Mapped[float | None] = mapped_column(doc="95 % interval (DeLong, paired)", info={"digits": 12})
    difference_upper: Mapped[float | None] = mapped_column(info={"digits": 12})
    verdict: Mapped[LadderVerdict | None] = mapped_column(
        closed(LadderVerdict),
        doc="on the signature beside volume, and beside images without texture; in the signature's row",
    )
    finding: Mapped[str | None] = mapped_column(
        doc="the verdict in words, with the difference it rests on; of the forest without search, what the search was worth"
    )
    reason: Mapped[str | None] = mapped_column(doc="why something is not there, or a remark")


class SelectedFeature(UnitPayload, Base):
    """One row is what became of one feature: selected, a candidate, or dropped and why (the paper's Table S6)."""

    __tablename__ = "selected_features"
    feature: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    status: Mapped[FeatureStatus] = mapped_column(closed(FeatureStatus))
    reason: Mapped[str | None] = mapped_column(doc="why it was dropped")
    auc: Mapped[float | None] = mapped_column(
        doc="of the feature alone, on all development patients (above one half: higher in good)", info={"digits": 12}
    )
    mean_good: Mapped[float | None] = mapped_column(info={"digits": 12})
    mean_poor: Mapped[float | None] = mapped_column(info={"digits": 12})
    importance: Mapped[float | None] = mapped_column(
        doc="mean decrease in impurity, in the forest", info={"digits": 12}
    )
    n_folds: Mapped[int] = mapped_column(doc="outer folds whose search chose it")
    frequency: Mapped[float | None] = mapped_column(doc="share of the outer folds", info={"digits": 12})


class SignatureScore(UnitPayload, Base):
    """One row is the signature score of one examination, or why it has none."""

    __tablename__ = "signature_scores"
    examination: Mapped[str] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(index=True)
    source: Mapped[str] = mapped_column(doc="computed, or the name of an imported table")
    time_point: Mapped[str | None]
    status: Mapped[ScoreStatus] = mapped_column(closed(ScoreStatus))
    score: Mapped[float | None] = mapped_column(
        doc="probability of the class that is foretold (a good prognosis), by the signature", info={"digits": 12}
    )
    prognosis: Mapped[Prognosis | None] = mapped_column(
        closed(Prognosis), doc="good: the class that is foretold; poor: the other"
    )
    label: Mapped[str | None] = mapped_column(doc="the same in the label's own words")
    asked: Mapped[str | None] = mapped_column(doc=ASKED)
    foretold: Mapped[str | None] = mapped_column(doc=FORETOLD)
    against: Mapped[str | None] = mapped_column(doc=AGAINST)
    threshold: Mapped[float]
    reason: Mapped[str | None] = mapped_column(doc="why there is no score, or what speaks against it")
    distance: Mapped[float | None] = mapped_column(
        doc="from the training patients: root mean square of the features' z scores; of these patients it is 1",
        info={"digits": 9},
    )
    n_outside: Mapped[int | None] = mapped_column(doc="features outside of the training patients' range")


class LikelihoodRatioTest(Labelled, UnitPayload, Base):
    """One row is the test whether a score adds to the clinical variables: two nested Cox models on the same patients."""

    __tablename__ = "likelihood_ratio_tests"
    score: Mapped[str] = mapped_column(primary_key=True, doc="what is added, such as signature score")
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), primary_key=True)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    covariates: Mapped[str] = mapped_column(doc="of the smaller model, joined by commas")
    n: Mapped[int] = mapped_column(doc="patients for whom all of it is known")
    n_events: Mapped[int]
    log_likelihood_clinical: Mapped[float | None] = mapped_column(info={"digits": 12})
    log_likelihood_both: Mapped[float | None] = mapped_column(info={"digits": 12})
    chi2: Mapped[float | None] = mapped_column(info={"digits": 10})
    degrees: Mapped[int | None] = mapped_column(doc="of freedom")
    p_value: Mapped[float | None] = mapped_column(info={"digits": 10})
    reason: Mapped[str | None] = mapped_column(doc="why there is no test, or a warning")


class Concordance(UnitPayload, Base):
    """One row is how well one model orders the patients of a cohort by their outcome (Harrell's C)."""

    __tablename__ = "concordances"
    model: Mapped[str] = mapped_column(primary_key=True, doc="signature, clinical, or clinical and signature")
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), primary_key=True)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    c_index: Mapped[float | None] = mapped_column(doc="1/2 is chance", info={"digits": 12})
    ci_lower: Mapped[float | None] = mapped_column(doc="95 % bootstrap interval over patients", info={"digits": 12})
    ci_upper: Mapped[float | None] = mapped_column(info={"digits": 12})
    n: Mapped[int]
    n_events: Mapped[int]
    n_bootstrap: Mapped[int]
    n_shared: Mapped[int | None] = mapped_column(doc="patients whom the clinical model knows as well")
    difference: Mapped[float | None] = mapped_column(
        doc="its C less that of the clinical model, on the shared patients", info={"digits": 12}
    )
    difference_lower: Mapped[float | None] = mapped_column(
        doc="95 % interval (infinitesimal jackknife)", info={"digits": 12}
    )
    difference_upper: Mapped[float | None] = mapped_column(info={"digits": 12})
    is_optimistic: Mapped[bool] = mapped_column(doc="the model's weights were fitted on these very patients")
    reason: Mapped[str | None] = mapped_column(doc="why there is no index, or a warning")


class CalibrationGroup(UnitPayload, Base):
    """One row is one part of a cohort by its signature scores: the survival foretold and the survival seen."""

    __tablename__ = "calibration_groups"
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, doc="1 has the lowest scores")
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    at_days: Mapped[float] = mapped_column(doc="survival at this time")
    n: Mapped[int]
    n_events: Mapped[int] = mapped_column(doc="until that time")
    mean_score: Mapped[float | None] = mapped_column(info={"digits": 12})
    foretold: Mapped[float | None] = mapped_column(
        doc="mean survival by Cox models of the score that had not seen the patients (tenfold)", info={"digits": 10}
    )
    seen: Mapped[float | None] = mapped_column(doc="Kaplan-Meier", info={"digits": 10})
    ci_lower: Mapped[float | None] = mapped_column(doc="95 % interval of what was seen", info={"digits": 10})
    ci_upper: Mapped[float | None] = mapped_column(info={"digits": 10})
    reason: Mapped[str | None]


class FeatureTest(UnitPayload, Base):
    """One row is the comparison of one feature between good and poor (the class that is foretold, the other), in one cohort."""

    __tablename__ = "feature_tests"
    grouping: Mapped[str] = mapped_column(primary_key=True, doc="signature (by its score) or label (by what it learns)")
    feature: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    n_good: Mapped[int]
    n_poor: Mapped[int]
    median_good: Mapped[float | None] = mapped_column(info={"digits": 12})
    median_poor: Mapped[float | None] = mapped_column(info={"digits": 12})
    asked: Mapped[str | None] = mapped_column(doc=ASKED)
    foretold: Mapped[str | None] = mapped_column(doc=FORETOLD)
    against: Mapped[str | None] = mapped_column(doc=AGAINST)
    statistic: Mapped[float | None] = mapped_column(doc="Mann-Whitney U of good", info={"digits": 12})
    p_value: Mapped[float | None] = mapped_column(doc="Mann-Whitney, two-sided", info={"digits": 10})
    p_adjusted: Mapped[float | None] = mapped_column(doc="Benjamini-Hochberg over the grouping", info={"digits": 10})
    is_circular: Mapped[bool] = mapped_column(doc="the groups are made from this feature: p says little")
    reason: Mapped[str | None] = mapped_column(doc="why there is no test")

    __table_args__ = (Index("ix_feature_tests_feature", "feature"),)
