"""Closed sets of values. The database checks them; code compares members, never spellings."""

from enum import StrEnum

NOBODY = ""  # conflicts.held_source, where nobody has decided


class Compartment(StrEnum):
    """Where an RNA sample was taken. `stroma` is the solid-tissue-normal sample (TCGA code 11) of the patient."""

    TUMOR = "tumor"
    STROMA = "stroma"
    OTHER = "other"


class ExpressionUnit(StrEnum):
    """What one expression value counts."""

    TPM = "tpm"
    FPKM = "fpkm"
    FPKM_UQ = "fpkm_uq"
    RSEM = "rsem"
    COUNTS = "counts"
    CPM = "cpm"
    INTENSITY = "intensity"


class Scale(StrEnum):
    """The scale of values as they stand in the source."""

    LINEAR = "linear"
    LOG2 = "log2"


class Endpoint(StrEnum):
    """What ends the observation: death (OS), recurrence or death (RFS), or any disease event (DFS)."""

    OS = "OS"
    RFS = "RFS"
    DFS = "DFS"


class FirstEvent(StrEnum):
    """Which event came first: of the disease, or a death without one."""

    DISEASE = "disease"
    DEATH = "death"


class Prognosis(StrEnum):
    """On which side of a cut-off a patient is, named by what it foretells."""

    GOOD = "good"
    POOR = "poor"


class Severity(StrEnum):
    """error: the row is withheld; warning: the row is loaded, and the finding is kept."""

    ERROR = "error"
    WARNING = "warning"


class Effect(StrEnum):
    """What an upstream notice does: exclude takes its subject out of selection and cohorts, note only stands beside it."""

    EXCLUDE = "exclude"
    NOTE = "note"


class UnitState(StrEnum):
    """current: its payload stands; failed: its message says why; blocked: an input is missing; retired: it is gone."""

    CURRENT = "current"
    FAILED = "failed"
    BLOCKED = "blocked"
    RETIRED = "retired"


class Damage(StrEnum):
    """What happened to a result since it was made. lost: its rows or an object are gone; edited: its rows are others than
    those that were made; damaged: an object has other bytes than its name says."""

    LOST = "lost"
    EDITED = "edited"
    DAMAGED = "damaged"


class CauseKind(StrEnum):
    """What began a change of results, named by where it was made.

    parameter: a setting of study.toml; code: the text of a definition; library: its version; table: the declaration of a result
    table; engine: its version; seed: that of study.toml; reference: a marker table; datum: a row that was ingested; member: who
    is in a cohort; cohort: its definition, or that it was frozen; listed: a cohort that a list of study.toml names, or no
    longer names; first: the analysis had not been computed in the study; again: the unit had failed; refit: it was asked
    for; lost, edited, damaged: what happened to a result; withdrawn: a patient was; unrecorded: history from before causes were.
    """

    PARAMETER = "parameter"
    CODE = "code"
    LIBRARY = "library"
    TABLE = "table"
    ENGINE = "engine"
    SEED = "seed"
    REFERENCE = "reference"
    DATUM = "datum"
    MEMBER = "member"
    COHORT = "cohort"
    LISTED = "listed"
    FIRST = "first"
    AGAIN = "again"
    REFIT = "refit"
    LOST = "lost"
    EDITED = "edited"
    DAMAGED = "damaged"
    WITHDRAWN = "withdrawn"
    UNRECORDED = "unrecorded"


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    INTERRUPTED = "interrupted"


class WithdrawalScope(StrEnum):
    """What becomes of models that learned from a withdrawn patient."""

    KEEP = "keep"
    REFIT = "refit"
    REVOKE = "revoke"


class StepEffect(StrEnum):
    """What a step of a cohort's definition does with the patients that it gives."""

    INCLUDE = "include"
    EXCLUDE = "exclude"


class SeriesRole(StrEnum):
    """What an imaging series is. dynamic: T1 with contrast in time, all phases or some; static_t1: 3D T1 outside of it."""

    DYNAMIC = "dynamic"
    STATIC_T1 = "static_t1"
    SUBTRACTION = "subtraction"
    MIP = "mip"
    REFORMAT = "reformat"
    MAP = "map"
    CAD = "cad"
    LOCALIZER = "localizer"
    CALIBRATION = "calibration"
    T1 = "t1"
    T2 = "t2"
    DIFFUSION = "diffusion"
    SEGMENTATION = "segmentation"
    REPORT = "report"
    OTHER = "other"
    OTHER_MODALITY = "other_modality"


class MaskKind(StrEnum):
    """Who or what drew a segmentation: a person (manual, expert), the .les files of Chicago, spatial fuzzy c-means, a
    threshold on enhancement (ftv: functional tumour volume, no outline), a tissue class, another program."""

    MANUAL = "manual"
    EXPERT = "expert"
    LES = "les"
    FCM = "fcm"
    FTV = "ftv"
    TISSUE = "tissue"
    AUTOMATIC = "automatic"
    OTHER = "other"


class MaskRegion(StrEnum):
    """What a segmentation marks."""

    TUMOR = "tumor"
    BREAST = "breast"
    ENHANCEMENT = "enhancement"
    OTHER = "other"


class MaskStatus(StrEnum):
    """fits: its voxels are voxels of the dynamic images; resample: it lies elsewhere or in another grid; no_images: the
    examination has no phases; unclear: a person must look."""

    FITS = "fits"
    RESAMPLE = "resample"
    NO_IMAGES = "no_images"
    UNCLEAR = "unclear"


class PreparedKind(StrEnum):
    """Which phase a prepared image is: before contrast, the intermediate one after it, the last."""

    S0 = "S0"
    INTERMEDIATE = "intermediate"
    LAST = "last"


class RegionStatus(StrEnum):
    """Of a region of the images. given: a segmentation was taken; found: the program drew it; failed: there is none."""

    GIVEN = "given"
    FOUND = "found"
    FAILED = "failed"


class PhaseKey(StrEnum):
    """By which attribute the phases of one dynamic series are told apart, in the order in which they are tried."""

    TEMPORAL_POSITION = "temporal_position"
    TRIGGER_TIME = "trigger_time"
    REFERENCE_TIME = "reference_time"
    ACQUISITION_TIME = "acquisition_time"
    CONTENT_TIME = "content_time"
    ACQUISITION_NUMBER = "acquisition_number"
    INSTANCE_BLOCKS = "instance_blocks"
    INSTANCE_INTERLEAVED = "instance_interleaved"


class Verdict(StrEnum):
    """What a person says of the images of an examination."""

    PASS = "pass"
    FAIL = "fail"


class VerdictCause(StrEnum):
    """Why images fail: their quality, a tumour that cannot be told from its surroundings, a set that is not whole."""

    POOR_QUALITY = "poor_quality"
    NO_TUMOR = "no_tumor"
    INCOMPLETE = "incomplete"
    OTHER = "other"


GROWN_TUMOR = "grown"  # lesion_verdicts.outline of the tumour that nobody drew


class SetStatus(StrEnum):
    """Of the dynamic set of an examination. ambiguous: a person must choose; unsplit: found, but not in whole phases."""

    FOUND = "found"
    NONE = "none"
    AMBIGUOUS = "ambiguous"
    UNSPLIT = "unsplit"


class PhaseRole(StrEnum):
    """Before or after contrast."""

    PRE = "pre"
    POST = "post"


class CohortMode(StrEnum):
    """live: the members are whoever the SQL finds now; frozen: the members of the newest frozen version."""

    LIVE = "live"
    FROZEN = "frozen"


class ScoreStatus(StrEnum):
    """Of a signature score. degraded: there is one, but something speaks against it; refused: there is none."""

    SCORED = "scored"
    DEGRADED = "degraded"
    REFUSED = "refused"


class LadderVerdict(StrEnum):
    """Of a signature beside the tumour's volume and images without texture.

    adds: to volume; whether by texture is not known. adds texture: to volume, and to the same images with shuffled voxels.
    no texture shown: to volume, and nothing beyond shape and histogram can be shown. volume only: nothing beyond volume can.
    """

    ADDS = "adds"
    ADDS_TEXTURE = "adds texture"
    NO_TEXTURE = "no texture shown"
    VOLUME_ONLY = "volume only"
    CANNOT_BE_JUDGED = "cannot be judged"


class FeatureStatus(StrEnum):
    """What became of a feature. candidate: the filter left it, the search did not take it."""

    SELECTED = "selected"
    CANDIDATE = "candidate"
    DROPPED = "dropped"
