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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from tshdb import multiverse_places, variant_places
from tshdb.database import place_of, reading, translated, writing
from tshdb.engine.analysis import Analysis
from tshdb.engine.units import now
from tshdb.engine.work import clear_all
from tshdb.errors import Busy
from tshdb.failpoints import fp
from tshdb.files import naming
from tshdb.lock import study_lock
from tshdb.objects import sha256_of
from tshdb.places import WITHDRAWALS as FOLDER
from tshdb.places import without_link
from tshdb.process import actor
from tshdb.schema import Tombstone
from tshdb.snapshots import Snapshots
from tshdb.study import Study
from tshdb.version import __version__
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal import files, objects
from tshdb.withdrawal.certificate import searched, tokens_of
from tshdb.withdrawal.erase import Erased, Redaction, erase
from tshdb.withdrawal.hidden_paths import stored_tokens
from tshdb.withdrawal.identifiers import Identifiers, alias_of, key_of, loose_token_of, make_key, token_of
from tshdb.withdrawal.journal import Journal, journal_of, pending_of, redacted_name
from tshdb.withdrawal.planning import Redact, WithdrawalPlan, database_files, gone, planned, strangers

CANNOT_BE_RECALLED = "copies of the study, backups, and what was exported or printed from it before"
OF_THE_SERVER = (
    "what the PostgreSQL server keeps beside its tables: its write-ahead log until that is overwritten, archives of it, "
    "replicas, dumps and base backups; ask who runs the server"
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
            path = certificate_path(study, token_of(known_key, patient_id))
            return path, json.loads(path.read_text(encoding="utf-8"))
        study.objects.claim()
        plan = planned(study, analyses, patient_id, redact)
        key = make_key(study.root)
        token = token_of(key, patient_id)
        alias = alias_of(token)
        originals = [name for name in plan.names.originals if name in plan.names.telling]  # 17 may be somebody else's
        samples = {token_of(key, n) for n in (*plan.names.sample_ids, *plan.names.aliquot_ids, *originals)}
        spellings = {loose_token_of(key, spelling) for spelling in plan.names.spellings}
        redactions = [*_redacted(plan, alias, redact), *map(gone, plan.erased)]
        study.paths.forget(lambda _, clear: not plan.names.is_in_path(Path(clear)))
        try:
            with writing(study.engine) as connection:
                parts = objects.rewrite(connection, study.objects, plan.names)
                alone = objects.of_patient_alone(connection, plan.names)
                fp("withdraw.prepared")
                done = erase(connection, analyses, plan.names, token, scope, parts, redactions, study.paths.at)
                voxels = sorted({*alone, *objects.unused(connection, study.objects)})
                row = {
                    "token": token,
                    "sample_tokens": json.dumps(sorted(samples | spellings)),
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
        left, unseen = _left(study, plan.names)
        certificate["not_looked_into"] = _said(unseen, study, plan.names, alias)
        certificate["left"] = sorted(str(p.relative_to(study.root)) for p in left)
        hidden = [plan.names.pattern.sub(alias, place) for place in certificate["left"]]
        return _finish(study, token, certificate | {"left": hidden}), certificate


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
        _finish(
            study,
            row["token"],
            facts | journal.certificate | {"was_interrupted": True} | _by_token(study, row, journal),
        )
    return [row["token"] for row in rows]


def _by_token(study: Study, row, journal: Journal) -> dict[str, Any]:
    """What is left and what was not looked into, where the name is not known any more."""
    certificate = journal.certificate | {"token": row["token"]}
    key = key_of(study.root)
    if key is None or "lengths_of_names" not in certificate:  # of a withdrawal that an older program began
        return {"left": None}
    with reading(study.engine) as connection:
        of = tokens_of(connection, key, certificate, row["sample_tokens"])
    seen = searched(study, of)
    alias = alias_of(row["token"])
    named = [str(s.path.relative_to(study.root)) for s in seen if s.is_named]
    return {
        "left": sorted(f"a file called after the patient ({alias})" if of.are_in(place) else place for place in named),
        "not_looked_into": [
            {"path": str(s.path.relative_to(study.root)), "why": "; ".join(s.unseen)} for s in seen if s.unseen
        ],
    }


def _redacted(plan: WithdrawalPlan, alias: str, redact: Redact) -> list[Redaction]:
    """Write every file again, beside itself."""
    redactions: list[Redaction] = []
    for path in plan.rewritten:
        new = redact(path, plan.names.pattern, alias, plan.places.get(path))
        if new is None:  # as it was when the withdrawal was planned it could be written again
            raise Busy("the file was changed meanwhile", where=str(path), repair="Run the same tshdb withdraw again")
        written = without_link(redacted_name(path))
        try:
            with naming(written), written.open("wb") as file:
                file.write(new.content)
                file.flush()
                os.fsync(file.fileno())
        except OSError:  # nothing points to it, nor to those before it
            for each in (written, *(Path(r.redacted) for r in redactions if r.redacted is not None)):
                each.unlink(missing_ok=True)
            raise
        redactions.append(
            Redaction(
                str(path.resolve()), str(written.resolve()), sha256_of(path), sha256_of(written), len(new.content),
                new.lines, new.columns,
            )
        )  # fmt: skip
    return redactions


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
    study.trash.erase()
    fp("withdraw.objects_done")
    rest = json.dumps({"objects": [], "files": [], "said": journal.certificate}, sort_keys=True)
    with writing(study.engine) as connection:  # paths of images name the patient: they are not needed any more
        connection.execute(update(Tombstone).where(Tombstone.pending == journal.text).values(pending=rest))
        stored = stored_tokens(connection)
    study.paths.forget(lambda token, _: token in stored)
    _compact(study)


def _remove_empty(folder: Path, root: Path) -> None:
    """Folders of images are named after patients: those that hold nothing more go, up to the study's own."""
    while root in folder.parents and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _compact(study: Study) -> None:
    """Write the database without free pages and empty its log, so that erased bytes are gone."""
    dialect = study.engine.dialect.name
    autocommit = study.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with translated(place_of(study.engine)), autocommit as connection:
        raw: Any = connection.connection.driver_connection
        if dialect == "sqlite":
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.exec_driver_sql(
                "VACUUM (FULL, ANALYZE)"
            )  # the planner's statistics hold common values, names too


def _left(study: Study, names: Identifiers) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Files that name the patient after all: the database and its log, byte by byte, and everything else; and what could not
    be looked into, with why."""
    seen = files.seen_below(study.root, names, study.objects.root, own=database_files(study))
    paths = [s.path for s in seen if s.is_named] + strangers(study, names)
    paths += [study.objects.path(part) for part in objects.parts_with(study.objects, names)]
    return paths, [(s.path, "; ".join(s.unseen)) for s in seen if s.unseen]


def _program() -> str:
    return f"tshdb {__version__}"


def _certificate(
    row: dict, done: Erased, parts, redactions: Sequence[Redaction], plan: WithdrawalPlan, study: Study
) -> dict[str, Any]:
    facts = {k: row[k] for k in ("token", "scope", "reason", "actor", "withdrawn_at")}

    alias, home = alias_of(row["token"]), study.root.resolve()

    def hidden(text: str) -> str:
        return plan.names.pattern.sub(alias, text)

    def relative(path: str) -> str:
        place = Path(path)
        return hidden(os.path.relpath(place.parent.resolve() / place.name, home))

    def outside(path: str) -> str:
        return study.paths.place(path) if study.paths.hides else relative(path)

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
        "left_to_a_person": [relative(str(p)) for p in plan.by_hand],
        "not_looked_into": _said(plan.unseen, study, plan.names, alias),
        "files_outside_the_study": [outside(p) for p in plan.outside],
        "deliveries": [d._asdict() | {"path": outside(d.path), "source": hidden(d.source)} for d in plan.deliveries],
        "deliveries_no_longer_there": plan.n_gone,
        "written_outside_the_study": [
            w._asdict() | {"path": relative(w.path), "what": hidden(w.what)} for w in plan.written
        ],
        "copies_by_other_programs": [c._asdict() | {"path": relative(str(c.path))} for c in plan.copies],
        "names_too_short_for_texts": len(plan.names.short),
        "names_are_numbers": plan.names.are_numbers,
        "lengths_of_names": sorted({len(s) for s in plan.names.spellings}),
        "sample_tokens": json.loads(row["sample_tokens"]),
        "cannot_be_recalled": "; ".join(
            [CANNOT_BE_RECALLED] + [OF_THE_SERVER] * (study.engine.dialect.name == "postgresql")
        ),
    }


def _said(unseen, study: Study, names: Identifiers, alias: str) -> list[dict[str, str]]:
    """What could not be looked into, as the certificate has it."""
    return [
        {"path": names.pattern.sub(alias, os.path.relpath(path, study.root)), "why": names.pattern.sub(alias, why)}
        for path, why in unseen
    ]


def certificate_path(study: Study, token: str) -> Path:
    """Where the certificate of a withdrawal lies."""
    return study.root / FOLDER / f"{token[:16]}.json"


def _finish(study: Study, token: str, certificate: dict[str, Any]) -> Path:
    """Write the certificate, then close the journal."""
    path = certificate_path(study, token)
    path.parent.mkdir(exist_ok=True)
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
