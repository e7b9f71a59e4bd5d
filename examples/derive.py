"""How tshdb/presets/fan2023/tcga-brca-pairs was made from larger public files: kept for the record, not needed by the demo.

    python examples/derive.py DATA [LENGTHS.csv]

DATA holds expression/tcga-brca-mcp-markers-110-pairs-long.csv.gz, expression/tcga-brca-rsem-110-pairs.csv.gz (for the
aliquot barcodes) and gdc/clinical.2023-11.TCGA-BRCA.tsv.gz (the GDC portal's clinical export of November 2023).

With LENGTHS.csv (Gene, Transcript, Length: the table hg19.ensGene.LENGTH of Bioconductor's geneLenDataBase) it also makes
fpkm_factors.csv: for each marker gene the median over nine pairs of FPKM / RSEM, with FPKM from the pairs' read counts
(expression/tcga-brca-htseq-counts-9-pairs-ensembl.csv.gz), the median length of the gene's transcripts, and all reads of the
sample. RSEM times the factor estimates FPKM, the unit of the paper.
"""

import csv
import gzip
import sys
from pathlib import Path
from statistics import median

TARGET = Path(__file__).parent.parent / "tshdb" / "presets" / "fan2023" / "tcga-brca-pairs"


def main(data: Path) -> None:
    with gzip.open(data / "expression/tcga-brca-rsem-110-pairs.csv.gz", "rt") as file:
        barcodes = file.readline().rstrip("\n").split(",")[1:]
    codes = {"tumor": "01", "normal": "11"}
    values: dict[str, dict[str, str]] = {}
    with gzip.open(data / "expression/tcga-brca-mcp-markers-110-pairs-long.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            sample = f"{row['patient']}-{codes[row['tissue']]}"
            values.setdefault(row["gene"], {})[sample] = row["rsem_normalized"]
    TARGET.mkdir(exist_ok=True)
    with gzip.GzipFile(TARGET / "expression.csv.gz", "wb", mtime=0) as packed:
        lines = [",".join(["gene", *barcodes])]
        lines += [",".join([gene, *(values[gene][b[:15]] for b in barcodes)]) for gene in sorted(values)]
        packed.write(("\n".join(lines) + "\n").encode())
    patients = {b[:12] for b in barcodes}
    with gzip.open(data / "gdc/clinical.2023-11.TCGA-BRCA.tsv.gz", "rt") as file:
        header = file.readline()
        rows = [line for line in file if line.split("\t")[1] in patients]
    with gzip.GzipFile(TARGET / "clinical.tsv.gz", "wb", mtime=0) as packed:
        packed.write((header + "".join(sorted(rows, key=lambda r: r.split("\t")[1]))).encode())


RENAMED = {"ELTD1": "ADGRL4", "CXorf36": "DIPK2B", "SDPR": "CAVIN2"}  # symbols of 2013 -> of the marker table
DETECTED = 5  # RSEM below this was imputed


def fpkm_factors(data: Path, lengths: Path) -> None:
    """fpkm_factors.csv from read counts, transcript lengths and the RSEM values of the example."""
    by_gene: dict[str, list[float]] = {}
    with lengths.open() as file:
        for row in csv.DictReader(file):
            by_gene.setdefault(row["Gene"], []).append(float(row["Length"]))
    with gzip.open(data / "expression/tcga-brca-htseq-counts-9-pairs-ensembl.csv.gz", "rt") as file:
        header, *rows = csv.reader(file)
    counts = {row[0].split(".")[0]: [float(v) for v in row[1:]] for row in rows if row[0].startswith("ENSG")}
    samples = [name[:15] for name in header[1:]]
    totals = [sum(column) for column in zip(*counts.values(), strict=True)]
    with (Path(__file__).parent.parent / "analyses/data/mcp_counter.csv").open() as file:
        ensembl = {row["marker"]: row["ensembl"] for row in csv.DictReader(file)}
    with gzip.open(TARGET / "expression.csv.gz", "rt") as file:
        names, *lines = csv.reader(file)
    column_of = {name[:15]: i for i, name in enumerate(names)}
    with (TARGET / "fpkm_factors.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["gene", "factor"])
        for line in lines:
            gene = ensembl.get(RENAMED.get(line[0], line[0]))
            if gene not in counts or gene not in by_gene:
                continue
            pairs = []
            for sample, count, total in zip(samples, counts[gene], totals, strict=True):
                rsem = float(line[column_of[sample]] or 0)
                if count > 0 and rsem > 0:
                    pairs.append((rsem > DETECTED, count * 1e9 / total / median(by_gene[gene]) / rsem))
            detected = [ratio for is_detected, ratio in pairs if is_detected]
            if chosen := detected if len(detected) >= 3 else [ratio for _, ratio in pairs]:
                writer.writerow([line[0], f"{median(chosen):.6g}"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        fpkm_factors(Path(sys.argv[1]), Path(sys.argv[2]))
