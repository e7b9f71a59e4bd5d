"""The rules by which files are checked before they are loaded: what each means and what to do about it."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import NamedTuple


class Rule(NamedTuple):
    """meaning: what a finding of it says; repair: what to do."""

    meaning: str
    repair: str


@cache
def rules() -> dict[str, Rule]:
    """rule -> what it means and what to do."""
    text = resources.files("ingest").joinpath("data/rules.csv").read_text(encoding="utf-8")
    return {row["rule"]: Rule(row["meaning"], row["what to do"]) for row in csv.DictReader(text.splitlines())}
