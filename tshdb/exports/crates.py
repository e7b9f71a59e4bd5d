"""The lineage of one number as an RO-Crate 1.1: what was read, by which code it was computed, and what came of it.

What a whole study's crate says in the same way (`study_crate`): files, sources, code and actions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tshdb.errors import InvalidInput
from tshdb.lineage import facts_of
from tshdb.places import plain_name
from tshdb.text.facts import facts_text
from tshdb.version import __version__

if TYPE_CHECKING:
    from tshdb.lineage import Lineage, Node

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PROFILE = "https://w3id.org/ro/crate/1.1"
METADATA = "ro-crate-metadata.json"
LICENSE = {
    "@id": "#license", "@type": "CreativeWork", "name": "Terms of the sources",
    "description": "Not stated: the study's files have their own terms, which the archives publish.",
}  # fmt: skip
PROGRAM = {
    "@id": "#tshdb", "@type": "SoftwareApplication", "name": "tshdb", "version": __version__, "softwareVersion": __version__,
    "url": "https://doi.org/10.1186/s12967-023-04748-6",
}  # fmt: skip
DESCRIPTOR = {"@id": METADATA, "@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": {"@id": PROFILE}}


def crate_files(study: str, lineage: Lineage) -> dict[str, str]:
    """The files of a crate by name: rows.json, lineage.json, the code as it ran, and ro-crate-metadata.json.

    study: its name; lineage: as `tshdb.lineage.lineage` gives it.
    """
    code, programs = code_files(lineage.specs, lineage.nodes.values())
    written = {"rows.json": facts_text(lineage.rows), "lineage.json": facts_text(facts_of(lineage)), **code}
    sources = source_entities((place.sha256, place.file) for place in lineage.places)
    made = one_of_each([lineage.unit, *sorted(lineage.nodes.values())])
    result = {node.spec_id: "rows.json" if node.spec_id == lineage.unit.spec_id else "lineage.json" for node in made}
    graph = [
        *_root(study, lineage, written),
        PROGRAM,
        *file_entities({name: len(text.encode()) + 1 for name, text in written.items()}),
        *sources,
        *action_entities(made, lineage.specs, lineage.runs, programs, [{"@id": s["@id"]} for s in sources], result),
    ]
    files = {**written, METADATA: facts_text({"@context": CONTEXT, "@graph": graph})}
    return {name: text + "\n" for name, text in files.items()}


def code_files(
    specs: Mapping[int, dict[str, Any]], nodes: Iterable[Node]
) -> tuple[dict[str, str], dict[int, tuple[str, list[str]]]]:
    """(name -> the code as it ran, spec -> (name of its file, analyses))."""
    analyses_of: dict[int, set[str]] = {}
    for node in nodes:
        if node.spec_id is not None:
            analyses_of.setdefault(node.spec_id, set()).add(node.analysis)
    written, programs = {}, {}
    for spec_id, spec in sorted(specs.items()):
        analyses = sorted(analyses_of[spec_id])
        name = f"code/{plain_name('-'.join([*analyses, spec['code'][:12]]), 'units.analysis, specs.code')}.py"
        written[name] = "\n\n".join(f"# {k}\n{v.rstrip()}\n" for k, v in sorted(spec["sources"].items()))
        programs[spec_id] = (name, analyses)
    return written, programs


def write_crate(folder: Path, files: dict[str, str]) -> None:
    """Write a crate's files into a new folder. Raises InvalidInput for a used one."""
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput("the folder is not empty", where=str(folder), repair="Name a new folder")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _root(study: str, lineage: Lineage, written: dict[str, str]) -> list[dict[str, Any]]:
    run = None if lineage.unit.run_id is None else lineage.runs.get(lineage.unit.run_id)
    date = run["started_at"] if run else "1970-01-01"
    return [
        DESCRIPTOR,
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"{lineage.table} of {lineage.unit.name}, study {study}",
            "description": f"The rows of {lineage.table} made by {lineage.unit.name}, and everything that they rest on.",
            "datePublished": date,
            "license": {"@id": "#license"},
            "hasPart": [{"@id": name} for name in sorted(written)],
            **({"author": {"@id": person_id(run["actor"])}} if run else {}),
            **({"mentions": {"@id": action_id(lineage.unit)}} if run else {}),
        },
        LICENSE,
    ]


def file_entities(sizes: Mapping[str, int | None], about: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The files of a crate. sizes: name -> bytes, where they are known; about: name -> what it is."""
    kinds = {".json": "application/json", ".py": "text/x-python", ".csv": "text/csv", ".md": "text/markdown"}
    about = about or {}
    return [
        {
            "@id": name,
            "@type": ["File", "SoftwareSourceCode"] if name.endswith(".py") else "File",
            "name": name.rpartition("/")[2],
            **({"description": about[name]} if name in about else {}),
            "encodingFormat": kinds[Path(name).suffix],
            **({} if size is None else {"contentSize": str(size)}),
        }
        for name, size in sorted(sizes.items())
    ]


def source_entities(files: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The files that were read: not in the crate, known by their digest. files: (SHA-256, name)."""
    seen = {
        sha256: {
            "@id": f"#source-{sha256[:16]}",
            "@type": "CreativeWork",
            "name": name,
            "identifier": f"sha256:{sha256}",
        }
        for sha256, name in files
    }
    return [seen[digest] for digest in sorted(seen)]


def one_of_each(nodes: Iterable[Node]) -> list[Node]:
    """Of units that were computed one a run and spec, the first."""
    seen: dict[tuple, Node] = {}
    for node in nodes:
        if node.spec_id is not None:
            seen.setdefault((node.run_id, node.spec_id), node)
    return list(seen.values())


def action_id(node: Node) -> str:
    return f"#run-{node.run_id}-spec-{node.spec_id}"


def person_id(actor: str) -> str:
    return f"#person-{quote(actor)}"


def action_entities(
    made: Sequence[Node],
    specs: Mapping[int, dict[str, Any]],
    runs: Mapping[int, dict[str, Any]],
    programs: Mapping[int, tuple[str, list[str]]],
    objects: Sequence[dict[str, str]],
    result: Mapping[int | None, str],
) -> list[dict[str, Any]]:
    """One action a run and spec: the code was the instrument, the files read its object, the rows its result.

    made: units, one a run and spec; objects: what was read; result: spec -> the file that holds the rows.
    """
    actions, people, values = [], {}, []
    for node in made:
        assert node.run_id is not None and node.spec_id is not None
        run, spec = runs[node.run_id], specs[node.spec_id]
        name, analyses = programs[node.spec_id]
        action, person = action_id(node), person_id(run["actor"])
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
                "object": [*objects, {"@id": parameter}],
                "result": {"@id": result[node.spec_id]},
            }
        )
    return [*people.values(), *values, *actions]
