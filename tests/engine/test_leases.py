"""Leases of another machine: one that is gone is taken over by our own clock, whatever its clock said, and the wait is said."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import insert, select, update

from tests.support import tiny
from tshdb.database import reading, writing
from tshdb.engine import leases, rebuild
from tshdb.engine.leases import Leases
from tshdb.schema import Lease
from tshdb.status import status

AHEAD = 86_400.0  # seconds, of a machine whose clock is a day ahead


@pytest.fixture
def brief(monkeypatch):
    """Leases of a fifth of a second."""
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.2)


def hold(study, key: str, ahead: float, analysis: str = "cutoff") -> None:
    row = {"analysis": analysis, "key": key, "token": 77, "host": "node-9", "process": "1:1"}
    with writing(study.engine) as connection:
        connection.execute(insert(Lease).values(row | {"expires_at": time.time() + ahead}))


def test_a_lease_that_nobody_prolongs_is_over_by_our_own_clock(core, brief):
    hold(core, "x", AHEAD)
    ours = Leases(core.engine, 78, "here", "2:2")
    assert ours.take("cutoff", ["x", "y"]) == ["y"]
    time.sleep(0.3)
    assert ours.take("cutoff", ["x"]) == ["x"]
    with reading(core.engine) as connection:
        assert connection.execute(select(Lease.token).where(Lease.key == "x")).scalar_one() == 78, (
            "the late owner finds us"
        )


def test_a_lease_that_is_prolonged_is_not_taken(core, brief):
    hold(core, "x", AHEAD)
    ours = Leases(core.engine, 78, "here", "2:2")
    for _ in range(4):
        assert ours.take("cutoff", ["x"]) == []
        time.sleep(0.1)
        with writing(core.engine) as connection:
            connection.execute(update(Lease).values(expires_at=Lease.expires_at + 1))


def test_a_look_that_begins_anew_waits_anew(core, brief):
    """What another look has seen is no sign: the owner may have lived between."""
    hold(core, "x", AHEAD)
    Leases(core.engine, 78, "here", "2:2").take("cutoff", ["x"])
    time.sleep(0.3)
    assert Leases(core.engine, 79, "here", "2:2").take("cutoff", ["x"]) == []


def test_a_rebuild_says_whom_it_waits_for_and_goes_on_without_them(core, brief, monkeypatch):
    monkeypatch.setattr(leases, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(rebuild, "SAY_SECONDS", 0.2)
    settings = core.root / "study.toml"
    text = settings.read_text()
    assert 'biomarker = "ratio"' in text
    settings.write_text(text.replace('biomarker = "ratio"', 'biomarker = "difference"', 1))
    study = type(core)(core.root)
    due = sorted(tiny.due(study)["tsh_ratios"])
    for key in due:
        hold(study, key, AHEAD, "tsh_ratios")
    assert {held["host"] for held in status(study.root)["computing"]} == {"node-9"}
    said: list[str] = []
    report = tiny.rebuild(study, names=["tsh_ratios"], say=said.append)
    assert report.computed["tsh_ratios"] == len(due)
    assert len(said) == 1 and "run 77 on node-9" in said[0]
    study.engine.dispose()
