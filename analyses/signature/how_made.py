"""How the computed features of a study were made, as their part of the key by which they are compared: a helper."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tshdb.canonical import json_text
from tshdb.images.feature_names import DEFINITIONS, IBSI

if TYPE_CHECKING:
    import pandas as pd

# which analyses' parameters make which part of the key; per_phase belongs to the normalisation
IBSI_SOFTWARE = "ibsi 1, arXiv:1612.07003"
NORMALISING = ("prepared_images", "breast_masks", "stroma_bands")


def settings_of_study(made: pd.DataFrame) -> dict[str, str]:
    """The parts of the key that all computed features of a study share."""
    parameters = {a: json.loads(p) for a, p in zip(made["analysis"], made["parameters"], strict=True)}
    features = dict(parameters.get("radiomic_features", {}))
    normalising = {name: parameters[name] for name in NORMALISING if name in parameters}
    normalising["per_phase"] = features.pop("per_phase", None)
    features.pop("engine", None)  # the engines give the same values
    return {
        "software": IBSI_SOFTWARE if features.get("definition") == IBSI else f"pyradiomics {DEFINITIONS}",
        "settings": json_text(features),
        "normalisation": json_text(normalising),
        "phase_rule": json_text(parameters.get("dce_phases", {})),
    }
