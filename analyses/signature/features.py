"""Feature tables of examinations: which are taken, and whether two of them compare.

Comparable are features of the same software, settings, normalisation of images and choice of phases; what differs there makes a
score meaningless, and it is refused. Another kind of outline, or phases at other times than the training patients', degrade it.
An imported table without settings compares with itself alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analyses.signature.classes import Classes, classes_of
from tshdb.canonical import json_text

if TYPE_CHECKING:
    import pandas as pd

COMPUTED = "computed"
MOST_REASONS = 3  # for having no label, in words
LEAST_PER_BATCH = 3  # patients of a scanner, for its shift and scale
HUGE = 1e30  # no feature has such a value, and its square is not far from the end of numbers
UNKNOWN = "unknown"  # a batch, or a kind of outline, that nobody recorded
MUST_AGREE = {
    "software": "the software",
    "settings": "the settings of the features",
    "normalisation": "the normalisation of the images",
    "phase_rule": "the choice of phases",
}
TIMES = {"intermediate_s": "the intermediate phase", "last_s": "the last phase"}


def too_few(batches: np.ndarray) -> dict[str, int]:
    """batch -> its patients, of those that have too few for harmonising; none where all are of one batch."""
    names, counts = np.unique(batches, return_counts=True)
    if len(names) < 2:
        return {}
    return {str(name): int(n) for name, n in zip(names, counts, strict=True) if n < LEAST_PER_BATCH}


def vary(values: np.ndarray) -> np.ndarray:
    """(features,) whether the values of (patients, features) differ by more than rounding."""
    return values.std(axis=0) > 1e-12 * np.maximum(np.abs(values).max(axis=0), 1e-300)


def without_features(values: np.ndarray, batches: np.ndarray | None) -> str | None:
    """Why nothing can be learned of (patients, features) values; None where a feature varies. batches: where they are harmonised,
    of each patient; a feature must vary in all of them."""
    names = [] if batches is None else np.unique(batches)
    if len(names) < 2:
        return None if vary(values).any() else "no feature varies"
    if np.all([vary(values[batches == name]) for name in names], axis=0).any():
        return None
    return "no feature varies among the patients of every scanner"


class Training(NamedTuple):
    """Patients (sorted), their labels, (patients, features) values, names of the features, and their feature sets.

    n_left_out: members without label or features; incomplete: features without a value for a patient, with how many; the_label:
    features that are the label itself, with why; classes: of the label; why_unlabelled: the commonest reason for no label.
    """

    patients: list[str]
    is_good: np.ndarray
    values: np.ndarray
    names: list[str]
    sets: pd.DataFrame
    n_left_out: int
    incomplete: dict[str, int]
    the_label: dict[str, str] = {}
    classes: Classes = Classes()
    why_unlabelled: str | None = None

    @property
    def batches(self) -> np.ndarray:
        """(patients,) the scanner or site of each."""
        return self.sets["batch"].fillna(UNKNOWN).to_numpy(str)

    def problem(self, least: int, harmonise: str = "none") -> str | None:
        """Why nothing can be learned, or None. least: patients of each kind; harmonise: over scanners, as `[signature]` says."""
        n_good = int(self.is_good.sum())
        n_poor = len(self.is_good) - n_good
        if min(n_good, n_poor) < least:
            said = f"{self.classes.counted(n_good, n_poor)} with features: fewer than {least} of one kind"
            return said if self.why_unlabelled is None else f"{said} ({self.why_unlabelled})"
        if not self.names:
            return "no feature has a value for every patient"
        if harmonise != "none" and (few := too_few(self.batches)):
            found = ", ".join(f"{n} of {batch}" for batch, n in few.items())
            return f"{found}: harmonising needs {LEAST_PER_BATCH} patients of each scanner"
        return without_features(self.values, None if harmonise == "none" else self.batches)


def table_of(sets: pd.DataFrame, computed: pd.DataFrame, imported: pd.DataFrame, source: str) -> pd.DataFrame:
    """One row an examination of the source, by its name; one column a feature, sorted; NaN where there is no value, or one
    beyond 1e30, which no feature has.

    computed: study_uid, feature, feature_class, value; imported: examination, feature_table, features.
    """
    import pandas as pd

    wanted = sets.loc[sets["source"] == source, "examination"]
    if source == COMPUTED:
        of_wanted = computed[computed["feature_class"].notna() & computed["study_uid"].isin(set(wanted))]
        wide = of_wanted.pivot(index="study_uid", columns="feature", values="value").astype(float)
    else:
        of_wanted = imported[imported["examination"].isin(set(wanted))]
        rows = {e: json.loads(f) for e, f in zip(of_wanted["examination"], of_wanted["features"], strict=True)}
        wide = pd.DataFrame.from_dict(rows, orient="index").astype(float)
    wide = wide.sort_index().sort_index(axis=1)
    wide = wide.where(wide.abs() < HUGE)
    wide.index.name = "examination"
    wide.columns.name = None
    return wide


def training_of(
    labels: pd.DataFrame,
    sets: pd.DataFrame,
    computed: pd.DataFrame,
    imported: pd.DataFrame,
    members: pd.DataFrame,
    source: str,
    only: str = "",
) -> Training:
    """The members that have a label and features. only: the beginning of the names of the features to take.

    Of several first examinations of a patient the first by name counts. A feature that misses for one patient is left out.
    """
    classes = classes_of(labels)
    known = labels[labels["label"].notna()].set_index("patient_id")["label"].astype(str) == classes.foretold
    wide = table_of(sets, computed, imported, source)
    wide = wide[[c for c in wide.columns if c.startswith(only)]]
    wide = wide[wide.notna().any(axis=1)]
    chosen = sets[sets["examination"].isin(set(wide.index)) & sets["patient_id"].isin(set(known.index))]
    chosen = chosen.sort_values(["patient_id", "examination"]).drop_duplicates("patient_id").reset_index(drop=True)
    values = wide.loc[list(chosen["examination"])]
    missing = values.isna().sum()
    incomplete = {str(name): int(n) for name, n in missing.items() if n}
    values = values[[c for c in values.columns if c not in incomplete]]
    is_good = known.loc[list(chosen["patient_id"])].to_numpy(bool) if len(chosen) else np.zeros(0, bool)
    the_label = _the_label(values, is_good, classes)
    values = values[[c for c in values.columns if c not in the_label]]
    return Training(
        list(chosen["patient_id"]),
        is_good,
        np.ascontiguousarray(values.to_numpy(float)),
        list(values.columns),
        chosen,
        len(members) - len(chosen),
        incomplete,
        the_label,
        classes,
        _why_unlabelled(labels) if classes.asked is not None else None,
    )


def is_the_label(values: np.ndarray, is_good: np.ndarray) -> bool:
    """Whether (patients,) values, NaN where unknown, are two numbers that tell the classes apart without an exception."""
    known = ~np.isnan(values)
    good, poor = set(values[known & is_good]), set(values[known & ~is_good])
    return len(good) == len(poor) == 1 and good != poor


def _the_label(values: pd.DataFrame, is_good: np.ndarray, classes: Classes) -> dict[str, str]:
    """Features that are the label itself -> why: two values, one a class; or the name of the column that the label is made of."""
    found = {}
    column = None if classes.asked is None else _bare(classes.asked.rpartition(".")[2])
    for name in values.columns:
        if is_the_label(values[name].to_numpy(float), is_good):
            found[str(name)] = (
                f"it is the label: one value for all {classes.foretold}, another for all {classes.against}"
            )
        elif column is not None and _bare(name.rpartition(".")[2]) == column:
            found[str(name)] = f"it bears the name of the label, {classes.asked}"
    return found


def _bare(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def _why_unlabelled(labels: pd.DataFrame) -> str | None:
    """How many members have no label, by reason, the commonest first."""
    reasons = labels.loc[labels["label"].isna(), "reason"].fillna("no reason").value_counts()
    listed = [
        f"{n} {reason}" for reason, n in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_REASONS]
    ]
    return f"no label: {', '.join(listed)}" if listed else None


def shared(sets: pd.DataFrame) -> tuple[dict[str, str], list[str]]:
    """What the feature sets have in common (column -> value), and in which columns they differ."""
    settings, differing = {}, []
    for column in MUST_AGREE:
        values = sorted(set(sets[column]))
        if len(values) == 1:
            settings[column] = values[0]
        else:
            differing.append(column)
    return settings, differing


def ranges(sets: pd.DataFrame) -> dict[str, list[float]]:
    """column -> lowest and highest time of the phases, of those that are known."""
    ranges = {}
    for column in TIMES:
        known = sets[column].dropna().astype(float)
        if len(known):
            ranges[column] = [float(known.min()), float(known.max())]
    return ranges


def as_values(text: str) -> str:
    """A JSON text in one spelling, in which 25.0 is 25; another text as it is. Settings are the same if their values are."""
    try:
        return json_text(_plain(json.loads(text)))
    except (json.JSONDecodeError, TypeError):
        return text


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def counts(values: pd.Series) -> dict[str, int]:
    """value -> how many, sorted; `unknown` for none."""
    named = values.fillna(UNKNOWN).astype(str)
    return {str(k): int(n) for k, n in sorted(named.value_counts().items())}


def against(model: Any, row: Any, slack_s: float) -> tuple[list[str], list[str]]:
    """(what forbids a score, what speaks against it) of an examination's feature set, held against a model's training set.

    model: a row of signature_models; row: of feature_sets; slack_s: how far outside of the training times a phase may be.
    """
    refusals = [
        f"{words} {'differs' if not words.endswith('settings of the features') else 'differ'} from the training set's"
        f"{_difference(model[column], row[column])}"
        for column, words in MUST_AGREE.items()
        if as_values(model[column]) != as_values(row[column])
    ]
    doubts = []
    kinds = json.loads(model["mask_kinds"])
    kind = row["mask_kind"] or UNKNOWN
    if kind not in kinds:
        doubts.append(f"the tumour's outline is of the kind {kind}, the training set's {', '.join(kinds)}")
    times = json.loads(model["seconds"])
    for column, words in TIMES.items():
        value = row[column]
        if column in times and value is not None and value == value:
            low, high = times[column]
            if not low - slack_s <= value <= high + slack_s:
                doubts.append(f"{words} is at {value:.0f} s, the training set's at {low:.0f} to {high:.0f} s")
    return refusals, doubts


def _difference(theirs: str, mine: str) -> str:
    """Which keys of two JSON texts differ, in words; the texts themselves where they are short."""
    try:
        a, b = _flat(json.loads(theirs)), _flat(json.loads(mine))
    except (json.JSONDecodeError, TypeError):
        return f" ({mine}, not {theirs})" if len(f"{mine}{theirs}") < 120 else ""
    keys = [k for k in sorted({*a, *b}) if a.get(k) != b.get(k)]
    words = [f"{k} {json.dumps(b.get(k))}, not {json.dumps(a.get(k))}" for k in keys[:3]]
    return f" ({'; '.join(words)}{'; …' if len(keys) > 3 else ''})" if words else ""


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix or "value": value}
    flat = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return flat
