"""Matrices as AnnData (.h5ad) and MuData (.h5mu), which scanpy, muon and the R packages zellkonverter and MuDataSeurat read."""

from __future__ import annotations

import os
import re
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.database import REVISION
from tshdb.exports.record import File, Job, Written
from tshdb.process import in_child
from tshdb.version import __version__

if TYPE_CHECKING:
    from tshdb.exports.matrices import Matrix

EXPRESSION = "expression.h5ad"
ALL = "study.h5mu"
OF_PROFILES = "profiles that are not selected: one speaks for a sample type of a patient and a unit (is_selected)"


def write_anndata(job: Job) -> Written:
    """One file: samples by genes."""
    from tshdb.exports.matrices import expression, told

    done = Written(left_out=[OF_PROFILES, "samples without RNA, and patients without such samples"])
    matrix = expression(job)
    if matrix is not None:
        made = _anndata(job, matrix)
        path = job.folder / EXPRESSION
        _write(path, lambda: made.write_h5ad(path, compression="gzip"))
        done.files.append(File(EXPRESSION, matrix.one_row, len(matrix.obs), told(matrix, "adata")))
        done.notes.append(
            f"X is {matrix.x}; NaN where the source has no value. No value was normalised or transformed."
        )
    return done


def write_mudata(job: Job) -> Written:
    """One file with a modality for each matrix."""
    from mudata import MuData

    from tshdb.exports.matrices import abundances, expression, features, imported, told

    found = [expression(job), abundances(job), features(job, "radiomic_features", "radiomics")]
    found += [features(job, "map_features", "maps"), *imported(job)]
    there = [matrix for matrix in found if matrix is not None]
    done = Written(left_out=[OF_PROFILES, "modalities of which the study has nothing"])
    if there:
        with warnings.catch_warnings():  # what MuData will do otherwise one day
            warnings.simplefilter("ignore")
            made = MuData({matrix.name: _anndata(job, matrix) for matrix in there})
            made.uns["tshdb"] = _facts(job)
            path = job.folder / ALL
            _write(path, lambda: made.write_h5mu(path, compression="gzip"))
        columns = [column for matrix in there for column in told(matrix, f'mdata["{matrix.name}"]')]
        done.files.append(File(ALL, "see the modalities", None, columns))
        done.notes += [
            f"{m.name}: {m.one_row} a row; {m.values.shape[0]:,} x {m.values.shape[1]:,}; X is {m.x}" for m in there
        ]
        done.notes.append(
            "Rows of two modalities belong together by obs.patient_id (and obs.sample_id, obs.time_point)."
        )
    return done


def _write(path: Path, write: Callable[[], None]) -> None:
    """Write a file of HDF5 in a child process. Raises OSError with what the system said.

    Where a disk is full HDF5 has the system's word in a text of its own, complains once for each object that is still open, and
    takes the process down when it ends: all of this is the child's.
    """

    def attempt() -> dict[str, Any]:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            write()
        except Exception as error:
            said = re.search(r"\berrno = (\d+)", str(error))
            number = getattr(error, "errno", None) or (said and int(said[1]))
            return {"errno": number, "traceback": traceback.format_exc()}
        return {}

    failed = in_child(attempt)
    if failed.get("errno"):
        raise OSError(failed["errno"], os.strerror(failed["errno"]), path.name)
    if failed:
        raise RuntimeError(failed["traceback"])


def _anndata(job: Job, matrix: Matrix) -> Any:
    from anndata import AnnData

    obs, var = matrix.obs.copy(), matrix.var.copy()
    for frame in (obs, var):
        frame.index = frame.index.astype(str)
        frame.index.name = f"{frame.index.name}_" if frame.index.name in frame.columns else frame.index.name
    facts = _facts(job) | {"X": matrix.x}
    return AnnData(X=matrix.values, obs=obs, var=var, layers=dict(matrix.layers), uns={"tshdb": facts})


def _facts(job: Job) -> dict[str, str]:
    """Of which study this is."""
    return {
        "study": job.study.name, "program": f"tshdb {__version__}", "database_revision": REVISION,
        "cohort": job.chosen.cohort or "", "variant": job.variant or "",
    }  # fmt: skip
