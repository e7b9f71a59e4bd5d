"""A guest that reads and makes images, in the place of one of ours: its objects are looked after as ours."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from tests.support import guests, tiny
from tshdb.actions.checking import check
from tshdb.actions.rebuilding import RebuildOptions, rebuild
from tshdb.images.prepared import read

CHOSEN = '\n[replaces]\ntumor_masks = "threshold_masks"\n\n[threshold_masks]\nleast_percent = 30.0\n'


def _masks(study) -> dict[str, tuple]:
    frame = study.sql("SELECT study_uid, status, kind, n_voxels, object_id FROM tumor_masks ORDER BY study_uid")
    return {row.study_uid: (row.status, row.kind, row.n_voxels, row.object_id) for row in frame.itertuples()}


def test_masks_by_a_threshold_take_the_place_and_are_followed(study):
    ours = _masks(study)
    before = tiny.dump(study)
    guests.put(study, "threshold_masks")
    guests.changed(study, "", CHOSEN)
    done = rebuild(guests.fresh(study), RebuildOptions())
    assert done.report.retired["tumor_masks"] == len(ours) and done.report.computed["threshold_masks"] == len(ours)
    table = _masks(study)
    for uid, (status, kind, n, digest) in table.items():
        images = study.sql(f"SELECT image, object_id FROM prepared_images WHERE study_uid = '{uid}'")
        path = {r.image: study.objects.path(r.object_id, ".nrrd") for r in images.itertuples()}
        s0, s1 = (sitk.GetArrayFromImage(read(path[k])).astype(float) for k in ("S0", "intermediate"))
        wanted = (s1 - s0) / s0 >= 0.3
        assert (status, kind, n) == ("found", "automatic", int(wanted.sum()))
        held = sitk.GetArrayFromImage(sitk.ReadImage(str(study.objects.path(digest, ".nrrd"))))
        assert np.array_equal(held > 0, wanted)
    assert set(done.report.computed) >= {"stroma_bands"} and check(guests.fresh(study)).is_whole
    guests.changed(study, CHOSEN, "")
    rebuild(guests.fresh(study), RebuildOptions())
    assert _masks(study) == ours
    after = tiny.dump(study)
    after["units"] = [u for u in after["units"] if not u.startswith("threshold_masks")]
    assert after == before, "as if it had never stood there"
