"""Write docs/schema.md, cli.md, parameters.md, ibsi.md and the table of testing.md: `make docs`. Tests compare them with what
this would write.

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
from cli.main import app
from tshdb import presets
from tshdb.config import Parameters
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
        "7 the input is wrong, 8 not found, 130 / 143 interrupted.",
        "",
    ]
    for path, command in _walk(typer.main.get_command(app), "tshdb"):
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


def _walk(command, path: str):
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from _walk(child, f"{path} {name}")
    else:
        yield path, command


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


def main(folder: Path) -> None:
    (folder / "ibsi.md").write_text(ibsi(), encoding="utf-8")
    (folder / "parameters.md").write_text(parameters(), encoding="utf-8")
    (folder / "schema.md").write_text(schema(), encoding="utf-8")
    (HERE.parent / "tshdb" / "schema" / "columns.txt").write_text(described(), encoding="utf-8")
    (folder / "cli.md").write_text(commands(), encoding="utf-8")
    for name in ("architecture.py", "golden.py"):
        subprocess.run([sys.executable, HERE / name], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
