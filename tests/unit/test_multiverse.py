"""A multiverse without a study: its file, what choices move, and exchanged outcomes, on numbers made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses import ANALYSES
from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.figures.curve_drawings import drawing
from tshdb.multiverse import kept
from tshdb.multiverse.asked import read
from tshdb.multiverse.curve import curve, infer, is_significant
from tshdb.multiverse.found import Found
from tshdb.multiverse.kept import Permuted, Result
from tshdb.multiverse.measures import Measure
from tshdb.multiverse.permuted import Exchanges, Searched, Way, exchanged, permuted

BY_NAME = {a.name: a for a in ANALYSES}
ESTIMATE = '[estimate]\ntable = "cox_terms"\nrow = {model = "group"}\n'
HAZARD = Measure("hazard_ratio", "ci_lower", "ci_upper", "p_value", 1.0, "log")


def written(folder: Path, text: str, name: str = "cutoffs.toml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def result(
    estimate: float | None, p: float | None = None, made_of: str = "", permuted: Permuted | None = None
) -> Result:
    made_of = made_of or f"{estimate}/{p}"
    return Result(made_of, "data", [], estimate, None, None, p, 20, 9, False, None, "f", "now", "0", 0.0, permuted)


# ------------------------------------------------------------------------------------------------------------ the file


def test_choices_are_settings_or_options_with_names(tmp_path):
    asked = read(written(tmp_path, ESTIMATE + (
        '[choices]\n"cutoff.method" = ["fixed", "median"]\ntsh_ratios.min_denominator = [0.05, 0.1, 0.2]\n'
        '[choices.horizon]\n"five years" = {"cutoff.censor_at_days" = 1826.25, "tsh_cox.censor_at_days" = 1826.25}\n'
        '"all" = {"tsh_cox.censor_at_days" = 36525}\n'
    )))  # fmt: skip
    assert asked.name == "cutoffs" and asked.n_combinations == 2 * 3 * 2 == len(list(asked.combinations()))
    assert [choice.name for choice in asked.choices] == ["cutoff.method", "tsh_ratios.min_denominator", "horizon"]
    first = next(asked.combinations())
    assert first.labels == ('"fixed"', "0.05", "five years")
    assert first.values == {
        "cutoff": {"method": "fixed", "censor_at_days": 1826.25}, "tsh_ratios": {"min_denominator": 0.05},
        "tsh_cox": {"censor_at_days": 1826.25},
    }  # fmt: skip
    assert len({str(c.values) for c in asked.combinations()}) == 12
    assert asked.followed.measure == HAZARD


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[estimate\n", "not TOML"),
        (ESTIMATE, "no choices"),
        ("[estimat]\n", "estimate"),
        ('[choices]\n"cutoff.method" = ["fixed"]\n', "no table"),
        (ESTIMATE + '[choices]\n"cutoff.method" = []\n', "choice cutoff.method: no value"),
        (ESTIMATE + '[choices]\n"cutoff.method" = "fixed"\n', "expected a list of values"),
        (ESTIMATE + '[choices]\n"cutoff.method" = ["fixed", "fixed"]\n', "choice cutoff.method: \"fixed\" stands twice"),
        (ESTIMATE + '[choices]\nmethod = ["fixed"]\n', "'method' is no setting"),
        (ESTIMATE + '[choices]\n"study.database" = ["x"]\n', "shares with the study"),
        (ESTIMATE + '[choices]\n"replaces.cutoff" = ["x"]\n', "chooses an analysis"),
        (ESTIMATE + '[choices]\n"a.b" = [1]\n[choices.c]\nd = {"a.b" = 2}\n', "a.b is set by a.b as well"),
        (ESTIMATE + "[choices]\n" + "".join(f'"a.b{i}" = {list(range(10))}\n' for i in range(4)), "10,000 combinations"),
        ('[estimate]\ntable = "km_points"\n[choices]\n"a.b" = [1]\n', "no column"),
        (ESTIMATE + 'colum = "x"\n', "Did you mean column"),
        (ESTIMATE + 'null = "x"\n', "null is no number"),
        (ESTIMATE + 'scale = "cubic"\n', "no scale 'cubic'"),
        (ESTIMATE + "null = 0\n", "has no logarithm"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_by_one_line(tmp_path, text, says):
    path = written(tmp_path, text)
    with pytest.raises(InvalidInput) as refused:
        read(path)
    assert says in str(refused.value) and str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_names_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(NotFound, match="no such file"):
        read(tmp_path / "nothing.toml")
    for name in ("Cutoffs.toml", "1.toml", "a b.toml", f"{'x' * 29}.toml"):
        with pytest.raises(TshdbError, match="cannot be the name of a multiverse"):
            read(written(tmp_path, ESTIMATE, name))


# ------------------------------------------------------------------------------------------------------- what moves what


def asked_of(tmp_path: Path, n_b: int = 3):
    values = ", ".join(map(str, range(n_b)))
    return read(written(tmp_path, ESTIMATE + f'[choices]\n"x.a" = [0, 1]\n"x.b" = [{values}]\n'))


def test_what_a_choice_moves_is_counted_by_hand(tmp_path):
    """a doubles or quadruples the hazard ratio: factors 2, 2 and 4, so typically 2 and at most 4; b by 4 and by 8."""
    estimates = {("0", "0"): 0.25, ("0", "1"): 0.5, ("0", "2"): 1.0, ("1", "0"): 0.5, ("1", "1"): 1.0, ("1", "2"): 4.0}
    done = [(labels, result(e, 0.01 if e < 0.5 else 0.2)) for labels, e in estimates.items()]
    found = curve(asked_of(tmp_path), done)
    assert [p.result.estimate for p in found.points] == [0.25, 0.5, 0.5, 1.0, 1.0, 4.0]
    a, b = found.choices
    assert (a.typical, a.largest, a.n_sets, a.n_moved, a.words) == (2.0, 4.0, 3, 3, None)
    assert b.largest == 8.0 and b.typical == 6.0 and (b.n_sets, b.n_moved) == (2, 2)
    assert [o.median for o in a.options] == pytest.approx([0.5, 1.0], rel=1e-12)
    assert [o.median for o in b.options] == pytest.approx([0.125**0.5, 0.5**0.5, 2.0], rel=1e-12)
    counts = found.counts
    assert (counts["below"], counts["above"], counts["significant_below"], counts["significant_above"]) == (3, 1, 1, 0)
    assert (counts["combinations"], counts["different_results"], counts["with_estimate"]) == (6, 4, 6)


def test_a_choice_that_does_nothing_is_said_to_do_nothing(tmp_path):
    same = [((a, b), result(0.5 + int(b), 0.2, f"{a}{b}")) for a in "01" for b in "012"]
    a, b = curve(asked_of(tmp_path), same).choices
    assert a.words == "does nothing: the result is the same whatever is chosen" and a.typical == 1.0
    assert b.words is None
    unread = [((a, b), result(0.5 + int(b), 0.2, b)) for a in "01" for b in "012"]
    assert "nothing on the way to this result reads it" in (curve(asked_of(tmp_path), unread).choices[0].words or "")
    nearly = [(labels, r._replace(p=0.3) if labels == ("1", "2") else r) for labels, r in same]
    assert curve(asked_of(tmp_path), nearly).choices[0].words is None


def test_combinations_without_an_estimate_come_last_and_say_why(tmp_path):
    done = [((a, b), result(0.5, 0.01, a + b)) for a in "01" for b in "012"]
    done[0] = (("0", "0"), result(None, None, "x")._replace(reason="2 events, fewer than 5"))
    found = curve(asked_of(tmp_path), done)
    assert found.points[-1].result.reason == "2 events, fewer than 5" and found.counts["with_estimate"] == 5
    assert found.choices[0].options[0].n_with_estimate == 2
    assert found.facts["combinations"][-1]["choices"] == {"x.a": "0", "x.b": "0"}


def test_the_picture_shows_every_option_and_is_the_same_each_time(tmp_path):
    done = [((a, b), result(0.5 + int(b), 0.01, a + b)._replace(lower=0.01, upper=1e9)) for a in "01" for b in "012"]
    found = curve(asked_of(tmp_path), done)
    drawn = drawing(found)
    assert drawn.data == drawing(found).data and drawing(found, "png").data.startswith(b"\x89PNG")
    for words in (
        "x.a",
        "x.b",
        "hazard ratio",
        "6 combinations, 6 significant",
        "6 combinations in order of the estimate",
    ):
        assert f">{words}<" in drawn.svg.replace("<!--", ""), words
    without = curve(asked_of(tmp_path), [(labels, result(None)) for labels, _ in done])
    assert "6 combinations, 0 significant, 6 without an estimate" in drawing(without).svg


def test_without_a_p_value_the_interval_decides():
    area = Measure("value", "ci_lower", "ci_upper", None, 0.5)
    r = result(0.7)
    assert is_significant(r._replace(lower=0.51, upper=0.8), area) is True
    assert is_significant(r._replace(lower=0.49, upper=0.8), area) is False
    assert is_significant(r, area) is None
    assert is_significant(r._replace(p=0.05), HAZARD) is False


# ----------------------------------------------------------------------------------------------------------- inference


def test_the_permutation_p_is_counted_by_hand():
    """Two combinations, hazard ratios 0.5 and 0.25: the median's logarithm is -1.5 ln 2, and both are significant.

    Of five exchanges, (2, 4) and (0.25, 0.5) are as far from 1; (1, 0.5), one without estimates, and (4, 0.25), which cancel out,
    are not: (1 + 2) / (1 + 5). Two are significant in (0.25, 0.5) and in (4, 0.25), but in one direction only in the first:
    (1 + 1) / (1 + 5).
    """
    null = (
        Permuted("e", [2.0, 0.25, 1.0, None, 4.0], [0.04, 0.01, 0.9, None, 0.01]),
        Permuted("e", [4.0, 0.5, 0.5, None, 0.25], [0.2, 0.04, 0.04, None, 0.01]),
    )
    done = [result(0.5, 0.03, "a", null[0]), result(0.25, 0.001, "b", null[1])]
    found, why = infer(done, HAZARD, 5)
    assert why is None and found is not None
    assert (found.p_median, found.p_significant, found.n_significant) == (3 / 6, 2 / 6, 2)
    assert found.median == pytest.approx(0.125**0.5)
    no_p, _ = infer([r._replace(p=None) for r in done], HAZARD._replace(p=None), 5)
    assert no_p is not None and (no_p.p_median, no_p.p_significant) == (3 / 6, None)
    refused = done[0]._replace(permuted=Permuted("e", [], [], "it differs"))
    assert infer([refused, done[1]], HAZARD, 4) == (None, "no permutation of outcomes (as in study.toml): it differs")
    assert infer([result(None)], HAZARD, 4)[1] == "no permutation of outcomes: no combination has an estimate"


def test_outcomes_are_exchanged_within_strata():
    drawn = Exchanges((("a", "b", "c"), ("d", "e")), 1, 5)
    mappings = [drawn.mapping(i) for i in range(60)]
    assert all({m[p] for p in "abc"} == set("abc") and {m[p] for p in "de"} == set("de") for m in mappings)
    assert len({tuple(m.items()) for m in mappings}) == 12  # 3! x 2!
    assert drawn.mapping(3) == Exchanges(drawn.strata, 1, 500).mapping(3)
    frame = pd.DataFrame(
        {"patient_id": ["a", "a", "d"], "endpoint": ["OS", "RFS", "OS"], "duration_days": [1.0, 2.0, 3.0]}
    )
    moved = exchanged(frame, {"a": "b", "d": "d"})
    assert list(moved["patient_id"]) == ["b", "b", "d"] and list(frame["patient_id"]) == ["a", "a", "d"]


def searched_way(seed: int, effect: float, n: int = 24) -> tuple[Way, Exchanges]:
    """The log-rank p of groups by a searched cut-off. effect: of the ratio on the logarithm of the hazard."""
    random = np.random.default_rng(seed)
    patients = [f"P{i:02d}" for i in range(n)]
    value = random.normal(size=n)
    days = random.exponential(500 * np.exp(-effect * value)) + 1
    ratios = pd.DataFrame({
        "patient_id": patients, "population": "Cytotoxic lymphocytes", "unit": "rsem", "transform": "log2(x + 1)", "value": value,
        "biomarker": "ratio", "reason": None,
    })  # fmt: skip
    follow_ups = pd.DataFrame({
        "patient_id": patients, "endpoint": "OS", "event": random.random(n) < 0.8, "duration_days": days,
        "time_origin": "diagnosis",
    })  # fmt: skip
    cutoff, groups, tests = (BY_NAME[name] for name in ("cutoff", "survival_groups", "logrank_tests"))
    params = cutoff.params(method="maxstat", n_bootstrap=0, n_permutations=1)
    row = groups.function(ratios, cutoff.function(ratios, follow_ups, params, 1), groups.params())
    inputs = {
        "groups": row, "scores": pd.DataFrame(columns=["patient_id", "prognosis", "score"]), "follow_ups": follow_ups,
        "trained_on": pd.DataFrame(columns=["patient_id", "cohort"]),
    }  # fmt: skip
    stored = tests.function(**inputs, params=tests.params()).iloc[0].to_dict()
    searched = Searched(
        "groups",
        cutoff,
        {"ratios": ratios, "follow_ups": follow_ups},
        params,
        1,
        groups,
        {"ratios": ratios},
        groups.params(),
    )
    found = Found(1, "logrank_tests", "c@1", stored)
    return Way(
        found, Measure("p_value", p="p_value", scale="p"), tests, tests.params(), inputs, searched, dict, {}
    ), Exchanges((tuple(patients),), seed, 19)


def p_of(seed: int, effect: float, n: int = 24) -> tuple[float, float]:
    """(p of the row itself, p by permutation)."""
    way, drawn = searched_way(seed, effect, n)
    of_row = way.row.values["p_value"]
    found, why = infer([result(of_row, of_row, "a", permuted(way, drawn))], way.measure, drawn.n)
    assert why is None and found is not None
    return of_row, found.p_median


def test_a_search_is_part_of_what_is_permuted():
    """Without any effect the row's own p is far too small, since its cut-off was searched; that by permutation is uniform: of 40
    such p the mean is 1/2 within three standard errors (0.29 / sqrt(40))."""
    of_rows, by_permutation = zip(*(p_of(seed, 0.0) for seed in range(40)), strict=True)
    assert np.mean(of_rows) < 0.25
    assert abs(np.mean(by_permutation) - 0.525) < 0.14
    assert 1 <= sum(p <= 0.2 for p in by_permutation) <= 16  # of 8 that are to be expected
    assert min(by_permutation) < 0.2 and max(by_permutation) > 0.8


def test_a_planted_effect_has_a_small_p():
    assert [p_of(seed, 3.0, 80)[1] for seed in range(3)] == [0.05] * 3  # 1 / 20, the least of 19 exchanges


def test_what_memory_does_not_give_again_is_not_believed():
    way, drawn = searched_way(1, 0.0)
    wrong = Way(
        way.row._replace(values=way.row.values | {"p_value": 0.5}),
        way.measure,
        way.analysis,
        way.params,
        way.inputs,
        way.searched,
        way.trim,
        way.seeds,
    )
    assert "outcomes as they are give" in (permuted(wrong, drawn).refused or "")


# ---------------------------------------------------------------------------------------------------------------- kept


def test_what_is_kept_is_read_again_and_a_torn_line_is_none(tmp_path):
    one = result(0.5, 0.01, "a", Permuted("e", [0.1, None], [0.2, None]))
    kept.append(tmp_path / "x", one)
    kept.append(tmp_path / "x", result(0.7, None, "b"))
    assert kept.read(tmp_path / "x") == {"a": one, "b": result(0.7, None, "b")}
    path = tmp_path / "x" / "done.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    assert set(kept.read(tmp_path / "x")) == {"a"}
    kept.append(tmp_path / "x", result(0.9, None, "c"))
    assert set(kept.read(tmp_path / "x")) == {"a", "c"}
    kept.keep_only(tmp_path / "x", [one])
    assert kept.read(tmp_path / "x") == {"a": one} and len(path.read_bytes().splitlines()) == 1
