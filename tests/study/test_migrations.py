"""Migrated schema = models, on SQLite and PostgreSQL; upgrades keep data; a newer database is refused."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

import migrations
from tests.support import tiny
from tshdb import database
from tshdb.database import create, reading, writing
from tshdb.errors import InvalidInput
from tshdb.schema import Base, FollowUp, Sample
from tshdb.study import Study, absolute_url, revision_of


def described(engine) -> dict:
    """Everything that inspect() says of the tables, but for Alembic's own."""
    with reading(engine) as connection:
        inspector = inspect(connection)
        found = {}
        for table in sorted(inspector.get_table_names()):
            if table == "alembic_version":
                continue
            columns = sorted(
                (c["name"], str(c["type"]), c["nullable"], str(c.get("default"))) for c in inspector.get_columns(table)
            )
            found[table] = {
                "columns": columns,
                "primary key": inspector.get_pk_constraint(table),
                "foreign keys": sorted(map(str, inspector.get_foreign_keys(table))),
                "unique": sorted(map(str, inspector.get_unique_constraints(table))),
                "checks": sorted(map(str, inspector.get_check_constraints(table))),
                "indexes": sorted(str(i | {"dialect_options": _texts(i)}) for i in inspector.get_indexes(table)),
            }
        return found


def _texts(index: dict) -> dict[str, str]:
    """The options of an index, the condition of a partial one as its text."""
    return {name: str(value) for name, value in index.get("dialect_options", {}).items()}


def test_migrated_schema_is_the_models(any_database, tmp_path):
    engine = create(absolute_url(tmp_path, any_database))
    migrations.upgrade(engine)
    migrated = described(engine)
    migrations.downgrade(engine, "base")
    assert described(engine) == {}
    (partial,) = (i for i in Base.metadata.tables["units"].indexes if i.name == "ix_units_damage")
    partial.dialect_kwargs["postgresql_where"] = text("damage IS NOT NULL")  # which no command needs to know
    with writing(engine) as connection:
        Base.metadata.create_all(connection)
    assert migrated == described(engine)
    assert set(migrated) == set(Base.metadata.tables)
    engine.dispose()


def test_the_program_knows_its_revision():
    assert migrations.head() == database.REVISION


def test_foreign_keys_and_checks_hold(any_database, tmp_path):
    engine = create(absolute_url(tmp_path, any_database))
    migrations.upgrade(engine)
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(Sample.__table__.insert().values(sample_id="s", patient_id="nobody", compartment="tumor"))
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.exec_driver_sql("INSERT INTO patients (patient_id, collection) VALUES ('p', 'c')")
        connection.exec_driver_sql(
            "INSERT INTO follow_ups (patient_id, endpoint, duration_days, time_origin, rule) "
            "VALUES ('p', 'OS', -1, 'diagnosis', 'r')"
        )
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.exec_driver_sql(
            "INSERT INTO follow_ups (patient_id, endpoint, time_origin, rule) VALUES ('p', 'PFS', 'x', 'r')"
        )
    assert FollowUp.__tablename__ in described(engine)
    engine.dispose()


def test_a_newer_database_is_refused_untouched(study, quick):
    path = study.sqlite_path
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        before = list(raw.iterdump())
    with pytest.raises(InvalidInput, match="revision 9999"):
        _ = Study(study.root).engine
    for command in (("status",), ("plan",), ("migrate",)):
        completed = quick(*command, cwd=study.root, code=7)
        assert "revision 9999" in completed.stderr and "Install a newer tshdb" in completed.stderr
    with sqlite3.connect(path) as raw:
        assert list(raw.iterdump()) == before
    raw.close()


def test_migrate_makes_a_verified_backup_first(study, quick, tmp_path):
    with sqlite3.connect(study.sqlite_path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0000'")
    backup = migrations.backup_sqlite(study.sqlite_path)
    with sqlite3.connect(backup) as raw:
        assert raw.execute("SELECT count(*) FROM patients").fetchone() == (10,)
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    completed = quick("status", cwd=study.root, code=7)
    assert "Run: tshdb migrate" in completed.stderr


def test_a_table_that_another_hand_has_changed_stays_known_as_such(tmp_path):
    """Whatever revisions do to it: what is looked at hangs on it."""
    engine = create(f"sqlite:///{tmp_path}/x.db")
    migrations.upgrade(engine, "0015")
    others = "UPDATE table_versions SET version = 1, written = 2 WHERE table_name IN {}"
    touched = (
        "source_records", "feature_sets", "prepared_images", "imaging_instances", "lesion_features", "cox_terms",
        "logrank_tests", "model_performance", "network_parameters", "signature_fold_scores", "imaging_series", "lesions",
    )  # fmt: skip

    def changed() -> set[str]:
        with reading(engine) as connection:
            return set(database.changed_by_others(connection))

    with sqlite3.connect(tmp_path / "x.db") as raw:
        raw.execute(others.format(touched))
    raw.close()
    there = changed()
    assert len(there) >= len(touched) - 2
    migrations.upgrade(engine)
    assert changed() == there
    migrations.downgrade(engine, "0029")
    assert changed() == there
    engine.dispose()


def test_revision_of_an_empty_database(tmp_path):
    engine = create(f"sqlite:///{tmp_path}/x.db")
    assert revision_of(engine) is None
    engine.dispose()


def test_the_main_job_is_the_same_on_postgresql(postgresql, tmp_path, template):
    """Ingest, freeze, rebuild, a correction: the same tables as on SQLite, to the last bit."""
    study = tiny.new_study(tmp_path / "pg", postgresql)
    archive = tiny.TinyArchive.make(10)
    tiny.ingest(study, archive)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study)
    assert tiny.dump(study) == tiny.dump(Study(template))
    other = tiny.copy_study(Study(template), tmp_path / "lite")
    archive.set_value("TCGA-TN-0003", "tumor", "GNLY", 4321.5)
    archive.add(77)
    for each in (study, other):
        tiny.ingest(each, archive)
    assert tiny.due(study) == tiny.due(other) != {}
    for each in (study, other):
        tiny.rebuild(each)
    assert tiny.dump(study) == tiny.dump(other)
    assert tiny.due(study) == {}
    answer = study.sql("SELECT count(*) AS n, avg(value) AS mean FROM tsh_ratios")
    assert answer.equals(other.sql("SELECT count(*) AS n, avg(value) AS mean FROM tsh_ratios"))
    study.engine.dispose()


def test_0002_keeps_what_stood_and_goes_back(any_database, tmp_path):
    """A database of 0001 with rows in the tables that 0002 widens: the same rows after up, down and up again."""
    engine = create(absolute_url(tmp_path, any_database))
    migrations.upgrade(engine, "0001")
    rows = {
        "patients": "INSERT INTO patients (patient_id, collection, er_status) VALUES ('P1', 'c', 'positive')",
        "samples": "INSERT INTO samples (sample_id, patient_id, compartment) VALUES ('S1', 'P1', 'tumor')",
        "genes": "INSERT INTO genes (gene_id, id_type) VALUES ('GNLY', 'symbol')",
    }
    with writing(engine) as connection:
        for statement in rows.values():
            connection.exec_driver_sql(statement)

    def content() -> dict[str, list]:
        with reading(engine) as connection:
            return {
                t: [tuple(v for v in row if v is not None) for row in connection.exec_driver_sql(f"SELECT * FROM {t}")]
                for t in rows
            }

    before = content()
    for step in (lambda: migrations.upgrade(engine), lambda: migrations.downgrade(engine, "0001"),
                 lambda: migrations.upgrade(engine)):  # fmt: skip
        step()
        assert content() == before
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.exec_driver_sql(
            "INSERT INTO annotations (annotation_id, collection, patient_id, entity_type, entity_id, category, effect, rule) "
            "VALUES ('a', 'c', 'P1', 'case', 'P1', 'x', 'perhaps', 'r')"
        )
    engine.dispose()


def test_an_older_study_is_migrated_by_the_command(tmp_path, quick):
    from tshdb.actions.making import make_study

    study = make_study(tmp_path / "s", "sqlite:///study.db", "fan2023")
    engine = create(study.database_url)
    migrations.downgrade(engine, "0001")
    engine.dispose()
    assert "Run: tshdb migrate" in quick("status", cwd=study.root, code=7).stderr
    said = quick("migrate", cwd=study.root).stderr
    assert "Backup:" in said and f"Migrated from 0001 to {database.REVISION}" in said
    assert len(list(study.root.glob("study.backup-*.db"))) == 1
    quick("status", cwd=study.root)
