"""The prepared studies that most tests begin with, each made in an empty folder."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

from analyses import ANALYSES
from ingest.expression import rna
from ingest.gdc import clinical as gdc_clinical
from tests.support import tiny
from tests.support.program import ROOT
from tshdb import loading
from tshdb.actions.making import make_study
from tshdb.cohorts import versions as cohorts
from tshdb.database import writing
from tshdb.engine.rebuild import Rebuild
from tshdb.engine.report import Report
from tshdb.vocabulary import ExpressionUnit, Scale


def whole(folder: Path) -> None:
    """Ten tiny patients: ingested, frozen, and rebuilt by all analyses."""
    study = tiny.new_study(folder)
    tiny.ingest(study, tiny.TinyArchive.make(10))
    tiny.define_cohorts(study)
    tiny.freeze(study)
    _whole(tiny.rebuild(study))
    study.engine.dispose()


def core(folder: Path) -> None:
    """As `whole`, by the analyses of tiny.CORE and without images."""
    study = tiny.new_study(folder, analyses=tiny.CORE)
    tiny.ingest(study, tiny.TinyArchive.make(10), images=False)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    _whole(tiny.rebuild(study, tiny.CORE))
    study.engine.dispose()


def _whole(report: Report) -> None:
    """What is kept for later runs must be complete: code that was edited a moment before it ran is not computed with."""
    assert not report.discarded, report.discarded


def pairs(folder: Path) -> None:
    """The pairs of examples/: ingested, frozen and rebuilt."""
    study = make_study(folder, "sqlite:///study.db", "fan2023")
    for name, reader in (("clinical.tsv", "clinical"), ("expression.csv", "rna")):
        path = study.root / name
        with gzip.open(ROOT / f"tshdb/presets/fan2023/tcga-brca-pairs/{name}.gz") as packed, path.open("wb") as file:
            shutil.copyfileobj(packed, file)
        source = loading.Source("tcga-brca", reader, name)
        options = rna.MatrixOptions("tcga-brca", ExpressionUnit.RSEM, Scale.LINEAR, name)
        found = gdc_clinical.read(path, "tcga-brca") if reader == "clinical" else rna.read(path, options)
        item = loading.item_of(study, source, path, {}, lambda found=found: found)
        loading.load(study, [item], command="test")
    with writing(study.engine) as connection:
        cohorts.define(connection, tiny.COHORT, (study.root / f"cohorts/{tiny.COHORT}.sql").read_text())
        cohorts.freeze(connection, tiny.COHORT)
    _whole(Rebuild(study, ANALYSES).run())
    study.engine.dispose()
