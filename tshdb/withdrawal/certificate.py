"""Whether a certificate still holds: nobody in the study has a name whose token is the certificate's.

The certificate does not say the name, and neither does the study. It says how long the names are: every run of so many
letters that begins and ends as a word does, in the database, the parts and the files, is turned into its token and compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, select

from tshdb.contents.kinds import pieces
from tshdb.database import reading
from tshdb.errors import IntegrityError, InvalidInput
from tshdb.expression_store import profiles_in
from tshdb.guest_tables import tables_of, unknown_tables
from tshdb.objects import sha256_of
from tshdb.process import in_child
from tshdb.schema import Tombstone
from tshdb.study import Study
from tshdb.withdrawal.files import Seen, entries_under, said, shortened, unseen_entry
from tshdb.withdrawal.identifiers import alias_of, key_of
from tshdb.withdrawal.planning import database_files
from tshdb.withdrawal.tokens import Tokens, names_in
from tshdb.withdrawal.unknown import texts_of

LEFT = ("left_to_a_person", "left", "files_outside_the_study")
KEYS = {"patient_id", "sample_id", "aliquot_id", "profile_id", "examination", "entity_key", "row_key", "key"}


class Verified(NamedTuple):
    """One thing that a certificate promises, and whether it is so. is_certain: false where not everything was looked into."""

    what: str
    holds: bool
    detail: str
    is_certain: bool = True


def read_certificate(path: Path) -> dict[str, Any]:
    """What a certificate says. Raises InvalidInput for a file that is none."""
    try:
        certificate: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        str(certificate["token"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput("this is no certificate", where=str(path), repair="They lie in withdrawals/") from None
    return certificate


def verify(study: Study, path: Path) -> list[Verified]:
    """Everything that a certificate promises; also in a study whose database is older than it, as after a restore.

    Raises InvalidInput for a file that is no certificate; IntegrityError without the key.
    """
    certificate = read_certificate(path)
    token = certificate["token"]
    key = key_of(study.root)
    if key is None:
        raise IntegrityError("the study's key is gone", where=str(study.root), repair="Restore it from a backup")
    checks = []
    with reading(study.engine) as connection:
        row = connection.execute(
            select(Tombstone.certificate_sha256, Tombstone.pending, Tombstone.readmitted_at, Tombstone.sample_tokens)
            .where(Tombstone.token == token)
        ).one_or_none()  # fmt: skip
        if row is None:
            what = "no tombstone has this token: a database from before the withdrawal"
            checks.append(Verified("the study knows the withdrawal", False, what))
        else:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            same = digest == row.certificate_sha256
            checks.append(
                Verified("the certificate is as it was written", same, "" if same else f"its SHA-256 is {digest}")
            )
            checks.append(Verified("nothing is left to do", row.pending is None, row.pending or ""))
            readmitted = row.readmitted_at
            checks.append(Verified("the patient was not readmitted", readmitted is None, readmitted or ""))
        of = tokens_of(connection, key, certificate, None if row is None else row.sample_tokens)
        places = sorted(set(_named_in_database(connection, of)))
        checks.append(Verified("no row names the patient", not places, ", ".join(places)))
    objects = [p.name for p in sorted(study.objects.root.glob("*/*.parquet")) if any(map(of.are_in, profiles_in(p)))]
    checks.append(Verified("no expression part holds the patient", not objects, ", ".join(objects)))
    parts = [p["erased"] for p in certificate.get("parts", ()) if study.objects.path(p["erased"]).exists()]
    checks.append(Verified("the parts with the patient are gone", not parts, ", ".join(parts)))
    seen = searched(study, of, *database_files(study))
    left = [str(s.path.relative_to(study.root)) for s in seen if s.is_named]
    checks.append(Verified("no file of the study names the patient", not left, ", ".join(left)))
    unseen = [f"{s.path.relative_to(study.root)} ({'; '.join(s.unseen)})" for s in seen if s.unseen]
    checks.append(Verified("every file of the study was looked into", True, ", ".join(unseen), not unseen))
    wrong = [f["path"] for f in certificate.get("files", ()) if not _is_as_said(study.root / f["path"], f)]
    checks.append(Verified("the files are as they were left", not wrong, ", ".join(wrong)))
    return checks


def tokens_of(connection: Connection, key: bytes, certificate: dict[str, Any], sample_tokens: str | None) -> Tokens:
    """What is searched for: the tokens of the certificate, and those of the study where it knows the withdrawal."""
    known = {*json.loads(sample_tokens or "[]"), *certificate.get("sample_tokens", ())}
    found = Tokens(
        key, {str(certificate["token"]), *known}, tuple(certificate.get("lengths_of_names", ())),
        are_numbers=bool(certificate.get("names_are_numbers", False)),
    )  # fmt: skip
    found.others = names_in(connection, found)
    return found


def searched(study: Study, of: Tokens, *left_out: Path) -> list[Seen]:
    """The files of the study that hold one of the tokens' names, or could not be looked into."""
    root = study.root

    def found() -> list[tuple[str, bool, tuple[str, ...]]]:
        every = [_entry(path, root, of) for path in entries_under(root, study.objects.root, *left_out)]
        every += [_look(path, of) for path in study.objects.strangers() if path.is_file()]
        return [(str(seen.path), seen.is_named, seen.unseen) for seen in every if seen.is_named or seen.unseen]

    return [Seen(Path(path), is_named, tuple(unseen)) for path, is_named, unseen in in_child(found)]


def _entry(path: Path, root: Path, of: Tokens) -> Seen:
    if of.are_in(str(path.relative_to(root))):
        return Seen(path, True)
    if why := unseen_entry(path, root):
        return Seen(path, False, (why,))
    return _look(path, of) if path.is_file() else Seen(path, False)


def _look(path: Path, of: Tokens) -> Seen:
    unseen: dict[str, None] = {}
    for piece in pieces(path):
        if piece.unseen:
            if of.are_numbers or not piece.only_numbers:
                unseen[said(piece)] = None
        elif of.are_in(piece.text):
            return Seen(path, True)
    return Seen(path, False, shortened(unseen))


def what_is_left(connection: Connection, study: Study, path: Path) -> Iterator[str]:
    """The places that a certificate left to a person, and that still name the patient.

    A file whose own path names the patient is written there under the token, and is looked for by it.
    """
    try:
        certificate = read_certificate(path)
        places = {str(p) for key in LEFT for p in certificate.get(key) or ()}
    except (InvalidInput, TypeError):
        return
    key = key_of(study.root)
    if key is None:
        return
    token = str(certificate["token"])
    row = connection.execute(select(Tombstone.sample_tokens).where(Tombstone.token == token)).scalar()
    of = tokens_of(connection, key, certificate, row)
    for place in sorted(places):
        file = study.root / place
        if alias_of(token) in place:
            before = Path(place.partition(alias_of(token))[0] + "x").parent
            if any(of.are_in(path.name) for path in (study.root / before).glob("*")):
                yield place
        elif file.is_file() and _look(file, of).is_named:
            yield place


def _is_as_said(path: Path, entry: dict[str, Any]) -> bool:
    """It may have changed or gone since, but it must not be what it was before."""
    return not path.is_file() or sha256_of(path) != entry["sha256_before"]


def _named_in_database(connection: Connection, of: Tokens) -> Iterator[str]:
    for table in tables_of(connection):
        for column in table.columns:
            if isinstance(column.type, Text):
                texts = connection.execute(select(column).where(column.is_not(None)).distinct()).scalars().all()
                is_key = column.name in KEYS
                if any(of.are_in(t) or is_key and any(map(of.is_one, t.split("|"))) for t in texts):
                    yield f"{table.name}.{column.name}"
    for name in unknown_tables(connection):
        if any(of.are_in(text) for row in texts_of(connection, name) for text in row):
            yield f"{name}, which nobody has declared"
