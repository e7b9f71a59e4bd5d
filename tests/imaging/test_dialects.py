"""What the simulator writes in other forms is the same examination: the mask's voxels, the phases', the features."""

from __future__ import annotations

import pytest

from ingest.simulate.outlines import ARCHIVES, OUTLINES
from ingest.simulate.subjects import Role
from tests.support import dialects

pytestmark = pytest.mark.xdist_group("dialects")
WAYS = [  # outlines, each with another layout or delivery; what is left is in the last test, and all of them in the trial
    (Role.ISPY1, {"outline": "outline nifti turned"}),
    (Role.ISPY1, {"outline": "outline nrrd", "layout": "enhanced per slice", "delivery": "split folders"}),
    (Role.NACT, {"outline": "outline seg nrrd", "layout": "enhanced philips", "delivery": "resent"}),
    (Role.NACT, {"outline": "outline dicom seg", "layout": "enhanced series", "delivery": "resent"}),
]


@pytest.mark.parametrize(("role", "ways"), WAYS, ids=[ways["outline"].replace(" ", "-") for _, ways in WAYS])
def test_a_simulated_examination_is_found_again_voxel_by_voxel(tmp_path, role, ways):
    settings = dialects.settings_of(**ways)
    found = dialects.found(tmp_path, role, settings)
    assert dialects.differences(dialects.scanned(role, settings), found) == []


def test_features_are_the_same_bit_for_bit_whatever_the_containers_are(tmp_path):
    """As the archive has it (NIfTI); and a structure set, contours along the edges of the voxels, and copies of all images."""
    ways = {"plain": {}, "other": {"outline": "outline rtstruct", "delivery": "resent"}}
    plain, other = (
        dialects.found(tmp_path / name, Role.NACT, dialects.settings_of(**way), dialects.FEATURES)
        for name, way in ways.items()
    )
    assert dialects.differences(dialects.scanned(Role.NACT, dialects.settings_of()), plain) == []
    assert dialects.differences(plain, other) == []
    assert len(plain.features) == 572 and None not in plain.features.values()
    assert len(plain.regions) == 6 and len(plain.phases) == 3
    used = {way["outline"] for _, way in WAYS} | {ways["other"]["outline"], ARCHIVES}
    assert used == set(OUTLINES), "each is tried"
