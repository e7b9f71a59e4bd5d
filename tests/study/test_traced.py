"""What a process opens is seen from outside: the watch of `make soak PART=traced`, on programs that do what may not be done."""

from __future__ import annotations

import sys

import pytest

from soak.traced import Account, calls, judged, why_not, wrong_of
from tests.support.strangers import CANARY, KINDS, received


@pytest.fixture
def user(tmp_path) -> Account:
    if said := why_not():
        pytest.skip(said)
    return Account(tmp_path / "user")


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('openat(AT_FDCWD</s>, "a.csv", O_RDONLY|O_CLOEXEC) = 3</s/a.csv>', ""),
        ('openat(AT_FDCWD</s>, "link/secret", O_RDONLY) = 3</other/secret>', "openat /other/secret"),
        ('openat(AT_FDCWD</s>, "link/secret", O_RDONLY) = -1 ENOENT (No such file or directory)', ""),
        ('openat(AT_FDCWD</s>, "link", O_RDONLY|O_CLOEXEC|O_DIRECTORY) = 3</other>', ""),
        ('openat(AT_FDCWD</s>, "/etc/x", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</etc/x>', "openat /etc/x"),
        ('openat(AT_FDCWD</s>, "/dev/null", O_RDWR) = 3</dev/null>', ""),
        ('openat(AT_FDCWD</s>, "/dev/zero", O_RDONLY) = 3</dev/zero>', "openat /dev/zero"),
        ('unlink("/other/victim.html") = 0', "unlink /other/victim.html"),
        ('renameat2(AT_FDCWD</s>, "new", AT_FDCWD</s>, "../report", 0) = 0', "renameat2 /report"),
        ('stat("/other/secret", 0x7ffd) = 0', ""),
        ('execve("/bin/sh", ["sh", "-c", "/s/x"], 0x7 /* 9 vars */) = 0', "starts /bin/sh"),
        ('connect(3<socket:[9]>, {sa_family=AF_INET, sin_port=htons(80)}, 16) = -1 EINPROGRESS (Operation now in progress)',
         "connect 3<socket:[9]>, {sa_family=AF_INET, sin_port=htons(80)}, 16"),
    ],
)  # fmt: skip
def test_a_line_says_what_was_done(line, wrong):
    (call,) = calls(f"71  {line}")
    assert wrong_of(call, ("/s",), "/other") == wrong


def test_a_line_that_another_interrupts_is_one_call():
    text = '7  mkdir("/etc/a", 0777 <unfinished ...>\n8  stat("/s/b", 0x1) = 0\n7  <... mkdir resumed>) = 0\n'
    assert [(c.name, c.paths) for c in calls(text)] == [("stat", ("/s/b",)), ("mkdir", ("/etc/a",))]


def test_what_a_program_does_is_seen(user, tmp_path):
    """Also through a link, by a child, and by a library that asks nobody."""
    place, other = tmp_path / "study", tmp_path / "other"
    place.mkdir(), other.mkdir()
    (other / "secret.csv").write_text(CANARY)
    (place / "link").symlink_to(other)
    script = (
        "import os, sqlite3, socket\n"
        "open('link/secret.csv').read(); open('mine', 'w'); open('../outside', 'w'); os.mkdir('link/made')\n"
        "sqlite3.connect('../of_sqlite').execute('CREATE TABLE t (a)')\n"
        "if os.fork() == 0: os.remove('../outside'); os.execv('/bin/true', ['true'])\n"
        "os.wait(); socket.socket().connect_ex(('127.0.0.1', 9))\n"
    )
    trial = user.watched([sys.executable, "-c", script], place, other)
    assert trial.code == 0, trial.said
    wrong = "\n".join(trial.wrong)
    for said in (
        f"openat {other}/secret.csv",
        f"openat {tmp_path}/outside",
        f"mkdir {other}/made",
        f"openat {tmp_path}/of_sqlite",
        f"unlink {tmp_path}/outside",
        "starts /bin/true",
        "connect",
    ):
        assert said in wrong, (said, wrong)
    assert "mine" not in wrong


@pytest.mark.parametrize("kind", ["objects at the neighbour's", "database is a link", "code beside it"])
def test_a_look_at_a_strangers_study_opens_nothing_outside(user, template, tmp_path, kind):
    place, other = received(template, tmp_path / "kind")
    KINDS[kind](place, other)
    trial = user.traced(("check", "--fast"), place, other)
    assert trial.n > 1000 and judged(trial) == []
