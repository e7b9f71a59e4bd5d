"""Writes migrations/versions/0011_identity.json: what revision 0011 knows of the programs before it, and of its own.

    python docs/freeze_0011.py CHECKOUT…

Each CHECKOUT is a folder with a program of revision 0009 or 0010. Its own code gives the fingerprints that its databases
hold; this program's code gives those that take their place. Run at the commit that brings the normal form of code, which
edits no analysis, and never again: the file says how code was known then, whatever the analyses have become since.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).parent.parent / "migrations/versions/0011_identity.json"
OLD = """
import json
from analyses import ANALYSES
from tshdb.engine import units
from tshdb.engine.analysis import Need
from tshdb.engine.code import code_of
project = units.project_packages(ANALYSES)
choosers = lambda a: [n.genes[1] for n in a.needs.values() if isinstance(n, Need) and n.genes]
print(json.dumps({a.name: code_of((a.function, *choosers(a)), project).fingerprint for a in ANALYSES}))
"""


def main(checkouts: list[str]) -> None:
    """Write the file."""
    from analyses import ANALYSES
    from tshdb.engine import units
    from tshdb.engine.code.identity import Codes
    from tshdb.engine.declaration import declaration_fingerprint

    before = [_old(Path(folder)) for folder in checkouts]
    codes = Codes(units.project_packages(ANALYSES))
    found = {}
    for analysis in ANALYSES:
        former = list(dict.fromkeys(program[analysis.name] for program in before if analysis.name in program))
        found[analysis.name] = {
            "code_before": former,
            "code": codes.of(units.functions_of(analysis)).fingerprint,
            "table": declaration_fingerprint(analysis.makes),
            "chooses": analysis.cohorts if isinstance(analysis.cohorts, str) else None,
            "takes_seed": units.takes_seed(analysis),
        }
    FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _old(folder: Path) -> dict[str, str]:
    environment = {**os.environ, "PYTHONPATH": str(folder.resolve())}
    said = subprocess.run(
        [sys.executable, "-c", OLD], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(said.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
