"""Write the tables of docs/paper.md from studies that are built here, by the commands that a user would type.

    python docs/paper_numbers.py [DATA]

The pairs of examples/ make two studies, on RSEM and on estimated FPKM. DATA, the folder of published data, makes a third:
the pairs and 956 recovered tumours, for what concerns the validation cohort; without it that part stays.
"""

from __future__ import annotations

import csv
import gzip
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tshdb.study import Study
from tshdb.tables.paper_claims import Checked, Verdict, claims, counted

HERE = Path(__file__).parent
PAIRS = HERE.parent / "tshdb" / "presets" / "fan2023" / "tcga-brca-pairs"
DEVELOPMENT, VALIDATION = "tumor_stroma_development", "tumor_stroma_validation"
BIOTAB = "clinical/nationwidechildrens.org_clinical_patient_brca.2017.txt.gz"
CDR = "clinical/tcga-cdr-survival.tsv"
RECOVERED = "expression/tcga-brca-rsem-1382-genes-956-tumors.csv.gz"


def tshdb(study: Path, *arguments: object) -> None:
    """One command in a study. Exits with its output when it fails."""
    command = [sys.executable, "-m", "cli.main", *map(str, arguments)]
    environment = {**os.environ, "TSHDB_STUDY": str(study), "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def pairs_study(folder: Path, unit: str) -> Path:
    """A study of the pairs of examples/: unit rsem as they are, or fpkm by the factors of the genes."""
    study = folder / unit
    tshdb(study, "init", study)
    clinical, matrix = folder / "clinical.tsv", folder / f"{unit}.csv"
    clinical.write_bytes(gzip.decompress((PAIRS / "clinical.tsv.gz").read_bytes()))
    with gzip.open(PAIRS / "expression.csv.gz", "rt", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    if unit == "fpkm":
        with (PAIRS / "fpkm_factors.csv").open() as file:
            factors = {row["gene"]: float(row["factor"]) for row in csv.DictReader(file)}
        rows = [
            [row[0], *(f"{float(v) * factors[row[0]]:.8g}" if v else "" for v in row[1:])] for row in rows if row[0] in factors
        ]  # fmt: skip
    with matrix.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    tshdb(study, "ingest", "clinical", clinical, "--collection", "tcga-brca")
    tshdb(study, "ingest", "rna", matrix, "--collection", "tcga-brca", "--unit", unit, "--scale", "linear")
    define(study, DEVELOPMENT)
    tshdb(study, "rebuild")
    return study


def recovered_study(folder: Path, data: Path) -> Path:
    """A study of the pairs and the recovered tumours, with clinical data from Biotab and CDR."""
    study = folder / "recovered"
    tshdb(study, "init", study)
    settings = study / "study.toml"  # few marker genes could be recovered
    settings.write_text(settings.read_text().replace("min_coverage = 0.5", "min_coverage = 0.1"))
    rna = ("--collection", "tcga-brca", "--unit", "rsem", "--scale", "linear")
    tshdb(study, "ingest", "clinical", data / BIOTAB, "--collection", "tcga-brca")
    tshdb(study, "ingest", "clinical", data / CDR, "--collection", "tcga-brca")
    tshdb(study, "ingest", "rna", PAIRS / "expression.csv.gz", *rna)
    tshdb(study, "ingest", "rna", data / RECOVERED, *rna, "--sample-type", "01", "--clip-negative")
    define(study, DEVELOPMENT)
    define(study, VALIDATION, freeze=False)
    tshdb(study, "rebuild", "--jobs", 2)
    return study


def define(study: Path, cohort: str, freeze: bool = True) -> None:
    tshdb(study, "cohort", "define", cohort, study / "cohorts" / f"{cohort}.sql")
    if freeze:
        tshdb(study, "cohort", "freeze", cohort)


def side_by_side(rsem: list[Checked], fpkm: list[Checked]) -> str:
    """The claims about the development cohort, on both scales."""
    lines = ["| | printed | RSEM | | FPKM, estimated | | why it differs |", "|---|---|---|---|---|---|---|"]
    for a, b in zip(rsem, fpkm, strict=True):
        if (
            a.verdict is Verdict.NOT_HERE
            and b.verdict is Verdict.NOT_HERE
            and a.cohort is None
            and not is_impossible(a)
        ):
            continue  # of the validation cohort
        lines.append(
            f"| {a.where}: {a.what} | {a.printed} | {a.here or ''} | {short(a.verdict)} | {b.here or ''} | {short(b.verdict)} "
            f"| {a.why or b.why} |"
        )
    totals = [
        f"{unit}: " + ", ".join(f"{n} {v}" for v, n in counted(c).items())
        for unit, c in (("RSEM", rsem), ("FPKM", fpkm))
    ]
    return "\n".join(
        [*lines, "", f"Of all {len(rsem)} claims, those about the validation cohort included: {'; '.join(totals)}."]
    )


def is_impossible(claim: Checked) -> bool:
    return not claim.why.startswith("this study has no result")


def short(verdict: Verdict) -> str:
    return {Verdict.NOT_HERE: "no"}.get(verdict, verdict.value)


def recovered_table(found: list[Checked]) -> str:
    lines = ["| | printed | here | | why it differs |", "|---|---|---|---|---|"]
    for c in found:
        if (c.cohort or "").startswith(VALIDATION) or c.what.startswith("ER positive"):
            lines.append(f"| {c.where}: {c.what} | {c.printed} | {c.here or ''} | {short(c.verdict)} | {c.why} |")
    return "\n".join(lines)


def replaced(text: str, name: str, table: str) -> str:
    """The document with the block `name` anew."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    return re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{table}\n{end}", text, flags=re.DOTALL)


def main(data: Path | None) -> None:
    path = HERE / "paper.md"
    text = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        on = {unit: claims(Study(pairs_study(Path(folder), unit))) for unit in ("rsem", "fpkm")}
        text = replaced(text, "pairs", side_by_side(on["rsem"], on["fpkm"]))
        if data is not None:
            text = replaced(text, "recovered", recovered_table(claims(Study(recovered_study(Path(folder), data)))))
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
