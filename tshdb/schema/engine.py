"""The engine's own tables. They hold no science, as the science tables hold no state."""

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text

from tshdb.schema.base import Base, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import CauseKind, RunState, UnitState


class Spec(Base):
    """One row is one way in which an analysis was computed: all that its values depend on besides its inputs."""

    __tablename__ = "specs"
    spec_id: Mapped[int] = mapped_column(primary_key=True)
    analysis: Mapped[str]
    code_fingerprint: Mapped[str] = mapped_column(doc="digest of the normal form of all code that it reaches")
    params_fingerprint: Mapped[str] = mapped_column(doc="without the parameter that chooses its cohorts")
    libraries_fingerprint: Mapped[str] = mapped_column(doc="digest of the versions on which the values depend")
    table_fingerprint: Mapped[str] = mapped_column(doc="digest of what the result table says of its columns")
    seed: Mapped[str] = mapped_column(doc="[study] seed, or `none` for an analysis that takes none")
    engine_version: Mapped[str] = mapped_column(doc="of the engine's functions through which values pass")
    sources: Mapped[str] = mapped_column(
        doc="JSON: name of a statement, or of a program's file -> its source text as it ran"
    )
    leads: Mapped[str] = mapped_column(doc="JSON: where each name in these texts led; {} when it was taken over")
    kept_digest: Mapped[str] = mapped_column(doc="of sources and leads as they stand here")
    form: Mapped[int] = mapped_column(doc="of the normal form behind code_fingerprint")
    params: Mapped[str] = mapped_column(
        doc="canonical JSON; without the parameter that chooses its cohorts, from revision 0013 on"
    )
    python_version: Mapped[str] = mapped_column(doc="the Python that ran the code")
    modules: Mapped[str | None] = mapped_column(doc="JSON: the modules whose text decides what the code is")
    text_digest: Mapped[str | None] = mapped_column(doc="of their whole text: while it is the same, so is the code")
    created_at: Mapped[str] = mapped_column(doc="UTC")
    taken_over: Mapped[str | None] = mapped_column(
        doc="UTC: when this row was carried over from revision 0009, which recorded neither seed nor table nor engine"
    )

    __table_args__ = (
        UniqueConstraint(
            "analysis", "code_fingerprint", "params_fingerprint", "libraries_fingerprint", "table_fingerprint", "seed",
            "engine_version", name="uq_specs_identity",
        ),
    )  # fmt: skip


class Run(Base):
    """One row is one `tshdb rebuild`."""

    __tablename__ = "runs"
    run_id: Mapped[int] = mapped_column(primary_key=True)
    command: Mapped[str]
    actor: Mapped[str]
    host: Mapped[str]
    process: Mapped[str] = mapped_column(doc="process id and start time")
    started_at: Mapped[str] = mapped_column(doc="UTC")
    ended_at: Mapped[str | None] = mapped_column(doc="UTC")
    state: Mapped[RunState] = mapped_column(closed(RunState))
    libraries: Mapped[str] = mapped_column(doc="JSON: package -> version")
    program_version: Mapped[str | None] = mapped_column(doc="of tshdb; none in runs before revision 0012")
    settings: Mapped[str | None] = mapped_column(
        doc="study.toml as it was read, without the database's address; none in runs before revision 0012"
    )


class RunCost(Base):
    """One row is what one analysis took in one run, of those of which something was computed."""

    __tablename__ = "run_costs"
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"), primary_key=True, autoincrement=False)
    analysis: Mapped[str] = mapped_column(primary_key=True)
    n_units: Mapped[int] = mapped_column(doc="computed or failed")
    seconds: Mapped[float] = mapped_column(doc="elapsed, reading and writing included")
    n_workers: Mapped[int] = mapped_column(doc="processes that computed at once")


class Unit(Base):
    """One row is one analysis for one entity, or what was ingested of one entity (analysis `ingest.<table>`)."""

    __tablename__ = "units"
    unit_id: Mapped[int] = mapped_column(primary_key=True)
    analysis: Mapped[str]
    key: Mapped[str] = mapped_column(doc="the entity: a patient, a profile, a cohort version")
    state: Mapped[UnitState] = mapped_column(closed(UnitState))
    fingerprint: Mapped[str | None] = mapped_column(doc="digest of its payload's rows; none unless current")
    spec_id: Mapped[int | None] = mapped_column(ForeignKey("specs.spec_id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.run_id"))
    upstream: Mapped[str | None] = mapped_column(doc="fits: digest of the specs of all analyses upstream")
    message: Mapped[str | None] = mapped_column(doc="why it failed or is blocked")
    updated_at: Mapped[str] = mapped_column(doc="UTC")
    rows_digest: Mapped[str | None] = mapped_column(
        doc="second digest: of every column of its rows, as they are stored; none for what was ingested"
    )
    digest_taken_over: Mapped[str | None] = mapped_column(
        doc="UTC: when the second digest was taken from the rows as they stood; none when it was written with them"
    )
    damage: Mapped[str | None] = mapped_column(doc="lost, edited or damaged since it was made; none once it is whole")

    __table_args__ = (
        UniqueConstraint("analysis", "key"),
        Index("ix_units_standing", "analysis", "state", "spec_id", "key"),
        # partial on PostgreSQL too, by migration 0010: named here, every command would import that dialect
        Index("ix_units_damage", "damage", sqlite_where=text("damage IS NOT NULL")),
    )


class UnitInput(Base):
    """One row is one input that a unit was computed from, with the fingerprint that it had."""

    __tablename__ = "unit_inputs"
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.unit_id"), primary_key=True, autoincrement=False)
    role: Mapped[str] = mapped_column(primary_key=True, doc="the name of the input in the analysis")
    input_unit_id: Mapped[int] = mapped_column(
        ForeignKey("units.unit_id"), primary_key=True, autoincrement=False, index=True
    )
    seen_fingerprint: Mapped[str]

    __table_args__ = ({"sqlite_with_rowid": False},)


class Attempt(Base):
    """One row is one computation of one unit: when, why, how long, and how it ended."""

    __tablename__ = "attempts"
    attempt_id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.unit_id"), index=True)
    reason: Mapped[str] = mapped_column(doc="new, code, params, input, member, failed, refit, lost, edited or damaged")
    detail: Mapped[str]
    state: Mapped[UnitState] = mapped_column(closed(UnitState))
    seconds: Mapped[float] = mapped_column(doc="its share of its batch")
    is_changed: Mapped[bool] = mapped_column(doc="false: the same result as before, so its consumers stay current")
    ended_at: Mapped[str] = mapped_column(doc="UTC")
    cause_set: Mapped[int | None] = mapped_column(
        doc="what began it: rows of cause_sets; none where that was not recorded, before revision 0012"
    )
    last_change_id: Mapped[int | None] = mapped_column(
        BigInteger, doc="the last row of change_log when it was written: what came later it has not seen"
    )
    through_unit_id: Mapped[int | None] = mapped_column(
        doc="the input through which the causes came; none where it was its own"
    )


class Cause(Base):
    """One row is one thing that began a change of results: a parameter, a definition, a datum, a member."""

    __tablename__ = "causes"
    cause_id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"), index=True, doc="the first run that followed it")
    kind: Mapped[CauseKind] = mapped_column(closed(CauseKind), index=True)
    subject: Mapped[str] = mapped_column(doc="what was changed: a parameter, a definition, a row, a cohort")
    value_before: Mapped[str | None] = mapped_column(
        doc="a text, or JSON; none where there was none, or it is not known"
    )
    value_after: Mapped[str | None]
    place: Mapped[str | None] = mapped_column(doc="file and line of what it is now")
    entity_key: Mapped[str | None] = mapped_column(doc="of a datum or a member: the patient, sample or profile")
    change_id: Mapped[int | None] = mapped_column(BigInteger, doc="of a datum: its row of change_log")


class CauseSet(Base):
    """One row is one cause in a set of causes. What the same things began shares a set."""

    __tablename__ = "cause_sets"
    cause_set: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cause_id: Mapped[int] = mapped_column(
        ForeignKey("causes.cause_id"), primary_key=True, autoincrement=False, index=True
    )


class Retirement(Base):
    """One row is one unit whose result a rebuild took away: there is nothing that it would be made of, or an input failed."""

    __tablename__ = "retirements"
    retirement_id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.unit_id"), index=True)
    cause_set: Mapped[int | None] = mapped_column(doc="what began it: rows of cause_sets")
    ended_at: Mapped[str] = mapped_column(doc="UTC")


class ResultChange(Base):
    """One row is one value of a result that a rebuild replaced by another: a patient's group, or a number of the study's.

    None before: there was none; none after: its unit failed, was blocked or was retired, or the row is gone.
    """

    __tablename__ = "result_changes"
    result_change_id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.unit_id"))
    analysis: Mapped[str]
    entity_key: Mapped[str] = mapped_column(doc="the unit's key: the patient, or the cohort (name@version, or live)")
    row_part: Mapped[str] = mapped_column(
        doc="which of the unit's rows: the rest of its key, such as the unit of expression"
    )
    row_part_before: Mapped[str | None] = mapped_column(
        doc="which row it was before, where that was another one (of an older version: with its cohort@version before it); "
        "none where it was the same"
    )
    column_name: Mapped[str]
    value_before: Mapped[str | None] = mapped_column(doc="a group, or a number with all its digits")
    value_after: Mapped[str | None]


class Lease(Base):
    """One row is one unit that a running rebuild is computing. The token grows: a late owner cannot commit."""

    __tablename__ = "leases"
    analysis: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[int] = mapped_column(doc="fencing token, the run that holds it")
    host: Mapped[str]
    process: Mapped[str] = mapped_column(doc="process id and start time")
    expires_at: Mapped[float] = mapped_column(doc="seconds since 1970, UTC")


class TableVersion(Base):
    """One row is the version of one table: another number whenever a row of it changed (SQLite alone)."""

    __tablename__ = "table_versions"
    table_name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, doc="random, so that no version is ever met again")
    written: Mapped[int | None] = mapped_column(
        BigInteger, doc="the version that tshdb's own last writing left; another one shows an edit by hand"
    )
