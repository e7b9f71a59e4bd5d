"""Choices of parameters and cohorts that a study can begin with; and what the paper behind them prints.

fan2023/  study.toml, cohorts/*.sql; table1.csv, table2.csv and paper.toml: the printed numbers, and when each holds;
          tcga-brca-pairs/: RNA of tumour and stroma of 110 patients, with clinical data (examples/README.md)
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from tshdb.errors import InvalidInput

PRESETS = ("fan2023",)


def refuse_unknown(preset: str) -> None:
    """Raises InvalidInput for a preset that there is not."""
    if preset not in PRESETS:
        raise InvalidInput(f"no preset '{preset}'", where="--preset", repair=f"Presets: {', '.join(PRESETS)}")


def text(preset: str, name: str) -> str:
    """A file of a preset, such as study.toml or cohorts/NAME.sql."""
    return resources.files(__name__).joinpath(f"{preset}/{name}").read_text(encoding="utf-8")


def example(preset: str) -> Path:
    """The folder of the preset's example: expression.csv.gz and clinical.tsv.gz."""
    return Path(__file__).parent / preset / "tcga-brca-pairs"


def cohort_files(preset: str) -> list[str]:
    """The names of the preset's cohort files: NAME.sql."""
    return sorted(file.name for file in resources.files(__name__).joinpath(f"{preset}/cohorts").iterdir())
