"""An answer to `tshdb sql` is the same in every form: value by value as DuckDB has it, or refused in a sentence."""

from __future__ import annotations

import csv
import io
import json
import os
import struct
import subprocess
import sys
import threading
from decimal import Decimal

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.support.program import ROOT, run_quick
from tshdb.errors import InvalidInput
from tshdb.query import parquet_query, run_query

KEPT = (  # a type and two values of it
    ("HUGEINT", "99999999999999999999999999999999999999", "-9007199254740993"), ("UTINYINT", "255", "0"),
    ("UBIGINT", "18446744073709551615", "0"), ("BIGINT", "9007199254740993", "-1"), ("DECIMAL(4,1)", "1.5", "-0.1"),
    ("DECIMAL(38,10)", "'1234567890123456789012345678.9012345678'", "-0.0000000001"), ("INTEGER[]", "[1, NULL]", "[]"),
    ("STRUCT(a INTEGER, b VARCHAR)", "{'a': 1, 'b': NULL}", "{'a': NULL, 'b': 'x'}"),
    ("MAP(DATE, INTEGER)", "MAP{DATE '2020-01-01': 1}", "MAP{}"),
    ("INTEGER[2]", "[1, 2]", "[3, NULL]"), ("ENUM('a', 'b')", "'a'", "'b'"), ("TIME", "'12:00:00.123456'", "'00:00:00'"),
    ("BOOLEAN", "true", "false"), ("TIMESTAMP_S", "'1500-01-01 00:00:00'", "'2020-01-01 01:02:03'"),
    ("TIMESTAMP_MS", "'2020-01-01 01:02:03.123'", "'1970-01-01'"),
    ("TIMESTAMP_NS", "'2020-01-01 01:02:03.123456789'", "'1970-01-01'"),
    ("TIMESTAMP", "'0001-01-01 01:02:03.123456'", "'290000-01-01 00:00:00'"),
    ("TIMESTAMPTZ", "'2020-01-01 01:02:03+02'", "'1970-01-01 00:00:00+00'"), ("DATE", "'294247-01-01'", "'0044-03-15 (BC)'"),
    ("UUID", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'"), ("BLOB", "'\\xAA'", "''"),
    ("DOUBLE", "'-inf'", "0.1"), ("FLOAT", "0.1", "'inf'"),
    ("STRUCT(l DECIMAL(20,1)[], m MAP(VARCHAR, DATE))[]", "[{'l': [1.5, NULL], 'm': MAP{'k': DATE '9999-12-31'}}, NULL]", "NULL"),
)  # fmt: skip
REFUSED = {
    "INTERVAL": "'1 month 2 days'", "TIMETZ": "'12:00:00+02'", "UNION(a INTEGER, b VARCHAR)": "'x'", "BIT": "'0101'",
    "UHUGEINT": "340282366920938463463374607431768211455", "INTERVAL[]": "[INTERVAL 1 DAY]", "STRUCT(a BIT)": "{'a': '1'}",
    "MAP(INTEGER, INTERVAL)": "MAP{1: INTERVAL 1 DAY}", "BIGNUM": "123456789012345678901234567890123456789012345678901234567890",
}  # fmt: skip
NAMES = [f"c{i}" for i in range(len(KEPT))]
EVERY = (
    ", ".join(f"CAST({values[place]} AS {kind}) AS {name}" for name, (kind, *values) in zip(NAMES, KEPT, strict=True))
    for place in (0, 1)
)
QUERY = f"{' UNION ALL '.join(f'SELECT {one}, NULL AS nothing' for one in EVERY)} UNION ALL SELECT {'NULL, ' * len(KEPT)}NULL"


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked") / "study"
    run_quick("init", folder, cwd=folder.parent)
    from tshdb.study import Study

    return Study(folder)


def never(word):
    raise AssertionError(f"{word} is no JSON")


def test_every_type_comes_back_from_parquet_equal_or_is_refused(asked):
    def written(query: str) -> io.BytesIO:
        file = io.BytesIO()
        assert parquet_query(asked, query, file) == 3
        return file

    file = asked.root / "all.parquet"
    file.write_bytes(written(QUERY).getvalue())
    text = ", ".join(f"{name}::VARCHAR" for name in NAMES)
    with duckdb.connect() as own:
        there = own.execute(f"SELECT {text} FROM '{file}'").fetchall()
        assert there == own.execute(f"SELECT {text} FROM ({QUERY})").fetchall() and there[2] == (None,) * len(NAMES)
        theirs = own.sql(QUERY).to_arrow_table()
    ours = pq.read_table(file)
    for name, (kind, *_) in zip(NAMES, KEPT, strict=True):
        assert ours[name].cast(theirs[name].type).combine_chunks().equals(theirs[name].combine_chunks()), kind
    assert ours["nothing"].null_count == 3
    file.write_bytes(b"")
    for kind, value in REFUSED.items():
        with pytest.raises(InvalidInput, match=r"column 'x' holds .*Parquet has no type.*\"x\"::VARCHAR"):
            parquet_query(asked, f"SELECT {value}::{kind} AS x", io.BytesIO())
    none = io.BytesIO()
    assert parquet_query(asked, f"SELECT * FROM ({QUERY}) WHERE false", none) == 0
    assert pq.read_table(none).column_names == [*NAMES, "nothing"]
    with pytest.raises(InvalidInput, match="two columns are named 'a'"):
        parquet_query(asked, 'SELECT 1 AS a, 2 AS "A"', io.BytesIO())
    with pytest.raises(InvalidInput, match="38 digits"):
        parquet_query(asked, "SELECT [170141183460469231731687303715884105727::HUGEINT] AS x", io.BytesIO())
    with pytest.raises(InvalidInput, match="no more"):
        parquet_query(
            asked, "SELECT CASE WHEN i > 300000 THEN error('no more') END AS x FROM range(400000) t(i)", io.BytesIO()
        )


@pytest.mark.parametrize(
    "query", ["SELECT * FROM QUERY", "SELECT * FROM read_text('/etc/passwd')", "COPY (SELECT 1) TO '/tmp/x'"]
)
def test_parquet_is_written_in_the_same_sandbox(asked, query):
    with pytest.raises(InvalidInput):
        parquet_query(asked, query, io.BytesIO())


def test_text_json_and_csv_hold_every_value_of_every_type(asked):
    """Against DuckDB's own text of each value: what Python has no type for is not rounded to one that it has."""
    kinds = [(kind, value) for kind, value, _ in KEPT] + list(REFUSED.items())
    query = "SELECT " + ", ".join(f"CAST({value} AS {kind}) AS c{i}" for i, (kind, value) in enumerate(kinds))
    query += ", INTERVAL '1 month' AS span, DATE 'infinity' AS d, TIMESTAMP 'infinity' AS t"
    query += ", [DATE 'infinity', NULL] AS l, MAP{[1]: 2} AS m"
    with duckdb.connect() as own:
        names = own.sql(query).columns
        truth = own.execute(f"SELECT {', '.join(f'{n}::VARCHAR' for n in names)} FROM ({query})").fetchone()
    (line,) = (json.loads(run_quick("sql", query, "--format", "jsonl", cwd=asked.root).stdout, parse_constant=never),)
    shown = run_quick("sql", query, "--format", "csv", cwd=asked.root).stdout
    header, cells = list(csv.reader(io.StringIO(shown)))
    assert header == names == list(line)
    of_bytes = f"c{[kind for kind, _ in kinds].index('BLOB')}"
    of_float = f"c{[kind for kind, _ in kinds].index('FLOAT')}"
    assert line[of_bytes] == "aa"
    for name, true, cell in zip(names, truth, cells, strict=True):
        value = line[name]
        if name == of_bytes:
            continue
        if value in ("Infinity", "-Infinity"):  # JSON has no number for it
            assert float(value) == float(true) == float(cell), name
        elif isinstance(value, str):
            assert value == true == cell, name
        elif name == of_float:  # a double that is the same number: its text is longer
            assert struct.pack("f", value) == struct.pack("f", float(true)) == struct.pack("f", float(cell))
        elif not isinstance(value, list | dict):
            assert json.loads(cell.lower()) == value == json.loads(true), name
    assert (line["span"], line["d"], line["t"], line["l"], line["m"]) == (
        "1 month",
        "infinity",
        "infinity",
        ["infinity", None],
        {"[1]": 2},
    )


def test_numbers_keep_their_digits(asked):
    query = (
        "SELECT 1.5 AS few, 1234567890123456.78::DECIMAL(18,2) AS many, sum(x) AS whole, 'nan'::DOUBLE AS nothing, "
        "[1.25] AS inner FROM (VALUES (9007199254740992), (1)) t(x)"
    )
    (row,) = json.loads(run_quick("sql", query, "--format", "json", cwd=asked.root).stdout, parse_constant=never)
    assert row == {
        "few": 1.5,
        "many": "1234567890123456.78",
        "whole": 9007199254740993,
        "nothing": "NaN",
        "inner": ["1.25"],
    }
    assert "1234567890123456.78  9007199254740993" in run_quick("sql", query, cwd=asked.root).stdout
    frame = asked.sql(f"{query} UNION ALL SELECT NULL, NULL, NULL, NULL, NULL")
    assert frame["many"][0] == Decimal("1234567890123456.78") and frame["whole"].tolist() == [9007199254740993, None]
    assert frame["few"].tolist()[0] == 1.5


def test_two_columns_of_one_name_are_both_there_or_refused(asked, tmp_path):
    query = "SELECT 400 AS days, 61 AS days"
    assert run_quick("sql", query, "--format", "csv", cwd=asked.root).stdout == "days,days\n400,61\n"
    assert run_quick("sql", query, cwd=asked.root).stdout.split() == ["days", "days", "400", "61"]
    assert json.loads(run_quick("sql", query, "--json", cwd=asked.root).stdout)["rows"] == [[400, 61]]
    assert asked.sql(query).to_numpy().tolist() == [[400, 61]]
    for form in ("json", "jsonl", "parquet"):
        out = tmp_path / f"answer.{form}"
        assert "two columns are named 'days'" in run_quick("sql", query, "--out", out, cwd=asked.root, code=7).stderr
        assert not out.exists()


def test_missing_and_empty_differ_in_csv_and_no_row_is_an_empty_line(asked):
    query = "SELECT * FROM (VALUES (NULL, ''), ('', NULL), (' a', 'b\nc'), ('d\"', 'e,')) t(x, y)"
    assert (
        run_quick("sql", query, "--format", "csv", cwd=asked.root).stdout == 'x,y\n,""\n"",\n" a","b\nc"\n"d""","e,"\n'
    )
    assert run_quick("sql", "SELECT NULL AS x", "--format", "csv", cwd=asked.root).stdout == 'x\n""\n'


@pytest.mark.parametrize(
    ("name", "more", "begins"),
    [
        ("a.csv", (), b"a,b"), ("a", (), b"a,b"), ("a.txt", (), b"a,b"), ("a.JSON", (), b"[\n{"), ("a.jsonl", (), b'{"a": 1'),
        ("a.parquet", (), b"PAR1"), ("a.out", ("--format", "json"), b"[\n{"), ("a.json", ("--json",), b'{"columns"'),
        ("a.tsv", (), None), ("a.csv.gz", ("--format", "csv"), None), ("a.parquet", ("--format", "csv"), None),
        ("a.out", (), None),
        ("a.csv", ("--json",), None), ("a.xlsx", ("--format", "csv"), None), ("a.csv", ("--format", "table"), None),
    ],
)  # fmt: skip
def test_the_name_of_the_file_says_the_format(asked, tmp_path, name, more, begins):
    said = run_quick(
        "sql",
        "SELECT 1 AS a, 'x' AS b",
        "--out",
        tmp_path / name,
        *more,
        cwd=asked.root,
        code=2 if begins is None else 0,
    )
    if begins is None:
        assert len(said.stderr.splitlines()) == 1 and not list(tmp_path.iterdir())
    else:
        assert (tmp_path / name).read_bytes().startswith(begins)


def test_what_is_there_is_written_through(asked, tmp_path):
    """A pipe, a link, a second name, a mode and the program's own output stay what they are."""

    def write(name: str) -> None:
        run_quick("sql", "SELECT 1 AS a", "--out", tmp_path / name, "--format", "csv", cwd=asked.root)

    os.mkfifo(tmp_path / "pipe.csv")
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append((tmp_path / "pipe.csv").read_bytes()))
    reader.start()
    write("pipe.csv")
    reader.join(20)
    assert heard == [b"a\n1\n"] and (tmp_path / "pipe.csv").is_fifo()
    (tmp_path / "link.csv").symlink_to("target.csv")
    write("link.csv")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "target.csv").read_text() == "a\n1\n"
    (tmp_path / "one.csv").write_text("before, and longer\n")
    (tmp_path / "two.csv").hardlink_to(tmp_path / "one.csv")
    write("one.csv")
    assert (tmp_path / "two.csv").read_text() == "a\n1\n"
    (tmp_path / "mine.csv").touch(0o600)
    write("mine.csv")
    assert (tmp_path / "mine.csv").stat().st_mode & 0o777 == 0o600
    with (tmp_path / "log.txt").open("a") as log:
        log.write("before\n")
        log.flush()
        command = [
            sys.executable,
            "-m",
            "cli.main",
            "sql",
            "SELECT 1 AS a",
            "--out",
            "/dev/stdout",
            "--format",
            "jsonl",
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, stdout=log, stderr=subprocess.DEVNULL, cwd=asked.root, check=True, env=environment)
    assert (tmp_path / "log.txt").read_text() == 'before\n{"a": 1}\n'
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_a_parameter_is_text_unless_it_says_its_type(asked):
    def of(parameter: str, query: str = "SELECT $x AS x, typeof($x) AS t") -> list:
        return json.loads(run_quick("sql", query, "-p", parameter, "--json", cwd=asked.root).stdout)["rows"][0]

    for text in ("0123456", "1_000", "inf", "", "a=b", "5"):
        assert of(f"x={text}") == [text, "VARCHAR"]
    assert (
        of("x:int=5") == [5, "INTEGER"]
        and of("x:float=5") == [5.0, "DOUBLE"]
        and of("x:bool=true") == [True, "BOOLEAN"]
    )
    assert of("x:date=2020-01-01") == ["2020-01-01", "DATE"] and of("x=50", "SELECT 51 > $x") == [True]
    for bad in ("x:int=1_000", "x:int=5.5", "x:when=5", "x:bool=yes", "x:date=soon"):
        assert run_quick("sql", "SELECT $x", "-p", bad, cwd=asked.root, code=2).stderr.count("\n") == 1
    assert "NAME:int=5" in run_quick("sql", "SELECT $x + 1", "-p", "x=5", cwd=asked.root, code=7).stderr


def test_a_row_is_a_line_whatever_its_values_hold(asked):
    query = "SELECT chr(i::INT) || 'P-0002' AS v FROM (VALUES (9), (10), (11), (13), (27), (133), (8232), (8238)) t(i)"
    lines = run_quick("sql", query, cwd=asked.root).stdout.splitlines()
    assert lines[1:] == [f" {sign}P-0002" for sign in ("␉", "␊", "␋", "␍", "␛", "\\x85", "\\u2028", "\\u202e")]
    assert run_query(asked, query).rows[1] == ("\nP-0002",)
