"""Write the table of docs/testing.md that counts the cases of tests/data/golden.toml: `make docs`. A test compares them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
INDEX = HERE.parent / "tests" / "data" / "golden.toml"
KINDS = ("plain", "ties", "zeros", "separation", "missing", "empty")
BEGIN, END = "<!-- golden: written by make docs -->\n", "<!-- /golden -->\n"


def entries() -> list[dict[str, Any]]:
    with INDEX.open("rb") as file:
        return tomllib.load(file)["golden"]


def table() -> str:
    """One row a function: how many cases of each kind are equal to R, and beside them how many have no number in either."""
    lines = [
        f"| R | package | {' | '.join(KINDS)} | cases | to |",
        f"|---|---|{'--:|' * len(KINDS)}--:|---|",
    ]
    totals = dict.fromkeys(KINDS, 0)
    n_refused = 0
    for entry in entries():
        equal = {kind: len(entry.get(kind, ())) for kind in KINDS}
        refused = {kind: len(entry.get("refused", {}).get(kind, ())) for kind in KINDS}
        cells = [_cell(equal[k], refused[k]) for k in KINDS]
        ends = [sum(equal.values()), f"{entry['tolerance']:.0e}"]
        lines.append(f"| {' | '.join(map(str, (entry['function'], entry['package'], *cells, *ends)))} |")
        totals = {kind: totals[kind] + equal[kind] for kind in KINDS}
        n_refused += sum(refused.values())
    lines.append(f"| **all** | | {' | '.join(str(totals[kind]) for kind in KINDS)} | **{sum(totals.values())}** | |")
    said = f"{sum(totals.values())} cases of {len(lines) - 3} functions, and {n_refused} that have no number (– n).\n"
    return said + "\n" + "\n".join(lines) + "\n"


def _cell(n_equal: int, n_refused: int) -> str:
    return " ".join(filter(None, [str(n_equal or ""), f"– {n_refused}" if n_refused else ""])) or "·"


def written() -> str:
    """What stands in docs/testing.md."""
    return (HERE / "testing.md").read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def main() -> None:
    text = (HERE / "testing.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    (HERE / "testing.md").write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
