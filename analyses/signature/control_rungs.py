"""Rungs of altered images: the same patients with features of images whose texture was taken from them.

`control_features` measures these images; the signature's whole way learns from them, on its own folds. Of its columns those are
taken that the signature itself could take, shape among them, so that what is left to be learned is

shuffled voxels      shape, and the histograms (first-order features)
noise in the region  shape, and means and standard deviations

A control counts only if its features were made as the signature's were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from analyses.signature.features import COMPUTED, MUST_AGREE, as_values, table_of
from analyses.signature.how_made import settings_of_study

if TYPE_CHECKING:
    import pandas as pd

    from analyses.signature.features import Training

SHUFFLED, NOISE_IN_REGION = "shuffled voxels", "noise in the region"
CONTROLS = (SHUFFLED, NOISE_IN_REGION)
MADE_BY, STANDS_FOR = "control_features", "radiomic_features"  # whose settings it shares


class Altered(NamedTuple):
    """The patients with the features of altered images (NaN of a patient who has none), or the reason why there are none."""

    data: Training | None = None
    remark: str | None = None
    reason: str | None = None


def altered(control: str, data: Training, controls: pd.DataFrame, made: pd.DataFrame, source: str) -> Altered:
    """The training patients with the features of one control.

    controls: rows of control_features; made: how these are made (feature_settings); source: of the signature's features.
    """
    import numpy as np

    if source != COMPUTED:
        return Altered(reason=f"the features of {source} come without images that could be altered")
    if control not in _asked(made):
        return Altered(reason=f"not asked for: [control_features] controls does not name {control}")
    if differing := _differing(data.sets, made):
        return Altered(
            reason=f"altered images were not measured as the signature's features were: not alike is {differing}"
        )
    table = table_of(data.sets, controls[controls["control"] == control], controls.iloc[:0], COMPUTED)
    table = table.reindex(list(data.sets["examination"]))
    is_there = table.notna().any(axis=1).to_numpy()
    if not is_there.any():
        return Altered(reason=f"no patient has features of images with {control}: tshdb plan {MADE_BY}")
    names = [name for name in data.names if name in table and table.loc[is_there, name].notna().all()]
    if not names:
        return Altered(reason=f"no feature of images with {control} has a value for every patient")
    said = []
    if n_without := int((~is_there).sum()):
        said.append(f"{n_without} of {len(is_there)} patients have no features of images with {control}")
    if n_lost := len(data.names) - len(names):
        said.append(f"{n_lost} of {len(data.names)} features have no value for every patient")
    values = np.ascontiguousarray(table[names].to_numpy(float))
    return Altered(data._replace(values=values, names=names), "; ".join(said) or None)


def _asked(made: pd.DataFrame) -> list[str]:
    return _parameters(made).get(MADE_BY, {}).get("controls", [])


def _parameters(made: pd.DataFrame) -> dict[str, Mapping]:
    return {name: json.loads(text) for name, text in zip(made["analysis"], made["parameters"], strict=True)}


def _differing(sets: pd.DataFrame, made: pd.DataFrame) -> str | None:
    """What of how the controls are made is not so for the feature sets, in words."""
    own = {name: value for name, value in _parameters(made)[MADE_BY].items() if name != "controls"}
    as_features = made.assign(
        analysis=made["analysis"].replace(MADE_BY, STANDS_FOR),
        parameters=made["parameters"].where(made["analysis"] != MADE_BY, json.dumps(own)),
    )
    for column, value in settings_of_study(as_features).items():
        if any(as_values(text) != as_values(value) for text in set(sets[column])):
            return MUST_AGREE[column]
    return None
