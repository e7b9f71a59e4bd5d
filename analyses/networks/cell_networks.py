"""What the network analyses share: the abundances of a group's patients in one compartment, as a complete matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyses.shared.populations import in_table_order, only_unit

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class Matrices(NamedTuple):
    """Patients (sorted) with their prognosis, and (patients, populations) abundances of each compartment."""

    patients: list[str]
    is_good: np.ndarray
    populations: list[str]
    values: dict[str, np.ndarray]


def matrices(ratios: pd.DataFrame, groups: pd.DataFrame, unit, table: str) -> Matrices | None:
    """Patients who have a prognosis and every abundance; populations that nobody has are left out. None without any."""
    chosen = only_unit(ratios, unit, table)
    known = groups[groups["prognosis"].notna()].drop_duplicates("patient_id").set_index("patient_id")["prognosis"]
    rows = ratios[(ratios["unit"] == chosen) & ratios["patient_id"].isin(set(known.index))]
    by_compartment, complete = {}, None
    for compartment in ("tumor", "stroma"):
        wide = rows.pivot(index="patient_id", columns="population", values=f"{compartment}_abundance")
        by_compartment[compartment] = wide.dropna(axis=1, how="all")
        patients = set(by_compartment[compartment].dropna().index)
        complete = patients if complete is None else complete & patients
    names = in_table_order(set(by_compartment["tumor"].columns) & set(by_compartment["stroma"].columns))
    if not complete or not names:
        return None
    patients = sorted(complete)
    values = {c: by_compartment[c].loc[patients, names].to_numpy(float) for c in by_compartment}
    return Matrices(patients, (known.loc[patients].astype(str) == "good").to_numpy(bool), names, values)
