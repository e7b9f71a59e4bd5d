"""Commands whose output, home or folder fails end with their exit code and without a traceback: of all pairs of a command, as the
program lists them itself, and a kind of trouble, a few. All of all: `make soak PART=resources`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.support.program import ROOT

EVERY, FIRST = 60, 0  # of all pairs of a command and a trouble


def test_what_fails_about_a_command_is_no_traceback(core_template, tmp_path):
    command = [
        sys.executable,
        "-m",
        "tests.support.streams_server",
        str(tmp_path),
        str(core_template),
        str(EVERY),
        str(FIRST),
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["wrong"] == []
    assert answer["n"] >= 10 and answer["commands"] > 60


def test_every_command_has_words_to_be_tried_by():
    """A command that is new has a value for what it needs, or stands in WORDS."""
    from tests.support.streams_server import commands

    assert all(words for words in commands().values())
