"""Profiles that are not what is said of them, or not what their neighbours are: 250 genes, six samples or eight."""

from __future__ import annotations

from math import log2
from random import Random

import pytest

from tests.ingest.zoo.judge import CLEAN, E, Found, Refused, W, judge, look_at_matrix
from tshdb.errors import UsageError

NAMES = [f"TCGA-Z1-Q00{i}-{kind}" for i in (1, 2, 3, 4) for kind in ("01A", "11A")]
GENES = [f"LOC{i:05d}" for i in range(248)] + ["XIST", "RPS4Y1"]


def values() -> list[list[float]]:
    """TPM-like: genes of which each has its level, in eight samples of women."""
    random = Random(11)
    rows = []
    for gene in GENES:
        level = random.gauss(3, 2)
        rows.append([2.718 ** (level + random.gauss(0, 0.5)) for _ in NAMES])
        if gene in ("XIST", "RPS4Y1"):
            rows[-1] = [55.5 + j if gene == "XIST" else 0.0 for j in range(len(NAMES))]
    return rows


def table(rows, form="{:.3f}") -> str:
    lines = [["gene", *NAMES], *([g, *(form.format(v) for v in row)] for g, row in zip(GENES, rows, strict=False))]
    return "".join("\t".join(line) + "\n" for line in lines)


def each(change) -> list[list[float]]:
    return [[change(v) for v in row] for row in values()]


def column(j: int, change) -> list[list[float]]:
    """One sample's values as another list of the same length."""
    rows = values()
    for row, value in zip(rows, change([r[j] for r in rows]), strict=True):
        row[j] = value
    return rows


def centred() -> list[list[float]]:
    return [[log2(v + 1) - sum(log2(x + 1) for x in row) / len(row) for v in row] for row in values()]


def centred_with_zeros() -> list[list[float]]:
    """As `centred`, the gene of the highest level without expression in three samples: three values stand at the smallest."""
    rows = values()[:20]
    rows[10] = [0.0, 0.0, 0.0, *(9000.5 + j for j in range(5))]
    return [[log2(v + 1) - log2(sorted(row)[4] + 1) for v in row] for row in rows]


def moved(cells: list[float]) -> list[float]:
    """A column that was pasted many rows lower: its end stands above."""
    return [*cells[125:], *cells[:125]]


TRAPS = {
    "logarithms called linear": (each(lambda v: log2(v + 1)), "tpm", "linear", Found("rna.scale-doubtful", W, "--scale log2")),
    "linear values called logarithms": (values(), "tpm", "log2", Found("rna.scale-doubtful", W, "--scale linear")),
    "another offset": (each(lambda v: log2(v + 0.001)), "tpm", "log2", Found("rna.log-negative", W, "Toil")),
    "centred genes": (centred(), "tpm", "log2", Found("rna.log-negative", W, "centred")),
    "centred genes, one of them with zeros": (centred_with_zeros(), "tpm", "log2", Found("rna.log-negative", W, "centred")),
    "centred genes called linear": (centred(), "tpm", "linear", Found("rna.negative", E, "centred")),
    "counts called TPM": (
        each(lambda v: round(v * 40)), "tpm", "linear", Found("rna.looks-like-counts", W, also=("rna.not-tpm",)),
    ),
    "fractions called counts": (values(), "counts", "linear", Found("rna.not-counts", W, also=("rna.few-genes-counted",))),
    "shares of one called TPM": (each(lambda v: v / 1e9), "tpm", "linear", Found("rna.scale-doubtful", W)),
    "more than a million": (each(lambda v: v * 1e4 + 0.5), "tpm", "linear", Found("rna.not-tpm", W)),
    "one sample of logarithms": (
        column(2, lambda cells: [log2(v + 1) for v in cells]), "tpm", "linear", Found("rna.scale-doubtful", W, "of others"),
    ),
    "one sample of another unit": (
        column(2, lambda cells: [v * 1e4 for v in cells]), "tpm", "linear", Found("rna.sample-off", W, also=("rna.not-tpm",)),
    ),
    "one sample that moved by rows": (column(2, moved), "tpm", "linear", Found("rna.sample-unlike", W, "moved by a row")),
    "one sample that was sorted": (column(2, sorted), "tpm", "linear", Found("rna.sample-unlike", W)),
    "one sample twice": (
        [[*row[:2], row[0], *row[3:]] for row in values()], "tpm", "linear", Found("rna.same-profile", W, "of 2 patients"),
    ),
    "an empty sample": (column(2, lambda cells: [0.0] * len(cells)), "tpm", "linear", Found("rna.profile-empty", E)),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_profiles_are_not_what_is_said(zoo_study, tmp_path, trap):
    rows, unit, scale, verdict = TRAPS[trap]
    form = "{:.0f}" if trap.startswith("counts") else "{:.14f}" if "shares" in trap else "{:.3f}"
    judge(look_at_matrix(zoo_study, tmp_path, table(rows, form), unit, scale), verdict)


@pytest.mark.parametrize(
    ("unit", "scale", "offset", "words"),
    [
        ("counts", "log2", None, "logarithms of counts"), ("tpm", "linear", 1.0, "linear values"),
        ("tpm", "log2", -1.0, "above 0"), ("tpm", "log2", 50.0, "above 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_no_option(zoo_study, tmp_path, unit, scale, offset, words):
    look = look_at_matrix(zoo_study, tmp_path, table(values()), unit, scale, log_offset=offset)
    judge(look, Refused(words))
    with pytest.raises(UsageError):
        look()


def test_without_a_trap_there_is_no_finding(zoo_study, tmp_path):
    judge(look_at_matrix(zoo_study, tmp_path, table(values())), CLEAN)
    logs = table(each(lambda v: log2(v + 1)))
    judge(look_at_matrix(zoo_study, tmp_path, logs, scale="log2"), CLEAN)
    judge(
        look_at_matrix(
            zoo_study, tmp_path, table(each(lambda v: log2(v + 0.001)), "{:.6f}"), scale="log2", log_offset=0.001
        ),
        CLEAN,
    )
