"""Simulated studies in tests and benchmarks: the way that their README.txt tells, settings, and what came out."""

from __future__ import annotations

import shlex
from pathlib import Path

from tshdb.study import Study


def told(simulated: Path) -> list[list[str]]:
    """The commands of a simulation's README.txt, in order, without the program's name."""
    lines = (simulated / "README.txt").read_text().splitlines()
    commands = [line.partition("#")[0].replace("HERE", str(simulated)) for line in lines if line.startswith("  tshdb ")]
    return [shlex.split(command)[1:] for command in commands]


def changed(text: str, *pairs: tuple[str, str]) -> str:
    """study.toml with other parameters; each first of a pair must stand there once."""
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def auc_of(study: Study) -> dict[str, float]:
    """scheme -> AUC of the signature on its own cohort."""
    rows = study.sql("SELECT scheme, value FROM model_performance WHERE model = 'signature_model' AND measure = 'auc'")
    return dict(zip(rows["scheme"], rows["value"], strict=True))
