"""The program's other packages, `analyses`, `cli`, `ingest` and `migrations`: are those ours that Python would import?

Their names are common. A folder of another project with one of them on PYTHONPATH, or in the same environment, would be
imported in the place of ours.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from tshdb.errors import InvalidInput

NAMES = ("analyses", "cli", "ingest", "migrations")
HOME = Path(__file__).resolve().parent.parent  # where the packages lie beside this one


def refuse_foreign() -> None:
    """Raises InvalidInput, with the place that was found and the repair, for a package that is not of this installation.

    Imports nothing: where a package lies is asked of Python's finders. Takes about a millisecond.
    """
    for name in NAMES:
        place = _place(name)
        if place != HOME / name:
            raise _foreign(name, place)


def _place(name: str) -> Path | None:
    """The folder, or the single file, that Python imports under the name; None where there is none."""
    module = sys.modules.get(name)
    spec = find_spec(name) if module is None else module.__spec__
    if spec is None or not (spec.origin or spec.submodule_search_locations):
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    return Path(str(spec.origin)).resolve()


def _foreign(name: str, place: Path | None) -> InvalidInput:
    ours = HOME / name
    if place is None:
        return InvalidInput(
            f"the program's package '{name}' is not there",
            where=str(ours),
            repair="Install the package again: pip install --force-reinstall --no-deps tshdb, or pip install -e .",
        )
    return InvalidInput(
        f"another project's '{name}' stands in the place of tshdb's own, which is {ours}",
        where=str(place),
        repair=f"Take {place.parent} out of PYTHONPATH, or install tshdb in an environment of its own",
    )
