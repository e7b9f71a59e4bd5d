"""The files of the oath's study: a few patients of the example, whose RNA is of tumour and stroma, or of the tumour alone.

expression.csv  RSEM, linear; genes x samples
clinical.tsv    as the GDC writes it
features.csv    radiomic features by PyRadiomics' names, drawn from a seed: nobody measured them
"""

from __future__ import annotations

import csv
import gzip
import random
from dataclasses import dataclass
from pathlib import Path

from tshdb import presets

N_PAIRS, N_TUMORS, N_MEN = 14, 14, 6  # the last are of the tumours, so that no cohort of women has them
COLLECTION = "tcga-brca"
FEATURES = tuple(
    f"{place}_original_glcm_{name}"
    for place in ("tumor_S0", "stroma_SI")
    for name in ("Idmn", "Imc1", "MCC", "Contrast")
)
ABSENT = "VWF"  # a marker that is made zero in all but two profiles, so that a filter has something to drop
TUMOR, STROMA = "01", "11"  # the sample type in a barcode


@dataclass
class Tables:
    """What the files hold, as lists of text: the first row of each is its header."""

    expression: list[list[str]]
    clinical: list[list[str]]
    features: list[list[str]]

    @property
    def patients(self) -> list[str]:
        """Those with pairs first."""
        names = self.expression[0][1:]
        pairs = sorted({n[:12] for n in names if n[13:15] == STROMA})
        return [*pairs, *sorted({n[:12] for n in names} - set(pairs))]

    def write(self, folder: Path) -> None:
        """expression.csv, clinical.tsv and features.csv in the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows, delimiter in (
            ("expression.csv", self.expression, ","),
            ("clinical.tsv", self.clinical, "\t"),
            ("features.csv", self.features, ","),
        ):
            text = "".join(f"{delimiter.join(row)}\n" for row in rows)
            (folder / name).write_text(text, encoding="utf-8")

    def shuffled(self) -> Tables:
        """The same content, in which rows and columns stand in another order."""
        deal = random.Random(7)
        order = [0, *deal.sample(range(1, len(self.expression[0])), len(self.expression[0]) - 1)]
        genes = deal.sample(self.expression[1:], len(self.expression) - 1)
        return Tables(
            [[row[i] for i in order] for row in (self.expression[0], *genes)],
            [self.clinical[0], *deal.sample(self.clinical[1:], len(self.clinical) - 1)],
            [self.features[0], *deal.sample(self.features[1:], len(self.features) - 1)],
        )

    def corrected(self, patient_id: str) -> Tables:
        """Another value of one gene in the tumour, another time of follow-up, another age and another feature."""
        expression, clinical, features = ([list(row) for row in rows] for rows in self._all)
        column = next(i for i, n in enumerate(expression[0]) if n[:12] == patient_id and n[13:15] == TUMOR)
        for row in expression[1:]:
            if row[0] == "GNLY":
                row[column] = f"{float(row[column]) * 3 + 11:.4f}"
        for name in ("days_to_death", "days_to_last_follow_up", "age_at_index"):
            at = clinical[0].index(name)
            for row in clinical[1:]:
                if row[1] == patient_id and row[at].isdigit():
                    row[at] = str(int(row[at]) + 7)
        for row in features[1:]:
            if row[0] == patient_id:
                row[1] = f"{float(row[1]) + 1.25:.6f}"
        return Tables(expression, clinical, features)

    @property
    def _all(self) -> tuple[list[list[str]], ...]:
        return self.expression, self.clinical, self.features


def tables() -> Tables:
    """The files' content: of the patients who died and of those who did not, as many as can be had."""
    folder = presets.example("fan2023")
    with gzip.open(folder / "clinical.tsv.gz", "rt", encoding="utf-8") as file:
        header, *lines = [line.rstrip("\n").split("\t") for line in file]
    with gzip.open(folder / "expression.csv.gz", "rt", encoding="utf-8", newline="") as file:
        matrix = list(csv.reader(file))
    is_dead = {row[1]: row[header.index("vital_status")] == "Dead" for row in lines}
    women = {row[1] for row in lines if row[header.index("gender")] == "female"}
    known = sorted({name[:12] for name in matrix[0][1:]} & women & set(is_dead))
    dead, living = ([p for p in known if is_dead[p] is so] for so in (True, False))
    n_dead = N_PAIRS // 2
    pairs = {*dead[:n_dead], *living[: N_PAIRS - n_dead]}
    tumors = {*dead[n_dead : n_dead + N_TUMORS // 2], *living[N_PAIRS : N_PAIRS + N_TUMORS // 2]}
    columns = [0] + [
        i for i, name in enumerate(matrix[0])
        if i and (name[:12] in pairs or name[:12] in tumors and name[13:15] == TUMOR)
    ]  # fmt: skip
    chosen = pairs | tumors
    men = {*sorted(tumors & set(dead))[: N_MEN // 2], *sorted(tumors & set(living))[: N_MEN // 2]}
    at = header.index("gender")
    lines = [[*row[:at], "male", *row[at + 1 :]] if row[1] in men else row for row in lines]
    draw = random.Random(1)
    features = [["patient_id", *FEATURES]]
    features += [[p, *(f"{draw.gauss(0, 1):.6f}" for _ in FEATURES)] for p in sorted(chosen)]
    expression = [[row[i] for i in columns] for row in matrix]
    expression = [[*row[:3], *["0"] * (len(row) - 3)] if row[0] == ABSENT else row for row in expression]
    return Tables(expression, [header, *(row for row in lines if row[1] in chosen)], features)
