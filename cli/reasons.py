"""Why something is computed or cannot be, for a person: chains of causes, definitions that changed, what waits."""

from __future__ import annotations

from typing import Any

from cli.console import out

BLOCKED_SHOWN = 5


def show_chains(facts: dict[str, Any]) -> None:
    """The chains for a person: what began it, then unit by unit."""
    for chain in facts["chains"]:
        out(chain["cause"]["says"])
        show_definition(chain["cause"], "  ")
        for unit in chain["units"]:
            out(f"  -> {unit['unit']} ({unit['state']}): {unit['says']}")
    if (more := facts["n_causes"] - len(facts["chains"])) > 0:
        out(f"and {more:,} more causes: tshdb plan --json")


def show_definition(cause: dict[str, Any], indent: str) -> None:
    """How the text of a definition changed, line by line."""
    from tshdb.engine.code.differences import short_diff

    if cause["kind"] == "code":
        for line in short_diff(cause["before"], cause["after"]):
            out(f"{indent}{line}")


def show_blocked(blocked: dict[str, dict[str, str]], indent: str = "") -> None:
    """What cannot run, one line a reason."""
    by_message: dict[str, list[str]] = {}
    for name, units in blocked.items():
        for key, message in units.items():
            by_message.setdefault(message, []).append(f"{name}/{key}")
    for message, names in by_message.items():
        shown = ", ".join(names[:BLOCKED_SHOWN])
        more = f" and {len(names) - BLOCKED_SHOWN:,} more" if len(names) > BLOCKED_SHOWN else ""
        out(f"{indent}{message}")
        out(f"{indent}  waiting: {shown}{more}")


def show_listing(facts: dict[str, Any]) -> None:
    """What of the study's analyses is not as it is by default: who stands for whom, who may not run, who is not here."""
    for name, other in facts["in_place_of"].items():
        out(f"{other} stands in the place of {name}")
    if facts["untrusted"]:
        out(
            f"{', '.join(facts['untrusted'])} in analyses/: not trusted, so nothing of it runs. Read it, then: tshdb trust"
        )
    for absent in facts["absent"]:
        out(f"not here: {absent['says']}")
