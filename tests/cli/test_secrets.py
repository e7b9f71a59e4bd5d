"""Passwords and tokens of addresses and settings: in no message, no traceback, no row and no file that a command writes."""

from __future__ import annotations

import socket
import subprocess
import sys
from sqlite3 import OperationalError

import pytest

from tests.support.program import ROOT
from tshdb.everyday import trouble
from tshdb.shown_addresses import without_secrets

CANARY = "c4n4ry"
SECRETS = {
    "a password": f"postgresql://ann:{CANARY}@127.0.0.1:PORT/x",
    "with an at sign": f"postgresql://ann:{CANARY}@{CANARY}@127.0.0.1:PORT/x",
    "with a slash": f"postgresql://ann:{CANARY}/{CANARY}@127.0.0.1:PORT/x",
    "without a user": f"postgresql://:{CANARY}@127.0.0.1:PORT/x",
    "in the query": f"postgresql://ann@127.0.0.1:PORT/x?password={CANARY}",
    "of its key": f"postgresql://ann@127.0.0.1:PORT/x?sslmode=prefer&sslpassword={CANARY}",
    "with a quotation mark's code": f"postgresql://ann:%27{CANARY}%22@127.0.0.1:PORT/x",
    "with a colon": f"postgresql://ann:{CANARY}:{CANARY}@127.0.0.1:PORT/x",
    "of a driver": f"postgresql+psycopg://ann:{CANARY}@127.0.0.1:PORT/x",
    "of another database": f"mysql://ann:{CANARY}@127.0.0.1:PORT/x",
}
TEXTS = (
    f"clickhouse+http:://ann:{CANARY}@h:8123/x",
    f"https://{CANARY}{CANARY}{CANARY}@x.example/files", f"GET https://x.example/a?X-Amz-Signature={CANARY}&b=1",
    f"token={CANARY}",
    f"host=h password='{CANARY} x' user=u", f"Authorization: Bearer {CANARY}", f'"X-Auth-Token": "{CANARY}"',
    f"API_KEY = {CANARY}",
)  # fmt: skip
COMMANDS = (
    ("status",),
    ("plan",),
    ("check",),
    ("sql", "SELECT 1"),
    ("rebuild",),
    ("migrate",),
    ("doctor",),
    ("history",),
    ("report",),
)


@pytest.fixture(scope="module")
def port() -> int:
    """One at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize("text", [*SECRETS.values(), *TEXTS])
def test_a_text_is_shown_without_them(text):
    said = without_secrets(f"look: {text}, there")
    assert CANARY not in said and "***" in said and said.startswith("look: ") and said.endswith(", there")


@pytest.mark.parametrize(
    "text", ["a: b", "http://127.0.0.1:80/x?page=2", "sqlite:///study.db", "gene = TP53", "see me@x.example", ""]
)
def test_a_text_without_any_is_as_it_was(text):
    assert without_secrets(text) == text


def test_what_a_driver_says_is_told_without_them():
    for text in SECRETS.values():
        told = trouble(OperationalError(f"no answer of {text}"))
        assert told is not None and CANARY not in f"{told} {told!r} {told.args}" and "no answer of" in str(told)


@pytest.mark.parametrize("kind", SECRETS)
def test_no_command_shows_the_password_of_the_database(quick, empty_study, port, kind):
    url = SECRETS[kind].replace("PORT", str(port))
    settings = empty_study.root / "study.toml"
    ours = settings.read_text()
    settings.write_text(ours.replace("sqlite:///study.db", url))
    for command in COMMANDS[:3] if kind != "a password" else COMMANDS:
        ended = quick(*command, cwd=empty_study.root, code=None)
        assert ended.returncode in (3, 6, 7), (command, ended.stderr)
        assert CANARY not in ended.stdout + ended.stderr, command
        assert "Traceback" not in ended.stderr
    settings.write_text(ours)
    written = [p for p in empty_study.root.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()]
    assert written == []


def test_neither_does_a_move_nor_a_download(quick, empty_study, port):
    url = SECRETS["a password"].replace("PORT", str(port))
    said = [quick("move", url, cwd=empty_study.root, code=None)]
    for of in (f"http://ann:{CANARY}@127.0.0.1:{port}", f"http://127.0.0.1:{port}/?token={CANARY}"):
        said.append(quick("ingest", "tcga-brca", "--gdc-url", of, cwd=empty_study.root, code=None))
    for ended in said:
        assert ended.returncode not in (0, 1) and CANARY not in ended.stdout + ended.stderr, ended.stderr
    assert [p for p in empty_study.root.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()] == []


def test_a_bug_has_a_traceback_without_them(tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); sys.argv[1:] = ['--version']; import cli.main as m\n"
        "def bug(*_): raise KeyError('postgresql://ann:' + 'c4n4ry' + '@h/x \\x1b[2J')\n"
        "m.only_asked = bug; m.main()"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(ROOT)], capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 1 and "Traceback" in ended.stderr and "KeyError" in ended.stderr
    assert "ann:***@h/x" in ended.stderr and "\x1b" not in ended.stderr
