"""The cell networks as graphs, and as files of other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.errors import InvalidInput
from tshdb.exports.record import File, Job, Written
from tshdb.next_step import naming_next_step
from tshdb.places import plain_name
from tshdb.tables.rows import network_rows
from tshdb.text.controls import clean

if TYPE_CHECKING:
    import networkx as nx

    from tshdb.study import Study


def networks(study: Study, cohort: str | None = None) -> dict[str, nx.Graph]:
    """The networks of one cohort: 'tumor-good' -> graph whose edges have correlation and n. Raises NotFound without any.

    Populations without an edge are nodes, too.
    """
    import networkx as nx

    with naming_next_step(study):
        parameters = network_rows(study, cohort)
    name = parameters[0]["cohort"]
    populations = study.sql("SELECT DISTINCT population FROM tsh_ratios ORDER BY 1")["population"]
    edges = study.sql(
        "SELECT compartment, prognosis, population, other_population, correlation, n FROM network_edges "
        "WHERE cohort = $cohort ORDER BY ALL",
        {"cohort": name},
    )
    graphs = {}
    for compartment, prognosis in sorted({(p["compartment"], p["prognosis"]) for p in parameters}):
        graph = nx.Graph(cohort=name, compartment=compartment, prognosis=prognosis)
        graph.add_nodes_from((p, {"name": p}) for p in populations)
        of_group = edges[(edges["compartment"] == compartment) & (edges["prognosis"] == prognosis)]
        for edge in of_group.itertuples():
            graph.add_edge(edge.population, edge.other_population, correlation=float(edge.correlation), n=int(edge.n))
        graphs[f"{compartment}-{prognosis}"] = graph
    return graphs


def write_networks(job: Job) -> Written:
    """A GraphML and a Cytoscape JSON of every group and compartment."""
    done = Written(
        left_out=["networks of other cohorts"],
        notes=[
            "Nodes have name; edges have correlation (Pearson's r of abundances, no unit) and n, the patients it is of."
        ],
    )
    for name, (text, graph) in network_files(networks(job.study, job.asked)).items():
        (job.folder / name).write_text(text, encoding="utf-8")
        nodes, edges = graph.number_of_nodes(), graph.number_of_edges()
        done.files.append(File(name, f"the network {Path(name).stem}: {nodes} populations, {edges} edges"))
    return done


def network_files(graphs: Mapping[str, nx.Graph]) -> dict[str, tuple[str, nx.Graph]]:
    """file name -> its text and the graph that it holds: of every graph a GraphML and a Cytoscape JSON.

    Names are without control characters: XML 1.0 has no way to write them, and no program would open the file.
    Raises InvalidInput
    where two names differ by nothing else.
    """
    from networkx import cytoscape_data, generate_graphml

    files = {}
    for name, named in graphs.items():
        graph = _as_text(named)
        stem = plain_name(name, "network_parameters")
        lines = "\n".join(generate_graphml(graph))
        files[f"{stem}.graphml"] = (f'<?xml version="1.0" encoding="UTF-8"?>\n{lines}\n', graph)
        facts = cytoscape_data(graph) | {"data": graph.graph}
        files[f"{stem}.cyjs"] = (json.dumps(facts, indent=2, sort_keys=True) + "\n", graph)
    return files


def _as_text(graph: nx.Graph) -> nx.Graph:
    """The graph with all of its texts as XML can hold them."""
    import networkx as nx

    names = {node: clean(node) for node in graph}
    if len(set(names.values())) < len(names):
        raise InvalidInput(
            "two populations have the same name but for control characters", where="network_edges",
            repair="Give them other names in the marker table",
        )  # fmt: skip
    made = nx.relabel_nodes(graph, names)
    made.graph = {key: clean(value) for key, value in graph.graph.items()}
    for node, facts in made.nodes(data=True):
        facts["name"] = node
    return made
