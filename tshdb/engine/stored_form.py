"""What a result table says of its columns, as far as stored values depend on it; and the version of the engine's own part.

A unit's values pass through the table that it makes (types, digits, which columns count) and through a few functions of the
engine (rounding, seeds, the order of inputs, matrix readers). The declaration is compared with the spec of a unit as its code
is; of the engine's functions the number below stands for all. Whoever changes what values they give raises it:
`tests/engine/test_spec.py` holds it against their normal form.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Double, Integer

from tshdb.canonical import json_fingerprint

if TYPE_CHECKING:
    from tshdb.schema import UnitPayload

ENGINE_VERSION = 1


def declared(table: type[UnitPayload]) -> list[dict[str, Any]]:
    """The columns of a result table, by name: type, digits, and whether it is a key, may be empty, names an object, counts."""
    kinds = ((Boolean, "boolean"), (Integer, "integer"), (Double, "double"))
    return [
        {
            "name": column.name,
            "type": next((name for kind, name in kinds if isinstance(column.type, kind)), "text"),
            "digits": column.info.get("digits"),
            "is_key": column.primary_key,
            "is_nullable": bool(column.nullable),
            "object": column.info.get("object"),
            "counts": column.info.get("fingerprint", True),
        }
        for column in sorted(table.__table__.columns, key=lambda c: c.name)
        if column.name != "unit_id"
    ]


@cache
def declaration_fingerprint(table: type[UnitPayload]) -> str:
    """The digest of `declared(table)`."""
    return json_fingerprint(declared(table))
