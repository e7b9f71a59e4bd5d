"""Who computes answers for what it has loaded: outcomes of another program, and of other libraries, are thrown away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy import select

from analyses import ANALYSES
from cli import rebuild as command
from tests.support import tiny
from tests.support.program import ROOT
from tshdb.database import reading
from tshdb.engine import compute as computing
from tshdb.engine import identity
from tshdb.engine.executor import InProcess
from tshdb.engine.identity import libraries_of, loaded_digest, top_level
from tshdb.engine.rebuild import Rebuild
from tshdb.schema import Run
from tshdb.study import Study
from tshdb.vocabulary import RunState


class Elsewhere(InProcess):
    """Its cell abundances come from a process that has loaded something else."""

    n_tried = 0

    def run(self, tasks):
        for task, outcomes in super().run(tasks):
            if task.analysis.endswith(":cell_abundances"):
                self.n_tried += len(outcomes)
                outcomes = [replace(o, loaded="another", process="process 7 on node3") for o in outcomes]
            yield task, outcomes


@pytest.fixture
def corrected(study, archive):
    """Everything current, but for one patient whose tumour and whose outcome were corrected."""
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 1.0)
    archive.change("TCGA-TN-0001", days=1234)
    tiny.ingest(study, archive)
    return study


@pytest.fixture
def task(corrected):
    """A batch as it is sent to a worker."""
    seen = []

    class Noting(InProcess):
        def run(self, tasks):
            return super().run(seen.append(task) or task for task in tasks)

    Rebuild(Study(corrected.root), ANALYSES, executor=Noting(), names=["tsh_ratios"]).run()
    return next(t for t in seen if t.analysis.endswith(":tsh_ratios"))


def test_what_another_process_computed_is_thrown_away_and_said(corrected, capsys):
    before, due = tiny.dump(corrected), tiny.due(corrected, certain_only=True)
    executor = Elsewhere()
    report = Rebuild(Study(corrected.root), ANALYSES, executor=executor).run()
    said = "process 7 on node3: it has loaded other code or other libraries than this run"
    assert report.discarded == {"cell_abundances": {said: 1}} and executor.n_tried == 1
    assert report.computed["cell_abundances"] == 0
    assert tiny.dump(corrected)["cell_abundances"] == before["cell_abundances"]
    assert tiny.due(corrected, certain_only=True)["cell_abundances"] == due["cell_abundances"]
    with reading(corrected.engine) as connection:
        assert connection.execute(select(Run.state).order_by(Run.run_id.desc())).scalars().first() == RunState.PARTIAL
    command.show_report(report, 1.0)
    assert f"cell_abundances: 1 units are still due, nothing was kept of them: {said}" in capsys.readouterr().out
    assert json.loads(json.dumps(report.__dict__))["discarded"] == report.discarded
    assert report.is_partial


def test_what_rests_on_it_waits(corrected):
    """Its patient's outcome was corrected too: the Cox models would be due for that alone, and rest on both."""
    before = tiny.dump(corrected)
    report = Rebuild(Study(corrected.root), ANALYSES, executor=Elsewhere()).run()
    assert not any(report.computed.get(name) for name in ("tsh_ratios", "tumor_abundances", "abundance_cox", "tsh_cox"))
    assert tiny.dump(corrected)["cox_terms"] == before["cox_terms"]
    report = tiny.rebuild(corrected)
    assert not report.is_partial and report.computed["cell_abundances"] == 1 and report.computed["abundance_cox"]
    assert tiny.due(corrected) == {}


def test_a_process_that_is_not_alike_does_not_even_begin(task):
    assert task.modules and all(o.rows and o.loaded == task.loaded for o in computing.compute(task))
    outcomes = computing.compute(replace(task, loaded="another"))
    assert [(o.key, o.rows, o.fingerprint, o.loaded) for o in outcomes] == [
        (k, [], None, task.loaded) for k in task.keys
    ]


def test_a_library_that_is_upgraded_while_it_is_computed_with_is_seen(task, monkeypatch):
    """The former version is loaded, the new one is what later imports would take: nobody can say which one it was."""
    task = replace(task, libraries=("scipy",), loaded=loaded_digest(task.modules, ["scipy"]))
    assert {o.loaded for o in computing.compute(task)} == {task.loaded}
    computed, installed, upgraded = computing._computed, identity.library_version, []
    monkeypatch.setattr(computing, "_computed", lambda task: [computed(task), upgraded.append("99.0")][0])
    monkeypatch.setattr(identity, "library_version", lambda name: upgraded[0] if upgraded else installed(name))
    assert task.loaded not in {o.loaded for o in computing.compute(task)}
    assert identity.version_of("scipy") == installed("scipy")


def test_a_library_that_was_upgraded_before_it_was_loaded_stops_its_analysis():
    """The spec says the version that was there when it was read; another one was loaded."""
    ratios = next(a for a in ANALYSES if a.name == "tsh_ratios")
    ground = identity.ground_of(ratios, ["analyses.expression.tsh_ratios"], {"numpy": "1.0"})
    assert ground.problem == f"numpy {identity.load('numpy')} is loaded and 1.0 is installed: start the program again"
    assert (
        identity.ground_of(ratios, ["analyses.expression.tsh_ratios"], {"numpy": identity.load("numpy")}).problem
        is None
    )


def test_a_missing_library_and_a_module_that_cannot_be_imported_do_not_end_the_run(tmp_path, monkeypatch):
    (tmp_path / "needs_nowhere.py").write_text("import nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert loaded_digest(["needs_nowhere"], ["nowhere-to-be-found"]) != loaded_digest([], ["nowhere-to-be-found"])
    assert top_level("nowhere-to-be-found") == () and identity.load("nowhere-to-be-found") == "not installed"


def test_a_library_is_imported_by_its_own_modules():
    assert top_level("scikit-learn") == ("sklearn",) and top_level("pyarrow") == ("pyarrow",)
    assert top_level("lifelines") == ("lifelines",)


def test_all_libraries_that_results_may_differ_by_are_compared():
    named = {name for a in ANALYSES for name in (*a.libraries, *a.strict_libraries)}
    assert {*named, "pyarrow", "numba", "skops", "sqlalchemy", "pydantic"} <= set(libraries_of(ANALYSES))


def test_the_run_records_the_versions_as_loaded(corrected, monkeypatch):
    monkeypatch.setitem(identity._versions, "scipy", "0.0.1")
    tiny.rebuild(corrected)
    with reading(corrected.engine) as connection:
        recorded = json.loads(connection.execute(select(Run.libraries).order_by(Run.run_id.desc())).scalars().first())
    assert recorded["scipy"] == "0.0.1" and recorded.keys() == set(libraries_of(ANALYSES))


def test_only_what_is_due_is_loaded(corrected):
    """Nothing is imported for the sake of analyses that have nothing to do."""
    first, second = (Rebuild(Study(corrected.root), ANALYSES, names=["tsh_ratios"]) for _ in range(2))
    assert first.run().worked_on == {"cell_abundances", "tsh_ratios"}
    assert set(first._grounds) == {"cell_abundances", "tsh_ratios"}
    assert not second.run().worked_on and not second._grounds


def test_who_only_looks_imports_nothing_heavy(study):
    """plan, why, status, and a rebuild with nothing due read code as text: in a process of its own."""
    study.engine.dispose()
    heavy = ("sklearn", "lifelines", "scipy", "SimpleITK", "radiomics", "numba", "skops", "pydicom", "matplotlib")
    program = (
        "import sys\n"
        "from cli.main import app\n"
        "for words in (['plan'], ['why', 'tsh_ratios/TCGA-TN-0004'], ['status'], ['rebuild']):\n"
        "    app(words, standalone_mode=False)\n"
        f"print('loaded:', [m for m in {heavy!r} if m in sys.modules])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=study.root, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "loaded: []"
    assert "Nothing was due" in done.stdout
