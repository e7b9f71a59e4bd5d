"""One call of a program: its files and inputs into a new folder, the command, its result back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tshdb.engine.analysis import Analysis
from tshdb.engine.outside.child import child
from tshdb.engine.outside.hand_back import result_of
from tshdb.engine.outside.hand_over import hand_over

if TYPE_CHECKING:
    import pandas as pd


def call(analysis: Analysis, inputs: Mapping[str, Any], texts: Mapping[str, str]) -> pd.DataFrame:
    """What the program makes of the inputs. texts: its files, as they were recorded.

    Raises Failed for a program that fails, ValueError for a result that does not fit the declared table.
    """
    program = analysis.program
    assert program is not None
    with child(program.command, program.memory_gb) as started:
        for name, text in texts.items():
            path = started.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        hand_over(analysis, inputs, started.folder, program.format)
        started.run(program.command, program.seconds)
        return result_of(analysis, started.folder, program.format)
