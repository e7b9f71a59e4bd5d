"""Which files of a folder can be DICOM, and why each other is passed over: nothing is left out without being counted.

Names mean nothing but for suffixes that DICOM never has. Links to files of the folder are followed; what leads out of it is not,
and counts: a folder of links alone says so.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tshdb.file_content import Finding
from tshdb.vocabulary import Severity

OTHER_NAMES = {"DICOMDIR", "LICENSE", "Thumbs.db"}
OTHER_SUFFIXES = {".tcia", ".csv", ".tsv", ".txt", ".md", ".xlsx", ".xls", ".pdf", ".json", ".html", ".zip", ".md5"}
MASK_SUFFIXES = {".nii", ".gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".les"}
BY_NAME, HIDDEN, LINKS, BROKEN = "no images by their names", "hidden", "links that lead out", "links to nothing"
MASKS = "masks that are no DICOM"
SPECIAL = "no regular files"


class Walk:
    """The regular files below a folder, by their real paths, as they are asked for; meanwhile what is passed over is counted.

    passed_over: why -> files.
    """

    def __init__(self, root: Path):
        self.root = root.resolve()
        self.passed_over: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def __iter__(self) -> Iterator[str]:
        for folder, folders, names in os.walk(self.root):
            for name in [f for f in folders if f.startswith(".")]:
                self._pass(HIDDEN, os.path.join(folder, name))
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for name in folders:
                linked = os.path.join(folder, name)
                if os.path.islink(linked) and not self._is_inside(linked):
                    self._pass(LINKS, linked)
            for name in sorted(names):
                path = os.path.join(folder, name)
                reason = self._reason(path, name)
                if reason is not None:
                    self._pass(reason, path)
                else:
                    yield os.path.realpath(path) if os.path.islink(path) else path

    def findings(self) -> Iterator[Finding]:
        """What a person should know of."""
        for reason, rule, what in (
            (LINKS, "folder.link-outside", "lead out of the folder and are not followed"),
            (BROKEN, "folder.link-broken", "lead to nothing"),
            (MASKS, "dicom.mask-file", "are masks, not DICOM; read them by: tshdb ingest segmentation"),
        ):
            if n := self.passed_over[reason]:
                said = f"{n:,} {'links' if reason in (LINKS, BROKEN) else 'files'} {what}"
                yield Finding(None, None, None, rule, Severity.WARNING, said, self._first[reason])

    def where_links_lead(self) -> str | None:
        """The place to which the first link out of the folder leads."""
        if LINKS not in self._first:
            return None
        place = os.path.realpath(self._first[LINKS])
        return place if os.path.isdir(place) else os.path.dirname(place)

    def _reason(self, path: str, name: str) -> str | None:
        """Why a file is passed over; None for one that may be DICOM."""
        suffix = os.path.splitext(name)[1].lower()
        if name in OTHER_NAMES or suffix in OTHER_SUFFIXES:
            return BY_NAME
        if name.startswith("."):
            return HIDDEN
        if os.path.islink(path):
            if not self._is_inside(path):
                return LINKS
            if not os.path.exists(path):
                return BROKEN
        if not os.path.isfile(path):
            return SPECIAL
        return MASKS if suffix in MASK_SUFFIXES else None

    def _is_inside(self, path: str) -> bool:
        return Path(path).resolve().is_relative_to(self.root)

    def _pass(self, reason: str, path: str) -> None:
        self.passed_over[reason] += 1
        self._first.setdefault(reason, path)
