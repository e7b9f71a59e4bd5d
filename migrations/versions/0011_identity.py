"""Specs say all that values depend on: code by its normal form, the seed, the result table, the engine's version.

Databases of the version before go over: fingerprints of code that are listed beside this file become those of the normal
form. Others stay, and their units are due as they were; so do those of which the file says that results of some kind are made
otherwise now, where the database has such results. The seed is study.toml's, the table and the engine's version are those of
the program that brought this revision: none of them was recorded, and `taken_over` says when they were written down.
Parameters no longer count the field that chooses an analysis's cohorts; specs that become equal are merged. What stands of
models and references (`units.upstream`, fingerprints of how a table is made) is written anew where it is what the program
before would say.

Going back gives every listed code its former fingerprint again, and loses what specs say of seeds, tables and the engine.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import context, op

from migrations.watch import forget, watch

revision = "0011"
down_revision = "0010"

ENGINE_VERSION = "1"
FORM = 1
NO_SEED = "none"
UNKNOWN = "unknown"
FORMER_NAME = "uq_specs_analysis_code_fingerprint_params_fingerprint_libraries_fingerprint"
FROZEN = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
KNOWN = FROZEN["analyses"]
BEFORE = ("analysis", "code_fingerprint", "params_fingerprint", "libraries_fingerprint")
AFTER = (*BEFORE, "table_fingerprint", "seed", "engine_version")
NEW = {
    "table_fingerprint": sa.Text(),
    "seed": sa.Text(),
    "engine_version": sa.Text(),
    "leads": sa.Text(),
    "kept_digest": sa.Text(),
    "form": sa.Integer(),
}


def upgrade() -> None:
    handed = context.config.attributes.get("handed", {})
    other = _otherwise()
    forget(("specs",))
    with op.batch_alter_table("specs", schema=None) as batch:
        for name, kind in NEW.items():
            batch.add_column(sa.Column(name, kind, nullable=True))
        batch.add_column(sa.Column("taken_over", sa.Text(), nullable=True))
        batch.drop_constraint(_unique(), type_="unique")
    upstream = _upstream(handed)
    _take_over(handed, other)
    _merge()
    with op.batch_alter_table("specs", schema=None) as batch:
        for name, kind in NEW.items():
            batch.alter_column(name, existing_type=kind, nullable=False)
        batch.create_unique_constraint("uq_specs_identity", list(AFTER))
    watch(("specs",))
    _note_written()
    _rewrite_models(upstream)
    _rewrite_references(handed)


def downgrade() -> None:
    former = {facts["code"]: facts["code_before"][-1] for facts in KNOWN.values() if facts["code_before"]}
    forget(("specs",))
    with op.batch_alter_table("specs", schema=None) as batch:
        batch.drop_constraint("uq_specs_identity", type_="unique")
    for code, before in former.items():
        op.get_bind().execute(
            sa.text("UPDATE specs SET code_fingerprint = :before WHERE code_fingerprint = :code"),
            {"before": before, "code": code},
        )
    for row in _rows("SELECT spec_id, params FROM specs"):
        op.get_bind().execute(
            sa.text("UPDATE specs SET params_fingerprint = :params WHERE spec_id = :spec"),
            {"params": _json_fingerprint(row.params), "spec": row.spec_id},
        )
    _merge(BEFORE)
    with op.batch_alter_table("specs", schema=None) as batch:
        for name in (*NEW, "taken_over"):
            batch.drop_column(name)
        batch.create_unique_constraint(op.f(FORMER_NAME), list(BEFORE))
    watch(("specs",))
    _note_written()


def _note_written() -> None:
    """The table is as we leave it: nobody else has changed it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE table_versions SET written = version WHERE table_name = 'specs'")


def _unique() -> str:
    """The name of the constraint as it is in this database: PostgreSQL shortens long names."""
    (found,) = sa.inspect(op.get_bind()).get_unique_constraints("specs")
    return found["name"]


# ---------------------------------------------------------------------------------------------------------- specs


def _take_over(handed: dict, other: set[str]) -> None:
    """Give every spec its new fingerprints, and what was not recorded."""
    when = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for row in _rows("SELECT spec_id, analysis, code_fingerprint, params, sources FROM specs ORDER BY spec_id"):
        facts = KNOWN.get(row.analysis, {})
        is_listed = row.code_fingerprint in facts.get("code_before", ()) and row.code_fingerprint not in other
        counted = {k: v for k, v in json.loads(row.params).items() if k != facts.get("chooses")}
        if facts.get("takes_seed"):
            seed = str(handed["seed"]) if "seed" in handed else UNKNOWN
        else:
            seed = NO_SEED
        leads = "{}"
        op.get_bind().execute(
            sa.text(
                "UPDATE specs SET code_fingerprint = :code, params_fingerprint = :params, table_fingerprint = :table_digest, "
                "seed = :seed, engine_version = :engine, leads = :leads, kept_digest = :kept, form = :form, "
                "taken_over = :taken_over, modules = NULL, text_digest = NULL WHERE spec_id = :spec"
            ),
            {
                "code": facts["code"] if is_listed else row.code_fingerprint,
                "params": _json_fingerprint(_json_text(counted)),
                "table_digest": facts.get("table", UNKNOWN),
                "seed": seed,
                "engine": ENGINE_VERSION,
                "leads": leads,
                "kept": _digest(row.sources.encode(), leads.encode()),
                "form": FORM,
                "taken_over": when,
                "spec": row.spec_id,
            },
        )


def _otherwise() -> set[str]:
    """Listed fingerprints that do not hold here: this database has results of a kind that is computed otherwise now."""
    found = set()
    for code, kind in FROZEN["unless"].items():
        query = sa.text(f"SELECT count(*) FROM {kind['table']} WHERE {kind['column']} LIKE :says")
        if op.get_bind().execute(query, {"says": f"%{kind['says']}%"}).scalar():
            found.add(code)
    return found


def _merge(columns: tuple[str, ...] = AFTER) -> None:
    """Units of specs that have become equal go to the oldest of them."""
    kept: dict[tuple, int] = {}
    for row in _rows(f"SELECT spec_id, {', '.join(columns)} FROM specs ORDER BY spec_id"):
        identity = tuple(row[1:])
        if identity not in kept:
            kept[identity] = row.spec_id
            continue
        numbers = {"kept": kept[identity], "gone": row.spec_id}
        op.get_bind().execute(sa.text("UPDATE units SET spec_id = :kept WHERE spec_id = :gone"), numbers)
        op.get_bind().execute(sa.text("DELETE FROM specs WHERE spec_id = :gone"), numbers)


# --------------------------------------------------------------------------------------------- models, references


def _upstream(handed: dict) -> dict[str, dict[str, str]]:
    """Fit -> digest of all upstream of it as a program before would say it now -> as it is said from now on.

    handed["fits"]: fit -> analyses upstream, each with the fingerprints of its parameters (before, now) and of its libraries.
    """
    found: dict[str, dict[str, str]] = {}
    for fit, behind in handed.get("fits", {}).items():
        programs = max((len(KNOWN.get(a["name"], {}).get("code_before", ())) for a in behind), default=0)
        for program in range(programs):
            old, new = [], []
            for a in sorted(behind, key=lambda a: a["name"]):
                facts = KNOWN.get(a["name"])
                if facts is None or not facts["code_before"]:
                    break
                before = facts["code_before"]
                code = before[min(program, len(before) - 1)]
                old.append((a["name"], code, a["params_before"], a["libraries"]))
                seed = str(handed["seed"]) if facts["takes_seed"] else NO_SEED
                new.append(
                    (a["name"], facts["code"], a["params"], a["libraries"], facts["table"], seed, ENGINE_VERSION)
                )
            else:
                found.setdefault(fit, {})[_said(old)] = _said(new)
    return found


def _said(specs: list[tuple[str, ...]]) -> str:
    return _digest(*("\0".join(parts).encode() for parts in specs))


def _rewrite_models(upstream: dict[str, dict[str, str]]) -> None:
    for fit, digests in upstream.items():
        for before, now in digests.items():
            op.get_bind().execute(
                sa.text("UPDATE units SET upstream = :now WHERE analysis = :fit AND upstream = :before"),
                {"now": now, "fit": fit, "before": before},
            )


def _rewrite_references(handed: dict) -> None:
    """handed["references"]: (analysis, key, fingerprint before, fingerprint now, rows now: table -> rows)."""
    for analysis, key, before, now, table, rows in handed.get("references", ()):
        query = sa.text("SELECT unit_id FROM units WHERE analysis = :analysis AND key = :key AND fingerprint = :before")
        unit = op.get_bind().execute(query, {"analysis": analysis, "key": key, "before": before}).scalar()
        if unit is None:
            continue
        values = {"unit": unit, "before": before, "now": now}
        op.get_bind().execute(sa.text("UPDATE units SET fingerprint = :now WHERE unit_id = :unit"), values)
        op.get_bind().execute(
            sa.text(
                "UPDATE unit_inputs SET seen_fingerprint = :now WHERE input_unit_id = :unit AND seen_fingerprint = :before"
            ),
            values,
        )
        op.get_bind().execute(sa.text(f"DELETE FROM {table} WHERE unit_id = :unit"), values)
        for row in rows:
            names = ", ".join(["unit_id", *row])
            marks = ", ".join([":unit_id", *(f":{name}" for name in row)])
            op.get_bind().execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), {"unit_id": unit, **row})


# ------------------------------------------------------------------------------ digests, as they were at this revision


def _rows(query: str):
    return op.get_bind().execute(sa.text(query)).fetchall()


def _digest(*parts: bytes) -> str:
    h = hashlib.blake2b(digest_size=16)
    for part in parts:
        h.update(len(part).to_bytes(8, "big"))
        h.update(part)
    return h.hexdigest()


def _json_text(value) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _json_fingerprint(value) -> str:
    return _digest(_json_text(value).encode())
