"""Python, the libraries against what is supported, the extras and what each gives, and whose packages Python imports."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tshdb.doctor.line import Line, ok, problem, warning
from tshdb.errors import TshdbError
from tshdb.neighbours import HOME, NAMES, refuse_foreign
from tshdb.version import __version__

GIVES = {
    "imaging": "DICOM, masks and radiomic features",
    "signature": "the signature: compiled forests, and models as files",
    "postgresql": "studies whose database is a PostgreSQL server",
    "idc": "downloads of images from the Imaging Data Commons",
    "cluster": "rebuild --dask",
    "browse": "tshdb browse",
    "export": "tshdb export anndata and mudata",
    "pyradiomics": "features by PyRadiomics itself, on Python 3.11",
}


def program() -> Iterator[Line]:
    """The program and its Python."""
    yield ok("tshdb", f"{__version__}, in {HOME}")
    try:
        wanted = metadata("tshdb")["Requires-Python"] or ""
    except PackageNotFoundError:
        yield problem("installation", "the package is not installed: it runs from a folder", "pip install tshdb")
        return
    here = platform.python_version()
    if SpecifierSet(wanted).contains(here, prereleases=True):
        yield ok("Python", f"{here}, {sys.executable}")
    else:
        yield problem("Python", f"{here}, and {wanted} is supported", "Install it in an environment of such a Python")


def libraries() -> Iterator[Line]:
    """What the program always needs."""
    wrong, n = [], 0
    for needed in _needed(None):
        n += 1
        if says := _wrong(needed):
            wrong.append(says)
    if wrong:
        yield problem("libraries", "; ".join(wrong), "pip install --upgrade tshdb, in an environment of its own")
    else:
        yield ok("libraries", f"all {n} are there, in versions that are supported")


def extras() -> Iterator[Line]:
    """What an extra brings, and what cannot be done without."""
    for extra, gives in GIVES.items():
        needed = _needed(extra)
        wrong = [says for each in needed if (says := _wrong(each))]
        if not needed:
            continue  # not for this Python
        if wrong:
            found = f"what it gives is missing ({gives}): {'; '.join(wrong)}"
            yield warning(f"extra {extra}", found, f"pip install 'tshdb[{extra}]'")
        else:
            yield ok(f"extra {extra}", gives)


def _needed(extra: str | None) -> list[Requirement]:
    """The requirements of an extra, or those that always hold, on this Python."""
    found = []
    for text in requires("tshdb") or []:
        each = Requirement(text)
        always = each.marker is None or each.marker.evaluate({"extra": ""})
        if (
            always
            if extra is None
            else (each.marker is not None and not always and each.marker.evaluate({"extra": extra}))
        ):
            found.append(each)
    return found


def _wrong(needed: Requirement) -> str | None:
    """What is not as it must be, in words."""
    try:
        here = version(needed.name)
    except PackageNotFoundError:
        return f"{needed.name} is not installed"
    if not needed.specifier.contains(here, prereleases=True):
        return f"{needed.name} is {here}, and {needed.specifier} is supported"
    return None


def neighbours() -> Iterator[Line]:
    """Whether Python imports our packages, and not others of the same names."""
    try:
        refuse_foreign()
    except TshdbError as error:
        yield problem("packages", f"{error.where}: {error.message}", error.repair)
    else:
        yield ok("packages", f"{', '.join(NAMES)} are this installation's")
    folders = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    if folders and any(Path(p).resolve() != HOME for p in folders):
        yield warning(
            "PYTHONPATH", f"is set: {os.pathsep.join(folders)}",
            "Unset it: what lies there is imported before what is installed",
        )  # fmt: skip
