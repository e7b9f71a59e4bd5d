"""tshdb export networks: results in the formats of other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import out, out_json
from cli.files import complete
from cli.options import JsonOption, StudyOption

if TYPE_CHECKING:
    import networkx as nx

app = typer.Typer(help="Results for other programs.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def export() -> None:
    """Results for other programs."""


@app.command()
def networks(
    folder: Annotated[Path, typer.Argument(help="Where the files go; it is made.")],
    cohort: Annotated[str | None, typer.Option(help="cohort@version (default: the newest).")] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """The cell networks: GraphML (Gephi, igraph, yEd) and Cytoscape JSON, one of each for every group and compartment.

    Example: tshdb export networks networks/ --cohort tumor_stroma_development@1
    """
    from networkx import cytoscape_data, generate_graphml

    from tshdb.places import plain_name
    from tshdb.study import Study

    written = []
    graphs = read_networks(Study.find(study), cohort)
    folder.mkdir(parents=True, exist_ok=True)
    for name, graph in graphs.items():
        texts = {
            ".graphml": '<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(generate_graphml(graph)) + "\n",
            ".cyjs": json.dumps(cytoscape_data(graph) | {"data": graph.graph}, indent=2, sort_keys=True) + "\n",
        }
        for suffix, text in texts.items():
            path = folder / f"{plain_name(name, 'network_parameters')}{suffix}"
            with complete(path) as written_to:
                written_to.write_text(text, encoding="utf-8")
            written.append({"path": str(path), "nodes": graph.number_of_nodes(), "edges": graph.number_of_edges()})
    if as_json:
        out_json(written)
        return
    for file in written:
        out(f"{file['path']}: {file['nodes']} populations, {file['edges']} edges")


def read_networks(study, cohort: str | None) -> dict[str, nx.Graph]:
    """The networks of one cohort: 'tumor-good' -> graph whose edges have correlation and n. Raises NotFound without any.

    Populations without an edge are nodes, too.
    """
    import networkx as nx

    from cli.paper.rows import network_rows

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
        mine = edges[(edges["compartment"] == compartment) & (edges["prognosis"] == prognosis)]
        for edge in mine.itertuples():
            graph.add_edge(edge.population, edge.other_population, correlation=float(edge.correlation), n=int(edge.n))
        graphs[f"{compartment}-{prognosis}"] = graph
    return graphs
