"""The analyses against independent programs and published numbers."""

from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses import ANALYSES
from analyses.expression import markers
from analyses.expression.cell_abundances import NO_MARKER, NO_VALUE, CellAbundanceParameters, cell_abundances
from analyses.expression.gene_filter import GeneFilterParameters, gene_filter
from analyses.expression.tsh_ratios import TshRatioParameters, tsh_ratios
from analyses.prognosis.univariable_cox import UnivariableCoxParameters, univariable_cox
from analyses.shared.multiple_testing import benjamini_hochberg
from analyses.shared.survival import censored
from tshdb.expression_store import ExpressionMatrix
from tshdb.tables.rows import paper_table_2

DATA = Path(__file__).parent.parent / "data"


def matrix(genes, profiles, values, scale="log2", unit="intensity") -> ExpressionMatrix:
    order = np.argsort(np.array(genes, dtype=object))
    frame = pd.DataFrame({"unit": unit, "scale": scale}, index=pd.Index(profiles, name="profile_id"))
    values = np.asarray(values, dtype=float)[order]
    return ExpressionMatrix(np.array(genes, dtype=object)[order], frame, values, np.ones(values.shape, dtype=bool))


def marker_frame(name: str) -> pd.DataFrame:
    return pd.DataFrame(markers.read(name, Path("."))[1])


def read_r(path: Path) -> tuple[list[str], list[str], np.ndarray]:
    """(rows, columns, values) of a csv that R wrote."""
    with gzip.open(path, "rt") as file:
        header, *rows = list(csv.reader(file))
    values = np.array([[np.nan if v == "NA" else float(v) for v in row[1:]] for row in rows])
    return [row[0] for row in rows], header[1:], values


NOTHING_DROPPED = pd.DataFrame({"gene_id": []})


def mcp_counter(expression: ExpressionMatrix, signature: str) -> pd.DataFrame:
    frame = cell_abundances(expression, marker_frame(signature), NOTHING_DROPPED, CellAbundanceParameters())
    return frame.pivot(index="population", columns="profile_id", values="abundance")


@pytest.mark.parametrize(
    ("input_file", "output_file", "signature", "rename"),
    [
        ("01_example_affy_input", "01_example_affy_output", "mcp_counter_affy133", {}),
        ("02_paired110_log2rsem1_hugo_legacy_input", "02_paired110_hugo_legacy_output", "mcp_counter_upstream", {}),
        (
            "02_paired110_log2rsem1_hugo_legacy_input",
            "03_paired110_hugo_updated_output",
            "mcp_counter_upstream",
            {"ELTD1": "ADGRL4", "CXorf36": "DIPK2B"},
        ),
        ("08_edge_na_input", "08_edge_na_output", "mcp_counter_upstream", {}),
    ],
    ids=["affy-probesets", "legacy-symbols", "updated-symbols", "missing-values"],
)
def test_mcp_counter_is_the_r_packages(shared, input_file, output_file, signature, rename):
    """Inputs and outputs of MCPcounter 1.2.0 in R."""
    genes, profiles, values = read_r(shared / f"mcpcounter/{input_file}.csv.gz")
    populations, _, expected = read_r(shared / f"mcpcounter/{output_file}.csv.gz")
    ours = mcp_counter(matrix([rename.get(g, g) for g in genes], profiles, values), signature)
    compared = ours.loc[populations, profiles].to_numpy(float)
    assert np.array_equal(np.isnan(compared), np.isnan(expected))
    assert np.nanmax(np.abs(compared - expected)) < 1e-9
    left_out = set(ours.index) - set(populations)  # R gives no row where no marker was found
    assert ours.loc[sorted(left_out)].isna().all().all()


def test_mcp_counter_by_hand():
    """T cells: mean of what is there; CD8: a value that is missing; B lineage: no marker; linear values become log2(x+1)."""
    expression = matrix(["CD3D", "CD5", "CD8B", "VWF"], ["s1", "s2"], [[1, 5], [2, np.nan], [np.nan, np.nan], [4, 8]])
    frame = cell_abundances(expression, marker_frame("mcp_counter"), NOTHING_DROPPED, CellAbundanceParameters())
    rows = frame.set_index(["profile_id", "population"])
    assert rows.loc[("s1", "T cells"), "abundance"] == 1.5
    assert rows.loc[("s2", "T cells"), "abundance"] == 5.0
    assert rows.loc[("s2", "T cells"), ["n_markers_found", "n_markers_measured", "n_markers_total"]].tolist() == [
        2,
        1,
        16,
    ]
    assert rows.loc[("s1", "T cells"), "reason"] == "low coverage: 2 of 16 markers"
    assert rows.loc[("s1", "CD8 T cells"), "reason"] == NO_VALUE
    assert rows.loc[("s1", "B lineage"), "reason"] == NO_MARKER
    linear = cell_abundances(
        matrix(["CD8B"], ["s"], [[7.0]], scale="linear", unit="tpm"),
        marker_frame("mcp_counter"), NOTHING_DROPPED, CellAbundanceParameters(),
    )  # fmt: skip
    row = linear.set_index("population").loc["CD8 T cells"]
    assert (row["abundance"], row["transform"], row["unit"]) == (3.0, "log2(x + 1)", "tpm")


def test_markers_are_found_by_ensembl_and_entrez_too():
    expression = matrix(["ENSG00000172116", "entrez:925"], ["s"], [[2.0], [4.0]])
    ours = mcp_counter(expression, "mcp_counter")["s"]
    assert ours["CD8 T cells"] == 2.0 and ours["Cytotoxic lymphocytes"] == 4.0


def test_the_bundled_table_corrects_one_symbol():
    ours, upstream = marker_frame("mcp_counter"), marker_frame("mcp_counter_upstream")
    assert len(ours) == len(upstream) == 111
    differ = ours[ours["marker"] != upstream["marker"]]
    assert differ[["marker", "ensembl"]].to_numpy().tolist() == [["CAVIN2", "ENSG00000168497"]]
    assert upstream.loc[differ.index, "marker"].tolist() == ["C"]
    assert len(marker_frame("mcp_counter_affy133")) == 177


def test_dropped_genes_are_no_markers():
    expression = matrix(["CD3D", "CD5"], ["s"], [[1.0], [3.0]])
    dropped = pd.DataFrame({"gene_id": ["CD5"]})
    frame = cell_abundances(expression, marker_frame("mcp_counter"), dropped, CellAbundanceParameters())
    row = frame.set_index("population").loc["T cells"]
    assert row["abundance"] == 1.0 and row["n_markers_found"] == 1


def test_gene_filter_by_hand():
    values = [[0, 0, 0, 0, 1], [0, 0, 0, np.nan, 5], [0, 0, 0, 1, 1], [1, 2, 3, 4, 5]]
    found = gene_filter(matrix(["A", "B", "C", "D"], list("vwxyz"), values), GeneFilterParameters())
    assert found.to_dict("records") == [
        {"gene_id": "A", "absent_fraction": 0.8, "n_profiles": 5},
        {"gene_id": "B", "absent_fraction": 0.8, "n_profiles": 5},
    ]


def abundances(**values) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"patient_id": "P", "population": p.replace("_", " "), "unit": "tpm", "transform": "none", "abundance": v}
            for p, v in values.items()
        ]
    )


@pytest.mark.parametrize(
    ("biomarker", "expected"), [("ratio", -0.25), ("difference", -1.0), ("log2_ratio", np.log2(0.75))]
)
def test_tsh_ratio_by_hand(biomarker, expected):
    found = tsh_ratios(abundances(T_cells=3.0), abundances(T_cells=4.0), TshRatioParameters(biomarker=biomarker))
    assert found["value"].tolist() == [expected] and found["reason"].tolist() == [None]


def test_undefined_ratios_have_a_reason():
    tumor = abundances(a=1.0, b=None, c=1.0, d=1.0)
    stroma = abundances(a=0.04, b=1.0, c=None, e=1.0)
    found = tsh_ratios(tumor, stroma, TshRatioParameters()).set_index("population")
    assert found["value"].isna().all()
    assert found["reason"].to_dict() == {
        "a": "stroma abundance below 0.05", "b": "no tumour abundance", "c": "no stroma abundance",
    }  # fmt: skip


def test_benjamini_hochberg_gives_the_papers_corrected_column():
    """Table 2 of Fan et al. 2023: the corrected p as printed lies where the raw p, rounded as printed, can put it."""
    paper = paper_table_2().values()

    def half_unit(value: float) -> float:
        return 0.5 * 10.0 ** -len(f"{value:f}".rstrip("0").partition(".")[2])

    raw = np.array([row["p_value"] for row in paper])
    rounding = np.array([half_unit(v) for v in raw])
    lowest, highest = benjamini_hochberg(raw - rounding), benjamini_hochberg(raw + rounding)
    for low, high, printed in zip(lowest, highest, [row["p_adjusted"] for row in paper], strict=True):
        assert low - half_unit(printed) <= printed <= high + half_unit(printed)
    exact = benjamini_hochberg(raw).round(4).tolist()
    assert exact == [0.01, 0.415, 0.0018, 0.0375, 0.04, 0.2212, 0.015, 0.0667, 0.2833, 0.2212]


def test_benjamini_hochberg_edges():
    assert benjamini_hochberg(np.array([])).tolist() == []
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()
    assert benjamini_hochberg(np.array([0.02, 0.02, 0.9])).tolist() == pytest.approx([0.03, 0.03, 0.9])


def test_the_papers_table_2_is_consistent():
    """HR = exp(beta) and Wald = (beta / se)^2 to the digits that are printed."""
    row = paper_table_2()["Cytotoxic lymphocytes"]
    assert np.exp(row["beta"]) == pytest.approx(row["hazard_ratio"], abs=0.005)
    se = (np.log(row["ci_upper"]) - np.log(row["ci_lower"])) / (2 * 1.959963984540054)
    assert (row["beta"] / se) ** 2 == pytest.approx(row["wald"], abs=0.1)


def cox_input() -> tuple[pd.DataFrame, pd.DataFrame]:
    data = pd.read_csv(DATA / "table2_cox_input.csv.gz")
    ratios = data[["patient_id", "population", "value"]].assign(unit="rsem", transform="log2(x + 1)")
    outcome = data[["patient_id", "duration", "event"]].drop_duplicates()
    outcome = outcome.rename(columns={"duration": "duration_days"}).assign(
        endpoint="OS", time_origin="diagnosis", event=lambda d: d["event"] == 1
    )
    return ratios, outcome


def test_cox_is_rs_survival():
    """coxph of R's survival 3.5-3 with Efron ties on the same 109 patients: tests/data/table2_r_survival.R."""
    ratios, outcome = cox_input()
    ours = univariable_cox(ratios, outcome, outcome[["patient_id"]], UnivariableCoxParameters()).set_index("term")
    theirs = pd.read_csv(DATA / "table2_r_survival.csv").set_index("population")
    for column in theirs.columns:
        expected = theirs[column]
        assert np.allclose(ours.loc[expected.index, column].astype(float), expected, rtol=1e-9, atol=0), column


def test_cox_has_the_score_equations_solved():
    """Efron's score, written out by hand, is zero at the estimate."""
    ratios, outcome = cox_input()
    ours = univariable_cox(ratios, outcome, outcome[["patient_id"]], UnivariableCoxParameters()).set_index("term")
    data = ratios[ratios["population"] == "NK cells"].merge(outcome, on="patient_id")
    x, t, d = data["value"].to_numpy(), data["duration_days"].to_numpy(), data["event"].to_numpy()
    risk, score = np.exp(ours.loc["NK cells", "coefficient"] * x), 0.0
    for time in np.unique(t[d]):
        tied, at_risk = d & (t == time), t >= time
        score += x[tied].sum()
        for k in range(tied.sum()):
            share = k / tied.sum()
            weights = np.where(tied, 1 - share, 1.0) * risk * at_risk
            score -= (weights * x).sum() / weights.sum()
    assert abs(score) < 1e-8


def test_cox_refuses_with_a_reason():
    ratios, outcome = cox_input()
    few = univariable_cox(ratios, outcome, outcome[["patient_id"]], UnivariableCoxParameters(min_events=99))
    assert set(few["reason"]) == {"41 events, fewer than 99"} and few["p_value"].isna().all()
    flat = univariable_cox(ratios.assign(value=1.0), outcome, outcome[["patient_id"]], UnivariableCoxParameters())
    assert {r.rpartition(" does")[2] for r in flat["reason"]} == {" not vary"}
    two = pd.concat([ratios, ratios.assign(unit="tpm")])
    with pytest.raises(ValueError, match="several units"):
        univariable_cox(two, outcome, outcome[["patient_id"]], UnivariableCoxParameters())
    chosen = univariable_cox(two, outcome, outcome[["patient_id"]], UnivariableCoxParameters(unit="tpm"))
    assert set(chosen["unit"]) == {"tpm"}


def test_censoring_at_ten_years():
    follow_ups = pd.DataFrame(
        {
            "patient_id": list("abcd"),
            "endpoint": "OS",
            "time_origin": "diagnosis",
            "event": [True, True, False, None],
            "duration_days": [3652.5, 3653.0, 5000.0, 10.0],
        }
    )
    found = censored(follow_ups, "OS", 3652.5)
    assert found["event"].tolist() == [True, False, False]
    assert found["duration_days"].tolist() == [3652.5, 3652.5, 3652.5]


def test_every_analysis_says_where_it_is_from():
    for analysis in ANALYSES:
        assert re.match(r"doi:10\.\d{4,9}/\S+, \S", analysis.source), "the DOI, and the section that it follows"
        assert analysis.function.__doc__ and analysis.makes.__doc__.startswith("One row is")
