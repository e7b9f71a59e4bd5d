"""tshdb ingest: load files, one module a kind; each parses, calls one function of `tshdb.actions`, and tells what it did."""

from __future__ import annotations

import typer

from cli.ingest import any_file, clinical, collections, features, imaging, own_folder, rna

app = typer.Typer(
    help="Load files, each row with its file and line.",
    no_args_is_help=True,
    rich_markup_mode=None,
    cls=own_folder.FolderOrCommand,
)
rna.add_to(app)
clinical.add_to(app)
collections.add_to(app)
imaging.add_to(app)
features.add_to(app)
any_file.add_to(app)
own_folder.add_to(app)
