"""Guests of the tests: analyses in tests/data/guests, put into a study's own folder or into a package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.program import DATA
from tshdb import installed
from tshdb.actions import trusting
from tshdb.actions.planning import Planned, PlanOptions, plan
from tshdb.actions.rebuilding import RebuildOptions, Rebuilt, rebuild
from tshdb.guests.listing import listing_of
from tshdb.study import Study

GUESTS = DATA / "guests"
OWN = "analyses"


def text(name: str) -> str:
    """The text of one of the guests."""
    return (GUESTS / f"{name}.py").read_text(encoding="utf-8")


def put(study: Study, *names: str, **texts: str) -> None:
    """Write guests into the study's own folder, and trust it. texts: name -> its text."""
    folder = study.root / OWN
    folder.mkdir(exist_ok=True)
    for name, content in {**{n: text(n) for n in names}, **texts}.items():
        (folder / f"{name}.py").write_text(content, encoding="utf-8")
    trust(study)


def trust(study: Study) -> None:
    """Let the study's own files run, as they are now."""
    trusting.trust(study, trusting.look(study).digest)


def fresh(study: Study) -> Study:
    """The study as a new process would open it."""
    return Study(study.root)


def made(study: Study, *names: str, n_workers: int = 1, refit: bool = False) -> Rebuilt:
    """Rebuild; nothing may fail."""
    opened = fresh(study)
    done = rebuild(opened, RebuildOptions(names or _few(opened), n_workers, refit))
    assert done.report.n_failed == 0, done.report.failed
    assert not done.report.is_partial, done.report
    return done


def planned(study: Study) -> Planned:
    """The plan of the guests, and of the few of ours that the study has results of."""
    opened = fresh(study)
    return plan(opened, PlanOptions(_few(opened)))


def due(study: Study) -> dict[str, set[str]]:
    """analysis -> keys that are due for certain."""
    frame = planned(study).frame
    certain = frame[~frame["is_possible"].astype(bool)]
    return {name: set(keys) for name, keys in certain.groupby("analysis")["key"]}


def _few(study: Study) -> tuple[str, ...]:
    """The analyses of tiny.CORE, and all guests."""
    listing = listing_of(study)
    return (*(a.name for a in tiny.CORE), *(a.name for a in listing.analyses if listing.origin(a) is not None))


@contextmanager
def package(folder: Path, module: str, content: str, record: str, version: str = "1.0") -> Iterator[None]:
    """An installed package of one module, with an entry point; gone at the end."""
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir(parents=True)
    (folder / f"{module}.py").write_text(content, encoding="utf-8")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[tshdb.analyses]\n{module} = {module}:{record}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        forget()
        try:
            yield
        finally:
            sys.modules.pop(module, None)
    forget()


def forget() -> None:
    """Have the installed packages be looked for anew."""
    for name in ("_analyses", "_origins"):
        getattr(installed, name).cache_clear()


def changed(study: Study, old: str, new: str) -> None:
    """Replace a text of study.toml, or append a new one where `old` is empty."""
    path = study.root / "study.toml"
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new, 1) if old else before + new, encoding="utf-8")


__all__ = ["GUESTS", "changed", "due", "forget", "fresh", "made", "package", "planned", "put", "text", "tiny", "trust"]
