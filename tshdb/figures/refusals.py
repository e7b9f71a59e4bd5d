"""What of an examination's geometry was refused: read from the tables, without pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tshdb.figures.examinations import tables_of
from tshdb.images.mask_volumes import grid_of_phases
from tshdb.images.phase_refusals import of_phases
from tshdb.images.refusals import Refusal, of_mask
from tshdb.vocabulary import MaskStatus, SetStatus

if TYPE_CHECKING:
    from tshdb.study import Study


def refusals(study: Study, study_uid: str) -> list[Refusal]:
    """The refusals of one examination, its phases' first; empty where none is a matter of place."""
    of = tables_of(study, study_uid)
    sets, series, instances, slices = (of(t) for t in ("dce_sets", "imaging_series", "imaging_instances", "dce_slices"))
    if len(sets) and sets["status"].iloc[0] == SetStatus.UNSPLIT:
        roles = of("series_roles")
        dynamic = set(roles.loc[roles["is_dynamic"].astype(bool), "series_uid"])
        own = instances[instances["series_uid"].isin(dynamic)]
        reason = sets["reason"].iloc[0]
        found = of_phases(
            reason if isinstance(reason, str) else None, own, series, float(sets["most_left_out"].iloc[0])
        )
        return [] if found is None else [found]
    if not len(slices):
        return []
    held = of("masks").set_index("segmentation_id")
    grid, _ = grid_of_phases(slices, instances, series)
    refused = []
    for row in of("segmentations").sort_values("segmentation_id").itertuples():
        if row.segmentation_id in held.index and held.loc[row.segmentation_id, "status"] in (
            MaskStatus.RESAMPLE,
            MaskStatus.UNCLEAR,
        ):
            found = of_mask(row, held.loc[row.segmentation_id], grid)
            refused += [] if found is None else [found]
    return refused
