"""Withdrawals once more, after a database from before them was copied back.

The study forgot them with its database; the certificates in `withdrawals/` and the key know them. A certificate says no name:
each patient of the database is turned into a token and compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import insert, select

from tshdb.database import reading, writing
from tshdb.engine.analysis import Analysis
from tshdb.errors import IntegrityError, InvalidInput
from tshdb.files import complete
from tshdb.lock import study_lock
from tshdb.places import WITHDRAWALS, files_below
from tshdb.schema import Patient, Tombstone
from tshdb.study import Study
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal.certificate import read_certificate
from tshdb.withdrawal.identifiers import key_of, token_of
from tshdb.withdrawal.planning import Redact
from tshdb.withdrawal.tombstones import was_readmitted
from tshdb.withdrawal.withdraw import certificate_path, resume, withdraw


class Repeated(NamedTuple):
    """One withdrawal that the database did not know. was_there: whether the patient was in it, and is erased again now.

    facts: what the certificate says now; of a patient who was not there, as it said before.
    """

    token: str
    was_there: bool
    facts: dict[str, Any]


def repeat_withdrawals(
    study: Study, analyses: Sequence[Analysis], redact: Redact, certificates: Path | None = None
) -> list[Repeated]:
    """Withdraw every patient again whose certificate is there and whom the database does not know as withdrawn.

    certificates: the folder that they lie in; None: the study's own. Patients who were readmitted later stay. A patient whom
    the database does not have, since it is older than her, gets her tombstone, so that a later ingest withholds her.
    Raises IntegrityError where there are certificates and no key that they were made with.
    """
    resume(study)
    folder = study.root / WITHDRAWALS if certificates is None else certificates
    wanted = list(_forgotten(study, folder))
    if not wanted:
        return []
    key = key_of(study.root)
    if key is None:
        raise IntegrityError(
            f"{len(wanted)} withdrawals are to be repeated, and the key that recognises the patients is gone",
            where=str(study.root), repair="Restore .withdrawal-key, which the certificates were made with, from a backup",
        )  # fmt: skip
    with reading(study.engine) as connection:
        there = {token_of(key, p): p for p in connection.execute(select(Patient.patient_id)).scalars()}
    done = []
    for path, said in wanted:
        token, patient = said["token"], there.get(said["token"])
        if patient is None:
            _remember(study, path, said)
            done.append(Repeated(token, False, said))
        else:
            scope, reason = WithdrawalScope(said["scope"]), str(said["reason"])
            _, facts = withdraw(study, analyses, patient, reason=reason, scope=scope, redact=redact)
            done.append(Repeated(token, True, facts))
    return done


def _forgotten(study: Study, folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The certificates whose withdrawals the database does not know, the oldest first."""
    with reading(study.engine) as connection:
        known = set(connection.execute(select(Tombstone.token)).scalars())
    found = []
    for path in files_below(folder, is_deep=False):
        try:
            said = read_certificate(path)
            WithdrawalScope(said["scope"])
            withdrawn_at = str(said["withdrawn_at"])
        except (InvalidInput, KeyError, ValueError):
            continue  # another file that lies there
        if said["token"] not in known and not was_readmitted(folder, said["token"], withdrawn_at):
            found.append((withdrawn_at, path, said))
    yield from ((path, said) for _, path, said in sorted(found, key=lambda each: each[:2]))


def _remember(study: Study, path: Path, said: dict[str, Any]) -> None:
    """The tombstone of a patient whom the database does not have, and the certificate as it was."""
    text = path.read_bytes()
    own = certificate_path(study, said["token"])
    with study_lock(study.engine, study.root), writing(study.engine) as connection:
        if own != path:
            own.parent.mkdir(exist_ok=True)
            with complete(own) as written:
                written.write_bytes(text)
        row = {name: said.get(name) for name in ("token", "scope", "reason", "actor", "withdrawn_at")}
        tokens = json.dumps(sorted(said.get("sample_tokens", [])))
        digest = hashlib.sha256(text).hexdigest()
        connection.execute(insert(Tombstone).values(row | {"sample_tokens": tokens, "certificate_sha256": digest}))
