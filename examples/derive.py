"""How examples/tcga-brca-pairs was made from larger public files: kept for the record, not needed by the demo.

    python examples/derive.py DATA

DATA holds expression/tcga-brca-mcp-markers-110-pairs-long.csv.gz, expression/tcga-brca-rsem-110-pairs.csv.gz (for the
aliquot barcodes) and gdc/clinical.2023-11.TCGA-BRCA.tsv.gz (the GDC portal's clinical export of November 2023).
"""

import csv
import gzip
import sys
from pathlib import Path

TARGET = Path(__file__).parent / "tcga-brca-pairs"


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


if __name__ == "__main__":
    main(Path(sys.argv[1]))
