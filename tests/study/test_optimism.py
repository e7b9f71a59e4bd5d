"""What rests on something that its own patients made says so, from the inputs that the engine noted."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from analyses import ANALYSES
from tests.support import guests, tiny
from tests.support.program import run_quick
from tshdb import tables
from tshdb.actions import checking
from tshdb.actions.rebuilding import RebuildOptions, rebuild
from tshdb.engine.analysis import Learns
from tshdb.optimism import NOTHING, label_of, note_labels
from tshdb.pages.report.headline import headline
from tshdb.pages.report.look import Look
from tshdb.study import Study

KEY = f"{tiny.COHORT}@1"
FITS = (f"cutoff/{KEY}", f"gene_filter/{KEY}", f"tsh_model/{KEY}")  # behind the groups and the scores
TESTING = """

class ScoreTest(UnitPayload, Base):
    \"\"\"One row is a comparison of scores and ratios in one cohort.\"\"\"

    __tablename__ = "xy_score_tests"
    cohort: Mapped[str]
    mean: Mapped[float] = mapped_column(info={"digits": 12})


@analysis(
    kind="summary", per="cohort", needs={"scores": Need(MeanScore, SAME_PATIENT), "ratios": Need(TshRatio, SAME_PATIENT)},
    makes=ScoreTest, params=Parameters, cohorts=("tumor_stroma_development",), source="a mean",
)
def score_tests(scores, ratios):
    \"\"\"The mean score.\"\"\"
    import pandas as pd

    return pd.DataFrame({"mean": [scores["score"].mean()]})
"""


def with_cutoff(core: Study, *lines: str) -> Study:
    """The study with these settings of [cutoff], and curves and tests of the groups computed."""
    settings = core.root / "study.toml"
    text = re.sub(r"(?ms)^\[cutoff\]\n.*?(?=^\[)", "", settings.read_text())
    kept = ["[cutoff]", f'cohort = "{tiny.COHORT}"', 'population = "Cytotoxic lymphocytes"', "n_bootstrap = 0", *lines]
    settings.write_text(text + "\n" + "\n".join(kept) + "\n")
    study = Study(core.root)
    assert not tiny.rebuild(study, names=["logrank_tests", "km_curves"], refit=True).failed
    return study


def seen(study: Study, analysis: str = "logrank_tests") -> dict[str, str | None]:
    """fit -> the outcome that it looked at."""
    return {s.fit: s.outcome for s in label_of(study, analysis, KEY).seen}


def test_a_cutoff_that_looked_at_no_outcome_is_in_sample(core):
    study = with_cutoff(core, 'method = "median"')
    assert seen(study) == dict.fromkeys(FITS)
    label = label_of(study, "logrank_tests", KEY)
    assert label.is_in_sample and not label.is_optimistic and label.optimistic is None
    assert "optimistic" not in run_quick("figure", "km", "--out", "km.svg", cwd=study.root).stdout
    study.engine.dispose()


def test_a_cutoff_chosen_by_the_outcome_is_optimistic_and_the_honest_p_stands_beside(core):
    study = with_cutoff(core, 'method = "maxstat"', "n_permutations = 50", "min_group = 0.2")
    assert seen(study) == dict.fromkeys(FITS) | {f"cutoff/{KEY}": "follow_ups"}
    n = study.sql(f"SELECT count(*) AS n FROM cohort_members WHERE cohort = '{tiny.COHORT}' AND version = 1")["n"][0]
    honest = study.sql("SELECT p_permutation AS p FROM cutoffs")["p"][0]
    label = label_of(study, "logrank_tests", KEY)
    assert label.optimistic == (
        f"optimistic: cutoff/{KEY} looked at follow_ups of {n} of these {n} patients; its own p_permutation is {honest:.2g}"
    )
    assert label.of_row({}) == label.optimistic
    assert not tiny.rebuild(study, names=["tsh_cox"]).failed
    models = label_of(study, "tsh_cox", KEY)
    assert models.of_row({"model": "group"}) == label.optimistic and models.of_row({"model": "continuous"}) is None
    assert models.optimistic == f"{label.optimistic} (not of model continuous, multivariable)"
    said = run_quick("figure", "km", "--out", "km.svg", cwd=study.root).stdout
    assert "optimistic: cutoff/" in said.replace("\n", " ")
    assert "optimistic: cutoff/" in (study.root / "km.svg").read_text()
    study.engine.dispose()


def rows_say(study: Study, table: str) -> set[tuple]:
    """(what a row is of, is_optimistic, is_in_sample) of all rows of the cohort."""
    of = {"logrank_tests": "grouping", "cox_terms": "model"}[table]
    found = study.sql(
        f"SELECT DISTINCT {of} AS of, is_optimistic AS o, is_in_sample AS s FROM {table} WHERE cohort = '{KEY}'"
    )
    return {(r.of, *(None if pd.isna(v) else bool(v) for v in (r.o, r.s))) for r in found.itertuples()}


def test_rows_bear_the_label_from_the_end_of_a_rebuild_on(core):
    study = with_cutoff(core, 'method = "maxstat"', "n_permutations = 50", "min_group = 0.2")
    assert {said[1:] for said in rows_say(study, "logrank_tests")} == {(None, None)}
    rebuild(study, RebuildOptions(("tsh_cox", "logrank_tests")))
    of_tests, of_models = rows_say(study, "logrank_tests"), rows_say(study, "cox_terms")
    assert ("tsh_ratio", True, True) in of_tests
    assert {("group", True, True), ("continuous", False, True), ("multivariable", False, True)} <= of_models
    fingerprints = study.sql("SELECT unit_id, fingerprint FROM units ORDER BY 1").to_numpy().tolist()
    assert note_labels(study) == 0
    assert not {b.rule.name for b in checking.check(study).broken} & {"unit.rows", "result.label"}
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace('method = "maxstat"', 'method = "median"'))
    study = Study(study.root)
    rebuild(study, RebuildOptions(("tsh_cox", "logrank_tests"), refit=True))
    assert {said[1] for said in rows_say(study, "logrank_tests") | rows_say(study, "cox_terms")} == {False}
    assert len(fingerprints) == study.sql("SELECT count(*) AS n FROM units")["n"][0]
    study.engine.dispose()


def test_rows_follow_what_study_toml_says_of_a_value_from_a_paper(core):
    own = core.sql("SELECT min(collection) AS c FROM patients")["c"][0]
    study = with_cutoff(core, 'method = "fixed"', "value = 0.1", 'chosen_on = ""')
    rebuild(study, RebuildOptions(("logrank_tests",)))
    assert ("tsh_ratio", False, True) in rows_say(study, "logrank_tests")
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace('chosen_on = ""', f'chosen_on = "{own}"'))
    study = Study(study.root)
    assert not sum(rebuild(study, RebuildOptions(("logrank_tests",))).report.computed.values())
    assert ("tsh_ratio", True, True) in rows_say(study, "logrank_tests")
    study.engine.dispose()


@pytest.mark.parametrize("chosen_on, is_optimistic", [("OWN", True), ("somewhere-else", False), ("", False)])
def test_a_value_from_a_paper_was_chosen_on_its_patients(core, chosen_on, is_optimistic):
    own = core.sql("SELECT min(collection) AS c FROM patients")["c"][0]
    chosen_on = chosen_on.replace("OWN", own)
    study = with_cutoff(core, 'method = "fixed"', "value = 0.1", f'chosen_on = "{chosen_on}"')
    label = label_of(study, "logrank_tests", KEY)
    assert label.is_optimistic == is_optimistic and label.is_in_sample, "the gene filter is fitted here in any case"
    if is_optimistic:
        assert f"cutoff/{KEY} was chosen on {own}, by follow_ups of" in label.optimistic
    study.engine.dispose()


@pytest.mark.parametrize("method, is_optimistic", [("median", False), ("maxstat", True), ("fixed", True)])
def test_the_reports_first_line_says_of_the_cutoff_what_the_test_by_it_says(core, method, is_optimistic):
    """A median looks at no outcome; a value from a paper did, where the paper chose it on these patients."""
    own = core.sql("SELECT min(collection) AS c FROM patients")["c"][0]
    study = with_cutoff(core, f'method = "{method}"', "value = 0.1", f'chosen_on = "{own}"', "n_permutations = 20")
    cutoff, test, *_ = headline(Look(study)).statements
    assert cutoff.what.startswith("Cut-off of") and test.what.startswith("OS by the TSH ratio")
    assert (cutoff.kind == "optimistic") == bool(cutoff.label) == is_optimistic
    assert (test.kind == "optimistic") == is_optimistic and cutoff.label in test.label
    study.engine.dispose()


def test_patients_whom_nothing_was_fitted_on_are_not_labelled(core):
    """The ratio of another patient rests on the same gene filter, and the filter has not seen her."""
    archive = tiny.TinyArchive.make(10)
    name = archive.add(10)
    tiny.ingest(core, archive, images=False)
    tiny.rebuild(core, names=["survival_groups"])
    assert label_of(core, "survival_groups", name) == NOTHING
    member = core.sql(f"SELECT min(patient_id) AS p FROM cohort_members WHERE cohort = '{tiny.COHORT}'")["p"][0]
    assert label_of(core, "survival_groups", member).is_in_sample


def test_a_guest_is_labelled_unasked(core):
    """A model that declares nothing is taken to have looked at all that it read, and a test to test all that it reads."""
    guests.put(core, mean_model=guests.text("mean_model") + TESTING)
    guests.made(core)
    study = guests.fresh(core)
    label = label_of(study, "score_tests", KEY)
    assert label.is_optimistic and f"mean_model/{KEY} looked at tsh_ratios of" in label.optimistic
    study.engine.dispose()


def test_every_fit_of_ours_says_what_it_learns():
    fits = {a.name: a for a in ANALYSES if a.kind == "fit"}
    assert all(fit.learns is not None for fit in fits.values())
    assert {name for name, fit in fits.items() if Learns("labels") in fit.learns} == {
        "signature_search", "signature_model", "selected_features",
    }  # fmt: skip


@pytest.mark.parametrize("wrong", [
    {"learns": (Learns("nobody"),)}, {"learns": (Learns(None, when=("nothing", ("a",))),)},
    {"learns": (Learns("follow_ups", honest="p"),)}, {"tests": ("nobody",)}, {"spared": ("nothing", ("a",))},
])  # fmt: skip
def test_what_cannot_be_is_refused_at_its_declaration(wrong):
    from dataclasses import replace

    from analyses.prognosis.cutoff import cutoff

    with pytest.raises(TypeError, match="analysis cutoff: (learns|tests|spared) '"):
        replace(cutoff, **wrong)


def circular_rows(study: Study, table: str, of: str) -> set[tuple]:
    """(what a row is of, is_circular) of all rows of the cohort."""
    found = study.sql(f"SELECT {of}, is_circular FROM {table} WHERE cohort = '{KEY}'")
    return {(*row[:-1], None if pd.isna(row[-1]) else bool(row[-1])) for row in found.itertuples(index=False)}


def test_tests_between_groups_of_the_tested_quantity_are_circular(core):
    study = with_cutoff(core, 'method = "median"')
    assert not tiny.rebuild(study, names=["compartment_tests", "network_parameters"]).failed
    label = label_of(study, "compartment_tests", KEY)
    made = "circular: survival_groups are made from the tsh_ratios that are tested between them"
    assert [c.words for c in label.circular] == [f"{made} (of Cytotoxic lymphocytes rsem) (not of grouping all)"]
    assert label.circular_of_row({"grouping": "all", "population": "Cytotoxic lymphocytes", "unit": "rsem"}) is None
    assert [c.words for c in label_of(study, "network_parameters", KEY).circular] == [made]
    assert not label_of(study, "logrank_tests", KEY).circular, "survival is tested, and made no group"
    assert {said[-1] for said in circular_rows(study, "wilcoxon_tests", "grouping, population")} == {None}
    assert note_labels(study) and not note_labels(study)
    assert circular_rows(study, "wilcoxon_tests", "grouping, population") == {
        (grouping, population, grouping != "all" and population == "Cytotoxic lymphocytes")
        for grouping in ("all", "good", "poor")
        for population in ("T cells", "Cytotoxic lymphocytes", "Fibroblasts")
    }
    assert {said[-1] for said in circular_rows(study, "network_parameters", "parameter")} == {True}
    assert not {b.rule.name for b in checking.check(study).broken} & {"unit.rows", "result.label"}
    said = [c for c in tables.claims(study) if c.here and c.here.endswith(", circular")]
    assert len(said) == 2 and all(made in c.why and "p" in c.what for c in said), "of good and of poor"
    study.engine.dispose()


@pytest.mark.parametrize("name", ["compartments", "s1", "topology"])
def test_a_figure_that_prints_such_a_p_says_so(core, name):
    study = with_cutoff(core, 'method = "median"')
    assert not tiny.rebuild(study, names=["compartment_tests", "network_parameters", "network_edges"]).failed
    said = run_quick("figure", name, "--out", "figure.svg", cwd=study.root).stdout
    assert "circular: survival_groups are made from the tsh_ratios" in " ".join(said.split())
    study.engine.dispose()


def test_the_table_of_networks_says_that_its_groups_are_of_what_it_tests(core):
    study = with_cutoff(core, 'method = "median"')
    assert not tiny.rebuild(study, names=["network_parameters"]).failed
    said = run_quick("table", "s5", cwd=study.root).stdout
    assert "Circular: survival_groups are made from the tsh_ratios" in " ".join(said.split())
    study.engine.dispose()


def test_groups_of_a_guest_are_found_by_where_they_came_from(core):
    """Its scores are made from the ratios that it tests beside them: by inputs alone, since it declares nothing."""
    guests.put(core, mean_model=guests.text("mean_model") + TESTING)
    guests.made(core)
    study = guests.fresh(core)
    assert [(c.groups, c.quantity, c.keys) for c in label_of(study, "score_tests", KEY).circular] == [
        ("xy_mean_scores", "tsh_ratios", ())
    ]
    study.engine.dispose()


def test_a_result_whose_inputs_have_moved_keeps_its_label(core):
    """What it rests on is not there any more: the groups of former cohort versions are those of the newest."""
    from sqlalchemy import text

    from tshdb.database import writing
    from tshdb.optimism import expected_labels

    (unit, *_), before = {u for _, u, _ in expected_labels(core)}, {u for _, u, _ in expected_labels(core)}
    with writing(core.engine) as connection:
        moved = "UPDATE unit_inputs SET seen_fingerprint = 'another' WHERE unit_id = :unit"
        connection.execute(text(moved), {"unit": unit})
    assert before - {u for _, u, _ in expected_labels(core)} == {unit}
