"""The ladder's images without texture, on simulated studies with images: five in which the tumour's texture is all, five in which
its size is.

Where texture is planted, shuffled voxels lose it: their AUC is no more than chance allows (four of five intervals hold one half),
and the verdict says texture. Where size is planted they keep it: their AUC stays above one half in all, and nothing adds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import in_time, tried

CASES = 5
PATIENTS = 60


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from tests.support.ladder_images import patients
    from tests.support.ladder_tables import ladder, nested

    for truth, share in (("texture", 0.5), ("volume", 1.0)):
        found = []
        for case in in_time(range(CASES), share):
            place = folder / f"{truth}-{case}"
            place.mkdir()
            data = patients(truth, 1000 * seed + case, place, PATIENTS)
            rows = ladder(data, nested(data, seed), seed)
            found.append(rows)
            aucs = ", ".join(f"{rung} {auc:.2f}" for rung, auc in rows["auc"].dropna().items())
            print(
                f"  {truth} {case + 1} of {CASES}: {aucs}; {rows.loc['signature', 'finding']}",
                file=sys.stderr,
                flush=True,
            )
        verdicts = [rows.loc["signature", "verdict"] for rows in found]
        shuffled = [rows.loc["shuffled voxels"] for rows in found]
        n_cases = len(found)
        of = f"of {tried(n_cases, CASES)} studies with the truth {truth}, those"
        if truth == "texture":
            n = verdicts.count("adds texture")
            yield Figure(f"{of} with the verdict adds texture", str(n), f"{n_cases - 1} to {n_cases}", n >= n_cases - 1)
            n = sum(row["ci_lower"] <= 0.5 for row in shuffled)
            yield Figure(
                f"{of} whose interval of shuffled voxels reaches one half",
                str(n),
                f"{n_cases - 1} to {n_cases}",
                n >= n_cases - 1,
            )
        else:
            n = sum(verdict.startswith("adds") for verdict in verdicts)
            yield Figure(f"{of} that add to volume", str(n), "0", not n)
            n = sum(row["ci_lower"] > 0.5 for row in shuffled)
            yield Figure(f"{of} whose shuffled voxels stay above one half", str(n), f"{n_cases}", n == n_cases)
        mean = {name: sum(rows.loc[name, "auc"] for rows in found) / n_cases for name in
                ("signature", "volume", "shuffled voxels", "noise in the region")}  # fmt: skip
        yield Figure(f"mean AUC, truth {truth}", ", ".join(f"{name} {auc:.3f}" for name, auc in mean.items()))
