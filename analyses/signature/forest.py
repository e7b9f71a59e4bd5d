"""Out-of-fold scores of a random forest, compiled: what a genetic algorithm asks for ten thousand times.

The forest is Breiman's (doi:10.1023/A:1010933404324) as scikit-learn grows it: bootstrap, Gini impurity, sqrt(k) features tried
at each node (more while all are constant there), thresholds half way between two values, trees grown out, class shares of the
leaves averaged. Random numbers are others, so that scores agree with scikit-learn's as those of another seed do. The model that
is reported is scikit-learn's own; this is its stand-in while subsets are compared.

Why it is quick: values become ranks once; at a node the samples' ranks are set as bits and read back in order, so that nothing
is sorted; the samples to be scored travel down with the tree, and branches that none of them reaches are not grown.

Needs numba (the extra `signature`). Everything is deterministic: a subset's fitness depends on the data, the folds, the seed and
the subset alone, in whichever thread it is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit

from analyses.signature.folds import mean_over_folds

_GOOD = 1 << 32
_LOW = _GOOD - 1
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
# where the one bit of a power of two is, by the top bits of its product with the number above
_PLACES = np.argsort([(((1 << bit) * int(_DE_BRUIJN)) % (1 << 64)) >> 58 for bit in range(64)])


@dataclass(frozen=True)
class ForestSettings:
    """n_trees: of each fold's forest; max_features: tried at a node, None for sqrt(k); min_leaf: samples in a leaf."""

    n_trees: int = 100
    max_features: int | None = None
    min_leaf: int = 1


class FoldForests:
    """Forests over fixed folds of one data set, for any subset of its features.

    values: (patients, features); is_good: (patients,) labels; fold_of: (patients,) the fold in which each is held out;
    metric: auc, balanced_accuracy or accuracy, the mean over the folds.
    """

    def __init__(
        self,
        values: np.ndarray,
        is_good: np.ndarray,
        fold_of: np.ndarray,
        settings: ForestSettings,
        seed: int,
        metric: str = "auc",
    ):
        self._codes, self._levels = _ranked(np.asarray(values, dtype=np.float64))
        self._values = np.ascontiguousarray(np.asarray(values, dtype=np.float64).T)
        self._is_good = np.ascontiguousarray(is_good, dtype=np.uint8)
        self._fold_of = np.ascontiguousarray(fold_of, dtype=np.int64)
        self.settings, self.metric = settings, metric
        self._seed = np.uint64(seed % 2**63)

    def scores(self, columns: Sequence[int]) -> np.ndarray:
        """(patients,) the share of good in the leaves that each patient falls into, of forests that had not seen her."""
        chosen = np.ascontiguousarray(columns, dtype=np.int64)
        tried = self.settings.max_features or max(1, int(np.sqrt(len(chosen))))
        return _out_of_fold(
            self._values,
            self._codes,
            self._levels,
            self._is_good,
            self._fold_of,
            chosen,
            self.settings.n_trees,
            min(tried, len(chosen)),
            self.settings.min_leaf,
            self._seed,
        )

    def fitness(self, columns: Sequence[int]) -> float:
        """The metric's mean over the folds; a fold with one class does not count."""
        return mean_over_folds(self._is_good.astype(bool), self.scores(columns), self._fold_of, self.metric)

    def fitness_of(self, subsets: Sequence[Sequence[int]], threads: int = 1) -> list[float]:
        """The fitness of each subset; the same for any number of threads."""
        if threads <= 1 or len(subsets) < 2:
            return [self.fitness(s) for s in subsets]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(self.fitness, subsets))


def _ranked(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(features, patients) rank of each value among the feature's distinct values; (features, patients) these values."""
    n, p = values.shape
    codes = np.empty((p, n), dtype=np.uint32)
    levels = np.zeros((p, n), dtype=np.float64)
    for j in range(p):
        distinct, codes[j] = np.unique(values[:, j], return_inverse=True)
        levels[j, : len(distinct)] = distinct
    return codes, levels


# ------------------------------------------------------------------------------------------------------------ compiled


@njit(cache=True, nogil=True)
def _mixed(state):
    """The next 64 random bits of a counter (SplitMix64; Steele, Lea and Flood 2014, doi:10.1145/2714064.2660195)."""
    z = state + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def _below(state, n):
    """A number of 0 … n - 1, and the next state."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    bits = _mixed(state) >> np.uint64(32)
    return np.int64((bits * np.uint64(n)) >> np.uint64(32)), state


@njit(cache=True, nogil=True)
def _out_of_fold(values, codes, levels, is_good, fold_of, columns, n_trees, n_tried, min_leaf, seed):
    """(patients,) scores. values, codes, levels: (features, patients); columns: the subset."""
    n = len(is_good)
    n_folds = fold_of.max() + 1
    scores = np.zeros(n)
    train = np.empty(n, np.uint32)
    samples = np.empty(n, np.uint32)
    held_out = np.empty(n, np.uint32)
    spare = np.empty(n, np.uint32)
    weights = np.zeros(n, np.int64)  # both classes in one number: good above the 32nd bit, poor below
    one = np.where(is_good, _GOOD, 1)
    order = columns.copy()
    counts = np.zeros(n, np.int64)
    sizes = np.zeros(n, np.int64)
    bits = np.zeros((n + 63) // 64, np.uint64)
    inverse = np.zeros(n + 1)
    for i in range(1, n + 1):
        inverse[i] = 1.0 / i
    stack = np.empty((n + 2, 4), np.int64)
    for fold in range(n_folds):
        n_train = 0
        n_out = 0
        for i in range(n):
            if fold_of[i] == fold:
                held_out[n_out] = i
                n_out += 1
            else:
                train[n_train] = i
                n_train += 1
        if n_out == 0 or n_train == 0:
            continue
        for tree in range(n_trees):
            state = _mixed(seed ^ _mixed(np.uint64(fold * 1_000_003 + tree)))
            for i in range(n_train):
                weights[train[i]] = 0
            for _ in range(n_train):
                at, state = _below(state, n_train)
                weights[train[at]] += one[train[at]]
            n_in = 0
            for i in range(n_train):
                if weights[train[i]] > 0:
                    samples[n_in] = train[i]
                    n_in += 1
            stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = 0, n_in, 0, n_out
            top = 1
            while top > 0:  # along the ways of the held-out patients
                top -= 1
                start, end, first, last = stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3]
                both = np.int64(0)
                for i in range(start, end):
                    both += weights[samples[i]]
                good, poor = both >> 32, both & _LOW
                feature = np.int64(-1)
                if good > 0 and poor > 0 and end - start >= 2 * min_leaf:
                    feature, code, threshold, state = _best_split(
                        codes, levels, weights, samples[start:end], good, poor, order, n_tried, min_leaf, state, counts,
                        sizes, bits, inverse,
                    )  # fmt: skip
                if feature < 0:
                    share = good / (good + poor)
                    for i in range(first, last):
                        scores[held_out[i]] += share
                    continue
                middle = start + _parted(samples[start:end], codes[feature], np.uint32(code), spare)
                between = first
                kept = 0
                for i in range(first, last):
                    if values[feature, held_out[i]] <= threshold:
                        held_out[between] = held_out[i]
                        between += 1
                    else:
                        spare[kept] = held_out[i]
                        kept += 1
                for i in range(kept):
                    held_out[between + i] = spare[i]
                if between < last:
                    stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = middle, end, between, last
                    top += 1
                if first < between:
                    stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = start, middle, first, between
                    top += 1
    return scores / n_trees


@njit(cache=True, nogil=True)
def _parted(samples, ranks, code, spare):
    """Move the samples of rank up to `code` before the others; gives how many they are."""
    middle = 0
    kept = 0
    for i in range(len(samples)):
        one = samples[i]
        if ranks[one] <= code:
            samples[middle] = one
            middle += 1
        else:
            spare[kept] = one
            kept += 1
    for i in range(kept):
        samples[middle + i] = spare[i]
    return middle


@njit(cache=True, nogil=True)
def _best_split(
    codes, levels, weights, samples, good, poor, order, n_tried, min_leaf, state, counts, sizes, bits, inverse
):
    """(feature, last rank on the left, threshold, state); feature -1 where no feature can split the node.

    The gain is sum of squares over n of both sides, which ranks splits as the Gini impurity does.
    """
    best = -1.0
    feature = np.int64(-1)
    left_code = right_code = np.int64(0)
    n_varying = 0
    k = len(order)
    n = len(samples)
    n_words = len(bits)
    total = good + poor
    for visited in range(k):
        if visited >= n_tried and n_varying > 0:
            break
        at, state = _below(state, k - visited)
        j = order[visited + at]
        order[visited + at] = order[visited]
        order[visited] = j
        ranks = codes[j]
        for i in range(n):
            one = samples[i]
            rank = ranks[one]
            bits[rank >> np.uint32(6)] |= np.uint64(1) << np.uint64(rank & np.uint32(63))
            counts[rank] += weights[one]
        if min_leaf > 1:
            for i in range(n):
                sizes[ranks[samples[i]]] += 1
        both = np.int64(0)
        n_left = 0
        n_ranks = 0
        before = np.int64(-1)
        for word in range(n_words):
            rest = bits[word]
            bits[word] = 0
            while rest != 0:
                lowest = rest & (~rest + np.uint64(1))
                rest ^= lowest
                rank = word * 64 + _PLACES[(lowest * _DE_BRUIJN) >> np.uint64(58)]
                if before >= 0:
                    good_left, poor_left = both >> 32, both & _LOW
                    good_right, poor_right = good - good_left, poor - poor_left
                    n_l = good_left + poor_left
                    gain = (good_left * good_left + poor_left * poor_left) * inverse[n_l] + (
                        good_right * good_right + poor_right * poor_right
                    ) * inverse[total - n_l]
                    if gain > best and (min_leaf == 1 or (n_left >= min_leaf and n - n_left >= min_leaf)):
                        best, feature, left_code, right_code = gain, j, before, rank
                both += counts[rank]
                counts[rank] = 0
                n_left += sizes[rank]
                sizes[rank] = 0
                before = rank
                n_ranks += 1
        n_varying += n_ranks > 1
    threshold = 0.0
    if feature >= 0:
        threshold = levels[feature, left_code] / 2.0 + levels[feature, right_code] / 2.0
    return feature, left_code, threshold, state
