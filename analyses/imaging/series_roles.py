"""What each series of an examination is, and which of them are the dynamic set.

Every series is given the role for which most speaks: words of its header (a table of hints) and the physics of its
sequence. Series that can be phases of one dynamic scan (3-D T1 gradient echo, one geometry, one set of TR, TE and flip
angle) make candidate sets, and the best is taken: above all, the set to which a derived map (SER, PE) or a subtraction
of the archive leads back, then the number of phases, then words. A set that is hardly better than the next is no choice:
the examination is `ambiguous` until a person decides. Layouts: docs/imaging.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from analyses.imaging import series_hints
from analyses.imaging.phase_split import count_per_position
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, Reference, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.images.directions import are_one_direction
from tshdb.schema import ImagingDecision, ImagingInstance, ImagingSeries, SeriesHint, SeriesRoleRow
from tshdb.vocabulary import SeriesRole, SetStatus

if TYPE_CHECKING:
    import pandas as pd

MAP_OF = re.compile(r"^(?P<base>.*\S)\s*:\s*(?:SER|PE\d*)\s*$", re.IGNORECASE)
DIFFERENCE = re.compile(r"^\s*\((\d+)/(\d+)/\d+\)\s*-\s*\((\d+)/(\d+)/\d+\)")  # GE: (exam/series/image)
PRE_WORDS = re.compile(r"(?<![a-z])(pre|precontrast|nativ|w/?o)(?![a-z])", re.IGNORECASE)
POST_WORDS = re.compile(r"(?<![a-z])(post|pos|postcontrast|ca|\d+ ?min)(?![a-z])|\+ ?c\b", re.IGNORECASE)
DIGITS_OF_MAP = 10_000  # the archive's number of a map is the base series' number times this, and a kind


class SeriesRoleParameters(Parameters):
    """[series_roles]"""

    hints: str = "breast_dce_hints"
    """breast_dce_hints, or a csv in the study's folder (role, column_name, pattern, weight, meaning)"""
    max_tr_ms: float = Field(default=35.0, gt=0)
    """of a T1 gradient echo that can be dynamic"""
    max_te_ms: float = Field(default=8.0, gt=0)
    """of a T1 gradient echo that can be dynamic"""
    least_margin: float = Field(default=5.0, ge=0)
    """by how much the best set must lead"""
    same_timing: float = Field(default=0.06, gt=0)
    """relative difference of TR and TE that is still one scan"""


def _read_hints(params: SeriesRoleParameters, root) -> tuple[str, list[dict]]:
    return series_hints.read(params.hints, root)


class Candidate(NamedTuple):
    """Series that could be one dynamic scan, with what speaks for them."""

    series: tuple[str, ...]
    score: float
    hints: tuple[str, ...]


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "series": Need(ImagingSeries, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
        "decisions": Need(ImagingDecision, SAME_STUDY, optional=True),
        "hints": Reference(SeriesHint, _read_hints),
    },
    makes=SeriesRoleRow,
    params=SeriesRoleParameters,
    source="doi:10.1186/s12967-023-04748-6, Imaging data; layouts counted in the IDC index v25",
    batch=16,
)
def series_roles(
    series: pd.DataFrame,
    instances: pd.DataFrame,
    decisions: pd.DataFrame,
    hints: pd.DataFrame,
    params: SeriesRoleParameters,
) -> pd.DataFrame:
    """One row per (study_uid, series_uid).

    series, instances: columns of imaging_series and imaging_instances; decisions: study_uid, series_uid (or all),
    decision, decided_by.
    """
    import pandas as pd

    rows = []
    patterns = [(h, re.compile(h.pattern, re.IGNORECASE)) for h in hints.itertuples()]
    for study_uid, of_study in series.groupby("study_uid", sort=True):
        decided = decisions[decisions["study_uid"] == study_uid]
        rows += _of_study(of_study, instances[instances["study_uid"] == study_uid], decided, patterns, params)
    return pd.DataFrame(rows)


def _of_study(series: pd.DataFrame, instances: pd.DataFrame, decisions: pd.DataFrame, patterns, params) -> list[dict]:
    n_phases = {
        uid: count_per_position(mine) for uid, mine in instances.groupby("series_uid", sort=True)
    }  # most images that one position has
    records = [r for r in series.sort_values(["series_number", "series_uid"]).itertuples()]
    roles = {r.series_uid: _role(r, n_phases.get(r.series_uid, 1), patterns, params) for r in records}
    decided = {d.series_uid: d for d in decisions.itertuples()}
    banned = {uid for uid, d in decided.items() if d.decision == "not-dynamic"}
    chosen = {uid for uid, d in decided.items() if d.decision == "dynamic"}
    able = [r for r in records if roles[r.series_uid][0] is SeriesRole.DYNAMIC and r.series_uid not in banned]
    candidates = sorted(
        (_candidate(group, n_phases, records) for group in _groups(able, params)),
        key=lambda c: (-c.score, c.series),
    )
    if chosen:
        status, dynamic = SetStatus.FOUND, chosen
    elif not candidates or candidates[0].score <= 0:
        status, dynamic = SetStatus.NONE, set()
    elif len(candidates) > 1 and candidates[0].score - candidates[1].score < params.least_margin:
        status, dynamic = SetStatus.AMBIGUOUS, set()
    else:
        status, dynamic = SetStatus.FOUND, set(candidates[0].series)
    number = {uid: i for i, c in enumerate(candidates, 1) for uid in c.series}
    rows = []
    for r in records:
        role, score, hints = roles[r.series_uid]
        i = number.get(r.series_uid)
        who = decided.get(r.series_uid)
        rows.append(
            {
                "study_uid": r.study_uid,
                "series_uid": r.series_uid,
                "role": SeriesRole.DYNAMIC if r.series_uid in dynamic else role,
                "score": score,
                "hints": "; ".join(hints) or None,
                "candidate": i,
                "candidate_score": candidates[i - 1].score if i else None,
                "candidate_hints": "; ".join(candidates[i - 1].hints) if i else None,
                "is_dynamic": r.series_uid in dynamic,
                "set_status": status,
                "decided_by": f"{who.decided_by}: {who.reason}" if who is not None else "rule",
            }
        )
    return rows


# ------------------------------------------------------------------------------------------------- one series


class _Votes:
    """What speaks for each role."""

    def __init__(self) -> None:
        self.weights: dict[SeriesRole, float] = {}
        self.meanings: dict[SeriesRole, list[str]] = {}

    def add(self, role: SeriesRole, weight: float, meaning: str) -> None:
        self.weights[role] = self.weights.get(role, 0.0) + weight
        self.meanings.setdefault(role, []).append(meaning)

    def winner(self) -> tuple[SeriesRole, float, list[str]]:
        """The role with the most weight; of equals the first in the order of the roles."""
        best = max(self.weights.values(), default=0.0)
        if best <= 0:
            return SeriesRole.OTHER, 0.0, []
        role = next(r for r in SeriesRole if self.weights.get(r, 0.0) == best)
        return role, best, self.meanings[role]


def _role(record, n_phases: int, patterns, params) -> tuple[SeriesRole, float, list[str]]:
    """(role, weight of what spoke for it, what spoke for it)."""
    if record.modality == "SEG":
        return SeriesRole.SEGMENTATION, 10.0, ["modality SEG"]
    if record.modality in ("SR", "PR", "KO"):
        return SeriesRole.REPORT, 10.0, [f"modality {record.modality}"]
    if record.modality != "MR":
        return SeriesRole.OTHER_MODALITY, 10.0, [f"modality {record.modality}"]
    votes = _Votes()
    for hint, pattern in patterns:
        text = getattr(record, hint.column_name, None)
        if text and pattern.search(str(text)):
            votes.add(SeriesRole(hint.role), hint.weight, hint.meaning)
    if _is_fast_t1(record, params):
        votes.add(SeriesRole.DYNAMIC, 3.0, "3-D T1 gradient echo")
    elif _known(record.tr_ms) or record.acquisition_type == "2D":
        votes.add(SeriesRole.DYNAMIC, -20.0, "no 3-D T1 gradient echo")
        if _known(record.te_ms) and record.te_ms > 60:
            votes.add(SeriesRole.T2, 3.0, "long echo time")
        elif _known(record.tr_ms) and _known(record.te_ms) and record.tr_ms < 1200 and record.te_ms < 30:
            votes.add(SeriesRole.T1, 2.0, "short repetition and echo time")
    if _is_derived(record):
        votes.add(SeriesRole.DYNAMIC, -10.0, "derived from other series")
    if n_phases >= 3 and not _is_derived(record):
        votes.add(SeriesRole.DYNAMIC, 6.0, f"{n_phases} images at one position")
    return votes.winner()


def _is_fast_t1(record, params) -> bool:
    """Whether the sequence can be a phase of a dynamic scan; what a header does not say is not held against it."""
    if record.acquisition_type == "2D":
        return False
    sequence = str(record.scanning_sequence or "")
    if sequence.startswith("SE") or "EP" in sequence.split("\\"):
        return False
    is_fast = not _known(record.tr_ms) or record.tr_ms <= params.max_tr_ms
    is_early = not _known(record.te_ms) or record.te_ms <= params.max_te_ms
    return is_fast and is_early and (_known(record.tr_ms) or record.acquisition_type == "3D")


def _is_derived(record) -> bool:
    kind = str(record.image_type or "").upper()
    return kind.startswith("DERIVED") or "SECONDARY" in kind


def _known(value) -> bool:
    return value is not None and value == value


# ------------------------------------------------------------------------------------------------- sets of series


def _groups(records: list, params) -> list[list]:
    """Series that share geometry and timing, each in one group, in the order of their numbers."""
    groups: list[list] = []
    for record in records:
        for group in groups:
            if _are_one_scan(group[0], record, params.same_timing):
                group.append(record)
                break
        else:
            groups.append([record])
    return groups


def _are_one_scan(a, b, tolerance: float) -> bool:
    exact = ("frame_of_reference_uid", "n_rows", "n_columns", "flip_angle_deg")
    if any(_known(getattr(a, n)) and _known(getattr(b, n)) and getattr(a, n) != getattr(b, n) for n in exact):
        return False
    if _known(a.orientation) and _known(b.orientation):
        n_pixels = max((int(n) for n in (a.n_rows, a.n_columns) if _known(n)), default=1)
        if not are_one_direction(a.orientation, b.orientation, n_pixels):
            return False
    close = ("tr_ms", "te_ms", "row_spacing_mm", "column_spacing_mm", "slice_thickness_mm")
    for name in close:
        x, y = getattr(a, name), getattr(b, name)
        if _known(x) and _known(y) and abs(x - y) > tolerance * max(abs(x), abs(y)):
            return False
    return True


def _candidate(group: list, n_phases: dict[str, int], records: list) -> Candidate:
    votes: list[tuple[float, str]] = []
    group, repeated = _without_repeated_pre(group)
    names = {r.series_uid for r in group}
    for r in records:
        base = _base_of(r, records)
        if base in names:
            votes.append((100.0, f"series {r.series_number} is a map of it"))
            break
    numbers = {r.series_number for r in group}
    if any(_difference_within(r) in numbers for r in records):
        votes.append((60.0, "subtractions were made of its images"))
    phases = sum(n_phases.get(uid, 1) for uid in names)
    if phases >= 3:
        votes.append((40.0, f"{phases} phases"))
    elif phases == 2:
        votes.append((15.0, "2 phases"))
    texts = [str(r.description or "") for r in group]
    if any(re.search(r"multi.?phase|dyn|ethrive", t, re.IGNORECASE) for t in texts):
        votes.append((45.0, "named as dynamic"))
    elif any(re.search(r"vibrant|3dfgre|fl3d|spgr", t, re.IGNORECASE) for t in texts):
        votes.append((8.0, "named after a dynamic sequence"))
    if any(map(PRE_WORDS.search, texts)) and any(map(POST_WORDS.search, texts)):
        votes.append((15.0, "named as before and after contrast"))
    if all(map(POST_WORDS.search, texts)) and not any(map(PRE_WORDS.search, texts)):
        votes.append((-60.0, "all named as after contrast: nothing before it"))
    if any(r.contrast_agent and str(r.contrast_agent).upper() != "NONE" for r in group):
        votes.append((5.0, "contrast agent recorded"))
    reasons = [f"{meaning} {weight:+g}" for weight, meaning in votes]
    if repeated:
        reasons.append(f"{repeated} earlier scans before contrast left out")
    return Candidate(tuple(sorted(names)), sum(weight for weight, _ in votes), tuple(reasons))


def _without_repeated_pre(group: list) -> tuple[list, int]:
    """Without scans named as before contrast that were repeated before the first named as after: the last one counts."""
    ordered = sorted(group, key=lambda r: (_time(r), r.series_number or 0, r.series_uid))
    posts = [i for i, r in enumerate(ordered) if POST_WORDS.search(str(r.description or "")) and not _is_pre(r)]
    if not posts:
        return ordered, 0
    pres = [i for i, r in enumerate(ordered[: posts[0]]) if _is_pre(r)]
    dropped = set(pres[:-1])
    return [r for i, r in enumerate(ordered) if i not in dropped], len(dropped)


def _is_pre(record) -> bool:
    return PRE_WORDS.search(str(record.description or "")) is not None


def _time(record) -> float:
    return float(record.series_time_s) if _known(record.series_time_s) else 0.0


def _difference_within(record) -> int | None:
    """The number of the series of which a GE subtraction takes both images."""
    match = DIFFERENCE.match(str(record.description or ""))
    return int(match[2]) if match is not None and match[1] == match[3] and match[2] == match[4] else None


def _base_of(record, records: list) -> str | None:
    """The series of which this one is a map: by the archive's numbering and by its description, which must agree."""
    match = MAP_OF.match(str(record.description or ""))
    if match is None:
        return None
    base = match["base"].strip().lower()
    named = [r for r in records if str(r.description or "").strip().lower() == base]
    number = int(record.series_number) // DIGITS_OF_MAP if _known(record.series_number) else None
    numbered = [r for r in named if number in (r.series_number, (r.series_number or 0) // 100)]
    chosen = numbered or (named if len(named) == 1 else [])
    return chosen[0].series_uid if chosen else None
