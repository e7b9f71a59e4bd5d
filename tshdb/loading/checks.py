"""What only shows when sources are seen together: patients whom only one kind of source knows, RNA of the other sex,
samples that belong to nobody. Findings are warnings: each file is right by itself, and a person must look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection, select

from tshdb.database import texts, tuples
from tshdb.engine.units import select_ids
from tshdb.file_content import Finding
from tshdb.loading.compare import Comparison
from tshdb.loading.sources import row_key
from tshdb.schema import ImagingDecision, LesionVerdict, QcVerdict, Segmentation
from tshdb.vocabulary import Compartment, Severity

SEX_RATIO = 100.0  # one gene must outweigh the other so many times before the RNA is said to have a sex
SEX_MINIMUM = {"tpm": 1.0, "fpkm": 1.0, "fpkm_uq": 1.0, "rsem": 20.0, "counts": 20.0}  # linear, of the heavier gene


def findings_together(connection: Connection, comparison: Comparison) -> list[Finding]:
    """The findings, rows of the study and what is being loaded taken together."""
    state = _State(connection, comparison)
    return [
        *_lonely_patients(state),
        *_other_sex(state, comparison),
        *_several_profiles(state),
        *_other_tissues(state, comparison),
        *_mixed_models(state),
    ]


def still_named(connection: Connection, comparison: Comparison) -> list[Finding]:
    """Examinations that would go while masks, decisions or verdicts of them stay: errors, since nothing is lost silently."""
    gone = [key for (table, key), row in comparison.after.items() if table == "imaging_studies" and row is None]
    findings = []
    with texts(connection, "gone_studies", gone) as name:
        for table in (Segmentation, ImagingDecision, QcVerdict, LesionVerdict):
            rows = connection.execute(
                select(*table.__table__.primary_key, table.study_uid).where(table.study_uid.in_(select_ids(name)))
            ).mappings()
            for row in rows:
                key = (table.__tablename__, row_key(table, row))
                if comparison.after.get(key, row) is not None:
                    message = f"{key[0]}/{key[1]} is of an examination that is gone: withdraw it first, with --complete"
                    findings.append(
                        Finding(None, "study_uid", row["study_uid"], "study.still-named", Severity.ERROR, message)
                    )
    return findings


def _warn(rule: str, value: str | None, message: str, column: str | None = None) -> Finding:
    return Finding(None, column, value, rule, Severity.WARNING, message)


class _State:
    """The rows as they will stand, of the patients that this ingest touches."""

    def __init__(self, connection: Connection, comparison: Comparison):
        self.patients = self._table(connection, comparison, "patients", ("patient_id", "sex", "collection"))
        columns = ("sample_id", "patient_id", "compartment", "sample_type_code")
        self.samples = self._table(connection, comparison, "samples", columns)
        self.outcomes = self._table(connection, comparison, "follow_ups", ("patient_id", "endpoint"))
        columns = ("profile_id", "sample_id", "aliquot_id", "unit", "gene_model")
        self.profiles = self._table(connection, comparison, "expression_profiles", columns)
        self.touched = {
            row["patient_id"] for (t, _), row in comparison.after.items() if row is not None and "patient_id" in row
        }

    @staticmethod
    def _table(connection, comparison: Comparison, table: str, columns: tuple[str, ...]) -> dict[str, dict]:
        rows = {}
        for values in tuples(connection, f"SELECT {', '.join(columns)} FROM {table}"):
            row = dict(zip(columns, values, strict=True))
            rows["|".join(map(str, values[: 2 if table == "follow_ups" else 1]))] = row
        for (name, key), after in comparison.after.items():
            if name == table:
                if after is None:
                    rows.pop(key, None)
                else:
                    rows[key] = {c: after[c] for c in columns}
        return rows


def _lonely_patients(state: _State) -> Iterator[Finding]:
    """Patients of a collection with RNA and outcomes who have only one of the two."""
    with_rna = {s["patient_id"] for s in state.samples.values()}
    with_outcome = {o["patient_id"] for o in state.outcomes.values()}
    if not with_rna or not with_outcome:
        return
    for patient in sorted(state.touched & (with_rna - with_outcome)):
        yield _warn("patient.only-rna", patient, "has RNA, but no clinical row: is the identifier the same in both?")
    for patient in sorted(state.touched & (with_outcome - with_rna)):
        yield _warn("patient.only-clinical", patient, "has an outcome, but no RNA: it takes part in no abundance")


def _other_sex(state: _State, comparison: Comparison) -> Iterator[Finding]:
    """RNA with the Y chromosome's RPS4Y1 and without XIST, of a woman; or the reverse, of a man."""
    for profile_id, (xist, rps4y1) in sorted(comparison.sex_markers.items()):
        profile = state.profiles.get(profile_id)
        sample = state.samples.get(profile["sample_id"]) if profile else None
        patient = state.patients.get(sample["patient_id"]) if sample else None
        if patient is None or patient["sex"] is None:
            continue
        least = SEX_MINIMUM.get(str(profile["unit"]))
        if least is None:
            continue
        seen = None
        if rps4y1 >= least and rps4y1 > SEX_RATIO * (xist + least / 20):
            seen = "male"
        elif xist >= least and xist > SEX_RATIO * (rps4y1 + least / 20):
            seen = "female"
        if seen is not None and seen != patient["sex"]:
            yield _warn(
                "sample.other-sex",
                profile["aliquot_id"],
                f"XIST {xist:g}, RPS4Y1 {rps4y1:g} are of a {seen} sample, but {sample['patient_id']} is recorded as "
                f"{patient['sex']}: are samples swapped?",
            )


def _several_profiles(state: _State) -> Iterator[Finding]:
    """Several aliquots of one patient, sample type and unit: the rule selects one, the others are kept."""
    groups: dict[tuple[str, str, str], list[dict]] = defaultdict(list)
    for profile in state.profiles.values():
        sample = state.samples.get(profile["sample_id"])
        if sample is not None and sample["compartment"] != Compartment.OTHER and sample["patient_id"] in state.touched:
            groups[sample["patient_id"], str(sample["compartment"]), str(profile["unit"])].append(profile)
    for (patient, compartment, _), profiles in sorted(groups.items()):
        if len(profiles) > 1:
            names = sorted(p["aliquot_id"] for p in profiles)
            message = f"{len(profiles)} {compartment} profiles ({', '.join(names)}); the rule selects one"
            if len(set(names)) < len(names):
                message += "; without aliquot barcodes it cannot look at plates: files.json of the GDC's API has them"
            yield _warn("aliquot.several", patient, message)


def _other_tissues(state: _State, comparison: Comparison) -> Iterator[Finding]:
    """New samples that are neither primary tumour nor solid normal: no analysis of pairs takes them."""
    for (table, key), row in sorted(comparison.after.items()):
        if (
            table == "samples"
            and row is not None
            and key not in comparison.before
            and row["compartment"] == Compartment.OTHER
        ):
            code = row["sample_type_code"]
            yield _warn(
                "sample.other-tissue", key, f"sample type {code or 'not known'}: neither tumour (01) nor normal (11)"
            )


def _mixed_models(state: _State) -> Iterator[Finding]:
    """Profiles of one unit that were counted with several gene annotations."""
    models: dict[str, set[str]] = defaultdict(set)
    for profile in state.profiles.values():
        if profile["gene_model"] is not None:
            models[str(profile["unit"])].add(profile["gene_model"])
    for unit, names in sorted(models.items()):
        if len(names) > 1:
            yield _warn(
                "rna.gene-models-mixed", ", ".join(sorted(names)),
                f"{unit} profiles of several gene annotations do not compare",
            )  # fmt: skip
