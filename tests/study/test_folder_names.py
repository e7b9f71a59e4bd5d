"""A study works in a folder of any name, and leaves nothing beside it: no name is pasted into a URL or a pattern."""

from __future__ import annotations

import pytest

from tests.support import tiny
from tests.support.program import run_quick
from tshdb.study import Study

NAMES = (
    "run#3",
    "rna?",
    "50%41",
    "a&b=c;d",
    'o\'brien "x"',
    "-n ~me $HOME",
    "päivi 患者",
    "back\\slash a:b@c",
    "x?mode=ro#y",
)


@pytest.mark.parametrize("name", NAMES)
def test_init_and_status(name, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    run_quick("init", place / name)
    run_quick("status", "--study", place / name)
    run_quick("sql", "SELECT count(*) FROM patients", "--study", place / name)
    assert [path.name for path in place.iterdir()] == [name]
    assert (place / name / "study.db").stat().st_size > 0


@pytest.mark.parametrize("name", ["[ab]*?", "50%41#", "o'brien"])
def test_expression_is_read_from_there_and_from_no_neighbour(name, template, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    study = tiny.copy_study(Study(template), place / name)
    wanted = (
        "SELECT count(*) AS n FROM expression e JOIN samples s USING (sample_id) JOIN patients p USING (patient_id)"
    )
    assert study.sql(wanted)["n"].tolist() == Study(template).sql(wanted)["n"].tolist() != [0]
    run_quick("check", "--study", place / name)
    run_quick("table", "2", "--study", place / name, code=None)
    run_quick("status", "--study", place / name)
    assert [path.name for path in place.iterdir()] == [name]
