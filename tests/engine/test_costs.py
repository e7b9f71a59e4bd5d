"""What rebuilds take: recorded, kept for other studies, and foretold as a range that is wide where little is known."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from analyses import ANALYSES
from cli.console import seconds
from cli.plan import show_plan
from tests.support import tiny, toys
from tshdb import installed
from tshdb.actions.planning import PlanOptions, plan
from tshdb.database import reading, writing
from tshdb.engine.costs import elsewhere
from tshdb.engine.costs.clock import Clock, Spent
from tshdb.engine.costs.elsewhere import Elsewhere
from tshdb.engine.costs.estimate import AS_SHIPPED, IN_STUDY, OF_USER, SETTLING_S, WORKERS_S, Range, estimate
from tshdb.engine.costs.own import Own, measured
from tshdb.engine.costs.took import KEPT, UNLIKE, Sizes, Took, sizes_of, telling
from tshdb.engine.executor import InProcess
from tshdb.engine.plan import AnalysisPlan, Due, Reason
from tshdb.engine.rebuild import Rebuild
from tshdb.schema import Attempt, Run, RunCost, Unit
from tshdb.study import Study

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


# --------------------------------------------------------------------------------------------------------- the record


def costs_of(study: Study, run_id: int) -> dict[str, tuple[int, float, int]]:
    with reading(study.engine) as connection:
        query = select(RunCost.analysis, RunCost.n_units, RunCost.seconds, RunCost.n_workers)
        return {name: tuple(rest) for name, *rest in connection.execute(query.where(RunCost.run_id == run_id))}


def change_seed(study: Study, seed: int = 5) -> None:
    settings = study.root / "study.toml"
    settings.write_text(re.sub(r"^seed = \d+", f"seed = {seed}", settings.read_text(), flags=re.M))


@pytest.fixture
def account(tmp_path, monkeypatch):
    """A user who has not rebuilt anything yet: where the file of costs will be."""
    monkeypatch.setenv("TSHDB_HOME", str(tmp_path / "account"))
    return tmp_path / "account" / "costs.json"


def test_a_run_keeps_what_each_analysis_took(study, account):
    change_seed(study)
    report = tiny.rebuild(study)
    costs = costs_of(study, report.run_id)
    assert {name: n for name, (n, _, _) in costs.items()} == {n: k for n, k in report.computed.items() if k}
    with reading(study.engine) as connection:
        computing = dict(map(tuple, connection.execute(
            select(Unit.analysis, Attempt.seconds).join(Attempt, Attempt.unit_id == Unit.unit_id)
            .where(Attempt.run_id == report.run_id, Unit.key.contains("@"))
        )))  # fmt: skip
    assert computing and all(
        costs[name][1] > spent for name, spent in computing.items()
    )  # one unit each: read and written
    assert {workers for _, _, workers in costs.values()} == {1}
    before = report.run_id
    assert costs_of(study, tiny.rebuild(study).run_id) == {} and costs_of(study, before) == costs


class StopsAfter(InProcess):
    """Computes so many batches, then the user stops the run."""

    def __init__(self, n: int):
        super().__init__()
        self.left = n

    def run(self, tasks):
        for found in super().run(tasks):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            yield found


def test_a_run_that_is_stopped_keeps_what_was_done(study, account):
    change_seed(study)
    with pytest.raises(KeyboardInterrupt):
        Rebuild(Study(study.root), ANALYSES, executor=StopsAfter(2)).run()
    costs = costs_of(study, tiny.last_run(study))
    assert len(costs) == 2 and all(n >= 1 for n, _, _ in costs.values())
    assert set(elsewhere.read(account).took) == set(costs)
    with reading(study.engine) as connection:
        assert connection.execute(select(Run.state).order_by(Run.run_id.desc()).limit(1)).scalar_one() == "interrupted"


def test_time_without_a_commit_is_not_counted(monkeypatch):
    """By a clock of our own: 3 s and 2 s of two commits; what came before settling, and what was never committed, is not."""
    times = iter([10.0, 13.0, 15.0, 99.0, 100.0, 101.0])
    monkeypatch.setattr("tshdb.engine.costs.clock.time.perf_counter", lambda: next(times))
    clock = Clock(began=1.0)
    clock.settle("a")
    one = type("One", (), {"key": "k", "message": None})()
    clock.committed([one, one], {"k": [1, 2, 3]})
    clock.committed([one], {"k": [1, 2, 3]})
    clock.committed([], {})
    clock.settle("b")
    assert clock.by_analysis == {"a": Spent(3, 0, 9, 5.0)}
    assert clock.start == 101.0 - 1.0 - 5.0


# ------------------------------------------------------------------------------------------------------ in this study


def test_a_studys_own_runs_are_read_back(study, account):
    change_seed(study)
    plans = list(tiny.plan(study).values())
    with reading(study.engine) as connection:
        found = measured(connection, plans)
    due = {plan.analysis.name for plan in plans if plan.due}
    assert set(found.took) == due
    for name, took in found.took.items():
        assert [t.run_id for t in took] == [1] and took[0].computing * took[0].n_units <= took[0].seconds, name
    fit = found.of_cohort["tsh_model", tiny.COHORT]
    assert len(fit) == 1 and fit[0].sizes.n_inputs and fit[0].sizes.numbers["max_features"] == 2  # tiny.SMALL
    assert fit[0].computing < fit[0].seconds <= found.took["tsh_model"][0].seconds + 1e-9


def test_plan_foretells_what_is_due_and_nothing_else(study, account):
    change_seed(study)
    facts = plan(study).facts
    low, high = facts["seconds"].values()
    assert 0 < low < high and facts["n_unknown"] == 0
    assert {a["analysis"] for a in facts["analyses"] if a["seconds"]} == {
        a["analysis"] for a in facts["analyses"] if a["units"]
    }
    shared = plan(study, PlanOptions(n_workers=2)).facts["seconds"]
    assert shared["low"] <= low and shared["high"] != high  # halves what can be shared; worker processes must start
    change_seed(study, 20230901)
    assert plan(study).facts["seconds"] is None  # nothing is due


def test_history_from_before_costs_were_kept_tells_by_its_attempts(study, account):
    with writing(study.engine) as connection:
        connection.execute(delete(RunCost))
    change_seed(study)
    plans = list(tiny.plan(study).values())
    with reading(study.engine) as connection:
        found = measured(connection, plans)
    assert all(t.seconds == pytest.approx(t.computing * t.n_units) for took in found.took.values() for t in took)
    assert set(found.took) == {plan.analysis.name for plan in plans if plan.due}


def test_runs_that_failed_tell_nothing(study, account):
    """All units failed but for one of ten ratios: the run's ten do not count, what the one took does."""
    with writing(study.engine) as connection:
        ratio = select(Unit.unit_id).where(Unit.analysis == "tsh_ratios").limit(1).scalar_subquery()
        connection.execute(update(Attempt).where(Attempt.unit_id != ratio).values(state="failed"))
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("min_coverage = 0.5", "min_coverage = 0.6"))
    plans = list(tiny.plan(study).values())
    with reading(study.engine) as connection:
        found = measured(connection, plans)
    assert {name: [t.n_units for t in took] for name, took in found.took.items() if took} == {"tsh_ratios": [1]}
    assert not found.of_cohort


# -------------------------------------------------------------------------------------------------- in the user's account


def test_a_new_study_is_told_what_units_cost_elsewhere(study, account, tmp_path, archive):
    change_seed(study)
    tiny.rebuild(study, names=["tsh_model"])
    assert {"cutoff", "tsh_model"} <= set(elsewhere.known().took)
    text = account.read_text()
    assert not [n for n in (tiny.COHORT, f'"{tiny.LIVE}"', "TCGA-", str(study.root)) if n in text]
    another = tiny.new_study(tmp_path / "another")
    tiny.ingest(another, archive)
    tiny.define_cohorts(another)
    tiny.freeze(another)
    facts = {a["analysis"]: a["seconds"] for a in plan(another, PlanOptions(["tsh_model"])).facts["analyses"]}
    another.engine.dispose()
    cost = costs_of(study, tiny.last_run(study))["tsh_model"][1]
    assert facts["tsh_model"]["high"] == pytest.approx(cost * OF_USER.more + SETTLING_S, rel=1e-2)


CUTOFF = {"cutoff": next(a for a in ANALYSES if a.name == "cutoff").params(cohort=tiny.COHORT)}


def spent(n_failed: int = 0, seconds: float = 0.5) -> Clock:
    clock = Clock()
    clock.by_analysis["cutoff"] = Spent(1, n_failed, 20, seconds)
    return clock


@pytest.mark.parametrize(
    "content",
    [
        "", "not JSON", "[]", '{"format": 2}', '{"format": 1, "start": [], "analyses": []}',
        '{"format": 1, "start": [-1], "analyses": {}}', '{"format": 1, "start": [], "analyses": {"a": [{"units": 0}]}}',
    ],
)  # fmt: skip
def test_a_file_that_is_broken_is_as_none_and_is_written_anew(account, content):
    account.parent.mkdir()
    account.write_text(content)
    assert elsewhere.known() == NOTHING
    elsewhere.note(spent(), ANALYSES, CUTOFF, 1)
    assert list(elsewhere.known().took) == ["cutoff"]


def test_an_account_that_cannot_be_written_fails_no_rebuild(study, account):
    account.parent.write_text("a file, where the folder should be")
    change_seed(study)
    assert tiny.rebuild(study, names=["cutoff"]).computed["cutoff"] == 1
    assert elsewhere.known() == NOTHING


def test_the_file_stays_small_and_is_never_half_written(account, monkeypatch):
    for _ in range(30):
        elsewhere.note(spent(), ANALYSES, CUTOFF, 1)
    (took,) = elsewhere.known().took.values()
    assert len(took) == KEPT and account.stat().st_size < 2_000
    before = account.read_text()
    monkeypatch.setattr("tshdb.engine.costs.elsewhere.os.replace", fails)
    elsewhere.note(spent(seconds=7.0), ANALYSES, CUTOFF, 1)
    assert account.read_text() == before and os.listdir(account.parent) == ["costs.json"]


def fails(*_):
    raise OSError("the disk is full")


def test_what_failed_at_once_says_nothing_of_what_it_costs(account):
    elsewhere.note(spent(n_failed=1), ANALYSES, CUTOFF, 1)
    assert not account.exists()


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {}, "~/.local/share/tshdb"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/tshdb"),
        ("linux", {"XDG_DATA_HOME": "/data", "TSHDB_HOME": "/mine"}, "/mine"),
        ("darwin", {}, "~/Library/Application Support/tshdb"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/tshdb"),
    ],
)
def test_where_a_users_data_lies(monkeypatch, tmp_path, platform, variables, folder):
    for name in ("XDG_DATA_HOME", "TSHDB_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": str(tmp_path), **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tshdb.engine.costs.elsewhere.sys.platform", platform)
    assert str(elsewhere.home()) == folder.replace("~", str(tmp_path))


# ------------------------------------------------------------------------------------------------------- as it is shipped


def test_the_shipped_figures_are_of_analyses_that_there_are():
    shipped = elsewhere.shipped()
    known = {a.name: a for a in ANALYSES}
    assert shipped.start
    assert set(known) == set(shipped.took)
    for name, took in shipped.took.items():
        fields = known[name].params.model_fields
        assert all(set(t.sizes.numbers) <= set(fields) for t in took), name
    assert "benchmarks/typical_costs.py" in json.loads(elsewhere.SHIPPED.read_text())["about"]
    assert math.isfinite(sum(t.seconds for took in shipped.took.values() for t in took))


def test_plan_says_a_range(tshdb, study, account):
    """Nothing of the study's was measured: what is said is from the shipped figures."""
    with writing(study.engine) as connection:
        connection.execute(delete(RunCost))
        connection.execute(delete(Attempt))
    change_seed(study)
    said = tshdb("plan", "--jobs", "2", cwd=study.root, TSHDB_HOME=str(account.parent)).stdout
    facts = json.loads(tshdb("plan", "--jobs", "2", "--json", cwd=study.root).stdout)
    assert f", {seconds(**facts['seconds'])}. Run: tshdb rebuild" in said
    tshdb("rebuild", "cutoff", cwd=study.root, TSHDB_HOME=str(account.parent))
    (start,) = elsewhere.known().start  # a program of its own: its start is known
    assert 0 < start < 60


def test_range_adds():
    assert Range(1, 2) + Range(3, 5) == (4, 7)


def test_units_of_others_analyses_are_counted_apart(study, account, monkeypatch, capsys):
    others = replace(next(a for a in ANALYSES if a.name == "cutoff"), name="cutoff_of_ours")
    all_of_them = tuple(others if a.name == "cutoff" else a for a in ANALYSES)
    monkeypatch.setattr(installed, "analyses", lambda: all_of_them)
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("[cutoff]", "[cutoff_of_ours]"))
    facts = plan(study, PlanOptions(["cutoff_of_ours"])).facts
    assert facts["n_unknown"] == 1 and facts["seconds"] is None
    show_plan(facts)
    assert "1 unit is due, in a time that is not known. Run: tshdb rebuild" in capsys.readouterr().out
    show_plan({**facts, "seconds": {"low": 2.0, "high": 5.0}})
    assert "1 unit is due, 2–5 s and 1 unit whose time is not known. Run: tshdb rebuild" in capsys.readouterr().out
