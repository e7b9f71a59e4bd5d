"""Who is not in a model, and for want of what."""

from __future__ import annotations

from tshdb.tables.left_out import _note


def test_a_note_counts_by_variable_and_reason():
    """By hand: of five, two lack er_status (one equivocal, one not reported), one has T stage TX, which is no number."""
    patients = [
        {"er_status": "positive", "er_status_reason": None, "t_stage": "T2"},
        {"er_status": None, "er_status_reason": "equivocal", "t_stage": "T1c"},
        {"er_status": None, "er_status_reason": "not reported", "t_stage": "TX"},
        {"er_status": "negative", "er_status_reason": None, "t_stage": None},
        {"er_status": "negative", "er_status_reason": None, "t_stage": "T4b"},
    ]
    assert _note("multivariable", ["er_status", "t_stage"], 3, patients) == (
        "multivariable: 3 of 5 members are not in it; er_status is not known of 2 (equivocal 1, not reported 1); "
        "t_stage is not known of 2 (TX 1, no word 1)"
    )
    assert "no value or no follow-up" in _note("multivariable", ["er_status"], 1, patients[:1])
