"""tshdb trust: let the code in the study's folder run."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from cli.console import confirm, count, out, out_json, table
from cli.options import JsonOption, StudyOption


def add_to(app: typer.Typer) -> None:
    app.command()(trust)


def trust(
    study: StudyOption = None,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    is_revoked: Annotated[bool, typer.Option("--revoke", help="Trust nothing of this study any more.")] = False,
    is_list: Annotated[bool, typer.Option("--list", help="Show what this account trusts, in all studies.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let the analyses in the study's own folder analyses/ run, as they are now. An edit must be trusted again.

    Example: tshdb trust
    """
    from tshdb.actions import trusting
    from tshdb.study import Study

    if is_list:
        _show_list(trusting.all_trusted(), as_json)
        return
    here = Study.find(study)
    if is_revoked:
        n = trusting.revoke(here)
        out(f"Nothing in {here.root} is trusted any more." if n else f"Nothing in {here.root} was trusted.")
        return
    look = trusting.look(here)
    if as_json and not is_sure:
        out_json(look.facts)
        return
    if not look.is_trusted:
        out(f"These files would run with all that you may do, and read what you may read. In {here.root}/analyses:")
        table(
            ("file", "bytes", "sha256"), [(f.name, f"{f.size:,}", f.sha256[:16] + "…") for f in look.files], indent="  "
        )
        if not (is_sure or confirm("Have you read them, and may they run?")):
            out("Nothing was trusted. Without being asked: tshdb trust --yes")
            raise typer.Exit(0 if sys.stdin.isatty() else 2)
    trusting.trust(here, look.digest)
    if as_json:
        out_json(look.facts | {"is_trusted": True})
    else:
        out(
            f"{'Trusted already' if look.is_trusted else 'Trusted'}: {count(len(look.files), 'file')}, digest {look.digest[:16]}…"
        )


def _show_list(entries: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        out_json(entries)
    elif not entries:
        out("This account trusts no study's code.")
    else:
        table(("study", "files", "digest", "since (UTC)"),
              [(e["study"], len(e["files"]), e["digest"][:16] + "…", e["since"]) for e in entries])  # fmt: skip
