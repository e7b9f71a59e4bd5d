"""A GDC folder, made from a seed: STAR counts files, sample sheet, manifest, clinical table, notices. Nothing is real."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from ingest.gdc.clinical import FOLLOW_UP_FIELDS, PATIENT_FIELDS
from ingest.simulate.star_counts import HEADER, MODEL, QC_ROWS, SUFFIX

GENES = (
    ("ENSG00000167286.10", "CD3D"), ("ENSG00000110448.11", "CD5"), ("ENSG00000013725.15", "CD6"),
    ("ENSG00000172116.23", "CD8B"), ("ENSG00000115523.17", "GNLY"), ("ENSG00000134539.16", "KLRD1"),
    ("ENSG00000163508.13", "EOMES"), ("ENSG00000011465.18", "DCN"), ("ENSG00000108821.14", "COL1A1"),
    ("ENSG00000149591.17", "TAGLN"), ("ENSG00000110799.14", "VWF"), ("ENSG00000229807.13", "XIST"),
    ("ENSG00000129824.16", "RPS4Y1"), ("ENSG00000182378.15_PAR_Y", "PLCXD1"), ("ENSG00000182378.15", "PLCXD1"),
)  # fmt: skip
NAMES = {"01": "Primary Tumor", "11": "Solid Tissue Normal", "06": "Metastatic", "10": "Blood Derived Normal"}


@dataclass
class RnaFile:
    """One STAR counts file. tpm: symbol -> value."""

    patient_id: str
    sample: str  # 01A
    tpm: dict[str, float]
    aliquot: str
    file_id: str
    file_name: str
    preservation: str = "Unknown"
    size: int = 0
    md5: str = ""

    @property
    def sample_id(self) -> str:
        return f"{self.patient_id}-{self.sample}"

    def text(self) -> str:
        lines = [f"# gene-model: {MODEL}", "\t".join(HEADER)]
        lines += ["\t".join([name, "", "", str(1000 + i), str(2000 + i), str(3000 + i), "", "", ""])
                  for i, name in enumerate(QC_ROWS)]  # fmt: skip
        for gene_id, symbol in GENES:
            value = 0.0 if gene_id.endswith("_PAR_Y") else self.tpm[symbol]
            count = int(value * 10)
            cells = [gene_id, symbol, "protein_coding", count, count // 2, count - count // 2,
                     f"{value:.4f}", f"{value / 2:.4f}", f"{value / 3:.4f}"]  # fmt: skip
            lines.append("\t".join(map(str, cells)))
        return "\n".join(lines) + "\n"


@dataclass
class Case:
    patient_id: str
    is_dead: bool
    days: int
    sex: str = "female"


@dataclass
class GdcFolder:
    """Edit it, write it, ingest it. What a writer makes can be replaced by `replaced` (path -> text)."""

    cases: dict[str, Case] = field(default_factory=dict)
    files: list[RnaFile] = field(default_factory=list)
    annotations: list[dict] = field(default_factory=list)
    has_api: bool = False
    is_new_sheet: bool = False
    replaced: dict[str, str | bytes | None] = field(default_factory=dict)

    @classmethod
    def make(cls, n: int, seed: int = 1) -> GdcFolder:
        folder = cls()
        for i in range(n):
            folder.add(i, seed)
        return folder

    def add(self, i: int, seed: int = 1, samples: tuple[str, ...] = ("01A", "11A")) -> str:
        random = Random(f"gdc/{seed}/{i}")
        patient_id = f"TCGA-TN-{i:04d}"
        self.cases[patient_id] = Case(patient_id, i % 2 == 0, 200 + random.randint(0, 3000))
        for sample in samples:
            self.add_file(patient_id, sample, plate="A000", seed=seed)
        return patient_id

    def add_file(self, patient_id: str, sample: str, plate: str, seed: int = 1) -> RnaFile:
        random = Random(f"gdc/{seed}/{patient_id}/{sample}/{plate}")
        tpm = {symbol: round(random.lognormvariate(2.0, 1.0), 4) for _, symbol in GENES}
        tpm |= {"XIST": 30.0, "RPS4Y1": 0.0}
        ids = [str(uuid.UUID(int=random.getrandbits(128))) for _ in range(2)]
        made = RnaFile(
            patient_id, sample, tpm, f"{patient_id}-{sample}-11R-{plate}-07", ids[0],
            f"{ids[1]}{SUFFIX}",
        )  # fmt: skip
        self.files.append(made)
        return made

    # ------------------------------------------------------------------------------------------------ writing

    def write(self, root: Path) -> Path:
        """The folder as the GDC client and the portal leave it."""
        root.mkdir(parents=True, exist_ok=True)
        texts: dict[str, str | bytes | None] = {}
        self.seal()
        for file in self.files:
            text = file.text()
            texts[f"{file.file_id}/{file.file_name}"] = text
            texts[f"{file.file_id}/logs/{file.file_name}.parcel"] = "parcel"
        texts["gdc_manifest.txt"] = self.manifest()
        texts["clinical.tsv"] = self.clinical()
        if self.has_api:
            texts["files.json"] = json.dumps(self.file_hits())
            texts["status.json"] = json.dumps(self.status())
        else:
            texts["gdc_sample_sheet.tsv"] = self.sample_sheet()
        if self.annotations:
            texts["annotations.json"] = json.dumps(self.annotations)
        for name, text in (texts | self.replaced).items():
            if text is None:
                continue
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return root

    def seal(self) -> None:
        """Size and MD5 of every file, as the archive publishes them."""
        for file in self.files:
            data = file.text().encode()
            file.size, file.md5 = len(data), hashlib.md5(data, usedforsecurity=False).hexdigest()

    def manifest(self) -> str:
        rows = [f"{f.file_id}\t{f.file_name}\t{f.md5}\t{f.size}\treleased" for f in self.files]
        return "\n".join(["id\tfilename\tmd5\tsize\tstate", *rows]) + "\n"

    def sample_sheet(self) -> str:
        if self.is_new_sheet:
            header = ["File ID", "File Name", "Data Category", "Data Type", "Project ID", "Case ID", "Sample ID",
                      "Tissue Type", "Tumor Descriptor", "Specimen Type", "Preservation Method"]  # fmt: skip
        else:
            header = ["File ID", "File Name", "Data Category", "Data Type", "Project ID", "Case ID", "Sample ID",
                      "Sample Type"]  # fmt: skip
        rows = []
        for f in self.files:
            cells = [f.file_id, f.file_name, "Transcriptome Profiling", "Gene Expression Quantification", "TCGA-BRCA",
                     f.patient_id, f.sample_id]  # fmt: skip
            is_normal = f.sample.startswith("1")
            if self.is_new_sheet:
                cells += ["Normal" if is_normal else "Tumor", "Not Applicable" if is_normal else "Primary",
                          "Solid Tissue", f.preservation]  # fmt: skip
            else:
                cells.append(NAMES[f.sample[:2]])
            rows.append("\t".join(cells))
        return "\n".join(["\t".join(header), *rows]) + "\n"

    def clinical(self) -> str:
        header = ["case_id", "case_submitter_id", "project_id", *PATIENT_FIELDS, "morphology", *FOLLOW_UP_FIELDS,
                  "treatment_type"]  # fmt: skip
        rows = ["\t".join(header)]
        for case in self.cases.values():
            fixed = {
                "case_id": f"uuid-{case.patient_id}",
                "case_submitter_id": case.patient_id,
                "project_id": "TCGA-BRCA",
                "age_at_index": "60",
                "gender": case.sex,
                "morphology": "8500/3",
                "vital_status": "Dead" if case.is_dead else "Alive",
                "days_to_death": str(case.days) if case.is_dead else "'--",
                "days_to_last_follow_up": "'--" if case.is_dead else str(case.days),
            }
            for treatment in ("Radiation Therapy, NOS", "Pharmaceutical Therapy, NOS"):
                values = fixed | {"treatment_type": treatment}
                rows.append("\t".join(values.get(h, "'--") for h in header))
        return "\n".join(rows) + "\n"

    def file_hits(self) -> list[dict]:
        return [
            {
                "file_id": f.file_id,
                "file_name": f.file_name,
                "md5sum": f.md5,
                "file_size": f.size,
                "data_category": "Transcriptome Profiling",
                "associated_entities": [
                    {"entity_submitter_id": f.aliquot, "entity_id": f"aliquot-{f.file_id}", "entity_type": "aliquot"}
                ],
                "cases": [
                    {
                        "case_id": f"uuid-{f.patient_id}",
                        "submitter_id": f.patient_id,
                        "samples": [{"submitter_id": f.sample_id, "sample_id": f"sample-{f.sample_id}",
                                     "preservation_method": f.preservation}],
                    }
                ],
            }
            for f in self.files
        ]  # fmt: skip

    def status(self, release: str = "Data Release 45.0 - December 04, 2025") -> dict:
        return {"commit": "abc", "data_release": release, "status": "OK", "tag": "8.5.0", "version": 1}

    def notice(self, patient_id: str, category: str, classification: str = "Notification", **more) -> None:
        self.annotations.append(
            {
                "annotation_id": f"note-{len(self.annotations)}",
                "entity_type": "case",
                "entity_submitter_id": patient_id,
                "case_submitter_id": patient_id[:12],
                "category": category,
                "classification": classification,
                "status": "Approved",
                "notes": "made for a test",
            }
            | more
        )
