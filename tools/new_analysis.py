"""A new analysis of this repository, with all that belongs to it: `make new-analysis NAME=my_ratio SUBJECT=expression`.

Writes four files that one then works on: the module with its record, the table, the migration that makes the table, and the
test. They are a working analysis (the mean of a patient's TSH ratios), so that one changes one thing at a time. Enters it in the
three lists that there are (`analyses/__init__.py`, `tshdb/schema/__init__.py`, the database's revision), and writes the reference
documents anew.

python -m tools.new_analysis NAME SUBJECT
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
from pathlib import Path
from string import Template

ROOT = Path(__file__).parent.parent
TEMPLATES = Path(__file__).parent / "templates"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def main(name: str, subject: str) -> None:
    refuse(name, subject)
    revisions = sorted(p.stem[:4] for p in (ROOT / "migrations/versions").glob("[0-9]*.py"))
    before, number = revisions[-1], f"{int(revisions[-1]) + 1:04d}"
    words = {
        "name": name,
        "table": "".join(word.capitalize() for word in name.split("_")),
        "subject": subject,
        "before": before,
        "number": number,
    }
    files = {
        "analysis.py": f"analyses/{subject}/{name}.py",
        "table.py": f"tshdb/schema/{name}.py",
        "migration.py": f"migrations/versions/{number}_{name}.py",
        "test.py": f"tests/analyses/test_{name}.py",
    }
    for template, path in files.items():
        text = (TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
        (ROOT / path).write_text(Template(text).substitute(words), encoding="utf-8")
    enter(words)
    run("ruff", "check", "--quiet", "--fix", "analyses/__init__.py", "tshdb/schema/__init__.py")
    run("ruff", "format", "--quiet", "analyses/__init__.py", "tshdb/schema/__init__.py", *files.values())
    run(sys.executable, "docs/generate.py")
    print("Yours to change:", *files.values(), sep="\n  ")
    print(f"Then: python docs/generate.py, and .venv/bin/python -m pytest tests/analyses/test_{name}.py")


def refuse(name: str, subject: str) -> None:
    """End with a sentence for a name or a subject that cannot be."""
    subjects = sorted(p.parent.name for p in (ROOT / "analyses").glob("*/__init__.py") if p.parent.name != "shared")
    tables = {line.split()[0] for line in (ROOT / "tshdb/schema/columns.txt").read_text().splitlines()}
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        sys.exit(f"NAME={name}: write small letters, digits and _, such as NAME=my_ratio")
    if name in tables or list((ROOT / "analyses").glob(f"*/{name}.py")) or (ROOT / f"tshdb/schema/{name}.py").exists():
        sys.exit(f"NAME={name}: there is an analysis or a table of that name; choose another")
    if subject not in subjects:
        sys.exit(f"SUBJECT={subject}: the folders of analyses are {', '.join(subjects)}")


def enter(words: dict[str, str]) -> None:
    """Enter the analysis, its table and its revision in their lists."""
    name, table = words["name"], words["table"]
    replace(
        "analyses/__init__.py",
        ("\n\nANALYSES = (\n", f"\nfrom analyses.{words['subject']}.{name} import {name}\n\nANALYSES = (\n"),
        (",\n)\n", f",\n    {name},\n)\n"),
    )
    replace(
        "tshdb/schema/__init__.py",
        ("\n\n__all__ = [\n", f"\nfrom tshdb.schema.{name} import {table}\n\n__all__ = [\n"),
        (",\n]\n", f',\n    "{table}",\n]\n'),
    )
    replace("tshdb/database.py", (f'REVISION = "{words["before"]}"', f'REVISION = "{words["number"]}"'))


def replace(path: str, *changes: tuple[str, str]) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    for old, new in changes:
        if text.count(old) != 1:
            sys.exit(f"{path}: {old.strip()!r} stands there {text.count(old)} times, not once")
        text = text.replace(old, new)
    (ROOT / path).write_text(text, encoding="utf-8")


def run(*command: str) -> None:
    environment_bin = Path(sys.executable).parent
    program = environment_bin / command[0]
    subprocess.run([str(program) if program.exists() else command[0], *command[1:]], cwd=ROOT, check=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Write: make new-analysis NAME=my_ratio SUBJECT=expression")
    main(*sys.argv[1:])
