"""The engine's promises that the paper's analyses alone would not show: failures, blocks, leases, seeds, wrong rows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from analyses import ANALYSES
from tests.support import tiny, toys
from tests.support.program import ROOT
from tshdb.database import reading, writing
from tshdb.engine import leases as leasing
from tshdb.engine.compute import _message, seed_of
from tshdb.engine.executor import InProcess
from tshdb.engine.plan import Reason
from tshdb.engine.rebuild import Rebuild
from tshdb.errors import InvalidInput, NotFound
from tshdb.process import machine
from tshdb.schema import Attempt, Lease, OutOfFoldScore, Run, Unit
from tshdb.study import Study


@pytest.fixture
def toy_study(tmp_path):
    """A tiny study over which only ratios and toys are registered."""
    study = tiny.new_study(tmp_path / "toys", live=False)
    settings = study.root / "study.toml"
    text = settings.read_text()
    kept = text[: text.index("[gene_filter]")] + text[text.index("[cell_abundances]") : text.index("[univariable_cox]")]
    settings.write_text(kept)
    tiny.ingest(study, tiny.TinyArchive.make(10))
    tiny.define_cohorts(study, live=False)
    yield Study(study.root)
    study.engine.dispose()


@pytest.fixture
def world(monkeypatch):
    """cell_abundances without its gene filter, ratios, and the toys."""
    abundances = next(a for a in ANALYSES if a.name == "cell_abundances")
    needs = {r: n for r, n in abundances.needs.items() if r != "genes_dropped"}
    without = replace(abundances, needs=needs, function=toys.unfiltered_abundances)
    ratios = next(a for a in ANALYSES if a.name == "tsh_ratios")
    monkeypatch.setattr(toys, "cell_abundances", without, raising=False)
    return (without, ratios, toys.toy_fit, toys.toy_apply, toys.toy_last)


def guilty(study, *patients):
    settings = study.root / "study.toml"
    text = settings.read_text().partition("[toy_apply]")[0]
    settings.write_text(text + "[toy_apply]\nguilty = [" + ", ".join(f'"{p}"' for p in patients) + "]\n")


def units(study, analysis):
    with reading(study.engine) as connection:
        return {
            r.key: r
            for r in connection.execute(
                select(Unit.key, Unit.state, Unit.message, Unit.fingerprint).where(Unit.analysis == analysis)
            )
        }


def test_without_a_frozen_cohort_a_fit_and_what_needs_it_are_blocked(toy_study, world):
    plans = tiny.plan(toy_study, world)
    assert list(plans["toy_fit"].blocked) == [tiny.COHORT]
    assert "is not frozen" in plans["toy_fit"].blocked[tiny.COHORT]
    report = tiny.rebuild(toy_study, world)
    assert "toy_apply" not in report.computed and len(report.blocked["toy_apply"]) == 10
    assert {u.state for u in units(toy_study, "toy_apply").values()} == {"blocked"}
    tiny.freeze(toy_study)
    report = tiny.rebuild(toy_study, world)
    assert report.computed["toy_apply"] == 10 and not report.blocked
    assert tiny.due(toy_study, world) == {}


def test_one_bad_key_fails_alone_and_blocks_only_its_own(toy_study, world):
    tiny.freeze(toy_study)
    guilty(toy_study, "TCGA-TN-0003", "TCGA-TN-0007")
    report = tiny.rebuild(toy_study, world)
    assert report.failed == {
        "toy_apply": {p: f"ValueError: {p} is guilty (toys.py line 47)" for p in ("TCGA-TN-0003", "TCGA-TN-0007")}
    }
    assert report.computed["toy_apply"] == 8 and report.computed["toy_last"] == 8
    assert set(report.blocked["toy_last"]) == {"TCGA-TN-0003", "TCGA-TN-0007"}
    found = units(toy_study, "toy_apply")
    assert found["TCGA-TN-0003"].state == "failed" and found["TCGA-TN-0003"].fingerprint is None
    plans = tiny.plan(toy_study, world)
    assert {k: d.reason for k, d in plans["toy_apply"].due.items()} == dict.fromkeys(
        ("TCGA-TN-0003", "TCGA-TN-0007"), Reason.FAILED
    )
    guilty(toy_study)
    tiny.rebuild(toy_study, world)
    assert tiny.due(toy_study, world) == {}
    assert {u.state for u in units(toy_study, "toy_last").values()} == {"current"}


def test_a_library_that_is_not_there_is_named_with_its_extra(monkeypatch):
    asked = ['tshdb[signature]; extra == "all"', 'numba>=0.61; extra == "signature"', "numpy>=2"]
    monkeypatch.setattr("tshdb.extras.requires", lambda _: asked)

    def said(module: str) -> str:
        return _message(ModuleNotFoundError(f"No module named '{module}'", name=module), toys.toy_fit, {})

    assert said("numba") == "numba is not installed: pip install 'tshdb[signature]'"
    assert said("radiomics.featureextractor").startswith("PyRadiomics is not installed")
    assert said("elsewhere") == "elsewhere is not installed: pip install 'elsewhere'"
    assert said("analyses.nowhere") == "ModuleNotFoundError: No module named 'analyses.nowhere'"


def test_a_unit_that_begins_to_fail_loses_its_payload(toy_study, world):
    tiny.freeze(toy_study)
    tiny.rebuild(toy_study, world)
    guilty(toy_study, "TCGA-TN-0005")
    tiny.rebuild(toy_study, world)
    with reading(toy_study.engine) as connection:
        scored = set(connection.execute(select(OutOfFoldScore.patient_id)).scalars())
    assert "TCGA-TN-0005" not in scored and len(scored) == 9


def test_seeds_derive_from_study_analysis_and_key(toy_study, world):
    tiny.freeze(toy_study)
    tiny.rebuild(toy_study, world)
    seed = toy_study.settings.study.seed
    assert seed_of(seed, "toy_last", "a") != seed_of(seed, "toy_last", "b") != seed_of(seed, "toy_fit", "b")
    lines = [line for line in tiny.dump(toy_study)["tsh_scores"] if "TCGA-TN-0002" in line]
    assert (float(seed_of(seed, "toy_last", "TCGA-TN-0002") % 1000)).hex() in lines[0]


def test_an_input_that_changes_while_computing_is_computed_again(study, archive):
    """The commit compares what was read with what stands: the late result is thrown away."""
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 1.0)
    tiny.ingest(study, archive)

    class Interfering(InProcess):
        done = False

        def run(self, tasks):
            for task, outcomes in super().run(tasks):
                if task.analysis.endswith(":cell_abundances") and not Interfering.done:
                    Interfering.done = True
                    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 5000.0)
                    tiny.ingest(study, archive)
                yield task, outcomes

    report = Rebuild(Study(study.root), ANALYSES, executor=Interfering()).run()
    assert Interfering.done and tiny.due(study) == {}
    assert report.computed["cell_abundances"] == 1, "the late result was never committed"
    clean = tiny.new_study(study.root.parent / "clean")
    tiny.ingest(clean, archive)
    tiny.define_cohorts(clean)
    tiny.freeze(clean)
    tiny.rebuild(clean)
    assert tiny.dump(study)["cell_abundances"] == tiny.dump(clean)["cell_abundances"]


def test_a_patient_who_arrives_while_analyses_are_settled_is_not_waited_for(study, archive):
    """What came too late for the first analysis is done in another pass; nothing waits for it, nothing is left."""
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 1.0)
    tiny.ingest(study, archive)
    arrived = []

    class Late(InProcess):
        def run(self, tasks):
            for task, outcomes in super().run(tasks):
                yield task, outcomes
                if task.analysis.endswith(":cell_abundances") and not arrived:
                    arrived.append(archive.add(77))
                    tiny.ingest(study, archive)

    Rebuild(Study(study.root), ANALYSES, executor=Late()).run()
    assert arrived and tiny.due(study) == {}
    assert arrived[0] in units(study, "tsh_ratios")


def test_the_leases_of_a_run_that_lives_do_not_expire(study, monkeypatch):
    monkeypatch.setattr(leasing, "LEASE_SECONDS", 0.4)
    opened = Study(study.root)
    leases = leasing.Leases(opened.engine, 1001, "one machine", "1:1")
    other = leasing.Leases(opened.engine, 1002, "another machine", "1:1")
    with leases.kept_alive():
        assert leases.take("tsh_ratios", ["a", "b"]) == ["a", "b"]
        time.sleep(1.0)
        assert other.take("tsh_ratios", ["a", "b", "c"]) == ["c"]
    time.sleep(0.6)
    assert other.take("tsh_ratios", ["a"]) == ["a"]
    with reading(opened.engine) as connection:
        assert leases.mine(connection, "tsh_ratios") == {"b"}
    opened.engine.dispose()


def test_a_late_owner_cannot_commit(study, archive):
    """Fencing: a rebuild whose lease was taken over throws its result away."""
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 1.0)
    tiny.ingest(study, archive)

    robbed = []

    class Robbed(InProcess):
        def run(self, tasks):
            for task, outcomes in super().run(tasks):
                if task.analysis.endswith(":cell_abundances") and not robbed:
                    robbed.append(task)
                    with writing(study.engine) as connection:
                        connection.execute(
                            update(Lease).values(token=10_000, expires_at=time.time() + 0.2, host="other")
                        )
                yield task, outcomes

    engine = Rebuild(Study(study.root), ANALYSES, executor=Robbed())
    committed = []
    original = engine._commit
    engine._commit = lambda batch, outcomes: committed.append(original(batch, outcomes)) or committed[-1]
    engine.run()
    assert {} in committed, "the first result was refused"
    assert tiny.due(study) == {}


def test_a_dead_owner_is_recognised_at_once(study, archive):
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 1.0)
    tiny.ingest(study, archive)
    with writing(study.engine) as connection:
        connection.execute(
            insert(Lease).values(
                analysis="cell_abundances",
                key="TCGA-TN-0001-01A-11R-A000-07:rsem:expression.csv",
                token=999,
                host=machine(),
                process="999999:1",
                expires_at=time.time() + 3600,
            )
        )
    started = time.monotonic()
    tiny.rebuild(study)
    assert time.monotonic() - started < 20 and tiny.due(study) == {}


def test_named_analyses_bring_what_they_rest_on(empty_study, archive):
    tiny.ingest(empty_study, archive)
    report = tiny.rebuild(empty_study, names=["tsh_ratios"])
    assert set(report.computed) == {"cell_abundances", "tsh_ratios"}
    with pytest.raises(NotFound, match="no analysis 'nonsense'"):
        tiny.rebuild(empty_study, names=["nonsense"])


def test_unfiltered_abundances_say_so(empty_study, archive):
    tiny.ingest(empty_study, archive)
    tiny.rebuild(empty_study)
    assert all("'gene_filter': 'unfiltered'" in line for line in tiny.dump(empty_study)["cell_abundances"])


def test_an_analysis_must_not_give_rows_that_were_not_asked_for(tmp_path, study, monkeypatch):
    ratios = next(a for a in ANALYSES if a.name == "tsh_ratios")

    def strangers(tumor, stroma, params):
        frame = ratios.function(tumor, stroma, params)
        return frame.assign(patient_id="TCGA-ZZ-ZZZZ")

    from tshdb.engine.compute import split
    from tshdb.objects import ObjectStore

    frame = strangers(*_two_frames(), ratios.params())
    with pytest.raises(ValueError, match="not asked for"):
        split(ratios, frame, ["TCGA-TN-0001"], ObjectStore(tmp_path))


def _two_frames():
    import pandas as pd

    frame = pd.DataFrame(
        [{"patient_id": "TCGA-TN-0001", "population": "T cells", "unit": "rsem", "transform": "none", "abundance": 1.0}]
    )
    return frame, frame


def test_a_cycle_through_a_cohort_is_refused(study):
    from tshdb.cohorts import versions as cohorts
    from tshdb.engine.planner import Planner
    from tshdb.engine.world import World

    with pytest.raises(InvalidInput, match="depend on themselves"):
        with writing(study.engine) as connection:
            cohorts.define(
                connection,
                tiny.LIVE,
                "SELECT patient_id FROM follow_ups WHERE (SELECT count(*) FROM cox_terms) >= 0",
            )
            Planner(connection, World(ANALYSES, study.settings))


def test_a_live_cohort_may_select_on_results(study, archive):
    """Its membership follows the analysis that makes them, in one rebuild."""
    from tshdb.cohorts import versions as cohorts

    with writing(study.engine) as connection:
        cohorts.define(
            connection, tiny.LIVE, "SELECT patient_id FROM tsh_ratios WHERE population = 'T cells' AND value < 0"
        )
    tiny.rebuild(study)
    assert tiny.due(study) == {}
    archive.set_value("TCGA-TN-0001", "tumor", "CD3D", 1e6)
    archive.set_value("TCGA-TN-0001", "tumor", "CD5", 1e6)
    tiny.ingest(study, archive)
    assert tiny.plan(study)["univariable_cox"].due[tiny.LIVE].is_possible
    tiny.rebuild(study)
    assert tiny.due(study) == {}


def test_every_attempt_says_why(study, archive):
    archive.add(77)
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 1.0)
    tiny.ingest(study, archive)
    run = tiny.rebuild(study).run_id
    with reading(study.engine) as connection:
        reasons = connection.execute(select(Attempt.reason, Attempt.detail).where(Attempt.run_id == run)).fetchall()
        state = connection.execute(select(Run.state, Run.ended_at).where(Run.run_id == run)).one()
    # a member without images changes nothing of the summary of images but who its members are
    assert {r.reason for r in reasons} == {"new", "input", "member"} and all(r.detail for r in reasons)
    assert state.state == "done" and state.ended_at


def test_another_normal_form_alone_makes_nothing_stale(study):
    """The kept code is brought to this program's form before anything is called stale."""
    from tshdb.schema import Spec

    with writing(study.engine) as connection:
        connection.execute(update(Spec).values(code_fingerprint=Spec.spec_id, form=0))
    assert tiny.due(study) == {}


def test_why_leads_to_file_and_line(study, archive):
    from tshdb.engine.why import why
    from tshdb.engine.world import World

    def ask(unit):
        with reading(study.engine) as connection:
            return why(connection, World(ANALYSES, study.settings), unit)

    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 17.5)
    archive.change("TCGA-TN-0002", days=731)
    tiny.ingest(study, archive)
    facts = ask("tsh_ratios/TCGA-TN-0001")
    assert facts["state"] == "due" and facts["is_possible"]
    assert facts["changes"][0]["columns"]["GNLY"][1] == 17.5
    assert facts["changes"][0]["now"].startswith("expression.csv line 1 ")
    facts = ask(f"univariable_cox/{tiny.COHORT}@1")
    change = next(c for c in facts["changes"] if c["row"].startswith("follow_ups"))
    assert change["columns"] == {"duration_days": [change["columns"]["duration_days"][0], 731.0]}
    assert change["now"].startswith("clinical.tsv line 6 ") and change["was"].startswith("clinical.tsv line 6 ")
    tiny.rebuild(study)
    facts = ask("cell_abundances/TCGA-TN-0001-01A-11R-A000-07:rsem:expression.csv")
    assert facts["state"] == "current" and facts["computed"]["because"].startswith("input")
    origin = next(r for r in facts["inputs"] if r["role"] == "expression")["shown"][0]["from"]
    assert origin[0].startswith("expression.csv line 1 column 4 (sha256 ")
    with pytest.raises(NotFound, match="no unit tsh_ratios/TCGA-TN-00999"):
        ask("tsh_ratios/TCGA-TN-00999")
    with pytest.raises(NotFound, match="is no unit"):
        ask("nonsense")


IMPORTS_ITSELF = """
import json
from pathlib import Path
import pandas as pd
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.compute import Task, compute
from tshdb.engine.identity import loaded_digest
from tshdb.engine.inputs import Inputs
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import RocPoint, TshRatio

@analysis(kind="summary", per="cohort", needs={"ratios": Need(TshRatio, SAME_PATIENT)}, makes=RocPoint, params=Parameters,
          cohorts=("some",), source="a toy")
def threads_of_libraries(ratios: pd.DataFrame) -> pd.DataFrame:
    import scipy.linalg
    from threadpoolctl import threadpool_info
    most = max(pool["num_threads"] for pool in threadpool_info())
    return pd.DataFrame([{"model": "toy", "position": 0, "score": float(most), "sensitivity": 0.0, "specificity": 0.0}])

inputs = Inputs("patient_id", {"ratios": pd.DataFrame()}, frozenset())
name, loaded = "__main__:threads_of_libraries", loaded_digest((), ())
(outcome,) = compute(Task(name, ("some",), inputs, "{}", 1, Path(), loaded=loaded))
assert outcome.message is None, outcome.message
print(outcome.rows[0]["score"])
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two processors: one has a pool of one thread anyhow")
def test_a_library_that_an_analysis_imports_itself_has_one_thread_too():
    """The linear algebra of SciPy comes with the import, after the pools that there were have been limited."""
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS_ITSELF], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == "1.0", done.stderr
