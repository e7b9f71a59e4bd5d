"""The folder of a hospital that has never heard of archives: 40 patients, tables of its own make, images and masks.

Nobody in it is a person: names, dates and values are drawn from a seed. Written as such a hospital would: a text of Windows with
semicolons, decimal commas and days of the German kind; a workbook with a title above its tables; TPM by versioned Ensembl ids;
an export of pseudonymised DICOM, a mask beside each examination.

klinik.csv                 age, sex, receptors, stage, days of diagnosis, last contact and death; and who the patients are
Befunde 2024.xlsx          Pathologie: grade, side, size; Verlauf: surgery, recurrence
rna/tpm.tsv                genes x samples of tumour (_T) and normal tissue (_N)
mrt/PATIENT/…              dynamic MR of six patients, sagittal, three phases; maske.nii.gz on their grid
Anleitung.txt              a text that nobody can load
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np

from ingest.simulate.breast import Scan, scanned
from ingest.simulate.dce_layouts import SimulatedExamination, ge_content_time, write_examination
from ingest.simulate.mask_writers import write_volume

N_PATIENTS, N_IMAGES = 40, 6
SEED = 7
VOXEL_MM, SLICE_MM, STEP_S = 5.0, 9.0, 150.0
SMALLEST_CM = 2.0  # of a tumour that has voxels enough
OTHER_GENES = 150
FIRST_NAMES = ("Änne", "Jörg-Maria", "Käthe", "Brunhilde", "Gesine", "Friederike", "Wiebke", "Roswitha")
LAST_NAMES = ("Müllerin", "Schönfelder", "Weißgerber", "Krügerin", "Öztürkhan", "Bäumler", "Jähnichen", "Großkopf")
WITHOUT_RNA = (4, 17, 31)  # numbers of patients, from 1
WITHOUT_NORMAL = (9, 22)


@dataclass(frozen=True)
class HospitalPatient:
    """What is true of one patient, as the hospital's own people know it. z: how the tumour differs from its surroundings."""

    number: int
    first_name: str
    last_name: str
    birth: date
    diagnosis: date
    last_contact: date
    death: date | None
    surgery: date
    recurrence: date | None
    er: str
    pr: str
    her2: str
    t: str
    n: str
    grade: int
    side: str
    size_cm: float
    z: float

    @property
    def patient_id(self) -> str:
        return f"MZ-{self.number:04d}"

    @property
    def age(self) -> float:
        return round((self.diagnosis - self.birth).days / 365.25, 1)


def patients(n: int = N_PATIENTS, seed: int = SEED) -> list[HospitalPatient]:
    """The same patients for the same seed. The smaller z, the earlier death and recurrence."""
    return [_patient(number, Random(f"{seed}/{number}")) for number in range(1, n + 1)]


def _patient(number: int, random: Random) -> HospitalPatient:
    z = random.gauss(0, 1)
    diagnosis = date(2014, 1, 1) + timedelta(days=random.randint(0, 1500))
    to_death = int(random.expovariate(0.0005 * 2.7 ** (-0.9 * z))) + 40
    to_last = random.randint(900, 2400)
    death = diagnosis + timedelta(days=to_death) if to_death < to_last else None
    surgery = diagnosis + timedelta(days=random.randint(14, 60))
    seen = min(to_death, to_last)
    to_recurrence = int(random.expovariate(0.0008 * 2.7 ** (-0.7 * z))) + 90
    er = random.choices(("positiv", "negativ", "nicht bestimmt"), (70, 25, 5))[0]
    recurrence = diagnosis + timedelta(days=to_recurrence)
    return HospitalPatient(
        number,
        random.choice(FIRST_NAMES),
        random.choice(LAST_NAMES),
        date(1940, 1, 1) + timedelta(days=random.randint(0, 13_000)),
        diagnosis,
        diagnosis + timedelta(days=seen),
        death,
        surgery,
        recurrence if surgery < recurrence < diagnosis + timedelta(days=seen) else None,
        er,
        er if random.random() < 0.8 else "negativ",
        random.choices(("negativ", "positiv", "grenzwertig"), (75, 18, 7))[0],
        random.choices(("pT1c", "pT2", "pT3", "pT4b"), (40, 40, 15, 5))[0],
        random.choices(("pN0", "pN1a", "pN2a"), (50, 35, 15))[0],
        random.choice((1, 2, 2, 3, 3)),
        random.choice(("links", "rechts")),
        round(random.uniform(0.8, 6.5), 1),
        z,
    )


def german(day: date | None) -> str:
    """DD.MM.YYYY, or nothing."""
    return "" if day is None else f"{day:%d.%m.%Y}"


def write_hospital(folder: Path, seed: int = SEED) -> list[HospitalPatient]:
    """Write the folder; gives who is in it. The same seed gives the same files, but for the workbook's clock."""
    people = patients(seed=seed)
    folder.mkdir(parents=True)
    _write_clinic(folder / "klinik.csv", people)
    _write_workbook(folder / "Befunde 2024.xlsx", people)
    _write_tpm(folder / "rna" / "tpm.tsv", people, seed)
    for patient in people[:N_IMAGES]:
        write_images(folder / "mrt", patient, seed)
    (folder / "Anleitung.txt").write_text("Bitte die Tabellen nicht umsortieren.\n", encoding="cp1252")
    return people


def _write_clinic(path: Path, people: list[HospitalPatient]) -> None:
    header = (
        "Patienten-ID", "Name", "Vorname", "Geburtsdatum", "Alter bei Diagnose", "Geschlecht", "ER", "PR", "HER2", "pT", "pN",
        "Erstdiagnose", "Letzter Kontakt", "Verstorben am", "Bemerkung",
    )  # fmt: skip
    lines = [";".join(header)]
    for p in people:
        age = f"{p.age:.1f}".replace(".", ",")
        remark = f"Hausarzt Dr. {p.last_name} hat am {german(p.last_contact)} angerufen" if p.number % 9 == 0 else ""
        lines.append(";".join((
            p.patient_id, p.last_name, p.first_name, german(p.birth), age, "weiblich", p.er, p.pr, p.her2, p.t, p.n,
            german(p.diagnosis), german(p.last_contact), german(p.death), remark,
        )))  # fmt: skip
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("cp1252"))


def _write_workbook(path: Path, people: list[HospitalPatient]) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    pathology = book.active
    pathology.title = "Pathologie"
    pathology.append(["Befunde der Pathologie, Stand 30.06.2024"])
    pathology.append(["Patienten-ID", "Grading", "Seite", "Tumorgröße (cm)", "Ki-67 (%)"])
    course = book.create_sheet("Verlauf")
    course.append(["Verlauf nach Operation, Stand 30.06.2024"])
    course.append(["Patienten-ID", "OP-Datum", "Rezidiv", "Rezidiv am", "Letzte Nachsorge"])
    for p in people:
        pathology.append([p.patient_id, p.grade, p.side, p.size_cm, 5 + 7 * (p.number % 9)])
        days = [datetime(d.year, d.month, d.day) if d else None for d in (p.surgery, p.recurrence, p.last_contact)]
        course.append([p.patient_id, days[0], "ja" if p.recurrence else "nein", *days[1:]])
    book.save(path)


def markers() -> list[tuple[str, str]]:
    """(population, Ensembl id) of the genes that cell populations are counted by."""
    from analyses.expression.markers import read

    return [(row["population"], row["ensembl"]) for row in read("mcp_counter", Path())[1] if row["ensembl"]]


def _write_tpm(path: Path, people: list[HospitalPatient], seed: int) -> None:
    """TPM; cytotoxic lymphocytes and T cells of the tumour follow z, fibroblasts go against it."""
    loads = {"Cytotoxic lymphocytes": 0.9, "T cells": 0.6, "Fibroblasts": -0.5}
    of_markers = markers()
    genes = [ensembl for _, ensembl in of_markers] + [f"ENSG009{i:08d}" for i in range(OTHER_GENES)]
    load = np.array([loads.get(population, 0.0) for population, _ in of_markers] + [0.0] * OTHER_GENES)
    base = np.random.default_rng([seed, 0]).normal(2.5, 1.0, len(genes)) + np.where(
        np.arange(len(genes)) < len(of_markers), 0, 6
    )
    names, columns = [], []
    for p in people:
        rng = np.random.default_rng([seed, p.number])
        for tissue in ("T", "N"):
            values = np.exp(base + rng.normal(0, 0.3, len(genes)) + (load * p.z if tissue == "T" else 0.0))
            if p.number not in WITHOUT_RNA and not (tissue == "N" and p.number in WITHOUT_NORMAL):
                names.append(f"{p.patient_id}_{tissue}")
                columns.append(values / values.sum() * 1e6)
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["gene_id", *names])
        for i, gene in enumerate(genes):
            writer.writerow([f"{gene}.{1 + i % 17}", *(f"{column[i]:.4f}" for column in columns)])


def write_images(folder: Path, patient: HospitalPatient, seed: int = SEED) -> None:
    """A dynamic examination, and the outline that somebody drew on it."""
    rng = np.random.default_rng([seed, 100_000 + patient.number])
    side = {"links": "left", "rechts": "right"}[patient.side]
    scan = Scan(False, side, [(phase - 0.5) * STEP_S for phase in range(3)], VOXEL_MM, SLICE_MM)
    phantom = scanned(scan, patient.z, 10 * max(patient.size_cm, SMALLEST_CM), 1.0, rng)
    day = patient.diagnosis + timedelta(days=6)
    examination = SimulatedExamination(
        patient.patient_id, "MRT", phantom.volumes, phantom.geometry, date=f"{day:%Y%m%d}", description="MRT Mamma bds.",
        step_s=STEP_S,
    )  # fmt: skip
    write_examination(examination, ge_content_time, folder)
    write_volume(folder / patient.patient_id / "maske.nii.gz", phantom.tumor, phantom.geometry)
