"""Rows that are strange beside the others of their source, and what stands under two names: findings, whichever reader it was.

Off      a patient whose numbers lie orders of magnitude from the others' in most columns (`tshdb.outlying_rows`)
Masks    the same voxels at the same place under two patients' names.
Twins    two patients with the same values in every column but identifiers, where that cannot be chance: their shared values,
         each as seldom as it is among the others, would meet in any two of its patients less than once in 32 times. Two samples
         with the same expression, two patients with the same features, to the last digit, also of sources that stand already.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from math import log2

import numpy as np
from sqlalchemy import Connection, select

from tshdb.database import texts
from tshdb.engine.units import select_ids
from tshdb.file_content import FileContent, Finding
from tshdb.loading.compare import Comparison
from tshdb.outlying_rows import outlying_rows, said
from tshdb.schema import ExpressionProfile, ImagingStudy, ImportedFeature, Sample, Segmentation
from tshdb.text_files import number
from tshdb.vocabulary import Severity

CHANCE_BITS = 5.0
SAME, CORRELATED = 0.5, 0.9
FEWEST_FIELDS = 4
FEWEST_VALUES = 10  # genes, features or voxels, below which equal values may be chance
IDENTIFIER = re.compile(
    r"(?i)(^|[^a-z])(id|ids|uuid|barcode|name|mrn|number|nr|no)([^a-z]|$)|identifier|^unnamed|_id$|ID$"
)
MOST = 50  # findings of a kind

Fields = dict[str, tuple[str | None, ...]]


def note_odd_rows(content: FileContent) -> None:
    """Add findings on patients whose values are strange beside the others of the file."""
    patients: dict[str, dict[str, list[str | None]]] = defaultdict(lambda: defaultdict(list))
    line: dict[str, int] = {}
    for value in content.raw_values:
        patients[value.patient_id][value.field].append(value.value)
        line.setdefault(value.patient_id, value.line)
    if len(patients) < 2:
        return
    rows = {patient: {f: tuple(v) for f, v in fields.items()} for patient, fields in patients.items()}
    fields = sorted({field for row in rows.values() for field in row})
    numbers = {field: column for field in fields if (column := _numbers(field, rows)) is not None}
    named = {field for field in fields if _is_identifier(field, rows, numbers.get(field))}
    compared = [f for f in fields if f not in named]
    measured = [numbers[f] for f in compared if f in numbers]
    twins = _alike(rows, compared)
    if not twins and not (measured and outlying_rows(np.column_stack(measured))):
        return
    own = _own_fields(compared, rows, numbers)
    _note_off(rows, {f: numbers[f] for f in own if f in numbers}, line, content)
    _note_twins(rows, twins, compared, own, line, content)


def _numbers(field: str, rows: dict[str, Fields]) -> np.ndarray | None:
    """(patients,) the numbers of a field, NaN where there is none; None for a field of words."""
    column = []
    for row in rows.values():
        text = next((v for v in row.get(field, ()) if v is not None), None)
        value = None if text is None else number(text)
        if text is not None and value is None:
            return None
        column.append(np.nan if value is None else value)
    values = np.array(column, dtype=float)
    return None if np.isnan(values).all() else values


def _note_off(
    rows: dict[str, Fields], numbers: dict[str, np.ndarray], line: dict[str, int], content: FileContent
) -> None:
    if not numbers:
        return
    names, patients = list(numbers), list(rows)
    for row in outlying_rows(np.column_stack(list(numbers.values())))[:MOST]:
        patient, field = patients[row.row], names[row.column]
        text = next((v for v in rows[patient].get(field, ()) if v is not None), None)
        content.warn(line[patient], field, text, "clinical.row-off", f"{patient}: {said(row)}")


def _is_identifier(field: str, rows: dict[str, Fields], numbers: np.ndarray | None) -> bool:
    """Whether a field names the row: by its header, by words of which each stands once, or as a running number."""
    if IDENTIFIER.search(field):
        return True
    known = [row[field] for row in rows.values() if field in row and row[field] != (None,)]
    if len(set(known)) < len(known) or len(known) < len(rows):
        return False
    return numbers is None or bool((np.diff(numbers) == 1).all())


def _own_fields(fields: list[str], rows: dict[str, Fields], numbers: dict[str, np.ndarray]) -> list[str]:
    """The fields that say something of their own: not the same for half of the patients, or as many numbers, as one before.

    Days to death and days of survival, age in days and in years are one word said twice.
    """
    own: list[str] = []
    codes: dict[str, np.ndarray] = {}
    for field in fields:
        values = [row.get(field, ()) for row in rows.values()]
        number_of = {value: i for i, value in enumerate(dict.fromkeys(values))}
        code = np.array([number_of[value] for value in values])
        if len(number_of) > 1 and not any(
            _says_the_same(field, code, other, codes[other], rows, numbers) for other in own
        ):
            own.append(field)
            codes[field] = code
    return own


def _says_the_same(field: str, code: np.ndarray, other: str, code_of_other: np.ndarray, rows, numbers) -> bool:
    here, there = numbers.get(field), numbers.get(other)
    if here is not None and there is not None:
        known = ~(np.isnan(here) | np.isnan(there))
        if known.sum() < 3:
            return False
        one, two = here[known], there[known]
        if (one == two).mean() > SAME:
            return True
        if one.std() == 0 or two.std() == 0:
            return False
        ranks = [np.argsort(np.argsort(x, kind="stable"), kind="stable") for x in (one, two)]  # one row decides nothing
        return bool(abs(np.corrcoef(*ranks)[0, 1]) > CORRELATED)
    kinds, kinds_of_other = int(code.max()) + 1, int(code_of_other.max()) + 1
    n_pairs = len(np.unique(code * kinds_of_other + code_of_other))
    return n_pairs == max(kinds, kinds_of_other) < len(rows) / 2


def _alike(rows: dict[str, Fields], fields: list[str]) -> list[tuple[tuple, list[str]]]:
    """(values of the fields, the patients that have them) of those that more than one has."""
    groups: dict[tuple, list[str]] = defaultdict(list)
    for patient, row in rows.items():
        groups[tuple(row.get(field, ()) for field in fields)].append(patient)
    return [(shared, names) for shared, names in groups.items() if len(names) > 1]


def _note_twins(
    rows: dict[str, Fields], twins: list[tuple[tuple, list[str]]], fields: list[str], own: list[str],
    line: dict[str, int], content: FileContent,
) -> None:  # fmt: skip
    """fields: in which twins agree; own: of which their agreement is weighed."""
    how_often = {field: Counter(row.get(field, ()) for row in rows.values()) for field in own}
    needed = 2 * log2(len(rows)) + CHANCE_BITS
    for shared, names in twins[:MOST]:
        of_field = dict(zip(fields, shared, strict=True))
        seldom = {field: how_often[field][of_field[field]] - 1 for field in own if any(of_field[field])}
        bits = [log2(len(rows) / n) for n in seldom.values()]
        if len(bits) >= FEWEST_FIELDS and sum(bits) > needed:
            content.warn(
                line[names[1]], None, names[1], "patient.same-row",
                f"{', '.join(names)} have the same values in all {len(fields)} columns: one person under {len(names)} names?",
            )  # fmt: skip


# --------------------------------------------------------------------------------------- also beside what stands


def same_contents(connection: Connection, comparison: Comparison) -> list[Finding]:
    """Profiles, features and masks that are new or moved, and that another name has to the last digit."""
    same = (_same_profiles, _same_features, _same_masks)
    return [finding for find in same for finding in find(connection, comparison)]


def _moved(comparison: Comparison, table: str) -> dict[str, dict]:
    rows = {key: row for (name, key), row in comparison.after.items() if name == table and row is not None}
    return {key: row for key, row in rows.items() if comparison.before.get((table, key)) != row}


def _same_profiles(connection: Connection, comparison: Comparison) -> Iterator[Finding]:
    moved = _moved(comparison, "expression_profiles")
    moved = {key: row for key, row in moved.items() if row["n_genes"] - row["n_missing"] >= FEWEST_VALUES}
    if not moved:
        return
    aliquots = {key: row["aliquot_id"] for key, row in moved.items()}
    by_values: dict[str, set[str]] = defaultdict(set)
    for key, row in moved.items():
        by_values[row["values_fingerprint"]].add(key)
    profile = ExpressionProfile
    with texts(connection, "moved_fingerprints", by_values) as name:
        query = select(profile.profile_id, profile.aliquot_id, profile.values_fingerprint)
        for key, aliquot, digest in connection.execute(query.where(profile.values_fingerprint.in_(select_ids(name)))):
            if comparison.after.get(("expression_profiles", key), True) is not None and key not in moved:
                aliquots[key] = aliquot
                by_values[digest].add(key)
    patients = _patients_of_samples(connection, comparison)
    n = 0
    for keys in by_values.values():
        names = sorted({aliquots[key] for key in keys})
        if len(names) > 1 and n < MOST:
            n += 1
            of = sorted({patients.get(a, "") for a in names} - {""})
            whose = f" of {len(of)} patients" if len(of) > 1 else ""
            yield _warn(
                "rna.same-profile",
                names[0],
                f"{', '.join(names)}{whose} have the same values to the last digit: one sample?",
            )


def _patients_of_samples(connection: Connection, comparison: Comparison) -> dict[str, str]:
    """aliquot or sample -> patient, of the samples that are being loaded."""
    rows = [row for (table, _), row in comparison.after.items() if table == "samples" and row is not None]
    patients = {row["sample_id"]: row["patient_id"] for row in rows}
    patients |= dict(map(tuple, connection.execute(select(Sample.sample_id, Sample.patient_id)))) if not rows else {}
    return patients


def _same_features(connection: Connection, comparison: Comparison) -> Iterator[Finding]:
    moved = {k: r for k, r in _moved(comparison, "imported_features").items() if r["n_features"] >= FEWEST_VALUES}
    if not moved:
        return
    by_values: dict[str, list[tuple[str, str, str, str]]] = defaultdict(list)
    of = ImportedFeature
    standing = connection.execute(select(of.examination, of.patient_id, of.feature_table, of.time_point, of.features))
    rows: Iterable[tuple] = [
        *((k, r["patient_id"], r["feature_table"], r["time_point"], r["features"]) for k, r in moved.items()),
        *(
            tuple(row)
            for row in standing
            if row[0] not in moved and comparison.after.get(("imported_features", row[0]), True) is not None
        ),
    ]
    for examination, *rest, features in rows:
        by_values[features].append((examination, *rest))
    n = 0
    for same in by_values.values():
        people = sorted({patient for _, patient, *_ in same})
        points = {(table, point) for _, _, table, point in same}
        is_twice = len(people) > 1 or len({p for _, p in points}) > 1
        if len(same) > 1 and is_twice and any(e in moved for e, *_ in same) and n < MOST:
            n += 1
            names = ", ".join(sorted(e for e, *_ in same))
            whose = f" of {len(people)} patients" if len(people) > 1 else ""
            yield _warn(
                "features.same-examination", next(e for e, *_ in same if e in moved),
                f"{names}{whose} have the same features to the last digit: one examination under {len(same)} names?",
            )  # fmt: skip


def _same_masks(connection: Connection, comparison: Comparison) -> Iterator[Finding]:
    moved = {key: row for key, row in _moved(comparison, "segmentations").items() if row["n_voxels"] >= FEWEST_VALUES}
    if not moved:
        return
    patients = dict(map(tuple, connection.execute(select(ImagingStudy.study_uid, ImagingStudy.patient_id))))
    rows = [row for (table, _), row in comparison.after.items() if table == "imaging_studies" and row is not None]
    patients |= {row["study_uid"]: row["patient_id"] for row in rows}
    by_voxels: dict[str, dict[str, str]] = defaultdict(dict)  # voxels -> segmentation -> patient
    of = Segmentation
    with texts(connection, "moved_voxels", {row["object_id"] for row in moved.values()}) as name:
        query = select(of.segmentation_id, of.study_uid, of.object_id).where(of.object_id.in_(select_ids(name)))
        for key, study_uid, voxels in connection.execute(query):
            if key not in moved and comparison.after.get(("segmentations", key), True) is not None:
                by_voxels[voxels][key] = patients.get(study_uid, "")
    for key, row in moved.items():
        by_voxels[row["object_id"]][key] = patients.get(row["study_uid"], "")
    n = 0
    for same in by_voxels.values():
        people = sorted(set(same.values()))
        if len(people) > 1 and n < MOST:
            n += 1
            yield _warn(
                "mask.two-patients", sorted(same)[0],
                f"{', '.join(sorted(same))} of {', '.join(people)} are the same voxels at the same place: whose are they?",
            )  # fmt: skip


def _warn(rule: str, value: str, message: str) -> Finding:
    return Finding(None, None, value, rule, Severity.WARNING, message)
