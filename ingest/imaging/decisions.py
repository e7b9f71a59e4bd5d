"""What people decided and saw: which series are dynamic, which key tells phases apart, which images can be used.

Decisions  csv or tsv with the columns study_uid, series_uid (or all, tumor, contrast), decision, decided_by, reason:
           dynamic, not-dynamic (of a series), key=NAME (of the whole examination; NAME as in dce_sets.key_used);
           kind=KIND of a series of segmentations: who drew these outlines of the tumour (manual, expert, automatic)
           of the tumor: seed=X,Y,Z, from which its outline grows, or box=X,Y,Z,X,Y,Z, in which the strongest enhancement is
           the seed; mm, DICOM's coordinates; or outline=ID, the segmentation that holds of several of one lesion
           of the contrast: injection=SECONDS, when its injection began, after the start of phase 0
Verdicts   csv or tsv with the columns study_uid, verdict (pass or fail), read_by; optional cause (poor_quality, no_tumor,
           incomplete or other) and comment; others, such as patient_id, are for people. Rows without a verdict are left out.
           With outline (a segmentation_id, or grown) a row is of that lesion alone, and seen the digest of its voxels.
Makes      ImagingDecision, QcVerdict, LesionVerdict; every row leads to its line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent, Record
from tshdb.head import Head
from tshdb.objects import is_digest
from tshdb.readers import LAST, Described, Part, Reader
from tshdb.schema import ImagingDecision, LesionVerdict, QcVerdict
from tshdb.text_files import number, open_table
from tshdb.vocabulary import GROWN_TUMOR, MaskKind, PhaseKey, Verdict, VerdictCause

COLUMNS = ("study_uid", "series_uid", "decision", "decided_by", "reason")
VERDICT_COLUMNS = ("study_uid", "verdict", "read_by")
ALL, TUMOR, CONTRAST = "all", "tumor", "contrast"
DRAWN_BY = (MaskKind.MANUAL, MaskKind.EXPERT, MaskKind.AUTOMATIC)
OUTLINE, KIND, INJECTION = "outline=", "kind=", "injection="
PLACES = {"seed": 3, "box": 6}  # of a tumour -> how many numbers


def read(path: Path, known: set[tuple[str, str]]) -> FileContent:
    """The decisions. known: (study, series) that there are. Raises NotFound, or InvalidInput without the columns."""
    content = FileContent()
    known = known | {(study_uid, what) for study_uid, _ in known for what in (ALL, TUMOR, CONTRAST)}
    seen: dict[tuple[str, str], int] = {}
    for line, row in _rows(path, COLUMNS, content):
        _take(line, row, known, seen, content)
    return content


def read_verdicts(path: Path, known: set[str], outlines: frozenset[tuple[str, str]] = frozenset()) -> FileContent:
    """The verdicts. known: the studies that there are; outlines: (study, segmentation) of each mask.

    Raises NotFound, or InvalidInput without the columns.
    """
    content = FileContent()
    seen: dict[tuple[str, str], int] = {}
    for line, row in _rows(path, VERDICT_COLUMNS, content):
        study_uid, verdict, cause = row["study_uid"], row["verdict"].lower(), row.get("cause", "").lower()
        outline, voxels = row.get("outline", ""), row.get("seen", "")
        if not verdict:
            continue  # not looked at yet
        if verdict not in set(Verdict) or (cause and cause not in set(VerdictCause)):
            expected = f"expected {' or '.join(Verdict)}, and as cause {', '.join(VerdictCause)}"
            content.withhold(line, "verdict", f"{verdict} {cause}".strip(), "verdict.unknown", expected)
        elif not row["read_by"]:
            content.withhold(line, "read_by", None, "verdict.nobody", "a verdict has the name of who looked")
        elif study_uid not in known:
            content.withhold(line, "study_uid", study_uid, "verdict.unknown-study", "the study has no such examination")
        elif outline not in ("", GROWN_TUMOR) and (study_uid, outline) not in outlines:
            content.withhold(line, "outline", outline, "verdict.unknown-outline", "the examination has no such mask")
        elif voxels and not (outline and is_digest(voxels)):
            content.withhold(line, "seen", voxels, "verdict.unknown", "expected the SHA-256 of an outline's voxels")
        elif (study_uid, outline) in seen:
            where = seen[study_uid, outline]
            content.withhold(line, "study_uid", study_uid, "verdict.twice", f"judged in line {where} already")
        else:
            seen[study_uid, outline] = line
            values = {
                "study_uid": study_uid, "verdict": Verdict(verdict), "cause": VerdictCause(cause) if cause else None,
                "read_by": row["read_by"], "comment": row.get("comment") or None,
            }  # fmt: skip
            if outline:
                values |= {"outline": outline, "seen": voxels or None}
            content.records.append(Record(LesionVerdict if outline else QcVerdict, values, line))
    return content


def _rows(path: Path, required: tuple[str, ...], content: FileContent) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, row) of a table that has these columns."""
    with open_table(path, content, "decision.field-count") as table:
        missing = [c for c in required if c not in table.header]
        if missing:
            raise InvalidInput(
                f"no column {', '.join(missing)}",
                where=f"{path}:{table.line}",
                repair=f"Expected {', '.join(required)}",
            )
        for line, fields in table.rows:
            yield line, dict(zip(table.header, map(str.strip, fields), strict=True))


def _take(line: int, row: dict[str, str], known: set, seen: dict[tuple[str, str], int], content: FileContent) -> None:
    key = (row["study_uid"], row["series_uid"])
    what = row["decision"]
    if empty := next((c for c in COLUMNS if not row[c]), None):
        content.withhold(
            line, empty, None, "decision.incomplete", "a decision has a study, a series, a person and a reason"
        )
    elif key not in known:
        content.withhold(
            line, "series_uid", key[1], "decision.unknown-series", "the study has no such series of this study_uid"
        )
    elif key in seen:
        content.withhold(line, "series_uid", key[1], "decision.twice", f"decided in line {seen[key]} already")
    elif (what in ("dynamic", "not-dynamic") or what.startswith(KIND)) and row["series_uid"] in (ALL, TUMOR, CONTRAST):
        content.withhold(
            line, "series_uid", key[1], "decision.unknown", f"{what} is said of one series, not of {key[1]}"
        )
    elif row["series_uid"] == TUMOR:
        if _is_place(what) or (what.startswith(OUTLINE) and what != OUTLINE):
            seen[key] = line
            content.records.append(Record(ImagingDecision, {c: row[c] for c in COLUMNS}, line))
        else:
            expected = "expected seed=X,Y,Z or box=X,Y,Z,X,Y,Z, in mm, or outline=SEGMENTATION_ID"
            content.withhold(line, "decision", what, "decision.unknown", expected)
    elif row["series_uid"] == CONTRAST and not _is_injection(what):
        expected = "expected injection=SECONDS, after the start of phase 0"
        content.withhold(line, "decision", what, "decision.unknown", expected)
    elif row["series_uid"] == CONTRAST or (what.startswith(KIND) and what.removeprefix(KIND) in DRAWN_BY):
        seen[key] = line
        content.records.append(Record(ImagingDecision, {c: row[c] for c in COLUMNS}, line))
    elif what not in ("dynamic", "not-dynamic") and what.removeprefix("key=") not in set(PhaseKey):
        content.withhold(
            line, "decision", what, "decision.unknown",
            f"expected dynamic, not-dynamic, kind= {', '.join(DRAWN_BY)} or key= {', '.join(PhaseKey)}",
        )  # fmt: skip
    else:
        seen[key] = line
        content.records.append(Record(ImagingDecision, {c: row[c] for c in COLUMNS}, line))


def _is_place(text: str) -> bool:
    """Whether a decision on a tumour is a place."""
    name, _, numbers = text.partition("=")
    values = [number(part) for part in numbers.split(",")]
    return len(values) == PLACES.get(name) and None not in values


def _is_injection(text: str) -> bool:
    """Whether a decision on the contrast is a time."""
    seconds = number(text.removeprefix(INJECTION)) if text.startswith(INJECTION) else None
    return seconds is not None and seconds >= 0


def _describes(what: str, columns: Sequence[str]) -> Callable[[Head], Described | None]:
    return lambda head: Described(what, is_certain=True) if set(columns) <= set(head.header) else None


DECISIONS = Reader(
    name="decisions",
    about=f"decisions on images ({', '.join(COLUMNS)})",
    part=Part.JUDGEMENTS,
    precedence=LAST,
    read=lambda path, request: read(path, set(request.known.series)),
    needs=frozenset({"series"}),
    command="ingest decisions",
    describes=_describes("decisions on images", COLUMNS),
)
VERDICTS = Reader(
    name="qc",
    about=f"verdicts on images ({', '.join(VERDICT_COLUMNS)})",
    part=Part.JUDGEMENTS,
    precedence=LAST,
    read=lambda path, request: read_verdicts(
        path, {e.study_uid for e in request.known.examinations}, request.known.outlines
    ),
    needs=frozenset({"examinations", "outlines"}),
    command="qc import",
    describes=_describes("verdicts on images", VERDICT_COLUMNS),
)
