"""What to do where an analysis is none of the study's: [study] analyses leaves its set out, or nothing is here at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tshdb.study import Study

OWN = "write one: tshdb new analysis NAME"


def has_paper(study: Study) -> bool:
    """Whether the study has the paper's analyses."""
    from tshdb import installed

    sets = study.settings.study.analyses
    return sets is None or installed.OURS["tshdb.analyses"] in sets


def without_analyses(study: Study) -> str:
    """The step of a study that has no analyses; empty where it has some. Runs nothing of the study's own."""
    if study.settings.study.analyses != ():
        return ""
    from tshdb.guests.listing import analyses_here

    analyses, untrusted = analyses_here(study)
    if analyses:
        return ""
    if untrusted:
        return f"{', '.join(untrusted)} in analyses/: not trusted, so nothing of it runs. Read it, then: tshdb trust"
    return f"This study has no analyses: add a set to {_place(study)}, or {OWN}"


def step_to(study: Study, names: Sequence[str]) -> str:
    """The step towards analyses of which the study has none: the first that is known decides."""
    from tshdb import installed

    for name in names:
        if (of := installed.set_of(name)) is not None:
            return f"{name} is of the set {of}, which {_place(study)} leaves out. Add it, then: tshdb rebuild {name}"
    return without_analyses(study) or f"{', '.join(names)}: not here. Install the package, or {OWN}"


def _place(study: Study) -> str:
    return f"[study] analyses ({study.settings.place('study', 'analyses')[1]})"
