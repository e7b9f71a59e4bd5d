"""The crate of a whole study keeps the rules of RO-Crate 1.1, and holds what it names."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from tshdb.exports.writing import export
from tshdb.objects import sha256_of


@pytest.fixture
def crate(study, tmp_path) -> Path:
    export(study, "rocrate", tmp_path / "crate")
    return tmp_path / "crate"


def graph_of(crate: Path) -> list[dict]:
    return json.loads((crate / "ro-crate-metadata.json").read_text())["@graph"]


def ids_in(value) -> set[str]:
    """All that is referred to."""
    if isinstance(value, list):
        return set().union(*map(ids_in, value)) if value else set()
    return {value["@id"]} if isinstance(value, dict) else set()


def broken(crate: Path) -> list[str]:
    """What is against a MUST of RO-Crate 1.1 (Root Data Entity, Data Entities, Contextual Entities, JSON-LD)."""
    document = json.loads((crate / "ro-crate-metadata.json").read_text())
    found = [] if document["@context"] == "https://w3id.org/ro/crate/1.1/context" else ["the context"]
    graph = document["@graph"]
    by_id = {entity["@id"]: entity for entity in graph}
    if len(by_id) != len(graph):
        found.append("an @id twice")
    found += [f"{e['@id']}: no @type" for e in graph if not e.get("@type")]
    found += [
        f"{e['@id']}: nested" for e in graph if any(isinstance(v, dict) and set(v) != {"@id"} for v in e.values())
    ]
    descriptor = by_id.get("ro-crate-metadata.json", {})
    if descriptor.get("@type") != "CreativeWork" or descriptor.get("about") != {"@id": "./"}:
        found.append("the descriptor")
    if not descriptor.get("conformsTo", {}).get("@id", "").startswith("https://w3id.org/ro/crate/"):
        found.append("conformsTo")
    root = by_id.get("./", {})
    if root.get("@type") != "Dataset" or not all(root.get(name) for name in ("name", "description", "license")):
        found.append("the root")
    try:
        datetime.fromisoformat(root.get("datePublished", "").replace("Z", "+00:00"))
    except ValueError:
        found.append("datePublished")
    parts = ids_in(root.get("hasPart", []))
    for entity in graph:
        types = entity["@type"] if isinstance(entity["@type"], list) else [entity["@type"]]
        name = entity["@id"]
        if not urlparse(name).path == name.partition("#")[0] or re.search(r"[ \\]", name):
            found.append(f"{name}: no URI reference")
        if "File" in types:
            if name not in parts:
                found.append(f"{name}: in no hasPart")
            path = crate / unquote(name)
            if not path.is_file() or ("contentSize" in entity and int(entity["contentSize"]) != path.stat().st_size):
                found.append(f"{name}: not the file")
        elif name not in ("./", "ro-crate-metadata.json") and not name.startswith("#"):
            found.append(f"{name}: a contextual entity without #")
        for key, value in entity.items():
            if key not in ("@id", "conformsTo"):
                found += [f"{name}: {key} leads nowhere: {i}" for i in ids_in(value) - by_id.keys()]
    return found


def test_a_crate_keeps_the_rules(crate):
    assert broken(crate) == []
    files = {p.relative_to(crate).as_posix() for p in crate.rglob("*") if p.is_file()}
    named = {e["@id"] for e in graph_of(crate) if "File" in e["@type"]}
    assert files - named == {"ro-crate-metadata.json", ".tshdb-export-rocrate.json"}


@pytest.mark.parametrize("spoil", ["gone", "twice", "nowhere", "date"])
def test_a_broken_rule_is_seen(crate, spoil):
    path = crate / "ro-crate-metadata.json"
    document = json.loads(path.read_text())
    graph = document["@graph"]
    if spoil == "gone":
        (crate / "tables/patients.csv").unlink()
    elif spoil == "twice":
        graph.append(graph[-1])
    elif spoil == "nowhere":
        graph[-1]["agent"] = {"@id": "#person-nobody"}
    else:
        next(e for e in graph if e["@id"] == "./")["datePublished"] = "yesterday"
    path.write_text(json.dumps(document))
    assert broken(crate) != []


def test_every_computation_and_every_source_is_in_it(study, crate):
    graph = graph_of(crate)
    with closing(sqlite3.connect(study.sqlite_path)) as raw:
        pairs = raw.execute(
            "SELECT DISTINCT run_id, spec_id FROM units WHERE state = 'current' AND spec_id IS NOT NULL"
        ).fetchall()
        digests = {f"sha256:{d}" for (d,) in raw.execute("SELECT sha256 FROM source_files WHERE is_current")}
        series = {f"content:{d}" for (d,) in raw.execute("SELECT content_digest FROM imaging_series")}
    actions = {e["@id"]: e for e in graph if e["@type"] == "CreateAction"}
    assert actions.keys() == {f"#run-{run}-spec-{spec}" for run, spec in pairs}
    assert {e["identifier"] for e in graph if "identifier" in e} == digests | series
    cutoff = next(a for a in actions.values() if a["name"] == "cutoff")
    assert "def cutoff(" in (crate / cutoff["instrument"]["@id"]).read_text()
    assert cutoff["result"] == {"@id": "tables/cutoffs.csv"}
    told = json.loads((crate / "tables.json").read_text())
    assert told["cutoffs"]["one_row"] and {p.stem for p in (crate / "tables").iterdir()} <= told.keys()


def test_its_tables_are_those_of_the_export_of_tables(study, crate, tmp_path):
    export(study, "csv", tmp_path / "csv")
    ours = {p.name: sha256_of(p) for p in (crate / "tables").iterdir()}
    assert ours == {p.name: sha256_of(p) for p in (tmp_path / "csv").glob("*.csv")}


@pytest.mark.filterwarnings("ignore")  # of the library that reads
def test_another_library_reads_it(study, crate):
    rocrate = pytest.importorskip("rocrate.rocrate", reason="rocrate is not installed")
    read = rocrate.ROCrate(crate)
    assert read.name == f"Study {study.name}"
    assert {e.id for e in read.data_entities} == {e["@id"] for e in graph_of(crate) if "File" in e["@type"]}
    assert all((crate / entity.id).is_file() for entity in read.data_entities)
    assert len(read.get_by_type("CreateAction")) > 20
