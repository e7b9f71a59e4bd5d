"""Names that there are not: what was meant is said, for commands, values of options, tables, columns, cohorts, analyses."""

from __future__ import annotations

import pytest

from tshdb.errors import InvalidInput, NotFound
from tshdb.near import did_you_mean, near
from tshdb.study import Study

TABLES = ("patients", "patients_wide", "tsh_ratios", "tsh_ratios_wide", "cox_terms", "km_points")


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("patietns", "patients"),
        ("tsh_ratoi", "tsh_ratios"),
        ("TSH-Ratios", "tsh_ratios"),
        ("cox", "cox_terms"),
        ("km_pts", "km_points"),
        ("xtsh_ratoi", "tsh_ratios"),
    ],
)
def test_the_likest_name_comes_first(word, first):
    assert near(word, TABLES)[0] == first


def test_what_is_like_nothing_has_no_question():
    assert near("zzzzz", TABLES) == [] == near("q", TABLES)
    assert did_you_mean("zzzzz", TABLES) == ""
    assert did_you_mean("zzzzz", TABLES, "See: tshdb schema") == "See: tshdb schema"
    assert did_you_mean("cox", TABLES, "See: tshdb schema") == "Did you mean cox_terms? See: tshdb schema"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("rebild",), 2, "Did you mean 'rebuild'?"),
        (("plan", "--job", "2"), 2, "--jobs"),
        (("ingest", "rna", "x", "--collection", "c", "--unit", "rsm", "--scale", "linear"), 2, "Did you mean rsem?"),
        (("ingest", "rna", "x", "--collection", "c", "--unit", "RSEM", "--scale", "linear"), 2, "Did you mean rsem?"),
        (("schema", "tsh_ratoi"), 8, "Did you mean tsh_ratios"),
        (("sql", "SELECT 1", "--format", "jsn"), 2, "Did you mean json, jsonl?"),
    ],
)
def test_commands_and_values(quick, command, code, said):
    assert said in quick(*command, code=code).stderr


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT * FROM patietns", "Table with name patietns does not exist. Did you mean patients"),
        ("SELECT * FROM tsh_ratio", "Did you mean tsh_ratios"),
        ("SELECT er_statsu FROM patients", "Did you mean er_status"),
        ("SELECT p.er_statsu FROM patients p", "Did you mean er_status"),
        ("SELECT tsh_ratoi FROM patients_wide", "Did you mean tsh_ratio"),
        ("SELECT valeu FROM expression", "Did you mean value?"),
    ],
)
def test_tables_and_columns_of_a_query(empty_study, query, said):
    with pytest.raises(InvalidInput) as refused:
        empty_study.sql(query)
    assert said in str(refused.value) and str(refused.value).endswith("See: tshdb schema")


def test_analyses_and_units(empty_study, quick):
    for command in (("plan", "tsh_ratoi"), ("rebuild", "tsh_ratoi"), ("why", "tsh_ratoi/TCGA-A7-A0CE")):
        refused = quick(*command, "--study", empty_study.root, code=8).stderr
        assert "Did you mean tsh_ratios" in refused and len(refused.splitlines()) == 1


def test_settings(empty_study):
    file = empty_study.root / "study.toml"
    text = file.read_text()
    for old, new, meant in (("[tsh_ratios]", "[tsh_ratoi]", "tsh_ratios"),):
        file.write_text(text.replace(old, new))
        from analyses import ANALYSES
        from tshdb.engine.world import World

        with pytest.raises(InvalidInput, match=f"Did you mean {meant}"):
            World(ANALYSES, Study(empty_study.root).settings)


def test_cohorts(empty_study):
    from tests.support import tiny

    tiny.define_cohorts(empty_study)
    with pytest.raises(NotFound, match=f"Did you mean {tiny.COHORT}"):
        empty_study.cohort(tiny.COHORT.replace("stroma", "storma"))
