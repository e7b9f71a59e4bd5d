"""A genetic algorithm over subsets of features (Holland 1975; Siedlecki and Sklansky 1989, doi:10.1016/0167-8655(89)90037-8).

    value of a subset = fitness - parsimony x its size

Each generation: the `elite` best stay; parents are winners of tournaments; pairs exchange features with probability `crossover`
(each feature from either parent alike); each feature of a child flips with probability `mutation` (1 / n_features unless given).
The paper gives population 100 and 100 generations and none of the operators (A17): each is a parameter here.

Random numbers of a generation come from (seed, generation), and a subset's fitness from the subset alone: a search that was
stopped and goes on from its last generation ends as one that was not, with any number of threads.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

Subset = tuple[int, ...]
Fitness = Callable[[Sequence[Subset]], Sequence[float]]


@dataclass(frozen=True)
class GeneticSettings:
    """initial_share: of the features in a first subset; tournament: how many compete; elite: how many stay."""

    population: int = 100
    generations: int = 100
    tournament: int = 3
    crossover: float = 0.8
    mutation: float | None = None
    elite: int = 2
    initial_share: float = 0.05
    parsimony: float = 0.002
    max_features: int | None = None


@dataclass(frozen=True)
class Generation:
    """What a generation reached. best: the subset of the highest value so far; n_evaluated: subsets not met before."""

    number: int
    best: Subset
    best_fitness: float
    mean_fitness: float
    mean_size: float
    n_evaluated: int


@dataclass
class Search:
    """A search as it stands after a generation: enough to go on from."""

    population: np.ndarray  # (individuals, features), whether each is in
    fitness: np.ndarray
    known: dict[Subset, float]
    generations: list[Generation] = field(default_factory=list)

    @property
    def best(self) -> Generation:
        return self.generations[-1]

    def to_bytes(self) -> bytes:
        """The search as bytes; `from_bytes` reads them."""
        sizes = [len(s) for s in self.known]
        records = [(g.number, g.best_fitness, g.mean_fitness, g.mean_size, g.n_evaluated) for g in self.generations]
        buffer = io.BytesIO()
        np.savez(
            buffer,
            population=self.population,
            fitness=self.fitness,
            known_sizes=np.array(sizes, dtype=np.int64),
            known_features=np.array([j for s in self.known for j in s], dtype=np.int64),
            known_fitness=np.array(list(self.known.values()), dtype=float),
            records=np.array(records, dtype=float),
            best_sizes=np.array([len(g.best) for g in self.generations], dtype=np.int64),
            best_features=np.array([j for g in self.generations for j in g.best], dtype=np.int64),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Search:
        """Raises ValueError, KeyError or OSError for bytes that are no search."""
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            known = _subsets(stored["known_features"], stored["known_sizes"])
            best = _subsets(stored["best_features"], stored["best_sizes"])
            generations = [
                Generation(int(number), subset, float(reached), float(mean), float(size), int(n))
                for (number, reached, mean, size, n), subset in zip(stored["records"], best, strict=True)
            ]
            values = map(float, stored["known_fitness"])
            return cls(stored["population"], stored["fitness"], dict(zip(known, values, strict=True)), generations)


def _subsets(features: np.ndarray, sizes: np.ndarray) -> list[Subset]:
    return [tuple(map(int, part)) for part in np.split(features, np.cumsum(sizes)[:-1])] if len(sizes) else []


def search(
    fitness_of: Fitness,
    n_features: int,
    settings: GeneticSettings,
    seed: int,
    begun: Search | None = None,
    on_generation: Callable[[Search], None] = lambda _: None,
) -> Search:
    """Search for the subset of the highest value. begun: go on from there; on_generation: told after each generation.

    Generation 0 is the first population, so that `settings.generations` follow it. Raises ValueError without features.
    """
    if n_features < 1:
        raise ValueError("no feature to choose from")
    state = begun
    if state is None:
        state = Search(_first(n_features, settings, seed), np.empty(0), {})
        _evaluate(state, fitness_of, settings, 0)
        on_generation(state)
    for number in range(state.generations[-1].number + 1, settings.generations + 1):
        state.population = _next(state, settings, np.random.default_rng([seed, number]))
        _evaluate(state, fitness_of, settings, number)
        on_generation(state)
    return state


def _first(n_features: int, settings: GeneticSettings, seed: int) -> np.ndarray:
    generator = np.random.default_rng([seed, 0])
    population = generator.random((settings.population, n_features)) < settings.initial_share
    return _mended(population, settings, generator)


def _mended(population: np.ndarray, settings: GeneticSettings, generator: np.random.Generator) -> np.ndarray:
    """Give empty subsets one feature, and take features at random from those with too many."""
    for row in population:
        if not row.any():
            row[generator.integers(len(row))] = True
        elif settings.max_features is not None and row.sum() > settings.max_features:
            chosen = np.flatnonzero(row)
            row[generator.permutation(chosen)[settings.max_features :]] = False
    return population


def _evaluate(state: Search, fitness_of: Fitness, settings: GeneticSettings, number: int) -> None:
    subsets = [tuple(map(int, np.flatnonzero(row))) for row in state.population]
    new = [s for s in dict.fromkeys(subsets) if s not in state.known]
    state.known.update(zip(new, map(float, fitness_of(new)), strict=True))
    state.fitness = np.array([state.known[s] for s in subsets])
    # the highest value; of equal ones the smallest subset, then the first by its features
    best = min(subsets, key=lambda s: (-_value(state.known[s], len(s), settings), len(s), s))
    if state.generations:
        before = state.generations[-1].best
        if _value(state.known[before], len(before), settings) >= _value(state.known[best], len(best), settings):
            best = before
    state.generations.append(
        Generation(
            number,
            best,
            state.known[best],
            float(state.fitness.mean()),
            float(state.population.sum(axis=1).mean()),
            len(new),
        )
    )


def _value(fitness: float, size: int, settings: GeneticSettings) -> float:
    return fitness - settings.parsimony * size


def _next(state: Search, settings: GeneticSettings, generator: np.random.Generator) -> np.ndarray:
    n, p = state.population.shape
    sizes = state.population.sum(axis=1)
    values = state.fitness - settings.parsimony * sizes
    order = np.lexsort((np.arange(n), sizes, -values))
    rank = np.empty(n, dtype=int)
    rank[order] = np.arange(n)
    elite = state.population[order[: settings.elite]]
    n_children = n - len(elite)
    entrants = generator.integers(n, size=(2 * n_children, settings.tournament))
    parents = entrants[np.arange(2 * n_children), np.argmin(rank[entrants], axis=1)]
    first, second = state.population[parents[:n_children]], state.population[parents[n_children:]]
    exchanged = (generator.random((n_children, 1)) < settings.crossover) & (generator.random((n_children, p)) < 0.5)
    children = np.where(exchanged, second, first)
    mutation = 1.0 / p if settings.mutation is None else settings.mutation
    children ^= generator.random((n_children, p)) < mutation
    return np.vstack([elite, _mended(children, settings, generator)])
