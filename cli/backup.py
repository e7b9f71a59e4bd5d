"""tshdb backup | backups | restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import count, counted, out, out_json, progress, say, table
from cli.noting import note
from cli.options import JsonOption, StudyOption

SHOWN = 5


def add_to(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(backups)
    app.command()(restore)


def backup(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of backups, best on another disk; it is made.")
    ],
    is_incremental: Annotated[
        bool,
        typer.Option(
            "--incremental",
            help="What earlier backups in DIR have already is linked to (hard links), not copied. Without it the backup shares "
            "nothing with others.",
        ),
    ] = False,
    is_without_raw: Annotated[
        bool, typer.Option("--without-raw", help="Leave out raw/, what can be downloaded or delivered again.")
    ] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """One state of the study, verified, in a folder of its own below DIR; others may go on writing to the study.

    Interrupted, it leaves nothing under a final name, and the next one goes on with what it has.

    Example: tshdb backup /mnt/backups/brca --incremental
    """
    from tshdb.backup.contents import Options
    from tshdb.backup.make import backup as make_backup
    from tshdb.study import Study

    opened = Study.find(study)
    with progress() as show:
        made = make_backup(
            opened, folder, is_incremental=is_incremental,
            options=Options(has_raw=not is_without_raw), progress=show,
        )  # fmt: skip
    note(opened, made.path, "backup", "backup", of_patients=True)
    facts = made.facts
    if as_json:
        out_json(facts)
        return
    out(f"Backup {made.path}: {count(facts['files'], 'file')}, {_size(facts['bytes'])}; "
        f"{facts['copied']:,} copied, {facts['linked']:,} linked to earlier ones. All bytes were read again.")  # fmt: skip
    _left_out(facts["left_out"])
    if made.has_key:
        say(
            "It holds the key of withdrawals (.withdrawal-key): keep it where only those may read who may read the study."
        )
    say(f"To try it: tshdb restore {made.path} NEW-FOLDER")


def _left_out(left_out: dict[str, list[str]]) -> None:
    for why, names in left_out.items():
        more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
        say(f"Left out, {why}: {', '.join(names[:SHOWN])}{more}")


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB"


def backups(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of backups.")],
    is_full: Annotated[bool, typer.Option("--full", help="Read all bytes and compare them.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The backups in a folder, and whether they are whole. Exit code 5 if one is not.

    Example: tshdb backups /mnt/backups/brca --full
    """
    from tshdb.backup.listing import listed
    from tshdb.errors import Exit

    found = listed(folder, is_full=is_full)
    if as_json:
        out_json([each.facts for each in found])
    elif not found:
        say("No backups there. To make one: tshdb backup DIR")
    else:
        rows = [(each.name, each.study, each.made_at, each.n_files, _size(each.size), each.state) for each in found]
        table(("backup", "study", "made", "files", "size", ""), rows, right=(3, 4))
        for each in found:
            for problem in each.problems:
                out(f"  {each.name}: {problem}")
    if any(each.problems for each in found):
        raise typer.Exit(Exit.INTEGRITY)


def restore(
    source: Annotated[
        Path, typer.Argument(metavar="BACKUP", help="A backup; of a folder with several, the newest one is taken.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder; a study is never written over.")],
    withdrawals: Annotated[
        Path | None,
        typer.Option(
            help="Certificates of withdrawals since the backup, or the study that has them: they are repeated."
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="An empty database to carry the rows to: postgresql://… Else the study is of SQLite."
        ),
    ] = None,
    roles: Annotated[
        bool, typer.Option("--roles", help="PostgreSQL: make the roles of a team there, owner, writer and reader.")
    ] = False,
    is_broken: Annotated[
        bool, typer.Option("--broken", help="Also a study that does not pass its check, to mend it there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """A study from a backup: every byte compared, withdrawals repeated, checked in full; only then it has its name.

    Example: tshdb restore /mnt/backups/brca brca-restored --withdrawals brca/withdrawals
    """
    from tshdb.backup.restore import restore as put_back

    with progress() as show:
        done = put_back(
            source, folder, withdrawals=withdrawals, is_broken_accepted=is_broken, database=database, has_roles=roles,
            progress=show,
        )  # fmt: skip
    if as_json:
        out_json(done.facts)
        return
    out(f"Restored {done.root} from {done.backup} (made {done.manifest.made_at}): "
        f"{count(len(done.manifest.files), 'file')}, every byte compared.")  # fmt: skip
    for line in done.settings:
        out(f"study.toml: {line}")
    broken = [b for b in done.checked.broken if not b.rule.is_warning]
    for rule in broken:
        out(f"E {rule.rule.name}: {counted(len(rule.problems), 'problem')}")
    out("tshdb check: what it promises holds." if not broken else "tshdb check: see above; it says what helps.")
    if done.repeated:
        out(f"{counted(len(done.repeated), 'patient')} withdrawn again. Next: tshdb rebuild")
    elif withdrawals is not None:
        out("Of the certificates none is of a patient that the backup has.")
    else:
        say("Who was withdrawn since the backup is in this study again, unless you restore with --withdrawals FOLDER.")
    _left_out(done.manifest.left_out)
