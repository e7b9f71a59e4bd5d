"""tshdb check: every rule finds its damage, and none raises an alarm on a study that is whole."""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from pathlib import Path

import pytest

from analyses import ANALYSES
from ingest.redact import redact
from tests.support import tiny
from tshdb.actions import checking
from tshdb.checking import RULES, Broken, Context, Problem, check, mend
from tshdb.database import reading, writing
from tshdb.study import Study
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal.identifiers import make_key, token_of
from tshdb.withdrawal.withdraw import withdraw


def broken(study: Study, full: bool = True) -> dict[str, list]:
    """rule -> problems."""
    fresh = Study(study.root)
    found = {b.rule.name: b.problems for b in checking.check(fresh, full=full).broken}
    fresh.unguarded_engine.dispose()
    return found


def sql(*statements: str):
    """A damage by SQL, behind the program's back."""

    def damage(root: Path) -> None:
        with sqlite3.connect(root / "study.db") as connection:
            for statement in statements:
                assert connection.execute(statement).rowcount != 0, statement
        connection.close()

    return damage


TOKEN = "path-bcdfghjkmnpqrstvwxzbcdfg.csv"  # of no study


def hashed(root: Path) -> None:
    """From now on the study says that its paths are hashed."""
    with (root / "study.toml").open("a") as settings:
        settings.write('\n[privacy]\npaths = "hashed"\n')


def the_part(root: Path) -> Path:
    return next((root / "objects").glob("*/*.parquet"))


def flip_byte(root: Path) -> None:
    path = the_part(root)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def swap_values(root: Path) -> None:
    """Another part, whole in itself, under the profiles of this one: as if somebody had written other values."""
    import pyarrow as pa
    from pyarrow import parquet

    old = the_part(root)
    table = parquet.read_table(old)
    values = table.column("value").to_pylist()
    values[0] = (values[0] or 0) + 1.0
    schema = parquet.read_schema(old)
    changed = root / "changed.parquet"
    table = table.set_column(table.schema.get_field_index("value"), "value", pa.array(values, pa.float64()))
    parquet.write_table(table.cast(schema), changed, compression="lz4", use_dictionary=["gene", "profile"])
    digest = hashlib.sha256(changed.read_bytes()).hexdigest()
    new = root / "objects" / digest[:2] / f"{digest}.parquet"
    new.parent.mkdir(exist_ok=True)
    changed.rename(new)
    with sqlite3.connect(root / "study.db") as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE expression_parts SET part_id = ?, size_bytes = ? WHERE part_id = ?",
                           (digest, new.stat().st_size, old.stem))  # fmt: skip
        connection.execute("UPDATE expression_profiles SET part_id = ? WHERE part_id = ?", (digest, old.stem))
    connection.close()
    old.unlink()


def end_bytes(root: Path) -> None:
    """Overwrite a page in the middle of the database file."""
    with sqlite3.connect(root / "study.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_source_records_1'"
        ).fetchone()
    connection.close()
    with (root / "study.db").open("r+b") as file:
        file.seek(page * 4096 - 300)  # cells fill a page from its end
        file.write(b"\x55" * 300)


def touch(name: str, text: str = "x"):
    def damage(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return damage


def unlink(name: str):
    return lambda root: (root / name).unlink()


def edit_settings(root: Path) -> None:
    path = root / "study.toml"
    path.write_text(path.read_text() + '\n[tsh_rations]\nbiomarker = "ratio"\n')


def withdrawn(root: Path) -> None:
    study = Study(root)
    withdraw(study, ANALYSES, "TCGA-TN-0003", reason="x", scope=WithdrawalScope.KEEP, redact=redact)
    study.engine.dispose()


def after(*steps):
    def damage(root: Path) -> None:
        for step in steps:
            step(root)

    return damage


RETURNED = "INSERT INTO patients (patient_id, collection) VALUES ('TCGA-TN-0003', 'tcga-tn')"
X = hashlib.sha256(b"x").hexdigest()
LEASE = "INSERT INTO leases VALUES ('cutoff', 'x', 1, 'elsewhere', '1:1', 0.0)"


def untrusted_code(root: Path) -> None:
    (root / "analyses").mkdir()
    (root / "analyses/of_somebody.py").write_text("1 / 0\n")


def left_behind(root: Path) -> None:
    """What a withdrawal would leave: a certificate that names a file, which still names the patient."""
    (root / "withdrawals").mkdir()
    (root / "notes.odt").write_text("TCGA-TN-0003 called")
    left = {"token": token_of(make_key(root), "TCGA-TN-0003"), "left_to_a_person": ["notes.odt"]}
    (root / "withdrawals/abc.json").write_text(json.dumps(left))


TURNED = """
[turned]
relation = "rank"
at_least = 0.5
[turned.derived]
sql = "SELECT patient_id, hash(patient_id) % 1000 AS value FROM patients"
[turned.measured]
sql = "SELECT patient_id, - age_years - hash(patient_id) % 1000 AS value FROM patients"
"""
DAMAGES = {
    "schema.unknown": sql("CREATE TABLE strange (x TEXT)"),
    "schema.indexes": sql("CREATE UNIQUE INDEX one_sex ON patients (sex, patient_id)"),
    "database.code": sql("CREATE TRIGGER evil AFTER INSERT ON patients BEGIN UPDATE follow_ups SET duration_days = 1; END"),
    "guest.absent": sql(
        "INSERT INTO guest_analyses VALUES ('gone', 'a-package', '1', 'map', 'patient', 'x_y', NULL, NULL, '{}', '', '')",
        "INSERT INTO units (unit_id, analysis, key, state, updated_at) VALUES (999999, 'gone', 'x', 'current', '')",
    ),
    "guest.untrusted": untrusted_code,
    "withdrawal.left": left_behind,
    "database.bytes": end_bytes,
    "schema.tables": sql("ALTER TABLE patients ADD COLUMN shoe_size TEXT"),
    "database.foreign-keys": sql("UPDATE samples SET patient_id = 'TCGA-TN-9999' WHERE sample_id LIKE '%0003-01A'"),
    "settings.readable": edit_settings,
    "object.missing": lambda root: the_part(root).unlink(),
    "object.size": lambda root: the_part(root).write_bytes(the_part(root).read_bytes() + b"x"),
    "object.bytes": flip_byte,
    "object.extra": touch(f"objects/{X[:2]}/{X}.parquet"),
    "object.foreign": touch("objects/ab/abcd.parquet"),
    "object.digest": sql("INSERT INTO expression_parts VALUES ('../feed', 1, 1, 1)"),
    "spec.taken-over": sql(
        "UPDATE specs SET taken_over = '2026-11-01T00:00:00Z'",
        "UPDATE units SET digest_taken_over = '2026-11-01T00:00:00Z' WHERE analysis = 'tsh_ratios'",
    ),
    "series.content": sql("DELETE FROM imaging_instances WHERE instance_number = 1"),
    "series.study": sql("UPDATE imaging_instances SET study_uid = 'x' WHERE instance_number = 1"),
    "image.missing": lambda root: next((root / "raw").rglob("*.dcm")).unlink(),
    "image.two-patients": sql("UPDATE segmentations SET n_voxels = 50"),
    "image.bytes": lambda root: next((root / "raw").rglob("*.dcm")).write_bytes(b"x"),
    "mask.bytes": sql(
        f"UPDATE source_files SET sha256 = '{X}', path = 'raw/masks/' || name "  # its own copy: that of the template may be gone
        "WHERE reader = 'segmentation' AND name LIKE '%0003%'"
    ),
    "paths.clear": hashed,
    "paths.texts": after(hashed, sql("UPDATE ingest_runs SET command = 'tshdb ingest rna /home/someone/rna.csv'")),
    "paths.mixed": sql(f"UPDATE source_files SET path = '{TOKEN}'"),
    "paths.places": after(hashed, sql(f"UPDATE source_files SET path = '{TOKEN}'")),
    "part.unused": sql("INSERT INTO expression_parts VALUES ('" + 64 * "f" + "', 1, 1, 1)"),
    "part.profiles": sql("UPDATE expression_parts SET n_profiles = n_profiles + 1"),
    "profile.values": swap_values,
    "unit.fingerprint": sql("UPDATE units SET fingerprint = NULL WHERE analysis = 'tsh_ratios' AND key LIKE '%0003'"),
    "history.causes": sql("DELETE FROM cause_sets WHERE cause_set = (SELECT max(cause_set) FROM attempts)"),
    "unit.message": sql("UPDATE units SET state = 'failed', fingerprint = NULL WHERE analysis = 'cutoff' AND key LIKE '%@1'"),
    "unit.made-by": sql("UPDATE units SET run_id = NULL WHERE analysis = 'cutoff' AND key LIKE '%@1'"),
    "unit.inputs": sql(
        "DELETE FROM unit_inputs WHERE unit_id = (SELECT unit_id FROM units WHERE analysis = 'cutoff' AND key LIKE '%@1')"
    ),
    "unit.rows": sql("UPDATE cox_terms SET p_value = 0.0001 WHERE model = 'univariable' AND term = 'T cells'"),
    "result.label": sql("UPDATE cox_terms SET is_optimistic = 1, is_in_sample = 1"),
    "ingested.rows": sql("UPDATE follow_ups SET duration_days = duration_days + 1 WHERE patient_id LIKE '%0003'"),
    "ingested.added": sql("INSERT INTO patients (patient_id, collection) VALUES ('TCGA-TN-9998', 'tcga-tn')"),
    "ingested.chosen": sql("UPDATE expression_profiles SET is_selected = NOT is_selected WHERE sample_id LIKE '%0003-01A'"),
    "payload.orphan": sql(
        "UPDATE units SET state = 'retired', fingerprint = NULL WHERE analysis = 'tsh_ratios' AND key LIKE '%0003'"
    ),
    "model.training-set": sql("UPDATE units SET key = 'somebody@7' WHERE analysis = 'cutoff' AND key LIKE '%@1'"),
    "unit.cohort": sql("UPDATE units SET fingerprint = 'beef' WHERE analysis = 'cohort' AND key LIKE '%@1'"),
    "lease.orphan": sql(LEASE),
    "run.dead": sql("UPDATE runs SET state = 'running', ended_at = NULL, process = '999999:1'"),
    "record.missing": sql("DELETE FROM source_records WHERE row_key = 'TCGA-TN-0003' AND table_name = 'patients'"),
    "record.orphan": sql("UPDATE source_records SET row_key = 'TCGA-TN-9999' WHERE row_key = 'TCGA-TN-0003|OS'"),
    "record.file": sql("UPDATE source_files SET is_current = 0 WHERE reader = 'rna'"),
    "source.current": sql(
        "INSERT INTO source_files SELECT 99, collection, reader, name, path, sha256, size_bytes, options, 1, ingest_run_id, "
        "md5, archive_id, mtime_ns, ctime_ns, inode FROM source_files WHERE reader = 'rna'"
    ),
    "reader.absent": sql("UPDATE source_files SET reader = 'registry' WHERE reader = 'features'"),
    "history.chain": sql("UPDATE change_log SET changes = '{}x' WHERE change_id = 5"),
    "spec.code": sql("UPDATE specs SET sources = replace(sources, 'return', 'return 1 +') WHERE analysis = 'tsh_ratios'"),
    "spec.parameters": sql("UPDATE specs SET params = replace(params, 'ratio', 'difference') WHERE analysis = 'tsh_ratios'"),
    "cohort.members": sql("DELETE FROM cohort_members WHERE patient_id = 'TCGA-TN-0003' AND cohort LIKE 'tumor%'"),
    "cohort.strangers": sql("UPDATE cohort_members SET patient_id = 'TCGA-TN-9999' WHERE patient_id = 'TCGA-TN-0003'"),
    "cohort.flow": sql("UPDATE cohort_flow SET n_out = n_out - 1 WHERE step = 3"),
    "cohort.frozen": sql("UPDATE cohorts SET mode = 'frozen' WHERE cohort = 'everyone'"),
    "cohort.definition": sql("UPDATE cohorts SET sql_text = 'SELECT patient_id FROM nowhere' WHERE cohort = 'everyone'"),
    "file.half-written": touch("raw/.clinical.tsv.redacted"),
    "words.closed": sql("UPDATE patients SET sex = 'Female' WHERE patient_id LIKE '%0003'"),
    "ingest.left-out": sql(
        "INSERT INTO ingest_issues (ingest_issue_id, ingest_run_id, path, value, rule, severity, message) "
        "SELECT 9999, ingest_run_id, path, 'X', 'word.unknown', 'warning', 'm' FROM source_files WHERE reader = 'rna'"
    ),
    "sources.undecided": sql(
        "INSERT INTO conflicts (table_name, row_key, column_name, other_source, held_source, other_value, rule) "
        "VALUES ('patients', 'TCGA-TN-0003', 'age_years', 'c/clinical/a.tsv', '', '60', 'undecided')"
    ),
    "truth.disagrees": touch("truths.toml", TURNED),
    "truth.unreadable": touch("truths.toml", TURNED.replace("- age_years", "- age")),
    "withdrawal.pending": after(withdrawn, sql("UPDATE tombstones SET pending = '{}'")),
    "withdrawal.key": after(withdrawn, unlink(".withdrawal-key")),
    "withdrawal.returned": after(withdrawn, sql(RETURNED)),
}  # fmt: skip


def test_every_rule_has_a_damage(study):
    broken(study)
    assert set(DAMAGES) == set(RULES)
    for rule in RULES.values():
        assert rule.meaning and rule.repair and not rule.meaning.endswith(".")


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_damage_is_found(study, name):
    study.engine.dispose()
    DAMAGES[name](study.root)
    found = broken(study)
    assert name in found, found
    assert all(p.where and p.found for p in found[name])


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.long) for n in range(2, 6))])
def test_no_alarm_on_whole_studies(tmp_path, seed):
    """After random histories of ingests, corrections, freezes, rebuilds and withdrawals."""
    luck = random.Random(seed)
    study = tiny.new_study(tmp_path / "study")
    archive = tiny.TinyArchive.make(8)
    tiny.ingest(study, archive)
    assert broken(study) == {}
    tiny.define_cohorts(study)
    tiny.freeze(study)
    for step in range(6):
        what = luck.choice(["arrive", "correct", "freeze", "rebuild", "refit", "leave", "withdraw"])
        if what == "arrive":
            archive.add(20 + step, paired=luck.random() < 0.7)
            tiny.ingest(study, archive)
        elif what == "correct":
            archive.set_value(luck.choice(sorted(archive.patients)), "tumor", "GNLY", luck.uniform(1, 500))
            tiny.ingest(study, archive)
        elif what == "leave" and len(archive.patients) > 5:
            del archive.patients[luck.choice(sorted(archive.patients))]
            tiny.ingest(study, archive)
        elif what == "withdraw" and len(archive.patients) > 5:
            who = luck.choice(sorted(archive.patients))
            del archive.patients[who]
            scope = luck.choice(list(WithdrawalScope))
            withdraw(Study(study.root), ANALYSES, who, reason="x", scope=scope, redact=redact)
        elif what == "freeze":
            tiny.freeze(study)
        elif what in ("rebuild", "refit"):
            tiny.rebuild(study, refit=what == "refit")
        alarms = {n: p for n, p in broken(study).items() if n not in ("part.unused",)}
        assert alarms == {}, f"after {what}"
    study.engine.dispose()


@pytest.mark.parametrize(
    "name", ["object.extra", "part.unused", "payload.orphan", "lease.orphan", "run.dead", "file.half-written"]
)
def test_repair_mends_and_changes_no_good_row(quick, study, name):
    before = tiny.dump(study)
    study.engine.dispose()
    DAMAGES[name](study.root)
    said = json.loads(quick("check", "--repair", "--json", cwd=study.root, code=None).stdout)
    assert name in {m["rule"] for m in said["mended"]}
    assert name not in broken(study)
    if name != "payload.orphan":
        assert said["broken"] == [] and said["is_whole"]
        assert tiny.dump(Study(study.root)) == before


def test_repair_looks_again_before_it_removes(study):
    """What was found before the lock may be in order by now: a part that has its row is never unlinked."""
    fresh = Study(study.root)
    part = the_part(study.root)
    stale = [
        Broken(RULES[name], [Problem("here", "found", key)])
        for name, key in (("object.extra", str(part)), ("part.unused", part.stem))
    ]
    with writing(fresh.engine) as connection:
        assert mend(Context(fresh, connection, ANALYSES), stale) == []
    fresh.engine.dispose()
    assert part.is_file() and broken(study) == {}


def test_the_command_says_what_is_wrong_and_how_to_mend_it(quick, study):
    assert "Everything holds" in quick("check", cwd=study.root).stdout
    assert "without --fast" in quick("check", "--fast", cwd=study.root).stdout
    study.engine.dispose()
    DAMAGES["unit.rows"](study.root)
    said = quick("check", cwd=study.root, code=5)
    assert "E unit.rows" in said.stdout and "rows of cox_terms are not those that were computed" in said.stdout
    assert "tshdb rebuild" in said.stderr
    assert "Everything that was looked at holds" in quick("check", "--fast", cwd=study.root).stdout
    DAMAGES["object.extra"](study.root)
    assert "W object.extra" in quick("check", "--fast", cwd=study.root).stdout, "a warning alone is no failure"


def test_check_on_postgresql(postgresql, tmp_path):
    study = tiny.new_study(tmp_path / "study", postgresql, analyses=tiny.CORE)
    tiny.ingest(study, tiny.TinyArchive.make(6))
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study, tiny.CORE)
    with reading(study.engine) as connection:
        assert check(Context(study, connection, tiny.CORE), full=True) == []
    before = tiny.dump(study)
    with writing(study.engine) as connection:  # there are no table versions here: check alone sees what others edit
        connection.exec_driver_sql("UPDATE cutoffs SET n_high = n_high + 1")
        connection.exec_driver_sql("DELETE FROM tsh_ratios WHERE patient_id = 'TCGA-TN-0001'")
    assert tiny.due(study, tiny.CORE) == {}
    with writing(study.engine) as connection:
        context = Context(study, connection, tiny.CORE)
        (marked,) = mend(context, check(context, full=True))
    assert marked.rule.name == "unit.rows" and len(marked.problems) == 2
    assert tiny.due(study, tiny.CORE, certain_only=True).keys() == {"cutoff", "tsh_ratios"}
    tiny.rebuild(study, tiny.CORE)
    assert tiny.dump(study) == before and tiny.due(study, tiny.CORE) == {}
    study.engine.dispose()
