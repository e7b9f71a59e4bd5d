"""Tables of guests: made, altered and dropped by the engine, described in the database, and never one of ours."""

from __future__ import annotations

import json

import pytest

from tests.support import guests, tiny
from tshdb.actions import guesting
from tshdb.actions.checking import check
from tshdb.database import reading, tuples
from tshdb.errors import InvalidInput, NotFound
from tshdb.guest_tables import guests_of, tables_of, unknown_tables
from tshdb.schema import Base
from tshdb.study import Study

MEDIANS = "xy_median_ratios"


def _rows(study, sql: str) -> list[tuple]:
    with reading(study.engine) as connection:
        return tuples(connection, sql)


@pytest.fixture
def medians(core):
    """A study with a guest over a frozen cohort that has an older version, which is never computed again."""
    guests.put(core, "median_ratios")
    guests.made(core)
    archive = tiny.TinyArchive.make(12)
    tiny.ingest(core, archive, images=False)
    tiny.freeze(core)
    guests.made(core)
    return core


def test_a_table_is_described_as_it_was_declared(medians):
    with reading(medians.engine) as connection:
        table = guests_of(connection)[MEDIANS]
    assert [(c.name, c.primary_key, c.nullable) for c in table.columns] == [
        ("cohort", False, False), ("population", True, False), ("median", False, True), ("n", False, False),
        ("unit_id", True, False),
    ]  # fmt: skip
    (row,) = _rows(medians, f"SELECT one_row, origin, columns FROM guest_tables WHERE table_name = '{MEDIANS}'")
    assert row[:2] == ("the median TSH ratio of one population over one cohort version.", "analyses/")
    assert next(c for c in json.loads(row[2]) if c["name"] == "median")["info"] == {"digits": 12}
    assert table.metadata is not Base.metadata and MEDIANS not in Base.metadata.tables


def test_another_hand_s_edit_is_seen_and_made_again(medians):
    """As of our own tables: by the triggers, and by the second digest."""
    before = tiny.dump(medians)
    with guests.fresh(medians).engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {MEDIANS} SET median = 1 WHERE cohort = '{tiny.COHORT}@2'")
    assert guests.due(medians) == {"median_ratios": {f"{tiny.COHORT}@2"}}
    assert [b.rule.name for b in check(guests.fresh(medians)).broken] != []
    guests.made(medians)
    assert tiny.dump(medians) == before and check(guests.fresh(medians)).broken == []


def test_a_column_that_may_be_empty_is_added_and_all_rows_stay(medians):
    before = _rows(medians, f"SELECT * FROM {MEDIANS} WHERE cohort = '{tiny.COHORT}@1' ORDER BY population")
    text = guests.text("median_ratios").replace(
        '    n: Mapped[int]', '    spread: Mapped[float | None] = mapped_column(doc="none yet")\n    n: Mapped[int]'
    ).replace(".reset_index()", ".reset_index().assign(spread=None)")  # fmt: skip
    guests.put(medians, median_ratios=text)
    assert guests.due(medians)["median_ratios"] == {f"{tiny.COHORT}@2", tiny.LIVE}
    guests.made(medians)
    after = _rows(medians, f"SELECT cohort, population, median, n, unit_id FROM {MEDIANS} "
                  f"WHERE cohort = '{tiny.COHORT}@1' ORDER BY population")  # fmt: skip
    assert before == after, "an older version is never computed again: its rows are kept"
    assert medians.sql(f"SELECT spread FROM {MEDIANS}")["spread"].isna().all()
    assert check(guests.fresh(medians)).broken == []


def test_a_column_that_went_and_one_of_another_type(medians):
    text = guests.text("median_ratios").replace("    n: Mapped[int] ", "    n: Mapped[str] ")
    guests.put(medians, median_ratios=text.replace('median="median", n="size"', 'median="median", n="size"'))
    guests.made(medians)
    assert medians.sql(f"SELECT n FROM {MEDIANS} WHERE cohort = '{tiny.COHORT}@2'")["n"].tolist() == ["12"] * 3
    held = check(guests.fresh(medians)).broken
    assert any("@1" in p.where for b in held for p in b.problems), "its rows did not fit any more: that is said"


def test_killed_while_a_table_is_made_anew_nothing_is_lost(medians, monkeypatch):
    before = tiny.dump(medians)
    text = guests.text("median_ratios").replace("    n: Mapped[int] ", "    n: Mapped[str] ")
    guests.put(medians, median_ratios=text)
    monkeypatch.setattr("tshdb.engine.guests_declared._watch", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        guests.made(medians)
    monkeypatch.undo()
    guests.put(medians, "median_ratios")
    assert tiny.dump(medians) == before and guests.due(medians) == {}


@pytest.mark.parametrize(
    "old, new, says",
    [
        ('"xy_median_ratios"', '"medians"', "has no prefix of its own"),
        ('"xy_median_ratios"', '"tsh_ratios"', "this program has a table of that name"),
        ('"xy_median_ratios"', '"Xy_medians"', "has no prefix of its own"),
        ("    n: Mapped[int]", "    at: Mapped[datetime.date]\n    n: Mapped[int]", "the column 'at' is a Date"),
        ("    n: Mapped[int]", '    n: Mapped[int] = mapped_column("n of all")\n    m: Mapped[int]', "'n of all'"),
    ],
)
def test_a_name_that_cannot_be_is_refused_before_anything_is_made(core, old, new, says):
    guests.put(core, median_ratios="import datetime\n" + guests.text("median_ratios").replace(old, new))
    before = tiny.dump(core)
    with pytest.raises(InvalidInput) as error:
        guests.made(core)
    assert says in str(error.value)
    assert tiny.dump(core) == before
    with reading(core.engine) as connection:
        assert guests_of(connection) == {} and unknown_tables(connection) == []


def test_two_guests_do_not_share_a_table(core, tmp_path):
    guests.put(core, "purities")
    guests.made(core)
    text = guests.text("purities").replace("def purities(", "def others(")
    with guests.package(tmp_path / "site", "other_purities", text, "others"):
        with pytest.raises(InvalidInput) as error:
            guests.made(core)
        assert "the study has a table xy_purities of analyses/" in str(error.value) or "two tables" in str(error.value)


def test_a_table_is_dropped_with_its_results(medians, quick):
    said = quick("guests", "drop", MEDIANS, "--yes", cwd=medians.root)
    assert f"{MEDIANS} is gone, and 3 results with it" in said.stdout
    with reading(medians.engine) as connection:
        assert MEDIANS not in {t.name for t in tables_of(connection)} and unknown_tables(connection) == []
    assert check(guests.fresh(medians)).broken == []
    guests.made(medians)
    assert len(medians.sql(f"SELECT * FROM {MEDIANS}")) == 6, "made again, but for the older version"
    with pytest.raises(NotFound, match="no guest's table 'xy_median_ratio'. Did you mean xy_median_ratios?"):
        guesting.drop(Study(medians.root), "xy_median_ratio")
    with pytest.raises(NotFound):
        guesting.drop(Study(medians.root), "patients")


def test_schema_and_sql_know_them(medians, quick):
    said = quick("schema", MEDIANS, cwd=medians.root).stdout
    assert "the median TSH ratio of one population" in said and "of the ratios that are known" in said
    assert MEDIANS in quick("sql", "--tables", cwd=medians.root).stdout
    wrong = quick("sql", "SELECT * FROM xy_median_ratio", cwd=medians.root, code=7)
    assert f"Did you mean {MEDIANS}?" in wrong.stderr
    listed = json.loads(quick("guests", "list", "--json", cwd=medians.root).stdout)["guests"]
    assert [(g["analysis"], g["from"], g["table"], g["n_units"]) for g in listed] == [
        ("median_ratios", "analyses/", MEDIANS, 3)
    ]


def test_on_postgresql(postgresql, tmp_path):
    study = tiny.new_study(tmp_path / "study", postgresql, analyses=tiny.CORE)
    tiny.ingest(study, tiny.TinyArchive.make(6), images=False)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    guests.put(study, "median_ratios", "purities")
    guests.made(study)
    first = study.sql(f"SELECT * EXCLUDE unit_id FROM {MEDIANS} ORDER BY ALL")
    text = guests.text("median_ratios").replace(
        '    n: Mapped[int]', '    spread: Mapped[float | None] = mapped_column(doc="none yet")\n    n: Mapped[int]'
    ).replace(".reset_index()", ".reset_index().assign(spread=None)")  # fmt: skip
    guests.put(study, median_ratios=text)
    guests.made(study)
    second = study.sql(f"SELECT * EXCLUDE (unit_id, spread) FROM {MEDIANS} ORDER BY ALL")
    assert second.equals(first[second.columns]) and len(first) == 6
    assert check(guests.fresh(study)).broken == []
    study.engine.dispose()
