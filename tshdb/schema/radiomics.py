"""From phases to features: prepared images, regions, and what was measured in them."""

from sqlalchemy import Index

from tshdb.objects import VOXELS
from tshdb.schema.base import Base, UnitPayload, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import MaskKind, PreparedKind, RegionStatus


class PreparedImage(UnitPayload, Base):
    """One row is one phase of an examination at the study's voxel size, in the scanner's own intensities."""

    __tablename__ = "prepared_images"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    image: Mapped[PreparedKind] = mapped_column(closed(PreparedKind), primary_key=True, doc="S0, intermediate or last")
    phase_index: Mapped[int] = mapped_column(doc="of dce_phases")
    grid: Mapped[str] = mapped_column(doc="where its voxels lie, mm, as JSON")
    interpolator: Mapped[str] = mapped_column(doc="linear or bspline")
    registration: Mapped[str | None] = mapped_column(
        doc="none, or rigid: put back on S0; empty of before there was one"
    )
    mean: Mapped[float] = mapped_column(doc="of all voxels, the scanner's units", info={"digits": 9})
    sd: Mapped[float] = mapped_column(doc="of all voxels, the scanner's units", info={"digits": 9})
    highest: Mapped[float] = mapped_column(doc="the largest voxel, the scanner's units", info={"digits": 9})
    object_id: Mapped[str] = mapped_column(
        doc="SHA-256 of its object under objects/ (NRRD), which tshdb.images.prepared.read makes into the image",
        info={"object": VOXELS},
    )


class PhaseMotion(UnitPayload, Base):
    """One row is how far one later prepared image of an examination lies from S0: how far the patient moved."""

    __tablename__ = "phase_motions"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    image: Mapped[PreparedKind] = mapped_column(closed(PreparedKind), primary_key=True, doc="intermediate or last")
    phase_index: Mapped[int] = mapped_column(doc="of dce_phases")
    x_mm: Mapped[float | None] = mapped_column(doc="of the body's middle, to the left", info={"digits": 6})
    y_mm: Mapped[float | None] = mapped_column(doc="to the back", info={"digits": 6})
    z_mm: Mapped[float | None] = mapped_column(doc="up", info={"digits": 6})
    angle_deg: Mapped[float | None] = mapped_column(doc="of the turn", info={"digits": 6})
    furthest_mm: Mapped[float | None] = mapped_column(doc="how far the body's box moves at most", info={"digits": 6})
    in_plane_voxels: Mapped[float | None] = mapped_column(doc="the same within slices, in voxels", info={"digits": 6})
    is_moved: Mapped[bool | None] = mapped_column(doc="by more than [phase_motions] most_voxels within slices")
    reason: Mapped[str | None] = mapped_column(doc="why it could not be measured")


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


class Lesion(UnitPayload, Base):
    """One row is one lesion that somebody outlined, at the prepared voxel size: with the outline that holds, or why none does."""

    __tablename__ = "lesions"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    lesion: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, doc="its number, if all have one, else by volume, 1 is the largest"
    )
    kind: Mapped[MaskKind] = mapped_column(closed(MaskKind), doc="who or what drew it")
    segmentation_id: Mapped[str | None] = mapped_column(doc="the outline that holds")
    n_outlines: Mapped[int] = mapped_column(doc="outlines of this lesion, of this kind")
    is_index: Mapped[bool | None] = mapped_column(doc="the index lesion, where somebody said which is")
    is_measured: Mapped[bool] = mapped_column(doc="whether it has features of its own: one of several, where each has")
    n_voxels: Mapped[int | None]
    volume_ml: Mapped[float | None] = mapped_column(info={"digits": 9})
    x_mm: Mapped[float | None] = mapped_column(doc="its middle", info={"digits": 9})
    y_mm: Mapped[float | None] = mapped_column(info={"digits": 9})
    z_mm: Mapped[float | None] = mapped_column(info={"digits": 9})
    qc_flags: Mapped[str | None] = mapped_column(doc="what a person should look at, joined by ;")
    reason: Mapped[str | None] = mapped_column(doc="why no outline of it holds, and the repair")
    object_id: Mapped[str | None] = mapped_column(doc="SHA-256 of its voxels under objects/", info={"object": VOXELS})


class LesionBand(UnitPayload, Base):
    """One row is the stroma around one of several lesions, inside the breast and without the others, where each is measured."""

    __tablename__ = "lesion_bands"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    lesion: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, doc="of lesions")
    width_mm: Mapped[float] = mapped_column(info={"digits": 9})
    volume_ml: Mapped[float | None] = mapped_column(info={"digits": 9})
    whole_ml: Mapped[float | None] = mapped_column(doc="of the band with nothing cut off", info={"digits": 9})
    cut_off: Mapped[float | None] = mapped_column(
        doc="share of the whole band that skin, chest wall, field of view and other lesions took", info={"digits": 9}
    )
    beyond_view: Mapped[float | None] = mapped_column(
        doc="share of the whole band outside of the image", info={"digits": 9}
    )
    reason: Mapped[str | None] = mapped_column(doc="why there is no band, or what is doubtful about it")
    object_id: Mapped[str | None] = mapped_column(doc="SHA-256 of its voxels under objects/", info={"object": VOXELS})


class LesionFeature(UnitPayload, Base):
    """One row is one radiomic feature of one of several lesions, or of the stroma around it, where each is measured
    (`[tumor_masks] lesions = "each"`)."""

    __tablename__ = "lesion_features"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    lesion: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, doc="of lesions")
    feature: Mapped[str] = mapped_column(
        primary_key=True, doc="as in radiomic_features and map_features, such as tumor.SI.glcm.Idmn"
    )
    region: Mapped[str | None] = mapped_column(doc="tumor (the lesion) or stroma (the band around it)")
    map: Mapped[str] = mapped_column(doc="S0, SI, SL; shape; or a parametric map")
    unit: Mapped[str | None] = mapped_column(doc="of a parametric map")
    feature_class: Mapped[str | None] = mapped_column(doc="firstorder, glcm, glrlm, glszm, gldm, ngtdm or shape")
    value: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(doc="why there is no value, or what is doubtful about it")
    n_voxels: Mapped[int | None] = mapped_column(doc="of the lesion, or of its stroma")
    n_levels: Mapped[int | None] = mapped_column(doc="grey levels in it")


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
    parenchyma_n: Mapped[int | None] = mapped_column(
        doc="voxels of the breast less the tumour and other outlined lesions"
    )
    parenchyma_s0: Mapped[float | None] = mapped_column(doc="their mean before contrast", info={"digits": 12})
    parenchyma_intermediate: Mapped[float | None] = mapped_column(info={"digits": 12})
    parenchyma_last: Mapped[float | None] = mapped_column(info={"digits": 12})
    reason: Mapped[str | None] = mapped_column(doc="why there is no band, or no mean, or what is doubtful about them")
    object_id: Mapped[str | None] = mapped_column(doc="SHA-256 of its voxels under objects/", info={"object": VOXELS})


class Kinetics(UnitPayload, Base):
    """One row is how the tumour, or the background, of one examination takes up contrast agent, on the scanner's voxels."""

    __tablename__ = "kinetics"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    region: Mapped[str] = mapped_column(
        primary_key=True,
        doc="tumor, or background: the breast's tissue without it, of the other breast if that is in view",
    )
    side: Mapped[str | None] = mapped_column(doc="left or right")
    n_voxels: Mapped[int | None] = mapped_column(doc="of the scanner")
    volume_ml: Mapped[float | None] = mapped_column(info={"digits": 9})
    n_phases: Mapped[int]
    early_phase: Mapped[int] = mapped_column(doc="the intermediate phase of dce_phases")
    late_phase: Mapped[int | None] = mapped_column(doc="none where no phase is later than the early one")
    early_s: Mapped[float | None] = mapped_column(doc="seconds after phase 0", info={"digits": 9})
    late_s: Mapped[float | None] = mapped_column(doc="seconds after phase 0", info={"digits": 9})
    s0_mean: Mapped[float | None] = mapped_column(
        doc="of the region before contrast, the scanner's units", info={"digits": 9}
    )
    peak_pe: Mapped[float | None] = mapped_column(
        doc="highest enhancement of the region's mean, percent of before contrast", info={"digits": 9}
    )
    peak_phase: Mapped[int | None] = mapped_column(doc="the first phase that has it")
    time_zero: Mapped[str | None] = mapped_column(
        doc="from where time to peak counts: injection, decision or header or injection_s; or first phase after contrast"
    )
    zero_s: Mapped[float | None] = mapped_column(doc="that time, seconds after phase 0", info={"digits": 9})
    time_to_peak_s: Mapped[float | None] = mapped_column(
        doc="from time_zero to the start of the peak's phase, seconds", info={"digits": 9}
    )
    wash_in: Mapped[float | None] = mapped_column(
        doc="peak enhancement over the minutes from the injection (where it is not known, from phase 0) to the peak, "
        "percent a minute",
        info={"digits": 9},
    )
    wash_out: Mapped[float | None] = mapped_column(
        doc="from the peak to the last phase, percent a minute; falling below 0", info={"digits": 9}
    )
    pe_early: Mapped[float | None] = mapped_column(doc="of the region's mean, percent", info={"digits": 9})
    pe_late: Mapped[float | None] = mapped_column(doc="of the region's mean, percent", info={"digits": 9})
    ser: Mapped[float | None] = mapped_column(
        doc="signal enhancement ratio, early over late, of the region's mean", info={"digits": 9}
    )
    curve: Mapped[str | None] = mapped_column(doc="gradual, plateau or washout, by ser")
    ftv_ml: Mapped[float | None] = mapped_column(doc="functional tumour volume", info={"digits": 9})
    ftv_gradual_ml: Mapped[float | None] = mapped_column(doc="of it, voxels of low SER", info={"digits": 9})
    ftv_plateau_ml: Mapped[float | None] = mapped_column(doc="of it, between", info={"digits": 9})
    ftv_washout_ml: Mapped[float | None] = mapped_column(doc="of it, of high SER", info={"digits": 9})
    ftv_threshold: Mapped[float | None] = mapped_column(
        doc="signal before contrast that its voxels have at least, the scanner's units", info={"digits": 9}
    )
    bpe: Mapped[float | None] = mapped_column(
        doc="background parenchymal enhancement: mean early enhancement of the tissue's voxels, percent",
        info={"digits": 9},
    )
    bpe_median: Mapped[float | None] = mapped_column(doc="their median, percent", info={"digits": 9})
    tissue: Mapped[str | None] = mapped_column(
        doc="which class of the breast's voxels is fibroglandular: brighter or darker before contrast; or all"
    )
    tissue_threshold: Mapped[float | None] = mapped_column(
        doc="signal before contrast that parts the two, the scanner's units", info={"digits": 9}
    )
    qc_flags: Mapped[str | None] = mapped_column(doc="what a person should look at, joined by ;")
    reason: Mapped[str | None] = mapped_column(doc="what could not be computed, and why, joined by ;")


class KineticMap(UnitPayload, Base):
    """One row is one parametric map of one examination at the prepared voxel size, or why there is none (on request alone)."""

    __tablename__ = "kinetic_maps"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    map: Mapped[str] = mapped_column(
        primary_key=True, doc="the column of kinetics that it has voxel by voxel, such as pe_early, ser, time_to_peak"
    )
    unit: Mapped[str] = mapped_column(doc="percent, ratio, seconds or percent/min")
    n_undefined: Mapped[int | None] = mapped_column(doc="voxels without a value, of the whole image")
    n_limited: Mapped[int | None] = mapped_column(doc="voxels at the map's limit, of the whole image")
    reason: Mapped[str | None] = mapped_column(doc="why there is no map")
    object_id: Mapped[str | None] = mapped_column(doc="SHA-256 of its voxels under objects/", info={"object": VOXELS})


class MapFeature(UnitPayload, Base):
    """One row is one radiomic feature of one region in one parametric map of an examination, or why it has no value."""

    __tablename__ = "map_features"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(
        primary_key=True,
        doc="region.map.class.name, such as tumor.ser.glcm.Idmn; region.map where none could be computed",
    )
    region: Mapped[str] = mapped_column(doc="tumor or stroma (the band around it)")
    map: Mapped[str] = mapped_column(doc="as in kinetic_maps")
    unit: Mapped[str] = mapped_column(doc="of the map: what its mean, median, range … are in")
    feature_class: Mapped[str | None] = mapped_column(doc="firstorder, glcm, glrlm, glszm, gldm or ngtdm")
    value: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(doc="why there is no value, or what is doubtful about it")
    n_voxels: Mapped[int | None] = mapped_column(doc="of the region, that have a value in the map")
    n_levels: Mapped[int | None] = mapped_column(doc="grey levels in the region")

    __table_args__ = (Index("ix_map_features_unit_id", "unit_id"),)


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


class ControlFeature(UnitPayload, Base):
    """One row is one radiomic feature of one examination with altered grey levels, a control of a signature's ladder (not kept
    unless asked for): no measurement of the patient."""

    __tablename__ = "control_features"
    study_uid: Mapped[str] = mapped_column(primary_key=True)
    control: Mapped[str] = mapped_column(primary_key=True, doc="shuffled voxels, or noise in the region")
    feature: Mapped[str] = mapped_column(primary_key=True, doc="as in radiomic_features")
    region: Mapped[str] = mapped_column(doc="tumor or stroma (the band around it)")
    map: Mapped[str] = mapped_column(doc="S0, SI, SL; or shape")
    feature_class: Mapped[str | None] = mapped_column(doc="firstorder, glcm, glrlm, glszm, gldm, ngtdm or shape")
    value: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(doc="why there is no value, or what is doubtful about it")
    n_voxels: Mapped[int | None] = mapped_column(doc="of the region")
    n_levels: Mapped[int | None] = mapped_column(doc="grey levels in the region")

    __table_args__ = (Index("ix_control_features_unit_id", "unit_id"),)


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
