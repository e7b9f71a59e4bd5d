"""Thirty good files of the formats that people hold in their hands: ten patients or so each, own values, published layouts.

A maker gives the bytes. `says` is what only a person knows: unit and scale of a matrix; a sample sheet is written beside it where
`names` are no barcodes. What needs nothing is loaded by the folder's own command; other clinical tables by their first maps.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from random import Random
from typing import Any

import openpyxl

N = 10
IDS = [f"TCGA-Z1-Q{i:03d}" for i in range(N)]
SAMPLES = [f"{patient}-01A" for patient in IDS]
FILES = [f"S{i:02d}" for i in range(N)]
SYMBOLS = """
    A1BG A1CF A2M A2ML1 A4GALT AAAS AACS AADAC AAGAB AAK1 AAMP AANAT AARS1 AASDH AASS AATF AATK ABAT ABCA1 ABCB1 ABCC1 ABCD1 ABCE1
    ABCF1 ABCG1 ABHD1 ABI1 ABL1 ABO ABR ACAA1 ACACA ACADM ACAN ACAT1 ACE ACHE ACKR3 ACLY ACO1 ACTB ADA ADAM9 CD8A ESR1 TP53 XIST
""".split()
ENSEMBL = {
    "CD8A": "ENSG00000153563.16",
    "TP53": "ENSG00000141510.18",
    "ESR1": "ENSG00000091831.24",
    "XIST": "ENSG00000229807.13",
}
AGES = [41 + 3 * i for i in range(N)]
DAYS = [317, 1204, 88, 2019, 450, 1733, 905, 640, 1511, 2840]
DEAD = [i % 3 == 0 for i in range(N)]
RNA = "SELECT value FROM expression WHERE gene = 'CD8A' AND sample_id = '{}'"
AGE = "SELECT age_years FROM patients WHERE patient_id = '{}'"
OS = "SELECT duration_days FROM follow_ups WHERE endpoint = 'OS' AND patient_id = '{}'"


@dataclass(frozen=True)
class Good:
    """One file. format: what it is of; asks: a query, whose one value is `value`; collection: where it belongs."""

    format: str
    name: str
    data: bytes
    asks: str
    value: Any
    says: str = ""
    names: Sequence[str] = ()
    collection: str = "own"


def levels(genes: Sequence[str], seed: int = 5) -> dict[str, list[float]]:
    """Linear values like RSEM's or TPM, a level a gene: gene -> one value a sample."""
    random = Random(seed)
    rows = {}
    for gene in genes:
        level = random.gauss(3.5, 1.5)
        rows[gene] = [round(2.718 ** (level + random.gauss(0, 0.4)), 2) for _ in range(N)]
    return rows


VALUES = levels(SYMBOLS)
CD8A = VALUES["CD8A"][3]
COUNTS = {f"LOC{i:05d}": [(i * 37 + j * 101) % 977 + i % 13 for j in range(N)] for i in range(5200)} | {
    "CD8A": [400 + 7 * j for j in range(N)]
}


def matrix(header: Sequence[str], lead, above: Sequence[str] = (), form=lambda v: v, tab="\t", rows=VALUES) -> bytes:
    """Genes down. lead: symbol, place -> the fields before the values."""
    lines = [*above, tab.join(header)]
    lines += [tab.join([*lead(g, i), *(str(form(v)) for v in row)]) for i, (g, row) in enumerate(rows.items())]
    return ("\n".join(lines) + "\n").encode()


def ensembl(symbol: str, i: int) -> str:
    return ENSEMBL.get(symbol, f"ENSG{i:011d}.{i % 9 + 1}")


def table(header: Sequence[str], row, above: Sequence[Sequence[str]] = (), tab="\t") -> bytes:
    """Patients down. row: place -> the fields of a patient."""
    lines = [*above, header, *([str(f) for f in row(i)] for i in range(N))]
    return ("\n".join(tab.join(line) for line in lines) + "\n").encode()


def across(rows: dict[str, Sequence]) -> bytes:
    """Patients in columns, as Firehose lays its clinical tables."""
    return "".join("\t".join([name, *map(str, cells)]) + "\n" for name, cells in rows.items()).encode()


def book(header: Sequence[str], row) -> bytes:
    made = openpyxl.Workbook()
    made.active.append(list(header))
    for i in range(N):
        made.active.append(row(i))
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def zipped(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr(name, data)
    return buffer.getvalue()


def log(offset: float):
    return lambda v: f"{log2(v + offset):.6f}"


LOG_CD8A = round(log2(CD8A + 1), 6)
DEATH = [str(d) if dead else "" for d, dead in zip(DAYS, DEAD, strict=True)]
LAST = ["" if dead else str(d) for d, dead in zip(DAYS, DEAD, strict=True)]


def quoted(fields: Sequence[str]) -> list[str]:
    return [f'"{f}"' for f in fields]


EXPRESSION = [
    # cBioPortal, "File formats": Hugo_Symbol, Entrez_Gene_Id, samples
    Good("cBioPortal expression", "data_mrna_seq_v2_rsem.txt",
         matrix(["Hugo_Symbol", "Entrez_Gene_Id", *(s[:-1] for s in SAMPLES)], lambda g, i: [g, str(900 + i)]),
         RNA.format(SAMPLES[3][:-1]), CD8A, "rsem linear"),
    # the same page, of microarrays, as METABRIC's
    Good("cBioPortal microarray", "data_mrna_illumina_microarray.txt",
         matrix(["Hugo_Symbol", "Entrez_Gene_Id", *FILES], lambda g, i: [g, str(900 + i)], form=log(40)),
         RNA.format("S03"), round(log2(CD8A + 40), 6), "intensity log2", FILES),
    # UCSC Xena, hub of TCGA, HiSeqV2
    Good("Xena TCGA", "HiSeqV2.gz", gzip.compress(matrix(["sample", *(s[:-1] for s in SAMPLES)], lambda g, i: [g], form=log(1))),
         RNA.format(SAMPLES[3][:-1]), LOG_CD8A, "rsem log2"),
    # UCSC Xena, hub of the GDC: Ensembl_ID with versions
    Good("Xena GDC", "TCGA-BRCA.star_tpm.tsv.gz",
         gzip.compress(matrix(["Ensembl_ID", *SAMPLES], lambda g, i: [ensembl(g, i)], form=log(1))),
         RNA.format(SAMPLES[3]).replace("CD8A", "ENSG00000153563"), LOG_CD8A, "tpm log2"),
    # UCSC Xena, hub of Toil: log2(TPM + 0.001)
    Good("Xena Toil", "TcgaTargetGtex_rsem_gene_tpm", matrix(["sample", *SAMPLES], lambda g, i: [ensembl(g, i)], form=log(0.001)),
         RNA.format(SAMPLES[3]).replace("CD8A", "ENSG00000153563"), CD8A, "tpm log2 --log-offset 0.001"),
    # Broad GDAC Firehose: illuminahiseq_rnaseqv2 RSEM_genes_normalized, two header rows
    Good("Firehose expression", "BRCA.rnaseqv2__RSEM_genes_normalized__data.data.txt",
         matrix(["Hybridization REF", *(s + "-11R-A115-07" for s in SAMPLES)], lambda g, i: [f"{g}|{900 + i}"]).replace(
             b"-07\nCD8A", b"-07\ngene_id\t" + b"\t".join([b"normalized_count"] * N) + b"\nCD8A"),
         RNA.format(SAMPLES[3]), CD8A, "rsem linear"),
    # GEO, "Series Matrix File Format"
    Good("GEO series matrix", "GSE000_series_matrix.txt.gz", gzip.compress(
        matrix(quoted(["ID_REF", *(f"GSM{i}" for i in range(N))]), lambda g, i: [f'"{g}"'], [
            '!Series_title\t"Invented"', "!Sample_title\t" + "\t".join(quoted([f"tumour {i}" for i in range(N)])),
            "!Sample_geo_accession\t" + "\t".join(quoted([f"GSM{i}" for i in range(N)])), "!series_matrix_table_begin",
        ], log(40)) + b"!series_matrix_table_end\n"),
        RNA.format("GSM3"), round(log2(CD8A + 40), 6), "intensity log2", [f"GSM{i}" for i in range(N)]),
    # Broad Institute, GCT 1.2, as GTEx publishes it: Ensembl ids, symbols in Description
    Good("GCT 1.2", "gene_tpm.gct", matrix(
        ["Name", "Description", *SAMPLES], lambda g, i: [ensembl(g, i), g], ["#1.2", f"{len(SYMBOLS)}\t{N}"]),
        RNA.format(SAMPLES[3]), CD8A, "tpm linear"),
    # nf-core/rnaseq, "Output": salmon.merged.gene_tpm.tsv
    Good("nf-core salmon", "salmon.merged.gene_tpm.tsv",
         matrix(["gene_id", "gene_name", *FILES], lambda g, i: [ensembl(g, i), g]), RNA.format("S03"), CD8A, "tpm linear", FILES),
    # R: write.csv(txi$abundance) of tximport
    Good("tximport by write.csv", "tpm.csv", matrix(
        ['""', *quoted(FILES)], lambda g, i: [f'"{g}"'], tab=","), RNA.format("S03"), CD8A, "tpm linear", FILES),
    # R: write.table(x, sep = "\t"), whose header lacks the genes' column
    Good("R write.table", "tpm.txt", matrix(quoted(FILES), lambda g, i: [f'"{g}"']),
         RNA.format("S03"), CD8A, "tpm linear", FILES),
    # RSEM: rsem-generate-data-matrix
    Good("RSEM matrix", "genes.matrix", matrix(
        ["", *quoted([f"{s}.genes.results" for s in FILES])], lambda g, i: [f'"{g}"']), RNA.format("S03.genes.results"), CD8A,
        "rsem linear", [f"{s}.genes.results" for s in FILES]),
    # Subread, featureCounts -o: a line of the command, then Geneid, Chr, Start, End, Strand, Length, files
    Good("featureCounts", "counts.txt", matrix(
        ["Geneid", "Chr", "Start", "End", "Strand", "Length", *(f"{s}.bam" for s in FILES)],
        lambda g, i: [g, "chr1;chr1", "1;50", "40;99", "+;+", "90"], ['# Program:featureCounts v2.0.6; Command:"featureCounts"'],
        rows=COUNTS), RNA.format("S03.bam"), 421, "counts linear", [f"{s}.bam" for s in FILES]),
    # StringTie: prepDE.py, gene_count_matrix.csv, id and name between a bar
    Good("StringTie prepDE", "gene_count_matrix.csv", matrix(
        ["gene_id", *FILES], lambda g, i: [f"{ENSEMBL[g]}|{g}" if g in ENSEMBL else g], tab=",", rows=COUNTS),
        RNA.format("S03"), 421, "counts linear", FILES),
    # a long table, as BigQuery's TCGA tables are exported
    Good("long table", "expression.csv", ("gene_name,sample,fpkm\n" + "".join(
        f"{g},{s},{v}\n" for g, row in VALUES.items() for s, v in zip(SAMPLES, row, strict=True))).encode(),
        RNA.format(SAMPLES[3]), CD8A, "fpkm linear"),
    # SCAN-B, Mendeley Data doi:10.17632/yzxtxn4nmd: log2(FPKM + 0.1), a column a sample
    Good("SCAN-B", "StringTie_FPKM_log2.csv", matrix(["", *FILES], lambda g, i: [g], form=log(0.1), tab=","),
         RNA.format("S03"), CD8A, "fpkm log2 --log-offset 0.1", FILES),
]  # fmt: skip

GDC = [
    "case_id",
    "{}submitter_id",
    "project_id",
    "gender",
    "vital_status",
    "days_to_death",
    "days_to_last_follow_up",
    "age_at_index",
]


def gdc_row(none: str):
    return lambda i: [
        f"u{i}", IDS[i], "TCGA-BRCA", "female", "Dead" if DEAD[i] else "Alive", DEATH[i] or none, LAST[i] or none, AGES[i],
    ]  # fmt: skip


BIOTAB = ["bcr_patient_uuid", "bcr_patient_barcode", "gender", "vital_status", "death_days_to", "last_contact_days_to",
          "age_at_diagnosis", "er_status_by_ihc"]  # fmt: skip
CLINICAL = [
    # GDC portal, clinical.tsv of 2018 (submitter_id), of 2019 to 2024 (case_submitter_id), since 2025 (cases., demographic., …)
    Good("GDC 2018", "clinical.tsv", table([n.format("") for n in GDC], gdc_row("--")), OS.format(IDS[3]), 2019,
         collection="tcga-brca"),
    Good("GDC 2023", "clinical.tsv", table([n.format("case_") for n in GDC], gdc_row("'--")), AGE.format(IDS[3]), 50,
         collection="tcga-brca"),
    Good("GDC 2025", "clinical.tsv", table(
        ["cases.case_id", "cases.submitter_id", "project.project_id", "demographic.gender", "demographic.vital_status",
         "demographic.days_to_death", "diagnoses.days_to_last_follow_up", "demographic.age_at_index"], gdc_row("'--")),
        OS.format(IDS[4]), 450, collection="tcga-brca"),
    # BCR Biotab: three header rows, the third of CDE_ID
    Good("Biotab", "nationwidechildrens.org_clinical_patient_brca.txt", table(
        [f"CDE_ID:{i}" for i in range(len(BIOTAB))],
        lambda i: [f"u{i}", IDS[i], "FEMALE", "Dead" if DEAD[i] else "Alive", DEATH[i] or "[Not Applicable]",
                   LAST[i] or "[Not Available]", AGES[i], "Positive"], [BIOTAB, BIOTAB]),
        AGE.format(IDS[3]), 50, collection="tcga-brca"),
    # TCGA-CDR, Liu et al. 2018, as UCSC Xena gives it, and as the workbook of its supplement
    Good("Xena survival", "BRCA_survival.txt", table(
        ["sample", "_PATIENT", "OS", "OS.time", "DSS", "DSS.time", "Redaction"],
        lambda i: [IDS[i] + "-01", IDS[i], int(DEAD[i]), DAYS[i], int(DEAD[i]), DAYS[i], ""]), OS.format(IDS[3]), 2019),
    Good("Xena GDC survival", "TCGA-BRCA.survival.tsv", table(
        ["sample", "OS", "_PATIENT", "OS.time"], lambda i: [SAMPLES[i], int(DEAD[i]), IDS[i], DAYS[i]]), OS.format(IDS[3]), 2019),
    Good("TCGA-CDR workbook", "TCGA-CDR.xlsx", book(
        ["bcr_patient_barcode", "type", "OS", "OS.time", "Redaction"],
        lambda i: [IDS[i], "BRCA", int(DEAD[i]), DAYS[i], None]), OS.format(IDS[3]), 2019, collection="tcga-brca"),
    # cBioPortal, "File formats": four rows with #, then the columns
    Good("cBioPortal patients", "data_clinical_patient.txt", table(
        ["PATIENT_ID", "SEX", "AGE", "OS_STATUS", "OS_MONTHS"],
        lambda i: [IDS[i], "Female", AGES[i], "1:DECEASED" if DEAD[i] else "0:LIVING", round(DAYS[i] / 30.4375, 4)],
        [["#Patient Identifier", "Sex", "Age", "Overall Survival Status", "Overall Survival (Months)"],
         ["#Identifier", "Sex", "Age", "Overall survival status", "Overall survival in months"],
         ["#STRING", "STRING", "NUMBER", "STRING", "NUMBER"], ["#1", "1", "1", "1", "1"]]),
        AGE.format(IDS[3]), 50),
    # UCSC Xena, hub of the GDC, phenotype: a row a sample, names with their entity behind
    Good("Xena GDC phenotype", "TCGA-BRCA.GDC_phenotype.tsv", table(
        ["submitter_id.samples", "age_at_index.demographic", "gender.demographic", "vital_status.demographic",
         "days_to_death.demographic", "days_to_last_follow_up.diagnoses"],
        lambda i: [SAMPLES[i], AGES[i], "female", "Dead" if DEAD[i] else "Alive", DEATH[i], LAST[i]]), OS.format(IDS[4]), 450),
    # UCSC Xena, hub of TCGA, clinicalMatrix: _PATIENT beside sampleID
    Good("Xena clinicalMatrix", "BRCA_clinicalMatrix", table(
        ["sampleID", "_PATIENT", "age_at_initial_pathologic_diagnosis", "gender", "ER_Status"],
        lambda i: [IDS[i] + "-01", IDS[i], AGES[i], "FEMALE", "Positive" if i % 2 else "Negative"]), AGE.format(IDS[3]), 50),
    # Broad GDAC Firehose, Clinical_Pick_Tier1 and Merge_Clinical: patients in columns, barcodes in lower case
    Good("Firehose picked", "BRCA.clin.merged.picked.txt", across({
        "Hybridization REF": [p.lower() for p in IDS], "Composite Element REF": ["value"] * N, "years_to_birth": AGES,
        "vital_status": [int(d) for d in DEAD], "days_to_death": [d or "NA" for d in DEATH],
        "days_to_last_followup": [d or "NA" for d in LAST], "gender": ["female"] * N}), OS.format(IDS[4]), 450),
    Good("Firehose merged", "BRCA.clin.merged.txt", across({
        "admin.batch_number": ["61.1.0"] * N, "patient.age_at_initial_pathologic_diagnosis": AGES,
        "patient.bcr_patient_barcode": [p.lower() for p in IDS], "patient.days_to_death": [d or "NA" for d in DEATH],
        "patient.days_to_last_followup": [d or "NA" for d in LAST], "patient.gender": ["female"] * N,
        "patient.vital_status": ["dead" if d else "alive" for d in DEAD]}), AGE.format(IDS[3]), 50),
    # REDCap, "Export data": record_id first, raw values
    Good("REDCap", "export.csv", table(
        ["record_id", "age", "er_status", "os_status", "os_days"],
        lambda i: [f"R-{i + 11}", AGES[i], "positive" if i % 2 else "negative", int(DEAD[i]), DAYS[i]], tab=","),
        OS.format("R-14"), 2019),
    # a spreadsheet's CSV in Germany: semicolons, decimal commas
    Good("German CSV", "Patienten.csv", table(
        ["PatID", "Alter", "Geschlecht"], lambda i: [f"H-{i + 11}", f"{AGES[i]},5", "weiblich"], tab=";"),
        AGE.format("H-14"), 50.5),
    # a spreadsheet's "Unicode Text": UTF-16 with tabs
    Good("UTF-16", "patients.txt", table(
        ["Patient ID", "Age", "性别"], lambda i: [f"H-{i + 11}", AGES[i], "女"]).decode().encode("utf-16"),
        AGE.format("H-14"), 50),
    # a workbook, and a table in a zip, as journals' supplements come
    Good("workbook", "Supplement.xlsx", book(["Subject ID", "Age", "ER status"], lambda i: [f"H-{i + 11}", AGES[i], "pos"]),
         AGE.format("H-14"), 50),
    Good("zip", "supplement.zip", zipped("t.csv", table(
        ["Subject ID", "Age", "Laterality"], lambda i: [f"H-{i + 11}", AGES[i], "left"], tab=",")), AGE.format("H-14"), 50),
]  # fmt: skip

RADIOMICS = [
    # PyRadiomics, command line in batch mode: diagnostics_ columns, then features
    Good("PyRadiomics", "features.csv", table(
        ["PatientID", "diagnostics_Versions_PyRadiomics", "diagnostics_Configuration_Settings",
         "diagnostics_Configuration_EnabledImageTypes", *(f"tumor_S0_original_glcm_{f}" for f in ("Idmn", "Imc1", "MCC"))],
        lambda i: [f"H-{i + 11}", "3.1.0", json.dumps(json.dumps({"binWidth": 25})), json.dumps(json.dumps({"Original": {}})),
                   0.5 + i / 100, -0.2 - i / 90, 0.7 + i / 80], tab=";"),
        "SELECT count(*) FROM imported_features", N),
]  # fmt: skip

ALL = [*EXPRESSION, *CLINICAL, *RADIOMICS]
