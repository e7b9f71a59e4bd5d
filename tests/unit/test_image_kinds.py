"""Kinds of images and copies, by hand: which images at one place are time points, and which are not."""

from __future__ import annotations

import pandas as pd
import pytest

from analyses.imaging.image_kinds import of_one_kind, without_copies


def images(*rows) -> pd.DataFrame:
    columns = ["sop_uid", "frame_type", "echo_time_ms", "diffusion_b_value"]
    return pd.DataFrame([(f"1.{i}", *row) for i, row in enumerate(rows)], columns=columns)


OF = "ORIGINAL\\PRIMARY\\"
W, F = "DERIVED\\PRIMARY\\DIXON\\WATER", "DERIVED\\PRIMARY\\DIXON\\FAT"


@pytest.mark.parametrize(
    ("rows", "kept", "said"),
    [
        ([(W, 2.4, None), (F, 2.4, None)] * 2, [0, 2], "2 fat images left out, water images kept"),
        ([(OF + "P\\ND", 2.4, None), (OF + "M\\ND", 2.4, None)], [1],
         "1 phase images left out, magnitude images kept"),
        ([(OF + "M_FFE\\M\\FFE", 2, None), (OF + "PHASE MAP\\P\\FFE", 2, None)], [0], "phase images left out"),
        ([(OF + "OP\\OP", 1.2, None), (OF + "IP\\IP", 2.4, None), (OF + "F\\F", 2.4, None)], [1],
         "out-of-phase"),
        ([(OF + "M", 2.4, None), (OF + "M", 4.8, None)], [0],
         "4.8 ms echo images left out, 2.4 ms echo images kept"),
        ([(OF + "M", 70, 0.0), (OF + "M", 70, 800.0)], [0], "b = 800 images left out"),
        # one kind: nothing is said
        ([(OF + "M\\ND", 2.4, None), (OF + "M\\ND\\NORM", 2.41, None)], [0, 1], None),
        ([(None, None, None), (OF + "M", None, None)], [0, 1], None),
        ([(OF + "OTHER", 2.4, None)] * 2, [0, 1], None),
    ],
)  # fmt: skip
def test_one_kind_is_kept_and_the_others_are_said(rows, kept, said):
    left, flags = of_one_kind(images(*rows))
    assert left["sop_uid"].tolist() == [f"1.{i}" for i in kept]
    assert (flags == []) if said is None else any(said in flag for flag in flags)


def instance(sop, series, digest, second, place=0.0, number=1):
    return {"sop_uid": sop, "series_uid": series, "pixel_digest": digest, "x_mm": place, "y_mm": 0.0, "z_mm": 0.0,
            "orientation": "1\\0\\0\\0\\1\\0", "acquisition_s": second, "content_s": None, "trigger_ms": None,
            "temporal_position": None, "instance_number": number}  # fmt: skip


def test_a_copy_has_the_same_pixels_place_and_time():
    table = pd.DataFrame([
        instance("a", "s", "x", 10.0), instance("b", "s", "x", 10.0, number=9),  # sent again under another number
        instance("c", "t", "x", 10.0), instance("d", "s", "x", 70.0),  # in a series of its own; at another time
        instance("e", "s", "x", 10.0, place=2.0), instance("f", "s", "y", 10.0),
        instance("g", "s", "z", None), instance("h", "s", "z", None),  # no clock: two empty slices
        instance("i", "s", None, 10.0), instance("j", "s", None, 10.0),  # pixels not known
    ])  # fmt: skip
    left, n = without_copies(table)
    assert n == 2 and left["sop_uid"].tolist() == list("adefghij")


def twice(images: list[dict]) -> pd.DataFrame:
    """Images, and all of them again with higher numbers."""
    again = [
        image | {"sop_uid": image["sop_uid"] + "'", "instance_number": 100 + image["instance_number"]}
        for image in images
    ]
    return pd.DataFrame([*images, *again])


@pytest.mark.parametrize("second", [None, 10.0])
def test_without_a_clock_that_tells_what_is_there_twice_as_a_whole_was_sent_twice(second):
    """Two phases of two slices, of which the lower one is empty in both."""
    images = [
        instance(name, "s", digest, second, place, number)
        for number, (name, digest, place) in enumerate(
            [("a", "0", 0.0), ("b", "x", 2.0), ("c", "0", 0.0), ("d", "y", 2.0)]
        )
    ]
    left, n = without_copies(twice(images))
    assert n == 4 and left["sop_uid"].tolist() == list("abcd")
    assert without_copies(pd.DataFrame(images))[1] == 0
    assert without_copies(twice(images).iloc[:-1])[1] == 0  # one is there once: nothing says which is whose copy
    unknown = twice(images).astype({"pixel_digest": object})
    unknown.iloc[-1, unknown.columns.get_loc("pixel_digest")] = None
    assert without_copies(unknown)[1] == 0


def test_a_clock_that_does_not_move_tells_no_copies():
    """All phases have one time of acquisition: their empty slices are alike and no copies; FrameReferenceDateTime does tell."""
    images = [
        instance(f"{p}{i}", "s", "0" if i == 0 else f"{p}", 10.0, 2.0 * i, 2 * p + i)
        for p in range(3)
        for i in range(2)
    ]
    assert without_copies(pd.DataFrame(images))[1] == 0
    told = twice([image | {"reference_s": 10.0 + 90 * (image["instance_number"] // 2)} for image in images])
    left, n = without_copies(told.iloc[:-1])  # not even all of them again
    assert n == 5 and left["sop_uid"].tolist() == ["00", "01", "10", "11", "20", "21"]


def test_studies_of_before_have_no_digest_of_pixels():
    table = pd.DataFrame([instance("a", "s", "x", 10.0), instance("b", "s", "x", 10.0)]).drop(columns="pixel_digest")
    assert without_copies(table)[1] == 0
