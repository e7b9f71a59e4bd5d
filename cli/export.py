"""tshdb export networks: results in the formats of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out, out_json
from cli.options import JsonOption, StudyOption, VariantOption
from cli.variant import opened
from tshdb.files import complete

app = typer.Typer(help="Results for other programs.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def export() -> None:
    """Results for other programs."""


@app.command()
def networks(
    folder: Annotated[Path, typer.Argument(help="Where the files go; it is made.")],
    cohort: Annotated[str | None, typer.Option(help="cohort@version (default: the newest).")] = None,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """The cell networks: GraphML (Gephi, igraph, yEd) and Cytoscape JSON, one of each for every group and compartment.

    Example: tshdb export networks networks/ --cohort tumor_stroma_development@1
    """
    from tshdb.exports import network_files
    from tshdb.exports import networks as read_networks

    written = []
    with opened(study, variant) as here:
        graphs = read_networks(here, cohort)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (text, graph) in network_files(graphs).items():
        path = folder / name
        with complete(path) as written_to:
            written_to.write_text(text, encoding="utf-8")
        written.append({"path": str(path), "nodes": graph.number_of_nodes(), "edges": graph.number_of_edges()})
    if as_json:
        out_json(written)
        return
    for file in written:
        out(f"{file['path']}: {file['nodes']} populations, {file['edges']} edges")
