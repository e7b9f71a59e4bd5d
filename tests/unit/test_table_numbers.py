"""Numbers in tables: digits that are there, intervals whose ends differ, and rows that add up to n in random studies."""

from __future__ import annotations

import math
import random
import re

import pandas as pd
import pytest

from tshdb.tables import characteristics, numbers
from tshdb.tables.layouts import networks, table_1, table_2


def hr(value, lower, upper) -> str:
    return numbers.ratio({"hazard_ratio": value, "ci_lower": lower, "ci_upper": upper})


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((0.113, 0.034, 0.453), "0.113 (0.034–0.453)"), ((12.3, 1.2, 120.0), "12.30 (1.20–120.00)"),
        ((5.3e-43, 1e-60, 2e-20), "5.3e-43 (1e-60–2e-20)"), ((1.002, 1.001, 1.003), "1.002 (1.001–1.003)"),
        ((1e40, 3.0, math.inf), "1e+40 (3–infinite)"), ((0.0, 0.0, math.inf), "< 1e-300 (< 1e-300–infinite)"),
        ((2.0, None, None), "2"), ((2.0, 1.5, None), "2.00 (1.50–none)"), ((None, None, None), "none"),
        ((math.nan, 1.0, 2.0), "none"),
        ((1.0, 1.0, 1.0), "1.00 (1.00–1.00)"),
    ],
)  # fmt: skip
def test_a_ratio_has_digits_that_are_there(values, shown):
    assert hr(*values) == shown


def test_random_ratios_never_look_like_0_or_a_point():
    draw = random.Random(3)
    for _ in range(3_000):
        middle = draw.uniform(-300, 300) if draw.random() < 0.3 else draw.uniform(-6, 6)
        width = draw.choice((1e-6, 1e-3, 0.1, 2.0))
        values = [math.exp(middle + by) for by in (0.0, -width, width)]
        texts = re.findall(r"[\d.e+-]+", hr(*values).replace("–", " "))
        found = [float(text) for text in texts]
        assert len(set(texts)) == 3 and all(found)
        assert all(abs(a - b) <= numbers.ROUNDED * b for a, b in zip(found, values, strict=True)), (values, texts)


def test_p_values_are_never_0_or_1_that_are_not():
    assert [numbers.p(v) for v in (0.0, 1e-7, 0.00099, 0.05, 0.99996, 1.0, None, math.nan)] == [
        "< 1e-300", "1e-07", "0.00099", "0.0500", "> 0.999", "1.0000", None, None,
    ]  # fmt: skip
    assert [numbers.p_short(v) for v in (0.0, 0.0123, 0.999, 1.0, None)] == [
        "< 1e-300",
        "= 0.012",
        "> 0.99",
        "= 1",
        None,
    ]


def test_shares_and_numbers():
    assert [numbers.share(*of) for of in ((3, 10), (1, 1000), (999, 1000), (0, 4), (4, 4))] == [
        "3 (30%)", "1 (< 1%)", "999 (> 99%)", "0 (0%)", "4 (100%)",
    ]  # fmt: skip
    assert [numbers.number(v) for v in (1234.0, 12.345, 0.0, math.inf, None, 5e-9)] == [
        "1234",
        "12.3",
        "0",
        "infinite",
        None,
        "5e-09",
    ]
    row = {"difference": 0.0004, "difference_lower": -0.05, "difference_upper": 0.06, "n_shared": 20}
    assert numbers.less(row) == "+0.0004 (-0.0500 to +0.0600; n = 20)"


def a_term(term: str, n: int, events: int, coefficient: float | None = -0.5, paper: float | None = -1.0) -> dict:
    return {"term": term, "n": n, "n_events": events, "coefficient": coefficient, "hazard_ratio": 0.6, "ci_lower": 0.4,
            "ci_upper": 0.9, "p_value": 0.01, "p_adjusted": 0.02, "reason": "no ratio", "endpoint": "OS", "cohort": "c@1",
            "transform": "log2(x + 1)", "unit": "tpm", "left_out": None, "censored_at_days": 3652.5,
            "paper": paper and {"beta": paper, "hazard_ratio": 0.5, "ci_lower": 0.3, "ci_upper": 0.8, "p_value": 0.1,
                                "p_adjusted": 0.2}}  # fmt: skip


def test_table_2_says_n_in_each_row_where_it_differs_and_counts_what_is_judged():
    rows = [
        a_term("T cells", 40, 30),
        a_term("NK cells", 60, 47),
        a_term("B lineage", 0, 0, None),
        a_term("Other", 60, 47, paper=None),
    ]
    (layout,) = table_2(rows)
    at = layout.headers.index("n")
    assert [row[at : at + 2] for row in layout.cells] == [(40, 30), (60, 47), (0, 0), (60, 47)]
    assert "n = 40 to 60, 30 to 47 events" in layout.title and layout.notes[0].startswith("2 of 2 directions agree")
    assert {layout.headers[i] for i in layout.right} == {"n", "events", "p", "BH"}
    (alike,) = table_2([a_term("T cells", 60, 47), a_term("B lineage", 0, 0, None)])
    assert "n" not in alike.headers and "n = 60, 47 events" in alike.title
    (none,) = table_2([a_term("B lineage", 0, 0, None)])
    assert none.notes[0].startswith("No row here has an estimate")


def test_networks_of_one_group_are_shown():
    row = {"compartment": "tumor", "parameter": "density", "prognosis": "good", "value": None, "n": 5, "p_value": None,
           "p_adjusted": None, "is_in_paper": True, "cohort": "c@1"}  # fmt: skip
    (layout,) = networks([row])
    assert layout.cells == [("tumor", "density", "yes", None, None, None, None)] and layout.headers[3:5] == (
        "good (n = 5)",
        "poor (n = 0)",
    )


def test_table_1_has_the_rows_that_only_the_paper_has():
    """0 of a class in which nobody is, nothing of what is known of nobody; what is not known stands last."""
    found = {
        ("n", ""): "4",
        ("ER", "not known"): "4 (100%)",
        ("PR", "positive"): "3 (75%)",
        ("PR", "not known"): "1 (25%)",
    }
    stated = {
        ("n", ""): "9",
        ("ER", "positive"): "9 (100)",
        ("PR", "negative"): "9 (100)",
        ("Age", "mean ± SD"): "57 ± 14",
    }
    whole = characteristics._beside(found, stated)
    assert list(whole.items()) == [
        (("n", ""), "4"),
        (("ER", "positive"), None),
        (("ER", "not known"), "4 (100%)"),
        (("PR", "positive"), "3 (75%)"),
        (("PR", "negative"), "0 (0%)"),
        (("PR", "not known"), "1 (25%)"),
        (("Age", "mean ± SD"), None),
    ]


def test_table_1_is_laid_out_as_one_reads_it():
    """The paper's shares have the sign of ours; a variable is named once where nothing can be sorted."""
    rows = [("n", "", "4", "9"), ("ER", "positive", "1 (25%)", "9 (100)"), ("ER", "negative", "3 (75%)", "0"),
            ("PR", "positive", None, None)]  # fmt: skip
    (layout,) = table_1([dict(zip(("row", "level", "value", "paper"), r, strict=True), cohort="all@1") for r in rows])
    assert [row[3] for row in layout.cells] == ["9", "9 (100%)", "0 (0%)", None]
    assert [row[0] for row in layout.cells] == ["n", "ER", "ER", "PR"]
    assert [row[0] for row in layout.as_printed()] == ["n", "ER", "", "PR"]
    assert [row[1:] for row in layout.as_printed()] == [row[1:] for row in layout.cells]
    assert layout._replace(is_grouped=False).as_printed() == layout.cells


NAMES = ("white", "not known", "missing", "n", "all", "白人", "median (range)", "", None, "Not known")
COLUMNS = (
    "er_status",
    "pr_status",
    "her2_status",
    "menopausal_status",
    "race",
    "family_history",
    "histology",
    "t_stage",
)


@pytest.mark.parametrize("seed", range(20))
def test_every_row_of_table_1_adds_up_in_random_studies(seed):
    """Counted anew by plain Python: who has which level, how many are known, and what their median is."""
    draw = random.Random(seed)
    n = draw.choice((1, 2, 7, 30))
    members = {column: [draw.choice(NAMES) for _ in range(n)] for column in COLUMNS}
    members |= {
        name: [draw.choice((None, 50.0, 61.0, 70.5)) for _ in range(n)]
        for name in ("age_years", "tumor_size_mm", "duration_days")
    }
    members |= {name: [draw.choice((None, True, False)) for _ in range(n)] for name in ("event", "recurrence")}
    members |= {"recurrence_days": [None] * n, "follow_up_reason": [draw.choice((None, "lost")) for _ in range(n)]}
    found = characteristics._characteristics(pd.DataFrame(members, dtype=object))
    assert found["n", ""] == str(n)
    for title, column in (("Race", "race"), ("Histology", "histology"), ("ER", "er_status")):
        shown = {level: int(re.match(r"\d+", text)[0]) for (row, level), text in found.items() if row == title}
        counts = {level: members[column].count(level) for level in set(members[column]) - {None, "not known"}}
        unknown = members[column].count(None) + members[column].count("not known")
        assert shown == counts | ({"not known": unknown} if unknown else {}) and sum(shown.values()) == n
    for title, column in (("Age (years)", "age_years"), ("Tumour size (mm)", "tumor_size_mm")):
        known = sorted(v for v in members[column] if v is not None)
        missing = n - len(known)
        assert found.get((title, "not known"), "0").split()[0] == str(missing)
        if known:
            half = len(known) // 2
            median = known[half] if len(known) % 2 else (known[half - 1] + known[half]) / 2
            assert found[title, "median (range)"].split()[0] == numbers.number(median)
            assert ("±" in found[title, "mean ± SD"]) == (len(known) > 1)
    for title, column in (("Death", "event"), ("Recurrence", "recurrence")):
        levels = {True: "event", False: "no event"}
        for value, level in levels.items():
            if any(v is not None for v in members[column]):
                assert int(re.match(r"\d+", found[title, level])[0]) == members[column].count(value)
    assert sum(int(re.match(r"\d+", text)[0]) for (row, _), text in found.items() if row == "Follow-up status") == n
