"""What a trap is, and how it is judged: by the actions that the commands call, with nothing loaded.

A verdict: Found (a finding of that rule, and no others but those in `also`), Refused (the file as a whole, in one line with the
repair), Clean (no finding at all: what looks odd is right).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tshdb.actions import ingest
from tshdb.errors import TshdbError
from tshdb.vocabulary import ExpressionUnit, Scale, Severity

E, W = Severity.ERROR, Severity.WARNING
DRY = ingest.Loading(dry_run=True)


class Found(NamedTuple):
    """A finding. says: what its message must hold; line: where it is; also: other rules that come along."""

    rule: str
    severity: Severity = E
    says: str = ""
    line: int | None = None
    also: tuple[str, ...] = ()


class Refused(NamedTuple):
    """The file is refused. words: what the message and its repair must hold, a regular expression."""

    words: str


class Clean(NamedTuple):
    """No finding."""


CLEAN = Clean()
Verdict = Found | Refused | Clean


def judge(look: Callable[[], ingest.Loaded], verdict: Verdict) -> None:
    """Assert that a look at a file ends with the verdict."""
    try:
        loaded = look()
    except TshdbError as error:
        assert isinstance(verdict, Refused), error
        assert re.search(verdict.words, f"{error.message} {error.repair}"), error
        assert error.where and error.repair and error.exit_code
        return
    rules = [f.rule for f in loaded.findings]
    if isinstance(verdict, Clean):
        assert rules == [] and loaded.by_table["patients"]["inserted"] > 0
        return
    assert isinstance(verdict, Found), rules
    mine = [f for f in loaded.findings if f.rule == verdict.rule]
    assert mine, rules
    assert {f.severity for f in mine} == {verdict.severity}
    assert loaded.is_refused == (verdict.severity is E or any(f.severity is E for f in loaded.findings))
    assert any(verdict.says in f.message for f in mine), [f.message for f in mine]
    assert verdict.line is None or verdict.line in {f.line for f in mine}
    assert set(rules) <= {verdict.rule, *verdict.also}


def written(folder: Path, name: str, data: str | bytes) -> Path:
    """A file with these bytes, or this text in UTF-8."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def look_at_matrix(study, folder: Path, data, unit="tpm", scale="linear", name="m.tsv", **options):
    """What `tshdb ingest rna --dry-run` would find."""
    said = ingest.RnaOptions(ExpressionUnit(unit), Scale(scale), **options)
    path = written(folder, name, data)
    return lambda: ingest.rna(study, path, "own", said, how=DRY)


def look_at_patients(study, folder: Path, data, map_: str | None = None, name="t.csv", collection="own"):
    """What `tshdb ingest clinical --dry-run` would find."""
    path = written(folder, name, data)
    file = None if map_ is None else written(folder, "map.toml", map_)
    return lambda: ingest.clinical(study, path, collection, map=file, how=DRY)


SAMPLES = [f"TCGA-Z1-Q00{i}-{kind}" for i in (1, 2, 3) for kind in ("01A", "11A")]


def matrix(genes=("CD8A", "TP53", "ESR1", "GNLY"), names=SAMPLES, head="gene", tab="\t") -> str:
    """Genes x samples; the value of gene i of sample j is 7.5 (i + 1)(j + 2) + 0.25: 15.25 is the first."""
    lines = [[head, *names]]
    lines += [[g, *(f"{7.5 * (i + 1) * (j + 2) + 0.25}" for j in range(len(names)))] for i, g in enumerate(genes)]
    return "".join(tab.join(line) + "\n" for line in lines)


PATIENTS = [["ID", "Age", "ER", "Dead", "Days"]] + [
    [f"P-{i:03d}", str(40 + i), "pos" if i % 2 else "neg", str(int(i % 3 == 0)), str(200 + 91 * i)]
    for i in range(1, 10)
]
MAP = """[patient_id]
column = "ID"
[patients.age_years]
column = "Age"
[patients.er_status]
column = "ER"
[follow_ups.OS]
time_origin = "diagnosis"
event = { column = "Dead", codes = { "0" = false, "1" = true } }
duration = { column = "Days", unit = "days" }
"""


def patients(row: int = 0, column: str = "", value: str = "", tail: str = "") -> str:
    """Nine patients as CSV, one cell of which is another: of that row (1 is the first patient) and column."""
    rows = [list(r) for r in PATIENTS]
    if column:
        rows[row][rows[0].index(column)] = value
    return "".join(",".join(r) + "\n" for r in rows) + tail
