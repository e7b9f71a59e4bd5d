"""`tshdb`: the program. Heavy imports happen inside commands, so that --help and status answer at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import TracebackType
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
    explain,
    export,
    figure,
    guests,
    history,
    ingest,
    lineage,
    manuscript,
    methods,
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
from cli.described import is_asked
from cli.usage import Program
from tshdb.errors import Exit, TshdbError
from tshdb.everyday import OUTPUT, trouble

app = typer.Typer(
    name="tshdb",
    help="The study database for radiogenomics: every number traced to bytes, code and parameters.\n\n"
    "Begin with: tshdb init my-study\n\n"
    "What a message, a rule or an exit code means: tshdb explain NAME. For programs: tshdb --help --json",
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
methods.add_to(app)
manuscript.add_to(app)
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
explain.add_to(app)
docs.add_to(app)


class _Stopped(BaseException):
    """A signal asked the program to stop."""

    def __init__(self, exit_code: int):
        self.exit_code = exit_code


HUNG_UP = 128 + signal.SIGHUP  # the exit code when the terminal closes
SIGNALS = {
    signal.SIGINT: Exit.INTERRUPTED,
    signal.SIGTERM: Exit.TERMINATED,
    signal.SIGHUP: HUNG_UP,
}
SAVED = "what was committed is saved, nothing is half-written. Run the same command to go on."


def _stop(number: int, _frame) -> None:
    """The first signal has the command end in order, which may take a moment; the second ends it at once."""
    for each in SIGNALS:
        signal.signal(each, _stop_at_once)
    raise _Stopped(SIGNALS[signal.Signals(number)])


def _stop_at_once(number: int, _frame) -> None:
    """As after a kill: what was committed stays, and workers end with us."""
    try:
        os.write(2, f"stopped at once: {SAVED}\n".encode())
    finally:
        os._exit(SIGNALS[signal.Signals(number)])


COMPLETION = ("--show-completion", "--install-completion")
AS_NAMED = (
    "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"  # else Typer looks which shell began it, and hears of no other
)


def main() -> None:
    """Run, and turn what a user can mend into one line and an exit code."""
    sys.excepthook = _tell_of_a_bug
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and shells have what they start ignore some
            signal.signal(number, _stop)
    sys.exit(_flushed(_ended()))


def _ended() -> int | str | None:
    """Run the command; gives its exit code."""
    try:
        words = sys.argv[1:]
        if len(words) > 1 and words[0] in COMPLETION:
            os.environ[AS_NAMED] = "1"
        if is_asked(words):
            _tell_commands(words)
        else:
            only_asked(app, words)(prog_name="tshdb")
    except TshdbError as error:
        _tell(f"tshdb: {error}")
        return error.exit_code
    except _Stopped as stopped:
        _tell(f"interrupted: {SAVED}")
        return stopped.exit_code
    except BrokenPipeError:
        return _end_as_read()
    except SystemExit as ended:
        return _end_as_read() if _is_closed_pipe() else ended.code
    except Exception as error:
        if isinstance(error, OSError) and error.filename == OUTPUT:
            return _no_output(error)
        if (refused := trouble(error)) is None:
            raise
        _tell(f"tshdb: {refused}")
        return refused.exit_code
    return Exit.DONE


def _tell_commands(words: Sequence[str]) -> None:
    from cli.console import out_json
    from cli.described import described

    out_json(described(app, words))


def _flushed(code: int | str | None) -> int | str | None:
    """The exit code, when all that was said has left the program: what is left in it at the end fails without a word of ours."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _end_as_read()
    except OSError as error:
        return _no_output(error)
    return code


def _tell_of_a_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A traceback, as Python writes it, in which no address has a password and no text of data drives the terminal."""
    import traceback

    from tshdb.shown_addresses import without_secrets

    _tell(without_secrets("".join(traceback.format_exception(kind, error, trace)).rstrip()))


def _is_closed_pipe() -> bool:
    """Whether the reader of our output has closed it: typer then ends with 1, having put a wrapper around it."""
    return type(sys.stdout).__name__ == "PacifyFlushWrapper"


def _end_as_read() -> Exit:
    """Who reads our output has had enough of it, as `head` has: no error. What is left must not be complained of at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return Exit.DONE


def _no_output(error: OSError) -> Exit:
    """What the command said cannot be written where its output leads."""
    _end_as_read()
    said = os.strerror(error.errno or 0)
    _tell(f"tshdb: output: {said} (errno {error.errno}). Send it elsewhere, then run the same command again")
    return Exit.RESOURCE


def _tell(text: str) -> None:
    from cli.console import say

    say(text)


if __name__ == "__main__":
    main()
