"""`tshdb`: the program. Heavy imports happen inside commands, so that --help and status answer at once."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from cli import (
    backup,
    browse,
    bundle,
    check,
    checklist,
    cohort,
    demo,
    docs,
    doctor,
    drift,
    export,
    figure,
    guests,
    history,
    ingest,
    lineage,
    migrate,
    model,
    move,
    multiverse,
    new,
    paper_check,
    plan,
    qc,
    rebuild,
    report,
    schema,
    simulate,
    sql,
    study,
    tables,
    trash,
    trust,
    truth,
    variants,
    verify,
    why,
    withdraw,
)
from cli.asked import only_asked
from cli.usage import Program
from tshdb.errors import Exit, TshdbError
from tshdb.everyday import trouble

app = typer.Typer(
    name="tshdb",
    help="The study database for radiogenomics: every number traced to bytes, code and parameters.\n\n"
    "Begin with: tshdb init my-study",
    no_args_is_help=True,
    cls=Program,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(is_asked: bool) -> None:
    if is_asked:
        from cli.console import out
        from tshdb import __version__

        out(f"tshdb {__version__}")
        raise typer.Exit


@app.callback()
def tshdb(
    is_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="The program's version.")
    ] = False,
) -> None:
    pass


study.add_to(app)
migrate.add_to(app)
move.add_to(app)
app.add_typer(ingest.app, name="ingest")
app.add_typer(cohort.app, name="cohort")
app.add_typer(model.app, name="model")
app.add_typer(export.app, name="export")
app.add_typer(bundle.app, name="import")
app.add_typer(qc.app, name="qc")
app.add_typer(guests.app, name="guests")
app.add_typer(truth.app, name="truth")
app.add_typer(new.app, name="new")
app.add_typer(variants.app, name="variants")
trust.add_to(app)
plan.add_to(app)
rebuild.add_to(app)
multiverse.add_to(app)
why.add_to(app)
lineage.add_to(app)
drift.add_to(app)
history.add_to(app)
sql.add_to(app)
schema.add_to(app)
browse.add_to(app)
tables.add_to(app)
figure.add_to(app)
report.add_to(app)
app.add_typer(paper_check.app, name="paper")
withdraw.add_to(app)
check.add_to(app)
backup.add_to(app)
trash.add_to(app)
verify.add_to(app)
doctor.add_to(app)
checklist.add_to(app)
simulate.add_to(app)
demo.add_to(app)
docs.add_to(app)


class _Stopped(BaseException):
    """A signal asked the program to stop."""

    def __init__(self, exit_code: Exit):
        self.exit_code = exit_code


def _stop(number: int, _frame) -> None:
    raise _Stopped(Exit.INTERRUPTED if number == signal.SIGINT else Exit.TERMINATED)


def main() -> None:
    """Run, and turn what a user can mend into one line and an exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        only_asked(app, sys.argv[1:])(prog_name="tshdb")
    except TshdbError as error:
        _tell(f"tshdb: {error}")
        sys.exit(error.exit_code)
    except _Stopped as stopped:
        _tell("interrupted: what was committed is saved, nothing is half-written. Run the same command to go on.")
        sys.exit(stopped.exit_code)
    except BrokenPipeError:
        _end_as_read()
    except SystemExit:
        if _is_closed_pipe():
            _end_as_read()
        raise
    except Exception as error:
        if (refused := trouble(error)) is None:
            raise
        _tell(f"tshdb: {refused}")
        sys.exit(refused.exit_code)


def _is_closed_pipe() -> bool:
    """Whether the reader of our output has closed it: typer then ends with 1, having put a wrapper around it."""
    return type(sys.stdout).__name__ == "PacifyFlushWrapper"


def _end_as_read() -> None:
    """Who reads our output has had enough of it, as `head` has: no error. What is left must not be complained of at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(Exit.DONE)


def _tell(text: str) -> None:
    from cli.console import say

    say(text)


if __name__ == "__main__":
    main()
