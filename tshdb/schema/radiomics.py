"""From phases to features: prepared images, regions, and what was measured in them."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from tshdb.objects import VOXELS
from tshdb.schema.base import Base, UnitPayload, closed
from tshdb.vocabulary import MaskKind, PreparedKind, RegionStatus


class PreparedImage(UnitPayload, Base):
    """One row is one phase of an examination at the study's voxel size, in the scanner's own intensities."""

    __tablename__ = "prepared_images"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    image: Mapped[PreparedKind] = mapped_column(closed(PreparedKind), primary_key=True, doc="S0, intermediate or last")
    phase_index: Mapped[int] = mapped_column(doc="of dce_phases")
    grid: Mapped[str] = mapped_column(doc="where its voxels lie, mm, as JSON")
    interpolator: Mapped[str] = mapped_column(doc="linear or bspline")
    mean: Mapped[float] = mapped_column(doc="of all voxels, the scanner's units", info={"digits": 9})
    sd: Mapped[float] = mapped_column(doc="of all voxels, the scanner's units", info={"digits": 9})
    highest: Mapped[float] = mapped_column(doc="the largest voxel, the scanner's units", info={"digits": 9})
    object_id: Mapped[str] = mapped_column(doc="SHA-256 of its voxels under objects/ (NRRD)", info={"object": VOXELS})


class BreastMask(UnitPayload, Base):
    """One row is the breast of one examination, without skin and chest wall: given, found, or why it was not."""

    __tablename__ = "breast_masks"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[RegionStatus] = mapped_column(closed(RegionStatus))
    segmentation_id: Mapped[str | None] = mapped_column(doc="the segmentation that was taken, if one was")
    right_ml: Mapped[float | None] = mapped_column(doc="on the patient's right", info={"digits": 9})
    left_ml: Mapped[float | None] = mapped_column(doc="on the patient's left", info={"digits": 9})
    stands_out_mm: Mapped[float | None] = mapped_column(doc="at its highest, from the chest", info={"digits": 9})
    qc_flags: Mapped[str | None] = mapped_column(doc="what a person should look at, joined by ;")
    reason: Mapped[str | None] = mapped_column(doc="why there is no mask")
    object_id: Mapped[str | None] = mapped_column(doc="SHA-256 of its voxels under objects/", info={"object": VOXELS})


class TumorMask(UnitPayload, Base):
    """One row is the tumour of one examination at the prepared voxel size: an outline that was given, or one that was grown."""

    __tablename__ = "tumor_masks"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[RegionStatus] = mapped_column(closed(RegionStatus))
    kind: Mapped[MaskKind | None] = mapped_column(closed(MaskKind), doc="who or what drew it")
    segmentation_id: Mapped[str | None] = mapped_column(doc="the outline that was taken, if one was")
    n_outlines: Mapped[int] = mapped_column(doc="outlines of a tumour that the examination has")
    side: Mapped[str | None] = mapped_column(doc="left or right, by its middle")
    n_voxels: Mapped[int | None]
    volume_ml: Mapped[float | None] = mapped_column(info={"digits": 9})
    x_mm: Mapped[float | None] = mapped_column(doc="its middle", info={"digits": 9})
    y_mm: Mapped[float | None] = mapped_column(info={"digits": 9})
    z_mm: Mapped[float | None] = mapped_column(info={"digits": 9})
    seed_rule: Mapped[str | None] = mapped_column(
        doc="where the seed came from: seed of WHO, peak in the box of WHO, peak, outline"
    )
    n_rounds: Mapped[int | None] = mapped_column(doc="of fuzzy c-means")
    fcm_dice: Mapped[float | None] = mapped_column(
        doc="overlap of a given outline with the one grown from its middle", info={"digits": 9}
    )
    corrected_share: Mapped[float | None] = mapped_column(
        doc="voxels in which a given outline differs from the grown one, over those of either", info={"digits": 9}
    )
    qc_flags: Mapped[str | None] = mapped_column(doc="what a person should look at, joined by ;")
    reason: Mapped[str | None] = mapped_column(doc="why there is no mask, and the repair")
    object_id: Mapped[str | None] = mapped_column(doc="SHA-256 of its voxels under objects/", info={"object": VOXELS})


class StromaBand(UnitPayload, Base):
    """One row is the stroma of one examination: the band around the tumour, inside the breast; and what images are divided by."""

    __tablename__ = "stroma_bands"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    width_mm: Mapped[float] = mapped_column(info={"digits": 9})
    volume_ml: Mapped[float | None] = mapped_column(info={"digits": 9})
    whole_ml: Mapped[float | None] = mapped_column(doc="of the band with nothing cut off", info={"digits": 9})
    cut_off: Mapped[float | None] = mapped_column(
        doc="share of the whole band that skin, chest wall and field of view took", info={"digits": 9}
    )
    beyond_view: Mapped[float | None] = mapped_column(
        doc="share of the whole band outside of the image", info={"digits": 9}
    )
    parenchyma_n: Mapped[int | None] = mapped_column(doc="voxels of the breast less the tumour")
    parenchyma_s0: Mapped[float | None] = mapped_column(doc="their mean before contrast", info={"digits": 12})
    parenchyma_intermediate: Mapped[float | None] = mapped_column(info={"digits": 12})
    parenchyma_last: Mapped[float | None] = mapped_column(info={"digits": 12})
    reason: Mapped[str | None] = mapped_column(doc="why there is no band, or no mean")
    object_id: Mapped[str | None] = mapped_column(doc="SHA-256 of its voxels under objects/", info={"object": VOXELS})


class RadiomicFeature(UnitPayload, Base):
    """One row is one radiomic feature of one region in one map of an examination, or why it has no value."""

    __tablename__ = "radiomic_features"
    region_map: Mapped[str] = mapped_column(doc="the unit: study_uid|region|map, such as …|tumor|SI, …|tumor|shape")
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(
        primary_key=True,
        doc="region.map.class.name, such as tumor.SI.glcm.Idmn; region.map where none could be computed",
    )
    region: Mapped[str] = mapped_column(doc="tumor or stroma (the band around it)")
    map: Mapped[str] = mapped_column(doc="S0, SI, SL; or shape")
    feature_class: Mapped[str | None] = mapped_column(doc="firstorder, glcm, glrlm, glszm, gldm, ngtdm or shape")
    value: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(doc="why there is no value, or what is doubtful about it")
    n_voxels: Mapped[int | None] = mapped_column(doc="of the region")
    n_levels: Mapped[int | None] = mapped_column(doc="grey levels in the region")

    __table_args__ = (Index("ix_radiomic_features_unit_id", "unit_id"),)


class RetestFeature(UnitPayload, Base):
    """One row is one radiomic feature measured again after a small change of image or mask (not kept unless asked for)."""

    __tablename__ = "retest_features"
    region_map: Mapped[str] = mapped_column(doc="the unit: study_uid|region|map")
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(primary_key=True, doc="as in radiomic_features")
    perturbation: Mapped[str] = mapped_column(primary_key=True, doc="noise (on the image) or shift (of the mask)")
    value: Mapped[float | None]

    __table_args__ = (Index("ix_retest_features_unit_id", "unit_id"),)


class FeatureStability(UnitPayload, Base):
    """One row is how well one radiomic feature agrees with itself measured again, over a cohort's first examinations."""

    __tablename__ = "feature_stability"
    cohort: Mapped[str] = mapped_column(primary_key=True, doc="name@version, or the name of a live cohort")
    feature: Mapped[str] = mapped_column(primary_key=True)
    perturbation: Mapped[str] = mapped_column(primary_key=True)
    icc: Mapped[float | None] = mapped_column(doc="ICC(2,1): 1 is perfect agreement", info={"digits": 9})
    is_stable: Mapped[bool | None] = mapped_column(doc="icc is at least least_icc")
    n: Mapped[int] = mapped_column(doc="examinations")
    reason: Mapped[str | None] = mapped_column(doc="why there is no icc")
