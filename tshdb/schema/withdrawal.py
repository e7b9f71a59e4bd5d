"""Withdrawn patients: what is kept so that they stay away."""

from tshdb.schema.base import Base, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import WithdrawalScope


class Tombstone(Base):
    """One row is one withdrawn patient: a token that cannot be turned back into a name, and what was done."""

    __tablename__ = "tombstones"
    token: Mapped[str] = mapped_column(primary_key=True, doc="HMAC of the patient's identifier")
    sample_tokens: Mapped[str] = mapped_column(doc="JSON: HMACs of the names of samples and aliquots")
    scope: Mapped[WithdrawalScope] = mapped_column(
        closed(WithdrawalScope), doc="keep: models stand, flagged; refit: new cohort versions; revoke: models erased"
    )
    reason: Mapped[str] = mapped_column(doc="as the person who withdrew the patient gave it")
    actor: Mapped[str]
    withdrawn_at: Mapped[str] = mapped_column(doc="UTC")
    certificate_sha256: Mapped[str | None] = mapped_column(doc="of the certificate's file; none while work is left")
    pending: Mapped[str | None] = mapped_column(doc="JSON: files that are still to be erased, after an interruption")
    readmitted_at: Mapped[str | None] = mapped_column(doc="UTC; from then on ingest takes the patient again")
    readmitted_because: Mapped[str | None]
