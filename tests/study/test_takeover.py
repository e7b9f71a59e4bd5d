"""A study that a program of revision 0009 made: brought to today's, nothing is due; what moves later is seen."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import select, update

import migrations
from analyses import ANALYSES
from tests.support.moving import moved
from tests.support.program import ROOT, run_quick
from tests.support.tiny import copy_study, due, plan, rebuild
from tshdb.database import create, reading, writing
from tshdb.engine.plan import Reason
from tshdb.engine.takeover import upstream_now
from tshdb.engine.units import NO_SEED, takes_seed
from tshdb.engine.world import World
from tshdb.schema import Spec, Unit
from tshdb.study import Study

said = importlib.import_module("migrations.versions.0014_tables_at_the_door")._said
FITS = {a.name for a in ANALYSES if a.kind == "fit"}
DEVELOPMENT = "tumor_stroma_development"
STATISTICS = {  # are computed otherwise since, on purpose, or were not there
    "tsh_cox", "univariable_cox", "abundance_cox", "signature_cox", "concordances", "likelihood_ratio_tests",
    "calibration_groups", "km_curves", "logrank_tests", "signature_curves", "signature_logrank", "compartment_tests",
    "model_performance", "signature_performance", "network_parameters",
    "signature_roc", "feature_tests", "survival_quantiles", "ph_residuals", "cumulative_incidences", "gray_tests",
    "signature_quantiles", "signature_residuals", "signature_incidences", "signature_gray",
}  # fmt: skip

# say reasons in rows since, or may be of another question, on purpose; the features that they learned from are not all here, so
# that they cannot be made again
LEARNED = ("signature_labels", "signature_search", "signature_cross_validation", "signature_model", "selected_features")

SEEDED = ("tsh_cox", "signature_cox")  # take the seed since, to impute: a spec that was taken over has none


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Path:
    """The folder as it was left."""
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(ROOT / "tests/data/study-0009.tar.xz") as packed:
        packed.extractall(folder, filter="data")
    return folder / "study"


@pytest.fixture(scope="module")
def migrated(before, tmp_path_factory) -> Study:
    """The study at today's revision. Not to be changed."""
    folder = tmp_path_factory.mktemp("migrated") / "study"
    shutil.copytree(before, folder)
    run_quick("migrate", cwd=folder)
    return declared(Study(folder))


def declared(study: Study) -> Study:
    """What was changed on purpose since: features say more of their scans, images are read and some statistics are computed
    otherwise, and scores compare settings as values. Of this study, whose features were computed elsewhere, all else stays
    as it was: the rows are made again, and fits rest on what they rested on."""
    report = rebuild(study, names=("feature_sets",))
    assert report.computed == {"feature_sets": 46} and not report.failed
    with writing(study.engine) as connection:
        for fit, behind in upstream_now(study, ANALYSES).items():
            of_fit = (Unit.analysis == fit) & Unit.upstream.is_not(None)
            connection.execute(update(Unit).where(of_fit).values(upstream=said(behind)))
        world = World(ANALYSES, study.settings)
        for name in LEARNED:
            now = world.spec(name).identity
            as_now = {"code_fingerprint": now.code, "table_fingerprint": now.table, "params_fingerprint": now.params}
            connection.execute(update(Spec).where(Spec.analysis == name).values(**as_now))
    changed = STATISTICS | {"signature_scores"}
    report = rebuild(study, names=sorted(changed))
    assert (
        {a for a, n in report.computed.items() if n} <= changed
        and report.computed["univariable_cox"] > 0
        and not report.failed
    )
    return study


@pytest.fixture
def study(migrated, tmp_path) -> Study:
    return copy_study(migrated, tmp_path / "study")


def results(study: Study) -> dict[str, list[str]]:
    """Every result table, as text, by what made its rows."""
    found = {}
    with reading(study.engine) as connection:
        names = dict(map(tuple, connection.execute(select(Unit.unit_id, Unit.analysis + "/" + Unit.key))))
        for analysis in ANALYSES:
            rows = connection.execute(select(analysis.makes.__table__)).mappings().all()
            found[analysis.makes.__tablename__] = sorted(
                f"{names[r['unit_id']]} {[(k, v) for k, v in r.items() if k != 'unit_id']}" for r in rows
            )
    return found


def test_nothing_is_due(migrated, before):
    assert due(migrated) == {}
    plans = plan(migrated)
    flagged = {name for name, p in plans.items() if p.flagged}
    assert flagged == {
        "signature_search", "signature_cross_validation", "signature_model", "selected_features",
    }  # fmt: skip
    with reading(migrated.engine) as connection:
        specs = connection.execute(select(*Spec.__table__.columns)).fetchall()
    seeds = {a.name: takes_seed(a) for a in ANALYSES}
    assert {s.seed == NO_SEED for s in specs if not seeds[s.analysis]} == {True}
    assert {s.seed for s in specs if seeds[s.analysis] and s.analysis not in SEEDED} == {"20230901"}
    assert all(s.taken_over for s in specs if s.analysis not in {"feature_sets", "signature_scores", *STATISTICS})
    curves = [s for s in specs if s.analysis == "km_curves" and s.taken_over]
    assert len(curves) == 1, "two specs that differed by the order of their cohorts are one"


def test_a_rebuild_computes_nothing(study):
    before = results(study)
    report = rebuild(study)
    assert not report.computed and not report.failed
    assert results(study) == before


def test_what_was_taken_over_is_said(migrated):
    said = run_quick("check", "--fast", cwd=migrated.root, code=None).stdout
    assert "spec.taken-over" in said and "results: were taken over from a program of revision 0009" in said
    told = run_quick("why", f"tsh_model/{DEVELOPMENT}@2", cwd=migrated.root).stdout
    assert "taken over from a program of revision 0009" in told and "[study] seed 20230901" in told


def test_a_changed_seed_makes_due_what_takes_it(study):
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("seed = 20230901", "seed = 7"))
    plans = plan(study)
    seeded = {a.name for a in ANALYSES if takes_seed(a)}
    by_seed = {
        n for n, p in plans.items() if any(d.reason is Reason.PARAMS and not d.is_possible for d in p.due.values())
    }
    with_units = {n for n in seeded if plans[n].desired}
    assert by_seed == with_units and len(by_seed) > 4
    assert all("[study] seed changed: 20230901 -> 7" in d.detail for n in by_seed for d in plans[n].due.values())
    certain = {n for n, p in plans.items() if any(not d.is_possible for d in p.due.values())}
    assert certain == by_seed
    assert all(d.is_possible for d in plans["selected_features"].due.values()) and plans["selected_features"].due, (
        "it was flagged before, and what it rests on may come out otherwise now"
    )


def test_a_corrected_value_flags_its_fits_and_refits_none(study):
    (sheet,) = (study.root / "raw").glob("gdc_sample_sheet*.tsv")
    (file,) = (study.root / "raw").glob("*/*.tsv")
    text = file.read_text()
    line = next(s for s in text.splitlines() if "\tGNLY\t" in s)
    parts = line.split("\t")
    parts[6] = str(float(parts[6]) + 3)  # its TPM
    file.write_text(text.replace(line, "\t".join(parts)))
    assert sheet.is_file()
    run_quick("ingest", "tcga-brca", "--from", "raw", "--only", "rna", cwd=study.root)
    report = rebuild(study)
    assert report.computed["cell_abundances"] == 1 and not FITS & report.computed.keys()
    assert f"gene_filter/{DEVELOPMENT}@2" in report.flagged or f"cutoff/{DEVELOPMENT}@2" in report.flagged
    assert due(study) == {}


def test_a_stored_model_still_scores(study):
    scores = "SELECT examination, score, status FROM signature_scores ORDER BY 1"
    stood = study.sql(scores)
    assert set(stood["status"]) == {"scored"}
    with writing(study.engine) as connection:  # as if they had never been scored
        mine = Unit.analysis == "signature_scores"
        connection.exec_driver_sql(
            "DELETE FROM signature_scores WHERE unit_id IN (SELECT unit_id FROM units WHERE analysis = 'signature_scores')"
        )
        connection.execute(update(Unit).where(mine).values(state="failed", fingerprint=None, message="set aside"))
    report = rebuild(study)
    assert report.computed["signature_scores"] == len(stood) and "signature_model" not in report.computed
    assert study.sql(scores).equals(stood)


def test_moved_code_makes_nothing_due_and_a_stored_model_still_scores(study, tmp_path):
    """Every module of the analyses elsewhere, under another name, some split: a copy of the program, in a process of its own."""
    n_moved, n_split = moved(tmp_path / "program")
    assert n_moved >= 40 and n_split >= 10
    with writing(study.engine) as connection:
        connection.exec_driver_sql(
            "DELETE FROM signature_scores WHERE unit_id IN (SELECT unit_id FROM units WHERE analysis = 'signature_scores')"
        )
        mine = Unit.analysis == "signature_scores"
        connection.execute(update(Unit).where(mine).values(state="failed", fingerprint=None, message="set aside"))
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "import analyses, tshdb\n"
        f"assert analyses.__file__.startswith({str(tmp_path)!r}) and tshdb.__file__.startswith({str(tmp_path)!r})\n"
        "from tshdb.study import Study\n"
        "from tshdb.engine.rebuild import Rebuild\n"
        "from tshdb.database import reading\n"
        "from tshdb.engine.planner import Planner\n"
        "from tshdb.engine.world import World\n"
        "study = Study(sys.argv[1])\n"
        "with reading(study.engine) as connection:\n"
        "    plans = Planner(connection, World(analyses.ANALYSES, study.settings)).all()\n"
        "due = {n: sorted({d.detail for d in p.due.values() if not d.is_possible}) for n, p in plans.items()}\n"
        "report = Rebuild(study, analyses.ANALYSES).run()\n"
        "print(json.dumps([{n: d for n, d in due.items() if d}, report.computed, report.failed]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "program"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(study.root)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    certain, computed, failed = json.loads(done.stdout.splitlines()[-1])
    assert certain.pop("signature_scores") == ["failed before: set aside"]
    assert all("signature_scores" in detail for details in certain.values() for detail in details), (
        "by its scores alone"
    )
    assert computed["signature_scores"] == 46 and failed == {} and "signature_model" not in computed


def test_code_of_another_program_stays_due(before, tmp_path):
    """What is not listed is not taken over: its units are due, as they were."""
    folder = tmp_path / "study"
    shutil.copytree(before, folder)
    engine = create(f"sqlite:///{folder}/study.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE specs SET code_fingerprint = 'of long ago' WHERE analysis = 'tsh_ratios'")
    engine.dispose()
    run_quick("migrate", cwd=folder)
    plans = plan(Study(folder))
    assert {
        n for n, p in plans.items() if any(d.reason is Reason.CODE and not d.is_possible for d in p.due.values())
    } - STATISTICS - set(LEARNED) == {"tsh_ratios", "feature_sets", "signature_scores"}


def test_results_of_a_kind_that_is_made_otherwise_stay_due(before, tmp_path):
    """Cox models in which a side of a term has no event: the released program's hang on its machine."""
    folder = tmp_path / "study"
    shutil.copytree(before, folder)
    engine = create(f"sqlite:///{folder}/study.db")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE cox_terms SET reason = 'no finite estimate: no event on one of its sides, or another term says the same' "
            "WHERE rowid = (SELECT min(rowid) FROM cox_terms WHERE reason IS NULL)"
        )
    engine.dispose()
    run_quick("migrate", cwd=folder)
    study = Study(folder)
    by_code = {n for n, p in plan(study).items() if any(d.reason is Reason.CODE for d in p.due.values())}
    assert {"tsh_cox", "univariable_cox", "concordances"} <= by_code and "cutoff" not in by_code
    with reading(study.engine) as connection:
        code = dict(map(tuple, connection.execute(select(Spec.analysis, Spec.code_fingerprint))))
    known = json.loads((ROOT / "migrations/versions/0011_identity.json").read_text())["analyses"]
    assert code["tsh_cox"] in known["tsh_cox"]["code_before"], "it was not taken over"
    assert code["km_curves"] == known["km_curves"]["code"], "it was"


def test_going_back_and_up_again(migrated, tmp_path):
    study = copy_study(migrated, tmp_path / "study")
    url = study.database_url
    study.engine.dispose()
    engine = create(url)
    migrations.downgrade(engine, "0009")
    with reading(engine) as connection:
        columns = {row[1] for row in connection.exec_driver_sql("PRAGMA table_info(specs)")}
    assert "seed" not in columns and "text_digest" in columns
    engine.dispose()
    run_quick("migrate", cwd=study.root)
    assert due(declared(Study(study.root))) == {}
