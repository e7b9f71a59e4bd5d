"""What a rebuild will take, from measurements made by hand: a range that is wide where little is known, in words too."""

from __future__ import annotations

import math

import pytest

from tests.support import toys
from tshdb.engine.costs.elsewhere import Elsewhere
from tshdb.engine.costs.estimate import AS_SHIPPED, IN_STUDY, OF_USER, SETTLING_S, WORKERS_S, Range, estimate
from tshdb.engine.costs.own import Own
from tshdb.engine.costs.took import KEPT, UNLIKE, Sizes, Took, sizes_of, telling
from tshdb.engine.plan import AnalysisPlan, Due, Reason
from tshdb.text.durations import seconds

# ------------------------------------------------------------------------------------------------------ as it is said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.0, 0.99, "< 1 s"),
        (0.2, 1.0, "up to 1 s"),
        (0.9, 2.2, "up to 3 s"),
        (1.2, 2.5, "1–3 s"),
        (2.0, 2.0, "2 s"),
        (8.9, 11.0, "8–15 s"),
        (41.0, 101.0, "40 s–2 min"),
        (59.0, 95.1, "55–100 s"),
        (250.0, 540.0, "4–9 min"),
        (599.0, 610.0, "9–15 min"),
        (95.0 * 60, 6_001.0, "95 min–2 h"),
        (3_700.0, 7_200.0, "60 min–2 h"),
        (7_200.0, 12_000.0, "2–4 h"),
        (50 * 3_600.0, 99 * 3_600.0, "2–5 d"),
        (0.0, 1e7, "up to 120 d"),
    ],
)
def test_a_range_in_words_holds_the_range(low, high, said):
    """By hand: both ends are rounded outwards, to a second below 10 s, five seconds below 100 s, a minute below 10 min …"""
    assert seconds(low, high) == said


# --------------------------------------------------------------------------------------------------- what it depends on


@pytest.mark.parametrize(
    ("now", "least", "most"),
    [
        (Sizes(), 1, 1),
        (Sizes(None, {"repeats": 5, "folds": 10}), 1, 1),
        (Sizes(None, {"repeats": 10, "folds": 10}), 1, 2),
        (Sizes(None, {"repeats": 10, "folds": 5}), 0.5, 2),
        (Sizes(None, {"repeats": 0, "folds": 10}), 0.2, 1),  # none counts as one
        (Sizes(100), 1, 1),
        (Sizes(400), 1, 8),  # 4 ** 1.5
        (Sizes(25), 0.125, 1),
        (Sizes(100, {"repeats": 5}, "method=b"), 1 / UNLIKE, UNLIKE),
        (Sizes(100, {"another": 7}, "method=a"), 1, 1),
    ],
)
def test_more_of_something_costs_up_to_as_many_times_more(now, least, most):
    """By hand; measured were 100 inputs, five repeats of ten folds."""
    then = Sizes(100, {"repeats": 5, "folds": 10}, "method=a")
    assert then.dearer(now) == pytest.approx((least, most))


def test_what_was_not_done_at_all_tells_nothing_of_what_it_costs():
    none, one = Sizes(None, {"perturbations": 0}), Sizes(None, {"perturbations": 1})
    assert none.distance(one) == math.inf and one.distance(none) < 1 and none.distance(none) == 0
    guilty = PARAMETERS | {"toy_apply": toys.ToyParameters(guilty=("k0",))}
    took = {"toy_apply": (Took(10, 20.0, sizes=Sizes(None, {"guilty": 0})),)}
    plans = [planned(APPLY, 1)]
    assert estimate(plans, guilty, Own(took), NOTHING, NOTHING).n_unknown == 1
    elsewhere_too = Elsewhere(took={"toy_apply": (Took(1, 5.0, sizes=Sizes(None, {"guilty": 2})),)})
    found = estimate(plans, guilty, Own(took), elsewhere_too, NOTHING).total  # up to half as much for half as many
    assert found == pytest.approx((2.5 / OF_USER.less, 5 * OF_USER.more + SETTLING_S))


def test_whole_numbers_and_lengths_of_lists_count_and_what_names_cohorts_does_not():
    given = {"cohorts": ["a", "b"], "repeats": 5, "filters": ["x", "y"], "is_exact": True, "width": 2.0, "unit": None}
    sizes = sizes_of(given, "cohorts", 7)
    assert sizes.n_inputs == 7 and sizes.numbers == {"repeats": 5, "filters": 2}
    assert sizes_of({**given, "cohorts": ["c"]}, "cohorts", 7) == sizes
    for changed in ({"is_exact": False}, {"width": 3.0}, {"unit": "tpm"}, {"filters": ["x", "z"]}):
        assert sizes_of({**given, **changed}, "cohorts", 7).rest != sizes.rest


def test_runs_of_few_units_do_not_tell_what_many_cost():
    large, small = Took(1_000, 3.0), Took(1, 0.2)
    assert telling([small, large, small]) == (large,)
    assert telling([small] * 9) == (small,) * KEPT


# -------------------------------------------------------------------------------------------------------- the estimate

FIT, APPLY, LAST = toys.toy_fit, toys.toy_apply, toys.toy_last
PARAMETERS = {a.name: toys.ToyParameters() for a in (FIT, APPLY, LAST)}
NOTHING = Elsewhere()


def planned(analysis, n_certain: int, n_possible: int = 0) -> AnalysisPlan:
    keys = [f"k{i}" for i in range(n_certain + n_possible)]
    due = {k: Due(k, Reason.NEW, "", i >= n_certain) for i, k in enumerate(keys)}
    return AnalysisPlan(analysis, due=due)


def told(plans, took=None, user=NOTHING, shipped=NOTHING, n_workers=1, of_cohort=None):
    return estimate(plans, PARAMETERS, Own(took or {}, of_cohort or {}), user, shipped, n_workers)


def test_what_is_certain_makes_the_low_end_and_what_is_possible_the_high_end_alone():
    """Ten units took 20 s: 2 s each. Three certain, five possible: 6 to 16 s and the slack."""
    found = told([planned(APPLY, 3, 5)], {"toy_apply": (Took(10, 20.0),)})
    assert found.total == pytest.approx((6 / IN_STUDY.less, 16 * IN_STUDY.more + SETTLING_S))
    assert told([planned(APPLY, 0, 5)], {"toy_apply": (Took(10, 20.0),)}).total.low == 0
    assert told([planned(APPLY, 0)]).total == (0, 0)


def test_own_measurements_come_before_the_users_and_those_before_the_shipped():
    took = {"toy_apply": (Took(10, 20.0),)}
    shipped, user = Elsewhere(took={"toy_apply": (Took(1, 5.0),)}), Elsewhere(took={"toy_apply": (Took(1, 3.0),)})
    plans = [planned(APPLY, 1)]
    assert told(plans, {}, NOTHING, shipped).total == pytest.approx((5 / AS_SHIPPED.less, 5 * AS_SHIPPED.more + 0.2))
    assert told(plans, {}, user, shipped).total == pytest.approx((3 / OF_USER.less, 3 * OF_USER.more + 0.2))
    assert told(plans, took, user, shipped).total == pytest.approx((2 / IN_STUDY.less, 2 * IN_STUDY.more + 0.2))


def test_what_is_known_nowhere_is_said_to_be_unknown():
    found = told([planned(APPLY, 2), planned(LAST, 3, 4)], {"toy_apply": (Took(10, 20.0),)})
    assert found.by_analysis["toy_last"] is None and found.of("toy_last") is None and found.n_unknown == 7
    assert found.total == found.by_analysis["toy_apply"]
    assert told([planned(LAST, 3)]).facts is None


def test_the_start_is_counted_once():
    found = told(
        [planned(APPLY, 1), planned(LAST, 1)], user=Elsewhere(start=(1.5, 3.0)), shipped=Elsewhere(start=(9.0,))
    )
    assert found.total == (1.0, 6.0)  # 1.5 / 1.5 and 3 x 2


def test_measurements_that_differ_widen_the_range():
    found = told([planned(APPLY, 10)], {"toy_apply": (Took(10, 20.0), Took(10, 10.0))})
    assert found.total == pytest.approx((10 / IN_STUDY.less, 20 * IN_STUDY.more + SETTLING_S))


def test_for_many_units_what_was_fixed_for_few_is_not_counted_again():
    """One unit took 1 s, of which 0.01 s were its computation: a thousand take 10 to 1,000 s."""
    found = told([planned(APPLY, 1_000)], {"toy_apply": (Took(1, 1.0, computing=0.01),)})
    assert found.total == pytest.approx((10 / IN_STUDY.less, 1_000 * IN_STUDY.more + SETTLING_S))


def test_workers_help_as_many_times_as_they_are_at_most():
    """256 keys are one batch: 512 units are two, which two workers of four compute at once, in half the time or 2/3 of it."""
    took = {"toy_apply": (Took(512, 90.0),)}
    found = told([planned(APPLY, 512)], took, n_workers=4).total
    assert found == pytest.approx((45 / IN_STUDY.less, 60 * IN_STUDY.more + SETTLING_S + WORKERS_S))
    assert told([planned(APPLY, 256)], took, n_workers=4).total.low == told([planned(APPLY, 256)], took).total.low
    by_two = {"toy_apply": (Took(512, 60.0, n_workers=2),)}
    assert told([planned(APPLY, 512)], by_two).total == pytest.approx((90 / 1.5, 120 * 2 + SETTLING_S))


def test_a_fit_takes_what_the_same_cohort_took_before():
    """Its earlier version had 100 members and took 8 s; now there are 121, up to 1.331 times as dear (1.21 ** 1.5)."""
    plan = AnalysisPlan(FIT, due={"tiny@2": Due("tiny@2", Reason.NEW, "")}, inputs={"ratios": {"tiny@2": ["p"] * 121}})
    rest = sizes_of(PARAMETERS["toy_fit"].model_dump(mode="json"), None).rest
    before = (Took(1, 8.0, sizes=Sizes(100, {"guilty": 0}, rest)),)
    found = told([plan], {"toy_fit": (Took(1, 99.0),)}, of_cohort={("toy_fit", "tiny"): before})
    assert found.total == pytest.approx((8 / IN_STUDY.less, 8 * 1.331 * IN_STUDY.more + SETTLING_S))
    other = told([plan], {"toy_fit": (Took(1, 99.0),)}, of_cohort={("toy_fit", "another"): before})
    assert other.total.low == 99 / IN_STUDY.less


def test_who_measured_something_very_unlike_is_not_asked(monkeypatch):
    """One permutation took the user .01 s: ten thousand may take 100 s; the program's own measurement knows better."""
    monkeypatch.setattr(toys.ToyParameters, "model_dump", lambda self, mode: {"n_permutations": 10_000})
    alike = Took(1, 2.0, sizes=Sizes(None, {"n_permutations": 10_000}, "{}"))
    unlike = Took(1, 0.01, sizes=Sizes(None, {"n_permutations": 1}, "{}"))
    user, shipped = Elsewhere(took={"toy_fit": (unlike,)}), Elsewhere(took={"toy_fit": (alike,)})
    found = told([planned(FIT, 1)], user=user, shipped=shipped)
    assert found.total == pytest.approx((2 / AS_SHIPPED.less, 2 * AS_SHIPPED.more + SETTLING_S))
    assert told([planned(FIT, 1)], user=user).total.high > 100  # better than nothing


def test_range_adds():
    assert Range(1, 2) + Range(3, 5) == (4, 7)
