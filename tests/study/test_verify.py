"""`tshdb verify`: stored results are what their code gives, and every planted fault is found, whatever digests say."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests.support import tiny
from tests.support.result_faults import FAULTS, OF_IMAGES, plant
from tshdb.study import Study
from tshdb.verification.comparing import Verdict
from tshdb.verification.drawing import drawn
from tshdb.verification.verify import verify


def found(study: Study, unit: str, **options) -> tuple[str, ...]:
    """What is said of a unit that is not as it was made; nothing of one that is the same."""
    done = verify(study, **options)
    (one,) = [v for v in done.units if v.unit == unit]
    assert (one.verdict is Verdict.SAME) == (not one.says)
    return one.says


def test_whole_results_are_the_same(study):
    """Images, models and all, drawn from every analysis; nothing is written."""
    study.engine.dispose()
    before = {p: p.read_bytes() for p in study.root.rglob("*") if p.is_file() and not p.name.endswith(("-wal", "-shm"))}
    done = verify(study, sample=60, seed=3)
    study.engine.dispose()
    assert len(done.units) == 60 and done.count(Verdict.SAME) == 60 and done.n_due == 0
    assert len({v.unit.partition("/")[0] for v in done.units}) > 50, "each analysis has its turn"
    assert {p: p.read_bytes() for p in before} == before
    assert not {p.name for p in study.root.rglob("*.skops")} - {p.name for p in before}


def test_the_draw_is_seeded_and_spread():
    keys = {"a": [f"k{i}" for i in range(100)], "b": ["x"], "c": ["y", "z"]}
    assert drawn(keys, 5, 1) == drawn({n: list(reversed(k)) for n, k in reversed(keys.items())}, 5, 1)
    assert drawn(keys, 5, 1) != drawn(keys, 5, 2)
    assert {n for n, _ in drawn(keys, 3, 4)} == {"a", "b", "c"} and len(drawn(keys, None, 1)) == 103
    assert len(set(drawn(keys, None, 1))) == 103


SOONER = ("value_with_digests", "deleted_row", "other_type", "swapped_results", "parameter_with_digest", "swapped_input",
          "edited_source", "markers")  # fmt: skip


@pytest.mark.parametrize(
    "fault", [pytest.param(f, id=f.__name__, marks=() if f.__name__ in SOONER else pytest.mark.long) for f in FAULTS]
)
def test_a_planted_fault_is_found(core, fault):
    """Nobody says where to look: every result is verified. Those that the fault does not reach are the same."""
    core.engine.dispose()
    unit = plant(fault, core.root, seed=1)
    done = verify(Study(core.root), sample=None)
    bad = {v.unit: v.says for v in done.units if v.verdict is not Verdict.SAME}
    assert bad.get(unit), f"{unit} in {sorted(bad)}"
    assert done.count(Verdict.SAME) > 0


@pytest.mark.parametrize("fault", OF_IMAGES, ids=lambda f: f.__name__)
def test_a_planted_fault_of_images_and_models_is_found(study, fault):
    study.engine.dispose()
    unit = plant(fault, study.root, seed=1)
    assert found(Study(study.root), unit, names=[unit])


def test_a_difference_is_named_by_row_and_column(quick, core):
    core.engine.dispose()
    with sqlite3.connect(core.sqlite_path) as raw:
        raw.execute(
            "UPDATE tsh_ratios SET value = 7.5 WHERE patient_id = 'TCGA-TN-0001' AND population = 'Fibroblasts'"
        )
    raw.close()
    done = quick("verify", "tsh_ratios/TCGA-TN-0001", "tsh_ratios/TCGA-TN-0002", cwd=core.root, code=5)
    assert "DIFFERS  tsh_ratios/TCGA-TN-0001" in done.stdout and "Fibroblasts" in done.stdout
    assert "value is 7.5, and " in done.stdout and "is computed (relative " in done.stdout
    facts = json.loads(quick("verify", "--all", "--json", cwd=core.root, code=5).stdout)
    assert facts["same"] + facts["differs"] + facts["not_comparable"] == len(facts["units"]) == facts["standing"]
    assert "has no result" in quick("verify", "tsh_ratios/NOBODY", cwd=core.root, code=8).stderr


def test_another_parameter_or_seed_by_now_is_no_fault(core):
    """A unit is computed with what it was made by, not with what study.toml says now."""
    settings = core.root / "study.toml"
    text = settings.read_text()
    assert "seed = 20230901" in text
    settings.write_text(text.replace("seed = 20230901", "seed = 5"))
    done = verify(Study(core.root), sample=None)
    assert done.count(Verdict.SAME) == len(done.units) and done.n_due > 0
    (cutoff,) = [v for v in done.units if v.unit.startswith("cutoff/")]
    assert "seed changed: 20230901 -> 5" in cutoff.note


def test_a_corrected_input_cannot_be_compared(core):
    """The unit is due: nothing is said of whether it was right."""
    archive = tiny.TinyArchive.make(10)
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 9.5)
    tiny.ingest(core, archive, images=False)
    done = verify(core, sample=None)
    other = {v.unit: v.says for v in done.units if v.verdict is Verdict.OTHER}
    assert done.count(Verdict.DIFFERS) == 0
    (unit,) = [u for u in other if u.startswith("cell_abundances/") and "TCGA-TN-0001-01A" in u]
    assert "is another one since it was made" in other[unit][0]


def test_other_code_is_said(core):
    """The program computes otherwise by now: by how much is said, and nobody is accused."""
    core.engine.dispose()
    with sqlite3.connect(core.sqlite_path) as raw:
        raw.execute("UPDATE specs SET code_fingerprint = 'x' WHERE analysis = 'tsh_ratios'")
        raw.execute("UPDATE specs SET text_digest = NULL WHERE analysis = 'tsh_ratios'")
    raw.close()
    same = verify(Study(core.root), ["tsh_ratios/TCGA-TN-0001"]).units[0]
    assert same.verdict is Verdict.SAME and same.note == "although its code changed"
    unit = plant(FAULTS[1], core.root, seed=1)
    with sqlite3.connect(core.sqlite_path) as raw:
        raw.execute("UPDATE specs SET code_fingerprint = 'x', text_digest = NULL WHERE analysis = 'cell_abundances'")
    raw.close()
    other = verify(Study(core.root), [unit]).units[0]
    assert other.verdict is Verdict.OTHER and "its code changed" in other.says[0] and "abundance is" in other.says[1]


def test_other_libraries_are_said(core):
    """numpy was another one when the results were made: it may be the reason, and is named. What is the same is the same."""
    unit = plant(FAULTS[1], core.root, seed=1)
    core.engine.dispose()
    with sqlite3.connect(core.sqlite_path) as raw:
        raw.execute("UPDATE runs SET libraries = json_set(libraries, '$.numpy', '1.26.4')")
        raw.execute("UPDATE specs SET python_version = '3.9'")
    raw.close()
    other, same = verify(Study(core.root), [unit, "gene_filter/tumor_stroma_development@1"]).units
    assert other.verdict is Verdict.OTHER and "abundance is" in other.says[1]
    assert "Python 3.9 -> " in other.says[0] and "numpy 1.26.4 -> " in other.says[0]
    assert same.verdict is Verdict.SAME and same.note == ""


def test_a_process_that_dies_is_named_and_the_rest_goes_on(core, monkeypatch):
    monkeypatch.setenv("TSHDB_FAILPOINT", "verify.unit_computed")
    units = ["tsh_ratios/TCGA-TN-0001", "tsh_ratios/TCGA-TN-0002"]
    done = verify(core, units)
    assert [v.verdict for v in done.units] == [Verdict.DIFFERS] * 2
    assert all("ended with 137" in v.says[0] for v in done.units)


def test_on_postgresql(postgresql, tmp_path):
    """Results of a server are verified as those of a file; gc and the doctor know it, too."""
    from tshdb.actions import cleaning
    from tshdb.doctor.examine import examine
    from tshdb.doctor.line import State

    study = tiny.new_study(tmp_path / "study", postgresql, analyses=tiny.CORE)
    tiny.ingest(study, tiny.TinyArchive.make(6), images=False)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study, tiny.CORE)
    done = verify(study, sample=None)
    assert done.count(Verdict.SAME) == len(done.units) > 20
    assert cleaning.clean(study).garbage == [] and cleaning.find(study).waits is None
    found = {line.what: line for line in examine(study.root)}
    assert "the server answers" in found["database"].found
    assert not [line for line in found.values() if line.state is State.PROBLEM]
