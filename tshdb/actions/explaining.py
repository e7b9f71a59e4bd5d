"""Why results are as they are: one unit, changes of groups, runs, models, and the story of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tshdb import drift as drifts
from tshdb import leakage as leaks
from tshdb import models, story
from tshdb.database import reading
from tshdb.engine.why import why as why_of
from tshdb.guests.listing import analyses_of, world_of
from tshdb.next_step import naming_next_step

if TYPE_CHECKING:
    from tshdb.study import Study


def why(study: Study, unit: str) -> dict[str, Any]:
    """Why a unit (ANALYSIS/KEY) is due, or what it rests on. Raises NotFound."""
    with reading(study.engine) as connection:
        return why_of(connection, world_of(study), unit)


def drift(study: Study, fit: str) -> list[drifts.Flip]:
    """Which patients changed group by a fit, in which run, and what began it. Raises NotFound."""
    with reading(study.engine) as connection:
        return drifts.drift(connection, analyses_of(study), fit)


def runs_between(study: Study, first: int, second: int) -> list[dict[str, Any]]:
    """What the runs after `first` up to `second` computed, by analysis and what began it."""
    with reading(study.engine) as connection:
        return drifts.runs_between(connection, first, second)


def history(
    study: Study, name: str | None = None, since: str | None = None, limit: int | None = None
) -> list[story.Event]:
    """What changed in the study, the oldest first. since: a run's number, or a day (UTC); limit: the last so many."""
    with reading(study.engine) as connection:
        moment = "" if since is None else story.since(connection, since)
        return story.story(connection, analyses_of(study), name, since=moment, limit=limit)


def list_models(study: Study) -> list[dict[str, Any]]:
    """All model versions: training set, content, and whether members' data was corrected since."""
    with reading(study.engine) as connection:
        return models.list_models(connection, analyses_of(study))


def show_model(study: Study, model: str) -> dict[str, Any]:
    """One model version (ANALYSIS/COHORT@VERSION): rows, training set, parameters, code. Raises NotFound."""
    with naming_next_step(study), reading(study.engine) as connection:
        return models.show_model(connection, analyses_of(study), model)


def diff_models(study: Study, first: str, second: str) -> dict[str, Any]:
    """What differs between two versions of one model. Raises NotFound."""
    with naming_next_step(study), reading(study.engine) as connection:
        return models.diff_models(connection, analyses_of(study), first, second)


def leakage(study: Study, model: str, cohort: str) -> leaks.Leakage:
    """Whether a model has learned from the patients of a cohort, and by which path. Raises NotFound."""
    with reading(study.engine) as connection:
        return leaks.leakage(connection, analyses_of(study), model, cohort)
