"""A patient withdraws: what that would erase, erasing it, and whether a certificate still holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb import installed
from tshdb.actions.carrying import private_copy_of_server
from tshdb.database import writing
from tshdb.errors import UsageError
from tshdb.guests.listing import analyses_of
from tshdb.lock import study_lock
from tshdb.roles import require_owner
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal import again, certificate, planning, tombstones
from tshdb.withdrawal import withdraw as withdrawal

if TYPE_CHECKING:
    from tshdb.study import Study


class Withdrawn(NamedTuple):
    """certificate: its path; facts: what it says. `facts["left"]`: files that still name the patient."""

    certificate: Path
    facts: dict[str, Any]


def preview(study: Study, patient_id: str, scope: WithdrawalScope = WithdrawalScope.KEEP) -> planning.WithdrawalPlan:
    """What the study holds of a patient, and what would become of it. Nothing of it is done. Raises NotFound."""
    return planning.preview(study, analyses_of(study), patient_id, installed.redact(), scope, private_copy_of_server)


def withdraw(study: Study, patient_id: str, reason: str, scope: WithdrawalScope = WithdrawalScope.KEEP) -> Withdrawn:
    """Erase a patient from the study. Raises NotFound; UsageError without a reason."""
    _refuse_empty(reason)
    require_owner(study.engine, "tshdb withdraw")
    return Withdrawn(
        *withdrawal.withdraw(
            study, analyses_of(study), patient_id, reason=reason, scope=scope, redact=installed.redact()
        )
    )


def repeat(study: Study, certificates: Path | None = None) -> list[again.Repeated]:
    """Withdraw again whoever has a certificate and is not known as withdrawn: after an older database was copied back.

    certificates: their folder; None: the study's own. Raises IntegrityError without the key that they were made with.
    """
    return again.repeat_withdrawals(study, analyses_of(study), installed.redact(), certificates)


def readmit(study: Study, patient_id: str, reason: str) -> None:
    """Let ingest take a withdrawn patient again. Raises NotFound; UsageError without a reason."""
    _refuse_empty(reason)
    require_owner(study.engine, "tshdb withdraw --readmit")
    with study_lock(study.engine, study.root), writing(study.engine) as connection:
        tombstones.readmit(connection, study.root, patient_id, reason)


def verify(study: Study, path: Path) -> list[certificate.Verified]:
    """Whether each sentence of a certificate still holds."""
    return certificate.verify(study, path)


def _refuse_empty(reason: str) -> None:
    if not reason.strip():
        raise UsageError("no reason", where="withdraw", repair='Add: --reason "consent withdrawn …"')
