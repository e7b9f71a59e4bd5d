"""What is lost or edited by another hand is due, named by `tshdb check`, and made or read again as it was.

A part of the sweep that `make soak PART=lost` runs over every table and column, and what it cannot show: readers that fail
alone, what cannot be made again, what a plan looks at.
"""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from random import Random

import pytest
from sqlalchemy import MetaData, Table

from analyses import ANALYSES
from ingest.expression import rna
from ingest.gdc import clinical as gdc_clinical
from ingest.redact import redact
from soak.lost import (
    TABLES,
    Damage,
    advised,
    damages,
    harm,
    healed_by_advice,
    objects_named,
    rows_of,
)
from tests.support import tiny
from tshdb import loading
from tshdb.database import changed_by_others, create, reading, writing
from tshdb.stored_rows import EMPTY, digest_of, stored_digests
from tshdb.study import Study, absolute_url
from tshdb.vocabulary import ExpressionUnit, Scale, WithdrawalScope
from tshdb.withdrawal.withdraw import withdraw

SEED = 20261129
SLICE = 3


def by_hand(study: Study, *statements: str) -> None:
    with sqlite3.connect(study.sqlite_path) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
    connection.close()


def reasons(study: Study) -> dict[str, str]:
    """unit -> reason, of what is certainly due."""
    plans = tiny.plan(study)
    return {f"{n}/{k}": d.reason.value for n, p in plans.items() for k, d in p.due.items() if not d.is_possible}


def changed(study: Study) -> set[str]:
    with reading(study.engine) as connection:
        return set(changed_by_others(connection))


# ------------------------------------------------------------------------------------------------------ the sweep's slice


def test_a_slice_of_the_sweep(study):
    """Some tables and columns, other ones for another seed, and every kind of object that a result names here."""
    before, luck = rows_of(study), Random(SEED)
    for damage in luck.sample(damages(study), SLICE):
        assert damage.apply(study, luck), damage
        assert healed_by_advice(study, before) is None, damage
    made = {kind: named for kind, named in objects_named(study).items() if kind.split(".")[0] in TABLES}
    assert set(made) == {
        "kinetic_maps.object_id", "lesions.object_id", "prepared_images.object_id", "signature_models.object_id",
        "tumor_masks.object_id",
    }  # fmt: skip
    for digest, suffix in made.values():
        harm(study, digest, suffix, luck.choice(["lost", "damaged"]))
    assert healed_by_advice(study, before) is None


def test_a_column_that_only_describes_is_in_the_second_digest(study):
    """cutoffs.p_permutation is in no first digest; lost rows and objects are due at the next plan, whatever was looked at."""
    before = rows_of(study)
    by_hand(
        study,
        "UPDATE cutoffs SET p_permutation = 0.5",
        "DELETE FROM tsh_ratios WHERE patient_id = 'TCGA-TN-0004'",
        "UPDATE cell_abundances SET abundance = abundance + 1 WHERE profile_id LIKE '%0005-01A%' AND population = 'T cells'",
        "INSERT INTO survival_groups (patient_id, population, unit, cutoff, unit_id) "
        "SELECT patient_id, 'more', unit, cutoff, unit_id FROM survival_groups WHERE patient_id = 'TCGA-TN-0006'",
    )
    digest, suffix = objects_named(study)["prepared_images.object_id"]
    harm(study, digest, suffix, "lost")
    due = reasons(study)
    assert due.pop(f"cutoff/{tiny.COHORT}@1") == "edited"
    assert due.pop("tsh_ratios/TCGA-TN-0004") == "lost"
    assert due.pop("survival_groups/TCGA-TN-0006") == "edited"
    (abundance,) = [name for name in due if name.startswith("cell_abundances")]
    assert "0005-01A" in abundance and due.pop(abundance) == "edited"
    assert due and set(due.values()) == {"lost"}, "whoever made an image of these bytes"
    assert {name.split("/")[0] for name in due} == {"prepared_images"}
    tiny.rebuild(study)
    assert rows_of(study) == before and reasons(study) == {}


def test_rows_that_no_unit_made_go(study):
    before = rows_of(study)
    by_hand(
        study,
        "INSERT INTO gene_filters (gene_id, cohort, absent_fraction, n_profiles, unit_id) VALUES ('x', 'y', 1, 1, 99999)",
        "INSERT INTO gene_filters (gene_id, cohort, absent_fraction, n_profiles, unit_id) "
        "SELECT 'x', 'y', 1, 1, unit_id FROM units WHERE analysis = 'ingest.patients' LIMIT 1",
    )
    problems, commands = advised(study)
    assert len(problems) == 2 + 1 and commands == ["tshdb check --repair"]  # a foreign key leads nowhere, too
    tiny.rebuild(study)
    assert rows_of(study) == before and advised(study) == ([], [])


# ------------------------------------------------------------------------------------------------------ what a plan looks at


def test_what_we_write_ourselves_is_never_looked_at_again(study, archive):
    """Ingests, rebuilds and withdrawals note the versions that they leave; another hand's stays until it was looked at."""
    assert changed(study) == set()
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 1.0)
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    withdraw(study, ANALYSES, "TCGA-TN-0003", reason="x", scope=WithdrawalScope.KEEP, redact=redact)
    assert changed(study) == set()
    by_hand(study, "UPDATE km_points SET time_days = time_days + 1 WHERE time_days > 0")
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 2.0)
    del archive.patients["TCGA-TN-0003"]
    tiny.ingest(study, archive)
    assert changed(study) == {"km_points"}, "our own writing of other tables hides nothing"
    tiny.rebuild(study)
    assert changed(study) == set() and reasons(study) == {} and advised(study)[0] == []


def test_a_withdrawal_does_not_vouch_for_edited_rows(study):
    by_hand(
        study,
        "UPDATE network_parameters SET value = value + 1 WHERE unit_id = (SELECT max(unit_id) FROM network_parameters)",
    )
    withdraw(study, ANALYSES, "TCGA-TN-0003", reason="x", scope=WithdrawalScope.KEEP, redact=redact)
    assert any("network_parameters" in problem for problem in advised(study)[0])


# ------------------------------------------------------------------------------------------------------ readers fail alone


def test_a_reader_of_a_damaged_object_fails_alone_and_its_maker_is_due_next(study, archive, quick):
    """Three examinations in one batch: one prepared image has another byte. The others' breasts are looked for."""
    for number, patient in enumerate(("TCGA-TN-0000", "TCGA-TN-0003", "TCGA-TN-0007"), start=2):
        archive.change(patient, images=number)  # images of their own, each an object of its own
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    images = study.sql("SELECT study_uid, object_id FROM prepared_images WHERE image = 'S0' ORDER BY study_uid")
    assert images["object_id"].nunique() == 3
    image = images.to_dict("records")[-1]
    harm(study, image["object_id"], ".nrrd", "damaged")
    settings = study.root / "study.toml"
    text = settings.read_text()
    assert text.count("skin_mm = 3.0") == 1
    settings.write_text(text.replace("skin_mm = 3.0", "skin_mm = 2.5"))
    said = quick("rebuild", "breast_masks", cwd=study.root, code=3).stdout
    assert f"failed breast_masks/{image['study_uid']}: objects/" in said
    assert f"prepared_images/{image['study_uid']} made it" in said and "tshdb rebuild" in said
    states = study.sql(
        "SELECT state, count(*) AS n FROM units WHERE analysis = 'breast_masks' GROUP BY ALL ORDER BY ALL"
    )
    assert dict(zip(states["state"], states["n"], strict=True)) == {"current": 2, "failed": 1}
    assert "1 units of prepared_images are damaged" in quick("status", cwd=study.root).stdout
    due = reasons(study)
    assert due[f"prepared_images/{image['study_uid']}"] == "damaged"
    assert due[f"breast_masks/{image['study_uid']}"] == "failed"
    quick("rebuild", cwd=study.root)
    assert reasons(study) == {} and advised(study)[0] == []


# ------------------------------------------------------------------------------------------------------ never silently


def test_an_older_version_and_a_fit_of_corrected_data_are_named_not_made(study, archive, quick):
    """What would become another result is held, in plan, why, rebuild and check, with what helps; --refit makes it."""
    archive.set_value("TCGA-TN-0002", "tumor", "GNLY", 4321.0)
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    assert tiny.plan(study)["cutoff"].flagged
    by_hand(study, "DELETE FROM cutoffs")
    (held,) = tiny.plan(study)["cutoff"].held.values()
    assert held.reason == "lost" and "rebuild --refit" in held.detail and "members changed since" in held.detail
    name = f"cutoff/{tiny.COHORT}@1"
    assert f"{name} is not made again" in quick("plan", cwd=study.root).stdout
    assert f"{name} is not made again" in quick("rebuild", cwd=study.root).stdout
    assert json.loads(quick("why", name, "--json", cwd=study.root).stdout)["state"] == "held"
    assert not len(study.sql("SELECT * FROM cutoffs"))
    problems, commands = advised(study)
    assert [p for p in problems if name in p] and "tshdb rebuild --refit" in commands
    quick("rebuild", "--refit", cwd=study.root)
    assert len(study.sql("SELECT * FROM cutoffs")) == 1 and advised(study)[0] == []

    tiny.ingest(study, archive)
    archive.add(30)
    tiny.ingest(study, archive)
    tiny.freeze(study)
    tiny.rebuild(study)
    by_hand(study, f"DELETE FROM cutoffs WHERE unit_id IN (SELECT unit_id FROM units WHERE key = '{tiny.COHORT}@1')")
    (held,) = tiny.plan(study)["cutoff"].held.values()
    assert held.key == f"{tiny.COHORT}@1" and "Restore a backup" in held.detail
    tiny.rebuild(study)
    assert len(study.sql("SELECT * FROM cutoffs")) == 1, "of the newer version alone"
    assert reasons(study) == {}


def test_a_fit_with_a_withdrawn_patient_is_not_made_again_without(study):
    withdraw(study, ANALYSES, "TCGA-TN-0003", reason="x", scope=WithdrawalScope.KEEP, redact=redact)
    tiny.rebuild(study)
    assert advised(study)[0] == []
    by_hand(study, "UPDATE cutoffs SET n_high = n_high + 1")
    (held,) = tiny.plan(study)["cutoff"].held.values()
    assert "a patient was withdrawn since" in held.detail
    tiny.rebuild(study)
    assert tiny.plan(study)["cutoff"].held, "marked, and still not made again"
    by_hand(study, "UPDATE cutoffs SET n_high = n_high - 1")  # as a backup has it
    tiny.rebuild(study)
    assert not tiny.plan(study)["cutoff"].held and advised(study)[0] == []


# ------------------------------------------------------------------------------------------------------ sources


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Study:
    """Two patients, a matrix of two sources that share no part, masks: read by commands, nothing computed."""
    from tests.support.program import run_quick

    study = tiny.new_study(tmp_path_factory.mktemp("sources") / "study")
    study.engine.dispose()
    raw, to = study.root / "raw", ("--collection", "tcga-tn")
    for n, sub in ((3, "a"), (5, "b")):
        archive = tiny.TinyArchive.make(n)
        matrix, clinical = archive.write(raw / sub)
        run_quick("ingest", "clinical", clinical, *to, "--name", sub, cwd=study.root)
        run_quick("ingest", "rna", matrix, *to, "--unit", "rsem", "--scale", "linear", "--name", sub, cwd=study.root)
    archive.write_images(raw / "images")
    archive.write_masks(raw / "masks")
    run_quick("ingest", "dicom", raw / "images", *to, "--jobs", "1", cwd=study.root)
    run_quick("ingest", "segmentation", raw / "masks", *to, "--kind", "expert", cwd=study.root)
    return Study(study.root)


@pytest.mark.parametrize("how", ["lost", "damaged"])
def test_a_source_is_read_again_by_the_command_that_check_names(sources, tmp_path, how):
    study = tiny.copy_study(sources, tmp_path / "study")

    def facts() -> tuple:
        values = study.sql("SELECT profile_id, gene, value FROM expression ORDER BY ALL").values.tolist()
        return values, study.sql("SELECT key, fingerprint FROM units ORDER BY ALL").values.tolist()

    before = facts()
    names = study.objects.names()
    assert sum(name.endswith(".parquet") for name in names) == 2 and len(names) >= 3
    for name in names:
        harm(study, *name.split(".")[:1], f".{name.split('.')[1]}", how)
    assert healed_by_advice(study, rows_of(study) | {"objects": sorted(names)}) is None
    assert facts() == before and True


def test_an_ingest_finds_damaged_bytes_by_itself_and_readers_of_the_other_part_go_on(sources, tmp_path, quick):
    """Sixteen profiles in one batch, six of them in a part with another byte: these fail, each by itself."""
    study = tiny.copy_study(sources, tmp_path / "study")
    query = "SELECT part_id, count(*) AS n FROM expression_profiles GROUP BY ALL ORDER BY n"
    (small, n), (_, others) = study.sql(query).itertuples(index=False)
    harm(study, small, ".parquet", "damaged")
    report = tiny.rebuild(study, names=["cell_abundances"])
    assert report.computed["cell_abundances"] == others and len(report.failed["cell_abundances"]) == n
    (message,) = set(report.failed["cell_abundances"].values())
    command = re.search(r"Ingest that again: (tshdb .*)", message)[1]
    assert "bytes have changed" in message and "came from tcga-tn/rna/a" in message
    quick(*shlex.split(command)[1:], cwd=study.root)
    assert advised(study)[0] == [] and set(reasons(study).values()) == {"failed", "new"}
    assert not tiny.rebuild(study, names=["cell_abundances"]).failed


def test_a_part_that_holds_others_profiles_is_written_by_both_sources(tmp_path):
    """Profiles of two sources in one part: the one that is read first takes its own out, the other follows."""
    study = tiny.new_study(tmp_path / "study")
    files = {name: tiny.TinyArchive.make(n).write(tmp_path / name) for name, n in (("a", 2), ("b", 3))}

    def items(*names: str) -> list[loading.Item]:
        found = []
        for name in names:
            path = files[name][0]
            options = rna.MatrixOptions("tcga-tn", ExpressionUnit.RSEM, Scale.LINEAR, name)
            source = loading.Source("tcga-tn", "rna", name)
            found.append(loading.item_of(study, source, path, {}, lambda path=path, own=options: rna.read(path, own)))
        return found

    for name in files:
        item = loading.item_of(
            study, loading.Source("tcga-tn", "clinical", name), files[name][1], {},
            lambda path=files[name][1]: gdc_clinical.read(path, "tcga-tn"),
        )  # fmt: skip
        loading.load(study, [item], command="test")
    loading.load(study, items("a", "b"), command="test")
    values = "SELECT profile_id, gene, value FROM expression ORDER BY ALL"
    before = study.sql(values)
    (part,) = study.sql("SELECT part_id FROM expression_parts")["part_id"]
    harm(study, part, ".parquet", "lost")
    loading.load(study, items("a"), command="test")
    assert len(study.sql("SELECT * FROM expression_parts")) == 2 and part in " ".join(advised(study)[0])
    loading.load(study, items("a", "b"), command="test")
    assert advised(study)[0] == [] and study.sql(values).equals(before)
    assert len(study.sql("SELECT * FROM expression_parts")) == 2 and all(i.content is None for i in items("a", "b"))
    study.engine.dispose()


# ------------------------------------------------------------------------------------------------------ the digest


def test_the_second_digest_is_the_same_on_both_databases(any_database, tmp_path):
    """And after migration 0010, which takes it over from rows of 0009, with the date; `downgrade` takes it away."""
    import migrations

    engine = create(absolute_url(tmp_path, any_database))
    migrations.upgrade(engine, "0009")
    row = {
        "model": 'a "q" ä',
        "endpoint": "OS",
        "c_index": -0.0,
        "ci_lower": 0.1,
        "ci_upper": 1e300,
        "is_optimistic": True,
    }
    with reading(engine) as connection:
        table = Table("concordances", MetaData(), autoload_with=connection, resolve_fks=False)  # as it was in 0009
    full = {c.name: row.get(c.name, None if c.nullable else _filler(c)) for c in table.columns} | {"unit_id": 1}
    with writing(engine) as connection:
        connection.exec_driver_sql(
            "INSERT INTO specs (spec_id, analysis, code_fingerprint, params_fingerprint, libraries_fingerprint, sources, params, "
            "python_version, created_at) VALUES (1, 'concordances', 'c', 'p', 'l', '{}', '{}', '3.11', 'now')"
        )
        for unit, analysis, spec in ((1, "concordances", 1), (2, "concordances", 1), (3, "ingest.patients", "NULL")):
            connection.exec_driver_sql(
                "INSERT INTO units (unit_id, analysis, key, state, fingerprint, spec_id, updated_at) "
                f"VALUES ({unit}, '{analysis}', 'k{unit}', 'current', 'f', {spec}, 'now')"
            )
        connection.execute(table.insert(), [full])
    migrations.upgrade(engine, "0010")
    with reading(engine) as connection:
        rows = connection.exec_driver_sql(
            "SELECT rows_digest, digest_taken_over FROM units ORDER BY unit_id"
        ).fetchall()
        assert stored_digests(connection, table)[1].digest == rows[0][0]
        assert changed_by_others(connection) == {}
    assert rows[0][0] == digest_of(table, [full]) and rows[1][0] == EMPTY and rows[2][0] is None
    assert rows[0][0] == "f0776480d5cec5f06e522ea0fee6e4a0", (
        "another form of the digest would make every result of every study due"
    )
    assert rows[0][1].startswith("20") and rows[2][1] is None
    migrations.downgrade(engine, "0009")
    migrations.upgrade(engine, "0010")
    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT rows_digest FROM units WHERE unit_id = 1").scalar() == rows[0][0]
    engine.dispose()


def _filler(column):
    from sqlalchemy import Boolean, Enum, Integer

    if isinstance(column.type, Enum):
        return column.type.enums[0]
    return True if isinstance(column.type, Boolean) else 3 if isinstance(column.type, Integer) else "x"


def test_digests_that_were_taken_over_say_so(study, quick):
    import migrations

    newer = {  # tables that lose columns, or all
        "lesions", "lesion_features", "prepared_images", "feature_sets", "phase_motions", "kinetics", "kinetic_maps",
        "map_features", "lesion_bands", "cox_terms", "logrank_tests", "model_performance",
        "network_parameters", "wilcoxon_tests", "survival_quantiles", "schoenfeld_residuals", "cumulative_incidences",
        "gray_tests", "ladder_rungs", "control_features", "signature_labels", "signature_models", "signature_scores",
        "feature_tests",
    }  # fmt: skip
    analyses = ", ".join(f"'{a.name}'" for a in ANALYSES if a.makes.__tablename__ in newer)
    taken_over = f"SELECT unit_id, rows_digest FROM units WHERE analysis NOT IN ({analyses}) ORDER BY 1"
    before = study.sql(taken_over).values.tolist()
    migrations.downgrade(study.engine, "0009")
    migrations.upgrade(study.engine)
    study.engine.dispose()
    assert study.sql(taken_over).values.tolist() == before
    n = study.sql("SELECT count(*) AS n FROM units WHERE rows_digest IS NOT NULL")["n"][0]
    assert f"second digest of {n} results was taken over on 20" in quick("check", "--fast", cwd=study.root).stdout
    why = quick("why", "tsh_ratios/TCGA-TN-0004", cwd=study.root).stdout
    assert "its second digest was taken over on 20" in why and "from the rows as they stood" in why
    by_hand(study, "DELETE FROM tsh_ratios WHERE patient_id = 'TCGA-TN-0004'")
    tiny.rebuild(study)
    assert "taken over" not in quick("why", "tsh_ratios/TCGA-TN-0004", cwd=study.root).stdout


def test_every_damage_of_a_table_can_be_made(study):
    assert len({d.table for d in damages(study)}) >= 39
    assert Damage("cutoffs", "p_permutation") in damages(study)
