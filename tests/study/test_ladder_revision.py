"""Revisions 0034 and 0036: a table of rungs; a study from before has it empty, nothing is due, and it is made when asked for."""

from __future__ import annotations

import json
import sqlite3
import tarfile

import pytest

import migrations
from analyses.signature.signature_ladder import SHOWN
from tests.support.program import ROOT, run_quick
from tests.support.tiny import plan, rebuild
from tshdb.study import Study

SCORES = "SELECT patient_id, score FROM signature_fold_scores ORDER BY patient_id, repeat"
ASKED = '\n[signature_ladder]\nsignatures_of = ["radiogenomic_development"]\nn_random = 2\nn_searched = 1\nmin_per_class = 4\n'


def test_an_older_study_gets_the_table_and_a_ladder_on_request(tmp_path):
    with tarfile.open(ROOT / "tests/data/study-0009.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    folder = tmp_path / "study"
    with sqlite3.connect(folder / "study.db") as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        scores = database.execute(SCORES).fetchall()
    database.close()
    assert "ladder_rungs" not in tables and "signature_fold_scores" in tables
    run_quick("migrate", cwd=folder)
    study = Study(folder)
    assert study.sql("SELECT * FROM ladder_rungs").empty
    now = study.sql(SCORES)
    assert list(now.itertuples(index=False, name=None)) == scores
    assert not plan(study)["signature_ladder"].due and "signature_ladder" not in run_quick("plan", cwd=folder).stdout
    said = run_quick("table", "ladder", cwd=folder, code=8).stderr
    assert "[signature] signatures_of names no cohort (study.toml, by default)" in said
    assert "it is made on request" in said
    with (folder / "study.toml").open("a") as settings:
        settings.write(ASKED)
    study.engine.dispose()
    study = Study(folder)
    rebuild(study, names=["signature_ladder"])
    rungs = study.sql("SELECT * FROM ladder_rungs ORDER BY position")
    assert len(rungs) == len(SHOWN) and set(rungs["cohort"]) == {"radiogenomic_development@1"}
    why = "0 good and 0 poor with features: fewer than 4 of one kind"
    assert set(rungs["reason"]) == {why}, "the features that the signature was learned from are not here"
    assert rungs["verdict"].tolist() == ["cannot be judged"] + [None] * (len(SHOWN) - 1)
    table = run_quick("table", "ladder", cwd=folder).stdout
    assert f"Verdict: cannot be judged: signature: {why}." in table
    shown = json.loads(run_quick("table", "ladder", "--json", cwd=folder).stdout)
    assert [row["rung"] for row in shown] == rungs["rung"].tolist() and {row["reason"] for row in shown} == {why}
    assert "not those that were computed" not in run_quick("check", cwd=folder, code=None).stdout
    _verdicts_on_texture(study)
    study.engine.dispose()


def _verdicts_on_texture(study: Study) -> None:
    """Revision 0036: rows stay, and say of texture what a database from before cannot hold; going back it is `adds`."""
    rungs = study.sql("SELECT * FROM ladder_rungs ORDER BY position")
    migrations.downgrade(study.engine, "0034")
    said = "UPDATE ladder_rungs SET verdict = '{}' WHERE rung = 'signature'"
    with sqlite3.connect(study.root / "study.db") as database:
        assert "control_features" not in {r[0] for r in database.execute("SELECT name FROM sqlite_master")}
        with pytest.raises(sqlite3.IntegrityError, match="verdict"):
            database.execute(said.format("adds texture"))
    database.close()
    migrations.upgrade(study.engine)
    assert study.sql("SELECT * FROM ladder_rungs ORDER BY position").equals(rungs)
    assert study.sql("SELECT * FROM control_features").empty
    for verdict in ("adds texture", "no texture shown"):
        with sqlite3.connect(study.root / "study.db") as database:
            database.execute(said.format(verdict))
            with pytest.raises(sqlite3.IntegrityError, match="verdict"):
                database.execute(said.format("texture"))
        database.close()
        migrations.downgrade(study.engine, "0034")
        migrations.upgrade(study.engine)
        assert study.sql("SELECT verdict FROM ladder_rungs WHERE rung = 'signature'")["verdict"].tolist() == ["adds"]
