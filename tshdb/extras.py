"""Libraries that come with an extra of the package: what to say when one is missing."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires

OWN = ("tshdb", "ingest", "analyses", "cli", "migrations", "")
NAMES = {"radiomics": "pyradiomics"}  # module -> distribution, where they differ
_REQUIREMENT = re.compile(r"""([A-Za-z0-9._-]+).*extra\s*==\s*["']([A-Za-z0-9_-]+)["']""")


def missing(error: ModuleNotFoundError) -> str | None:
    """One line for a library that is not installed: its name, and the extra of tshdb that brings it; None for our own modules."""
    module = (error.name or "").partition(".")[0]
    if module in OWN:
        return None
    distribution = NAMES.get(module, module)
    extra = _extras().get(distribution.lower())
    what = f"tshdb[{extra}]" if extra else distribution
    return f"{distribution} is not installed: pip install '{what}'"


def _extras() -> dict[str, str]:
    """distribution, in lower case -> the first extra that brings it."""
    try:
        lines = requires("tshdb") or []
    except PackageNotFoundError:
        return {}
    by_module: dict[str, str] = {}
    for line in lines:
        if matched := _REQUIREMENT.match(line):
            by_module.setdefault(matched[1].lower(), matched[2])
    return by_module
