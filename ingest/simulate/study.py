"""A whole simulated study in the archives' own formats, patient by patient, and its truth.

Folder   <collection>/ for each of the three: gdc/ (STAR counts, sheet, manifest, clinical.tsv, Biotab) or the workbook;
         TCIA's folders of images; .les files or outlines in NIfTI; without images features/, a table a collection.
         truth.json: settings, formulas, what was planted.
         simulation.jsonl: one line a patient who is complete; who stands there is not written again, so that a run that
         was stopped goes on, and a study grows.
Sameness The same settings give the same bytes, whatever the number of processes and in however many runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ingest.simulate import clinical_tables, feature_tables, star_counts, subjects
from ingest.simulate.files import write_lines
from ingest.simulate.star_counts import Marker
from ingest.simulate.subjects import (
    COLLECTION,
    HAS_IMAGES,
    HAS_RNA,
    Role,
    SimulationSettings,
    Subject,
    patient_id,
    subject,
)
from tshdb.errors import InvalidInput, UsageError
from tshdb.pool import pool_of

STATE = "simulation.jsonl"
TRUTH = "truth.json"
GDC = "gdc"
OUTLINE_FOLDER = "outlines"
AHEAD = 4  # patients a process may be ahead
ISPY1_BOOK = "I-SPY 1 All Patient Clinical and Outcome Data.xlsx"
NACT_BOOK = "SharedClinicalAndRFS.xls"
BIOTAB = "nationwidechildrens.org_clinical_patient_brca.txt"
COHORTS = {
    Role.PAIR: "tumor_stroma_development",
    **feature_tables.COHORTS,
    Role.TUMOR: "tumor_stroma_validation",
}  # of whom each is; the last excludes the members of others
WORDS = "Simulated by tshdb. Nobody here is a person; no image, value or outcome was observed."


@dataclass(frozen=True)
class Done:
    """What a run did."""

    n_new: int
    n_before: int
    counts: Mapping[Role, int]


def write_study(
    out: Path,
    counts: Mapping[Role, int],
    settings: SimulationSettings,
    markers: tuple[Marker, ...],
    *,
    jobs: int = 2,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Done:
    """Write the patients that are not there yet, then the tables. counts: patients a role; markers: of populations.

    Raises UsageError for a folder of something else, of other settings, or with more patients than are asked for, and for more
    than have identifiers.
    """
    for role, n in counts.items():
        patient_id(role, max(n - 1, 0))  # the last of them has an identifier, or nothing is written
    done = _begun(out, settings)
    wanted = [(role, i) for role in Role for i in range(counts.get(role, 0))]
    if extra := set(done) - set(wanted):
        raise UsageError(
            f"{out} has {len(extra)} patients more than are asked for", where="tshdb simulate",
            repair="Ask for as many or more, or name another folder",
        )  # fmt: skip
    todo = [who for who in wanted if who not in done]
    write = partial(write_patient, out, settings, markers)
    with (out / STATE).open("a", encoding="utf-8") as state:
        for n, (who, record) in enumerate(_each(write, todo, jobs), 1):
            done[who] = record
            state.write(json.dumps({"role": who[0], "number": who[1], **record}) + "\n")
            state.flush()
            progress("patients", n, len(todo))
        os.fsync(state.fileno())
    _write_tables(out, {who: done[who] for who in wanted}, settings)
    return Done(len(todo), len(wanted) - len(todo), counts)


def _begun(out: Path, settings: SimulationSettings) -> dict[tuple[Role, int], dict[str, Any]]:
    """The patients of an earlier run with the same settings; begins a new folder where there is none."""
    first = json.dumps({"simulated": True, "settings": settings.record()}, sort_keys=True)
    state = out / STATE
    if not state.exists():
        if out.exists() and any(out.iterdir()):
            raise UsageError(f"{out} is not empty", where="tshdb simulate", repair="Name a new folder")
        write_lines(state, [first])
        return {}
    lines = state.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0] != first:
        raise UsageError(
            f"{out} was simulated with other settings", where="tshdb simulate",
            repair=f"Give the settings of {out / TRUTH}, or name another folder",
        )  # fmt: skip
    done = {}
    whole = [first]
    for at, line in enumerate(lines[1:], 2):
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            if at < len(lines):
                raise InvalidInput("is damaged", where=f"{state}:{at}", repair="Simulate into a new folder") from None
            break  # the last line of a run that was stopped
        done[Role(record.pop("role")), record.pop("number")] = record
        whole.append(line)
    write_lines(state, whole)
    return done


def _each(write, todo: list, jobs: int) -> Iterator[tuple]:
    """Each patient's record, in their order."""
    if jobs == 1 or len(todo) < 3:
        for who in todo:
            yield who, write(who)
        return
    with pool_of(jobs, "forkserver") as pool:
        waiting = []
        rest = iter(todo)
        for who in islice(rest, jobs * AHEAD):
            waiting.append((who, pool.submit(write, who)))
        while waiting:
            who, future = waiting.pop(0)
            yield who, future.result()
            if (following := next(rest, None)) is not None:
                waiting.append((following, pool.submit(write, following)))


def write_patient(
    out: Path, settings: SimulationSettings, markers: tuple[Marker, ...], who: tuple[Role, int]
) -> dict[str, Any]:
    """All files of one patient; gives what the tables and the truth say of them."""
    patient = subject(settings, *who)
    folder = out / patient.collection
    record: dict[str, Any] = {"files": [], "images": []}
    if patient.role in HAS_RNA:
        record["files"] = star_counts.write_files(patient, settings, markers, folder / GDC)
    if patient.role in HAS_IMAGES and settings.has_images:
        from ingest.simulate.examinations import write_images

        record["images"] = write_images(patient, settings, folder)
    return record


# ------------------------------------------------------------------------------------------------- tables and truth


def _write_tables(out: Path, records: dict[tuple[Role, int], dict[str, Any]], settings: SimulationSettings) -> None:
    def of(*roles: Role) -> Iterator[Subject]:
        return (subject(settings, *who) for who in records if who[0] in roles)

    def files() -> Iterator[dict[str, Any]]:
        return (file for record in records.values() for file in record["files"])

    if any(who[0] in HAS_RNA for who in records):
        gdc = out / COLLECTION[Role.PAIR] / GDC
        write_lines(gdc / "gdc_manifest.txt", star_counts.manifest(files()))
        write_lines(gdc / "gdc_sample_sheet.tsv", star_counts.sample_sheet(files()))
        write_lines(gdc / "clinical.tsv", clinical_tables.clinical_rows(of(*HAS_RNA)))
        write_lines(gdc / BIOTAB, clinical_tables.biotab_rows(of(*HAS_RNA)))
    for role, write, name in (
        (Role.ISPY1, clinical_tables.write_ispy1, ISPY1_BOOK),
        (Role.NACT, clinical_tables.write_nact, NACT_BOOK),
    ):
        if patients := list(of(role)):
            write(out / COLLECTION[role] / name, patients)
    if settings.has_images:
        _write_sheets(out, of, settings)
    else:
        _write_features(out, of, settings)
    write_lines(out / TRUTH, _truth(records, settings))
    write_lines(out / "README.txt", _readme({who[0] for who in records}, settings.has_images))


def _write_features(out: Path, of: Callable[..., Iterator[Subject]], settings: SimulationSettings) -> None:
    """Tables of features in the place of images, how they were made, and cohorts of those who have them."""
    for role in HAS_IMAGES:
        if patients := list(of(role)):
            folder = out / feature_tables.TABLE
            write_lines(folder / f"{COLLECTION[role]}.csv", feature_tables.rows(patients, settings))
            write_lines(folder / "settings.toml", feature_tables.SETTINGS.splitlines())
            write_lines(folder / f"{feature_tables.COHORTS[role]}.sql", feature_tables.cohort_lines(role))


def _write_sheets(out: Path, of: Callable[..., Iterator[Subject]], settings: SimulationSettings) -> None:
    """Whose the outlines are that lie beside the images."""
    from ingest.simulate.outlines import ARCHIVES, OUTLINES

    for role in HAS_IMAGES:
        form = settings.outline or (None if role is Role.RADIOGENOMIC else ARCHIVES)
        if form is not None and OUTLINES[form].write is not None and (patients := list(of(role))):
            path = out / COLLECTION[role] / OUTLINE_FOLDER / "segmentations.csv"
            write_lines(path, _sheet(patients, settings.n_visits, form))


def _sheet(of_role: list[Subject], n_visits: int, form: str) -> Iterator[str]:
    """Whose outline each file is."""
    from ingest.simulate.outlines import outline_name

    yield "file,patient_id,time_point,kind,region"
    for patient in of_role:
        for visit in range(n_visits):
            name = outline_name(patient.patient_id, visit, form)
            yield f"{name},{patient.patient_id},T{visit},expert,tumor"


def _truth(records: dict[tuple[Role, int], dict[str, Any]], settings: SimulationSettings) -> Iterator[str]:
    """truth.json, one patient a line."""
    head = {
        "simulated": True,
        "words": WORDS,
        "settings": settings.record(),
        "model": (subjects.__doc__ or "").split("\n\n", 1)[1].strip().splitlines(),
        "populations": {
            name: dict(zip(("stroma_mean", "stroma_sd", "ratio_mean", "ratio_sd", "load"), values, strict=True))
            for name, values in subjects.POPULATIONS.items()
        },
        "base_hazard_per_year": subjects.BASE_HAZARD,
    }
    yield json.dumps(head, indent=1)[:-2] + ',\n "patients": ['
    last = len(records) - 1
    for i, (who, record) in enumerate(records.items()):
        patient = subject(settings, *who)
        row = {
            "patient_id": patient.patient_id, "collection": patient.collection, "role": patient.role,
            "z": patient.z, "u": patient.u, "tsh_ratios": patient.ratios, "stroma": patient.stroma,
            "outcome": patient.outcome, "clinical": patient.clinical,
            "images": record["images"],
        }  # fmt: skip
        yield "  " + json.dumps(row) + ("," if i < last else "")
    yield " ]\n}"


def _readme(roles: set[Role], has_images: bool) -> Iterator[str]:
    """The way from these files to the last survival curve."""
    yield WORDS
    yield "What was planted, and how much it moves: truth.json. In a study (tshdb init DIR --preset fan2023):"
    yield ""
    for collection in dict.fromkeys(COLLECTION[role] for role in Role if role in roles):
        yield f"  tshdb ingest {collection} --from HERE/{collection}"
    name = feature_tables.TABLE  # of the folder, and in the study
    if has_tables := not has_images and bool(roles & set(HAS_IMAGES)):
        yield ""
        yield f'There are no images, but features. In study.toml: [signature] features = "{name}"'
        for role in HAS_IMAGES:
            if role in roles:
                collection = COLLECTION[role]
                yield (f"  tshdb ingest features HERE/{name}/{collection}.csv --collection {collection} --name {name} "
                       f"--settings HERE/{name}/settings.toml")  # fmt: skip
    yield ""
    for role, cohort in COHORTS.items():
        if role in roles:
            folder = f"HERE/{name}" if has_tables and role in HAS_IMAGES else "cohorts"
            yield f"  tshdb cohort define {cohort} {folder}/{cohort}.sql"
    if Role.PAIR in roles:
        yield f"  tshdb cohort freeze {COHORTS[Role.PAIR]}"
    if Role.RADIOGENOMIC in roles:
        if not has_tables:
            yield "  tshdb rebuild        # the next cohort's steps look at what became of the images"
        yield f"  tshdb cohort freeze {COHORTS[Role.RADIOGENOMIC]}"
    yield "  tshdb rebuild"
    yield "  tshdb report"
