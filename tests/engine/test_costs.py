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
from cli.plan import show_plan
from tests.support import tiny
from tshdb import installed
from tshdb.actions.planning import PlanOptions, plan
from tshdb.database import reading, writing
from tshdb.engine.costs import elsewhere
from tshdb.engine.costs.clock import Clock, Spent
from tshdb.engine.costs.elsewhere import Elsewhere
from tshdb.engine.costs.estimate import OF_USER, SETTLING_S
from tshdb.engine.costs.own import measured
from tshdb.engine.costs.took import KEPT
from tshdb.engine.executor import InProcess
from tshdb.engine.rebuild import Rebuild
from tshdb.places import user_data
from tshdb.schema import Attempt, Run, RunCost, Unit
from tshdb.study import Study
from tshdb.text.durations import seconds

NOTHING = Elsewhere()


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
    assert plan(Study(study.root)).facts["seconds"] is None  # nothing is due


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
    monkeypatch.setattr("tshdb.places.sys.platform", platform)
    assert str(user_data()) == folder.replace("~", str(tmp_path))


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


def test_plan_says_a_range(quick, tshdb, study, account):
    """Nothing of the study's was measured: what is said is from the shipped figures."""
    with writing(study.engine) as connection:
        connection.execute(delete(RunCost))
        connection.execute(delete(Attempt))
    change_seed(study)
    said = quick("plan", "--jobs", "2", cwd=study.root, TSHDB_HOME=str(account.parent)).stdout
    facts = json.loads(quick("plan", "--jobs", "2", "--json", cwd=study.root).stdout)
    assert f", {seconds(**facts['seconds'])}. Run: tshdb rebuild" in said
    tshdb("rebuild", "cutoff", cwd=study.root, TSHDB_HOME=str(account.parent))
    (start,) = elsewhere.known().start  # a program of its own: its start is known
    assert 0 < start < 60


def test_units_of_others_analyses_are_counted_apart(study, account, monkeypatch, capsys):
    others = replace(next(a for a in ANALYSES if a.name == "cutoff"), name="cutoff_of_ours")
    all_of_them = tuple(others if a.name == "cutoff" else a for a in ANALYSES)
    monkeypatch.setattr(installed, "analyses", lambda sets=None: all_of_them)
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("[cutoff]", "[cutoff_of_ours]"))
    facts = plan(study, PlanOptions(["cutoff_of_ours"])).facts
    assert facts["n_unknown"] == 1 and facts["seconds"] is None
    show_plan(facts)
    assert "1 unit is due, in a time that is not known. Run: tshdb rebuild" in capsys.readouterr().out
    show_plan({**facts, "seconds": {"low": 2.0, "high": 5.0}})
    assert "1 unit is due, 2–5 s and 1 unit whose time is not known. Run: tshdb rebuild" in capsys.readouterr().out
