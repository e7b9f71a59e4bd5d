"""Every number that the paper prints, beside this study's own: does it hold as printed, or in its direction alone.

What is printed, which row answers it, and when it holds stand in presets/fan2023/paper.toml; how it is judged: `judged`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb import presets
from tshdb.errors import NotFound
from tshdb.next_step import NoRows, has_paper
from tshdb.optimism import Labels
from tshdb.tables.characteristics import table_1
from tshdb.tables.judged import Verdict, by_interval, by_p
from tshdb.tables.layouts import imputed
from tshdb.tables.numbers import p as p_text
from tshdb.tables.rows import PAPER, newest, printed, records

if TYPE_CHECKING:
    from tshdb.study import Study

TABLE_1 = "table_1"  # in a claim: not a table of the database


class Claim(NamedTuple):
    """A printed number. row: table, cohort, the columns that find the row, and `column`, where the value stands."""

    where: str
    what: str
    printed: str
    row: dict[str, str] | None = None
    criterion: str | None = None
    value: float | None = None
    neutral: float = 1.0
    tolerance: float | None = None
    over: str | None = None
    than: str | None = None
    why: str = ""
    impossible: str = ""


class Checked(NamedTuple):
    """A claim with what this study says: the cohort, the value as text, the verdict, and why it differs or is not here."""

    where: str
    what: str
    printed: str
    here: str | None
    verdict: Verdict
    why: str
    cohort: str | None


def read_claims() -> list[Claim]:
    """The claims of paper.toml, in the paper's order: printed tables first, a claim for each of their cells."""
    document = tomllib.loads(presets.text(PAPER, "paper.toml"))
    all_claims = []
    for table in document["tables"]:
        for line in printed(table["file"]):
            for column in table["columns"]:
                name = column["printed"]
                all_claims.append(
                    Claim(
                        where=table["where"],
                        what=f"{line[table['key']]}: {column['what']}",
                        printed=line[name],
                        row={**table["row"], table["key"]: line[table["key"]], "column": name},
                        value=float(line[name]),
                        **{k: v for k, v in column.items() if k not in ("printed", "what")},
                    )
                )
    return all_claims + [Claim(**entry) for entry in document["claims"]]


def claims(study: Study) -> list[Checked]:
    """All claims against the results of the study as they stand; the newest version of each cohort answers.

    Raises NotFound in a study without the paper's analyses.
    """
    if not has_paper(study):
        place = study.settings.place("study", "analyses")[1]
        repair = f"Add {PAPER}, then: tshdb rebuild"
        raise NotFound("the study leaves the paper's analyses out", where=f"[study] analyses ({place})", repair=repair)
    wanted = read_claims()
    tables = _Tables(study, dict.fromkeys(claim.row["table"] for claim in wanted if claim.row))
    return [_judge(claim, tables) for claim in wanted]


class _Tables:
    """The result tables that claims ask for, each read once."""

    def __init__(self, study, names: Iterable[str]):
        stored = [name for name in names if name != TABLE_1]
        frames = study.sql_each([f"SELECT * FROM {name}" for name in stored])
        self._study = study
        self._rows = {name: records(frame) for name, frame in zip(stored, frames, strict=True)}
        try:
            self._rows[TABLE_1] = [row for row in table_1(study, None) if row["value"] is not None]
        except NoRows:
            self._rows[TABLE_1] = []

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self._rows[table]

    def optimistic(self, row: dict[str, Any]) -> str | None:
        """Why the result of this row is better than it should be: it rests on what its own patients' outcome made."""
        unit = row.get("unit_id")
        return None if unit is None else self._labels.of_unit(int(unit)).of_row(row)

    def circular(self, row: dict[str, Any]) -> str | None:
        """Why the p value of this row says little: the groups were made from what is tested between them."""
        unit = row.get("unit_id")
        return None if unit is None else self._labels.of_unit(int(unit)).circular_of_row(row)

    @cached_property
    def _labels(self) -> Labels:
        return Labels(self._study)

    def find(self, row: dict[str, str]) -> list[dict[str, Any]]:
        """The rows that the claim means, of the newest version of its cohort."""
        of_cohort = [r for r in self.rows(row["table"]) if r["cohort"].partition("@")[0] == row["cohort"]]
        latest = newest(list({r["cohort"] for r in of_cohort}))
        keys = {k: v for k, v in row.items() if k not in ("table", "cohort", "column")}
        return [r for r in of_cohort if r["cohort"] == latest and all(r[k] == v for k, v in keys.items())]


def _judge(claim: Claim, tables: _Tables) -> Checked:
    def checked(verdict: Verdict, here: str | None, why: str, cohort: str | None = None) -> Checked:
        return Checked(claim.where, claim.what, claim.printed, here, verdict, why, cohort)

    if claim.row is None:
        return checked(Verdict.NOT_HERE, None, claim.impossible)
    rows = tables.find(claim.row)
    if not rows:
        if claim.criterion == "exists" and any(
            r["cohort"].partition("@")[0] == claim.row["cohort"] for r in tables.rows(claim.row["table"])
        ):
            return checked(Verdict.MOVED, "no", claim.why)
        return checked(Verdict.NOT_HERE, None, f"this study has no result of {claim.row['cohort']} for it")
    cohort = rows[0]["cohort"]
    row = rows[0]
    if claim.over is not None or claim.than is not None:
        of = {r[claim.over]: r[claim.row["column"]] for r in rows} if claim.over is not None else {}
        first, second = (of.get("good"), of.get("poor")) if of else (row[claim.row["column"]], row[claim.than])
        if first is None or second is None:
            return checked(Verdict.NOT_HERE, None, row.get("reason") or "one of the groups has no value", cohort)
        holds = first > second if claim.criterion == "greater" else first < second
        here = f"{first:.3g} against {second:.3g}"
        return checked(Verdict.HOLDS if holds else Verdict.MOVED, here, "" if holds else claim.why, cohort)
    value, here = _value(row, claim)
    if value is None:
        return checked(Verdict.NOT_HERE, None, row.get("reason") or "the result has no value", cohort)
    verdict, reason = _verdict(claim, value, row)
    why = "; ".join(filter(None, [reason, "" if verdict is Verdict.HOLDS else claim.why]))
    if optimistic := tables.optimistic(row):
        here, why = f"{here}, optimistic", "; ".join(filter(None, [why, optimistic]))
    if "p_" in claim.row.get("column", "") and (circular := tables.circular(row)):
        here, why = f"{here}, circular", "; ".join(filter(None, [why, circular]))
    if row.get("n_imputations"):
        here, why = f"{here}, imputed", "; ".join(filter(None, [why, imputed(row)]))
    return checked(verdict, here, why, cohort)


def _value(row: dict[str, Any], claim: Claim) -> tuple[float | None, str]:
    """The number of the row, and how it is written."""
    column = claim.row.get("column", "hazard_ratio" if "hazard_ratio" in row else "value")
    value = row[column]
    if value is None:
        return None, ""
    if isinstance(value, str):  # a cell of Table 1, such as '78 (72%)'
        return float(re.match(r"-?[\d.,]+", value)[0].replace(",", "")), value
    if claim.criterion == "exists":
        return value, "yes"
    if claim.criterion == "interval":
        low, high = row["ci_lower"], row["ci_upper"]
        interval = "no interval" if low is None or high is None else f"{low:.3g} to {high:.3g}"
        return value, f"{value:.3g} ({interval})"
    return value, p_text(value) if "p_" in column else f"{value:.3g}"


def _verdict(claim: Claim, value: float, row: dict[str, Any]) -> tuple[Verdict, str]:
    """(verdict, why where the claim itself says no reason)."""
    if claim.criterion == "exists":
        return Verdict.HOLDS, ""
    if claim.criterion == "interval":
        is_ratio = "hazard_ratio" in row
        return by_interval(claim.value, row["ci_lower"], row["ci_upper"], claim.neutral, is_ratio)
    if claim.criterion == "p":
        return by_p(claim.printed, value)
    return Verdict.HOLDS if abs(value - claim.value) <= claim.tolerance else Verdict.MOVED, ""


def counted(checked: list[Checked]) -> dict[Verdict, int]:
    """How many claims have each verdict."""
    return {verdict: sum(c.verdict is verdict for c in checked) for verdict in Verdict}


def reasons_of(checked: list[Checked]) -> dict[Verdict, dict[str, list[str]]]:
    """verdict -> reason -> the claims that have it, for those that do not hold."""
    reasons: dict[Verdict, dict[str, list[str]]] = {}
    for c in checked:
        if c.why:
            reasons.setdefault(c.verdict, {}).setdefault(c.why, []).append(c.what)
    return reasons


def markdown(checked: list[Checked]) -> Iterator[str]:
    """The lines of a table: paper, here, verdict, why."""
    yield "| | printed | here | | why |"
    yield "|---|---|---|---|---|"
    for c in checked:
        yield f"| {c.where}: {c.what} | {c.printed} | {c.here or ''} | {c.verdict} | {c.why} |"
