"""Covariates that are missing at random: does multiple imputation give back the coefficients that patients were simulated with.

300 sets of 250 patients; the ER is not known of three in ten, age and stage of half as many, and of whom hangs on the score and
the event. How often the 95 % intervals hold the truth, how far estimates are off on average, and the same of complete cases,
which leave out more than half of the patients, and by the outcome.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analyses.shared.cox import cox
from analyses.shared.imputation import Imputation
from analyses.shared.imputed_cox import imputed_cox
from soak import Figure
from soak.nulls import bounds
from tests.support.imputed import COVARIATES, TRUTH, simulated_patients
from tests.support.in_time import in_time, tried

STUDIES, PATIENTS, SETS, ROUNDS = 300, 250, 10, 5
LOW, HIGH = 0.92, 0.98  # of 300 intervals of 95 % the binomial 1 % and 99 % bounds are .920 and .977


class Covered(NamedTuple):
    """By term: the share of the intervals that hold the truth, by how much estimates are off on average, its standard error.
    n: data sets."""

    covered: dict[str, float]
    bias: dict[str, float]
    error: dict[str, float]
    n: int


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """folder: nothing is written."""
    imputed, complete = coverage(seed, STUDIES, SETS, 0.9), coverage(seed, STUDIES, 0)
    low, high = bounds(imputed.n, LOW, HIGH)
    for term in TRUTH:
        share = imputed.covered[term]
        yield Figure(f"{term}: intervals that hold the truth, of {tried(imputed.n, STUDIES)} sets", f"{share:.1%}",
                     f"{low:.0%} to {high:.0%}", low <= share <= high)  # fmt: skip
        off, error = imputed.bias[term], imputed.error[term]
        yield Figure(f"{term}: off on average", f"{off:+.4f} (truth {TRUTH[term]}, standard error {error:.4f})")
        other = complete.bias[term]
        yield Figure(
            f"{term}: complete cases, off on average", f"{other:+.4f}, {complete.covered[term]:.1%} hold the truth"
        )


def coverage(seed: int, n_studies: int, n_sets: int, share: float = 1.0) -> Covered:
    """n_sets: imputed data sets; 0: complete cases. share: of the time that is left."""
    terms = list(TRUTH)
    off, held = [], []
    for study in in_time(range(n_studies), share):
        data = simulated_patients(PATIENTS, [seed, study])
        if n_sets:
            found = imputed_cox(data, terms, Imputation(n_sets, ROUNDS, study), "m", 5, "partial")
        else:
            found = cox(data.dropna(subset=list(COVARIATES)), terms, 5)
        if any(found[term]["coefficient"] is None for term in terms):
            raise ValueError(f"set {study}: {found[terms[0]]['reason']}")
        off.append([found[term]["coefficient"] - TRUTH[term] for term in terms])
        held.append([found[t]["ci_lower"] <= np.exp(TRUTH[t]) <= found[t]["ci_upper"] for t in terms])
    errors, mean = np.std(off, axis=0, ddof=1) / np.sqrt(len(off)), np.mean(off, axis=0)
    return Covered(
        dict(zip(terms, np.mean(held, axis=0).tolist(), strict=True)),
        dict(zip(terms, mean.tolist(), strict=True)),
        dict(zip(terms, errors.tolist(), strict=True)),
        len(off),
    )
