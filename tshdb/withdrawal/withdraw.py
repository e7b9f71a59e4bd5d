"""Withdraw a patient: everything in its order, and again from the journal when it was interrupted.

1. parts without the patient are written, files without the patient are written beside the old ones; nothing points to them;
2. one transaction erases the patient, points to the new parts, and leaves a tombstone with the journal of what is left to do;
3. results of variants and multiverses go, old parts, old files and reports; the database is written anew without free pages, the
   write-ahead log is emptied;
4. the study is searched for the patient's names; the certificate says what was done and what was found.

A crash before 2 leaves the patient untouched; a crash after it leaves a journal, and `resume` goes on at 3.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import insert, select, update

from tshdb import multiverse_places, variant_places
from tshdb.database import reading, writing
from tshdb.engine.analysis import Analysis
from tshdb.engine.units import now
from tshdb.engine.work import clear_all
from tshdb.errors import Busy
from tshdb.failpoints import fp
from tshdb.lock import study_lock
from tshdb.objects import sha256_of
from tshdb.places import FIGURES, REPORTS, is_nested, without_link
from tshdb.places import WITHDRAWALS as FOLDER
from tshdb.process import actor
from tshdb.schema import ImagingInstance, SourceFile, SourceRecord, Tombstone
from tshdb.snapshots import Snapshots
from tshdb.study import Study
from tshdb.version import __version__
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal import files, footprint, objects
from tshdb.withdrawal.erase import Erased, Redaction, erase
from tshdb.withdrawal.identifiers import SEEN, Identifiers, alias_of, identifiers, key_of, make_key, token_of
from tshdb.withdrawal.journal import Journal, journal_of, pending_of, redacted_name
from tshdb.withdrawal.places import Places, places_in, with_originals
from tshdb.withdrawal.unknown import refuse_if_named

GENERATED = (REPORTS, FIGURES)  # made from the study: a page that names the patient goes as a whole


class RedactedFile(Protocol):
    """What remains of a file without the patient."""

    content: bytes
    lines: tuple[int, ...]
    columns: tuple[int, ...]


Redact = Callable[[Path, Any, str, Places | None], RedactedFile | None]


@dataclass(frozen=True)
class WithdrawalPlan:
    """What a withdrawal would do. Files by what becomes of them: written again, gone, left to a person.

    variants, multiverses: those that lose their results, whoever they are of: they are made again without the patient.
    """

    names: Identifiers
    rows: dict[str, int]
    models: list[str]
    cohorts: list[str]
    parts: list[str]
    rewritten: list[Path]
    erased: list[Path]
    by_hand: list[Path]
    outside: list[str]
    places: dict[Path, Places]
    variants: list[str]
    multiverses: list[str]


def preview(study: Study, analyses: Sequence[Analysis], patient_id: str, redact: Redact) -> WithdrawalPlan:
    """What the study holds of the patient, and what would become of it. Writes nothing.

    Raises NotFound; IntegrityError where a table that nobody has declared names the patient.
    """
    with reading(study.engine) as connection:
        names = identifiers(connection, patient_id)
        names = with_originals(connection, names, study.root, *_not_files(study))
        places = places_in(connection, names, study.root, *_not_files(study))
        refuse_if_named(connection, names)
        alone = _files_of_this_patient_alone(connection, names)
        named = footprint.files_of(connection, names)
        paths = connection.execute(select(SourceFile.path).where(SourceFile.source_file_id.in_(named))).scalars()
        outside = sorted({p for p in paths if not _is_inside(study, p) and Path(p).exists()})
        rows = footprint.counted(connection, names)
        models = [name for _, name in footprint.models_of(connection, analyses, names)]
        cohorts = [f"{cohort}@{version}" for cohort, version in footprint.cohorts_of(connection, names)]
    rewritten, erased, by_hand = [], [], []
    for path in sorted({*files.naming(study.root, names, *_not_files(study)), *places}):
        if is_nested(path, study.root):
            by_hand.append(path)
        elif sha256_of(path) in alone or path.relative_to(study.root).parts[0] in GENERATED:
            erased.append(path)
        elif redact(path, names.pattern, SEEN, places.get(path)) is None or names.is_in(
            str(path.relative_to(study.root))
        ):
            by_hand.append(path)
        else:
            rewritten.append(path)
    by_hand += _strangers(study, names)
    parts = list(objects.parts_with(study.objects, names))
    variants = variant_places.with_rows(study.root)
    multiverses = multiverse_places.with_results(study.root)
    return WithdrawalPlan(
        names, rows, models, cohorts, parts, rewritten, erased, by_hand, outside, places, variants, multiverses
    )


def withdraw(
    study: Study,
    analyses: Sequence[Analysis],
    patient_id: str,
    *,
    reason: str,
    scope: WithdrawalScope,
    redact: Redact,
) -> tuple[Path, dict[str, Any]]:
    """Erase a patient from the study. Gives the certificate's path and what it says.

    A name that is too short to be looked for in texts is found by the rows of the study, and in the lines and columns of the
    files that they came from. Raises NotFound.
    """
    with study_lock(study.engine, study.root), variant_places.all_held(study.root):
        finished = resume(study, locked=True)
        known_key = key_of(study.root)
        if (
            known_key is not None and token_of(known_key, patient_id) in finished
        ):  # was interrupted after its transaction
            path = study.root / FOLDER / f"{token_of(known_key, patient_id)[:16]}.json"
            return path, json.loads(path.read_text(encoding="utf-8"))
        study.objects.claim()
        plan = preview(study, analyses, patient_id, redact)
        key = make_key(study.root)
        token = token_of(key, patient_id)
        alias = alias_of(token)
        originals = [name for name in plan.names.originals if name in plan.names.telling]  # 17 may be somebody else's
        samples = sorted({token_of(key, n) for n in (*plan.names.sample_ids, *plan.names.aliquot_ids, *originals)})
        redactions = [*_redacted(plan, alias, redact), *map(_gone, plan.erased)]
        try:
            with writing(study.engine) as connection:
                parts = objects.rewrite(connection, study.objects, plan.names)
                alone = objects.of_patient_alone(connection, plan.names)
                fp("withdraw.prepared")
                done = erase(connection, analyses, plan.names, token, scope, parts, redactions)
                voxels = sorted({*alone, *objects.unused(connection, study.objects)})
                row = {
                    "token": token,
                    "sample_tokens": json.dumps(samples),
                    "scope": scope,
                    "reason": plan.names.word.sub(alias, reason),
                    "actor": actor(),
                    "withdrawn_at": now(),
                    "certificate_sha256": None,
                    "pending": None,
                    "readmitted_at": None,
                    "readmitted_because": None,
                }
                certificate = _certificate(row, done, parts, redactions, plan, study) | {"voxels_erased": voxels}
                row["pending"] = pending = pending_of(
                    study.root, [*(p.part_id for p in parts), *voxels], redactions, certificate
                )
                journal = journal_of(study, token, pending)
                before = connection.execute(select(Tombstone.token).where(Tombstone.token == token)).scalar()
                if before is None:
                    connection.execute(insert(Tombstone).values(row))
                else:  # was readmitted
                    connection.execute(update(Tombstone).where(Tombstone.token == token).values(row))
                fp("withdraw.before_commit")
        except BaseException:
            for r in redactions:  # nothing points to them: as if nobody had begun
                if r.redacted is not None:
                    Path(r.redacted).unlink(missing_ok=True)
            raise
        fp("withdraw.committed")
        _do_pending(study, journal)
        certificate["left"] = sorted(str(p.relative_to(study.root)) for p in _left(study, plan.names))
        return _finish(study, token, certificate), certificate


def resume(study: Study, *, locked: bool = False) -> list[str]:
    """Do what interrupted withdrawals left in the journal. Gives their tokens.

    Raises IntegrityError, before anything is done, for a journal that we did not write.
    """
    with reading(study.engine) as connection:
        rows = connection.execute(select(Tombstone).where(Tombstone.pending.is_not(None)).with_only_columns(
            *Tombstone.__table__.columns)).mappings().all()  # fmt: skip
    if rows and not locked:
        with study_lock(study.engine, study.root), variant_places.all_held(study.root):
            return resume(study, locked=True)
    left = [(row, journal_of(study, row["token"], row["pending"])) for row in rows]
    for row, journal in left:
        _do_pending(study, journal)
        facts = {k: row[k] for k in ("token", "scope", "reason", "actor", "withdrawn_at")}
        # the name is not known any more, so that nothing can be looked for: verify does, by the token
        _finish(study, row["token"], facts | journal.certificate | {"was_interrupted": True, "left": None})
    return [row["token"] for row in rows]


def _not_files(study: Study) -> list[Path]:
    """What is looked into by other means, the database and the parts; and what goes as a whole, the rows of variants."""
    paths = [study.objects.root, study.root / FOLDER, *variant_places.databases(study.root)]
    path = study.sqlite_path
    return paths + ([path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))] if path else [])


def _strangers(study: Study, names: Identifiers) -> list[Path]:
    """What lies among the objects, is none, and names the patient."""
    return [p for p in study.objects.strangers() if p.is_file() and (names.is_in(p.name) or files.holds(p, names))]


def _is_inside(study: Study, path: str) -> bool:
    return study.root.resolve() in Path(path).resolve().parents


def _files_of_this_patient_alone(connection, names: Identifiers) -> set[str]:
    """Digests of registered files that speak of nobody else."""
    digests = set()
    of_patient = footprint.rows_of(SourceRecord.__table__, names)
    for file_id in footprint.files_of(connection, names):
        others = (
            select(SourceRecord.source_record_id).where(SourceRecord.source_file_id == file_id, ~of_patient).limit(1)
        )
        if connection.execute(others).scalar() is None:
            digest = select(SourceFile.sha256).where(SourceFile.source_file_id == file_id)
            digests.add(connection.execute(digest).scalar_one())
    images = select(ImagingInstance.sha256).where(ImagingInstance.study_uid.in_(names.study_uids))
    return digests | set(connection.execute(images).scalars())


def _redacted(plan: WithdrawalPlan, alias: str, redact: Redact) -> list[Redaction]:
    """Write every file again, beside itself."""
    redactions = []
    for path in plan.rewritten:
        new = redact(path, plan.names.pattern, alias, plan.places.get(path))
        if new is None:  # as it was when the withdrawal was planned it could be written again
            raise Busy("the file was changed meanwhile", where=str(path), repair="Run the same tshdb withdraw again")
        written = without_link(redacted_name(path))
        with written.open("wb") as file:
            file.write(new.content)
            file.flush()
            os.fsync(file.fileno())
        redactions.append(
            Redaction(
                str(path.resolve()), str(written.resolve()), sha256_of(path), sha256_of(written), len(new.content),
                new.lines, new.columns,
            )
        )  # fmt: skip
    return redactions


def _gone(path: Path) -> Redaction:
    return Redaction(str(path.resolve()), None, sha256_of(path), None, 0)


def _do_pending(study: Study, journal: Journal) -> None:
    """Rows of variants, results of multiverses, files and parts go; each step can be done twice."""
    variant_places.empty_all(study.root)  # before objects, which they may name
    multiverse_places.empty_all(study.root)
    fp("withdraw.variants_done")
    for move in journal.moves:
        if move.redacted is None:
            move.path.unlink(missing_ok=True)
            _remove_empty(move.path.parent, study.root.resolve())
        elif move.redacted.exists():
            if move.path.exists():
                shutil.copymode(move.path, move.redacted)
            os.replace(move.redacted, move.path)
        fp("withdraw.file_done")
    objects.unlink(study.objects, journal.objects)
    clear_all(study.root)  # computations that were stopped, which may have seen the patient
    Snapshots(study.root).erase()
    fp("withdraw.objects_done")
    rest = json.dumps({"objects": [], "files": [], "said": journal.certificate}, sort_keys=True)
    with writing(study.engine) as connection:  # paths of images name the patient: they are not needed any more
        connection.execute(update(Tombstone).where(Tombstone.pending == journal.text).values(pending=rest))
    _compact(study)


def _remove_empty(folder: Path, root: Path) -> None:
    """Folders of images are named after patients: those that hold nothing more go, up to the study's own."""
    while root in folder.parents and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _compact(study: Study) -> None:
    """Write the database without free pages and empty its log, so that erased bytes are gone."""
    dialect = study.engine.dialect.name
    with study.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        raw: Any = connection.connection.driver_connection
        if dialect == "sqlite":
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.exec_driver_sql("VACUUM (FULL)")


def _left(study: Study, names: Identifiers) -> list[Path]:
    """Files that name the patient after all: the database and its log, byte by byte, and everything else."""
    paths = files.naming(study.root, names, study.objects.root) + _strangers(study, names)
    return paths + [study.objects.path(part) for part in objects.parts_with(study.objects, names)]


def _program() -> str:
    return f"tshdb {__version__}"


def _certificate(
    row: dict, done: Erased, parts, redactions: Sequence[Redaction], plan: WithdrawalPlan, study: Study
) -> dict[str, Any]:
    facts = {k: row[k] for k in ("token", "scope", "reason", "actor", "withdrawn_at")}

    def relative(path: str) -> str:
        below = os.path.relpath(path, study.root.resolve())
        return plan.names.pattern.sub(alias_of(row["token"]), below)

    return facts | {
        "program": _program(),
        "rows_erased": done.rows,
        "texts_scrubbed": done.scrubbed,
        "models_that_learned_from_the_patient": done.models,
        "models_revoked": done.revoked,
        "cohort_versions_with_the_patient": done.cohorts,
        "cohort_versions_without": done.new_versions,
        "parts": [{"erased": p.part_id, "in_its_place": p.new_id} for p in parts],
        "files": [
            {
                "path": relative(r.path),
                "sha256_before": r.sha256_before,
                "sha256_after": r.sha256_after,
                "lines_left_out": len(r.lines),
                "columns_left_out": len(r.columns),
            }
            for r in redactions
        ],
        "variants_emptied": plan.variants,
        "multiverses_emptied": plan.multiverses,
        "left_to_a_person": [relative(str(p.resolve())) for p in plan.by_hand],
        "files_outside_the_study": [relative(p) for p in plan.outside],
        "cannot_be_recalled": "copies of the study, backups, and what was exported or printed from it before",
    }


def _finish(study: Study, token: str, certificate: dict[str, Any]) -> Path:
    """Write the certificate, then close the journal."""
    folder = study.root / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{token[:16]}.json"
    text = json.dumps(certificate, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    written = without_link(path.with_name(f".{path.name}.writing"))
    written.write_text(text, encoding="utf-8")
    os.replace(written, path)
    digest = hashlib.sha256(text.encode()).hexdigest()
    with writing(study.engine) as connection:
        connection.execute(
            update(Tombstone).where(Tombstone.token == token).values(certificate_sha256=digest, pending=None)
        )
    _compact(study)
    return path
