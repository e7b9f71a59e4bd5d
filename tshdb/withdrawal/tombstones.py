"""Withdrawn patients stay away: what a later ingest brings of them is withheld, unless they were readmitted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, select, update

from tshdb.engine.units import now
from tshdb.errors import IntegrityError, NotFound
from tshdb.file_content import FileContent, Finding, Record
from tshdb.files import complete
from tshdb.places import WITHDRAWALS, without_link
from tshdb.schema import Patient, Tombstone
from tshdb.vocabulary import Severity
from tshdb.withdrawal.identifiers import KEY_FILE, key_of, loose_token_of, meant_by, token_of

RULE = "patient.withdrawn"
READMITTED = (
    ".readmitted"  # what a note beside the certificates ends with: a database that is restored does not know it
)


class Withheld:
    """The withdrawn patients of a study, as an ingest asks for them."""

    def __init__(self, connection: Connection, root: Path):
        rows = connection.execute(
            select(Tombstone.token, Tombstone.sample_tokens).where(Tombstone.readmitted_at.is_(None))
        ).fetchall()
        self._tokens = {row.token for row in rows} | {t for row in rows for t in json.loads(row.sample_tokens)}
        self._key = key_of(root) if rows else None
        self._known: dict[str, bool] = {}
        self._patients = frozenset(connection.execute(select(Patient.patient_id)).scalars()) if rows else frozenset()
        if rows and self._key is None:
            raise IntegrityError(
                f"{len(rows)} patients are withdrawn, and the key that recognises them is gone",
                where=str(root / KEY_FILE),
                repair="Restore it from a backup; without it withdrawn patients could come back unseen",
            )

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def has(self, name: str) -> bool:
        """Whether this is the name of a withdrawn patient, or of a sample or aliquot of one.

        A longer name is another's (SUBJ-001-2 is not SUBJ-001), but for barcodes that say whose they are. One in other
        capitals is the patient's, unless the study has a patient who is called so.
        """
        if name not in self._known:
            self._known[name] = any(map(self._is_token, meant_by(name)))
        return self._known[name]

    def _is_token(self, name: str) -> bool:
        if self._key is None:
            return False
        if token_of(self._key, name) in self._tokens:
            return True
        return name not in self._patients and loose_token_of(self._key, name) in self._tokens

    def _is_in_path(self, part: str) -> bool:
        """Whether a file or folder bears such a name, whatever its suffixes."""
        return self.has(part) or self.has(part.partition(".")[0])

    def without_names(self, finding: Finding) -> Finding:
        """A finding without a path or value that names a withdrawn patient."""
        path, value = finding.path, finding.value
        if path is not None and any(map(self._is_in_path, Path(path).parts)):
            path = None
        if value is not None and self.has(value):
            value = None
        return finding._replace(path=path, value=value)

    def take_out(self, content: FileContent) -> int:
        """Withhold what a file says of withdrawn patients; gives how many rows that are. A warning says how many."""
        kept: list[Record] = []
        profiles: set[str] = set()
        samples = {r.values.get("sample_id") for r in content.records if self.has(r.values.get("patient_id") or "")}
        for record in content.records:
            names = [record.values[c] for c in ("patient_id", "sample_id") if record.values.get(c)]
            if any(map(self.has, names)) or (samples - {None}) & set(names):
                profiles.add(record.values.get("profile_id", ""))
            else:
                kept.append(record)
        n = len(content.records) - len(kept)
        if n and content.instances is not None:  # a series is one patient's
            kept, n, content.instances = [], n + content.instances.n, None
        raw = [v for v in content.raw_values if not self.has(v.patient_id)]
        findings = [f for f in content.findings if f.value is None or not self.has(f.value)]
        if not n and len(raw) == len(content.raw_values):
            return 0
        content.records, content.raw_values, content.findings = kept, raw, findings
        content.sex_markers = {p: v for p, v in content.sex_markers.items() if p not in profiles}
        matrix = content.matrix
        if matrix is not None and profiles & set(matrix.profile_ids):
            stay = [i for i, p in enumerate(matrix.profile_ids) if p not in profiles]
            matrix.profile_ids = [matrix.profile_ids[i] for i in stay]
            matrix.values = np.ascontiguousarray(matrix.values[:, stay])
        text = f"{n} rows of withdrawn patients are withheld; readmit them with: tshdb withdraw --readmit PATIENT"
        content.findings.append(Finding(None, None, None, RULE, Severity.WARNING, text))
        return n


def readmit(connection: Connection, root: Path, patient_id: str, reason: str) -> None:
    """Let ingest take a withdrawn patient again. Inside `writing`. Raises NotFound for one that was not withdrawn."""
    key = key_of(root)
    token = token_of(key, patient_id) if key else ""
    updated = connection.execute(
        update(Tombstone)
        .where(Tombstone.token == token, Tombstone.readmitted_at.is_(None))
        .values(readmitted_at=now(), readmitted_because=reason)
    )
    if updated.rowcount == 0:
        raise NotFound("no withdrawn patient of that name", where="withdraw --readmit")
    note = without_link(root / WITHDRAWALS / f"{token[:16]}{READMITTED}")
    note.parent.mkdir(exist_ok=True)
    with complete(note) as written:
        written.write_text(json.dumps({"readmitted_at": now(), "reason": reason}) + "\n", encoding="utf-8")


def was_readmitted(folder: Path, token: str, withdrawn_at: str) -> bool:
    """Whether a patient who withdrew was readmitted later, as a note beside the certificates says."""
    try:
        note = json.loads((folder / f"{token[:16]}{READMITTED}").read_text(encoding="utf-8"))
        return str(note["readmitted_at"]) >= withdrawn_at
    except (OSError, ValueError, KeyError, TypeError):
        return False
