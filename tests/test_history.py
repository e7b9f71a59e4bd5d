"""Scenario 12: any sequence of edits with rebuilds between gives what one rebuild at the end gives."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import tiny
from tshdb.study import Study

NUMBERS = st.integers(0, 8)
EDITS = st.one_of(
    st.tuples(st.just("add"), st.integers(20, 26), st.booleans()),
    st.tuples(st.just("remove"), NUMBERS),
    st.tuples(st.just("value"), NUMBERS, st.sampled_from(["tumor", "stroma"]), st.sampled_from(tiny.GENES),
              st.sampled_from([0.0, 1.5, 300.0])),
    st.tuples(st.just("silence"), st.sampled_from(["CD6", "DCN"])),
    st.tuples(st.just("outcome"), NUMBERS, st.booleans(), st.sampled_from([100, 2000, 5000])),
    st.tuples(st.just("sex"), NUMBERS, st.sampled_from(["female", "male"])),
    st.tuples(st.just("setting"), st.sampled_from([0.05, 3.0])),
    st.tuples(st.just("markers"), st.sampled_from(["CD6", "CD8B"])),
    st.tuples(st.just("ingest")),
    st.tuples(st.just("rebuild")),
    st.tuples(st.just("freeze")),
)  # fmt: skip


def apply(study: Study, archive: tiny.TinyArchive, edit: tuple) -> None:
    what, *arguments = edit
    name = f"TCGA-TN-{arguments[0]:04d}" if arguments and isinstance(arguments[0], int) else None
    known = name in archive.patients
    if what == "add":
        archive.add(arguments[0], paired=arguments[1])
    elif what == "remove" and known and len(archive.patients) > 5:
        del archive.patients[name]
    elif what == "value" and known and getattr(archive.patients[name], arguments[1]) is not None:
        archive.set_value(name, *arguments[1:])
    elif what == "silence":  # the gene filter will drop it
        for patient in list(archive.patients)[:8]:
            for compartment in ("tumor", "stroma"):
                if getattr(archive.patients[patient], compartment) is not None:
                    archive.set_value(patient, compartment, arguments[0], 0.0)
    elif what == "outcome" and known:
        archive.change(name, is_dead=arguments[1], days=arguments[2])
    elif what == "sex" and known and name not in ("TCGA-TN-0006", "TCGA-TN-0007"):
        archive.change(name, sex=arguments[1])
    elif what == "setting":
        path = study.root / "study.toml"
        path.write_text(re.sub(r"min_denominator = \S+", f"min_denominator = {arguments[0]}", path.read_text()))
    elif what == "markers":
        path = study.root / "markers.csv"
        path.write_text(re.sub(r"T cells,CD(6|8B)\n", f"T cells,{arguments[0]}\n", path.read_text()))
    elif what == "ingest":
        tiny.ingest(study, archive)
    elif what == "rebuild":
        tiny.rebuild(study)
    elif what == "freeze":
        tiny.freeze(study)


def ending(study: Study, archive: tiny.TinyArchive) -> dict[str, list[str]]:
    """Ingest, freeze, rebuild; the newest versions, whatever their number."""
    tiny.ingest(study, archive)
    tiny.freeze(study)
    tiny.rebuild(study, refit=True)
    assert tiny.due(study) == {}
    found = tiny.dump(study, superseded=False)
    return {t: sorted(re.sub(r"@\d+", "@n", line) for line in lines) for t, lines in found.items()}


@pytest.fixture(scope="module")
def blank(tmp_path_factory) -> Path:
    """A study in which nothing has been ingested."""
    study = tiny.new_study(tmp_path_factory.mktemp("blank") / "study")
    study.engine.dispose()
    return study.root


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(edits=st.lists(EDITS, min_size=2, max_size=12))
def test_12_any_history_ends_as_one_rebuild_would(template, blank, edits):
    folder = Path(tempfile.mkdtemp(prefix="tshdb-history-"))
    try:
        archive = tiny.TinyArchive.make(9)
        study = tiny.copy_study(Study(template), folder / "lived")
        for edit in edits:
            apply(study, archive, edit)
        lived = ending(study, archive)
        fresh = tiny.copy_study(Study(blank), folder / "fresh")
        for name in ("study.toml", "markers.csv"):
            shutil.copy(study.root / name, fresh.root / name)
        tiny.ingest(fresh, archive)
        tiny.define_cohorts(fresh)
        at_once = ending(fresh, archive)
        for table in at_once:
            assert lived[table] == at_once[table], table
    finally:
        study.engine.dispose()
        fresh.engine.dispose()
        shutil.rmtree(folder)
