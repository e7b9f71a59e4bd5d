"""The cell networks as graphs, and as files of other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tshdb.next_step import naming_next_step
from tshdb.places import plain_name
from tshdb.tables.rows import network_rows

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


def network_files(graphs: Mapping[str, nx.Graph]) -> dict[str, tuple[str, nx.Graph]]:
    """file name -> its text and the graph that it holds: of every graph a GraphML and a Cytoscape JSON."""
    from networkx import cytoscape_data, generate_graphml

    files = {}
    for name, graph in graphs.items():
        stem = plain_name(name, "network_parameters")
        lines = "\n".join(generate_graphml(graph))
        files[f"{stem}.graphml"] = (f'<?xml version="1.0" encoding="UTF-8"?>\n{lines}\n', graph)
        facts = cytoscape_data(graph) | {"data": graph.graph}
        files[f"{stem}.cyjs"] = (json.dumps(facts, indent=2, sort_keys=True) + "\n", graph)
    return files
