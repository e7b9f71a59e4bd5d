"""A task in which one thing is otherwise: rows in another order, an input that is empty, a patient fewer, another seed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tshdb.engine.compute import Task
from tshdb.engine.inputs import Inputs
from tshdb.engine.units import takes_seed
from tshdb.expression_store import ExpressionMatrix

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis

Changed = Callable[[Task], Task | None]


def with_values(task: Task, values: dict[str, Any]) -> Task:
    return replace(task, inputs=Inputs(task.inputs.key_column, {**task.inputs.values, **values}, task.inputs.keyed))


def joined(tasks: Sequence[Task]) -> Task:
    """One task of all keys. What they share is that of the first."""
    first = tasks[0]
    values = {
        role: pd.concat([t.inputs.values[role] for t in tasks], ignore_index=True)
        if isinstance(first.inputs.values[role], pd.DataFrame)
        else _side_by_side([t.inputs.values[role] for t in tasks])
        for role in first.inputs.keyed
    }
    return with_values(replace(first, keys=tuple(key for t in tasks for key in t.keys)), values)


def _side_by_side(matrices: Sequence[ExpressionMatrix]) -> ExpressionMatrix:
    return ExpressionMatrix(
        matrices[0].genes,
        pd.concat([m.profiles for m in matrices]),
        np.ascontiguousarray(np.hstack([m.values for m in matrices])),
        np.ascontiguousarray(np.hstack([m.present for m in matrices])),
    )


def paths(task: Task) -> Iterator[str]:
    """The paths of files that are among the inputs."""
    for value in task.inputs.values.values():
        frame = value if isinstance(value, pd.DataFrame) else getattr(value, "profiles", pd.DataFrame())
        for column in frame:
            if frame[column].dtype == object:
                yield from {v for v in frame[column] if isinstance(v, str) and os.sep in v}


# ----------------------------------------------------------------------------------------- without part of the declaration


def without(analysis: Analysis) -> Iterator[tuple[str, list[Changed]]]:
    """Every part of the declaration that the function is given something for, and ways to do without it.

    A way gives None where there is nothing to leave out.
    """
    for role in analysis.needs:
        yield f"the role {role}", [partial(emptied, role=role), partial(moved, role=role)]
    if takes_seed(analysis):
        yield "the seed", [lambda task: replace(task, study_seed=task.study_seed + 1)]
    if analysis.over_cohort:
        yield "the cohort", [fewer]


def emptied(task: Task, role: str) -> Task | None:
    """Without the rows of a role."""
    value = task.inputs.values[role]
    if not isinstance(value, pd.DataFrame) or value.empty:
        return None
    return with_values(task, {role: _like(value, value.iloc[:0].copy())})


def moved(task: Task, role: str) -> Task | None:
    """With other values in a role's rows: of an input that may be empty and yet counts."""
    value = task.inputs.values[role]
    if isinstance(value, ExpressionMatrix):
        return with_values(task, {role: replace(value, values=value.values * 1.5 + 1)})
    if value.empty:
        return None
    numbers = {c: value[c] * 1.5 + 1 for c in value.select_dtypes("number").columns}
    return with_values(task, {role: _like(value, value.assign(**numbers))})


def fewer(task: Task) -> Task | None:
    """Without one patient of the cohort, who has rows in every input that names patients."""
    members = task.inputs.values["members"]["patient_id"]
    frames = {r: v for r, v in task.inputs.values.items() if isinstance(v, pd.DataFrame) and "patient_id" in v}
    everywhere = set(members).intersection(*(set(f["patient_id"]) for f in frames.values() if len(f)))
    if not everywhere:
        return None
    gone = sorted(everywhere)[len(everywhere) // 2]
    values: dict[str, Any] = {r: _like(f, f[f["patient_id"] != gone].reset_index(drop=True)) for r, f in frames.items()}
    for role, value in task.inputs.values.items():
        if isinstance(value, ExpressionMatrix):
            profiles = [p for p, sample in value.profiles["sample_id"].items() if not str(sample).startswith(gone)]
            values[role] = value.of_profiles(profiles)
    return with_values(task, values)


def _like(before: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with what its original was told besides its rows."""
    frame.attrs = dict(before.attrs)
    return frame
