"""Stand-in."""

import json

from sqlalchemy import select

from tshdb.canonical import json_text
from tshdb.engine.causes import Cause
from tshdb.schema import Spec
from tshdb.vocabulary import CauseKind


def spec_causes(connection, spec_id, current, analysis, world):
    row = connection.execute(select(Spec.params, Spec.seed, Spec.code_fingerprint).where(Spec.spec_id == spec_id)).one()
    was, now = json.loads(row.params), json.loads(current.params)
    found = []
    for f in sorted(was.keys() | now.keys()):
        if f != analysis.key_field and was.get(f) != now.get(f):
            table, place = world.settings.place(analysis.name, f, analysis.base)
            found.append(
                Cause(CauseKind.PARAMETER, f"[{table}] {f}", json_text(was.get(f)), json_text(now.get(f)), place)
            )
    if row.seed != current.seed:
        found.append(
            Cause(CauseKind.SEED, "[study] seed", row.seed, current.seed, world.settings.place("study", "seed")[1])
        )
    if not current.is_same_code(row.code_fingerprint):
        found.append(Cause(CauseKind.CODE, analysis.name))
    return found
