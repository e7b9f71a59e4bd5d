"""What is found in images: which series is what, how the dynamic one falls into phases."""

from tshdb.schema.base import Base, UnitPayload, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import MaskStatus, PhaseRole, SeriesRole, SetStatus


class SeriesHint(UnitPayload, Base):
    """One row is one hint by which series are told apart: a pattern of words with the role that it speaks for."""

    __tablename__ = "series_hints"
    hints: Mapped[str] = mapped_column(primary_key=True, doc="the table's name")
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, doc="order in the table")
    role: Mapped[str]
    column_name: Mapped[str] = mapped_column(doc="the column of imaging_series that the pattern is looked for in")
    pattern: Mapped[str] = mapped_column(doc="regular expression, without regard to case")
    weight: Mapped[float]
    meaning: Mapped[str]


class SeriesRoleRow(UnitPayload, Base):
    """One row is what one series of an examination is, with what spoke for it, and whether it is in the dynamic set."""

    __tablename__ = "series_roles"
    series_uid: Mapped[str] = mapped_column(primary_key=True)
    study_uid: Mapped[str] = mapped_column(index=True)
    role: Mapped[SeriesRole] = mapped_column(closed(SeriesRole))
    score: Mapped[float] = mapped_column(doc="weight of the hints that spoke for the role", info={"digits": 9})
    hints: Mapped[str | None] = mapped_column(doc="what spoke for the role, joined by ;")
    candidate: Mapped[int | None] = mapped_column(doc="number of the candidate set it belongs to, 1 is the best")
    candidate_score: Mapped[float | None] = mapped_column(info={"digits": 9})
    candidate_hints: Mapped[str | None] = mapped_column(doc="what spoke for the candidate set, joined by ;")
    is_dynamic: Mapped[bool] = mapped_column(doc="in the dynamic set of the examination")
    set_status: Mapped[SetStatus] = mapped_column(closed(SetStatus), doc="of the examination")
    decided_by: Mapped[str] = mapped_column(doc="rule, or the person who decided")


class DceSet(UnitPayload, Base):
    """One row is one examination: whether its dynamic series were found and fell into phases, and why not."""

    __tablename__ = "dce_sets"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[SetStatus] = mapped_column(closed(SetStatus))
    n_series: Mapped[int]
    n_phases: Mapped[int | None]
    n_slices: Mapped[int | None] = mapped_column(doc="slices a phase")
    key_used: Mapped[str | None] = mapped_column(doc="what told the phases apart, such as content_time")
    qc_flags: Mapped[str | None] = mapped_column(doc="what a person should look at, joined by ;")
    reason: Mapped[str | None] = mapped_column(doc="why there are no phases")
    merge_s: Mapped[float] = mapped_column(doc="times closer than this were one phase, seconds")
    most_left_out: Mapped[float] = mapped_column(doc="share of positions that might be left out")
    decided_by: Mapped[str] = mapped_column(doc="rule, or the person who decided")


class DceSlice(UnitPayload, Base):
    """One row is one image of the dynamic set, a file or a frame of one, with its phase and its place in the stack."""

    __tablename__ = "dce_slices"
    sop_uid: Mapped[str] = mapped_column(primary_key=True)
    frame_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, doc="in the file, from 1")
    study_uid: Mapped[str] = mapped_column(index=True)
    phase_index: Mapped[int] = mapped_column(doc="0 is before contrast")
    slice_index: Mapped[int] = mapped_column(doc="along the normal of the slices, from 0")
    position_mm: Mapped[float] = mapped_column(doc="along the normal of the slices", info={"digits": 12})


class Mask(UnitPayload, Base):
    """One row is one segmentation held against the dynamic images of its examination: does it lie on them, how large."""

    __tablename__ = "masks"
    segmentation_id: Mapped[str] = mapped_column(primary_key=True)
    study_uid: Mapped[str] = mapped_column(index=True)
    status: Mapped[MaskStatus] = mapped_column(closed(MaskStatus))
    differences: Mapped[str | None] = mapped_column(
        doc="what differs from the images' grid and by how much, joined by ;"
    )
    repair: Mapped[str | None] = mapped_column(doc="what to do about it")
    n_voxels: Mapped[int | None] = mapped_column(doc="voxels of the images inside")
    volume_ml: Mapped[float | None] = mapped_column(info={"digits": 9})
    first_slice: Mapped[int | None] = mapped_column(doc="slice_index of the first slice inside")
    last_slice: Mapped[int | None] = mapped_column(doc="slice_index of the last slice inside")
    mean_rise: Mapped[float | None] = mapped_column(
        doc="mean of (intermediate - phase 0) inside, divided by that of the whole image", info={"digits": 9}
    )
    qc_flags: Mapped[str | None] = mapped_column(doc="what a person should look at, joined by ;")


class DcePhase(UnitPayload, Base):
    """One row is one phase of a dynamic examination: the whole stack at one time."""

    __tablename__ = "dce_phases"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    phase_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, doc="0 is before contrast")
    role: Mapped[PhaseRole] = mapped_column(closed(PhaseRole), doc="pre (S0) or post")
    is_intermediate: Mapped[bool] = mapped_column(doc="the post-contrast phase of S_I")
    is_last: Mapped[bool] = mapped_column(doc="the post-contrast phase of S_L")
    rule: Mapped[str] = mapped_column(doc="how the intermediate phase was chosen")
    t_seconds: Mapped[float | None] = mapped_column(doc="start, seconds after the start of phase 0", info={"digits": 9})
    time_key: Mapped[str | None] = mapped_column(doc="what t_seconds is taken from")
    key_used: Mapped[str] = mapped_column(doc="what told the phases apart")
    n_slices: Mapped[int]
    mean_intensity: Mapped[float | None] = mapped_column(
        doc="mean of the voxels that are brighter than the mean of phase 0 there", info={"digits": 9}
    )
    qc_flags: Mapped[str | None] = mapped_column(doc="what a person should look at, joined by ;")
