"""Which profile speaks for a patient's tumour or stroma, where there are several.

Rule A7.3, for every (patient, sample type, unit): measured as the patient's other compartment was (a ratio of two
workflows, gene models or gene sets is no ratio), not FFPE, analyte H before R before T, the first vial, the highest plate,
the highest barcode (after the Broad's Firehose rule for replicate aliquots). Of one aliquot in several sources the profile that
a person chose, else the later one (A7.4), else the one with most genes, of the reader that is believed first; where they still
differ nobody's is selected, since a source's name says nothing. What an annotation excludes is never selected, and says by
which. All profiles are kept; the one selected says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from tshdb.barcode import Barcode
from tshdb.database import bulk_insert, texts
from tshdb.dated import is_later
from tshdb.engine.units import select_ids
from tshdb.loading.believed import is_decision, rank_of
from tshdb.loading.sources import SourceRow, records_of_rows
from tshdb.readers import LAST
from tshdb.schema import Annotation, Conflict, ExpressionProfile, Sample
from tshdb.vocabulary import Compartment, Effect

RULE, RULE_OF_DATES = "A7.3", "A7.4"
SELECTED = "is_selected"
UNDECIDED = "undecided: another source has other values of this aliquot, and none is known to be the later one"
_ANALYTES = {"H": 0, "R": 1, "T": 2}


def preference(aliquot_id: str, preservation: str | None) -> tuple:
    """A sort key of aliquots: the smallest is selected."""
    plate, analyte, vial = "", None, ""
    if Barcode.is_one(aliquot_id):
        barcode = Barcode.parse(aliquot_id)
        plate, analyte, vial = barcode.plate or "", barcode.analyte, barcode.vial or ""
    is_ffpe = preservation is not None and "FFPE" in preservation.upper()
    return (is_ffpe, _ANALYTES.get(analyte, 3), vial, _reversed(plate), _reversed(aliquot_id))


def _exclusion(profile, notices) -> str | None:
    """The notice that excludes a profile: about its patient, its sample, or a part of which it was taken."""
    for notice in notices:
        if notice.patient_id != profile.patient_id:
            continue
        entity = notice.entity_id
        about_patient = notice.entity_type == "case" or entity == profile.patient_id
        is_part = entity.startswith(profile.patient_id) and (
            profile.aliquot_id.startswith(entity) or profile.sample_id.startswith(entity)
        )
        if about_patient or is_part:
            return f"annotation {notice.annotation_id}: {notice.category}"
    return None


def _reversed(text: str) -> tuple:
    """Sorts text from the highest to the lowest; what goes on is higher than where it began."""
    return (*(-ord(c) for c in text), 0)


def _measured(profile) -> tuple:
    """What two profiles must share to be measured in the same way."""
    return (profile.patient_id, profile.unit, profile.workflow, profile.gene_model, profile.n_genes)


class _Choice(NamedTuple):
    """The profiles that are selected, each with the rule that chose it, and those among which nobody has decided."""

    rules: dict[str, str]
    undecided: list[list[Any]]


def _chosen(connection: Connection, rows: Sequence[Any], exclusion: dict[str, str | None]) -> _Choice:
    """One profile of every (patient, sample type, unit), or none where sources of one aliquot differ."""
    compartments: dict[tuple, set] = {}
    for row in rows:
        if exclusion[row.profile_id] is None:
            compartments.setdefault(_measured(row), set()).add(row.compartment)
    best: dict[tuple, tuple[tuple, list]] = {}
    for row in rows:
        if exclusion[row.profile_id] is not None:
            continue
        group = (row.patient_id, row.sample_type_code or row.compartment, row.unit)
        is_alone = not {Compartment.TUMOR, Compartment.STROMA} <= compartments[_measured(row)]
        rank = (is_alone, *preference(row.aliquot_id, row.preservation_method))
        if group not in best or rank < best[group][0]:
            best[group] = rank, []
        if rank == best[group][0]:
            best[group][1].append(row)
    choice = _Choice({}, [])
    tied = [row.profile_id for _, alike in best.values() if len(alike) > 1 for row in alike]
    words = _words(connection, tied)
    for _, alike in best.values():
        if len(alike) == 1:
            choice.rules[alike[0].profile_id] = RULE
            continue
        left, rule = _of_one_aliquot(alike, words)
        if len({row.values_fingerprint for row in left}) == 1:
            choice.rules[min(row.profile_id for row in left)] = rule
        else:
            choice.undecided.append(left)
    return choice


def _of_one_aliquot(alike: list[Any], words: dict[str, list[SourceRow]]) -> tuple[list[Any], str]:
    """(the profiles that are left, by which rule) of several of one aliquot: decided, later, with most genes, believed first."""
    decided = [r for r in alike if any(is_decision(w) and w.values.get(SELECTED) for w in words.get(r.profile_id, ()))]
    if len(decided) == 1:
        return decided, RULE_OF_DATES
    refused = {r.profile_id for r in alike if any(w.values.get(SELECTED) is False for w in words.get(r.profile_id, ()))}
    left = [r for r in alike if r.profile_id not in refused] or alike
    said = {r.profile_id: next((w for w in words.get(r.profile_id, ()) if not is_decision(w)), None) for r in left}
    as_of = {profile: None if word is None else word.as_of for profile, word in said.items()}
    late = [r for r in left if not any(is_later(as_of[o.profile_id], as_of[r.profile_id]) for o in left)]
    rule = RULE if len(late) == len(alike) else RULE_OF_DATES
    most = max(r.n_genes for r in late)
    late = [r for r in late if r.n_genes == most]
    rank = {r.profile_id: LAST if (word := said[r.profile_id]) is None else rank_of(word) for r in late}
    first = min(rank.values())
    return [r for r in late if rank[r.profile_id] == first], rule


def _words(connection: Connection, profiles: Iterable[str]) -> dict[str, list[SourceRow]]:
    """profile -> what its source and people say of it, of profiles that are not alone."""
    table = ExpressionProfile.__tablename__
    said = records_of_rows(connection, [(table, profile) for profile in profiles])
    return {key: rows for (_, key), rows in said.items()}


def chosen_otherwise(connection: Connection, patients: Iterable[str]) -> list[dict[str, Any]]:
    """The profiles of these patients whose row does not say what the rule says, with what it says."""
    return _compared(*_looked_at(connection, patients))


def _looked_at(connection: Connection, patients: Iterable[str]) -> tuple[Sequence[Any], dict[str, str | None], _Choice]:
    with texts(connection, "chosen_patients", patients) as name:
        rows = connection.execute(
            select(
                Sample.patient_id,
                Sample.sample_type_code,
                Sample.compartment,
                ExpressionProfile.unit,
                ExpressionProfile.aliquot_id,
                ExpressionProfile.n_genes,
                ExpressionProfile.workflow,
                ExpressionProfile.gene_model,
                ExpressionProfile.profile_id,
                ExpressionProfile.is_selected,
                ExpressionProfile.selection_rule,
                ExpressionProfile.exclusion,
                ExpressionProfile.values_fingerprint,
                Sample.sample_id,
                Sample.preservation_method,
            )
            .join(Sample, Sample.sample_id == ExpressionProfile.sample_id)
            .where(Sample.patient_id.in_(select_ids(name)))
        ).fetchall()
        notices = connection.execute(
            select(Annotation.patient_id, Annotation.entity_type, Annotation.entity_id, Annotation.annotation_id,
                   Annotation.category)
            .where(Annotation.patient_id.in_(select_ids(name)), Annotation.effect == Effect.EXCLUDE)
            .order_by(Annotation.annotation_id)
        ).fetchall()  # fmt: skip
    exclusion = {row.profile_id: _exclusion(row, notices) for row in rows}
    choice = _chosen(connection, rows, exclusion)
    exclusion |= {row.profile_id: UNDECIDED for group in choice.undecided for row in group}
    return rows, exclusion, choice


def _compared(rows: Sequence[Any], exclusion: dict[str, str | None], choice: _Choice) -> list[dict[str, Any]]:
    wanted = [
        {
            "b_id": r.profile_id,
            "b_selected": r.profile_id in choice.rules,
            "b_rule": choice.rules.get(r.profile_id),
            "b_exclusion": exclusion[r.profile_id],
        }
        for r in rows
    ]
    return [
        new
        for r, new in zip(rows, wanted, strict=True)
        if (r.is_selected, r.selection_rule, r.exclusion) != (new["b_selected"], new["b_rule"], new["b_exclusion"])
    ]


def select_profiles(connection: Connection, patients: Iterable[str]) -> None:
    """Choose anew for these patients: write is_selected where it moved, and in `conflicts` what nobody has decided."""
    rows, exclusion, choice = _looked_at(connection, patients)
    moved = _compared(rows, exclusion, choice)
    if moved:
        table = ExpressionProfile.__table__
        connection.execute(
            update(table)
            .where(table.c.profile_id == bindparam("b_id"))
            .values(
                is_selected=bindparam("b_selected"),
                selection_rule=bindparam("b_rule"),
                exclusion=bindparam("b_exclusion"),
            ),
            moved,
        )
    _write_conflicts(connection, [row.profile_id for row in rows], choice.undecided)


def _write_conflicts(connection: Connection, profiles: Sequence[str], undecided: Sequence[Sequence[Any]]) -> None:
    """In place of those that these profiles had: of each undecided one the sources of the others."""
    name = ExpressionProfile.__tablename__
    of_selection = (Conflict.table_name == name) & (Conflict.column_name == SELECTED)
    if connection.execute(select(Conflict.row_key).where(of_selection).limit(1)).first() is not None:
        with texts(connection, "profiles_chosen", profiles) as asked:
            connection.execute(delete(Conflict).where(of_selection, Conflict.row_key.in_(select_ids(asked))))
    words = _words(connection, [row.profile_id for group in undecided for row in group])
    source = {profile: next(str(w.source) for w in said if not is_decision(w)) for profile, said in words.items()}
    bulk_insert(
        connection,
        Conflict.__table__,
        [
            {"table_name": name, "row_key": row.profile_id, "column_name": SELECTED, "held_source": "", "held_value": None,
             "other_source": source[other.profile_id], "other_value": other.profile_id, "rule": UNDECIDED}
            for group in undecided for row in group for other in group if other.profile_id != row.profile_id
        ],
    )  # fmt: skip
