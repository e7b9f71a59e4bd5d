"""What began a change: every attempt of a run has exactly the cause that was made, down to value, file and line."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from analyses import ANALYSES
from tests.support import tiny
from tshdb.database import reading
from tshdb.engine.cause_sets import causes_of_sets
from tshdb.engine.causes import Cause
from tshdb.engine.explain import chains
from tshdb.engine.planner import Planner
from tshdb.engine.world import World
from tshdb.schema import Attempt, Retirement, Run, Unit
from tshdb.study import Study
from tshdb.vocabulary import CauseKind


def causes_of(study, run_id: int) -> dict[str, frozenset[Cause]]:
    """unit -> the causes of what a run did to it, retired units included."""
    with reading(study.engine) as connection:
        rows = [
            row
            for table in (Attempt, Retirement)
            for row in connection.execute(
                select(Unit.analysis, Unit.key, table.cause_set)
                .join(Unit, Unit.unit_id == table.unit_id)
                .where(table.run_id == run_id)
            )
        ]
        sets = causes_of_sets(connection, [row.cause_set for row in rows])
    return {f"{row.analysis}/{row.key}": sets[row.cause_set] for row in rows}


def planned(study, **options) -> dict[str, frozenset[Cause]]:
    """unit -> causes, of all that a plan names."""
    fresh = Study(study.root)
    with reading(fresh.engine) as connection:
        planner = Planner(connection, World(ANALYSES, fresh.settings), **options)
        found = {
            f"{name}/{key}": rooted.causes
            for name, plan in planner.all().items()
            for key, rooted in planner.roots.of_due(connection, plan).items()
        }
    fresh.engine.dispose()
    return found


def rewritten(study, before: str, after: str) -> int:
    """study.toml with one text for another. Gives the line where it stands now."""
    path = study.root / "study.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    return path.read_text().partition(after)[0].count("\n") + 1


def done(study, **options) -> tuple[dict[str, frozenset[Cause]], dict[str, frozenset[Cause]]]:
    """The causes that the plan names, and those of the rebuild after it."""
    before = planned(study, **({"refit": True} if options.get("refit") else {}))
    run = tiny.rebuild(study, **options).run_id
    after = causes_of(study, run)
    assert after.keys() <= before.keys(), "nothing is done that was not planned"
    for unit, causes in after.items():
        assert causes <= before[unit], f"{unit}: the plan names every cause"
    return before, after


def test_a_parameter_is_named_with_its_values_and_its_line(study):
    line = rewritten(study, 'method = "median"', 'method = "quantile"')
    cause = Cause(CauseKind.PARAMETER, "[cutoff] method", '"median"', '"quantile"', f"study.toml line {line}")
    _, after = done(study)
    assert set(after.values()) == {frozenset({cause})}
    assert {f"cutoff/{tiny.COHORT}@1", f"tsh_model/{tiny.COHORT}@1"} <= after.keys(), "fits follow a parameter"
    assert str(cause) == f'[cutoff] method: "median" -> "quantile" (study.toml line {line})'
    with reading(study.engine) as connection:
        reasons = set(
            connection.execute(select(Attempt.reason).where(Attempt.run_id == tiny.last_run(study))).scalars()
        )
    assert "code" not in reasons


def test_a_parameter_that_is_not_written_has_its_default(study):
    rewritten(study, "[cutoff]\n", '[cutoff]\nendpoint = "RFS"\n')
    line = (study.root / "study.toml").read_text().splitlines().index("[cutoff]") + 2
    found = planned(study)[f"cutoff/{tiny.COHORT}@1"]
    assert found == {Cause(CauseKind.PARAMETER, "[cutoff] endpoint", '"OS"', '"RFS"', f"study.toml line {line}")}


def test_a_seed_is_named(study):
    line = rewritten(study, "seed = 20230901", "seed = 7")
    _, after = done(study)
    assert {c for causes in after.values() for c in causes} == {
        Cause(CauseKind.SEED, "[study] seed", "20230901", "7", f"study.toml line {line}")
    }


def test_a_datum_is_named_with_file_and_line(study, archive):
    was = archive.patients["TCGA-TN-0002"].days
    archive.change("TCGA-TN-0002", days=731)
    tiny.ingest(study, archive)
    _, after = done(study)
    (cause,) = {c for causes in after.values() for c in causes}
    assert cause.kind is CauseKind.DATUM and cause.subject == "follow_ups/TCGA-TN-0002|OS"
    assert json.loads(cause.before) == {"duration_days": float(was)} and json.loads(cause.after) == {
        "duration_days": 731.0
    }
    assert cause.place.startswith("clinical.tsv line 6, sha256 ") and cause.entity_key == "TCGA-TN-0002"


def test_who_reads_a_value_of_a_matrix_names_it(study, archive):
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 17.5)
    tiny.ingest(study, archive)
    before, after = done(study)
    (cause,) = {c for causes in after.values() for c in causes}
    assert cause.subject.startswith("expression_profiles/TCGA-TN-0001-01A") and '"GNLY":17.5' in cause.after
    assert after["cell_abundances/TCGA-TN-0001-01A-11R-A000-07:rsem:expression.csv"] == {cause}
    assert not any(unit.startswith(("tsh_model", "cutoff/")) for unit in before), "fits do not follow data"


def test_a_new_patient_is_named_by_its_rows(study, archive):
    archive.add(77)
    tiny.ingest(study, archive)
    _, after = done(study)
    causes = {c for found in after.values() for c in found}
    assert {c.kind for c in causes} == {CauseKind.DATUM, CauseKind.MEMBER}
    assert all("TCGA-TN-0077" in (c.entity_key or "") for c in causes if c.kind is CauseKind.MEMBER)
    assert Cause(CauseKind.MEMBER, f"cohort {tiny.LIVE}: TCGA-TN-0077", None, "member", None, "TCGA-TN-0077") in causes
    assert {c.after for c in causes if c.kind is CauseKind.DATUM} == {"{}"}, "loaded, not corrected"
    mine = after["tsh_ratios/TCGA-TN-0077"]
    assert {c.subject.partition("/")[0] for c in mine} == {"expression_profiles"} and len(mine) == 2


def test_a_newer_version_of_a_cohort_is_named_with_its_members(study, archive):
    archive.add(60)
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    tiny.freeze(study)
    _, after = done(study)
    causes = after[f"cutoff/{tiny.COHORT}@2"]
    assert {c for c in causes if c.kind is not CauseKind.DATUM} == {
        Cause(CauseKind.COHORT, f"cohort {tiny.COHORT}", f"{tiny.COHORT}@1", f"{tiny.COHORT}@2"),
        Cause(CauseKind.MEMBER, f"cohort {tiny.COHORT}: TCGA-TN-0060", None, "member", None, "TCGA-TN-0060"),
    }
    rows = {c.subject: c.after for c in causes if c.kind is CauseKind.DATUM}
    assert all("TCGA-TN-0060" in subject for subject in rows) and set(rows.values()) == {"{}"}, "what came with her"
    assert after["survival_groups/TCGA-TN-0001"] == after[f"cutoff/{tiny.COHORT}@2"]


def test_a_cohort_that_a_list_no_longer_names_and_names_again(study):
    text = (study.root / "study.toml").read_text()
    both = f'[km_curves]\ncohorts = ["{tiny.COHORT}", "{tiny.LIVE}"]'
    rewritten(study, both, f'[km_curves]\ncohorts = ["{tiny.COHORT}"]')
    line = text.splitlines().index("[km_curves]") + 2
    _, after = done(study)
    said = f"[km_curves] cohorts: cohort {tiny.LIVE}"
    assert after == {
        f"km_curves/{tiny.LIVE}": {Cause(CauseKind.LISTED, said, "named", None, f"study.toml line {line}")}
    }
    (study.root / "study.toml").write_text(text)
    _, after = done(study)
    assert after == {
        f"km_curves/{tiny.LIVE}": {Cause(CauseKind.LISTED, said, None, "named", f"study.toml line {line}")}
    }


def test_a_marker_table_is_named(study):
    path = study.root / "markers.csv"
    path.write_text(path.read_text().replace("T cells,CD6\n", ""))
    _, after = done(study)
    assert {c for causes in after.values() for c in causes} == {Cause(CauseKind.REFERENCE, "markers")}
    assert f"gene_filter/{tiny.COHORT}@1" not in after


def test_a_refit_names_itself_and_the_data(study, archive):
    archive.set_value("TCGA-TN-0003", "tumor", "GNLY", 4321.5)
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    _, after = done(study, refit=True)
    found = after[f"cutoff/{tiny.COHORT}@1"]
    assert {c.kind for c in found} == {CauseKind.REFIT, CauseKind.DATUM}


def test_a_patient_who_went_is_named(study, archive):
    del archive.patients["TCGA-TN-0004"]
    tiny.ingest(study, archive)
    _, after = done(study)
    (gone,) = {u for u in after if u == "tsh_ratios/TCGA-TN-0004"}
    assert {c.kind for c in after[gone]} == {CauseKind.DATUM} and all(c.after is None for c in after[gone])


def test_the_chain_leads_from_the_cause_to_the_unit(study):
    rewritten(study, 'method = "median"', 'method = "quantile"')
    fresh = Study(study.root)
    with reading(fresh.engine) as connection:
        world = World(ANALYSES, fresh.settings)
        planner = Planner(connection, world)
        plan = planner.plan(world.by_name["tsh_scores"])
        found = chains(connection, planner, plan, "TCGA-TN-0001")
    (chain,) = found["chains"]
    assert chain["cause"]["subject"] == "[cutoff] method"
    assert [u["unit"].partition("/")[0] for u in chain["units"]] == [
        "cutoff",
        "survival_groups",
        "tsh_model",
        "tsh_scores",
    ]
    assert [u["state"] for u in chain["units"]] == ["certain", "possible", "possible", "possible"]
    fresh.engine.dispose()


def test_history_from_before_is_not_recorded(study, archive):
    """A study whose runs recorded no causes: what follows from them says so, and names no cause by guess."""
    from sqlalchemy import update

    from tshdb.database import writing

    archive.set_value("TCGA-TN-0003", "tumor", "GNLY", 4321.5)
    tiny.ingest(study, archive)
    tiny.rebuild(study, names=("tsh_ratios",))
    with writing(study.engine) as connection:
        connection.execute(update(Attempt).values(cause_set=None, last_change_id=None, through_unit_id=None))
        connection.execute(update(Run).values(settings=None, program_version=None))
    _, after = done(study)
    assert {c.kind for c in after["survival_groups/TCGA-TN-0003"]} == {CauseKind.UNRECORDED}


@pytest.mark.parametrize(
    "text", ['database = "postgresql://me:secret@host/x"', "study.database='postgresql://me:secret@h/x'"]
)
def test_a_run_keeps_no_password(tmp_path, text):
    from tshdb.config import Settings

    table = "" if text.startswith("study.") else "[study]\n"
    name = 'study.name = "x"\n' if not table else 'name = "x"\n'
    settings = Settings(tmp_path / "study.toml", f"{table}{name}{text}\n")
    assert "secret" not in settings.shown and 'name = "x"' in settings.shown
