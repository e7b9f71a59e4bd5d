"""A study in a notebook: what commands do, as methods. `tshdb.open(folder)` and `tshdb.make(folder)` give one.

Tables come back as DataFrames, everything else as small typed objects that a notebook shows as a table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tshdb.study import Study

if TYPE_CHECKING:
    from tshdb.actions.checking import Checked
    from tshdb.actions.cohorts import Defined, Frozen
    from tshdb.actions.planning import Planned
    from tshdb.actions.rebuilding import Rebuilt
    from tshdb.actions.withdrawing import Withdrawn
    from tshdb.cohorts.states import CohortState
    from tshdb.withdrawal.withdraw import Plan as WithdrawalPlan

Progress = Callable[..., None]


def _silent(*_: object) -> None:
    """No progress is shown."""


class OpenStudy(Study):
    """A study with all that can be done to it.

    >>> import tshdb
    >>> study = tshdb.open("brca")                                            # doctest: +SKIP
    >>> study.plan()                                                          # doctest: +SKIP
    >>> study.rebuild(n_workers=2)                                            # doctest: +SKIP
    >>> study.sql("SELECT * FROM tsh_ratios WHERE value > 0")                 # doctest: +SKIP
    """

    # ------------------------------------------------------------------------------------------------------- compute

    def plan(self, *names: str, refit: bool = False, n_workers: int = 1) -> Planned:
        """What a rebuild of these analyses (none: all) would compute, and what began it. Writes nothing."""
        from tshdb.actions.planning import PlanOptions, plan

        return plan(self, PlanOptions(names, refit, n_workers))

    def rebuild(self, *names: str, n_workers: int = 1, refit: bool = False, progress: Progress = _silent) -> Rebuilt:
        """Compute all that is due of these analyses (none: all), and only that.

        progress: is called with (analysis, units done, units in all).
        """
        from tshdb.actions.rebuilding import RebuildOptions, rebuild

        return rebuild(self, RebuildOptions(names, n_workers, refit), progress)

    def why(self, unit: str) -> dict[str, Any]:
        """Why a unit (ANALYSIS/KEY) is due, or what it rests on, as plain values. Raises NotFound."""
        from tshdb.actions.explaining import why

        return why(self, unit)

    # ------------------------------------------------------------------------------------------------------- cohorts

    def define(self, name: str, sql: str) -> Defined:
        """Define a cohort by steps of SQL, each a SELECT that gives patient_id."""
        from tshdb.actions.cohorts import define

        return define(self, name, sql)

    def freeze(self, name: str) -> Frozen:
        """Freeze the members of now as the next version of a cohort."""
        from tshdb.actions.cohorts import freeze

        return freeze(self, name)

    def cohorts(self) -> dict[str, CohortState]:
        """Every cohort by name: its members, and who has become eligible since it was frozen."""
        from tshdb.actions.cohorts import cohorts

        return cohorts(self)

    # ---------------------------------------------------------------------------------------------- keep and defend

    def status(self) -> dict[str, Any]:
        """What the study holds, as plain values."""
        from tshdb.status import status

        return status(self.root)

    def check(self, full: bool = True, progress: Progress = _silent) -> Checked:
        """Whether everything that the study promises still holds. full: all bytes and all rows."""
        from tshdb.actions.checking import check

        return check(self, full=full, progress=progress)

    def withdrawal(self, patient_id: str) -> WithdrawalPlan:
        """What a withdrawal of a patient would erase. Writes nothing."""
        from tshdb.actions.withdrawing import preview

        return preview(self, patient_id)

    def withdraw(self, patient_id: str, reason: str, scope: str = "keep") -> Withdrawn:
        """Erase a patient. scope: keep (models stand, flagged), refit, or revoke (models that learned from her go)."""
        from tshdb.actions.withdrawing import withdraw
        from tshdb.vocabulary import WithdrawalScope

        return withdraw(self, patient_id, reason, WithdrawalScope(scope))

    def _repr_html_(self) -> str:
        import html

        counts = self.status()["counts"]
        cells = "".join(f"<tr><td>{html.escape(name)}</td><td>{n:,}</td></tr>" for name, n in counts.items())
        return f"<p>Study {html.escape(self.name)}</p><table>{cells}</table>"
