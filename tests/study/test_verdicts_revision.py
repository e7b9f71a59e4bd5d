"""Revision 0025: a table of verdicts on lesions; a study from before has it empty, and nothing that was ingested seems edited."""

from __future__ import annotations

import migrations
from ingest.simulate.dce_layouts import ge_pre_and_post
from tests.study.test_frames_revision import SEEN, UNITS, with_images
from tests.support.program import run_quick
from tshdb.study import Study


def test_a_study_from_before_gets_the_table_and_keeps_the_rest(tmp_path):
    study = with_images(tmp_path, ge_pre_and_post)
    now, seen = study.sql(UNITS), study.sql(SEEN)
    migrations.downgrade(study.engine, "0024")
    study.engine.dispose()
    run_quick("migrate", cwd=study.root)
    study = Study(study.root)
    assert study.sql(UNITS).equals(now) and study.sql(SEEN).equals(seen)
    assert study.sql("SELECT * FROM lesion_verdicts").empty
    (uid,) = study.sql("SELECT study_uid FROM imaging_studies")["study_uid"]
    file = tmp_path / "verdicts.csv"
    file.write_text(f"study_uid,outline,verdict,read_by\n{uid},grown,pass,A. Reader\n")
    run_quick("qc", "import", file, "--collection", "sim", cwd=study.root)
    assert study.sql("SELECT outline, verdict FROM lesion_verdicts").values.tolist() == [["grown", "pass"]]
    said = run_quick("check", cwd=study.root, code=None).stdout
    assert "edited" not in said and "damaged" not in said
    study.engine.dispose()
