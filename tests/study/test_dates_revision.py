"""Revision 0016: words of older studies get the dates of their files, and rows on which a name decided are derived again."""

from __future__ import annotations

import json
import sqlite3

import pytest

import migrations
from tests.support import tiny
from tests.support.program import run_quick
from tshdb.actions import ingest
from tshdb.study import Study

HEADER = "case_submitter_id\tvital_status\tdays_to_death\tdays_to_last_follow_up\tage_at_index\tgender\n"
BEFORE = "0015"
QUERY = "SELECT age_years, event, duration_days FROM patients JOIN follow_ups USING (patient_id)"


def older_study(tmp_path, *names: str) -> Study:
    """A study of the revision before, in which the first file by name decided."""
    study = tiny.new_study(tmp_path / "study")
    for name, row in zip(names, ("Alive\t'--\t400\t60", "Dead\t300\t'--\t66"), strict=True):
        path = tmp_path / name
        path.write_text(f"{HEADER}TCGA-TN-0001\t{row}\tfemale\n")
        ingest.clinical(study, path, "tcga-brca")
    migrations.downgrade(study.engine, BEFORE)
    study.engine.dispose()
    with sqlite3.connect(study.root / "study.db") as database:
        database.execute("UPDATE follow_ups SET event = 0, duration_days = 400, reason = NULL, rule = 'os-1'")
        database.execute("UPDATE patients SET age_years = 60")
        database.execute("UPDATE conflicts SET held_source = 'tcga-brca/clinical/' || ?, held_value = '60'", [names[0]])
    return Study(study.root)


@pytest.mark.parametrize(
    ("names", "rows", "undecided"),
    [
        (("a.2024-05-01.tsv", "b.2025-05-01.tsv"), [66, True, 300], 0),
        (("a.2025-05-01.tsv", "b.2024-05-01.tsv"), [60, False, 400], 0),
        (("a.tsv", "b.tsv"), [None, None, None], 2),
    ],
)
def test_the_later_word_holds_after_the_migration(tmp_path, names, rows, undecided):
    study = older_study(tmp_path, *names)
    tried = json.loads(run_quick("migrate", "--dry-run", "--json", cwd=study.root).stdout)
    assert tried["revision"] == BEFORE and Study(study.root).root.is_dir()
    run_quick("migrate", cwd=study.root)
    study = Study(study.root)
    frame = study.sql(QUERY).astype(object)
    assert frame.where(frame.notna(), None).values.tolist() == [rows]
    open_ones = study.sql("SELECT DISTINCT column_name FROM conflicts WHERE held_source = ''")
    assert len(open_ones) == undecided
    said = run_quick("check", cwd=study.root, code=None)
    assert "was edited" not in said.stdout and ("sources disagree" in said.stdout) is bool(undecided)
    study.engine.dispose()
