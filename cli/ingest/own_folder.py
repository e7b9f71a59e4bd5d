"""tshdb ingest FOLDER: what lies in a folder of one's own, and what of it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cli.ingest.options import CollectionOption, DryRunOption, KeepGoingOption
from cli.options import JsonOption, StudyOption

if TYPE_CHECKING:
    from tshdb.actions.own_folder import OwnFile, OwnFolder

NAME = "folder"
SHOWN = 3


class FolderOrCommand(TyperGroup):
    """`tshdb ingest FOLDER` is `tshdb ingest folder FOLDER`, where no command has the folder's name."""

    def resolve_command(self, ctx: Any, args: list[str]):
        if args and args[0] not in self.commands and Path(args[0]).is_dir():
            args = [NAME, *args]
        return super().resolve_command(ctx, args)


def add_to(app: typer.Typer) -> None:
    app.command(NAME)(own_folder)


def own_folder(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Tables, matrices, images, in any layout.")],
    collection: CollectionOption,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A folder of one's own: says of every file what it is, and loads what is certain; `tshdb ingest FOLDER` does the same.

    Certain is what a reader recognises, and a table whose map lies beside it (table.csv, table.map.toml) or is kept by the
    study. For the rest it says what is missing, with the command that takes it.

    Example: tshdb ingest folder ~/hospital --collection mine --dry-run
    """
    from cli.console import out_json, progress, say
    from cli.ingest.outcome import exit_code, report_outcome
    from tshdb.actions import own_folder as own
    from tshdb.actions.ingest import Loading
    from tshdb.errors import Exit, TshdbError
    from tshdb.study import Study

    opened = Study.find(study)
    codes: set[int] = set()
    outcomes: list[dict[str, Any]] = []
    with progress() as show:
        found = own.look(opened, folder, collection, show)
        if not as_json:
            _tell(found, dry_run)
        for each, loaded in found.load(Loading(False, keep_going, dry_run)):
            name = _names(each, found.root)
            if not as_json:
                say(f"\n{name}")
            if isinstance(loaded, TshdbError):
                codes.add(int(loaded.exit_code))
                outcomes.append({"files": name, "error": str(loaded)})
                if not as_json:
                    say(f"  {loaded}")
                continue
            codes.add(exit_code(loaded))
            outcomes.append({"files": name, **report_outcome(opened, loaded, as_json)})
    if as_json:
        out_json({"files": [_facts(f, found.root) for f in found.files], "loaded": outcomes})
    if own.open_ones(found.files) and not dry_run:
        codes.add(int(Exit.PARTIAL))
    if code := max(codes, default=0):
        raise typer.Exit(code)


def _names(each: OwnFile, root: Path) -> str:
    names = [str(p.relative_to(root)) for p in each.paths]
    return names[0] if len(names) == 1 else f"{len(names):,} files ({', '.join(names[:SHOWN])} …)"


def _facts(each: OwnFile, root: Path) -> dict[str, Any]:
    return {
        "files": [str(p.relative_to(root)) for p in each.paths], "what": each.what, "reader": each.reader,
        "loads": each.load is not None, "needs": each.needs or None, "command": each.command or None,
    }  # fmt: skip


def _tell(found: OwnFolder, dry_run: bool) -> None:
    from cli.console import say

    for each in found.files:
        say(f"{_names(each, found.root)}: {each.what}")
        if each.load is not None:
            say("  would be loaded" if dry_run else "  is loaded")
        elif each.needs:
            say(f"  not loaded; it needs {each.needs}" if each.command else f"  not loaded. {each.needs}")
            if each.command:
                say(f"  -> {each.command}")
        else:
            say("  not loaded")
