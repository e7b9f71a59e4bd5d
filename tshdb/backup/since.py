"""Withdrawals that came after a backup: a restored study has the patients again, until they are repeated.

Certificates do not name the patient. Every patient of the restored study is turned into a token by the study's key, and is
withdrawn again where a certificate has that token.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from tshdb.actions.withdrawing import withdraw
from tshdb.database import reading
from tshdb.errors import InvalidInput
from tshdb.objects import is_file
from tshdb.places import SETTINGS_FILE, WITHDRAWALS, files_below
from tshdb.schema import Patient, Tombstone
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal.identifiers import KEY_FILE, key_of, token_of

if TYPE_CHECKING:
    from tshdb.study import Study

AGAIN = "withdrawn again after a backup was restored"


@dataclass(frozen=True)
class Certificate:
    """A withdrawal as its certificate says it. sha256: of the certificate."""

    token: str
    scope: WithdrawalScope
    reason: str
    sha256: str


def certificates(folder: Path) -> list[Certificate]:
    """The certificates in a folder of them, or in a study. Raises InvalidInput where there is none."""
    below = folder / WITHDRAWALS if (folder / SETTINGS_FILE).is_file() else folder
    found = [one for path in files_below(below, is_deep=False) if (one := _read(path)) is not None]
    if not found and not below.is_dir() and below == folder:
        raise InvalidInput(
            "no folder of certificates", where=str(folder), repair="Name withdrawals/ of the study, or the study"
        )
    return found


def _read(path: Path) -> Certificate | None:
    data = path.read_bytes()
    try:
        said = json.loads(data)
        scope, reason = WithdrawalScope(said["scope"]), str(said["reason"])
        return Certificate(str(said["token"]), scope, reason, hashlib.sha256(data).hexdigest())
    except (ValueError, KeyError, TypeError):
        return None  # something else that lies there


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


def repeat(study: Study, since: Iterable[Certificate]) -> list[str]:
    """Withdraw again whom the study has and a certificate is of. Gives the tokens. Raises InvalidInput without the key.

    The one place that repeats withdrawals.
    """
    since = list(since)
    key = key_of(study.root)
    if since and key is None:
        raise InvalidInput(
            f"without {KEY_FILE} nobody can say whom {len(since)} certificates are of", where=str(study.root),
            repair=f"Put {KEY_FILE} of the study beside its folder withdrawals/, and restore again",
        )  # fmt: skip
    if key is None:
        return []
    with reading(study.engine) as connection:
        patients = sorted(connection.execute(select(Patient.patient_id)).scalars())
        known = set(connection.execute(select(Tombstone.certificate_sha256)).scalars())
    by_token = {
        one.token: one for one in since if one.sha256 not in known
    }  # known ones were followed before the backup
    repeated = []
    for patient in patients:
        if (one := by_token.get(token_of(key, patient))) is not None:
            withdraw(study, patient, f"{AGAIN}: {one.reason}", one.scope)
            repeated.append(one.token)
    return repeated
