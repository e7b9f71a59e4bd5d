"""Simulated STAR counts files of the GDC, with its sample sheet and manifest.

Values   log2(TPM + 1) of a marker gene = the abundance of its population times the gene's share (mean 1 over the
         population's genes) and noise; the other genes have levels of their own, some of them nearly always 0; all TPM of
         a file add up to a million. FPKM is TPM times one factor a file, as it is by definition.
Format   `# gene-model:` line, nine columns, four rows of N_ counts; see gdc_expression.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ingest.simulate.files import write_bytes
from ingest.simulate.subjects import Role, SimulationSettings, Subject, stream

MODEL = "GENCODE v36"
HEADER = (
    "gene_id", "gene_name", "gene_type", "unstranded", "stranded_first", "stranded_second", "tpm_unstranded",
    "fpkm_unstranded", "fpkm_uq_unstranded",
)  # fmt: skip
QC_ROWS = ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous")
SUFFIX = ".rna_seq.augmented_star_gene_counts.tsv"
SEX_GENES = (("ENSG00000229807", "XIST", 40.0), ("ENSG00000129824", "RPS4Y1", 0.05))
Y_COPY = ("ENSG00000182378.15_PAR_Y", "PLCXD1")
GENE_SD, GENE_NOISE = 0.12, 0.10  # of a gene's share, and of a value around it; both relative
HIGHEST = 14.0  # log2 of a marker gene's TPM
RARE = 0.15  # share of the other genes that are nearly always 0
MILLION = 1e6


@dataclass(frozen=True)
class Marker:
    """A gene that marks a population."""

    population: str
    symbol: str
    ensembl: str


@dataclass(frozen=True)
class _Genes:
    """Rows of a file, in its order. share: of its population's abundance; level: log2 of the others' TPM."""

    left: list[str]  # gene_id, gene_name, gene_type and the tab after them
    population: list[str]  # of the first so many
    share: np.ndarray
    level: np.ndarray
    is_rare: np.ndarray
    length_kb: np.ndarray  # of all


@dataclass(frozen=True)
class RnaFile:
    """One file, as manifest and sheet speak of it."""

    file_id: str
    file_name: str
    patient_id: str
    sample: str  # 01A, 11A
    aliquot: str
    md5: str
    size: int


@lru_cache(maxsize=2)
def _genes(settings: SimulationSettings, markers: tuple[Marker, ...]) -> _Genes:
    random = stream(settings, "genes")
    share = np.exp(GENE_SD * random.standard_normal(len(markers)))
    for population in {m.population for m in markers}:
        of_population = [i for i, m in enumerate(markers) if m.population == population]
        share[of_population] /= share[of_population].mean()
    n_others = max(settings.n_genes - len(markers) - len(SEX_GENES), 0)
    names = [f"{m.ensembl}.{1 + i % 20}\t{m.symbol}\tprotein_coding\t" for i, m in enumerate(markers)]
    names += [f"{ensembl}.13\t{symbol}\tlncRNA\t" for ensembl, symbol, _ in SEX_GENES]
    names += [f"ENSG{99_000_000_000 + i}.1\tSIM{i:05d}\tprotein_coding\t" for i in range(n_others)]
    return _Genes(
        names, [m.population for m in markers], share, random.normal(5.0, 2.2, n_others),
        random.random(n_others) < RARE, np.exp(random.normal(0.7, 0.6, len(names))),
    )  # fmt: skip


def samples_of(role: Role) -> Sequence[str]:
    return ("01A", "11A") if role is Role.PAIR else ("01A",)


def write_files(
    subject: Subject, settings: SimulationSettings, markers: Iterable[Marker], folder: Path
) -> list[dict[str, Any]]:
    """Write the patient's files; gives what a manifest says of each."""
    return [_write(subject, sample, settings, tuple(markers), folder) for sample in samples_of(subject.role)]


def _write(
    subject: Subject, sample: str, settings: SimulationSettings, markers: tuple[Marker, ...], folder: Path
) -> dict:
    random = stream(settings, subject.role, subject.number, "rna", sample)
    genes = _genes(settings, markers)
    data = _text(subject, sample, genes, random).encode()
    file_id, name = (str(uuid.UUID(bytes=random.bytes(16), version=4)) for _ in range(2))
    write_bytes(folder / file_id / f"{name}{SUFFIX}", data)
    plate = f"Z{subject.number % 1000:03d}"
    made = RnaFile(
        file_id, f"{name}{SUFFIX}", subject.patient_id, sample, f"{subject.patient_id}-{sample}-11R-{plate}-07",
        hashlib.md5(data, usedforsecurity=False).hexdigest(), len(data),
    )  # fmt: skip
    return vars(made)


def _text(subject: Subject, sample: str, genes: _Genes, random: np.random.Generator) -> str:
    abundances = subject.tumor if sample.startswith("0") else subject.stroma
    of_gene = np.array([abundances[p] for p in genes.population])
    noise = np.exp(GENE_NOISE * random.standard_normal(len(of_gene)))
    marked = np.exp2(np.minimum(of_gene * genes.share * noise, HIGHEST)) - 1
    sex = np.array([tpm * np.exp(0.2 * random.standard_normal()) for _, _, tpm in SEX_GENES])
    others = np.exp2(genes.level + 0.6 * random.standard_normal(len(genes.level)))
    others[genes.is_rare & (random.random(len(others)) < 0.9)] = 0.0
    if len(others):
        others *= (MILLION - marked.sum() - sex.sum()) / others.sum()
    tpm = np.concatenate([marked, sex, others])
    depth = random.uniform(30, 70)
    counts = np.rint(tpm * genes.length_kb * depth / 10).astype(np.int64)
    first = random.binomial(counts, 0.5)
    fpkm = random.uniform(0.30, 0.45)
    lines = [f"# gene-model: {MODEL}", "\t".join(HEADER)]
    for name, n in zip(QC_ROWS, random.integers(500_000, 5_000_000, len(QC_ROWS)).tolist(), strict=True):
        lines.append(f"{name}\t\t\t{n}\t{n + 7}\t{n + 11}\t\t\t")
    rows = zip(genes.left, counts.tolist(), first.tolist(), tpm.tolist(), strict=True)
    lines += [
        f"{left}{n}\t{a}\t{n - a}\t{t:.4f}\t{t * fpkm:.4f}\t{t * fpkm * 1.2:.4f}" for left, n, a, t in rows
    ]  # fmt: skip
    lines.append(f"{Y_COPY[0]}\t{Y_COPY[1]}\tprotein_coding\t0\t0\t0\t0.0000\t0.0000\t0.0000")
    return "\n".join(lines) + "\n"


def manifest(files: Iterable[dict[str, Any]]) -> Iterable[str]:
    """Lines of the GDC's manifest."""
    yield "id\tfilename\tmd5\tsize\tstate"
    for f in files:
        yield f"{f['file_id']}\t{f['file_name']}\t{f['md5']}\t{f['size']}\treleased"


SHEET = (
    "File ID", "File Name", "Data Category", "Data Type", "Project ID", "Case ID", "Sample ID", "Tissue Type",
    "Tumor Descriptor", "Specimen Type", "Preservation Method",
)  # fmt: skip


def sample_sheet(files: Iterable[dict[str, Any]]) -> Iterable[str]:
    """Lines of the portal's sample sheet, as it is since 2025."""
    yield "\t".join(SHEET)
    for f in files:
        is_normal = f["sample"].startswith("1")
        tissue = ("Normal", "Not Applicable") if is_normal else ("Tumor", "Primary")
        yield "\t".join(
            (f["file_id"], f["file_name"], "Transcriptome Profiling", "Gene Expression Quantification", "TCGA-BRCA",
             f["patient_id"], f"{f['patient_id']}-{f['sample']}", *tissue, "Solid Tissue", "Unknown")
        )  # fmt: skip
