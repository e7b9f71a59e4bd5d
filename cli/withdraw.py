"""tshdb withdraw: a patient's consent is gone, and so is every byte of the patient."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import out, out_json, say
from cli.options import JsonOption, StudyOption
from tshdb.vocabulary import WithdrawalScope

if TYPE_CHECKING:
    from tshdb.study import Study

SHOWN = 12


def add_to(app: typer.Typer) -> None:
    app.command()(withdraw)


def withdraw(
    patient: Annotated[str | None, typer.Argument(help="The patient's identifier.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept beside the token.")] = None,
    scope: Annotated[
        WithdrawalScope,
        typer.Option(
            help="keep: models stand, flagged; refit: cohorts get a version without the patient, on which the next rebuild "
            "fits; revoke: also erase the models that learned from the patient."
        ),
    ] = WithdrawalScope.KEEP,
    is_preview: Annotated[bool, typer.Option("--preview", help="Say what would be done; write nothing.")] = False,
    verify: Annotated[Path | None, typer.Option(help="Does this certificate still hold?")] = None,
    is_readmitted: Annotated[bool, typer.Option("--readmit", help="Let ingest take the patient again.")] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a patient: rows, results, history, expression values, files of the study. A certificate says what was done.

    What the study made without the patient stands. A later ingest withholds the patient. Copies outside the study's
    folder cannot be recalled; they are named. Exit code 3 if a file of the study still names the patient, or could not be
    looked into.

    Example: tshdb withdraw TCGA-A7-A0CE --reason "consent withdrawn 2026-11-20" --preview
    """
    from tshdb.errors import UsageError
    from tshdb.study import Study

    opened = Study.find(study)
    if verify is not None:
        _verify(opened, verify, as_json)
    elif patient is None:
        raise UsageError("no patient", where="withdraw", repair="Write: tshdb withdraw PATIENT --reason WHY --preview")
    elif is_preview:
        _preview(opened, patient, scope, as_json)
    elif not (reason or "").strip():
        raise UsageError("no reason", where="withdraw", repair='Add: --reason "consent withdrawn …"')
    elif is_readmitted:
        _readmit(opened, patient, reason)
    else:
        _withdraw(opened, patient, reason, scope, as_json)


def _preview(study: Study, patient: str, scope: WithdrawalScope, as_json: bool) -> None:
    from tshdb.actions.withdrawing import preview

    plan = preview(study, patient, scope)
    root = study.root

    def short(paths) -> list[str]:
        return [str(p.relative_to(root)) for p in paths]

    facts = {
        "patient": patient,
        "rows": plan.rows,
        "texts": plan.expected.scrubbed,
        "models": plan.models,
        "cohort_versions": plan.cohorts,
        "parts": len(plan.parts),
        "files_written_again": short(plan.rewritten),
        "files_erased": short(plan.erased),
        "left_to_a_person": short(plan.by_hand),
        "not_looked_into": [{"path": str(u.path.relative_to(root)), "why": u.why} for u in plan.unseen],
        "outside_the_study": plan.outside,
        "deliveries": [d._asdict() for d in plan.deliveries],
        "deliveries_no_longer_there": plan.n_gone,
        "written_outside_the_study": [w._asdict() for w in plan.written],
        "copies_by_other_programs": [c._asdict() | {"path": str(c.path)} for c in plan.copies],
        "variants_emptied": plan.variants,
        "multiverses_emptied": plan.multiverses,
    }
    if as_json:
        out_json(facts)
        return
    out(f" {sum(plan.rows.values()):,} rows: " + ", ".join(f"{name} {n:,}" for name, n in plan.rows.items()))
    _listed("models that learned from the patient", plan.models)
    _listed("cohort versions with the patient", plan.cohorts)
    _listed("expression parts written again", [f"{len(plan.parts)}"] if plan.parts else [])
    _listed("files written again without the patient", facts["files_written_again"])
    _listed("files erased", facts["files_erased"])
    _listed("variants that lose their results (tshdb rebuild --variant NAME makes them again)", plan.variants)
    _listed("multiverses that lose their results (tshdb multiverse FILE.toml makes them again)", plan.multiverses)
    _listed("files that you must see to (they cannot be written again without harm)", facts["left_to_a_person"])
    _show_unseen(facts["not_looked_into"])
    _show_elsewhere(facts)
    say("Nothing was written. Withdraw with: tshdb withdraw PATIENT --reason WHY [--scope keep|refit|revoke]")


def _listed(title: str, names: list[str]) -> None:
    if names:
        more = f", and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
        out(f" {title}: {', '.join(names[:SHOWN])}{more}")


def _show_unseen(unseen: list[dict[str, str]]) -> None:
    """Files by what hinders a look into them."""
    reasons: dict[str, list[str]] = {}
    for each in unseen:
        reasons.setdefault(each["why"], []).append(each["path"])
    for why, paths in reasons.items():
        _listed(f"not looked into, {why}", paths)


def _show_elsewhere(facts: dict[str, Any]) -> None:
    """What lies outside of the study, and what other programs keep of it."""
    by_state: dict[str, list[str]] = {}
    for each in facts.get("deliveries", ()):
        by_state.setdefault(each["state"], []).append(each["path"])
    for state, paths in by_state.items():
        _listed(f"read from outside the study, {state}, and yours to see to", paths)
    if n := facts.get("deliveries_no_longer_there"):
        out(
            f" {n:,} other files that were read are no longer at their places: whether they name the patient nobody knows"
        )
    for each in facts.get("written_outside_the_study", ()):
        out(f" {each['path']}: {each['what']}, {each['holds']}; was written at {each['written_at']}; {each['state']}")
    for copy in facts.get("copies_by_other_programs", ()):
        out(f" {copy['path']}: {copy['what']}. {copy['repair']}")


def _withdraw(study: Study, patient: str, reason: str, scope: WithdrawalScope, as_json: bool) -> None:
    from tshdb.actions.withdrawing import withdraw as erase_patient
    from tshdb.errors import Exit

    path, certificate = erase_patient(study, patient, reason, scope)
    if as_json:
        out_json({"certificate": str(path), **certificate})
    else:
        n_rows, n_texts = sum(certificate["rows_erased"].values()), sum(certificate["texts_scrubbed"].values())
        n_parts, n_files = len(certificate["parts"]), len(certificate["files"])
        out(
            f" {n_rows:,} rows erased, {n_texts:,} texts scrubbed, "
            f"{n_parts} expression parts and {n_files} files without the patient"
        )
        _listed("models that learned from the patient", certificate["models_that_learned_from_the_patient"])
        _listed("models revoked", certificate["models_revoked"])
        _listed("cohort versions without the patient", certificate["cohort_versions_without"])
        _listed("variants without results now (tshdb rebuild --variant NAME)", certificate["variants_emptied"])
        _listed("multiverses without results now (tshdb multiverse FILE.toml)", certificate["multiverses_emptied"])
        _show_elsewhere(certificate)
        if certificate.get("names_too_short_for_texts"):
            out(" Some of the patient's names are too short to be looked for in texts: free text may hold them.")
        out(f" Certificate: {path}")
        say(_next(study, scope))
    if certificate["left"]:
        say(f"These files still name the patient, and you must see to them: {', '.join(certificate['left'])}")
    if certificate.get("not_looked_into"):
        if not as_json:
            _show_unseen(certificate["not_looked_into"])
        say("Whether these files name the patient nobody knows: look into them yourself.")
    if certificate["left"] or certificate.get("not_looked_into"):
        raise typer.Exit(Exit.PARTIAL)


def _next(study: Study, scope: WithdrawalScope) -> str:
    """What helps now: a rebuild, where something is due of what rested on the patient."""
    from tshdb.actions.planning import PlanOptions, plan

    planned = plan(type(study)(study.root), PlanOptions(refit=scope is not WithdrawalScope.KEEP))
    is_due = planned.n_due or planned.n_possible or any(a["gone"] for a in planned.facts["analyses"])
    return "Next: tshdb rebuild" if is_due else "Nothing is to be computed again."


def _verify(study: Study, path: Path, as_json: bool) -> None:
    from tshdb.actions.withdrawing import verify
    from tshdb.errors import Exit

    checks = verify(study, path)
    if as_json:
        out_json([v._asdict() for v in checks])
    else:
        for v in checks:
            mark = "NO " if not v.holds else "yes" if v.is_certain else "?  "
            out(f" {mark}  {v.what}{': ' + v.detail if v.detail else ''}")
    if not all(v.holds for v in checks):
        raise typer.Exit(Exit.INTEGRITY)
    if not all(v.is_certain for v in checks):
        raise typer.Exit(Exit.PARTIAL)


def _readmit(study: Study, patient: str, reason: str) -> None:
    from tshdb.actions.withdrawing import readmit

    readmit(study, patient, reason)
    say(
        "Readmitted. The next ingest takes the patient again; files whose bytes were read before: ingest them with --name."
    )
