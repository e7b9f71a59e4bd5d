"""Writes migrations/versions/0011_identity.json: what revision 0011 knows of the programs before it, and of its own.

    python docs/freeze_0011.py RELEASED LATEST

Both are folders with a program of revision 0009: the one that was released, and its last state before the normal form of code.
Their own code gives the fingerprints that databases hold; this program's code gives those that take their place. Run at the
commit that brings the normal form, and never again: the file says how code was known then, whatever analyses become later.

Between the two, Cox models in which one side of a term has no event have come to be computed otherwise. All other models are the
same to the last bit, so that the fingerprints of RELEASED that differ hold in databases where no model was of that kind.
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


ONE_SIDED = {"table": "cox_terms", "column": "reason", "says": "finite estimate"}


def main(released: str, latest: str) -> None:
    """Write the file."""
    from analyses import ANALYSES
    from tshdb.engine import units
    from tshdb.engine.code.identity import Codes
    from tshdb.engine.stored_form import declaration_fingerprint

    first, last = _old(Path(released)), _old(Path(latest))
    codes = Codes(units.project_packages(ANALYSES))
    found = {}
    for analysis in ANALYSES:
        found[analysis.name] = {
            "code_before": list(dict.fromkeys((first[analysis.name], last[analysis.name]))),
            "code": codes.of(units.functions_of(analysis)).fingerprint,
            "table": declaration_fingerprint(analysis.makes),
            "chooses": analysis.key_field,
            "takes_seed": units.takes_seed(analysis),
        }
    unless = {first[name]: ONE_SIDED for name in found if first[name] != last[name]}
    text = json.dumps({"analyses": found, "unless": unless}, indent=1, sort_keys=True)
    FILE.write_text(text + "\n", encoding="utf-8")


def _old(folder: Path) -> dict[str, str]:
    environment = {**os.environ, "PYTHONPATH": str(folder.resolve())}
    said = subprocess.run(
        [sys.executable, "-c", OLD], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(said.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
