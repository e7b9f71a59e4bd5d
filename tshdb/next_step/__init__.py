"""What to do where a result is missing: the one step that comes next, as the plan sees it.

steps  NextSteps, which every table, figure, page and message asks; NoRows, by which they say what they lack
look   the study as it stands
begun  a study in which nothing can be computed yet
sets   what the study has no analysis for

Light to import: the engine is imported when a step is asked for.
"""

from tshdb.next_step.begun import of_begun, without_analysis
from tshdb.next_step.sets import has_paper, without_analyses
from tshdb.next_step.steps import NOTHING_YET, NextSteps, NoRows, naming_next_step

__all__ = [
    "NOTHING_YET", "NextSteps", "NoRows", "has_paper", "naming_next_step", "of_begun", "without_analyses", "without_analysis",
]  # fmt: skip
