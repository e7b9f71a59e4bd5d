"""Edits of a tiny study in any order, with ingests, freezes and rebuilds between; and the study that is made at the end."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from hypothesis import strategies as st

from tests.support import tiny
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


def apply(study: Study, archive: tiny.TinyArchive, edit: tuple, analyses) -> None:
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
        tiny.rebuild(study, analyses)
    elif what == "freeze":
        tiny.freeze(study)


def ending(study: Study, archive: tiny.TinyArchive, analyses) -> dict[str, list[str]]:
    """Ingest, freeze, rebuild; the newest versions, whatever their number."""
    tiny.ingest(study, archive)
    tiny.freeze(study)
    tiny.rebuild(study, analyses, refit=True)
    assert tiny.due(study, analyses) == {}
    found = tiny.dump(study, superseded=False)
    return {t: sorted(re.sub(r"@\d+", "@n", line) for line in lines) for t, lines in found.items()}


def lives_as_at_once(edits: list[tuple], analyses) -> None:
    """A study that lived through the edits ends as one that is made at the end."""
    folder = Path(tempfile.mkdtemp(prefix="tshdb-history-"))
    studies = []
    try:
        archive = tiny.TinyArchive.make(9)
        lived = tiny.new_study(folder / "lived", analyses=analyses)
        studies.append(lived)
        tiny.ingest(lived, archive)
        tiny.define_cohorts(lived)
        tiny.freeze(lived)
        tiny.rebuild(lived, analyses)
        for edit in edits:
            apply(lived, archive, edit, analyses)
        ours = ending(lived, archive, analyses)
        fresh = tiny.new_study(folder / "fresh", analyses=analyses)
        studies.append(fresh)
        for name in ("study.toml", "markers.csv"):
            shutil.copy(lived.root / name, fresh.root / name)
        tiny.ingest(fresh, archive)
        tiny.define_cohorts(fresh)
        theirs = ending(fresh, archive, analyses)
        for table in theirs:
            assert ours[table] == theirs[table], table
    finally:
        for study in studies:
            study.engine.dispose()
        shutil.rmtree(folder)
