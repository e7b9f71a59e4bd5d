"""Write docs/schema.md, cli.md, parameters.md, ibsi.md, explained.md, llms.txt, the table of testing.md, the list of choices.md
and the SQL of an empty database: `make docs`. Tests compare them with what this would write.

python docs/generate.py [FOLDER]
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from sqlalchemy import Enum

from analyses import ANALYSES
from cli.described import described as commands_described
from cli.described import walk
from cli.explained import CODE, FINDING, PROMISE, explained
from cli.main import app
from cli.schema import described as tables_described
from migrations import newest, through_revisions
from tshdb import presets
from tshdb.config import Parameters
from tshdb.manual import title_of
from tshdb.schema import Base
from tshdb.sqltypes import described

HERE = Path(__file__).parent
LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
COMMON = {
    "cohort": "the frozen cohort that it is fitted on",
    "cohorts": "frozen or live; a result for each",
    "endpoint": "of the follow-up",
    "censor_at_days": "what happens later is not looked at; ten years",
    "min_events": "with fewer there is no model and no test, and the reason says so",
    "min_patients": "with fewer there is no result",
    "unit": "of expression; needed only where a study has results of several",
    "n_bootstrap": "for the intervals",
    "allow_training_patients": "evaluate patients whom a model has learned from all the same, marked optimistic",
}  # where a class says nothing else
KINDS = {"number": "number", "integer": "whole number", "string": "text", "boolean": "true or false"}
SUBJECTS = (
    "clinical",
    "expression",
    "imaging",
    "imaging_results",
    "radiomics",
    "signature",
    "cohort",
    "provenance",
    "engine",
    "guests",
    "results",
    "withdrawal",
    "written_files",
)


def schema() -> str:
    """Every table: what one row is, its columns, their types and meanings."""
    lines = [
        "# The tables",
        "",
        "Written by `make docs` from `tshdb/schema/`. Times are UTC text; every list is by key.",
        "",
    ]
    models = {m.__tablename__: m for m in Base.declared}
    others = sorted({m.__module__.rpartition(".")[2] for m in models.values()} - {*SUBJECTS})
    for subject in (*SUBJECTS, *others):
        lines += [f"## {subject}", ""]
        for name in Base.metadata.tables:
            if models[name].__module__ == f"tshdb.schema.{subject}":
                lines += _table(name, models[name])
    return "\n".join(lines).rstrip() + "\n"


def _table(name: str, model: type) -> list[str]:
    lines = [f"### {name}", "", " ".join(model.__doc__.split()), "", "| column | type | |", "|---|---|---|"]
    for column in model.__table__.columns:
        kind = column.type.__class__.__name__.lower()
        notes = [column.doc or ""]
        if isinstance(column.type, Enum):
            kind, notes = "text", [*notes, "one of " + ", ".join(column.type.enums)]
        notes += [f"-> `{key.target_fullname}`" for key in column.foreign_keys]
        key = " (key)" if column.primary_key else "" if column.nullable else ", never empty"
        lines.append(f"| `{column.name}` | {kind}{key} | {'; '.join(filter(None, notes))} |")
    return [*lines, ""]


def commands() -> str:
    """Every command: its help, arguments and options."""
    lines = [
        "# The commands",
        "",
        "Written by `make docs` from `cli/`. `tshdb --version` says the program's version; `tshdb --install-completion` has your",
        "shell complete commands, options and their values (`--show-completion` shows the script).",
        "",
        "Exit codes: 0 done, 2 usage, 3 done but something failed or was withheld, 4 busy, 5 integrity, 6 resource,",
        "7 the input is wrong, 8 not found; interrupted: 130 by Ctrl-C, 143 by kill, 129 when the terminal closes.",
        "`tshdb explain` has a page on each, and on every finding and promise ([explained.md](explained.md)). For programs:",
        "`tshdb --help --json`, `tshdb COMMAND --help --json` ([llms.txt](llms.txt)).",
        "",
    ]
    for path, command in walk(typer.main.get_command(app), "tshdb"):
        lines += [f"## {path}", "", (command.help or "").strip(), ""]
        for parameter in command.params:
            names = ", ".join(f"`{o}`" for o in (*parameter.opts, *parameter.secondary_opts))
            if parameter.param_type_name == "argument":
                names = f"`{parameter.metavar or parameter.name.upper()}`"
            if "`--help`" not in names:
                lines.append(f"- {names}: {getattr(parameter, 'help', '') or ''}".rstrip(": "))
        if lines[-1]:
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def explanations() -> str:
    """What `tshdb explain` says: exit codes, promises, findings."""
    lines = [
        "# What messages mean",
        "",
        "Written by `make docs`. `tshdb explain NAME` says the same of one of them.",
        "",
    ]
    titles = {CODE: "Exit codes", PROMISE: "Promises that `tshdb check` tries", FINDING: "Findings of ingest"}
    for kind, title in titles.items():
        lines += [f"## {title}", "", "| name | means | to do |", "|---|---|---|"]
        lines += [
            "| "
            + " | ".join(f"{text}".replace("|", "\\|") for text in (f"`{page.name}`", page.meaning, page.repair))
            + " |"
            for page in explained().values()
            if page.kind == kind
        ]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def for_programs() -> str:
    """One page for agents and scripts: commands, tables, exit codes, pages of the manual (the form of llmstxt.org)."""
    lines = [
        "# tshdb",
        "",
        "> The study database for radiogenomics: patients, RNA, DICOM, segmentations and follow-up in one database, in which",
        "> every number is traced to bytes, code and parameters, and a new patient costs one patient's work.",
        "",
        "Written by `make docs`. Rules for a program that drives it:",
        "",
        "- Results are on stdout, talk on stderr. Every command that prints data has `--json`: one JSON value on stdout.",
        "- Decide by the exit code, not by words (below). 3 is done, with something to look at. After 4 and 6 the same command",
        "  goes on when it is run again.",
        "- Commands find the study by `--study DIR`, TSHDB_STUDY, or the nearest parent with study.toml.",
        "- Nothing asks: a command that would erase or replace needs its option (`--yes`, `--reason`).",
        "- Facts about commands: `tshdb --help --json`, `tshdb ingest rna --help --json`. Tables and columns:",
        "  `tshdb schema --json`. What a rule or an exit code means: `tshdb explain NAME --json`. The manual:",
        "  `tshdb docs --json`, `tshdb docs PAGE`.",
        '- Read data with `tshdb sql "SELECT …" --json` (DuckDB\'s SQL, read only); never open study.db for writing.',
        "",
        "The usual way: `tshdb init DIR`, `tshdb ingest …`, `tshdb cohort define`, `tshdb cohort freeze`, `tshdb plan`,",
        "`tshdb rebuild`, `tshdb check`, `tshdb report`. When patients arrive: ingest, then rebuild; only what they reach is",
        "computed.",
        "",
        "## Exit codes",
        "",
    ]
    lines += [f"- {page.name}: {page.meaning}" for page in explained().values() if page.kind == CODE]
    lines += ["", "## Commands", ""]
    for facts in commands_described(app, ()):
        words = [a["name"] if a["is_required"] else f"[{a['name']}]" for a in facts["arguments"]]
        options = [o["names"][0] for o in facts["options"]]
        lines.append(
            f"- `{' '.join([facts['command'], *words])}`: {facts['about'].split('. ')[0].rstrip('.')}. {' '.join(options)}"
        )
    lines += ["", "## Tables", ""]
    lines += [
        f"- `{entry['table']}`: one row is {entry['one_row'].split('. ')[0].rstrip('.')}"
        for entry in tables_described()
    ]
    lines += ["", "## Pages", ""]
    lines += [f"- [{title_of(path)}]({path.name})" for path in sorted(HERE.glob("*.md"))]
    return "\n".join(lines).rstrip() + "\n"


def parameters() -> str:
    """Every table of study.toml: the analyses that follow it, what its parameters mean, their values."""
    preset = tomllib.loads(presets.text("fan2023", "study.toml"))
    lines = [
        "# The parameters",
        "",
        "Written by `make docs` from the analyses: the tables of `study.toml`. What a table does not name has its default. A",
        "changed parameter makes exactly the results due that follow it: `tshdb plan`.",
        "",
    ]
    lines += ["| table | holds for | in short |", "|---|---|---|"]
    tables: dict[str, list] = {}
    for analysis in ANALYSES:
        tables.setdefault(analysis.base or analysis.name, []).append(analysis)
    sections = []
    for name, followers in tables.items():
        if any(a.params.model_fields for a in followers):
            holds = ", ".join(f"`{a.name}`" for a in followers)
            lines.append(f"| [{name}](#{name}) | {holds} | {_short(followers)} |")
            sections += _section(name, followers, preset.get(name, {}))
    return "\n".join([*lines, "", *sections]).rstrip() + "\n"


def _short(followers: list) -> str:
    """What the first of the analyses gives a row of."""
    return " ".join((followers[0].makes.__doc__ or "").split()).split(". ")[0].rstrip(".")


def _section(name: str, followers: list, preset: dict[str, Any]) -> list[str]:
    lines = [f"## {name}", "", "| parameter | values | default | preset `fan2023` | |", "|---|---|---|---|---|"]
    meanings = meanings_of(followers)
    shown: dict[str, dict[str, Any]] = {}
    for analysis in followers:
        whole = analysis.params.model_json_schema()
        for field, schema in whole.get("properties", {}).items():
            shown.setdefault(field, _resolved(schema, whole.get("$defs", {})))
    for field, schema in shown.items():
        default = _toml(schema["default"]) if schema.get("default") is not None else ""
        given = _toml(preset[field]) if field in preset else ""
        given = "" if given == default else given
        lines.append(f"| `{field}` | {_values(schema)} | {default} | {given} | {meanings.get(field, '')} |")
    return [*lines, ""]


def meanings_of(followers: list) -> dict[str, str]:
    """parameter -> what it means: the texts below the fields of the classes, base classes first."""
    found: dict[str, list[str]] = {}
    for kind in dict.fromkeys(c for a in followers for c in reversed(a.params.__mro__)):
        if issubclass(kind, Parameters):
            for name, text in _texts_of_fields(kind):
                found.setdefault(name, []).append(text)
    return COMMON | {name: "; ".join(dict.fromkeys(parts)) for name, parts in found.items()}


def _texts_of_fields(kind: type) -> Iterator[tuple[str, str]]:
    """(field, the text that stands below it) of a class."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    for field, below in itertools.pairwise(node.body):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            yield field.target.id, " ".join(below.value.value.split())


def _resolved(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema with what it refers to in its place."""
    if "$ref" in schema:
        return known[schema["$ref"].rpartition("/")[2]] | {k: v for k, v in schema.items() if k != "$ref"}
    return {k: [_resolved(s, known) for s in v] if k == "anyOf" else _resolved(v, known) if k == "items" else v
            for k, v in schema.items()}  # fmt: skip


def _values(schema: dict[str, Any]) -> str:
    """What a parameter may be, in words."""
    if "anyOf" in schema:
        return " or ".join(_values(s) for s in schema["anyOf"] if s.get("type") != "null") + ", or not set"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "prefixItems" in schema:
        return f"list of {len(schema['prefixItems'])}: {_values(schema['prefixItems'][0])}"
    if schema.get("type") == "array":
        return f"list of: {_values(schema.get('items') or {'type': 'any'})}"
    if isinstance(of := schema.get("additionalProperties"), dict):
        names = schema.get("propertyNames")
        return f"table of: {_values(names) + ' = ' if names else ''}{_values(of)}"
    limits = [f"{sign} {schema[key]:g}" for key, sign in LIMITS.items() if key in schema]
    return " ".join([KINDS.get(schema.get("type"), schema.get("type", "")), ", ".join(limits)]).strip()


def _toml(value: Any) -> str:
    """A value as one writes it in study.toml."""
    return f"`{json.dumps(value)}`"


def ibsi() -> str:
    """Every feature with its IBSI identifier, and what it is of IBSI's digital phantom beside the reference value."""
    sys.path.insert(0, str(HERE.parent))  # the phantom is of the tests
    from tests.support.phantom import agrees, phantom, values
    from tshdb.images.feature_names import NAMES
    from tshdb.images.ibsi import AGGREGATIONS, IDS

    reference, ours, theirs = phantom(), [values("ibsi", n) for n in (False, True)], values("pyradiomics", False)
    rows, verdicts = [], {}
    for feature in (f"{class_}.{name}" for class_, names in NAMES.items() for name in names):
        class_, _, name = feature.partition(".")
        cells = [f"`{feature}`", IDS[class_].get(name, "")]
        for found, dimensions in zip(ours, ("3D", "2.5D"), strict=True):
            want, tolerance = reference[dimensions].get(feature, (None, 0))
            if want is not None:
                verdicts[feature, dimensions] = agrees(found[feature], want, tolerance)
            is_shown = want is not None or dimensions == "3D"
            cells.append(f"{found[feature]:.3g}" if is_shown else "")
            cells.append("" if want is None else f"{want:g}" + (f" ± {tolerance:g}" if tolerance else ""))
        is_other = abs(theirs[feature] - ours[0][feature]) > 1e-9 * abs(theirs[feature])
        rows.append(f"| {' | '.join(cells)} | {f'{theirs[feature]:.3g}' if is_other else ''} |")
    off = [f"{feature} ({dimensions})" for (feature, dimensions), is_met in verdicts.items() if not is_met]
    in_3d, in_2d = (" and ".join(sorted(set(AGGREGATIONS[is_2d].values()))) for is_2d in (False, True))
    text = f"""
        # Features by IBSI's names and values

        Written by `make docs`, computed of IBSI's digital phantom (5 x 4 x 4 voxels, 74 inside, grey levels as they are) with
        `[radiomic_features] definition = "ibsi"`. Identifiers, reference values and tolerances: Image Biomarker Standardisation
        Initiative, reference manual, arXiv:1612.07003. Textures: in three dimensions ({in_3d}), and slice by slice
        (`force_2d`: {in_2d}). A value agrees where it is within the tolerance, rounded to three digits.

        **{len(verdicts) - len(off)} of {len(verdicts)} values agree{"; not " + ", ".join(off) if off else ""}.**
        A feature without an identifier is PyRadiomics' own. Why some differ, and the
        CT phantom: [radiomics.md](radiomics.md#whose-definitions).

        | feature | IBSI | ours, 3D | reference | ours, by slice | reference | PyRadiomics', where it differs |
        |---|---|---|---|---|---|---|
        """
    return textwrap.dedent(text).lstrip() + "\n".join(rows) + "\n"


def choices() -> str:
    """docs/choices.md with the list of all decisions as they are in docs/decisions."""
    begin, end = "<!-- decisions: written by make docs -->\n", "<!-- /decisions -->"
    before, _, rest = (HERE / "choices.md").read_text(encoding="utf-8").partition(begin)
    pages = sorted((HERE / "decisions").glob("*.md"))
    listed = "".join(f"- {path.name[:4]} [{title_of(path)}](decisions/{path.name})\n" for path in pages)
    return before + begin + "\n" + listed + "\n" + end + rest.partition(end)[2]


def main(folder: Path) -> None:
    (folder / "choices.md").write_text(choices(), encoding="utf-8")
    (folder / "ibsi.md").write_text(ibsi(), encoding="utf-8")
    (folder / "parameters.md").write_text(parameters(), encoding="utf-8")
    (folder / "schema.md").write_text(schema(), encoding="utf-8")
    (HERE.parent / "tshdb" / "schema" / "columns.txt").write_text(described(), encoding="utf-8")
    (folder / "cli.md").write_text(commands(), encoding="utf-8")
    (folder / "explained.md").write_text(explanations(), encoding="utf-8")
    (folder / "llms.txt").write_text(for_programs(), encoding="utf-8")
    newest.WRITTEN.write_text(newest.script(through_revisions), encoding="utf-8")
    for name in ("architecture.py", "golden.py"):
        subprocess.run([sys.executable, HERE / name], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
