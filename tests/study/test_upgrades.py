"""What another version of the program does to a study: told by migrate --dry-run, which changes nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import select, update

import migrations
from analyses import ANALYSES
from tests.support import tiny
from tests.support.program import ROOT, run_quick
from tshdb import __version__, database
from tshdb.database import reading, writing
from tshdb.engine.code.kept import fingerprint_of_kept
from tshdb.engine.units import kept_digest
from tshdb.engine.upgrades import upgrade_facts
from tshdb.engine.world import World
from tshdb.schema import Run, Spec
from tshdb.study import Study, revision_of

CHOOSE = "analyses.prognosis.cutoff._choose"


MOVED_SINCE = {  # on purpose since revision 0009; what follows is said apart
    "feature_sets", "signature_scores",  # scanners, slices, motion; settings compared as values
    "abundance_cox", "univariable_cox", "tsh_cox", "signature_cox", "likelihood_ratio_tests", "concordances",  # our own Cox
    "km_curves", "logrank_tests", "signature_curves", "signature_logrank", "calibration_groups", "compartment_tests",
    "model_performance", "signature_performance", "network_parameters",  # DeLong's interval, no penalty; p values adjusted
    "signature_search", "signature_cross_validation", "signature_model", "signature_roc", "selected_features",  # reasons in rows
    "feature_tests", "signature_labels",  # of any label
}  # fmt: skip


def edited(study: Study) -> None:
    """As if a former program had computed the cut-off otherwise: by another quantile."""
    with writing(study.engine) as connection:
        rows = connection.execute(select(Spec.spec_id, Spec.sources, Spec.leads).where(Spec.analysis == "cutoff"))
        for row in rows.fetchall():
            sources = json.loads(row.sources)
            name = next(n for n in sources if n.startswith(CHOOSE))
            assert "0.5 if params.method" in sources[name]
            sources[name] = sources[name].replace("0.5 if params.method", "0.25 if params.method")
            text = json.dumps(sources)
            code = fingerprint_of_kept(sources, json.loads(row.leads))
            values = {"sources": text, "kept_digest": kept_digest(text, row.leads), "code_fingerprint": code}
            connection.execute(update(Spec).where(Spec.spec_id == row.spec_id).values(**values, text_digest=None))
        connection.execute(update(Run).values(program_version="0.0.9"))


def content(folder: Path) -> dict[str, str]:
    """Every file of a folder, but for the lock and what SQLite keeps beside a database that is open."""
    passed_over = (".lock", "-wal", "-shm")
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.name.endswith(passed_over)
    }


def test_the_definition_that_another_program_had_is_named(study):
    edited(study)
    study.engine.dispose()
    before = content(study.root)
    facts = json.loads(run_quick("migrate", "--dry-run", "--json", cwd=study.root).stdout)
    assert content(study.root) == before
    assert facts["computed_by"] == ["0.0.9"] and facts["program"] == __version__
    (analysis,) = facts["analyses"]
    assert (analysis["analysis"], analysis["due"], analysis["of"]) == ("cutoff", 1, 1)
    (cause,) = analysis["causes"]
    assert cause["subject"] == CHOOSE and "0.25 if" in cause["before"] and "0.5 if" in cause["after"]
    assert facts["follow"]["survival_groups"] == 10 and facts["follow"]["tsh_model"] == 1
    assert "tsh_ratios" not in facts["follow"] and not facts["otherwise"]
    said = run_quick("migrate", "--dry-run", cwd=study.root).stdout
    assert f"the definition {CHOOSE} changed" in said and "0.0.9" in said and "Nothing was changed" in said
    planned = run_quick("plan", cwd=study.root).stdout
    assert "tshdb 0.0.9 made results that stand" in planned and f"the definition {CHOOSE} changed" in planned


def test_a_study_of_an_older_revision_is_tried_on_a_copy(tmp_path):
    with tarfile.open(ROOT / "tests/data/study-0009.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    folder = tmp_path / "study"
    before = content(folder)
    facts = json.loads(run_quick("migrate", "--dry-run", "--json", cwd=folder).stdout)
    assert content(folder) == before, "no backup, no byte of the database"
    assert facts["revision"] == "0009" and facts["revision_now"] == database.REVISION
    assert {a["analysis"] for a in facts["analyses"]} == MOVED_SINCE and facts["computed_by"] == []
    shutil.rmtree(folder)


def test_on_postgresql_it_is_rolled_back(postgresql, tmp_path):
    study = tiny.new_study(tmp_path / "pg", postgresql, analyses=tiny.CORE)
    tiny.ingest(study, tiny.TinyArchive.make(6), images=False)
    migrations.downgrade(study.engine, "0011")
    found = {}

    def look(connection):
        found.update(upgrade_facts(connection, World(ANALYSES, study.settings)))

    migrations.tried(study.engine, {}, look)
    assert found["program"] == __version__ and found["otherwise"]
    assert revision_of(study.engine) == "0011"
    with reading(study.engine) as connection:
        from sqlalchemy import inspect

        assert "causes" not in inspect(connection).get_table_names()
    study.engine.dispose()


@pytest.mark.parametrize("flag", [(), ("--dry-run",)])
def test_a_newer_database_is_refused(study, flag):
    with writing(study.engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert "revision 9999" in run_quick("migrate", *flag, cwd=study.root, code=7).stderr
