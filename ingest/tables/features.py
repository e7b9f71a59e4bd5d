"""Radiomic features that were computed elsewhere, by PyRadiomics' names: what a paper publishes beside itself.

Table      csv, tsv (plain or gzip), xlsx, xls; one row an examination, or a row for each of its regions and maps (columns region
           and map). A column names the patient (patient_id, PatientID, case, …); time_point (T0 where there is none) and batch
           (scanner or site) are optional. PyRadiomics' own diagnostics_ columns tell software and settings, unless a file does.
Names      original_glcm_Idmn, tumor_SI_original_glcm_Idmn or tumor.SI.glcm.Idmn become tumor.SI.glcm.Idmn; region and map come
           from the name, else from the row's columns, else from the options. Shape is of a region alone: tumor.shape.Flatness.
Settings   TOML, YAML or JSON: software, mask_kind, and [settings], [normalisation], [phases]; or a parameter file of PyRadiomics
           (setting, imageType, featureClass). What is not said is `unknown: TABLE`: it compares with the same table alone.
Makes      Patient, ImportedFeature: one record an examination, with the line of its first row.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ingest.identifiers import checked_patient
from ingest.tables.feature_words import FeatureWords, first_lines
from ingest.tables.workbook import Sheet, header_key, headers_of, read_sheets
from tshdb.canonical import json_text
from tshdb.errors import InvalidInput, NotFound
from tshdb.file_content import FileContent, Record
from tshdb.head import Head
from tshdb.outlying_rows import outlying_rows, said
from tshdb.readers import LAST, Described, Part, Reader, Request
from tshdb.schema import ImportedFeature, Patient
from tshdb.text_files import MISSING, number
from tshdb.words import OF_FEATURES, Vocabulary
from tshdb.written import written_text

if TYPE_CHECKING:
    from tshdb.config import Settings

PATIENT = ("patient_id", "patientid", "patient id", "patient", "case", "case id", "subject", "subject id", "id")
TIME_POINT = ("time_point", "timepoint", "visit")
BATCH = ("batch", "scanner", "site")
CLASSES = "shape2D|shape|firstorder|glcm|glrlm|glszm|gldm|ngtdm"
FILTERS = (
    r"original|wavelet2?-[HL]{2,3}|log-sigma-[\d.-]+-mm-3D|square|squareroot|logarithm|exponential|gradient|lbp-[\w-]+"
)
PYRADIOMICS = re.compile(rf"(?:(?P<place>.+?)[_.])?(?P<filter>{FILTERS})[_.](?P<class>{CLASSES})[_.](?P<name>\w+)")
OURS = re.compile(rf"(?P<place>\w+(?:\.\w+)?)\.(?:(?P<filter>{FILTERS})\.)?(?P<class>{CLASSES})\.(?P<name>\w+)")
OUR_SHAPE = re.compile(r"(?P<place>\w+)\.(?P<class>shape)\.(?P<name>\w+)")
DIAGNOSTICS = "diagnostics_"
VERSION, CONFIGURATION, IMAGE_TYPES = (
    DIAGNOSTICS + name for name in ("Versions_PyRadiomics", "Configuration_Settings", "Configuration_EnabledImageTypes")
)
PARTS = ("settings", "normalisation", "phases")
MOST_FEATURES = 20_000


@dataclass(frozen=True)
class FeatureTableOptions:
    """Whose features a table holds, and how they were computed.

    name       of the table in the study
    region     of columns whose names have no region
    map        of columns whose names have no map
    settings   of the computation, as `read_settings` gives them
    vocabulary the study's words of regions, maps and visits
    """

    collection: str
    name: str
    region: str | None = None
    map: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)


@dataclass
class _MeasuredExamination:
    """One examination while its rows come."""

    patient_id: str
    time_point: str
    line: int
    batch: str | None
    values: dict[str, float | None] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


def read(path: Path, options: FeatureTableOptions) -> FileContent:
    """The table's examinations. Raises NotFound, or InvalidInput for a table without patients or features."""
    content = FileContent()
    sheets = [s for s in read_sheets(path, content) if s.column(list(PATIENT)) is not None]
    if not sheets:
        raise InvalidInput(
            "no column names the patients", where=f"{path}:1", repair=f"Expected {', '.join(PATIENT[:5])} …"
        )
    sheet = max(sheets, key=lambda s: len(s.header))
    columns = _feature_columns(path, sheet, content)
    visits = sheet.column(list(TIME_POINT))
    rows = [(line, cells[visits].strip()) for line, cells in sheet.rows] if visits is not None else []
    words = FeatureWords(options.vocabulary, first_lines(rows), content)
    examinations: dict[str, _MeasuredExamination] = {}
    bad: set[str | None] = set()
    for line, cells in sheet.rows:
        with content.row() as is_bad:
            key = _take(sheet, line, cells, columns, options, words, examinations, content)
        if is_bad():
            bad.add(key)
    known = options.settings or _diagnosed(sheet)
    _note_outlying(examinations, content)
    for key, examination in examinations.items():
        if key in bad:  # half of an examination is another one
            continue
        content.records.append(
            Record(Patient, {"patient_id": examination.patient_id, "collection": options.collection}, examination.line)
        )
        content.records.append(Record(ImportedFeature, _row(key, examination, options, known), examination.line))
    if not options.settings and not known:
        content.warn(
            None, None, None, "features.settings-unknown",
            "nothing says how the features were computed: they compare with this table alone (--settings FILE)",
        )  # fmt: skip
    return content


def _note_outlying(examinations: dict[str, _MeasuredExamination], content: FileContent) -> None:
    """A finding for each examination that is orders of magnitude off in most of its features."""
    names = sorted(set().union(*(e.values for e in examinations.values())))
    values = np.array([[e.values.get(name) for name in names] for e in examinations.values()], dtype=float)
    each = list(examinations.values())
    for row in outlying_rows(values.reshape(len(each), len(names))):
        examination, name = each[row.row], names[row.column]
        content.warn(
            examination.line, name, examination.patient_id, "features.row-off", f"{examination.patient_id}: {said(row)}"
        )


def _feature_columns(path: Path, sheet: Sheet, content: FileContent) -> dict[int, re.Match]:
    """place -> what its name says, of the columns that are features."""
    match_of_column: dict[int, re.Match] = {}
    others = []
    used = {sheet.column(list(names)) for names in (PATIENT, TIME_POINT, BATCH, ("region",), ("map",))}
    for place, name in enumerate(sheet.header):
        match = _feature(name)
        if match:
            match_of_column[place] = match
        elif place not in used and not name.startswith(DIAGNOSTICS):
            others.append(name)
    twice = [name for name, n in Counter(sheet.header[place] for place in match_of_column).items() if n > 1]
    if twice:
        raise InvalidInput(
            f"the column {twice[0]} is there twice", where=f"{path}:{sheet.header_line}", repair="Drop one"
        )
    if not match_of_column or len(match_of_column) > MOST_FEATURES:
        raise InvalidInput(
            f"{len(match_of_column):,} columns have a name of PyRadiomics", where=f"{path}:{sheet.header_line}",
            repair="Expected such as original_glcm_Idmn or tumor.SI.glcm.Idmn",
        )  # fmt: skip
    if others:
        shown = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
        content.warn(
            sheet.header_line,
            others[0],
            None,
            "features.other-columns",
            f"{len(others)} columns are no features: {shown}",
        )
    return match_of_column


def _feature(name: str) -> re.Match | None:
    """What the name of a column says, where it is a feature's."""
    return PYRADIOMICS.fullmatch(name) or OUR_SHAPE.fullmatch(name) or OURS.fullmatch(name)


def _take(
    sheet: Sheet, line: int, cells: list[str], columns: dict[int, re.Match], options: FeatureTableOptions,
    words: FeatureWords, examinations: dict[str, _MeasuredExamination], content: FileContent,
) -> str | None:  # fmt: skip
    """Take a row in. Gives the examination's key; None where the row names no patient."""

    def cell(names: tuple[str, ...]) -> str:
        at = sheet.column(list(names))
        return cells[at].strip() if at is not None else ""

    at = sheet.column(list(PATIENT))
    if cells[at].strip() in MISSING and any(c.strip() not in MISSING for c in cells):
        content.withhold(line, sheet.header[at], cells[at], "id.no-patient", "the row has values, but no identifier")
        return None
    patient_id = checked_patient(cells[at], line, sheet.header[at], content)
    if patient_id is None:
        return None
    time_point = words.visit(cell(TIME_POINT))
    key = f"{options.collection}/{options.name}/{patient_id}/{time_point}"
    examination = examinations.setdefault(key, _MeasuredExamination(patient_id, time_point, line, cell(BATCH) or None))
    region, map_name = cell(("region",)) or options.region, cell(("map",)) or options.map
    for place, match in columns.items():
        name = _name(match, region, map_name, words)
        if name is None:
            content.error(
                line, sheet.header[place], None, "features.place-unknown",
                "nothing says of which region and map it is: --region and --map, or columns region and map",
            )  # fmt: skip
            return key
        text = cells[place].strip()
        value = None if text in MISSING else number(text)
        if value is None and text not in MISSING:
            content.error(line, sheet.header[place], text, "features.no-number", "expected a number, or nothing")
            continue
        before = examination.values.get(name)
        if name in examination.values and before != value and value is not None and before is not None:
            content.error(
                line,
                sheet.header[place],
                text,
                "features.twice",
                f"it is {before:g} in line {examination.lines[name]} already",
            )
        elif value is not None or name not in examination.values:
            examination.values[name], examination.lines[name] = value, line
    return key


def _name(match: re.Match, region: str | None, map_name: str | None, words: FeatureWords) -> str | None:
    """The feature's name here; None where nothing says of which region (and map) it is."""
    parts = match.groupdict()
    place = [p for p in re.split(r"[_.]", parts.get("place") or "") if p]
    if parts["class"].startswith("shape"):
        at = place[:1] or ([region] if region else [])
        return f"{words.region(at[0])}.{parts['class']}.{parts['name']}" if at else None
    at = place if len(place) >= 2 else [region, *place] if place and region else [region, map_name] if not place else []
    if len(at) < 2 or None in at:
        return None
    kind = parts.get("filter")
    middle = "" if kind in (None, "original") else f"{kind}."
    return f"{words.region(at[0])}.{words.map('_'.join(at[1:]))}.{middle}{parts['class']}.{parts['name']}"


def _row(
    key: str, examination: _MeasuredExamination, options: FeatureTableOptions, known: dict[str, Any]
) -> dict[str, Any]:
    unknown = f"unknown: {options.collection}/{options.name}"
    parts = {name: json_text(known[name]) if name in known else unknown for name in PARTS}
    return {
        "examination": key, "patient_id": examination.patient_id, "collection": options.collection, "feature_table": options.name,
        "time_point": examination.time_point, "software": str(known.get("software", "unknown")), **parts,
        "mask_kind": str(known.get("mask_kind", "unknown")), "batch": examination.batch,
        "n_features": sum(v is not None for v in examination.values.values()),
        "features": json_text(dict(sorted(examination.values.items()))),
    }  # fmt: skip


def _diagnosed(sheet: Sheet) -> dict[str, Any]:
    """Software and settings as PyRadiomics wrote them into every row, where all rows say the same."""
    texts = {}
    for name in (VERSION, CONFIGURATION, IMAGE_TYPES):
        at = sheet.column([header_key(name)])
        values = {cells[at] for _, cells in sheet.rows} if at is not None else set()
        if len(values) == 1 and (text := values.pop().strip()):
            texts[name] = text
    known: dict[str, Any] = {}
    if VERSION in texts:
        known["software"] = f"pyradiomics {texts[VERSION]}"
    try:
        if CONFIGURATION in texts:
            known["settings"] = {"setting": _literal(texts[CONFIGURATION])}
            if IMAGE_TYPES in texts:
                known["settings"]["imageType"] = _literal(texts[IMAGE_TYPES])
    except (ValueError, SyntaxError):
        known.pop("settings", None)
    return known


def _literal(text: str) -> Any:
    """A Python literal, as PyRadiomics writes its settings; never code."""
    return json.loads(json.dumps(ast.literal_eval(text)))


def read_settings(path: Path) -> dict[str, Any]:
    """What a file of settings says. Raises NotFound or InvalidInput."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    try:
        text = written_text(path)
        document = _parsed(path, text)
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot be read ({error})", where=str(path), repair="Write TOML, JSON or YAML") from None
    if not isinstance(document, dict) or not document:
        raise InvalidInput(
            "holds no settings", where=str(path), repair=f"Expected software, mask_kind, {', '.join(PARTS)}"
        )
    if {"setting", "imageType", "featureClass"} & document.keys():
        return {"software": "pyradiomics", "settings": document}
    strange = sorted(document.keys() - {"software", "mask_kind", *PARTS})
    if strange:
        raise InvalidInput(
            f"no part '{strange[0]}'", where=str(path), repair=f"Expected software, mask_kind, {', '.join(PARTS)}"
        )
    return json.loads(json.dumps(document, default=str))


def _parsed(path: Path, text: str) -> Any:
    if path.suffix.lower() == ".toml":
        return tomllib.loads(text)
    if path.suffix.lower() in (".yaml", ".yml"):
        try:
            from ruamel.yaml import YAML, YAMLError  # comes with PyRadiomics
        except ImportError:
            raise InvalidInput("YAML needs the extra imaging", where=str(path), repair="Write TOML or JSON") from None
        try:
            return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))
        except YAMLError as error:
            raise ValueError(str(error).splitlines()[0]) from None
    return json.loads(text)


def _recorded(request: Request, settings: Settings) -> dict[str, Any]:
    """The table's name in the study, and how the features were computed, where a file of settings is named."""
    known = read_settings(request.files["settings"]) if "settings" in request.files else {}
    options = {"table": request.name.split(".")[0], "settings": known, **request.options}
    added = {column: words for column, words in settings.vocabulary.added.items() if column in OF_FEATURES}
    return {**options, "vocabulary": added} if added else options


def _read(path: Path, request: Request) -> FileContent:
    given = request.options
    options = FeatureTableOptions(
        request.collection, given["table"], given.get("region"), given.get("map"), given["settings"],
        Vocabulary(given.get("vocabulary")),
    )  # fmt: skip
    return read(path, options)


def _describes(head: Head) -> Described | None:
    patients = {header_key(name) for name in PATIENT}
    for header in headers_of(head):
        matches = [
            m
            for name in header
            if (m := PYRADIOMICS.fullmatch(name) or OUR_SHAPE.fullmatch(name) or OURS.fullmatch(name))
        ]
        if not matches or not patients & {header_key(h) for h in header}:
            continue
        says_where = {"region", "map"} <= {header_key(h) for h in header}
        words = FeatureWords(Vocabulary(), {}, FileContent())  # only whether the columns say where they are from
        is_certain = says_where or all(_name(match, None, None, words) is not None for match in matches)
        return Described(
            f"a table of radiomic features, {len(matches):,} columns", is_certain, "of which region and map its columns are",
            "ingest features FILE --collection NAME --region tumor --map SI",
        )  # fmt: skip
    return None


READER = Reader(
    name="features",
    about="a table of radiomic features by PyRadiomics' names",
    part=Part.FEATURES,
    precedence=LAST,
    read=_read,
    recorded=_recorded,
    command="ingest features",
    describes=_describes,
)
