"""Make a command an analysis: an R script, a container, another environment's interpreter.

    @program(kind=…, per=…, needs=…, makes=…, params=…, source=…,
             command=("Rscript", "--vanilla", "cox.R"), files=("cox.R",), interpreter=("Rscript", "--version"))
    def cox_by_r(ratios, follow_ups, params):
        \"\"\"What it computes.\"\"\"

The function is there for its name, its sentence and its arguments: what it takes is written into the command's folder. Its
body never runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps

from tshdb.config import Parameters
from tshdb.engine.analysis import Analysis, Input, analysis
from tshdb.engine.outside.files import texts_of
from tshdb.engine.outside.record import Program
from tshdb.schema import UnitPayload


def program(
    *,
    kind: str,
    per: str,
    needs: dict[str, Input],
    makes: type[UnitPayload],
    params: type[Parameters],
    source: str,
    command: tuple[str, ...],
    files: tuple[str, ...],
    interpreter: tuple[str, ...],
    lock: str | None = None,
    seconds: float = 3600.0,
    memory_gb: float | None = None,
    format: str = "csv",
    **options,
) -> Callable[[Callable], Analysis]:
    """Make a function's name and arguments an analysis that a command computes.

    The words that `analysis` has mean the same; `Program` says what the others are.
    """
    of_it = Program(command, files, interpreter, lock, seconds, memory_gb, format)

    def make(function: Callable) -> Analysis:
        @wraps(function)
        def run(*args, **kwargs):
            from tshdb.engine.outside.call import call

            inputs = inspect.signature(function).bind(*args, **kwargs).arguments
            return call(record, inputs, texts_of(record))

        make_record = analysis(
            kind=kind, per=per, needs=needs, makes=makes, params=params, source=source, program=of_it, **options
        )  # fmt: skip
        record = make_record(run)
        texts_of(record)  # a file that is not there is seen now
        return record

    return make
