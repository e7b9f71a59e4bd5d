"""How an examination reaches a study: once, twice, or in pieces.

Resent    every image of the dynamic scan again, under another SOPInstanceUID and InstanceNumber, as a second export sends it: the
          same pixels, places and times.
Split     over folders, each with some files of every series, as discs and interrupted transfers leave them.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from ingest.simulate.dce_layouts import Layout, Packed, SimulatedExamination, Slices

AGAIN = 20_000  # is added to the InstanceNumber of a copy
FOLDERS = 3
RESENT, SPLIT = "resent", "split folders"
DELIVERIES = (RESENT, SPLIT)


def resent(layout: Layout) -> Layout:
    """The layout, and all of its images once more."""
    if isinstance(layout, Packed):
        return replace(layout, slices=resent(layout.slices))

    @functools.wraps(layout)
    def twice(examination: SimulatedExamination) -> Slices:
        yield from layout(examination)
        for series, instance, *rest in layout(examination):
            yield series, instance + AGAIN, *rest

    return twice
