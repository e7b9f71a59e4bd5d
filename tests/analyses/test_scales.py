"""Scales of expression: counts by R, depth, offsets that are taken back, and ratios that there are not."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.expression import markers
from analyses.expression.cell_abundances import NO_LIBRARY, CellAbundanceParameters, cell_abundances
from analyses.expression.tsh_ratios import TshRatioParameters, tsh_ratios
from ingest.expression import rna
from tshdb.expression_store import ExpressionMatrix
from tshdb.schema import ExpressionProfile
from tshdb.vocabulary import ExpressionUnit, Scale

DATA = Path(__file__).parent.parent / "data"
T, S = "TCGA-Z1-Q001-01A", "TCGA-Z1-Q001-11A"
NOTHING_DROPPED = pd.DataFrame({"gene_id": []})
MCP = pd.DataFrame(markers.read("mcp_counter", Path("."))[1])


def abundances(
    path: Path, unit: ExpressionUnit, scale: Scale = Scale.LINEAR, only: set[str] | None = None, **options
) -> pd.DataFrame:
    """Abundances of a matrix as the reader gives it. only: the genes that the analysis is handed, as the engine does."""
    content = rna.read(path, rna.MatrixOptions("c", unit, scale, path.name, **options))
    profiles = pd.DataFrame([r.values for r in content.records if r.table is ExpressionProfile]).set_index("profile_id")
    values = np.column_stack([content.matrix.column(i) for i in range(len(content.matrix.profile_ids))])
    genes = np.array(content.matrix.genes.ids, dtype=object)
    kept = np.array([only is None or gene in only for gene in genes])
    expression = ExpressionMatrix(genes[kept], profiles, values[kept], np.ones(values[kept].shape, bool))
    frame = cell_abundances(expression, MCP, NOTHING_DROPPED, CellAbundanceParameters())
    return frame.assign(sample=[p.split(":")[0] for p in frame["profile_id"]])


def counts(folder: Path, depth: int = 1) -> Path:
    """The counts of the fixture, times a depth."""
    with gzip.open(DATA / "counts_cpm_input.csv.gz", "rt") as file:
        header, *rows = list(csv.reader(file))
    path = folder / "counts.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *([gene, *(str(int(v) * depth) for v in row)] for gene, *row in rows)])
    return path


def test_counts_are_log2_cpm_as_r_makes_them(tmp_path):
    """tests/data/counts_cpm.R. The analysis is handed the markers alone, so that only the profile's row knows the depth."""
    ours = abundances(counts(tmp_path), ExpressionUnit.COUNTS, only=set(MCP["marker"]))
    theirs = pd.read_csv(DATA / "counts_cpm_r.csv")
    both = theirs.merge(ours, on=["sample", "population"], suffixes=("_r", ""), validate="one_to_one")
    assert len(both) == len(theirs) == 60
    assert np.max(np.abs(both["abundance"] - both["abundance_r"])) < 1e-9
    assert set(ours["transform"]) == {"log2(CPM + 1)"}


@pytest.mark.parametrize("depth", [2, 3, 7])
def test_depth_moves_no_abundance(tmp_path, depth):
    one = abundances(counts(tmp_path), ExpressionUnit.COUNTS)["abundance"]
    assert np.max(np.abs(abundances(counts(tmp_path, depth), ExpressionUnit.COUNTS)["abundance"] - one)) < 1e-12


def test_logarithms_of_counts_are_counts_again(tmp_path):
    one = abundances(counts(tmp_path), ExpressionUnit.COUNTS)["abundance"]
    path = counts(tmp_path)
    header, *rows = list(csv.reader(path.open()))
    path.write_text(
        "\n".join(
            [",".join(header), *(",".join([g, *(repr(float(np.log2(int(v) + 1))) for v in row)]) for g, *row in rows)]
        )
        + "\n"
    )
    again = abundances(path, ExpressionUnit.COUNTS, Scale.LOG2, log_offset=1.0)
    assert np.max(np.abs(again["abundance"] - one)) < 1e-9 and set(again["transform"]) == {"log2(CPM + 1)"}


def test_an_offset_is_taken_back(tmp_path):
    """CD8B of 2, 0.25 and 0 TPM as log2(x + 0.001), with four decimals as Xena writes them: log2(3), log2(1.25), 0."""
    path = tmp_path / "toil.tsv"
    path.write_text(f"gene\t{T}\t{S}\tTCGA-Z1-Q002-01A\nCD8B\t1.0007\t-1.9942\t-9.9658\n")
    frame = abundances(path, ExpressionUnit.TPM, Scale.LOG2, log_offset=0.001).set_index(["sample", "population"])
    got = frame.xs("CD8 T cells", level="population")["abundance"]
    assert got.to_numpy() == pytest.approx([np.log2(3), np.log2(1.25), 0.0], abs=1e-4)
    assert got.iloc[2] == 0 and set(frame["transform"]) == {"log2(x + 1)"}


def test_counts_that_know_no_library_have_no_value():
    profiles = pd.DataFrame(
        {"unit": ["counts"], "scale": ["linear"], "library_size": [None]}, index=pd.Index(["p"], name="profile_id")
    )
    expression = ExpressionMatrix(np.array(["CD8B"], dtype=object), profiles, np.array([[7.0]]), np.ones((1, 1), bool))
    row = (
        cell_abundances(expression, MCP, NOTHING_DROPPED, CellAbundanceParameters())
        .set_index("population")
        .loc["CD8 T cells"]
    )
    assert row["abundance"] is None and row["reason"] == NO_LIBRARY


# ---------------------------------------------------------------------------------------------------------- ratios


def side(abundance: float, transform: str = "none", reason: str | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "patient_id": "p",
                "population": "x",
                "unit": "tpm",
                "transform": transform,
                "abundance": abundance,
                "reason": reason,
            }
        ]
    )


@pytest.mark.parametrize(
    ("tumor", "stroma", "biomarker", "value", "reason"),
    [
        (2.0, 1.0, "ratio", 1.0, None),
        (0.0, 1.0, "ratio", -1.0, None),
        (1.0, -1.0, "ratio", None, "stroma abundance below 0: no ratio on such a scale"),
        (-2.0, -1.0, "ratio", None, "tumour abundance below 0: no ratio on such a scale"),
        (-1.0, 1.0, "ratio", None, "tumour abundance below 0: no ratio on such a scale"),
        (1.0, -0.01, "ratio", None, "stroma abundance below 0: no ratio on such a scale"),
        (1.0, 0.01, "ratio", None, "stroma abundance below 0.05"),
        (-2.0, -1.0, "log2_ratio", None, "tumour abundance below 0: no ratio on such a scale"),
        (-2.0, -1.0, "difference", -1.0, None),
    ],
)
def test_a_ratio_is_of_positive_abundances(tumor, stroma, biomarker, value, reason):
    row = tsh_ratios(side(tumor), side(stroma), TshRatioParameters(biomarker=biomarker)).iloc[0]
    assert (None if np.isnan(row["value"]) else row["value"], row["reason"]) == (value, reason)


def test_two_transforms_never_meet():
    for biomarker in ("ratio", "difference", "log2_ratio"):
        row = tsh_ratios(side(2.0, "log2(x + 1)"), side(1.0), TshRatioParameters(biomarker=biomarker)).iloc[0]
        assert np.isnan(row["value"]) and "different ways" in row["reason"] and row["transform"] == "log2(x + 1) | none"


def test_a_positive_mean_of_values_below_0_makes_no_ratio(tmp_path):
    """z scores: the mean of a population's markers may be above 0, and there is still no zero to compare with."""
    path = tmp_path / "z.tsv"
    path.write_text(f"gene\t{T}\t{S}\nCD3D\t2\t1\nCD5\t-1\t0.5\nCD8B\t3\t2\n")
    frame = abundances(path, ExpressionUnit.TPM, Scale.LOG2).assign(patient_id="p")
    tumor, stroma = (frame[frame["sample"] == s] for s in (T, S))
    rows = tsh_ratios(tumor, stroma, TshRatioParameters()).set_index("population")
    assert np.isnan(rows.loc["T cells", "value"]) and "marker values below 0" in rows.loc["T cells", "reason"]
    assert rows.loc["CD8 T cells", "value"] == 0.5
    assert (
        tsh_ratios(tumor, stroma, TshRatioParameters(biomarker="difference"))
        .set_index("population")
        .loc["T cells", "value"]
        == -0.25
    )
