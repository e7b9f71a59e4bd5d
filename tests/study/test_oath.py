"""The oath of an analysis: what it finds, and what it must not.

That each promise can be broken is seen by guests that break it, one each (tests/support/oath_guests.py).
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import oath_guests
from tests.support.program import ROOT
from tshdb import installed
from tshdb.actions.making import make_study
from tshdb.engine.costs.clock import Clock
from tshdb.engine.rebuild import Rebuild
from tshdb.errors import InvalidInput
from tshdb.guests.listing import listing_of
from tshdb.oath import alone, kept, trial_study
from tshdb.oath.request import Request
from tshdb.oath.swearing import Recording, swear

pytestmark = pytest.mark.xdist_group("oath")  # one study with all guests
GUESTS = {**oath_guests.READS, **oath_guests.INNOCENT}


@pytest.fixture(scope="module")
def with_guests(tmp_path_factory):
    """Packages are found anew, for as long as the tests of this module run."""

    def install(chosen):
        folder = tmp_path_factory.mktemp("site")
        oath_guests.write(folder, chosen)
        patch.syspath_prepend(folder)
        for found in (installed._analyses, installed._origins):
            found.cache_clear()
        return folder

    with pytest.MonkeyPatch.context() as patch:
        yield install
    for found in (installed._analyses, installed._origins):
        found.cache_clear()


def some_long(names, *long: str) -> list:
    """The names, of which some are the soak's: the oath that they need is as others'."""
    return [pytest.param(name, marks=pytest.mark.long) if name in long else name for name in names]


class Every(Recording):
    """Keeps the tasks of all analyses."""

    def run(self, tasks):
        for task in tasks:
            self.tasks.append((task.analysis.partition(":")[2], pickle.dumps(task)))
            yield from super(Recording, self).run([task])


@pytest.fixture(scope="module")
def reads(with_guests, tmp_path_factory):
    """guest -> what the oath says of its reads: all of them in one study, each watched in a process of its own."""
    folder = tmp_path_factory.mktemp("oath")
    site = with_guests(GUESTS | oath_guests.REFUSED | oath_guests.BROKEN)
    asked = make_study(folder / "asked")
    trial = trial_study.make(asked, "og_plain", folder / "trial")
    recorder = Every("")
    listing = listing_of(trial.study)
    analyses = [replace(a, batch=9) if a.name.startswith("og_") else a for a in listing.analyses]
    names = [f"og_{name}" for name in GUESTS]
    run = Rebuild(trial.study, analyses, names=names, executor=recorder, clock=Clock(), origin_of=listing.origin)
    run.run()
    world = trial.world

    questions = folder / "questions"
    questions.mkdir()
    for name in GUESTS:
        tasks = tuple(task for of, task in recorder.tasks if of == f"og_{name}")[:2]
        project = sorted(alone.project_of(world, world.by_name[f"og_{name}"]))
        question = Request(("watched",), tasks, 3, {"project": project})
        (questions / f"{name}.question").write_bytes(pickle.dumps(question))
    subprocess.run(
        [sys.executable, "-m", "tests.support.oath_server", str(questions)], cwd=ROOT, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}, stdin=subprocess.DEVNULL,
    )  # fmt: skip

    def judged(name):
        answer = pickle.loads((questions / f"{name}.answer").read_bytes())  # noqa: S301 - just written
        return alone.reads(world, world.by_name[f"og_{name}"], answer["watched"])

    return {name: judged(name) for name in GUESTS}


@pytest.mark.parametrize("name", oath_guests.READS)
def test_a_read_that_is_no_argument_is_found(name, reads):
    assert reads[name].holds is False, reads[name]


@pytest.mark.parametrize("name", oath_guests.INNOCENT)
def test_what_is_no_read_is_not_taken_for_one(name, reads):
    assert reads[name].holds is True, reads[name].seen


@pytest.mark.parametrize("name", some_long(oath_guests.REFUSED, "package_data", "package_data_by_path"))
def test_a_read_that_the_engine_does_not_follow_is_refused(name, reads, tmp_path):
    with pytest.raises(InvalidInput, match="cannot be followed"):
        swear(make_study(tmp_path / "asked"), f"og_{name}", only=["reads"])


def test_it_is_said_where_it_reads_and_what_is_not_looked_into(reads):
    assert any("open /etc/passwd (oath_guests.opens:" in each for each in reads["opens"].seen)
    assert "inside of C is not looked into" in reads["plain"].says


@pytest.mark.parametrize("name", some_long(oath_guests.BREAKS, "of_hash"))
def test_a_broken_promise_is_found(name, reads, tmp_path):
    promises = oath_guests.BREAKS[name]
    sworn = swear(make_study(tmp_path / "asked"), f"og_{name}", only=promises)
    assert sworn.broken == list(promises), sworn.facts


def test_rows_that_stay_of_a_patient_who_has_left_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(kept.withdrawing, "withdraw", lambda *_: None)
    sworn = swear(make_study(tmp_path / "asked"), "tsh_ratios", only=["withdrawal"])
    assert sworn.broken == ["withdrawal"] and "still name the patient" in sworn.promise("withdrawal").says


def test_an_analysis_of_the_study_s_own_folder_swears_when_it_is_trusted(reads, tmp_path, quick):
    root = make_study(tmp_path / "asked").root
    (root / "analyses").mkdir()
    body = "open('/etc/passwd').close()"
    words = {"before": "", "options": "", "arguments": "abundances, params", "body": body}
    text = oath_guests.HEAD.format(name="own_doubles", title="Own", **words)
    (root / "analyses" / "own_doubles.py").write_text(text)
    assert "tshdb trust" in quick("check", "analysis", "own_doubles", cwd=root, code=8).stderr
    quick("trust", "--yes", cwd=root)
    before = _bytes(root)
    said = quick("check", "analysis", "own_doubles", cwd=root, code=3).stdout
    assert "NO  reads" in said and said.count("NO ") == 1 and "open /etc/passwd" in said, said
    assert _bytes(root) == before


def _bytes(root: Path) -> dict[Path, bytes]:
    """All files of a study but those that SQLite has beside a database that is read."""
    return {p: p.read_bytes() for p in root.rglob("*") if p.is_file() and p.suffix not in (".db-shm", ".db-wal")}


@pytest.mark.parametrize("words", [("analyses", "og_plain"), ("analysis",), ("analysis", "og_plain", "--fast")])
def test_other_words_are_refused(words, tmp_path, quick):
    make_study(tmp_path / "asked")
    quick("check", *words, cwd=tmp_path / "asked", code=2)
    quick("check", "analysis", "no_such_one", cwd=tmp_path / "asked", code=8)


def test_one_that_keeps_all_promises_passes(reads, tmp_path):
    before = dict(os.environ)
    study = make_study(tmp_path / "asked")
    sworn = swear(study, "og_seeded")
    assert sworn.holds and sworn.origin == "oath-guests 1.0"
    assert {p.name: p.holds for p in sworn.promises} == dict.fromkeys(
        ("computed", "determinism", "company", "order", "workers", "kill", "correction", "withdrawal", "reads",
         "declaration"), True
    )  # fmt: skip
    assert dict(os.environ) == before
    assert study.sql("SELECT count(*) AS n FROM units").n[0] == 0, "the study that was asked is not touched"


@pytest.mark.long
@pytest.mark.parametrize("name", ["univariable_cox"])
def test_ours_keep_it(name, tmp_path):
    sworn = swear(make_study(tmp_path / "asked"), name)
    assert sworn.holds, sworn.facts
    assert sworn.promise("computed").holds and sworn.promise("correction").holds


def test_what_is_remembered_of_files_whose_bytes_were_compared_is_no_read(tmp_path):
    sworn = swear(make_study(tmp_path / "asked"), "dce_phases", only=("reads",))
    assert sworn.promise("reads").holds, sworn.facts
