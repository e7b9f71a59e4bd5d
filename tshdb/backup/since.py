"""Withdrawals that came after a backup: a restored study has the patients again, until they are repeated.

`tshdb.actions.withdrawing.repeat` does it, by the certificates of the study that goes on, and its key.
"""

from __future__ import annotations

import os
from pathlib import Path

from tshdb.errors import InvalidInput
from tshdb.objects import is_file
from tshdb.places import SETTINGS_FILE, WITHDRAWALS
from tshdb.withdrawal.identifiers import KEY_FILE, key_of


def folder_of(named: Path) -> Path:
    """The certificates' folder, of a study or as it was named. Raises InvalidInput where there is none."""
    folder = named / WITHDRAWALS if (named / SETTINGS_FILE).is_file() else named
    if not folder.is_dir() and folder == named:
        raise InvalidInput(
            "no folder of certificates", where=str(named), repair="Name withdrawals/ of the study, or the study"
        )
    return folder


def take_key(root: Path, folder: Path) -> None:
    """Give a restored study that has no key that of the study which the certificates are of."""
    for place in (folder, folder.parent):
        beside = place / KEY_FILE
        if is_file(beside) and key_of(root) is None:
            written = root / f".{KEY_FILE}.writing"
            with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(beside.read_bytes())
                file.flush()
                os.fsync(file.fileno())
            os.replace(written, root / KEY_FILE)
