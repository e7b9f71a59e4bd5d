"""tshdb cohort define | freeze | list | show | flow | members | diff | export."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from cli.console import out, out_exact, out_json, say, table
from cli.options import JsonOption, StudyOption

VersionArgument = Annotated[str, typer.Argument(metavar="COHORT", help="NAME (its newest version) or NAME@VERSION.")]

app = typer.Typer(help="Who is in the study's questions.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def define(
    name: Annotated[str, typer.Argument(help="The cohort's name.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE.sql", help="Steps of SQL, each a SELECT that gives patient_id.")
    ],
    freezes: Annotated[
        bool, typer.Option("--freeze", help="And freeze its first version, as cohort freeze does.")
    ] = False,
    study: StudyOption = None,
) -> None:
    """Define a cohort by SQL. It is live until a version is frozen; frozen versions stay as they are.

    Example: tshdb cohort define tumor_stroma_development cohorts/tumor_stroma_development.sql
    """
    from tshdb.actions import cohorts
    from tshdb.errors import NotFound
    from tshdb.study import Study
    from tshdb.written import written_text

    opened = Study.find(study)
    if not file.is_file():
        raise NotFound("no such file", where=str(file))
    defined = cohorts.define(opened, name, written_text(file))
    say(f"Cohort {name}, from {', '.join(defined.tables)}; members now:")
    print_flow(defined.version, say)
    if defined.problem:
        say(f"  {defined.problem}")
    if defined.not_yet:
        names = ", ".join(defined.not_yet)
        say(
            f"  No step finds the members of {names} yet: they stand in cohort_members after a freeze, or the next rebuild"
        )
    if freezes and not defined.problem:
        _say_frozen(opened, cohorts.freeze(opened, name))
    elif defined.version.members or defined.problem:
        say(f"Fits need a frozen version: tshdb cohort freeze {name}")
    else:
        from tshdb.next_step import NextSteps

        say(NextSteps(opened).of_cohorts(name))


@app.command()
def freeze(name: Annotated[str, typer.Argument(help="The cohort's name.")], study: StudyOption = None) -> None:
    """Freeze the members of now as the next version. Fits run on it; older versions and their results stay.

    Example: tshdb cohort freeze tumor_stroma_development
    """
    from tshdb.actions import cohorts
    from tshdb.study import Study

    opened = Study.find(study)
    _say_frozen(opened, cohorts.freeze(opened, name))


def _say_frozen(study, frozen) -> None:
    from tshdb.next_step import without_analysis

    if not frozen.is_new:
        say(f"{frozen.key} has just these {len(frozen.members)} members; no new version was made.")
        return
    idle = without_analysis(study, frozen.key.partition("@")[0])
    say(f"Frozen {frozen.key}: {len(frozen.members)} members.{f' {idle}' if idle else ' Next: tshdb plan'}")


@app.command("list")
def list_cohorts(
    versions: Annotated[bool, typer.Option("--versions", help="Every version of every cohort.")] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """All cohorts: mode, members, and who has become eligible since.

    Example: tshdb cohort list --json
    """
    from tshdb.actions import cohorts
    from tshdb.study import Study

    opened = Study.find(study)
    if versions:
        _list_versions(opened, as_json)
        return
    facts = [
        {
            "cohort": s.name,
            "key": s.key,
            "mode": s.mode.value,
            "n_members": len(s.members),
            "newly_eligible": list(s.newly_eligible),
            "no_longer_eligible": list(s.no_longer),
            "problem": s.problem,
        }
        for s in cohorts.cohorts(opened).values()
    ]
    if as_json:
        out_json(facts)
    elif not facts:
        say("No cohorts yet. Run: tshdb cohort define NAME FILE.sql")
    else:
        rows = [
            (
                f["key"],
                f["mode"],
                f["n_members"],
                len(f["newly_eligible"]),
                len(f["no_longer_eligible"]),
                f["problem"] or "",
            )
            for f in facts
        ]
        table(("cohort", "mode", "members", "newly eligible", "no longer", ""), rows, right=(2, 3, 4))


def _list_versions(opened, as_json: bool) -> None:
    from tshdb.tables.rows import records

    names = ("cohort", "version", "mode", "n_members", "created_at", "program")
    rows = records(opened.sql(f"SELECT {', '.join(names)} FROM cohort_versions ORDER BY cohort, version"))
    if as_json:
        out_json(rows)
    else:
        table(("cohort", "version", "mode", "members", "since", "by"), [tuple(r.values()) for r in rows], right=(1, 3))


@app.command()
def show(name: VersionArgument, study: StudyOption = None, as_json: JsonOption = False) -> None:
    """One version of a cohort: its SQL as it ran, when, by which program, its members, and what was computed on it.

    Example: tshdb cohort show tumor_stroma_development@1
    """
    from tshdb.actions import cohorts
    from tshdb.study import Study

    opened = Study.find(study)
    version = cohorts.version_of(opened, name)
    units = cohorts.results_over(opened, version)
    if as_json:
        facts = version._asdict() | {"flow": [s._asdict() for s in version.flow], "units": units}
        out_json(facts | {"n_members": len(version.members), "key": version.key})
        return
    out(f" {version.key}, {version.mode.value}{_born(version)}: {len(version.members):,} members")
    out()
    print_flow(version)
    out()
    for line in version.sql_text.strip().splitlines():
        _out_sql(f"   {line}")
    if units:
        out()
        out(f" Results that rest on it: {', '.join(units)}")


@app.command()
def flow(
    name: VersionArgument,
    is_now: Annotated[bool, typer.Option("--now", help="What the SQL gives now, not the newest version.")] = False,
    to: Annotated[Path | None, typer.Option("--out", help="Draw a version to this file (.svg, .pdf, .png).")] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """How the members came about: whom each step brought in or took out, and why (CONSORT).

    Example: tshdb cohort flow tumor_stroma_development --out flow.svg
    """
    if to is not None and not is_now:
        from cli.figure import draw

        draw("flow", cohort=name, to=to, study=study)
        return
    version = _version(name, study, is_now=is_now)
    if as_json:
        out_json([step._asdict() | {"cohort": version.cohort, "version": version.version} for step in version.flow])
    else:
        out(f" {version.key}{_born(version)}")
        print_flow(version)


@app.command()
def members(name: VersionArgument, study: StudyOption = None, as_json: JsonOption = False) -> None:
    """The members of a version, a patient a line.

    Example: tshdb cohort members tumor_stroma_validation
    """
    version = _version(name, study)
    if as_json:
        out_json(list(version.members))
    else:
        for patient in version.members:
            out(patient)


@app.command()
def diff(
    before: VersionArgument,
    after: Annotated[str | None, typer.Argument(help="NAME or NAME@VERSION; default: what the SQL gives now.")] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who came and who left between two versions, and by which step.

    Example: tshdb cohort diff tumor_stroma_development@1 tumor_stroma_development@2
    """
    from tshdb.cohorts.versions import difference

    first = _version(before, study)
    second = _version(after or first.cohort, study, is_now=after is None)
    differences = difference(first, second)
    second_name = f"{second.key} (now)" if second.version is None else second.key
    if as_json:
        out_json([{"before": first.key, "after": second.key, **d._asdict()} for d in differences])
    elif not differences:
        out(f" {first.key} and {second_name} have the same {len(first.members):,} members.")
    else:
        n = {what: sum(d.what == what for d in differences) for what in ("came", "left")}
        out(f" From {first.key} ({len(first.members):,}) to {second_name} ({len(second.members):,}): "
            f"{n['came']} came, {n['left']} left")  # fmt: skip
        table(("patient", "", "because"), [(d.patient_id, d.what, d.reason) for d in differences])


@app.command()
def export(
    name: VersionArgument,
    to: Annotated[Path, typer.Option("--out", help="The file: .csv, .tsv or .json.")],
    for_excel: Annotated[
        bool,
        typer.Option("--for-excel", help="CSV for a spreadsheet: an apostrophe before texts that it would compute."),
    ] = False,
    study: StudyOption = None,
) -> None:
    """A version for other programs: patients with the step that took them out, or none for the members.

    Example: tshdb cohort export tumor_stroma_development@1 --out development.csv
    """
    import csv
    import json

    from tshdb.errors import UsageError
    from tshdb.files import complete_through
    from tshdb.text.spreadsheets import ENCODING, safe_row

    version = _version(name, study)
    reasons = {step.step: step.reason for step in version.flow}
    rows = [(patient, True, None) for patient in version.members]
    rows += [(patient, False, reasons[step]) for patient, step in version.excluded.items()]
    names = ("patient_id", "is_member", "excluded_because")
    separators = {".csv": ",", ".tsv": "\t"}
    if to.suffix not in {*separators, ".json"}:
        raise UsageError(f"format '{to.suffix}'", where=str(to), repair="Known: .csv, .tsv, .json")
    if for_excel and to.suffix == ".json":
        raise UsageError("--for-excel is of a table", where=str(to), repair="Name a .csv or .tsv")
    encoding = ENCODING if for_excel else "utf-8"
    with complete_through(to) as written, written.open("w", encoding=encoding, newline="") as file:
        if to.suffix == ".json":
            facts = {"cohort": version.key, "sql": version.sql_text, "created_at": version.created_at}
            facts["patients"] = [dict(zip(names, row, strict=True)) for row in sorted(rows)]
            json.dump(facts, file, indent=2)
        else:
            writer = csv.writer(file, delimiter=separators[to.suffix], lineterminator="\n")
            writer.writerow(names)
            writer.writerows(map(safe_row, sorted(rows)) if for_excel else sorted(rows))
    say(f"Wrote {to}: {len(version.members):,} members, {len(version.excluded):,} excluded.")


def _out_sql(line: str) -> None:
    """A line of SQL, wrapped only where it stays the same SQL: between words, and a comment as a comment."""
    comment = re.match(r" *-- ", line)
    if comment or not ("--" in line or any(" " in text for text in re.findall(r"'[^']*'", line))):
        out(line, comment and comment[0])
    else:
        out_exact(line)


def _version(name: str, study: Path | None, *, is_now: bool = False):
    """The version that is meant."""
    from tshdb.actions import cohorts
    from tshdb.study import Study

    return cohorts.version_of(Study.find(study), name, is_now=is_now)


def _born(version) -> str:
    if version.version is None:
        return ", as its SQL gives it now"
    return f", {version.created_at[:10]}" + (f" by {version.program}" if version.program else "")


def print_flow(version, to=out) -> None:
    """The steps of a cohort version, one a line: what it brings in or takes out, and why."""
    from tshdb.vocabulary import StepEffect

    if not version.flow:
        to(f" {len(version.members):,} members; this version is older than the record of steps")
        return
    width = max(len(f"{step.n_out:,}") for step in version.flow) + 2
    for step in version.flow:
        sign = "" if step.step == 1 else "+" if step.effect is StepEffect.INCLUDE else "−"
        n = abs(step.n_out - step.n_in)
        to(f" {sign + format(n, ',') if n else '·':>{width}}  {step.reason}", " " * (width + 3))
    to(f" {'= ' + format(version.flow[-1].n_out, ','):>{width}}  {version.key}")
