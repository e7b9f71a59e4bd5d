"""The lineage of one number as an RO-Crate 1.1: what was read, by which code it was computed, and what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.errors import InvalidInput
from tshdb.lineage import facts_of
from tshdb.places import plain_name
from tshdb.version import __version__

if TYPE_CHECKING:
    from tshdb.lineage import Lineage

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PROFILE = "https://w3id.org/ro/crate/1.1"
UNSTATED = "Not stated: the study's files have their own terms, which the archives publish."


def crate_files(study: str, lineage: Lineage) -> dict[str, str]:
    """The files of a crate by name: rows.json, lineage.json, the code as it ran, and ro-crate-metadata.json.

    study: its name; lineage: as `tshdb.lineage.lineage` gives it.
    """
    written = {
        "rows.json": json.dumps(lineage.rows, indent=2, default=str),
        "lineage.json": json.dumps(facts_of(lineage), indent=2, default=str),
    }
    programs = {}
    for spec_id, spec in sorted(lineage.specs.items()):
        analyses = sorted({n.analysis for n in lineage.nodes.values() if n.spec_id == spec_id})
        name = f"code/{plain_name('-'.join([*analyses, spec['code'][:12]]), 'units.analysis, specs.code')}.py"
        written[name] = "\n\n".join(f"# {k}\n{v.rstrip()}\n" for k, v in sorted(spec["sources"].items()))
        programs[spec_id] = (name, analyses)
    graph = [*_root(study, lineage, written), *_files(written), *_sources(lineage), *_actions(lineage, programs)]
    document = {"@context": CONTEXT, "@graph": graph}
    files = {**written, "ro-crate-metadata.json": json.dumps(document, indent=2)}
    return {name: text + "\n" for name, text in files.items()}


def write_crate(folder: Path, files: dict[str, str]) -> None:
    """Write a crate's files into a new folder. Raises InvalidInput for a used one."""
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput("the folder is not empty", where=str(folder), repair="Name a new folder")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _root(study: str, lineage: Lineage, written: dict[str, str]) -> list[dict[str, Any]]:
    run = lineage.runs.get(lineage.unit.run_id)
    date = run["started_at"] if run else "1970-01-01"
    return [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": PROFILE},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"{lineage.table} of {lineage.unit.name}, study {study}",
            "description": f"The rows of {lineage.table} made by {lineage.unit.name}, and everything that they rest on.",
            "datePublished": date,
            "license": {"@id": "#license"},
            "hasPart": [{"@id": name} for name in sorted(written)],
            **({"author": {"@id": f"#person-{run['actor']}"}} if run else {}),
            **({"mentions": {"@id": _action_id(lineage.unit.run_id, lineage.unit.spec_id)}} if run else {}),
        },
        {"@id": "#license", "@type": "CreativeWork", "name": "Terms of the sources", "description": UNSTATED},
        {"@id": "#tshdb", "@type": "SoftwareApplication", "name": "tshdb", "version": __version__,
         "softwareVersion": __version__, "url": "https://doi.org/10.1186/s12967-023-04748-6"},
    ]  # fmt: skip


def _files(written: dict[str, str]) -> list[dict[str, Any]]:
    kinds = {".json": "application/json", ".py": "text/x-python"}
    return [
        {
            "@id": name,
            "@type": ["File", "SoftwareSourceCode"] if name.endswith(".py") else "File",
            "name": name.rpartition("/")[2],
            "encodingFormat": kinds[Path(name).suffix],
            "contentSize": str(len(text.encode()) + 1),
        }
        for name, text in sorted(written.items())
    ]


def _sources(lineage: Lineage) -> list[dict[str, Any]]:
    """The files that were read: not in the crate, known by their digest."""
    seen = {}
    for place in lineage.places:
        seen[place.sha256] = {
            "@id": _source_id(place.sha256),
            "@type": "CreativeWork",
            "name": place.file,
            "identifier": f"sha256:{place.sha256}",
        }
    return [seen[digest] for digest in sorted(seen)]


def _source_id(sha256: str) -> str:
    return f"#source-{sha256[:16]}"


def _made(lineage: Lineage):
    """The unit itself first, then every other that was computed; one a run and spec."""
    seen = {}
    ordered = [lineage.unit, *sorted(lineage.nodes.values())]
    for node in ordered:
        if node.spec_id is not None:
            seen.setdefault((node.run_id, node.spec_id), node)
    return list(seen.values())


def _action_id(run_id, spec_id) -> str:
    return f"#run-{run_id}-spec-{spec_id}"


def _actions(lineage: Lineage, programs: dict[int, tuple[str, list[str]]]) -> list[dict[str, Any]]:
    """One action a run and spec: the code was the instrument, the files read its object, the rows its result."""
    sources = [{"@id": _source_id(s)} for s in sorted({p.sha256 for p in lineage.places})]
    actions, people, values = [], {}, []
    for node in _made(lineage):
        run, spec = lineage.runs[node.run_id], lineage.specs[node.spec_id]
        name, analyses = programs[node.spec_id]
        action = _action_id(node.run_id, node.spec_id)
        person = f"#person-{run['actor']}"
        people[person] = {"@id": person, "@type": "Person", "name": run["actor"]}
        parameter = f"{action}-parameters"
        values.append(
            {
                "@id": parameter,
                "@type": "PropertyValue",
                "name": "parameters",
                "value": json.dumps(spec["parameters"], sort_keys=True),
            }
        )
        seed = f"; [study] seed {spec['seed']}" if spec["seed"] is not None else ""
        libraries = ", ".join(f"{n} {v}" for n, v in sorted(run["libraries"].items()))
        actions.append(
            {
                "@id": action,
                "@type": "CreateAction",
                "name": ", ".join(analyses),
                "description": f"{run['command']}; Python {spec['python']}, {libraries}; code {spec['code']}{seed}",
                "startTime": run["started_at"],
                "instrument": {"@id": name},
                "agent": {"@id": person},
                "object": [*sources, {"@id": parameter}],
                "result": {"@id": "rows.json" if node.spec_id == lineage.unit.spec_id else "lineage.json"},
            }
        )
    return [*people.values(), *values, *actions]
