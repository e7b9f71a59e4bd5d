"""Promises about the function itself: the same result anywhere, in any company, and from its arguments alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tshdb.engine.analysis import Kind as AnalysisKind
from tshdb.engine.units import functions_of, project_packages
from tshdb.oath import results
from tshdb.oath.names import BUILTINS, ENGINE, Kind, kind_of
from tshdb.oath.promise import Promise
from tshdb.oath.request import APART, ONE, Request, Surroundings, ask

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis
    from tshdb.engine.world import World

UNSEEN = "what libraries read inside of C is not looked into"
KEYED = (AnalysisKind.MAP, AnalysisKind.APPLY)


def is_program(analysis: Analysis) -> bool:
    """Whether it is a program in another language, into which Python does not see."""
    return analysis.program is not None


def determinism(stored: results.Results, here: Mapping[str, Any], there: Mapping[str, Any], tasks) -> Promise:
    """Computed in a study, twice in another process, and once in a third with other surroundings."""
    name = "determinism"
    if moved := results.differing(stored, here["whole"]):
        return Promise(
            name, False, f"{len(moved)} results differ in another process", (results.shown(stored, here["whole"]),)
        )
    if moved := results.differing(here["whole"], here["again"]):
        return Promise(name, False, f"{len(moved)} results differ when they are computed again in the same process",
                       (results.shown(here["whole"], here["again"]),))  # fmt: skip
    if moved := results.differing(here["whole"], there["whole"]):
        guilty = _guilty(here["whole"], tasks)
        return Promise(name, False, f"{len(moved)} results differ in other surroundings: it rests on {guilty}",
                       (results.shown(here["whole"], there["whole"]),))  # fmt: skip
    return Promise(name, True, "the same bytes three times, with another seed of hash(), folder, time zone, language, home, "
                   "environment, command line and state of the random generators")  # fmt: skip


def _guilty(before: results.Results, tasks: tuple[bytes, ...]) -> str:
    """Which of the surroundings it was, one at a time."""

    def moves(surroundings: Surroundings) -> bool:
        answer = ask(Request(("whole",), tasks, surroundings.state), surroundings)
        return bool(results.differing(before, answer["whole"]))

    guilty = [] if moves(ONE) else [name for name, surroundings in APART.items() if moves(surroundings)]
    if not guilty or len(guilty) == len(APART):
        return "what differs from process to process: memory, time, the working folder, the home, the command line"
    return " and ".join(guilty)


def company(analysis: Analysis, here: Mapping[str, Any]) -> Promise:
    """Each key by itself, and all in one call, beside small batches."""
    name = "company"
    if analysis.kind not in KEYED:
        return Promise(name, None, f"a {analysis.kind} is computed for one cohort at a time")
    batches, alone, together = here["whole"], here["alone"], here["together"]
    in_batch = {key: batches[key] for key in alone}
    if moved := results.differing(in_batch, alone):
        return Promise(name, False, f"{len(moved)} of {len(alone)} keys have another result alone than in a batch",
                       (results.shown(in_batch, alone),))  # fmt: skip
    if moved := results.differing(batches, together):
        return Promise(name, False, f"{len(moved)} of {len(batches)} keys have another result in a larger batch",
                       (results.shown(batches, together),))  # fmt: skip
    return Promise(name, True, f"{len(alone)} keys alone, and {len(together)} in one call, as in batches")


# ----------------------------------------------------------------------------------------------------- undeclared reads


def project_of(world: World, analysis: Analysis) -> frozenset[str]:
    """The packages and modules whose code is the analysis's own."""
    packages = project_packages([analysis]) - {"tshdb"} if not is_ours(analysis) else frozenset({"analyses"})
    reached = {m for m in world.spec(analysis.name).modules if m.startswith("tshdb.")}
    package = analysis.function.__module__.partition(".")[0]
    return frozenset(packages | reached | ({package} - {"tshdb"}))


def is_ours(analysis: Analysis) -> bool:
    return analysis.function.__module__.partition(".")[0] == "analyses"


def named(world: World, analysis: Analysis) -> list[str]:
    """Names in its code that are reads whenever they are used, with the statement that has them."""
    leads = world.codes.of(functions_of(analysis)).leads["names"]
    return sorted({
        f"{kind}: {path} (named in {statement})"
        for statement, names in leads.items()
        if not statement.startswith(ENGINE)
        for path in _outside(names)
        if (kind := BUILTINS.get(path) if path == "input" else kind_of(path))
    })  # fmt: skip


def _outside(names: Iterable[list]) -> Iterable[str]:
    for chain, *lead in names:
        if not lead:
            yield chain
        elif lead[0] == "Outside":
            yield lead[1]


def reads(world: World, analysis: Analysis, seen: Mapping[str, Any]) -> Promise:
    """What it reads that is no argument: as it was watched, and as its code names it."""
    name = "reads"
    if is_program(analysis):
        return Promise(name, None, "declared unchecked: it is a program in another language")
    called = [f"{kind}: {what} ({where})" for kind, what, where in seen["reads"]]
    called += [f"{Kind.STATE}: {each}" for each in seen["state"]]
    called += [f"{Kind.CHANCE}: the global generator of {each}" for each in seen["chance"]]
    all_of_them = [*called, *named(world, analysis)]
    if all_of_them:
        return Promise(name, False, f"{len(all_of_them)} reads that are no argument; {UNSEEN}", tuple(all_of_them))
    return Promise(name, True, f"nothing but its arguments, as far as Python sees; {UNSEEN}")
