"""Choices of parameters and cohorts that a study can begin with; and what the paper behind them prints.

fan2023/  study.toml, cohorts/*.sql; table1.csv, table2.csv and paper.toml: the printed numbers, and when each holds;
          tcga-brca-pairs/: RNA of tumour and stroma of 110 patients, with clinical data (examples/README.md)
none/     study.toml of a study without the paper
"""

from __future__ import annotations

from pathlib import Path

from tshdb.offered import Preset

HERE = Path(__file__).parent
PRESETS = (
    Preset("fan2023", "the choices of Fan et al. 2023, with its cohorts", HERE / "fan2023"),
    Preset("none", "a study without the paper: no analyses but those that you bring", HERE / "none"),
)


def text(preset: str, name: str) -> str:
    """A file of one of our presets, such as study.toml or table1.csv."""
    return (HERE / preset / name).read_text(encoding="utf-8")


def example(preset: str) -> Path:
    """The folder of the preset's example: expression.csv.gz and clinical.tsv.gz."""
    return HERE / preset / "tcga-brca-pairs"
