"""What users of other systems reported of plans that were not true, tried here.

Each is named by its public report; the study, and the change, are our own.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.support import tiny
from tshdb.actions.planning import PlanOptions, plan
from tshdb.actions.rebuilding import RebuildOptions, rebuild
from tshdb.database import reading, tuples
from tshdb.study import Study

FEW = tuple(a.name for a in tiny.CORE)


def planned(study, *names: str, **options) -> dict[str, set[str]]:
    """analysis -> keys, for certain or possible."""
    frame = plan(Study(study.root), PlanOptions(names or FEW, **options)).frame
    return {name: set(keys) for name, keys in frame.groupby("analysis")["key"]}


def computed(study, *names: str) -> dict[str, set[str]]:
    """Rebuild; analysis -> keys that it computed."""
    done = rebuild(Study(study.root), RebuildOptions(names or FEW))
    units: dict[str, set[str]] = {}
    for unit in tiny.computed(study, done.report.run_id):
        analysis, _, key = unit.partition("/")
        units.setdefault(analysis, set()).add(key)
    return units


def within(some: dict[str, set[str]], more: dict[str, set[str]]) -> bool:
    return all(keys <= more.get(name, set()) for name, keys in some.items())


def set_to(study, old: str, new: str) -> None:
    path = study.root / "study.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


METHOD = 'method = "median"', 'method = "fixed"'


def test_the_number_of_workers_is_no_parameter(core):
    """snakemake 3675: parameters that look at the threads are `changed` in a dry run alone."""
    assert planned(core, n_workers=7) == planned(core) == {}
    assert rebuild(Study(core.root), RebuildOptions(FEW, n_workers=2)).n_computed == 0


def test_another_version_of_the_program_is_no_other_code(core, monkeypatch):
    """lightcone-cli 213: the commit of the program is a parameter, so that each commit computes all anew."""
    for place in ("tshdb.version", "tshdb.engine.rebuild", "tshdb.actions.planning"):
        monkeypatch.setattr(f"{place}.__version__", "99.0")
    assert planned(core) == {} and computed(core) == {}


def test_a_parameter_that_is_set_back_makes_nothing_due(core):
    """dvc 8342: the dry run does not know what is there already."""
    set_to(core, *METHOD)
    assert planned(core)
    set_to(core, *reversed(METHOD))
    assert planned(core) == {} and computed(core) == {}
    set_to(core, *METHOD)
    computed(core)
    set_to(core, *reversed(METHOD))
    before = planned(core)
    assert before and within(computed(core), before) and planned(core) == {}


def test_the_environment_is_no_input(core, monkeypatch):
    """bazel 3259, 3026: another PATH, and everything is built again because `the command has changed`."""
    for name, value in (
        ("PATH", "/elsewhere:" + os.environ["PATH"]),
        ("TZ", "Asia/Tokyo"),
        ("LANG", "tr_TR.UTF-8"),
        ("HOME", "/x"),
    ):
        monkeypatch.setenv(name, value)
    time.tzset()
    try:
        assert planned(core) == {} and computed(core) == {}
    finally:
        monkeypatch.undo()
        time.tzset()


def test_touched_files_are_no_changed_files(core, archive):
    """bazel 1042, snakemake 3474: a time of change alone begins real work."""
    for path in (core.root / "raw").rglob("*"):
        path.touch()
    (core.root / "study.toml").touch()
    for path in Path(tiny.__file__).parents[2].glob("analyses/expression/*.py"):
        os.utime(path)
    tiny.ingest(core, archive, images=False)
    assert planned(core) == {} and computed(core) == {}


def test_one_result_is_asked_for_and_all_between_follows(core, archive):
    """targets 1495: after what is far upstream was made invalid, one target is made and the chain stops."""
    archive.set_value("TCGA-TN-0002", "tumor", "GNLY", 900.0)
    tiny.ingest(core, archive, images=False)
    before = planned(core, "survival_groups")
    after = computed(core, "survival_groups")
    assert {"cell_abundances", "tsh_ratios", "survival_groups"} <= after.keys() and within(after, before)
    assert planned(core, "survival_groups") == {}


def test_what_came_of_a_choice_on_the_way_is_made_in_the_same_run(core, archive):
    """snakemake 727, 1818: jobs behind a checkpoint are made at the next start, or all of them again."""
    archive.add(10)
    tiny.ingest(core, archive, images=False)
    before = planned(core)
    after = computed(core)
    assert tiny.LIVE in after["univariable_cox"] and within(after, before)
    assert planned(core) == {} and computed(core) == {}


@pytest.mark.parametrize("table", ["tsh_ratios", "cell_abundances"])
def test_what_was_deleted_between_is_found_and_made_again(core, table):
    """snakemake 3879: an output in the middle is gone, its consumers are there, and nothing is to be done."""
    before = _results(core)
    with Study(core.root).engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE unit_id = (SELECT max(unit_id) FROM {table})")
    due = planned(core)
    assert due.keys() >= {table} and sum(map(len, due.values())) < 12
    assert within(computed(core), due) and _results(core) == before


def _results(study) -> dict[str, list[str]]:
    """All rows and units but those of references, which analyses bring that the study has no results of."""
    rows = {t: lines for t, lines in tiny.dump(study).items() if t not in ("series_hints", "feature_settings")}
    return rows | {"units": [u for u in rows["units"] if not u.startswith("reference.")]}


def test_a_run_that_was_stopped_teaches_no_time(core, archive, monkeypatch):
    """flotilla 832: what was cancelled early counts as done quickly, and makes every estimate too short."""
    archive.set_value("TCGA-TN-0002", "tumor", "GNLY", 900.0)
    tiny.ingest(core, archive, images=False)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with reading(core.engine) as connection:
        before = tuples(connection, "SELECT count(*) FROM run_costs")
    monkeypatch.setattr("tshdb.engine.rebuild.Rebuild._commit", stopped)
    with pytest.raises(KeyboardInterrupt):
        rebuild(Study(core.root), RebuildOptions(FEW))
    monkeypatch.undo()
    with reading(core.engine) as connection:
        assert tuples(connection, "SELECT count(*) FROM run_costs") == before


def test_what_may_be_passed_over_does_not_stand_in_the_least_time(core):
    """r-lib/progress 120: steps that are skipped count as steps of the same length."""
    set_to(core, "min_events = 2", "min_events = 3")
    facts = plan(Study(core.root), PlanOptions(FEW)).facts
    certain = [a for a in facts["analyses"] if a["reasons"]]
    only_possible = [a for a in facts["analyses"] if a["possible"] and not a["reasons"]]
    assert certain and all(a["seconds"]["low"] == 0 for a in only_possible if a["seconds"])
