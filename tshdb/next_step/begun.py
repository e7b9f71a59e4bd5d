"""What to do in a study that has only begun: nothing is due, or nothing is computed on the cohort that was defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tshdb.study import Study


def of_begun(study: Study) -> str:
    """The step of a study without patients, or of one that has none of the cohorts that study.toml names; else empty."""
    from sqlalchemy import select

    from tshdb.database import reading
    from tshdb.next_step.steps import NOTHING_YET
    from tshdb.schema import Cohort, Patient

    with reading(study.engine) as connection:
        if connection.execute(select(Patient.patient_id).limit(1)).first() is None:
            return NOTHING_YET
        defined = list(connection.execute(select(Cohort.cohort).order_by(Cohort.cohort)).scalars())
    named = _named(study)
    return _put_in(defined[0], named) if defined and named and not set(named) & set(defined) else ""


def without_analysis(study: Study, cohort: str) -> str:
    """What to do with a cohort that no setting names; empty where something is computed on it, or nothing on any cohort."""
    named = _named(study)
    return _put_in(cohort, named) if named and cohort not in named else ""


def _put_in(cohort: str, named: list[str]) -> str:
    return (
        f"Nothing is computed on {cohort}: study.toml names {', '.join(named)}. "
        f"Put {cohort} in the place of one there, or define it by that name"
    )


def _named(study: Study) -> list[str]:
    """The cohorts that settings name, in their order."""
    from tshdb.guests.listing import world_of

    world = world_of(study)
    return list(dict.fromkeys(name for analysis in world.analyses for name in world.cohorts_of(analysis)))
