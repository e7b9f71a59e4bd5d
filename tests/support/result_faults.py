"""Faults that somebody could plant in a study: in results, in what they were made by, and in what they were made of.

Each is a function of a connection to the study's database, its folder and a seeded generator: it does its harm to one unit
and gives that unit's name. FAULTS need the studies of the fixture `core`, OF_IMAGES those of `study`.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from sqlalchemy import create_engine, select, update

from analyses import ANALYSES
from tshdb.canonical import json_fingerprint
from tshdb.engine.compute import payload_fingerprint
from tshdb.objects import ObjectStore
from tshdb.schema import Unit, UnitInput
from tshdb.stored_rows import EMPTY, digest_of
from tshdb.verification.stored import _as_made, columns_of

Fault = Callable[[sqlite3.Connection, Path, Random], str]
BY_NAME = {a.name: a for a in ANALYSES}


def plant(fault: Fault, root: Path, seed: int) -> str:
    """Plant a fault in the study in a folder; gives the unit that it is of."""
    with closing(sqlite3.connect(root / "study.db", isolation_level=None)) as raw:
        return fault(raw, root, Random(f"{seed} {fault.__name__}"))


def _unit(raw: sqlite3.Connection, luck: Random, analysis: str, where: str = "") -> tuple[int, str]:
    """A current unit of an analysis, by chance: its number and name."""
    current = f"analysis = '{analysis}' AND state = 'current' AND run_id IS NOT NULL"
    query = f"SELECT unit_id, key FROM units WHERE {current} {where} ORDER BY key"
    unit, key = luck.choice(raw.execute(query).fetchall())
    return unit, f"{analysis}/{key}"


def _row(raw: sqlite3.Connection, luck: Random, analysis: str, column: str) -> tuple[int, int, str]:
    """A row with a value in a column, by chance: rowid, unit and the unit's name."""
    table = BY_NAME[analysis].makes.__tablename__
    query = (
        f"SELECT t.rowid, u.unit_id, u.key FROM {table} t JOIN units u ON u.unit_id = t.unit_id WHERE u.analysis = '{analysis}' "
        f"AND t.{column} IS NOT NULL ORDER BY u.key, t.rowid"
    )
    row, unit, key = luck.choice(raw.execute(query).fetchall())
    return row, unit, f"{analysis}/{key}"


def forge(raw: sqlite3.Connection, unit_id: int) -> None:
    """Write both digests of a unit anew from its rows as they stand, and what its consumers have seen: nothing beside tells."""
    path = raw.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0]
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        analysis = BY_NAME[connection.execute(select(Unit.analysis).where(Unit.unit_id == unit_id)).scalar_one()]
        table = analysis.makes.__table__
        found = connection.execute(select(table).where(table.c.unit_id == unit_id)).mappings().all()
        rows = [_as_made(table, {name: row[name] for name in columns_of(table)}) for row in found]
        fingerprint = payload_fingerprint(analysis.makes, rows)
        digests = {"fingerprint": fingerprint, "rows_digest": digest_of(table, rows) if rows else EMPTY}
        connection.execute(update(Unit).where(Unit.unit_id == unit_id).values(**digests))
        connection.execute(
            update(UnitInput).where(UnitInput.input_unit_id == unit_id).values(seen_fingerprint=fingerprint)
        )
    engine.dispose()


# ----------------------------------------------------------------------------------------------------- in results


def value(raw, root, luck):
    """The last digits of a number."""
    row, _, name = _row(raw, luck, "tsh_ratios", "value")
    raw.execute("UPDATE tsh_ratios SET value = value * (1 + 1e-13) + 1e-13 WHERE rowid = ?", (row,))
    return name


def value_with_digests(raw, root, luck):
    """A number, with every digest that stands beside it."""
    row, unit, name = _row(raw, luck, "cell_abundances", "abundance")
    raw.execute("UPDATE cell_abundances SET abundance = abundance + 0.001 WHERE rowid = ?", (row,))
    forge(raw, unit)
    return name


def emptied(raw, root, luck):
    """A number is taken away."""
    row, unit, name = _row(raw, luck, "tsh_ratios", "value")
    raw.execute("UPDATE tsh_ratios SET value = NULL WHERE rowid = ?", (row,))
    forge(raw, unit)
    return name


def deleted_row(raw, root, luck):
    row, unit, name = _row(raw, luck, "cell_abundances", "abundance")
    raw.execute("DELETE FROM cell_abundances WHERE rowid = ?", (row,))
    forge(raw, unit)
    return name


def added_row(raw, root, luck):
    """A row of another population, like one that is there."""
    row, unit, name = _row(raw, luck, "tsh_ratios", "value")
    columns = [c for (_, c, *_) in raw.execute("PRAGMA table_info(tsh_ratios)")]
    chosen = ", ".join("'B cells, too'" if c == "population" else c for c in columns)
    raw.execute(
        f"INSERT INTO tsh_ratios ({', '.join(columns)}) SELECT {chosen} FROM tsh_ratios WHERE rowid = ?", (row,)
    )
    forge(raw, unit)
    return name


def all_rows_gone(raw, root, luck):
    unit, name = _unit(raw, luck, "survival_groups")
    raw.execute("DELETE FROM survival_groups WHERE unit_id = ?", (unit,))
    forge(raw, unit)
    return name


def other_type(raw, root, luck):
    """A text where a number was."""
    row, _, name = _row(raw, luck, "tsh_ratios", "value")
    raw.execute("UPDATE tsh_ratios SET value = 'about one' WHERE rowid = ?", (row,))
    return name


def other_bytes(raw, root, luck):
    """Bytes where a text was."""
    row, _, name = _row(raw, luck, "survival_groups", "population")
    raw.execute("UPDATE survival_groups SET population = x'4f53' WHERE rowid = ?", (row,))
    return name


def order(raw, root, luck):
    """Two rows of one unit with each other's values."""
    unit, name = _unit(raw, luck, "cell_abundances")
    rows = raw.execute(
        "SELECT rowid, abundance FROM cell_abundances WHERE unit_id = ? AND abundance IS NOT NULL", (unit,)
    ).fetchall()
    (one, first), (other, second) = luck.sample(rows, 2)
    assert first != second
    raw.execute("UPDATE cell_abundances SET abundance = CASE rowid WHEN ? THEN ? ELSE ? END WHERE rowid IN (?, ?)",
                (one, second, first, one, other))  # fmt: skip
    forge(raw, unit)
    return name


def swapped_results(raw, root, luck):
    """Two patients with each other's numbers, digests and all."""
    rows = raw.execute("SELECT rowid, unit_id, value FROM tsh_ratios WHERE value IS NOT NULL AND population = "
                       "(SELECT min(population) FROM tsh_ratios) ORDER BY patient_id").fetchall()  # fmt: skip
    (one, unit, first), (other, unit_2, second) = luck.sample(rows, 2)
    for row, of_other in ((one, second), (other, first)):
        raw.execute("UPDATE tsh_ratios SET value = ? WHERE rowid = ?", (of_other, row))
    forge(raw, unit)
    forge(raw, unit_2)
    return "tsh_ratios/" + raw.execute("SELECT key FROM units WHERE unit_id = ?", (unit,)).fetchone()[0]


def group(raw, root, luck):
    """A patient in the other group."""
    row, unit, name = _row(raw, luck, "survival_groups", "prognosis")
    raw.execute(
        "UPDATE survival_groups SET prognosis = CASE prognosis WHEN 'good' THEN 'poor' ELSE 'good' END WHERE rowid = ?",
        (row,),
    )
    forge(raw, unit)
    return name


def digest(raw, root, luck):
    """The second digest alone."""
    unit, name = _unit(raw, luck, "univariable_cox")
    raw.execute("UPDATE units SET rows_digest = ? WHERE unit_id = ?", ("0" * 32, unit))
    return name


def fingerprint(raw, root, luck):
    """The fingerprint alone, as its consumers saw it."""
    unit, name = _unit(raw, luck, "tsh_ratios")
    raw.execute("UPDATE units SET fingerprint = ? WHERE unit_id = ?", ("0" * 32, unit))
    raw.execute("UPDATE unit_inputs SET seen_fingerprint = ? WHERE input_unit_id = ?", ("0" * 32, unit))
    return name


# -------------------------------------------------------------------------------------------- in what they were made by


def seed_of_study(raw, root, luck):
    """The seed that was recorded, of an analysis that draws."""
    _, name = _unit(raw, luck, "cutoff")
    raw.execute("UPDATE specs SET seed = '7' WHERE analysis = 'cutoff'")
    return name


def parameter(raw, root, luck):
    """A parameter that was recorded, beside its digest."""
    _, name = _unit(raw, luck, "tsh_ratios")
    _set_parameter(raw, "tsh_ratios", False)
    return name


def parameter_with_digest(raw, root, luck):
    _, name = _unit(raw, luck, "univariable_cox")
    _set_parameter(raw, "univariable_cox", True)
    return name


def _set_parameter(raw: sqlite3.Connection, analysis: str, has_digest: bool) -> None:
    spec, text = raw.execute("SELECT spec_id, params FROM specs WHERE analysis = ?", (analysis,)).fetchone()
    values = json.loads(text)
    other = {"tsh_ratios": {"biomarker": "difference"}, "univariable_cox": {"censor_at_days": 400}}[analysis]
    assert all(name in values and values[name] != v for name, v in other.items()), values
    changed = json.dumps(values | other, sort_keys=True, separators=(",", ":"))
    raw.execute("UPDATE specs SET params = ? WHERE spec_id = ?", (changed, spec))
    if has_digest:
        raw.execute("UPDATE specs SET params_fingerprint = ? WHERE spec_id = ?", (json_fingerprint(changed), spec))


# -------------------------------------------------------------------------------------------- in what they were made of


def swapped_input(raw, root, luck):
    """Another profile in the place of its own, as if it had been seen."""
    unit, name = _unit(raw, luck, "cell_abundances")
    role, before = raw.execute(
        "SELECT e.role, e.input_unit_id FROM unit_inputs e JOIN units i ON i.unit_id = e.input_unit_id "
        "WHERE e.unit_id = ? AND i.analysis = 'ingest.expression_profiles'", (unit,),
    ).fetchone()  # fmt: skip
    others = raw.execute(
        "SELECT unit_id, fingerprint FROM units WHERE analysis = 'ingest.expression_profiles' AND unit_id <> ? ORDER BY key",
        (before,),
    ).fetchall()
    other, seen = luck.choice(others)
    raw.execute(
        "UPDATE unit_inputs SET input_unit_id = ?, seen_fingerprint = ? WHERE unit_id = ? AND role = ? AND input_unit_id = ?",
        (other, seen, unit, role, before),
    )
    return name


def lost_input(raw, root, luck):
    """One of its inputs is not recorded any more."""
    unit, name = _unit(raw, luck, "univariable_cox")
    edges = raw.execute(
        "SELECT e.role, e.input_unit_id FROM unit_inputs e JOIN units i ON i.unit_id = e.input_unit_id "
        "WHERE e.unit_id = ? AND i.analysis = 'tsh_ratios' ORDER BY 1, 2", (unit,),
    ).fetchall()  # fmt: skip
    raw.execute(
        "DELETE FROM unit_inputs WHERE unit_id = ? AND role = ? AND input_unit_id = ?", (unit, *luck.choice(edges))
    )
    return name


def edited_source(raw, root, luck):
    """A follow-up that was edited by hand: its fingerprint still says the former."""
    row = luck.choice(raw.execute("SELECT rowid FROM follow_ups WHERE duration_days > 10 ORDER BY rowid").fetchall())
    raw.execute("UPDATE follow_ups SET duration_days = 1, event = 1 - event WHERE rowid = ?", row)
    return _unit(raw, luck, "univariable_cox")[1]


def member(raw, root, luck):
    """A member of a frozen cohort version goes."""
    cohort, version, patients = raw.execute(
        "SELECT cohort, version, group_concat(patient_id) FROM cohort_members WHERE cohort IN "
        "(SELECT cohort FROM cohorts WHERE mode = 'frozen') GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchone()
    patient = luck.choice(sorted(patients.split(",")))
    raw.execute(
        "DELETE FROM cohort_members WHERE cohort = ? AND version = ? AND patient_id = ?", (cohort, version, patient)
    )
    return _unit(raw, luck, "univariable_cox", f"AND key LIKE '{cohort}@%'")[1]


def expression_byte(raw, root, luck):
    """One bit of the values that abundances are computed from."""
    path = luck.choice(sorted((root / "objects").rglob("*.parquet")))
    _flip(path, luck)
    return _unit(raw, luck, "cell_abundances")[1]


def markers(raw, root, luck):
    """A line of the table of genes that the study was computed with."""
    path = root / "markers.csv"
    lines = path.read_text().splitlines()
    lines.pop(luck.randrange(1, len(lines)))
    path.write_text("\n".join(lines) + "\n")
    return _unit(raw, luck, "cell_abundances")[1]


def _flip(path: Path, luck: Random) -> None:
    data = bytearray(path.read_bytes())
    data[luck.randrange(len(data))] ^= 1 << luck.randrange(8)
    path.write_bytes(bytes(data))


# ----------------------------------------------------------------------------------------------------- with images


def image_byte(raw, root, luck):
    """One bit of an image that a result is."""
    _, digest, _, name = _named(raw, luck, "prepared_images")
    _flip(ObjectStore(root / "objects").path(digest, ".nrrd"), luck)
    return name


def mask_of_another(raw, root, luck):
    """A mask that names the voxels of another image, which are whole; the digests are made anew."""
    row, before, unit, name = _named(raw, luck, "tumor_masks")
    others = raw.execute(
        "SELECT DISTINCT object_id FROM prepared_images WHERE object_id <> ? ORDER BY 1", (before,)
    ).fetchall()
    table = BY_NAME["tumor_masks"].makes.__tablename__
    raw.execute(f"UPDATE {table} SET object_id = ? WHERE rowid = ?", (*luck.choice(others), row))
    forge(raw, unit)
    return name


def model(raw, root, luck):
    """A fitted forest with another file, of the right digest, and digests to match."""
    row, digest, unit, name = _named(raw, luck, "signature_model")
    store = ObjectStore(root / "objects")
    copied = root / "other.skops"
    shutil.copy(store.path(digest, ".skops"), copied)
    with copied.open("ab") as file:
        file.write(b"\0")
    other, _ = store.put(lambda path: shutil.copy(copied, path), ".skops")
    copied.unlink()
    raw.execute("UPDATE signature_models SET object_id = ? WHERE rowid = ?", (other, row))
    forge(raw, unit)
    return name


def _named(raw: sqlite3.Connection, luck: Random, analysis: str) -> tuple[int, str, int, str]:
    row, unit, name = _row(raw, luck, analysis, "object_id")
    table = BY_NAME[analysis].makes.__tablename__
    return row, raw.execute(f"SELECT object_id FROM {table} WHERE rowid = ?", (row,)).fetchone()[0], unit, name


FAULTS: tuple[Fault, ...] = (
    value, value_with_digests, emptied, deleted_row, added_row, all_rows_gone, other_type, other_bytes, order, swapped_results,
    group, digest, fingerprint, seed_of_study, parameter, parameter_with_digest, swapped_input, lost_input, edited_source, member,
    expression_byte, markers,
)  # fmt: skip
OF_IMAGES: tuple[Fault, ...] = (image_byte, mask_of_another, model)
