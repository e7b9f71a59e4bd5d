"""The ladder: what else would have done as well as the signature, on the same patients and the same outer folds.

signature         the nested scores as they stand (`signature_cross_validation`)
forest without search, elastic net, gradient boosting   all features that the filter leaves (`unsearched`)
volume            the tumour's volume alone, by a logistic regression
volume by forest  the same by the signature's forest, which needs no line
clinical          the variables that Cox models adjust for, by a logistic regression; complete cases
shape             the shape features of the tumour by the signature's whole way: filter, search, forest
random features   as many columns of the feature table as the signature has in each fold, drawn at random: no search
noise             the whole way with standard normal noise in the place of every feature
permuted labels   the whole way with the labels given to other patients
shuffled voxels, noise in the region    the whole way with features of altered images (`control_rungs`), where a study has them

Every AUC is of pooled scores of patients whom nothing had seen, with DeLong's interval. The difference is the signature's less
the rung's, on the patients whom both score, with DeLong's paired interval (`analyses.shared.paired_auc`). Of draws the AUC is
the mean, with the lowest, the highest, and how many reach the signature's. Welch et al. 2019, Radiother Oncol 130:2, found
that a published signature was a stand-in for the tumour's volume: the verdict (`ladder_verdict`) asks for that first, and then
whether it lies above the same images with shuffled voxels, which have no texture.

Made on request alone, since each searched draw costs as much as the nested validation; [signature_ladder] may have a smaller
search.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from analyses.signature.control_rungs import CONTROLS, NOISE_IN_REGION, SHUFFLED
from analyses.signature.needs import LIBRARIES, TRAINING
from analyses.signature.settings import BesideParameters, ForestParameters, SearchParameters
from tshdb.engine.analysis import Made, Model, Need, analysis
from tshdb.engine.relations import SAME_PATIENT, STUDY_OF_PATIENT
from tshdb.engine.work import Work
from tshdb.schema import ControlFeature, FeatureSetting, LadderRung, Patient, SignatureFoldScore

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from analyses.signature.classes import Classes
    from analyses.signature.control_rungs import Altered
    from analyses.signature.features import Training
    from analyses.signature.progress import Noted
    from analyses.signature.rungs import Outer

SHAPE = "tumor.shape."
LOGISTIC, FOREST, WHOLE_WAY = "logistic", "forest", "whole way"
SIGNATURE, VOLUME, VOLUME_FOREST = "signature", "volume", "volume by forest"
CLINICAL, OF_SHAPE, RANDOM, NOISE, PERMUTED = "clinical", "shape", "random features", "noise", "permuted labels"
WAYS = {
    SIGNATURE: WHOLE_WAY, VOLUME: LOGISTIC, VOLUME_FOREST: FOREST, CLINICAL: LOGISTIC, OF_SHAPE: WHOLE_WAY, RANDOM: FOREST,
    NOISE: WHOLE_WAY, PERMUTED: WHOLE_WAY, SHUFFLED: WHOLE_WAY, NOISE_IN_REGION: WHOLE_WAY,
}  # fmt: skip
RUNGS = tuple(WAYS)  # their places are in the seeds of their draws
FOREST_OF_ALL, ELASTIC_NET, BOOSTING = "forest without search", "elastic net", "gradient boosting"
WAYS_BESIDE = {FOREST_OF_ALL: FOREST, ELASTIC_NET: ELASTIC_NET, BOOSTING: BOOSTING}
SHOWN = (SIGNATURE, *WAYS_BESIDE, *(rung for rung in RUNGS if rung != SIGNATURE))
DRAWN = (RANDOM, NOISE, PERMUTED)
EMPTY = (
    "search", "n_features", "auc", "ci_lower", "ci_upper", "n_draws", "lowest", "highest", "n_reached", "n_shared", "difference",
    "difference_lower", "difference_upper", "verdict", "finding", "reason",
)  # fmt: skip


class SignatureLadderParameters(SearchParameters, ForestParameters, BesideParameters):
    """[signature_ladder]; what it does not say is as in [signature]"""

    signatures_of: tuple[str, ...] = ()
    """asks for ladders: the frozen cohort that the signature was learned from, such as radiogenomic_development"""
    volume: str = "tumor.shape.MeshVolume"
    """the feature that is the tumour's volume"""
    covariates: tuple[str, ...] = ("age_years", "er_status", "pr_status", "her2_status", "tumor_size_mm")
    """clinical variables of their own rung; by default those that [signature_validation] has by default"""
    min_known: float = Field(default=0.5, ge=0, le=1)
    """a variable known for a smaller share of the patients is left out"""
    n_random: int = Field(default=20, ge=0)
    """draws of random features; they cost no search"""
    n_searched: int = Field(default=5, ge=0)
    """draws of noise and of permuted labels, each with a search in every outer fold"""


class Way(NamedTuple):
    """What a rung left. draws: (patients,) scores each, NaN for none; remark: what must be said; reason: why there is nothing."""

    draws: Sequence[np.ndarray] = ()
    n_features: int | None = None
    remark: str | None = None
    reason: str | None = None


@analysis(
    kind="fit",
    per="cohort",
    needs={
        **TRAINING,
        "patients": Need(Patient, SAME_PATIENT),
        "fold_scores": Model(SignatureFoldScore),
        "controls": Need(ControlFeature, STUDY_OF_PATIENT, optional=True),
        "controls_made": Made(FeatureSetting, of=ControlFeature),
    },
    makes=LadderRung,
    params=SignatureLadderParameters,
    cohorts="signatures_of",
    learns=(),
    libraries=(*LIBRARIES, "numba"),
    strict_libraries=("scikit-learn",),
    source="doi:10.1016/j.radonc.2018.10.027, volume and shuffled voxels as rivals; doi:10.2307/2531595, intervals",
    base="signature",
    tracks=("verdict",),
)
def signature_ladder(
    labels: pd.DataFrame,
    sets: pd.DataFrame,
    computed: pd.DataFrame,
    imported: pd.DataFrame,
    patients: pd.DataFrame,
    fold_scores: pd.DataFrame,
    controls: pd.DataFrame,
    controls_made: pd.DataFrame,
    members: pd.DataFrame,
    params: SignatureLadderParameters,
    seed: int,
    work: Work,
) -> pd.DataFrame:
    """One row per rung, the signature's first with the verdict on all; a rung that cannot be computed has the reason."""
    import pandas as pd

    from analyses.signature.control_rungs import altered
    from analyses.signature.features import table_of, training_of
    from analyses.signature.nested import LEAST_PER_CLASS
    from analyses.signature.rungs import outer_of

    data = training_of(labels, sets, computed, imported, members, params.features, params.only)
    least = max(params.min_per_class, LEAST_PER_CLASS)
    problem = data.problem(least, params.harmonise) or _differing(data, fold_scores, params.cohort)
    if problem:
        return pd.DataFrame(_rows(data, dict.fromkeys(SHOWN, Way(reason=problem)), params))
    outer = outer_of(fold_scores, data.patients)
    table = table_of(sets, computed, imported, params.features).loc[list(data.sets["examination"])]
    images = {rung: altered(rung, data, controls, controls_made, params.features) for rung in CONTROLS}
    noted = _Searches(work, params, outer, [rung for rung in CONTROLS if images[rung].data is not None])
    ways = {SIGNATURE: _signature(data, fold_scores)}
    ways |= {rung: _beside(rung, data, outer, params, seed) for rung in WAYS_BESIDE}
    ways |= _volume(data, outer, table, params, seed, least)
    ways[CLINICAL] = _clinical(data, outer, patients, params, least)
    ways[OF_SHAPE] = _shape(data, outer, table, params, seed, noted)
    ways[RANDOM] = _random(data, outer, fold_scores, params, seed)
    ways[NOISE] = _drawn(NOISE, data, outer, params, seed, noted)
    ways[PERMUTED] = _drawn(PERMUTED, data, outer, params, seed, noted)
    ways |= {rung: _of_images(rung, images[rung], outer, params, seed, noted, least) for rung in CONTROLS}
    return pd.DataFrame(_rows(data, ways, params))


# ------------------------------------------------------------------------------------------------------------- the rungs


def _signature(data: Training, fold_scores: pd.DataFrame) -> Way:
    from analyses.signature.nested import unscored

    known = fold_scores[fold_scores["score"].notna()].groupby("patient_id")["score"].mean()
    scores = known.reindex(data.patients).to_numpy(float)
    return Way([scores], len(data.names), unscored(fold_scores, len(data.patients)))


def _beside(rung: str, data: Training, outer: Outer, params: SignatureLadderParameters, seed: int) -> Way:
    from analyses.signature.unsearched import unsearched

    scores, sizes = unsearched(rung, outer, data, params, seed)
    return Way(
        [scores], max(sizes, default=None), f"{min(sizes)} to {max(sizes)} features in a fold" if sizes else None
    )


def _volume(
    data: Training,
    outer: Outer,
    table: pd.DataFrame,
    params: SignatureLadderParameters,
    seed: int,
    least: int,
) -> dict[str, Way]:
    from analyses.signature.rungs import forest, logistic

    name = params.volume
    if name not in table:
        none = Way(
            reason=f"no feature {name} among those of {params.features}: [signature_ladder] volume names another"
        )
        return {VOLUME: none, VOLUME_FOREST: none}
    values = table[[name]].to_numpy(float)
    if problem := _too_few(data, values, least):
        none = Way(reason=f"{problem} have {name}")
        return {VOLUME: none, VOLUME_FOREST: none}
    return {
        VOLUME: Way([logistic(outer, values)], 1),
        VOLUME_FOREST: Way([forest(outer, values, params, (seed, RUNGS.index(VOLUME_FOREST)))], 1),
    }


def _clinical(
    data: Training, outer: Outer, patients: pd.DataFrame, params: SignatureLadderParameters, least: int
) -> Way:
    from analyses.shared.clinical_covariates import numeric
    from analyses.signature.features import is_the_label
    from analyses.signature.rungs import logistic

    clinical = numeric(patients, params.covariates).set_index("patient_id").reindex(data.patients)
    known = clinical.notna().mean()
    itself = {
        c: "it is the label itself"
        if c in data.classes.is_made_of([c])
        else "it tells the classes apart without an exception"
        for c in params.covariates
        if c in data.classes.is_made_of([c]) or is_the_label(clinical[c].to_numpy(float), data.is_good)
    }
    used = [c for c in params.covariates if known[c] >= params.min_known and c not in itself]
    why = {c: f"known for {known[c]:.0%} of the patients" for c in known.index if c not in used} | itself
    remark = "; ".join(f"without {c}: {said}" for c, said in why.items())
    if not used:
        return Way(reason="no clinical variable is known for enough patients" + (f"; {remark}" if itself else ""))
    values = clinical[used].to_numpy(float)
    if problem := _too_few(data, values, least):
        return Way(reason=f"{problem} have all of {', '.join(used)}")
    return Way([logistic(outer, values)], len(used), remark or None)


def _shape(
    data: Training,
    outer: Outer,
    table: pd.DataFrame,
    params: SignatureLadderParameters,
    seed: int,
    noted: _Searches,
) -> Way:
    import numpy as np

    from analyses.signature.rungs import whole_way

    all_names = [name for name in table.columns if name.startswith(SHAPE)]
    names = [name for name in all_names if table[name].notna().all()]
    if not names:
        what = "has a value for every patient" if all_names else f"is among those of {params.features}"
        return Way(reason=f"no feature that begins with {SHAPE} {what}")
    of_shape = data._replace(values=np.ascontiguousarray(table[names].to_numpy(float)), names=names)
    missing = len(all_names) - len(names)
    remark = f"{missing} of {len(all_names)} shape features have no value for every patient" if missing else None
    scores = whole_way(
        outer, of_shape, params, params, (seed, RUNGS.index(OF_SHAPE), 0), noted.threads, noted.of(OF_SHAPE, 0)
    )
    return Way([scores], len(names), remark)


def _random(
    data: Training, outer: Outer, fold_scores: pd.DataFrame, params: SignatureLadderParameters, seed: int
) -> Way:
    from analyses.signature.rungs import random_columns

    sizes = _sizes(fold_scores, outer)
    at = RUNGS.index(RANDOM)
    draws = [random_columns(outer, data, sizes, params, (seed, at, draw)) for draw in range(params.n_random)]
    return Way(draws, len(data.names), reason=None if draws else "not asked for: [signature_ladder] n_random is 0")


def _sizes(fold_scores: pd.DataFrame, outer: Outer) -> np.ndarray:
    """(repeats, folds) how many features the signature has in each fold; 0 where it has none."""
    import numpy as np

    sizes = np.zeros((len(outer.fold_of), outer.n_folds), dtype=int)
    for place, repeat in enumerate(sorted(set(fold_scores["repeat"]))):
        of_repeat = fold_scores[fold_scores["repeat"] == repeat].drop_duplicates("fold")
        for fold, features in zip(of_repeat["fold"], of_repeat["features"], strict=True):
            sizes[place, int(fold)] = len(json.loads(features))
    return sizes


def _drawn(
    rung: str, data: Training, outer: Outer, params: SignatureLadderParameters, seed: int, noted: _Searches
) -> Way:
    """Noise or permuted labels by the whole way, several times."""
    from analyses.signature.rungs import noise, permuted, whole_way

    at, draws = RUNGS.index(rung), []
    for draw in range(params.n_searched):
        other = (noise if rung == NOISE else permuted)(data, (seed, at, draw))
        draws.append(whole_way(outer, other, params, params, (seed, at, draw), noted.threads, noted.of(rung, draw)))
    return Way(draws, len(data.names), reason=None if draws else "not asked for: [signature_ladder] n_searched is 0")


def _of_images(
    rung: str,
    images: Altered,
    outer: Outer,
    params: SignatureLadderParameters,
    seed: int,
    noted: _Searches,
    least: int,
) -> Way:
    """Altered images by the whole way."""
    from analyses.signature.rungs import whole_way

    data = images.data
    if data is None:
        return Way(reason=images.reason)
    if problem := _too_few(data, data.values, least):
        return Way(reason=f"{problem} have features of images with {rung}")
    seeds = (seed, RUNGS.index(rung), 0)
    scores = whole_way(outer, data, params, params, seeds, noted.threads, noted.of(rung, 0))
    return Way([scores], len(data.names), images.remark)


class _Searches:
    """Checkpoints of all searches of a ladder, counted together. controls: the altered images that are searched."""

    def __init__(self, work: Work, params: SignatureLadderParameters, outer: Outer, controls: Sequence[str]):
        self.work, self.threads, self.generations = work, work.threads, params.generations
        self.folds = outer.n_folds
        self.of_draw = len(outer.fold_of) * self.folds
        self.draws = [(OF_SHAPE, 0), *((rung, i) for rung in (NOISE, PERMUTED) for i in range(params.n_searched))]
        self.draws += [(rung, 0) for rung in controls]

    def of(self, rung: str, draw: int):
        """(repeat, fold) -> the checkpoint of that search."""
        from analyses.signature.progress import Noted

        before = self.draws.index((rung, draw)) * self.of_draw

        def noted(repeat: int, fold: int) -> Noted:
            at = before + repeat * self.folds + fold
            return Noted(self.work, f"search-{at}", self.generations, at, len(self.draws) * self.of_draw)

        return noted


def _differing(data: Training, fold_scores: pd.DataFrame, cohort: str) -> str | None:
    """Why the nested scores are not of these patients with these labels, or None."""
    if not len(fold_scores) or not fold_scores["score"].notna().any():
        return "the signature has no nested scores: model_performance says why"
    scored = fold_scores.drop_duplicates("patient_id").set_index("patient_id")["is_good"].astype(bool)
    now = dict(zip(data.patients, map(bool, data.is_good), strict=True))
    if not set(now) & set(scored.index):
        return f"nobody has a nested score: these are of {cohort}, which [signature_ladder] signatures_of must name"
    n = sum(now.get(p) != scored.get(p) for p in {*now, *scored.index})
    if n:
        return f"{n} patients have other features or labels than when the nested scores were made: rebuild with --refit"
    return None


def _too_few(data: Training, values: np.ndarray, least: int) -> str | None:
    """How many have all of these values, where that is fewer than `least` of one kind."""
    import numpy as np

    is_known = ~np.isnan(values).any(axis=1)
    n_good, n_poor = int(data.is_good[is_known].sum()), int((~data.is_good[is_known]).sum())
    return (
        f"fewer than {least} of one kind: {data.classes.counted(n_good, n_poor)}"
        if min(n_good, n_poor) < least
        else None
    )


# -------------------------------------------------------------------------------------------------------------- the rows


def _rows(data: Training, ways: dict[str, Way], params: SignatureLadderParameters) -> list[dict]:
    """One row a rung, and the verdict in the signature's."""
    from analyses.signature.ladder_verdict import finding, worth

    search = f"{params.population} x {params.generations}"
    rows = {
        rung: dict.fromkeys(EMPTY)
        | {
            "rung": rung, "position": position, "way": way, "n": 0, "n_good": 0, "draws": "[]",
            "search": search if way == WHOLE_WAY and rung != SIGNATURE else None,
        }
        for position, (rung, way) in enumerate((rung, (WAYS | WAYS_BESIDE)[rung]) for rung in SHOWN)
    }  # fmt: skip
    signature = ways[SIGNATURE]
    for rung, row in rows.items():
        row |= _measured(data.is_good, rung, ways[rung], signature.draws, data.classes)
    volumes = [rows[VOLUME], rows[VOLUME_FOREST]]
    others = [row for rung, row in rows.items() if rung not in (SIGNATURE, VOLUME, VOLUME_FOREST, SHUFFLED)]
    rows[FOREST_OF_ALL]["finding"] = worth(rows[FOREST_OF_ALL])
    verdict, words = finding(rows[SIGNATURE], volumes, others, rows[SHUFFLED])
    rows[SIGNATURE] |= {"verdict": verdict, "finding": words}
    return list(rows.values())


def _measured(is_good: np.ndarray, rung: str, way: Way, signature: Sequence[np.ndarray], classes: Classes) -> dict:
    """AUC, interval and difference of a rung. signature: the signature's scores, one (patients,) or none."""
    import numpy as np

    from analyses.shared.paired_auc import difference, placements, with_interval

    if way.reason:
        return {"reason": way.reason}
    is_scored = ~np.isnan(way.draws).any(axis=0)
    found = {"n": int(is_scored.sum()), "n_good": int(is_good[is_scored].sum()), "n_features": way.n_features}
    if min(found["n_good"], found["n"] - found["n_good"]) < 2:
        counted = classes.counted(found["n_good"], found["n"] - found["n_good"])
        why = f"{counted} have scores: an interval needs two of each"
        return found | {"reason": _joined(why, way.remark)}
    of_rung = placements(is_good[is_scored], [scores[is_scored] for scores in way.draws])
    auc, lower, upper, why = with_interval(of_rung)
    found |= {"auc": auc, "ci_lower": lower, "ci_upper": upper}
    aucs = [placements(is_good[is_scored], [scores[is_scored]]).auc for scores in way.draws]
    if rung in DRAWN:
        found |= {"n_draws": len(aucs), "lowest": min(aucs), "highest": max(aucs)}
        found["draws"] = json.dumps([round(value, 6) for value in aucs])
    if rung == SIGNATURE or not signature:
        return found | {"reason": _joined(classes.reworded(why), way.remark)}
    both = is_scored & ~np.isnan(signature[0])
    n_good, n_poor = int(is_good[both].sum()), int((~is_good[both]).sum())
    if not (n_good and n_poor):
        why = f"{classes.counted(n_good, n_poor)} are scored by the signature as well: no difference"
        return found | {"n_shared": int(both.sum()), "reason": _joined(why, way.remark)}
    ours = placements(is_good[both], [signature[0][both]])
    theirs = placements(is_good[both], [scores[both] for scores in way.draws])
    value, low, high, unpaired = difference(ours, theirs)
    if rung == PERMUTED:
        low, high, unpaired = None, None, "its labels are of other patients: the difference has no paired interval"
    if rung in DRAWN:
        found["n_reached"] = sum(value >= ours.auc for value in aucs)
    found |= {"n_shared": int(both.sum()), "difference": value, "difference_lower": low, "difference_upper": high}
    return found | {"reason": _joined(classes.reworded(why), classes.reworded(unpaired), way.remark)}


def _joined(*parts: str | None) -> str | None:
    return "; ".join(dict.fromkeys(filter(None, parts))) or None
