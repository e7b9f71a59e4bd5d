"""Whether a certificate still holds: nobody in the study has a name whose token is the certificate's.

The certificate does not say the name, and neither does the study; every word in the database, the parts and the files is
turned into its token and compared.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, select

from tshdb.database import reading
from tshdb.errors import IntegrityError, InvalidInput
from tshdb.expression_store import profiles_in
from tshdb.guest_tables import tables_of, unknown_tables
from tshdb.objects import sha256_of
from tshdb.schema import ExpressionProfile, Patient, Sample, Tombstone
from tshdb.study import Study
from tshdb.withdrawal.files import files_under, texts_in
from tshdb.withdrawal.identifiers import SAFE_LENGTH, alias_of, key_of, token_of
from tshdb.withdrawal.unknown import texts_of

LEFT = ("left_to_a_person", "left", "files_outside_the_study")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PHRASE = re.compile(r"[A-Za-z0-9][\w.-]*(?: [\w.-]+)+")  # of names with blanks
KEYS = {"patient_id", "sample_id", "aliquot_id", "profile_id", "examination", "entity_key", "row_key", "key"}


class Verified(NamedTuple):
    """One thing that a certificate promises, and whether it is so."""

    what: str
    holds: bool
    detail: str


def verify(study: Study, path: Path) -> list[Verified]:
    """Everything that a certificate promises. Raises InvalidInput for a file that is none."""
    try:
        certificate: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        token = certificate["token"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput("this is no certificate", where=str(path), repair="They lie in withdrawals/") from None
    key = key_of(study.root)
    if key is None:
        raise IntegrityError("the study's key is gone", where=str(study.root), repair="Restore it from a backup")
    checks = []
    with reading(study.engine) as connection:
        of = _Tokens(key, _names_in(connection))
        row = connection.execute(
            select(Tombstone.certificate_sha256, Tombstone.pending, Tombstone.readmitted_at, Tombstone.sample_tokens)
            .where(Tombstone.token == token)
        ).one_or_none()  # fmt: skip
        if row is None:
            return [Verified("the study knows the withdrawal", False, "no tombstone has this token")]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        same = digest == row.certificate_sha256
        checks.append(
            Verified("the certificate is as it was written", same, "" if same else f"its SHA-256 is {digest}")
        )
        checks.append(Verified("nothing is left to do", row.pending is None, row.pending or ""))
        readmitted = row.readmitted_at
        checks.append(Verified("the patient was not readmitted", readmitted is None, readmitted or ""))
        of.tokens = {token, *json.loads(row.sample_tokens)}
        places = sorted(set(_named_in_database(connection, of)))
        checks.append(Verified("no row names the patient", not places, ", ".join(places)))
    objects = [p.name for p in sorted(study.objects.root.glob("*/*.parquet")) if of.are_in(profiles_in(p))]
    checks.append(Verified("no expression part holds the patient", not objects, ", ".join(objects)))
    parts = [p["erased"] for p in certificate.get("parts", ()) if study.objects.path(p["erased"]).exists()]
    checks.append(Verified("the parts with the patient are gone", not parts, ", ".join(parts)))
    left = [
        str(p.relative_to(study.root))
        for p in files_under(study.root, study.objects.root, *_database(study))
        if of.are_in(t.decode("utf-8", "replace") for t in texts_in(p))
    ]
    checks.append(Verified("no file of the study names the patient", not left, ", ".join(left)))
    wrong = [f["path"] for f in certificate.get("files", ()) if not _is_as_said(study.root / f["path"], f)]
    checks.append(Verified("the files are as they were left", not wrong, ", ".join(wrong)))
    return checks


def what_is_left(connection: Connection, study: Study, path: Path) -> Iterator[str]:
    """The places that a certificate left to a person, and that still name the patient.

    A file whose own path names the patient is written there under the token, and is looked for by it.
    """
    try:
        certificate: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        token = str(certificate["token"])
        places = {str(p) for key in LEFT for p in certificate.get(key) or ()}
    except (OSError, ValueError, KeyError, TypeError):
        return  # no certificate
    key = key_of(study.root)
    if key is None:
        return
    row = connection.execute(select(Tombstone.sample_tokens).where(Tombstone.token == token)).scalar()
    of = _Tokens(key, _names_in(connection), {token, *json.loads(row or "[]")})
    for place in sorted(places):
        file = study.root / place
        if alias_of(token) in place:
            before = Path(place.partition(alias_of(token))[0] + "x").parent
            names = [path.name for path in (study.root / before).glob("*")]
            if of.are_in(names):
                yield place
        elif file.is_file() and of.are_in(t.decode("utf-8", "replace") for t in texts_in(file)):
            yield place


def _is_as_said(path: Path, entry: dict[str, Any]) -> bool:
    """It may have changed or gone since, but it must not be what it was before."""
    return not path.is_file() or sha256_of(path) != entry["sha256_before"]


def _database(study: Study) -> list[Path]:
    path = study.sqlite_path
    return [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))] if path else []


def _named_in_database(connection: Connection, of: _Tokens) -> Iterator[str]:
    for table in tables_of(connection):
        for column in table.columns:
            if isinstance(column.type, Text):
                texts = connection.execute(select(column).where(column.is_not(None)).distinct()).scalars().all()
                if of.are_in(texts) or (column.name in KEYS and any(of.is_one(k) for t in texts for k in t.split("|"))):
                    yield f"{table.name}.{column.name}"
    for name in unknown_tables(connection):
        if of.are_in(text for row in texts_of(connection, name) for text in row):
            yield f"{name}, which nobody has declared"


def _names_in(connection: Connection) -> frozenset[str]:
    """The names by which the study knows the patients that it has, who are not the one who withdrew."""
    columns = (Patient.patient_id, Sample.sample_id, ExpressionProfile.aliquot_id, ExpressionProfile.profile_id)
    return frozenset(name for column in columns for name in connection.execute(select(column)).scalars())


@dataclass
class _Tokens:
    """The tokens of one patient, looked for in texts. others: names that are those of somebody else."""

    key: bytes
    others: frozenset[str]
    tokens: set[str] = field(default_factory=set)

    def is_one(self, name: str) -> bool:
        """Whether a whole name has one of the tokens."""
        return token_of(self.key, name) in self.tokens

    def are_in(self, texts: Iterable[str]) -> bool:
        """Whether a word of the texts, or what a longer word begins with, has one of the tokens.

        Not where the longer word is the name of somebody else; nor a word that is too short to be a proof.
        """
        seen: set[str] = set()
        for text in texts:
            for word in (*WORD.findall(text), *(PHRASE.findall(text) if " " in text else ())):
                if len(word) >= SAFE_LENGTH and word not in seen:
                    seen.add(word)
                    if self._begins(word):
                        return True
        return False

    def _begins(self, word: str) -> bool:
        cuts = [m.start() for m in re.finditer(r"[^A-Za-z0-9]+", word)]
        for stem in (word, *(word[:at] for at in reversed(cuts))):
            if len(stem) >= SAFE_LENGTH and self.is_one(stem):
                return True
            if stem in self.others or len(stem) < SAFE_LENGTH:
                return False
        return False
