"""Which profile speaks for a patient's tumour or stroma, where there are several.

Rule A7.3, for every (patient, sample type, unit): measured as the patient's other compartment was (a ratio of two
workflows, gene models or gene sets is no ratio), not FFPE, analyte H before R before T, the first vial, the highest plate,
the highest barcode (after the Broad's Firehose rule for replicate aliquots), then most genes, then the source's name. What
an annotation excludes is never selected, and says by which. All profiles are kept; the one selected says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from tshdb.barcode import Barcode
from tshdb.database import texts
from tshdb.engine.units import select_ids
from tshdb.schema import Annotation, ExpressionProfile, Sample
from tshdb.vocabulary import Compartment, Effect

RULE = "A7.3"
_ANALYTES = {"H": 0, "R": 1, "T": 2}


def preference(aliquot_id: str, preservation: str | None, n_genes: int, profile_id: str) -> tuple:
    """A sort key: the smallest is selected."""
    plate, analyte, vial = "", None, ""
    if Barcode.is_one(aliquot_id):
        barcode = Barcode.parse(aliquot_id)
        plate, analyte, vial = barcode.plate or "", barcode.analyte, barcode.vial or ""
    is_ffpe = preservation is not None and "FFPE" in preservation.upper()
    return (is_ffpe, _ANALYTES.get(analyte, 3), vial, _reversed(plate), _reversed(aliquot_id), -n_genes, profile_id)


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


def chosen_otherwise(connection: Connection, patients: Iterable[str]) -> list[dict[str, Any]]:
    """The profiles of these patients whose row does not say what the rule says, with what it says."""
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
    compartments: dict[tuple, set] = {}
    for row in rows:
        if exclusion[row.profile_id] is None:
            compartments.setdefault(_measured(row), set()).add(row.compartment)
    best: dict[tuple, tuple] = {}
    for row in rows:
        if exclusion[row.profile_id] is not None:
            continue
        group = (row.patient_id, row.sample_type_code or row.compartment, row.unit)
        is_alone = not {Compartment.TUMOR, Compartment.STROMA} <= compartments[_measured(row)]
        rank = preference(row.aliquot_id, row.preservation_method, row.n_genes, row.profile_id)
        candidate = ((is_alone, *rank), row.profile_id)
        best[group] = min(best.get(group, candidate), candidate)
    chosen = {profile for _, profile in best.values()}
    wanted = [
        {
            "b_id": r.profile_id,
            "b_selected": r.profile_id in chosen,
            "b_rule": RULE if r.profile_id in chosen else None,
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
    """Choose anew for these patients, and write is_selected where it moved."""
    moved = chosen_otherwise(connection, patients)
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
