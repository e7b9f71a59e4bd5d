"""What somebody who writes a first analysis gets wrong: no wrong number, no silent NULL, and a message that says where."""

from __future__ import annotations

import json

import pytest

from tests.support import guests, tiny
from tshdb.actions.rebuilding import RebuildOptions, rebuild
from tshdb.database import reading
from tshdb.errors import InvalidInput
from tshdb.guest_tables import guests_of

ROWS = 'by_population.agg(median="median", n="size").reset_index()'


def failure(study, text: str, name: str = "median_ratios") -> str:
    """The message of the units that fail when the guest is this text."""
    guests.put(study, **{name: text})
    done = rebuild(guests.fresh(study), RebuildOptions((name,)))
    assert done.report.computed.get(name, 0) == 0, "it was computed"
    return next(iter(done.report.failed[name].values()))


def medians(of: str) -> str:
    text = guests.text("median_ratios")
    assert ROWS in text
    return text.replace(ROWS, of)


@pytest.mark.parametrize(
    "returned, says",
    [
        (f'{ROWS}.rename(columns={{"median": "medain"}})', "gave a column 'medain'. Did you mean median?"),
        (f"{ROWS}.assign(extra=1)", "gave a column 'extra'. Columns of xy_median_ratios: cohort, population, median, n"),
        (f'{ROWS}.drop(columns="median")', "median_ratios did not give median"),
        (f'{ROWS}.assign(median=float("inf"))', "median is not finite in 3 rows"),
        (f"{ROWS}.assign(n=None)", "gave no n of everyone, and the table says that it is never empty"),
        (f'{ROWS}.assign(population="all")', "gave two rows of everyone for population all"),
        (f'{ROWS}.assign(n="ten")', "column n: invalid literal for int() with base 10: 'ten'"),
        ("None", "median_ratios gave nothing: does it return?, and not a DataFrame"),
        (f"{ROWS}.to_dict()", "median_ratios gave a dict, and not a DataFrame"),
        ("ratios['medain']", "KeyError: 'medain' (median_ratios.py line 36). ratios has patient_id, "),
        ("nump.median(ratios)", "NameError: name 'nump' is not defined (median_ratios.py line 36)"),
    ],
)  # fmt: skip
def test_a_frame_that_does_not_fit_is_a_failure_with_its_reason(core, returned, says):
    assert says in failure(core, medians(returned))


def test_after_a_failure_the_plan_has_one_cause(core, quick):
    failure(core, guests.text("purities").replace('["abundance"].dropna', '["abundanc"].dropna'), "purities")
    said = quick("rebuild", "purities", cwd=core.root, code=3).stdout
    assert "20 units failed: tshdb why ANALYSIS/KEY" in said and "Nothing was due" not in said
    guests.put(core, "purities")
    planned = quick("plan", "purities", cwd=core.root).stdout
    assert "20 units that failed before" in planned and planned.count("failed before") == 2, "counted, and one named"


def test_a_table_that_is_called_otherwise_keeps_its_rows(core, quick):
    guests.put(core, "purities")
    guests.made(core)
    before = tiny.dump(core)["xy_purities"]
    guests.put(core, purities=guests.text("purities").replace("xy_purities", "zz_purities"))
    guests.made(core)
    with reading(core.engine) as connection:
        assert set(guests_of(connection)) == {"zz_purities"}
    assert tiny.dump(core)["zz_purities"] == before and guests.due(core) == {}
    assert "Everything holds" in quick("check", cwd=core.root, code=None).stdout
    guests.put(core, "purities")
    guests.made(core)
    assert tiny.dump(core)["xy_purities"] == before
    edited = guests.text("purities").replace("xy_purities", "zz_purities").replace('purity": purity', 'purity": 0.5')
    guests.put(core, purities=edited)
    guests.made(core)
    assert set(core.sql("SELECT purity FROM zz_purities")["purity"]) == {0.5}


@pytest.mark.parametrize(
    "table, relation, says",
    [
        (
            "CellAbundance",
            "SAME_PATIENT",
            "'same patient' leads to patient_id, and a row of cell_abundances has profile_id",
        ),
        ("TumorAbundance", "TUMOR_OF_PATIENT", "leads to profile_id, and a row of tumor_abundances has patient_id"),
        ("Patient", "TUMOR_OF_PATIENT", "leads to profile_id, and a row of patients has patient_id"),
    ],
)
def test_a_relation_that_leads_elsewhere_is_refused(core, table, relation, says):
    text = guests.text("mean_model").replace("Need(TshRatio, SAME_PATIENT)", f"Need({table}, {relation})")
    text = text.replace("import SAME_PATIENT", f"import {relation}").replace("import TshRatio", f"import {table}")
    guests.put(core, mean_model=text)
    with pytest.raises(InvalidInput) as error:
        guests.planned(core)
    assert says in str(error.value) and "Write a relation that leads from a patient" in str(error.value)


def test_what_may_not_run_is_said_by_every_command_that_would_run_it(core, quick):
    nobody = str(core.root.parent / "nobody")
    (core.root / "analyses").mkdir()
    (core.root / "analyses/purities.py").write_text(guests.text("purities"))
    for words in (("plan", "purities"), ("rebuild", "purities"), ("why", "purities/x")):
        said = quick(*words, cwd=core.root, code=8, TSHDB_HOME=nobody).stderr
        assert "purities.py in analyses/ may not run yet. Read it, then: tshdb trust" in said, words
    said = quick("rebuild", "survival_groups", cwd=core.root, TSHDB_HOME=nobody).stdout
    assert "purities.py in analyses/: not trusted" in said


def test_a_file_that_cannot_be_imported_is_named_with_its_line_also_by_who_imports_it(core):
    helper = "LIMIT = 1\nnumber = undefined_name\n"
    text = "from ._helper import LIMIT\n" + guests.text("purities")
    with pytest.raises(InvalidInput) as error:
        guests.put(core, _helper=helper, purities=text)
        guests.planned(core)
    assert f"{core.root}/analyses/_helper.py:2" in str(error.value) and "undefined_name" in str(error.value)
    with pytest.raises(InvalidInput) as error:
        guests.put(core, _helper="LIMIT = [1\n", purities=text)
        guests.planned(core)
    assert "_helper.py:1" in str(error.value) and "was never closed" in str(error.value)


def test_the_parameter_that_chooses_cohorts_is_not_shown_as_how_one_was_made(core, quick):
    guests.put(core, "median_ratios")
    guests.made(core)
    guests.changed(core, "", f'\n[median_ratios]\ncohorts = ["{tiny.LIVE}"]\n')
    guests.made(core)
    facts = json.loads(quick("why", f"median_ratios/{tiny.LIVE}", "--json", cwd=core.root).stdout)
    assert facts["computed"]["parameters"] == {}
    traced = json.loads(quick("lineage", "xy_median_ratios", f"cohort={tiny.LIVE}", "population=Fibroblasts", "--json",
                              cwd=core.root).stdout)  # fmt: skip
    assert all(
        "cohorts" not in spec["parameters"]
        for spec in traced["specs"].values()
        if "median_ratios" in str(spec["sources"])
    )
