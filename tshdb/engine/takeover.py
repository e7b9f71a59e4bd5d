"""What `tshdb migrate` hands to revisions, which know no analysis: the seed, and what stands behind models and references.

Fingerprints of parameters are given as the programs before made them (all parameters) and as they are made now (without the
field that chooses an analysis's cohorts).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tshdb.canonical import json_fingerprint, json_text, rows_fingerprint
from tshdb.engine.analysis import Analysis, Kind, Made
from tshdb.engine.units import counted_parameters
from tshdb.engine.world import World
from tshdb.process import library_version
from tshdb.study import Study


def handed_over(study: Study, analyses: Sequence[Analysis]) -> dict[str, Any]:
    """What another program's results were computed from: seed, fits and references.

    fits: fit -> the analyses upstream with their fingerprints.
    references: those whose fingerprint is another now.
    """
    world = World(analyses, study.settings)
    return {
        "seed": study.settings.study.seed,
        "fits": {a.name: [_facts(world, b) for b in world.upstream(a)] for a in analyses if a.kind is Kind.FIT},
        "references": list(_references(world)),
    }


def upstream_now(study: Study, analyses: Sequence[Analysis]) -> dict[str, list[tuple[str, ...]]]:
    """Fit -> what its models' digest of all upstream is made of today: (analysis, code, parameters, …) of each, by name."""
    world = World(analyses, study.settings)
    return {
        a.name: [(b.name, *world.spec(b.name).equal) for b in world.upstream(a)] for a in analyses if a.kind is Kind.FIT
    }


def _facts(world: World, analysis: Analysis) -> dict[str, str]:
    parameters = world.parameters[analysis.name]
    return {
        "name": analysis.name,
        "params_before": json_fingerprint(json_text(parameters.model_dump(mode="json"))),
        "params": json_fingerprint(counted_parameters(analysis, parameters)),
        "libraries": json_fingerprint({name: library_version(name) for name in analysis.strict_libraries}),
    }


def _references(world: World):
    """(producer, key, fingerprint before, now, table, rows) of what says how a table is made."""
    for analysis in world.analyses:
        for role, need in analysis.needs.items():
            if not isinstance(need, Made):
                continue
            key, now, rows = world.references(analysis)[role]
            whole = {n: json_text(p.model_dump(mode="json")) for n, p in world.parameters.items()}
            before = _fingerprint([row | {"parameters": whole[row["analysis"]]} for row in rows])
            if before != now:
                yield world.producer(need), key, before, now, need.table.__tablename__, rows


def _fingerprint(rows: list[dict]) -> str:
    columns = sorted({c for row in rows for c in row})
    return rows_fingerprint(columns, ([row.get(c) for c in columns] for row in rows))
