"""DICOM studies, series and instances, as their headers say: a whitelist of attributes, never a person's data.

Dates of public archives are shifted: only their order and the intervals between them mean anything. Times within a study
are seconds since midnight of the study's date, so that midnight does not break them.
"""

from sqlalchemy import BigInteger, ForeignKey, Index

from tshdb.objects import VOXELS
from tshdb.schema.base import Base, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import MaskKind, MaskRegion, Verdict, VerdictCause


class ImagingStudy(Base):
    """One row is one examination of a patient: a DICOM study."""

    __tablename__ = "imaging_studies"
    study_uid: Mapped[str] = mapped_column(primary_key=True, doc="StudyInstanceUID")
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    collection: Mapped[str]
    study_date: Mapped[str | None] = mapped_column(doc="StudyDate, ISO 8601; shifted in public archives")
    study_time_s: Mapped[float | None] = mapped_column(doc="StudyTime, seconds since midnight")
    description: Mapped[str | None] = mapped_column(doc="StudyDescription")
    age_years: Mapped[float | None] = mapped_column(doc="PatientAge at this examination, in years")
    trial_time_point: Mapped[str | None] = mapped_column(doc="ClinicalTrialTimePointID, as recorded")
    time_point: Mapped[str | None] = mapped_column(
        doc="T0, T1 …: the patient's studies with MR, in the order of date and time", info={"fingerprint": False}
    )


class ImagingSeries(Base):
    """One row is one DICOM series, with what its instances share; `mixed` names what they do not share."""

    __tablename__ = "imaging_series"
    series_uid: Mapped[str] = mapped_column(primary_key=True, doc="SeriesInstanceUID")
    study_uid: Mapped[str] = mapped_column(ForeignKey("imaging_studies.study_uid"), index=True)
    modality: Mapped[str | None] = mapped_column(doc="MR, SEG, MG, SR …")
    series_number: Mapped[int | None] = mapped_column(BigInteger, doc="SeriesNumber")
    description: Mapped[str | None] = mapped_column(doc="SeriesDescription")
    protocol_name: Mapped[str | None] = mapped_column(doc="ProtocolName")
    body_part: Mapped[str | None] = mapped_column(doc="BodyPartExamined")
    laterality: Mapped[str | None] = mapped_column(doc="L or R, where recorded")
    image_type: Mapped[str | None] = mapped_column(doc="ImageType, parts joined by \\")
    manufacturer: Mapped[str | None]
    model: Mapped[str | None] = mapped_column(doc="ManufacturerModelName")
    software: Mapped[str | None] = mapped_column(doc="SoftwareVersions")
    field_strength_t: Mapped[float | None] = mapped_column(doc="tesla; values in gauss are converted")
    scanning_sequence: Mapped[str | None] = mapped_column(doc="SE, IR, GR, EP, RM, parts joined by \\")
    sequence_variant: Mapped[str | None]
    scan_options: Mapped[str | None]
    sequence_name: Mapped[str | None]
    acquisition_type: Mapped[str | None] = mapped_column(doc="2D or 3D")
    tr_ms: Mapped[float | None] = mapped_column(doc="RepetitionTime")
    te_ms: Mapped[float | None] = mapped_column(doc="EchoTime")
    ti_ms: Mapped[float | None] = mapped_column(doc="InversionTime")
    flip_angle_deg: Mapped[float | None]
    b_value: Mapped[float | None] = mapped_column(doc="DiffusionBValue")
    contrast_agent: Mapped[str | None] = mapped_column(doc="ContrastBolusAgent, as recorded")
    contrast_start_s: Mapped[float | None] = mapped_column(
        doc="ContrastBolusStartTime, when its injection began, seconds since midnight"
    )
    temporal_positions: Mapped[int | None] = mapped_column(BigInteger, doc="NumberOfTemporalPositions")
    temporal_resolution_s: Mapped[float | None] = mapped_column(doc="TemporalResolution")
    images_in_acquisition: Mapped[int | None] = mapped_column(BigInteger, doc="ImagesInAcquisition")
    frame_of_reference_uid: Mapped[str | None]
    orientation: Mapped[str | None] = mapped_column(doc="ImageOrientationPatient, six numbers joined by \\")
    n_rows: Mapped[int | None]
    n_columns: Mapped[int | None]
    row_spacing_mm: Mapped[float | None] = mapped_column(doc="PixelSpacing: between rows")
    column_spacing_mm: Mapped[float | None] = mapped_column(doc="PixelSpacing: between columns")
    slice_thickness_mm: Mapped[float | None]
    photometric: Mapped[str | None] = mapped_column(doc="MONOCHROME2, MONOCHROME1, RGB …")
    sop_class_uid: Mapped[str | None] = mapped_column(doc="SOPClassUID")
    transfer_syntax_uid: Mapped[str | None] = mapped_column(doc="how pixels are encoded")
    series_time_s: Mapped[float | None] = mapped_column(doc="SeriesTime, seconds since midnight of the study's date")
    n_instances: Mapped[int]
    n_without_pixels: Mapped[int] = mapped_column(doc="instances whose file holds no pixels")
    mixed: Mapped[str | None] = mapped_column(doc="columns in which the instances differ, joined by commas")
    content_digest: Mapped[str] = mapped_column(doc="digest of the instances' UIDs and bytes, whatever their order")


class ImagingDecision(Base):
    """One row is a person's decision on an examination or one of its series; it goes before every rule."""

    __tablename__ = "imaging_decisions"
    study_uid: Mapped[str] = mapped_column(ForeignKey("imaging_studies.study_uid"), primary_key=True)
    series_uid: Mapped[str] = mapped_column(
        primary_key=True, doc="the series; all for the whole examination; tumor; contrast"
    )
    decision: Mapped[str] = mapped_column(
        doc="dynamic, not-dynamic, kind=KIND of a series of outlines; key=NAME for the key that tells phases apart; of the tumor "
        "seed=X,Y,Z or box=…, mm, or outline=SEGMENTATION_ID; of the contrast injection=SECONDS after the start of phase 0"
    )
    decided_by: Mapped[str] = mapped_column(doc="the person")
    reason: Mapped[str]


class QcVerdict(Base):
    """One row is what one person says of the images of one examination, after looking at them."""

    __tablename__ = "qc_verdicts"
    study_uid: Mapped[str] = mapped_column(ForeignKey("imaging_studies.study_uid"), primary_key=True)
    verdict: Mapped[Verdict] = mapped_column(closed(Verdict))
    cause: Mapped[VerdictCause | None] = mapped_column(closed(VerdictCause), doc="of a failure")
    read_by: Mapped[str] = mapped_column(doc="the person")
    comment: Mapped[str | None]


class LesionVerdict(Base):
    """One row is what one person says of one outline of a lesion, after looking at it: one that fails is not taken."""

    __tablename__ = "lesion_verdicts"
    study_uid: Mapped[str] = mapped_column(ForeignKey("imaging_studies.study_uid"), primary_key=True)
    outline: Mapped[str] = mapped_column(
        primary_key=True, doc="the segmentation_id; or grown, of the tumour that nobody drew"
    )
    verdict: Mapped[Verdict] = mapped_column(closed(Verdict))
    cause: Mapped[VerdictCause | None] = mapped_column(closed(VerdictCause), doc="of a failure")
    read_by: Mapped[str] = mapped_column(doc="the person")
    comment: Mapped[str | None]
    seen: Mapped[str | None] = mapped_column(
        doc="SHA-256 of the voxels that were judged: of others it does not hold; empty: it holds whatever they are"
    )


class Segmentation(Base):
    """One row is one region that somebody or something drew on the images of an examination, as one file says it."""

    __tablename__ = "segmentations"
    segmentation_id: Mapped[str] = mapped_column(
        primary_key=True,
        doc="SOPInstanceUID, # and segment; or collection/study_uid/path, # and label (collection/file#label before 0018)",
    )
    study_uid: Mapped[str] = mapped_column(ForeignKey("imaging_studies.study_uid"), index=True)
    path: Mapped[str | None] = mapped_column(
        doc="of a file of its own: where it lay in what was delivered, below its patient; its digest with hide_paths"
    )
    series_uid: Mapped[str | None] = mapped_column(doc="of the segmentation itself, where it is DICOM")
    reference_series_uid: Mapped[str | None] = mapped_column(doc="the series on which it says it was drawn")
    format: Mapped[str] = mapped_column(doc="dicom-seg, rtstruct, nifti, nrrd, metaimage or les")
    segment: Mapped[int] = mapped_column(doc="segment, region or label in the file")
    label: Mapped[str | None] = mapped_column(doc="what the file calls it")
    region: Mapped[MaskRegion] = mapped_column(closed(MaskRegion))
    kind: Mapped[MaskKind] = mapped_column(closed(MaskKind))
    is_outline: Mapped[bool] = mapped_column(doc="an outline of the tumour; enhancement and tissue masks never are")
    evidence: Mapped[str | None] = mapped_column(doc="what says region and kind: codes, the file's words, the sheet")
    lesion: Mapped[int | None] = mapped_column(
        doc="number of the lesion, 1 is the index lesion; of the sheet or a .les"
    )
    drawn_on: Mapped[str | None] = mapped_column(
        doc="the day of which it is, ISO 8601: of the sheet, the header, --as-of, or the one in its name"
    )
    decode_rule: Mapped[str] = mapped_column(doc="what counts as inside, in words")
    min_value: Mapped[int] = mapped_column(doc="voxels with at least this value are inside")
    grid: Mapped[str] = mapped_column(doc="where its voxels lie, as JSON: in mm, or in indices of the images (les)")
    n_voxels: Mapped[int] = mapped_column(doc="inside, by the decode rule")
    volume_ml: Mapped[float | None] = mapped_column(doc="inside, where the file knows the size of a voxel")
    value_counts: Mapped[str] = mapped_column(doc="value -> voxels, as JSON; 0 left out")
    flags: Mapped[str | None] = mapped_column(doc="what a person should look at, joined by ;")
    object_id: Mapped[str] = mapped_column(
        doc="SHA-256 of its voxels under objects/ (NRRD), as found in the file", info={"object": VOXELS}
    )
    file_sha256: Mapped[str] = mapped_column(doc="of the file that it is from")


class ImagingInstance(Base):
    """One row is one image of a series: a DICOM file, or one frame of an enhanced one."""

    __tablename__ = "imaging_instances"
    sop_uid: Mapped[str] = mapped_column(primary_key=True, doc="SOPInstanceUID")
    frame_number: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, doc="in the file, from 1; 1 of a file whose frames are not told apart"
    )
    series_uid: Mapped[str] = mapped_column(ForeignKey("imaging_series.series_uid"), index=True)
    study_uid: Mapped[str] = mapped_column(doc="StudyInstanceUID, as in imaging_series")
    instance_number: Mapped[int | None] = mapped_column(BigInteger, doc="InstanceNumber")
    acquisition_number: Mapped[int | None] = mapped_column(BigInteger, doc="AcquisitionNumber")
    x_mm: Mapped[float | None] = mapped_column(doc="ImagePositionPatient, x")
    y_mm: Mapped[float | None] = mapped_column(doc="ImagePositionPatient, y")
    z_mm: Mapped[float | None] = mapped_column(doc="ImagePositionPatient, z")
    orientation: Mapped[str | None] = mapped_column(doc="ImageOrientationPatient, six numbers joined by \\")
    row_step_mm: Mapped[float | None] = mapped_column(doc="PixelSpacing: between rows")
    column_step_mm: Mapped[float | None] = mapped_column(doc="PixelSpacing: between columns")
    frame_type: Mapped[str | None] = mapped_column(doc="ImageType, or FrameType and component, parts joined by \\")
    echo_time_ms: Mapped[float | None] = mapped_column(doc="EchoTime, EffectiveEchoTime of a frame")
    diffusion_b_value: Mapped[float | None] = mapped_column(doc="DiffusionBValue")
    acquisition_s: Mapped[float | None] = mapped_column(
        doc="AcquisitionTime, FrameAcquisitionDateTime of a frame, seconds since midnight of the study's date"
    )
    reference_s: Mapped[float | None] = mapped_column(
        doc="FrameReferenceDateTime, seconds since midnight of the study's date"
    )
    content_s: Mapped[float | None] = mapped_column(doc="ContentTime, seconds since midnight of the study's date")
    trigger_ms: Mapped[float | None] = mapped_column(doc="TriggerTime")
    temporal_position: Mapped[int | None] = mapped_column(
        BigInteger, doc="TemporalPositionIdentifier, TemporalPositionIndex"
    )
    n_frames: Mapped[int] = mapped_column(doc="NumberOfFrames of the file, 1 for a plain slice")
    n_rows: Mapped[int | None]
    n_columns: Mapped[int | None]
    rescale_slope: Mapped[float | None]
    rescale_intercept: Mapped[float | None]
    has_pixels: Mapped[bool]
    pixel_digest: Mapped[str | None] = mapped_column(
        doc="of the pixels as they are stored, of each image: the same of one that was sent again",
        info={"fingerprint": False},
    )
    sha256: Mapped[str] = mapped_column(doc="of the file")
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    path: Mapped[str] = mapped_column(
        doc="where the file was when it was read, from the study's folder where it lies below it",
        info={"fingerprint": False, "file": True},
    )
    mtime_ns: Mapped[int | None] = mapped_column(
        BigInteger, doc="when the file was last written, nanoseconds since 1970", info={"fingerprint": False}
    )
    ctime_ns: Mapped[int | None] = mapped_column(
        BigInteger,
        doc="when the system last changed the file, nanoseconds since 1970; none where it proves nothing",
        info={"fingerprint": False},
    )
    inode: Mapped[int | None] = mapped_column(
        BigInteger, doc="the file system's number of the file", info={"fingerprint": False}
    )

    __table_args__ = (Index("ix_imaging_instances_study", "study_uid"), Index("ix_imaging_instances_path", "path"))
