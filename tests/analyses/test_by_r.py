"""Two analyses that R computes, against this program's own numbers: R's survival, and base R's mean of logarithms."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import select, text

from tests.support import tiny
from tests.support.programs.abundance_by_r import AbundanceByR, abundance_by_r
from tests.support.programs.cox_by_r import CoxByR, cox_by_r
from tshdb.database import reading
from tshdb.schema import CellAbundance, CoxTerm

WORLD = (*tiny.CORE, cox_by_r, abundance_by_r)


def _has_survival() -> bool:
    import subprocess

    asked = ["Rscript", "-e", "library(survival)"]
    return shutil.which("Rscript") is not None and subprocess.run(asked, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not _has_survival(), reason="R with its package survival is not installed")


@pytest.fixture(scope="module")
def by_r(core_template, tmp_path_factory):
    from tshdb.study import Study

    study = tiny.copy_study(Study(core_template), tmp_path_factory.mktemp("by_r") / "study")
    report = tiny.rebuild(study, WORLD)
    assert not report.failed and report.computed["cox_by_r"] == 1 and report.computed["abundance_by_r"] == 20
    yield study
    study.engine.dispose()


def test_cox_by_r_is_ours(by_r):
    ours = CoxTerm.__table__
    theirs = CoxByR.__table__
    with reading(by_r.engine) as connection:
        rows = connection.execute(select(theirs)).mappings().all()
        expected = {
            row["term"]: row
            for row in connection.execute(
                select(ours).where(ours.c.model == "univariable", ours.c.cohort.like(f"{tiny.COHORT}%"))
            ).mappings()
        }
    assert len(rows) == len(expected) == 3
    for row in rows:
        mine = expected[row["population"]]
        assert (row["n"], row["n_events"]) == (mine["n"], mine["n_events"]) and "fewer than ten a term" in mine[
            "reason"
        ]
        for column in ("coefficient", "standard_error", "p_value"):
            assert row[column] == pytest.approx(mine[column], abs=1e-6), column


def test_abundance_by_r_is_ours(by_r):
    a, b = AbundanceByR.__table__, CellAbundance.__table__
    query = select(a.c.abundance, b.c.abundance).join(
        b, (a.c.profile_id == b.c.profile_id) & (a.c.population == b.c.population)
    )
    with reading(by_r.engine) as connection:
        pairs = connection.execute(query).fetchall()
    assert len(pairs) == 60  # 20 profiles, 3 populations
    assert all(theirs == pytest.approx(ours, abs=1e-10) for theirs, ours in pairs)


def test_workers_and_batches_give_the_same_bytes(by_r, core, monkeypatch):
    tiny.rebuild(core, WORLD, jobs=2)
    monkeypatch.undo()
    assert _rows(core) == _rows(by_r)
    alone = tiny.copy_study(core, core.root.parent / "alone")
    with alone.engine.begin() as connection:
        connection.execute(text("DELETE FROM xr_abundances"))
    tiny.rebuild(alone, WORLD)
    assert _rows(alone) == _rows(by_r)
    alone.engine.dispose()


def _rows(study) -> list[tuple]:
    queries = (
        "SELECT u.analysis, u.key, u.fingerprint FROM units u WHERE u.analysis LIKE '%by_r' ORDER BY 1, 2",
        "SELECT profile_id, population, hex(abundance) FROM xr_abundances ORDER BY 1, 2",
        "SELECT population, coefficient, p_value FROM xr_cox_terms ORDER BY 1",
    )
    with reading(study.engine) as connection:
        return [tuple(row) for query in queries for row in connection.execute(text(query))]


def test_a_cohort_without_events_is_no_failure(core):
    """min_events is a parameter: it reaches R, and what it changes is due."""
    settings = core.root / "study.toml"
    settings.write_text(settings.read_text() + "\n[cox_by_r]\nmin_events = 99\n")
    assert not tiny.rebuild(core, (*tiny.CORE, cox_by_r)).failed
    with reading(core.engine) as connection:
        rows = connection.execute(text("SELECT coefficient, n FROM xr_cox_terms")).fetchall()
    assert len(rows) == 3 and all(row.coefficient is None and row.n == 10 for row in rows)


def test_a_text_that_looks_like_something_else_stays_text(tmp_path):
    """What R would guess (F is FALSE, 0012 is 12) is read as it was declared."""
    import subprocess

    from tshdb.engine.outside.hand_over import R_HELPER

    (tmp_path / "tshdb.R").write_text(R_HELPER)
    (tmp_path / "columns.csv").write_text(
        '"role","column","type"\n"x","sex","text"\n"x","id","text"\n"x","v","double"\n'
    )
    (tmp_path / "x.csv").write_text('"sex","id","v"\n"F","0012",0.1\n"F",NA,1\n')
    code = 'source("tshdb.R"); x <- tshdb_read("x"); x$w <- x$v + 0.2; x$is <- is.na(x$id); tshdb_write(x)'
    subprocess.run(["Rscript", "--vanilla", "-e", code], cwd=tmp_path, check=True)
    # 0.1 + 0.2 in binary is 0.30000000000000004
    assert (tmp_path / "result.csv").read_text() == (
        '"sex","id","v","w","is"\n"F","0012",0.10000000000000001,0.30000000000000004,FALSE\n"F",NA,1,1.2,TRUE\n'
    )
