"""Values against what is declared of them, at any number of genes; names that are no genes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.expression import rna
from tshdb.errors import InvalidInput, UsageError
from tshdb.schema import ExpressionProfile
from tshdb.vocabulary import ExpressionUnit, Scale

SAMPLES = [f"TCGA-Z1-Q{i:03d}-{v}" for i in range(1, 11) for v in ("01A", "11A")]
RNG = np.random.default_rng(7)


def linear(n_genes: int) -> np.ndarray:
    """TPM-like values: log-normal, with zeros."""
    mean = np.exp(RNG.normal(2, 2, (n_genes, 1)))
    return np.where(
        RNG.random((n_genes, len(SAMPLES))) < 0.1, 0.0, mean * np.exp(RNG.normal(0, 0.5, (n_genes, len(SAMPLES))))
    )


def read(
    folder: Path,
    values: np.ndarray,
    unit: str = "tpm",
    scale: str = "linear",
    genes: list[str] | None = None,
    **options,
):
    path = folder / "m.tsv"
    names = genes or [f"GENE{i}" for i in range(len(values))]
    lines = [
        "\t".join(["gene", *SAMPLES[: values.shape[1]]]),
        *("\t".join([g, *(f"{v:.4f}" for v in row)]) for g, row in zip(names, values, strict=True)),
    ]
    path.write_text("\n".join(lines) + "\n")
    return rna.read(path, rna.MatrixOptions("c", ExpressionUnit(unit), Scale(scale), path.name, **options))


def said(content) -> list[tuple[str, str]]:
    return [(f.rule, f.message) for f in content.findings]


PANELS = [20, 111, 1000]


@pytest.mark.parametrize("n", PANELS)
@pytest.mark.parametrize(
    ("make", "unit", "scale", "rule", "word"),
    [
        (lambda x: np.log2(x + 1), "tpm", "linear", "rna.scale-doubtful", "--scale log2"),
        (lambda x: np.log2(x + 0.001), "tpm", "log2", "rna.log-negative", "Toil"),
        (lambda x: np.log2(x + 0.1), "fpkm", "log2", "rna.log-negative", "SCAN-B"),
        (lambda x: np.log2(x + 0.25), "tpm", "log2", "rna.log-negative", "--log-offset 0.25"),
        (lambda x: _z(np.log2(x + 1)), "tpm", "log2", "rna.log-negative", "z scores"),
        (lambda x: _centred(np.log2(x + 1)), "tpm", "log2", "rna.log-negative", "centred"),
        (lambda x: _z(np.log2(x + 1)), "tpm", "linear", "rna.negative", "z scores"),
        (lambda x: np.round(x * 50), "tpm", "linear", "rna.looks-like-counts", "counts"),
        (lambda x: x * 50, "counts", "linear", "rna.not-counts", "whole"),
        (lambda x: x * 1e6, "tpm", "linear", "rna.not-tpm", "TPM of all genes"),
        (lambda x: x * 1e6, "cpm", "linear", "rna.not-tpm", "CPM of all genes"),
        (lambda x: x * 50, "tpm", "log2", "rna.scale-doubtful", "no log2 value"),
    ],
    ids=["log2 as linear", "Toil", "SCAN-B", "offset .25", "z", "centred", "z as linear", "counts as TPM", "TPM as counts",
         "sums TPM", "sums CPM", "linear as log2"],
)  # fmt: skip
def test_values_that_are_not_what_is_said(tmp_path, n, make, unit, scale, rule, word):
    told = said(read(tmp_path, make(linear(n)), unit, scale))
    assert any(r == rule and word in message for r, message in told), told


def _centred(x: np.ndarray) -> np.ndarray:
    return x - np.median(x, axis=1, keepdims=True)


def _z(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, ddof=1, keepdims=True)


@pytest.mark.parametrize("n", PANELS)
@pytest.mark.parametrize(
    ("make", "unit", "scale", "options"),
    [
        (lambda x: x, "tpm", "linear", {}),
        (lambda x: x, "fpkm", "linear", {}),
        (lambda x: x, "cpm", "linear", {}),
        (lambda x: np.log2(x + 1), "tpm", "log2", {}),
        (lambda x: np.log2(x + 0.001), "tpm", "log2", {"log_offset": 0.001}),
        (lambda x: np.log2(x + 0.1), "fpkm", "log2", {"log_offset": 0.1}),
    ],
    ids=["TPM", "FPKM", "CPM", "log2(TPM + 1)", "Toil, said", "SCAN-B, said"],
)
def test_values_that_are_what_is_said_have_no_finding(tmp_path, n, make, unit, scale, options):
    assert said(read(tmp_path, make(linear(n)), unit, scale, **options)) == []


def test_intensities_of_arrays_are_no_tpm(tmp_path):
    rma = RNG.uniform(2.5, 14, (500, 20))
    assert "RMA" in said(read(tmp_path, rma, "tpm", "log2"))[0][1]
    assert said(read(tmp_path, rma, "intensity", "log2")) == []


@pytest.mark.parametrize(("offset", "said_offset"), [(0.1, 1.0), (0.001, 0.1)])
def test_another_offset_than_the_declared_one_is_refused(tmp_path, offset, said_offset):
    with pytest.raises(InvalidInput, match="these are not log2"):
        read(tmp_path, np.log2(linear(50) + offset), "tpm", "log2", log_offset=said_offset)


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(UsageError, match="logarithms of counts"):
        read(tmp_path, np.log2(linear(20) + 1), "counts", "log2")
    with pytest.raises(UsageError, match="linear values"):
        read(tmp_path, linear(20), "tpm", "linear", log_offset=1.0)


def test_counts_know_their_library(tmp_path):
    values = np.round(linear(50) * 50)
    content = read(tmp_path, values, "counts")
    assert [f.rule for f in content.findings] == ["rna.few-genes-counted"]
    sizes = [r.values["library_size"] for r in content.records if r.table is ExpressionProfile]
    assert sizes == values.sum(axis=0).tolist()


def test_names_that_are_no_genes(tmp_path):
    """Dates in six forms, numbers, an Excel day, errors, rows that count reads, spike-ins; none is a gene, nor in the library."""
    bad = {
        **dict.fromkeys(["Mar-01", "1-Mar", "2021-03-01", "Sep-02", "3/1/2021", "01.03.2021"], "rna.gene-is-a-date"),
        "2.31E+13": "rna.no-gene", "44256": "rna.no-gene",
        "#NAME?": "rna.no-gene", "1.5": "rna.no-gene", "__no_feature": "rna.summary-row", "N_unmapped": "rna.summary-row",
        "N_noFeature": "rna.summary-row", "alignment_not_unique": "rna.summary-row", "ERCC-00002": "rna.summary-row",
    }  # fmt: skip
    good = [
        "CD3D",
        "MARCH1",
        "SEPT2",
        "DEC1",
        "MARC1",
        "ENSG00000167286.14",
        "2310009E13Rik",
        "C1orf112",
        "HLA-DRA",
        "N4BP1",
        "NA",
    ]
    names = [*good, *bad, "ENSGR0000182378"]
    content = read(tmp_path, np.full((len(names), 2), 100.0), "counts", genes=names)
    counters = {"N_unmapped", "N_noFeature"}  # told with the first of them
    assert all(name in f.message for f in content.findings if f.value == "__no_feature" for name in counters)
    told = {f.value: f.rule for f in content.findings if f.column == "gene" and f.value}
    assert told == {name: rule for name, rule in bad.items() if name not in counters}
    assert len(content.matrix.genes) == len(good) and "rna.par-y" in {f.rule for f in content.findings}
    assert {r.values["library_size"] for r in content.records if r.table is ExpressionProfile} == {100.0 * len(good)}


def test_entrez_numbers_are_genes_where_all_are(tmp_path):
    content = read(tmp_path, np.full((4, 2), 50.5), genes=["925", "44256", "10", "CD3D"])
    assert "entrez:44256" in content.matrix.genes.ids and not [f for f in content.findings if f.column == "gene"]
