"""A mutant of each part of the declaration: what would notice if it were not there.

role, seed, cohort  the results are others without what it brings
library             the code names it; a library that is named and not declared is an error
tracks              a change is remembered (see `kept.correction`)
digits              what the function gives has more of them
key                 without the column, two rows would have one key
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from tshdb.engine.identity import LIBRARIES
from tshdb.engine.units import functions_of
from tshdb.oath import results
from tshdb.oath.promise import Promise

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis
    from tshdb.engine.world import World


def declaration(world: World, analysis: Analysis, here: Mapping[str, Any], stored: results.Results) -> Promise:
    """Whether everything that its code uses is declared, and each part of the declaration shows in what is computed."""
    name = "declaration"
    used = libraries_of(world, analysis)
    declared = {_plain(lib) for lib in (*analysis.libraries, *analysis.strict_libraries)}
    if missing := used - declared - {_plain(lib) for lib in LIBRARIES}:
        return Promise(name, False, f"its code uses {', '.join(sorted(missing))}, and libraries does not name it")
    matters: dict[str, bool | None] = dict(here["parts"])
    matters |= {f"the library {lib}": lib in used for lib in sorted(declared)}
    matters |= {f"the digits of {column}": is_rounded for column, is_rounded in here["raw"].items()}
    matters |= keys(analysis, stored)
    idle = [part for part, so in matters.items() if so is False]
    untried = [part for part, so in matters.items() if so is None]
    n = len(matters) - len(idle) - len(untried)
    words = [f"is tested by the run: {n} of {len(matters)} parts matter"]
    if idle:
        words.append(f"nothing changes without {_listed(idle)}")
    if untried:
        words.append(f"not tried for want of rows: {_listed(untried)}")
    return Promise(name, True, "; ".join(words), tuple(idle))


def _listed(parts: list[str]) -> str:
    return ", ".join(parts[:6]) + (f" and {len(parts) - 6} more" if len(parts) > 6 else "")


def keys(analysis: Analysis, stored: results.Results) -> dict[str, bool | None]:
    """column of the key -> whether rows would be one without it; None where there are too few rows to say."""
    columns = [c.name for c in analysis.makes.__table__.primary_key if c.name != "unit_id"]
    rows = [json.loads(row) for of_key in stored.values() for row in of_key if row.startswith("{")]
    answers: dict[str, bool | None] = {}
    for column in columns:
        rest = [c for c in columns if c != column]
        most = max(Counter(tuple(row.get(c) for c in rest) for row in rows).values(), default=0)
        answers[f"the key {column}"] = most > 1 if len(rows) > 1 else None
    return answers


def libraries_of(world: World, analysis: Analysis) -> set[str]:
    """The distributions whose names its code uses, as pip spells them."""
    code = world.codes.of(functions_of(analysis))
    paths = {lead[1] for names in code.leads["names"].values() for _, *lead in names if lead and lead[0] == "Outside"}
    return set(_distributions({*paths, *code.leads["imports"]}))


def _distributions(paths: Iterable[str]) -> Iterable[str]:
    for top in {path.partition(".")[0] for path in paths} - set(sys.stdlib_module_names):
        for name in _all().get(top, ()):
            yield _plain(name)


@cache
def _all() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
