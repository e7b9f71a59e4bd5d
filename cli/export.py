"""tshdb export networks | study: results in the formats of other programs, and a study as one bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import count, out, out_json, progress, say
from cli.options import JsonOption, StudyOption, VariantOption
from cli.variant import opened
from tshdb.files import complete

app = typer.Typer(
    help="Results for other programs; a study for another machine.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def export() -> None:
    """Results for other programs; a study for another machine."""


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


@app.command("study")
def export_study(
    target: Annotated[Path, typer.Argument(metavar="FILE.zip|DIR", help="A new zip, or a new folder.")],
    has_key: Annotated[
        bool, typer.Option("--with-key", help="With the key of withdrawals: only to yourself, never to others.")
    ] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """The study as one bundle: sources, settings, code text and results. Another machine takes it by tshdb import study.

    Files that were read and lie outside of the study's folder are taken along, if they are still what was read; what is not
    there any more is named.

    Example: tshdb export study brca.zip
    """
    from tshdb.bundles.export import TAKEN
    from tshdb.bundles.export import export_study as write_bundle
    from tshdb.study import Study

    with progress() as show:
        done = write_bundle(Study.find(study), target, has_key=has_key, progress=show)
    if as_json:
        out_json(done.facts)
        return
    out(f"Bundle {done.path}: {count(len(done.manifest.files), 'file')}, {done.manifest.size / 1e6:,.1f} MB.")
    for source in done.sources:
        if source["state"] not in TAKEN:
            out(f"  not in it: {source['source']}, {source['state']}")
    if lost := done.manifest.facts["images_lost"]:
        out(f"  not in it: {count(len(lost), 'image')}, gone or other bytes by now, such as {lost[0]}")
    for why, names in done.manifest.left_out.items():
        say(f"Left out, {why}: {', '.join(names[:5])}{f' and {len(names) - 5:,} more' if len(names) > 5 else ''}")
    say(f"It holds data of patients. To take it: tshdb import study {done.path} NEW-FOLDER")
