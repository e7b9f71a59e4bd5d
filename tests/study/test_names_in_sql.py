"""Names with quotation marks, semicolons, other scripts or a thousand letters are values, wherever SQL is made with them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.support import names
from tests.support.forked_program import built_once
from tshdb import sandbox
from tshdb.near import did_you_mean


def test_they_are_fifty():
    assert len(names.BASE) == len(set(names.BASE)) == 50


def test_each_population_has_its_column_in_wide_views(core):
    """Fifty populations of one profile, many of which have no letter that a column is called by."""
    with closing(sqlite3.connect(core.sqlite_path)) as raw:
        columns = [c for _, c, *_ in raw.execute("PRAGMA table_info(cell_abundances)")]
        select = ", ".join("?" if c in ("population", "abundance") else c for c in columns)
        for i, name in enumerate(names.BASE):
            given = [name if c == "population" else 1000.0 + i for c in columns if c in ("population", "abundance")]
            raw.execute(
                f"INSERT INTO cell_abundances SELECT {select} FROM cell_abundances WHERE population = 'T cells' LIMIT 1",
                given,
            )
        raw.execute("UPDATE table_versions SET version = version + 1")
        raw.commit()
    rows = core.sql("SELECT * FROM abundances_wide").to_dict("records")
    values = [{v for v in row.values() if isinstance(v, float) and v >= 1000} for row in rows]
    row = rows[values.index({1000.0 + i for i in range(len(names.BASE))})]
    assert len({name.lower() for name in row}) == len(row)


@pytest.mark.parametrize("name", names.BASE)
def test_a_value_of_a_parameter_comes_back_as_it_was(name):
    connection = sandbox.open_sandbox(threads=1)
    assert connection.execute("SELECT $a", {"a": name}).fetchone() == (name,)
    assert did_you_mean(name, ["patients"], "x")


def test_on_the_command_line_they_are_refused_or_looked_for(core):
    with built_once():
        assert list(names.complaints(core, (names.BASE[22], names.BASE[0], names.BASE[47], "患者"))) == []
