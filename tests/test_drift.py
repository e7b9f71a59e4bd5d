"""Who changed group, and why: every flip is attributed to what was really done. The change log cannot be edited unseen."""

from __future__ import annotations

import json
import sqlite3

import pytest

from analyses import ANALYSES
from tests import tiny
from tshdb.database import reading
from tshdb.drift import drift, runs_between
from tshdb.errors import NotFound
from tshdb.history import breaks
from tshdb.study import Study


def groups(study) -> dict[str, str]:
    frame = study.sql("SELECT patient_id, prognosis FROM survival_groups ORDER BY 1")
    return dict(zip(frame["patient_id"], frame["prognosis"], strict=True))


def flips(study, name: str = "cutoff"):
    fresh = Study(study.root)
    with reading(fresh.engine) as connection:
        found = drift(connection, ANALYSES, name)
    fresh.engine.dispose()
    return found


def did(study, archive, what: str) -> str:
    """Do something that moves groups; gives the cause that must be named for all of them."""
    settings = study.root / "study.toml"
    if what == "correct":
        low = next(p for p, group in groups(study).items() if group == "poor")
        for gene in ("GNLY", "KLRD1", "EOMES"):
            archive.set_value(low, "tumor", gene, 5e5)
        tiny.ingest(study, archive)
        return "data corrected"
    if what == "parameter":
        text = settings.read_text()
        assert 'method = "median"' in text
        settings.write_text(
            text.replace('method = "median"', 'method = "fixed"').replace("value = -0.3512", "value = 0.2")
        )
        return "the parameters of cutoff changed"
    if what == "markers":
        path = study.root / "markers.csv"
        lines = [line for line in path.read_text().splitlines() if not line.startswith("Cytotoxic")]
        path.write_text("\n".join([*lines, "Cytotoxic lymphocytes,TP53", "Cytotoxic lymphocytes,VWF"]) + "\n")
        return "the marker table changed"
    for i in range(60, 67):
        archive.add(i)
        archive.set_value(f"TCGA-TN-{i:04d}", "tumor", "GNLY", 9e5)
    tiny.ingest(study, archive)
    tiny.freeze(study)
    return f"the members changed: cutoff/{tiny.COHORT}@2 was fitted"


@pytest.mark.parametrize("what", ["correct", "parameter", "markers", "members"])
def test_every_flip_is_attributed_to_what_was_done(study, archive, what):
    before = groups(study)
    cause = did(study, archive, what)
    tiny.rebuild(study)
    after = groups(study)
    moved = {p for p in before if before[p] != after[p]}
    assert moved, "the test must move somebody"
    found = flips(study)
    assert {f.patient_id for f in found} == moved
    assert {(f.patient_id, f.before, f.after) for f in found} == {(p, before[p], after[p]) for p in moved}
    assert {f.cause for f in found} == {cause}
    assert all(f.trail for f in found) and {f.analysis for f in found} == {"survival_groups"}


def test_one_thing_after_the_other_is_told_apart(tshdb, study, archive):
    causes = []
    for what in ("correct", "parameter", "members"):
        causes.append(did(study, archive, what))
        tiny.rebuild(study)
        study = Study(study.root)
    found = flips(study)
    by_run = {run: {f.cause for f in found if f.run_id == run} for run in sorted({f.run_id for f in found})}
    assert list(by_run.values())[:2] == [{causes[0]}, {causes[1]}], "fixed by parameter, new members move nobody"
    said = tshdb("drift", "cutoff", cwd=study.root).stdout
    assert "data corrected" in said and said.count("\n") == len(found) + 2
    assert len(json.loads(tshdb("drift", "survival_groups", "--json", cwd=study.root).stdout)) == len(found)
    assert "tracked" in tshdb("drift", "gene_filter", cwd=study.root, code=8).stderr


def test_a_study_at_rest_has_no_drift(tshdb, study):
    assert "Nobody has changed group" in tshdb("drift", "tsh_model", cwd=study.root).stdout
    assert flips(study) == []


def test_runs_are_compared(tshdb, study, archive):
    first = tiny.last_run(study)
    did(study, archive, "correct")
    second = tiny.rebuild(study).run_id
    with reading(study.engine) as connection:
        found = {(f["analysis"], f["reason"]): f for f in runs_between(connection, first, second)}
        assert found["cell_abundances", "input"]["units"] == 1
        with pytest.raises(NotFound, match="no run 99"):
            runs_between(connection, first, 99)
    everything = json.loads(tshdb("diff", "0", str(second), "--json", cwd=study.root).stdout)
    assert sum(e["units"] for e in everything) > 100
    assert "Nothing was computed" in tshdb("diff", str(second), str(second), cwd=study.root).stdout


# ------------------------------------------------------------------------------------------------ the chain


def damage(study, statement: str) -> list[tuple[int, str]]:
    study.engine.dispose()
    with sqlite3.connect(study.root / "study.db") as connection:
        assert connection.execute(statement).rowcount
    connection.close()
    fresh = Study(study.root)
    with reading(fresh.engine) as connection:
        found = list(breaks(connection))
    fresh.engine.dispose()
    return found


def test_the_log_is_chained(study, archive):
    archive.set_value("TCGA-TN-0003", "tumor", "GNLY", 7.0)
    tiny.ingest(study, archive)
    with reading(study.engine) as connection:
        assert list(breaks(connection)) == []
    log = study.sql("SELECT change_id, chain FROM change_log ORDER BY 1")
    assert log["chain"].notna().all() and log["chain"].is_unique and len(log) > 40


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE change_log SET changes = '{}x' WHERE change_id = 7", 7),
        ("UPDATE change_log SET action = 'update' WHERE change_id = 7", 7),
        ("UPDATE change_log SET after_line = after_line + 1 WHERE change_id = 7", 7),
        ("DELETE FROM change_log WHERE change_id = 7", 8),
        ("DELETE FROM change_log WHERE change_id = 1", 2),
        ("DELETE FROM change_log WHERE change_id > 30", 0),
        ("UPDATE change_log SET chain = NULL WHERE change_id = 7", 7),
        ("UPDATE change_log SET change_id = 100000 WHERE change_id = 7", 8),
    ],
)
def test_an_edit_is_found_where_it_is(study, statement, where):
    found = damage(study, statement)
    assert found and found[0][0] == where
