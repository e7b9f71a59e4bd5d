"""`tshdb sql`: one surface, read only. Every hostile statement leaves no byte written and reads none outside."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tshdb.errors import InvalidInput, ResourceError
from tshdb.query import run_queries, run_query

SECRET = "canary-7f3a9c"


@pytest.fixture(scope="module")
def queried(template, tmp_path_factory):
    from tests.support import tiny
    from tshdb.study import Study

    folder = tmp_path_factory.mktemp("queried")
    study = tiny.copy_study(Study(template), folder / "study")
    (folder / "secret.txt").write_text(SECRET)
    (folder / "secret.csv").write_text(f"a\n{SECRET}\n")
    return study


def ask(study, sql, **parameters):
    answer = run_query(study, sql, parameters)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def test_patients_genes_and_results_in_one_query(queried):
    rows = ask(
        queried,
        "SELECT p.sex, s.compartment, count(*) AS n, avg(log2(e.value + 1)) AS gnly FROM patients p "
        "JOIN samples s USING (patient_id) JOIN expression e USING (sample_id) JOIN tsh_ratios r USING (patient_id) "
        "WHERE e.gene = 'GNLY' AND r.population = 'T cells' GROUP BY ALL ORDER BY 2",
    )
    assert [(r["sex"], r["compartment"], r["n"]) for r in rows] == [("female", "stroma", 10), ("female", "tumor", 10)]


def test_values_are_those_of_the_file(queried):
    rows = ask(queried, "SELECT value FROM expression WHERE gene = 'DCN' AND profile_id LIKE 'TCGA-TN-0003-01A%'")
    header, *lines = (queried.root / "raw/expression.csv").read_text().splitlines()
    column = next(i for i, n in enumerate(header.split(",")) if n.startswith("TCGA-TN-0003-01A"))
    assert rows == [{"value": float(next(x for x in lines if x.startswith("DCN,")).split(",")[column])}]


def test_parameters(queried):
    assert ask(queried, "SELECT count(*) AS n FROM patients WHERE patient_id = $who", who="TCGA-TN-0003") == [{"n": 1}]


def test_null_true_and_awkward_text_survive(queried):
    rows = ask(queried, "SELECT race, event FROM patients JOIN follow_ups USING (patient_id) LIMIT 1")
    assert rows[0]["race"] is None and isinstance(rows[0]["event"], bool)
    sql = ask(queried, "SELECT sql_text FROM cohorts WHERE cohort = 'tumor_stroma_development'")[0]["sql_text"]
    assert sql == (queried.root / "cohorts/tumor_stroma_development.sql").read_text()


def hostile(folder: Path) -> list[str]:
    secret, table, out = folder / "secret.txt", folder / "secret.csv", folder / "written"
    database = folder / "study" / "study.db"
    reads = [
        f"SELECT * FROM read_text('{p}')" for p in (secret, "/etc/passwd", database, "/proc/self/environ", folder / "*")
    ]
    reads += [f"SELECT * FROM read_csv('{table}')", f"SELECT * FROM '{table}'", f'SELECT * FROM "{table}"']
    reads += [f"SELECT * FROM read_blob('{secret}')", f"SELECT * FROM glob('{folder}/*')", f"FROM '{table}'"]
    reads += [f"SELECT * FROM read_csv_auto('{table}')", f"SELECT * FROM read_json('{secret}')"]
    reads += [f"SELECT * FROM read_json_auto('{secret}')", f"SELECT * FROM read_ndjson('{secret}')"]
    reads += [f"SELECT * FROM sniff_csv('{table}')", f"SELECT * FROM parquet_metadata('{secret}')"]
    reads += [f"SELECT * FROM parquet_schema('{secret}')", f"SELECT * FROM read_parquet('{folder}/**/*.db')"]
    reads += [f"SELECT * FROM sqlite_scan('{database}', 'patients')", "SELECT * FROM read_text('https://example.org')"]
    reads += ["SELECT getenv('HOME')", "SELECT getenv('TSHDB_CANARY')", "SELECT * FROM SECRET", "SELECT * FROM queried"]
    reads += ["SELECT * FROM duckdb_secrets()", "SELECT * FROM which_secret('x', 's3')"]
    writes = [f"COPY (SELECT 1) TO '{out}'", f"COPY patients TO '{out}'", f"EXPORT DATABASE '{out}'"]
    writes += [f"ATTACH '{out}' AS x", f"ATTACH '{database}' AS x (TYPE sqlite)", f"CREATE TABLE t AS SELECT '{out}'"]
    writes += ["INSERT INTO patients SELECT * FROM patients", "UPDATE patients SET sex = 'x'", "DELETE FROM patients"]
    writes += ["DROP TABLE patients", "DROP VIEW expression", "ALTER TABLE patients ADD COLUMN x INT", "VACUUM"]
    writes += ["TRUNCATE patients", "CREATE VIEW v AS SELECT 1", "CREATE MACRO f(x) AS x", "CREATE SCHEMA s"]
    writes += ["CREATE SEQUENCE s", "CREATE TYPE t AS ENUM ('a')", "CREATE INDEX i ON patients(sex)", "CHECKPOINT"]
    writes += [f"CREATE SECRET s (TYPE s3, KEY_ID '{SECRET}')", "CREATE TEMP TABLE t (a INT)", "BEGIN", "COMMIT"]
    settings = [
        f"SET {name} = {value}"
        for name, value in (
            ("enable_external_access", "true"), ("lock_configuration", "false"), ("threads", "8"),
            ("memory_limit", "'100GB'"), ("temp_directory", f"'{out}'"), ("log_query_path", f"'{out}'"),
            ("allowed_paths", "['/etc/passwd']"), ("allowed_directories", "['/']"), ("home_directory", f"'{folder}'"),
            ("python_enable_replacements", "true"), ("autoload_known_extensions", "true"), ("file_search_path", "'/'"),
            ("secret_directory", f"'{out}'"), ("extension_directory", f"'{out}'"), ("profiling_output", f"'{out}'"),
        )
    ]  # fmt: skip
    settings += [s.replace("SET ", "PRAGMA ", 1) for s in settings] + ["RESET lock_configuration"]
    code = ["INSTALL httpfs", "LOAD httpfs", "INSTALL sqlite", "LOAD sqlite", f"LOAD '{secret}'", "FORCE INSTALL json"]
    code += [f"IMPORT DATABASE '{out}'", "CALL pragma_version()", "PRAGMA database_list", "PRAGMA enable_profiling"]
    code += ["EXECUTE x", "PREPARE x AS SELECT 1", "DEALLOCATE x", "USE memory", "DETACH memory", "SHOW TABLES"]
    code += ["DESCRIBE patients", "EXPLAIN ANALYZE INSERT INTO patients VALUES (1)", "SET VARIABLE x = 1"]
    several = (
        [f"SELECT 1; {w}" for w in writes] + [f"{w}; SELECT 1" for w in writes[:10]] + ["SELECT 1; SELECT 2", "", ";"]
    )
    hidden = [f"/* SELECT */ {w}" for w in writes[:8]] + [f"-- SELECT\n{w}" for w in writes[:8]]
    hidden += [f"WITH x AS (SELECT * FROM read_text('{secret}')) SELECT * FROM x"]
    hidden += [
        f"SELECT (SELECT content FROM read_text('{secret}'))",
        f"SELECT 1 UNION SELECT content FROM read_text('{secret}')",
    ]
    hidden += [f"SELECT * FROM (VALUES (1)) t, LATERAL (SELECT * FROM read_text('{secret}'))"]
    hidden += [f"SELECT * FROM query('SELECT * FROM read_text(''{secret}'')')", f"SELECT * FROM query_table('{table}')"]
    hidden += [f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'", f"PIVOT '{table}' ON a", f"SUMMARIZE '{table}'"]
    return reads + writes + settings + code + several + hidden


def tree(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() if p.is_file() else ""
        for p in sorted(folder.rglob("*"))
        if not p.name.endswith(("-shm", "-wal"))
    }


def test_the_battery(queried, monkeypatch):
    monkeypatch.setenv("TSHDB_CANARY", SECRET)
    folder = queried.root.parent
    before, statements = tree(folder), hostile(folder)
    assert len(statements) >= 150
    allowed = []
    for statement in statements:
        try:
            answer = run_query(queried, statement, seconds=10)
        except (InvalidInput, ResourceError):
            continue
        allowed.append(statement)
        assert SECRET not in repr(answer.rows) and "root:" not in repr(answer.rows), statement
        assert os.environ["HOME"] not in repr(answer.rows), statement
    assert tree(folder) == before
    harmless = {
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM which_secret('x', 's3')",
        "SHOW TABLES",
        "DESCRIBE patients",
    }
    assert set(allowed) <= harmless, allowed


def test_a_query_that_never_ends_is_stopped(queried):
    import time

    started = time.monotonic()
    with pytest.raises(ResourceError, match="stopped"):
        run_query(queried, "SELECT count(*) FROM range(100000000) a, range(100000000) b", seconds=1.0)
    assert time.monotonic() - started < 6


def test_a_large_process_leaves_a_query_its_memory(queried):
    """A notebook has mapped gigabytes of libraries; the limit counts what the query takes."""
    import mmap

    no_reserve = 0x4000  # Linux's MAP_NORESERVE: addresses alone
    with mmap.mmap(-1, 6 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | no_reserve):
        assert run_query(queried, "SELECT count(*) FROM patients").rows[0][0] > 0


def test_errors_are_one_line_with_the_repair(queried):
    with pytest.raises(InvalidInput, match="found INSERT"):
        run_query(queried, "INSERT INTO patients VALUES (1)")
    with pytest.raises(InvalidInput, match="found 2 statements") as caught:
        run_query(queried, "SELECT 1; SELECT 2")
    assert "\n" not in str(caught.value)
    with pytest.raises(InvalidInput, match="nonsense"):
        run_query(queried, "SELECT * FROM nonsense")


def test_every_table_can_be_asked(queried):
    """No table or column has a name that SQL stumbles over."""
    from tshdb.sqltypes import table_columns

    for table, columns in table_columns().items():
        answer = queried.sql(f"SELECT {', '.join(columns)} FROM {table} LIMIT 1")
        assert list(answer.columns) == list(columns)


# ------------------------------------------------------------------------------------------------ views, formats, Python


def test_one_wide_row_a_patient(queried):
    wide = queried.sql("SELECT * FROM patients_wide ORDER BY patient_id")
    patients = queried.sql("SELECT * FROM patients ORDER BY patient_id")
    assert list(wide["patient_id"]) == list(patients["patient_id"])
    outcomes = queried.sql("SELECT patient_id, event, duration_days FROM follow_ups WHERE endpoint = 'OS' ORDER BY 1")
    assert list(wide["os_event"]) == list(outcomes["event"]) and list(wide["os_days"]) == list(
        outcomes["duration_days"]
    )
    groups = queried.sql("SELECT patient_id, value, prognosis FROM survival_groups ORDER BY 1")
    assert list(wide["tsh_ratio"]) == list(groups["value"])
    assert list(wide["tsh_ratio_prognosis"]) == list(groups["prognosis"])


@pytest.mark.parametrize(
    ("wide", "long", "key", "value"),
    [
        ("tsh_ratios_wide", "tsh_ratios", "patient_id", "value"),
        ("abundances_wide", "cell_abundances", "profile_id", "abundance"),
    ],
)
def test_populations_as_columns_are_pandas_pivot(queried, wide, long, key, value):
    from tshdb.views import column_of

    ours = queried.sql(f"SELECT * FROM {wide}").set_index(key).sort_index()
    theirs = queried.sql(f"SELECT * FROM {long}").pivot(index=key, columns="population", values=value).sort_index()
    for population in theirs.columns:
        assert ours[column_of(population)].tolist() == pytest.approx(theirs[population].tolist(), nan_ok=True)
    assert queried.results(long, wide=True).shape == (len(theirs), queried.sql(f"FROM {wide} LIMIT 1").shape[1])


def test_queries_from_file_and_stdin_with_parameters(quick, queried, tmp_path):
    import subprocess
    import sys

    file = tmp_path / "query.sql"
    file.write_text("SELECT count(*) AS n FROM patients WHERE patient_id >= $first AND age_years > $age")
    said = quick(
        "sql", "--file", file, "-p", "first=TCGA-TN-0004", "-p", "age=59.5", "--format", "csv", cwd=queried.root
    )
    assert said.stdout == "n\n6\n"
    done = subprocess.run([sys.executable, "-m", "cli.main", "sql", "-", "--format", "json"], input="SELECT 'a|ü' AS x",
                          capture_output=True, text=True, cwd=queried.root,
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})  # fmt: skip
    assert done.stdout == '[\n{"x": "a|ü"}\n]\n'
    for bad in ("nothing", "1x=2"):
        assert "-p NAME=VALUE" in quick("sql", "SELECT 1", "-p", bad, cwd=queried.root, code=2).stderr
    assert "no such file" in quick("sql", "--file", "nowhere.sql", cwd=queried.root, code=8).stderr


def test_json_has_every_value_in_full(quick, queried, tmp_path):
    """What JSON has no type for, each by hand; two columns of one name; and what comes back is what went."""
    import json
    from datetime import date, datetime
    from decimal import Decimal

    query = (
        "SELECT 1.00000000000000000001::DECIMAL(30,20) AS a, 'nan'::DOUBLE AS b, '-inf'::DOUBLE AS b, DATE '2020-02-03' AS d, "
        "TIMESTAMP '2020-02-03 04:05:06.7' AS t, TIME '01:02:03' AS c, 'ab'::BLOB AS x, [1.5, 'inf'::DOUBLE] AS l, "
        "{'k': 2.50::DECIMAL(5,2)} AS s, MAP {DATE '2020-01-01': 1} AS m, true AS q, NULL AS z, "
        "170141183460469231731687303715884105727::HUGEINT AS h, 0.1::DOUBLE AS f, 'ü' AS w"
    )
    said = quick("sql", query, "--json", cwd=queried.root).stdout

    def never(word):
        raise AssertionError(f"{word} is no JSON")

    facts = json.loads(said, parse_constant=never)
    assert [c["name"] for c in facts["columns"]] == list("abbdtcxlsmqzhfw")
    assert [c["type"] for c in facts["columns"]][:4] == ["DECIMAL(30,20)", "DOUBLE", "DOUBLE", "DATE"]
    ((*values,),) = facts["rows"]
    assert values == [
        "1.00000000000000000001", "NaN", "-Infinity", "2020-02-03", "2020-02-03 04:05:06.7", "01:02:03", "6162",
        [1.5, "Infinity"], {"k": "2.50"}, {"2020-01-01": 1}, True, None, 2**127 - 1, 0.1, "ü",
    ]  # fmt: skip
    assert Decimal(values[0]) == Decimal("1.00000000000000000001") and bytes.fromhex(values[6]) == b"ab"
    assert date.fromisoformat(values[3]) == date(2020, 2, 3)
    assert datetime.fromisoformat(values[4]) == datetime(2020, 2, 3, 4, 5, 6, 700000)
    assert said.count("ü") == 1
    quick("sql", query, "--json", "--out", tmp_path / "answer.json", cwd=queried.root)
    assert (tmp_path / "answer.json").read_text(encoding="utf-8") == said
    assert json.loads(quick("sql", "SELECT 1 AS n WHERE false", "--json", cwd=queried.root).stdout)["rows"] == []
    rows = json.loads(
        quick("sql", "SELECT 'nan'::DOUBLE AS n", "--format", "json", cwd=queried.root).stdout, parse_constant=never
    )
    assert rows == [{"n": "NaN"}]
    assert "2020-01-01" in quick("sql", "SELECT MAP {DATE '2020-01-01': 1} AS m", cwd=queried.root).stdout
    assert (
        "Leave one of them out"
        in quick("sql", "SELECT 1", "--json", "--format", "csv", cwd=queried.root, code=2).stderr
    )
    listed = json.loads(quick("sql", "--tables", "--json", cwd=queried.root).stdout)
    assert "patient_id" in listed["tables"]["patients"]["columns"] and "one_row" in listed["views"]["patients_wide"]


def test_large_answers_stream(quick, queried, tmp_path):
    """More rows than one chunk, in every format, with nothing of them held but the chunk."""
    import json

    import pandas as pd

    from tshdb.query import ROWS_AT_ONCE, stream_query

    n = 3 * ROWS_AT_ONCE + 7
    query = f"SELECT i, i / 4 AS x, CASE WHEN i % 2 = 0 THEN 'even' END AS word, i % 3 = 0 AS b FROM range({n}) t(i)"
    sizes = [len(chunk.rows) for chunk in stream_query(queried, query)]
    assert sizes == [0, ROWS_AT_ONCE, ROWS_AT_ONCE, ROWS_AT_ONCE, 7]
    frames = {}
    for kind in ("csv", "json", "parquet"):
        out = tmp_path / f"answer.{kind}"
        assert f"{n:,} rows" in quick("sql", query, "--format", kind, "--out", out, cwd=queried.root).stderr
        frames[kind] = {
            "csv": lambda p: pd.read_csv(p),
            "json": lambda p: pd.DataFrame(json.loads(p.read_text())),
            "parquet": pd.read_parquet,
        }[kind](out)
        assert frames[kind]["i"].sum() == n * (n - 1) // 2 and frames[kind]["word"].notna().sum() == (n + 1) // 2
        assert frames[kind]["x"].tolist() == [i / 4 for i in range(n)] and frames[kind]["b"].sum() == -(-n // 3)
    out = tmp_path / "cut.csv"
    quick("sql", "SELECT i, error('no') FROM range(9) t(i)", "--out", out, "--format", "csv", cwd=queried.root, code=7)
    assert not out.exists(), "a failed query leaves no file"


def test_python_gives_frames(queried):
    import pandas as pd

    cohort = queried.cohort("tumor_stroma_development")
    assert cohort.name == "tumor_stroma_development@1" and cohort.members.name == "patient_id"
    assert isinstance(cohort.members, pd.Index) and len(cohort.members) == 10 and cohort.flow["n_out"].iloc[-1] == 10
    assert len(queried.results("tsh_ratios")) == 30
    with pytest.raises(InvalidInput, match="that can be wide"):
        queried.results("patients", wide=True)


def test_several_queries_are_answered_as_each_alone(queried):
    queries = [
        "SELECT count(*) AS n FROM patients",
        "SELECT patient_id FROM patients ORDER BY 1",
        "SELECT 1 WHERE false",
    ]
    assert run_queries(queried, queries) == [run_query(queried, sql) for sql in queries]
    assert run_queries(queried, []) == []
    with pytest.raises(InvalidInput, match="no_such"):
        run_queries(queried, [*queries, "SELECT no_such FROM patients"])
    with pytest.raises(InvalidInput, match="Only SELECT"):
        run_queries(queried, [*queries, "DELETE FROM patients"])


def test_schema_says_what_every_column_means(quick):
    import json

    from tshdb.sqltypes import table_columns

    facts = {e["table"]: e for e in json.loads(quick("schema", "--json").stdout)}
    assert set(table_columns()) | {"expression", "patients_wide"} <= set(facts)
    assert all(e["one_row"] for e in facts.values())
    said = quick("schema", "tsh_ratios").stdout
    assert "stroma_abundance" in said and "key" in said
    assert "Did you mean" in quick("schema", "ratio", code=8).stderr


def test_a_bug_in_the_querys_process_is_no_lack_of_time(queried, monkeypatch, capfd):
    monkeypatch.setattr("tshdb.query.load_tables", lambda *_: 1 / 0)
    with pytest.raises(RuntimeError, match="its traceback is above"):
        run_query(queried, "SELECT 1")
    assert "ZeroDivisionError" in capfd.readouterr().err
