"""A call of the system fails, there is no room, or no memory: one line says so, the study is as it was or as it will be, and the
same command goes on to the same bytes. Every call in turn: `make soak PART=faults`.
"""

from __future__ import annotations

import pytest

from tests.support.failing import serve

SLICE = [
    {"command": "ingest", "how": "call", "errno": "ENOSPC", "at": 45, "is_lasting": True},
    {"command": "images", "how": "call", "errno": "EMFILE", "at": 9, "is_lasting": False},
    {"command": "rebuild", "how": "call", "errno": "EIO", "at": 60, "is_lasting": True},
    {"command": "withdraw", "how": "call", "errno": "EACCES", "at": 60, "is_lasting": False},
    {
        "command": "withdraw",
        "how": "chance",
        "errno": "ENOSPC",
        "p": 0.02,
        "seed": 482032,
    },  # a file that is written again
]
OTHERS = [
    {"command": "withdraw", "how": "call", "errno": "ENOSPC", "at": 2251, "is_lasting": True},  # within VACUUM
    {"command": "table", "how": "call", "errno": "ENOSPC", "at": 40, "is_lasting": True},
    {"command": "backup", "how": "size", "bytes": 200_000},
    {"command": "rebuild", "how": "clock", "at": 40, "seconds": 86_400},
    {"command": "rebuild", "how": "clock", "at": 40, "seconds": -86_400},
    {"command": "ingest", "how": "memory", "bytes": 24 << 20},
    {"command": "ingest", "how": "log"},
]


def complaints(answers: list[dict]) -> list[tuple[dict, str]]:
    return [(answer["trial"], each) for answer in answers for each in answer["complaints"]]


def test_a_call_that_fails_is_said_and_harms_nothing(tmp_path):
    answers = serve(tmp_path, SLICE)
    assert complaints(answers) == []
    assert [a["trial"] for a in answers if a["code"] == 0] == [], "it did not fail"


@pytest.mark.long
def test_sizes_clocks_memory_and_the_order_of_writing(tmp_path):
    answers = serve(tmp_path, OTHERS)
    assert complaints(answers) == []
    assert answers[-1]["n_objects"] >= 1
