"""What a withdrawal would do: which rows and files are the patient's, what becomes of them, and what is left to a person.

The rows are counted by erasing them in a transaction that is rolled back, so that what is said is what will be done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Engine, select

from tshdb import multiverse_places, variant_places
from tshdb.contents.kinds import is_plain_text
from tshdb.database import reading, writing
from tshdb.database_copies import private_copy
from tshdb.engine.analysis import Analysis
from tshdb.objects import sha256_of
from tshdb.places import DRAWINGS, FIGURES, PATIENTS, REPORTS, WITHDRAWALS, files_below, is_nested, page_of_patient
from tshdb.schema import ImagingInstance, SourceFile, SourceRecord
from tshdb.study import Study
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal import copies, deliveries, files, footprint, objects
from tshdb.withdrawal.erase import Erased, Redaction, erase
from tshdb.withdrawal.identifiers import SEEN, Identifiers, identifiers
from tshdb.withdrawal.places import Places, places_in, with_originals
from tshdb.withdrawal.unknown import refuse_if_named
from tshdb.withdrawal.written_outside import WrittenOutside, written_outside

GENERATED = (REPORTS, FIGURES)  # made from the study: a page that names the patient goes as a whole
NOBODY = "0" * 32  # a token, where none is made


class RedactedFile(Protocol):
    """What remains of a file without the patient."""

    content: bytes
    lines: tuple[int, ...]
    columns: tuple[int, ...]


Redact = Callable[[Path, Any, str, Places | None], RedactedFile | None]


class Unseen(NamedTuple):
    """A file of the study that could not be looked into, or not in all its parts, and why."""

    path: Path
    why: str


@dataclass(frozen=True)
class WithdrawalPlan:
    """What a withdrawal would do. Files by what becomes of them: written again, gone, left to a person.

    expected: what becomes of the database; of a preview alone.
    unseen: files of the study that may name the patient: nobody has looked into them.
    copies: version control, caches and backups, in the study and around it.
    deliveries: files outside of the study that hold the patient or may; n_gone: others that are not at their places any more.
    written: files that commands made of the study and wrote outside of it, which hold the patient or may.
    variants, multiverses: those that lose their results, whoever they are of: they are made again without the patient.
    """

    names: Identifiers
    models: list[str]
    cohorts: list[str]
    parts: list[str]
    rewritten: list[Path]
    erased: list[Path]
    by_hand: list[Path]
    unseen: list[Unseen]
    copies: list[copies.Copy]
    deliveries: list[deliveries.Delivery]
    n_gone: int
    places: dict[Path, Places]
    variants: list[str]
    multiverses: list[str]
    written: list[WrittenOutside] = field(default_factory=list)
    expected: Erased = field(default_factory=Erased)

    @property
    def rows(self) -> dict[str, int]:
        """table -> rows that will be erased."""
        return self.expected.rows

    @property
    def outside(self) -> list[str]:
        """The files outside of the study that are there, and that somebody has to see to."""
        return [d.path for d in self.deliveries if d.state != deliveries.GONE]


def preview(
    study: Study,
    analyses: Sequence[Analysis],
    patient_id: str,
    redact: Redact,
    scope: WithdrawalScope = WithdrawalScope.KEEP,
    of_server: Callable[[Engine], AbstractContextManager[Engine]] | None = None,
) -> WithdrawalPlan:
    """What the study holds of the patient, and what would become of it. Nothing of it is done.

    It is tried in a copy of the database, so that nobody waits for it, and it waits for nobody. of_server: gives that of a
    server; without it the trial is a transaction there that is rolled back.

    Raises NotFound; IntegrityError where a table that nobody has declared names the patient.
    """
    plan = planned(study, analyses, patient_id, redact)
    redactions = [*(_as_if(path, plan, redact) for path in plan.rewritten), *map(gone, plan.erased)]
    done: list[Erased] = []
    if study.sqlite_path is not None:
        copied: AbstractContextManager[Engine] = private_copy(study.sqlite_path)
    else:
        copied = nullcontext(study.engine) if of_server is None else of_server(study.engine)
    try:
        with copied as engine:
            engine.update_execution_options(tshdb_home=study)
            with writing(engine) as connection:
                done.append(erase(connection, analyses, plan.names, NOBODY, scope, (), redactions, study.paths.at))
                raise _NotMeant
    except _NotMeant:
        return WithdrawalPlan(**{**vars(plan), "expected": done[0]})


class _NotMeant(Exception):
    """Nothing of the transaction stays."""


def planned(study: Study, analyses: Sequence[Analysis], patient_id: str, redact: Redact) -> WithdrawalPlan:
    """The plan of a withdrawal; what becomes of the rows is not tried."""
    with reading(study.engine) as connection:
        names = identifiers(connection, patient_id)
        names = with_originals(connection, names, study, *not_files(study))
        places = places_in(connection, names, study, *not_files(study))
        refuse_if_named(connection, names)
        alone = _files_of_this_patient_alone(connection, names)
        delivered = deliveries.delivered(connection, names, study.paths, lambda path: _is_inside(study, path))
        models = [name for _, name in footprint.models_of(connection, analyses, names)]
        cohorts = [f"{cohort}@{version}" for cohort, version in footprint.cohorts_of(connection, names)]
        written = written_outside(connection, names, cohorts)
    rewritten, erased, by_hand = [], [], []
    seen = files.seen_below(study.root, names, *not_files(study))
    own_page = study.root / REPORTS / PATIENTS / page_of_patient(patient_id)  # whose name may be too short to be seen
    for path in sorted({*(s.path for s in seen if s.is_named), *places, *([own_page] if own_page.exists() else ())}):
        if is_nested(path, study.root) or path.is_symlink() or not path.is_file():
            by_hand.append(path)
        elif copies.is_kept_elsewhere(path, study.root):
            by_hand.append(path)
        elif sha256_of(path) in alone or path.relative_to(study.root).parts[0] in GENERATED:
            erased.append(path)
        elif names.is_in(str(path.relative_to(study.root))) or not _can_be_written(
            path, names, places.get(path), redact
        ):
            by_hand.append(path)
        else:
            rewritten.append(path)
    erased += [path for path in files_below(study.root / REPORTS / DRAWINGS, is_deep=False) if path not in erased]
    by_hand += strangers(study, names)
    gone_or_named = {*rewritten, *erased, *by_hand}
    return WithdrawalPlan(
        names,
        models,
        cohorts,
        parts=list(objects.parts_with(study.objects, names)),
        rewritten=rewritten,
        erased=erased,
        by_hand=by_hand,
        unseen=[Unseen(s.path, "; ".join(s.unseen)) for s in seen if s.unseen and s.path not in gone_or_named],
        copies=copies.copies(study.root),
        deliveries=delivered.deliveries,
        n_gone=delivered.n_gone,
        places=places,
        variants=variant_places.with_rows(study.root),
        multiverses=multiverse_places.with_results(study.root),
        written=written,
    )


def _can_be_written(path: Path, names: Identifiers, places: Places | None, redact: Redact) -> bool:
    """Whether a file is text whose writing again leaves nothing of the patient."""
    if not is_plain_text(path):
        return False
    new = redact(path, names.pattern, SEEN, places)
    return new is not None and not files.still_names(new.content, names)


def _as_if(path: Path, plan: WithdrawalPlan, redact: Redact) -> Redaction:
    new = redact(path, plan.names.pattern, SEEN, plan.places.get(path))
    content = b"" if new is None else new.content
    lines, columns = ((), ()) if new is None else (new.lines, new.columns)
    digest = hashlib.sha256(content).hexdigest()
    return Redaction(str(path.resolve()), str(path), sha256_of(path), digest, len(content), lines, columns)


def gone(path: Path) -> Redaction:
    """A file that goes as a whole."""
    return Redaction(str(path.resolve()), None, sha256_of(path), None, 0)


def not_files(study: Study) -> list[Path]:
    """What is looked into by other means, the database and the parts; and what goes as a whole, the rows of variants."""
    paths = [
        study.objects.root,
        study.root / WITHDRAWALS,
        *variant_places.databases(study.root),
        *study.trash.folders(),
    ]
    return paths + database_files(study)


def database_files(study: Study) -> list[Path]:
    """The study's SQLite file with its helpers; none of PostgreSQL."""
    path = study.sqlite_path
    return [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))] if path else []


def strangers(study: Study, names: Identifiers) -> list[Path]:
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
