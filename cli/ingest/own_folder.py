"""tshdb ingest FOLDER: what lies in a folder of one's own, and what of it is loaded."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cli.ingest.options import AsOfOption, CheckBytesOption, CollectionOption, DryRunOption, KeepGoingOption
from cli.options import JsonOption, StudyOption

if TYPE_CHECKING:
    from tshdb.actions.own_folder import OwnFile, OwnFolder

NAME = "folder"


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
    map_file: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE.toml", help="What the files hold; default folder.map.toml in the folder."),
    ] = None,
    guess: Annotated[
        bool, typer.Option("--guess", help="Write a first map of all that needs one (or to --map), load nothing.")
    ] = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    as_of: AsOfOption = None,
    check_bytes: CheckBytesOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A folder of one's own: says of every file what it is, and loads what is certain; `tshdb ingest FOLDER` does the same.

    Certain is what a reader recognises, and a file that a map speaks of: the folder's (folder.map.toml), one beside the
    table (table.csv, table.map.toml), or one that the study keeps. For the rest it says what is missing, and --guess writes one
    map for all.

    Example: tshdb ingest folder ~/hospital --collection mine --guess
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
        found = own.look(opened, folder, collection, None if guess else map_file, show, check_bytes)
        if not as_json:
            _tell(found, dry_run or guess)
        if guess:
            _guess(found, map_file, as_json)
            return
        for nth, (each, loaded) in enumerate(found.load(Loading(False, keep_going, dry_run, as_of)), 1):
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
            outcomes.append({"files": name, **report_outcome(opened, loaded, as_json, nth)})
    if as_json:
        out_json({"files": [_facts(f, found.root) for f in found.files], "loaded": outcomes})
    open_ones = own.open_ones(found.files)
    if not as_json:
        _tell_next(found, open_ones, dry_run, max(codes, default=0))
    if open_ones and not dry_run:
        codes.add(int(Exit.PARTIAL))
    if code := max(codes, default=0):
        raise typer.Exit(code)


def _guess(found: OwnFolder, target: Path | None, as_json: bool) -> None:
    from cli.console import count, out_json, say
    from tshdb.actions.folder_guess import write_folder_map

    written = write_folder_map(found, target)
    if as_json:
        out_json({"files": [_facts(f, found.root) for f in found.files], "map": str(written.path),
                  "sections": written.n_sections, "questions": written.n_questions})  # fmt: skip
        return
    asked = f", with {count(written.n_questions, 'line')} to decide (?)" if written.n_questions else ""
    say(f"\nWrote {written.path}: {count(written.n_sections, 'section')}{asked}. Read and correct it, then:")
    say(f"  {_command(found, target)} --dry-run")


def _command(found: OwnFolder, map_file: Path | None = None) -> str:
    words = ["tshdb", "ingest", str(found.root), "--collection", found.collection]
    return shlex.join([*words, *(["--map", str(map_file)] if map_file else [])])


def _names(each: OwnFile, root: Path) -> str:
    """The file, or how many of which name below which folder."""
    paths = [p.relative_to(root) for p in each.paths]
    if len(paths) == 1:
        return str(paths[0])
    below = os.path.commonpath([p.parent for p in paths])
    names = {p.name for p in paths}
    called = f" called {paths[0].name}" if len(names) == 1 else f" ({paths[0].name} …)"
    return f"{len(paths):,} files{called}{f' below {below}' if below else ''}"


def _facts(each: OwnFile, root: Path) -> dict[str, Any]:
    return {
        "files": [str(p.relative_to(root)) if p.is_relative_to(root) else str(p) for p in each.paths], "what": each.what,
        "reader": each.reader, "loads": each.load is not None, "needs": each.needs or None, "command": each.command or None,
    }  # fmt: skip


def _tell(found: OwnFolder, only_looks: bool) -> None:
    from cli.console import say

    for each in found.files:
        is_inside = all(p.is_relative_to(found.root) for p in each.paths)
        say(f"{_names(each, found.root) if is_inside else each.paths[0]}: {each.what}")
        if each.load is not None:
            is_read = f"; {each.waits}" if only_looks and each.waits else ""
            say(f"  {'would be loaded' if only_looks else 'is loaded'}{is_read}")
        elif each.is_open:
            say(f"  not loaded; it needs {each.needs}" if each.is_guessed else f"  not loaded. {each.needs}")
            if each.command and not each.is_guessed:
                say(f"  -> {each.command}")
        elif each.reader is None and each.what.startswith(("a map", "the map", "a sheet", "left out")):
            if each.needs:
                say(f"  {each.needs}")
        else:
            say(f"  not loaded{f'. {each.needs}' if each.needs else ''}")


def _tell_next(found: OwnFolder, open_ones: list[OwnFile], dry_run: bool, code: int) -> None:
    """What to do now: the map, the load itself, or the plan."""
    from cli.console import count, say

    waiting = [each for each in open_ones if each.is_guessed]
    say("")
    if waiting:
        n = sum(len(each.paths) for each in waiting)
        map_file = None if found.map is None else Path("NEW.toml")
        say(f"{count(n, 'file')} {'waits' if n == 1 else 'wait'} for your word. One map for all of them: "
            f"{_command(found, map_file)} --guess")  # fmt: skip
    if dry_run and not open_ones and code == 0:
        say(f"Nothing was loaded. To load it: {_command(found)}")
    elif not dry_run and code == 0:
        say("Next: tshdb plan")
