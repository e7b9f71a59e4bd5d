"""A patient withdraws: no byte is left, the rest stands, models are named, and nobody comes back by a later ingest."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Text, select, update

from analyses import ANALYSES
from ingest.redact import redact
from tests.support import tiny
from tests.support.program import ROOT
from tshdb.checking import Context, check
from tshdb.database import reading, writing
from tshdb.errors import NotFound
from tshdb.expression_store import profiles_in
from tshdb.process import in_child
from tshdb.schema import Base, CohortMember, ExpressionProfile, Patient, SourceFile, SourceRecord, Tombstone, Unit
from tshdb.study import Study
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal import footprint
from tshdb.withdrawal.certificate import verify
from tshdb.withdrawal.files import texts_in
from tshdb.withdrawal.identifiers import alias_of, identifiers
from tshdb.withdrawal.planning import preview
from tshdb.withdrawal.withdraw import withdraw

WHO = "TCGA-TN-0003"
CANARY = "canary-5d1f7e"


def gone(
    study: Study, who: str = WHO, scope: WithdrawalScope = WithdrawalScope.KEEP, reason: str = "consent withdrawn"
):
    return withdraw(study, ANALYSES, who, reason=reason, scope=scope, redact=redact)


def bytes_of(root: Path) -> dict[str, bytes]:
    """Everything below the study's folder, unpacked where it is packed; of parts also the profiles that they hold."""
    found = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        held = b"\0".join(
            [str(path.relative_to(root)).encode(), path.read_bytes(), *(text.encode() for text in texts_in(path))]
        )
        if path.suffix == ".parquet":
            held += "\0".join(profiles_in(path)).encode()
        found[str(path.relative_to(root))] = held
    return found


def files_with(root: Path, *needles: str) -> list[str]:
    return in_child(lambda: [n for n, held in bytes_of(root).items() if any(x.encode() in held for x in needles)])


def digests(root: Path) -> dict[str, str]:
    """Of every file but SQLite's own helpers."""
    return in_child(
        lambda: {
            n: hashlib.sha256(h).hexdigest() for n, h in bytes_of(root).items() if not n.endswith(("-shm", "-wal"))
        }
    )


DIGESTS = ("sha256", "file_sha256", "object_id")  # by which files are known
UNIQUE = ("sample_id", "study_uid", "series_uid", "profile_id", "table_name", "collection", "reader", "name")


def plant(study: Study, who: str) -> int:
    """Write the canary into every free text column of every row of the patient. Gives how many values that were."""
    planted = 0
    with writing(study.engine) as connection:
        names = identifiers(connection, who)
        for table in Base.metadata.sorted_tables:
            condition = footprint.rows_of(table, names)
            if condition is None:
                continue
            for column in table.columns:
                is_free = isinstance(column.type, Text) and not column.primary_key and not column.foreign_keys
                if is_free and column.name not in ("patient_id", "entity_key", "row_key", *UNIQUE, *DIGESTS):
                    text = json.dumps({"a": CANARY}) if column.name in ("changes", "row_values", "features") else CANARY
                    planted += connection.execute(update(table).where(condition).values({column.name: text})).rowcount
    return planted


# ------------------------------------------------------------------------------------------------ nothing is left


def test_7_no_byte_of_the_patient_is_left(study, archive, tmp_path):
    """In the database, its log, objects, raw files, reports and cohort files; not even in history and free pages."""
    archive.set_value(WHO, "tumor", "GNLY", 4321.5)  # history, and a part that no row names any more
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    (study.root / "reports").mkdir(exist_ok=True)
    (study.root / "reports" / "ingest-0001.html").write_text(f"<p>{WHO} {CANARY}</p>")
    (study.root / "cohorts" / "mine.sql").write_text(f"SELECT patient_id FROM patients WHERE patient_id <> '{WHO}'")
    with gzip.open(study.root / "raw" / "old.tsv.gz", "wt") as file:
        file.write(f"case\tnote\nTCGA-TN-0001\tfine\n{WHO}\t{CANARY}\n")
    (study.root / "raw" / "cases.json").write_text(json.dumps([{"id": "TCGA-TN-0001"}, {"id": WHO, "x": CANARY}]))
    assert plant(study, WHO) > 50
    before = files_with(study.root, WHO)
    assert {"study.db", "raw/clinical.tsv", "raw/expression.csv", "raw/old.tsv.gz"} <= set(before)
    assert sum(name.startswith("objects/") for name in before) >= 2
    path, said = gone(Study(study.root), reason=f"{WHO} withdrew by letter")
    assert files_with(study.root, WHO, CANARY) == [], "nothing names the patient or holds one of the values"
    assert said["left"] == [] and WHO not in path.read_text()
    assert all(v.holds for v in verify(Study(study.root), path))
    for name in ("raw/clinical.tsv", "raw/expression.csv"):  # the others are all there
        text = (study.root / name).read_text()
        assert all(f"TCGA-TN-{i:04d}" in text for i in range(10) if i != 3)
    assert gzip.decompress((study.root / "raw/old.tsv.gz").read_bytes()) == b"case\tnote\nTCGA-TN-0001\tfine\n"
    assert json.loads((study.root / "raw/cases.json").read_text()) == [{"id": "TCGA-TN-0001"}]


def test_what_another_program_has_left_in_free_pages_is_gone(core):
    """Whoever edits the database with another program overwrites nothing; its pages are free, and hold what stood there."""
    core.engine.dispose()
    with closing(sqlite3.connect(core.sqlite_path, isolation_level=None)) as raw:
        raw.execute("PRAGMA secure_delete = OFF")
        raw.execute("UPDATE patients SET race = ? WHERE patient_id = ?", (CANARY * 5_000, WHO))
        raw.execute("UPDATE patients SET race = NULL WHERE patient_id = ?", (WHO,))
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert files_with(core.root, CANARY) == ["study.db"]
    gone(Study(core.root))
    assert files_with(core.root, CANARY) == []


def test_no_row_is_left_on_postgresql(postgresql, tmp_path):
    study = tiny.new_study(tmp_path / "study", postgresql, analyses=tiny.CORE)
    tiny.ingest(study, tiny.TinyArchive.make(6))
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study, tiny.CORE)
    plant(study, WHO)
    path, said = gone(study, scope=WithdrawalScope.REFIT)
    with reading(study.engine) as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert WHO not in str(row) and CANARY not in str(row), table.name
    assert said["cohort_versions_without"] == [f"{tiny.COHORT}@2"]
    assert all(v.holds for v in verify(study, path))
    study.engine.dispose()


def test_a_preview_writes_nothing_and_says_what_will_be_done(quick, study):
    # whoever closes the database last moves its log into it: that shall not be the command
    with sqlite3.connect(study.root / "study.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = digests(study.root)
    said = json.loads(quick("withdraw", WHO, "--preview", "--json", cwd=study.root).stdout)
    assert digests(study.root) == before
    assert said["rows"]["patients"] == 1 and said["rows"]["expression_profiles"] == 2
    assert f"tsh_model/{tiny.COHORT}@1" in said["models"] and said["cohort_versions"]
    _, done = gone(Study(study.root))
    assert done["rows_erased"]["patients"] == 1
    assert done["models_that_learned_from_the_patient"] == said["models"]
    alias = alias_of(done["token"])
    wanted = sorted(said["files_written_again"] + said["files_erased"])
    assert sorted(f["path"] for f in done["files"]) == sorted(name.replace(WHO, alias) for name in wanted)
    assert sum(name.endswith(".dcm") for name in wanted) == 9


# ------------------------------------------------------------------------------------------------ the rest stands


def test_others_stand_and_every_row_still_leads_to_its_line(study, archive):
    (examination,) = study.sql(f"SELECT study_uid FROM imaging_studies WHERE patient_id = '{WHO}'")["study_uid"]

    def others() -> dict[str, list[str]]:
        found = tiny.dump(study)
        return {
            t: [line for line in rows if WHO not in line and examination not in line]
            for t, rows in found.items()
            if t not in ("units", "unit_inputs")
        }

    before = others()
    gone(study)
    after = tiny.dump(study)
    for table, lines in before.items():
        assert after[table] == lines, table
    assert tiny.due(study, certain_only=True).keys() <= {a.name for a in ANALYSES if a.over_cohort}
    clinical = (study.root / "raw/clinical.tsv").read_text().splitlines()
    header = (study.root / "raw/expression.csv").read_text().splitlines()[0].split(",")
    with reading(study.engine) as connection:
        for record in connection.execute(select(SourceRecord.__table__)):
            if record.reader == "clinical":
                assert record.row_key.partition("|")[0] in clinical[record.line - 1]
            elif record.table_name == "expression_profiles":
                assert header[record.column_number - 1] == record.row_key.partition(":")[0]
        query = select(SourceFile.path, SourceFile.sha256).where(SourceFile.reader.in_(["clinical", "rna"]))
        digests = dict(map(tuple, connection.execute(query)))
    from tshdb.objects import sha256_of

    assert {Path(p).name for p in digests} == {"clinical.tsv", "expression.csv"}
    assert all(sha256_of(study.root / "raw" / Path(path).name) == sha for path, sha in digests.items())
    del archive.patients[WHO]
    again = tiny.ingest(study, archive)  # images are read: the study is a copy, whose files are others
    assert not any(loaded.n(kind) for loaded in again for kind in ("inserted", "updated", "deleted")), (
        "the redacted files are read as what they are: known"
    )


def test_keep_flags_models_and_summaries_follow(study):
    gone(study, scope=WithdrawalScope.KEEP)
    plans = tiny.plan(study)
    flagged = {name for name, p in plans.items() if f"{tiny.COHORT}@1" in p.flagged}
    assert {"gene_filter", "cutoff", "tsh_model"} <= flagged
    assert f"{tiny.COHORT}@1" in plans["univariable_cox"].due
    tiny.rebuild(study)
    rows = study.sql("SELECT DISTINCT n FROM cox_terms WHERE model = 'univariable' AND cohort LIKE '%@1' AND n > 0")
    assert set(rows["n"]) <= set(range(10))
    assert tiny.due(study) == {}


def test_refit_makes_a_version_without_and_the_results_of_a_study_that_never_had_the_patient(study, archive, tmp_path):
    _, said = gone(study, scope=WithdrawalScope.REFIT)
    assert said["cohort_versions_without"] == [f"{tiny.COHORT}@2"]
    tiny.rebuild(study)
    with reading(study.engine) as connection:
        members = connection.execute(
            select(CohortMember.patient_id).where(CohortMember.cohort == tiny.COHORT, CohortMember.version == 2)
        ).scalars()
        assert sorted(members) == sorted(p for p in archive.patients if p != WHO)
    never = tiny.new_study(tmp_path / "never" / "study")
    del archive.patients[WHO]
    tiny.ingest(never, archive)
    tiny.define_cohorts(never)
    tiny.freeze(never)
    tiny.rebuild(never)
    ours, theirs = tiny.dump(study, superseded=False), tiny.dump(never)
    for table in (
        "cell_abundances",
        "tsh_ratios",
        "cox_terms",
        "cutoffs",
        "survival_groups",
        "model_terms",
        "tsh_scores",
    ):
        expected = [line.replace(f"{tiny.COHORT}@1", f"{tiny.COHORT}@2") for line in theirs[table]]
        assert [line for line in ours[table] if "withdrawn" not in line] == sorted(expected), table
    never.engine.dispose()


def test_a_version_older_than_the_record_of_steps_gets_no_flow(study):
    with writing(study.engine) as connection:
        for table in ("cohort_exclusions", "cohort_flow"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    gone(study, scope=WithdrawalScope.REFIT)
    assert len(study.sql("FROM cohort_flow")) == 0 and len(study.cohort(tiny.COHORT).members) == 9
    with reading(study.engine) as connection:
        broken = check(Context(study, connection, ANALYSES), full=False)
    assert {b.rule.name for b in broken} <= {"withdrawal.left"}, "the images of the study that this one is a copy of"


def test_revoke_erases_the_models(study):
    _, said = gone(study, scope=WithdrawalScope.REVOKE)
    assert f"tsh_model/{tiny.COHORT}@1" in said["models_revoked"]
    with reading(study.engine) as connection:
        states = connection.execute(
            select(Unit.state).where(Unit.analysis == "tsh_model", Unit.key == f"{tiny.COHORT}@1")
        ).scalars()
        assert set(states) == {"retired"}
    assert len(study.sql("SELECT * FROM model_terms")) == 0
    tiny.rebuild(study)
    assert set(study.sql("SELECT DISTINCT cohort FROM model_terms")["cohort"]) == {f"{tiny.COHORT}@2"}
    assert tiny.due(study) == {}


# ------------------------------------------------------------------------------------------------ nobody comes back


def test_a_later_ingest_withholds_the_patient_until_readmitted(quick, study, archive):
    path, _ = gone(study)
    archive.add(30)
    loaded = tiny.ingest(Study(study.root), archive)
    assert sum(x.n_withheld for x in loaded) > 0
    assert {f.rule for x in loaded for f in x.findings} == {"patient.withdrawn"}
    with reading(study.engine) as connection:
        patients = set(connection.execute(select(Patient.patient_id)).scalars())
        assert WHO not in patients and "TCGA-TN-0030" in patients
        profiles = connection.execute(select(ExpressionProfile.profile_id)).scalars().all()
        assert not [p for p in profiles if p.startswith(WHO)] and len(profiles) == 20
    (study.root / "raw/clinical.tsv").unlink()
    (study.root / "raw/expression.csv").unlink()
    (study.root / "raw/features.csv").unlink()
    shutil.rmtree(study.root / "raw/images" / WHO)
    (study.root / "raw/masks" / f"{WHO}.nrrd").unlink()
    assert all(v.holds for v in verify(Study(study.root), path))
    quick("withdraw", WHO, "--readmit", "--reason", "consented again", cwd=study.root)
    archive.add(31)
    tiny.ingest(Study(study.root), archive)
    with reading(study.engine) as connection:
        assert WHO in set(connection.execute(select(Patient.patient_id)).scalars())
    failed = quick("withdraw", "--verify", path, cwd=study.root, code=5).stdout
    assert "NO   the patient was not readmitted" in failed and "NO   no row names the patient" in failed
    _, said = gone(Study(study.root), reason="and again withdrawn")
    assert said["left"] == [] and files_with(study.root, WHO) == []


def test_the_key_is_outside_the_database_and_its_loss_is_said(study, archive):
    gone(study)
    key = study.root / ".withdrawal-key"
    assert oct(key.stat().st_mode & 0o777) == "0o600" and len(key.read_text()) == 64
    assert key.read_text().encode() not in (study.root / "study.db").read_bytes()
    key.rename(study.root.parent / "elsewhere")
    archive.add(30)
    with pytest.raises(Exception, match="the key that recognises them is gone"):
        tiny.ingest(Study(study.root), archive)


def test_a_certificate_that_was_edited_is_found_out(quick, study):
    path, _ = gone(study)
    path.write_text(path.read_text().replace('"keep"', '"revoke"'))
    said = quick("withdraw", "--verify", path, cwd=study.root, code=5).stdout
    assert "NO   the certificate is as it was written" in said


# ------------------------------------------------------------------------------------------------ cut short, refused


@pytest.mark.parametrize(
    "point",
    [
        "withdraw.prepared",
        "withdraw.before_commit",
        "withdraw.committed",
        "withdraw.file_done",
        "withdraw.objects_done",
    ],
)
def test_11_killed_anywhere_it_is_done_by_the_next_try(study, point):
    before = tiny.dump(study)
    command = [sys.executable, "-m", "cli.main", "withdraw", WHO, "--reason", "consent withdrawn"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    died = subprocess.run(command, cwd=study.root, env={**environment, "TSHDB_FAILPOINT": point}, capture_output=True)
    assert died.returncode == 137
    if point in ("withdraw.prepared", "withdraw.before_commit"):
        assert tiny.dump(study) == before, "as if nobody had begun"
    done = subprocess.run(command, cwd=study.root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    left = [name for name in files_with(study.root, WHO) if not name.endswith(".redacted")]
    assert left == []
    with reading(study.engine) as connection:
        assert connection.execute(select(Tombstone.pending)).scalars().all() == [None]
    (path,) = (study.root / "withdrawals").glob("*.json")
    assert all(v.holds for v in verify(Study(study.root), path))


def test_strangers_are_refused(study):
    with pytest.raises(NotFound, match="no patient 'TCGA-TN-9999'"):
        preview(study, ANALYSES, "TCGA-TN-9999", redact)


def test_what_cannot_be_written_again_is_left_to_a_person(quick, study):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append([WHO, CANARY])
    book.save(study.root / "raw" / "table.xlsx")
    said = quick("withdraw", WHO, "--reason", "consent withdrawn", cwd=study.root, code=3)
    assert "raw/table.xlsx" in said.stderr and "see to them" in said.stderr
    assert files_with(study.root, WHO) == ["raw/table.xlsx"]


# ------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("name", "text", "expected", "lines", "columns"),
    [
        ("a.tsv", "id\tx\nP-0001\t1\nP-0002\t2\n", "id\tx\nP-0001\t1\n", (3,), ()),
        ("a.csv", "gene,P-0001,P-0002-01A\nA,1,2\n", "gene,P-0001\nA,1\n", (), (3,)),
        ("a.csv", 'id,note\r\nP-0002,"a, b"\r\nP-0001,"c ""d"""\r\n', 'id,note\r\nP-0001,"c ""d"""\r\n', (2,), ()),
        ("a.csv", 'g,"P-0002",z\n"a,b",1,2\n', 'g,z\n"a,b",2\n', (), (2,)),
        ("a.csv", "id,x\nP-00021,1\nXP-0002,2\n", "id,x\nP-00021,1\nXP-0002,2\n", (), ()),
        ("a.txt", "P-0002\n", "", (1,), ()),
        ("a.json", '{"hits": [{"a": "P-0002"}, {"a": "P-1"}], "n": 2}', None, (), ()),
        ("a.sql", "SELECT 'P-0002'", "SELECT 'gone'", (), ()),
        ("a.txt", "#1.2\n1\t2\nName\tP-0001\tP-0002\nA\t1\t2\n", "#1.2\n1\t2\nName\tP-0001\nA\t1\n", (), (3,)),
        ("a.csv", "id;x\nP-0001;1,5\nP-0002;2\n", "id;x\nP-0001;1,5\n", (3,), ()),
        ("a.tsv", '"P-0001"\t"P-0002"\n', '"P-0001"\n', (), (2,)),
    ],
)
def test_files_lose_the_patient_and_nothing_else(tmp_path, name, text, expected, lines, columns):
    import re

    path = tmp_path / name
    path.write_bytes(text.encode())
    found = redact(path, re.compile(r"(?<![A-Za-z0-9])P-0002(?![A-Za-z0-9])"), "gone")
    if expected is None:
        assert json.loads(found.content) == {"hits": [{"a": "P-1"}], "n": 2}
    else:
        assert found.content.decode() == expected
    assert (found.lines, found.columns) == (lines, columns)


def test_names_are_seen_in_whatever_is_read(tmp_path):
    from tests.ingest.test_formats import packed_tar, packed_zip
    from tshdb.withdrawal.files import holds
    from tshdb.withdrawal.identifiers import Identifiers

    names = Identifiers("TCGA-Z1-Q001", ("TCGA-Z1-Q001-01A",), (), (), ())
    text = "gene\tTCGA-Z1-Q001-01A\nCD3D\t1\n"
    dotted = text.replace("-", ".")
    whole = [
        text.encode(),
        dotted.encode(),
        text.encode("utf-16"),
        packed_tar("a.txt", text, others=1),
        packed_zip(dotted, "a", "b"),
    ]
    packed = [gzip.compress(each) for each in whole]
    for i, data in enumerate((*whole, *packed, b"\x00\x01" * 100 + b"TCGA-Z1-Q001")):
        (tmp_path / "file").write_bytes(data)
        assert holds(tmp_path / "file", names), i
    for data in (text.replace("Q001", "Q0011").encode(), b"PK\x03\x04", b"\x1f\x8b\x08"):
        (tmp_path / "file").write_bytes(data)
        assert not holds(tmp_path / "file", names)


def test_binary_formats_are_not_guessed(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK")
    assert redact(path, None, "gone") is None
