"""In what a stored spec is not the current one: every difference is a cause, with what it was and what it is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from analyses import ANALYSES
from tests.support.program import ROOT
from tshdb.canonical import json_fingerprint
from tshdb.database import reading, writing
from tshdb.engine.causes import UNRECORDED, Cause
from tshdb.engine.code.differences import NOT_KEPT
from tshdb.engine.code.kept import fingerprint_of_kept
from tshdb.engine.spec_causes import SOME_LIBRARY, spec_causes
from tshdb.engine.stored_form import declaration_fingerprint
from tshdb.engine.units import NO_LEADS, NO_SEED, Specs, kept_digest
from tshdb.engine.world import World
from tshdb.process import library_version
from tshdb.schema import Run, Spec, TshRatio, Unit
from tshdb.study import Study
from tshdb.vocabulary import CauseKind

BY_NAME = {a.name: a for a in ANALYSES}


def causes(study: Study, analyses=ANALYSES) -> dict[str, set[Cause]]:
    """analysis -> in what the specs of its units are not the current one; those that are so are left out.

    Whoever has a cause is due, and the other way round.
    """
    world = World(analyses, Study(study.root).settings)
    found: dict[str, set[Cause]] = {}
    with reading(study.engine) as connection:
        specs = Specs(connection)
        units = select(Unit.analysis, Unit.spec_id).where(Unit.spec_id.is_not(None)).distinct()
        for name, spec_id in connection.execute(units).fetchall():
            said = spec_causes(connection, spec_id, world.spec(name), world.by_name[name], world)
            assert bool(said) is (specs.difference(spec_id, world.spec(name)) is not None)
            assert len(set(said)) == len(said)
            if said:
                found.setdefault(name, set()).update(said)
    return found


def configure(study: Study, old: str, new: str) -> str:
    """Replace a text of study.toml that stands there once. Gives the new text."""
    path = study.root / "study.toml"
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))
    return path.read_text()


def line_of(text: str, table: str, setting: str) -> int:
    """The line of `setting = …` in a table, counted from 1."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(f"[{table}]"))
    return next(i for i, line in enumerate(lines, 1) if i > first and line.startswith(f"{setting} ="))


def test_nothing_differs_in_a_study_that_is_current(study):
    assert causes(study) == {}


def test_parameters_are_named_each_with_its_line(study):
    """Two of one table; beside them the list that chooses cohorts, which is no part of how one is made."""
    text = configure(study, 'method = "median"', 'method = "quantile"\nquantile = 0.4')
    found = causes(study)
    was = json.dumps(BY_NAME["cutoff"].params.model_fields["quantile"].default)
    method, quantile = (f"study.toml line {line_of(text, 'cutoff', s)}" for s in ("method", "quantile"))
    assert found == {
        "cutoff": {
            Cause(CauseKind.PARAMETER, "[cutoff] method", '"median"', '"quantile"', method),
            Cause(CauseKind.PARAMETER, "[cutoff] quantile", was, "0.4", quantile),
        }
    }
    text = configure(study, '[univariable_cox]\ncohorts = ["tumor_stroma_development", "everyone"]\nendpoint = "OS"',
                     '[univariable_cox]\ncohorts = ["everyone"]\nendpoint = "DFS"')  # fmt: skip
    place = f"study.toml line {line_of(text, 'univariable_cox', 'endpoint')}"
    assert causes(study)["univariable_cox"] == {
        Cause(CauseKind.PARAMETER, "[univariable_cox] endpoint", '"OS"', '"DFS"', place)
    }


def test_a_list_of_cohorts_is_no_cause_unless_it_counted(study):
    """A record that names another field for its cohorts than before has other parameters; else the list is no part of them."""
    stood = '["tumor_stroma_development", "everyone"]'
    text = configure(study, f"[univariable_cox]\ncohorts = {stood}", '[univariable_cox]\ncohorts = ["everyone"]')
    assert causes(study) == {}
    with writing(study.engine) as connection:
        row = connection.execute(select(Spec.spec_id, Spec.params).where(Spec.analysis == "univariable_cox")).one()
        params = json.dumps(
            json.loads(row.params) | {"cohorts": json.loads(stood)}, sort_keys=True, separators=(",", ":")
        )
        values = {"params": params, "params_fingerprint": json_fingerprint(params)}
        connection.execute(update(Spec).where(Spec.spec_id == row.spec_id).values(values))
    place = f"study.toml line {line_of(text, 'univariable_cox', 'cohorts')}"
    was = json.dumps(json.loads(stood), separators=(",", ":"))
    assert causes(study) == {
        "univariable_cox": {Cause(CauseKind.PARAMETER, "[univariable_cox] cohorts", was, '["everyone"]', place)}
    }


def test_a_setting_that_is_no_longer_written_is_the_default(study):
    configure(study, "min_denominator = 0.05", "")
    configure(study, 'biomarker = "ratio"', 'biomarker = "difference"')
    assert {c.subject for c in causes(study)["tsh_ratios"]} == {"[tsh_ratios] biomarker"}, "the default is 0.05"
    configure(study, 'method = "median"\nn_bootstrap = 5', 'method = "median"')
    default = json.dumps(BY_NAME["cutoff"].params.model_fields["n_bootstrap"].default)
    assert causes(study)["cutoff"] == {
        Cause(CauseKind.PARAMETER, "[cutoff] n_bootstrap", "5", default, "study.toml, by default")
    }


def test_a_parameter_of_a_shared_table_is_named_by_the_table_that_has_it(study):
    """[signature] holds for six analyses; one of them may have a table of its own."""
    text = configure(study, "n_trees = 2 ", "n_trees = 3 ")
    place = f"study.toml line {line_of(text, 'signature', 'n_trees')}"
    shared = Cause(CauseKind.PARAMETER, "[signature] n_trees", "2", "3", place)
    found = causes(study)
    assert set(found) == {a.name for a in ANALYSES if a.base == "signature" and "n_trees" in a.params.model_fields}
    assert all(said == {shared} for said in found.values())
    path = study.root / "study.toml"
    path.write_text(text + "\n[signature_search]\nn_trees = 4\n")
    place = f"study.toml line {line_of(path.read_text(), 'signature_search', 'n_trees')}"
    own = Cause(CauseKind.PARAMETER, "[signature_search] n_trees", "2", "4", place)
    assert causes(study)["signature_search"] == {own}
    assert causes(study)["signature_cross_validation"] == {shared}


def test_where_a_setting_would_be_written(study):
    settings = Study(study.root).settings
    assert settings.place("signature_search", "nothing", "signature") == ("signature", "study.toml, by default")
    assert settings.place("cutoff", "nothing") == ("cutoff", "study.toml, by default")
    assert settings.place("tsh_scores", "nothing", "no_such_table") == ("tsh_scores", "study.toml, by default")


def test_a_changed_seed_is_named_for_what_takes_it(study):
    seed = str(study.settings.study.seed)
    text = configure(study, f"seed = {seed}", "seed = 7")
    cause = Cause(CauseKind.SEED, "[study] seed", seed, "7", f"study.toml line {line_of(text, 'study', 'seed')}")
    found = causes(study)
    assert found["cutoff"] == {cause} and "univariable_cox" not in found
    assert all(said == {cause} for said in found.values())


def test_an_analysis_that_begins_to_take_a_seed_has_other_code_and_no_changed_seed(study):
    edit_kept(study, "cutoff", "analyses.prognosis.cutoff._choose", "return float", "return 2 * float")
    with writing(study.engine) as connection:
        connection.execute(update(Spec).where(Spec.analysis == "cutoff").values(seed=NO_SEED))
    assert {c.kind for c in causes(study)["cutoff"]} == {CauseKind.CODE}


@pytest.fixture
def upgraded(monkeypatch):
    """SimpleITK as another version than the one by which the study was computed."""
    versions = {"SimpleITK": "99.1"}
    monkeypatch.setattr("tshdb.engine.units.library_version", lambda name: versions.get(name) or library_version(name))
    return versions


def test_a_library_is_named_with_both_versions(study, upgraded):
    """The spec keeps a digest alone: the version before is that of the run that computed by it."""
    found = causes(study)
    was = library_version("SimpleITK")
    assert set(found) == {a.name for a in ANALYSES if "SimpleITK" in a.strict_libraries} & set(units(study))
    assert all(said == {Cause(CauseKind.LIBRARY, "SimpleITK", was, "99.1")} for said in found.values())


def test_a_library_that_the_record_names_from_now_on(study):
    """Another set of libraries: what it was is found by the digest."""
    more = replace(BY_NAME["tsh_ratios"], strict_libraries=("pyradiomics",))
    none = replace(BY_NAME["prepared_images"], strict_libraries=())
    world = tuple({a.name: a for a in (*ANALYSES, more, none)}.values())
    assert causes(study, world) == {
        "tsh_ratios": {Cause(CauseKind.LIBRARY, "pyradiomics", None, library_version("pyradiomics"))},
        "prepared_images": {Cause(CauseKind.LIBRARY, "SimpleITK", library_version("SimpleITK"), None)},
    }


def test_a_library_whose_version_no_run_tells(study, upgraded):
    """Every one that counts may be the one that changed."""
    with writing(study.engine) as connection:
        connection.execute(update(Run).values(libraries="{}"))
    found = causes(study)["prepared_images"]
    assert found == {Cause(CauseKind.LIBRARY, "SimpleITK", None, "99.1")}
    without = replace(BY_NAME["prepared_images"], strict_libraries=())
    world = tuple({a.name: a for a in (*ANALYSES, without)}.values())
    assert causes(study, world)["prepared_images"] == {Cause(CauseKind.LIBRARY, f"one of {SOME_LIBRARY}")}


def test_the_table_and_the_engine_are_named(study, monkeypatch):
    column = TshRatio.__table__.c.value
    monkeypatch.setattr(column, "info", column.info | {"digits": 3})
    declaration_fingerprint.cache_clear()
    try:
        assert causes(study) == {"tsh_ratios": {Cause(CauseKind.TABLE, "tsh_ratios")}}
    finally:
        monkeypatch.undo()
        declaration_fingerprint.cache_clear()
    monkeypatch.setattr("tshdb.engine.units.ENGINE_VERSION", 2)
    found = causes(study)
    assert found.keys() == units(study)
    assert all(said == {Cause(CauseKind.ENGINE, "the engine's version", "1", "2")} for said in found.values())


def units(study: Study) -> set[str]:
    """The analyses of which something was computed."""
    with reading(study.engine) as connection:
        return set(connection.execute(select(Unit.analysis).where(Unit.spec_id.is_not(None)).distinct()).scalars())


def edit_kept(study: Study, analysis: str, statement: str, old: str, new: str, keeps_leads: bool = True) -> None:
    """Make the specs of an analysis those of a program in which one text read otherwise; as revision 0009 left them, without
    leads."""
    with writing(study.engine) as connection:
        for row in connection.execute(select(Spec.spec_id, Spec.sources, Spec.leads).where(Spec.analysis == analysis)):
            sources = json.loads(row.sources)
            assert old in sources[statement]
            sources[statement] = sources[statement].replace(old, new)
            fingerprint = fingerprint_of_kept(sources, json.loads(row.leads))
            kept = (json.dumps(sources), row.leads if keeps_leads else NO_LEADS)
            values = {"sources": kept[0], "leads": kept[1], "kept_digest": kept_digest(*kept)}
            values["code_fingerprint"] = fingerprint
            connection.execute(update(Spec).where(Spec.spec_id == row.spec_id).values(values))


@pytest.mark.parametrize("keeps_leads", [True, False])
def test_code_that_ran_is_compared_with_today_s(study, keeps_leads):
    """Of a study that was taken over, too."""
    edit_kept(study, "tsh_cox", "analyses.shared.cox.FEWEST_PER_TERM", "10", "20", keeps_leads)
    text = (ROOT / "analyses/shared/cox.py").read_text()
    (line,) = [s for s in text.splitlines() if s.startswith("FEWEST_PER_TERM")]
    now = line.partition("  #")[0]
    cause = Cause(CauseKind.CODE, "analyses.shared.cox.FEWEST_PER_TERM", now.replace("10", "20"), now)
    assert causes(study) == {"tsh_cox": {cause}}
    assert str(cause) == "the definition analyses.shared.cox.FEWEST_PER_TERM changed"


def test_kept_code_that_another_hand_wrote_tells_nothing(study):
    edit_kept(study, "tsh_cox", "analyses.shared.cox.FEWEST_PER_TERM", "10", "20")
    with writing(study.engine) as connection:
        connection.execute(update(Spec).where(Spec.analysis == "tsh_cox").values(sources="no JSON"))
    assert causes(study) == {"tsh_cox": {Cause(CauseKind.CODE, NOT_KEPT, "", "")}}


def test_all_that_differs_is_named_at_once(study, upgraded):
    edit_kept(
        study,
        "breast_masks",
        "analyses.imaging.breast_masks.breast_masks",
        "\n    return",
        "\n    edited = 1\n    return",
    )
    edit_kept(study, "cutoff", "analyses.prognosis.cutoff._choose", "return float", "return 2 * float")
    configure(study, 'method = "median"\nn_bootstrap = 5', 'method = "median"\nn_bootstrap = 6')
    configure(study, f"seed = {study.settings.study.seed}", "seed = 7")
    found = causes(study)
    kinds = {
        CauseKind.CODE: "analyses.prognosis.cutoff._choose",
        CauseKind.PARAMETER: "[cutoff] n_bootstrap",
        CauseKind.SEED: "[study] seed",
    }
    assert {c.kind: c.subject for c in found["cutoff"]} == kinds and len(found["cutoff"]) == 3
    kinds = {CauseKind.CODE: "analyses.imaging.breast_masks.breast_masks", CauseKind.LIBRARY: "SimpleITK"}
    assert {c.kind: c.subject for c in found["breast_masks"]} == kinds


class _MoreParameters(BY_NAME["tsh_ratios"].params):
    """A field that came with a new program."""

    smoothing: float = 0.5


def test_a_parameter_that_came_with_the_code(study):
    more = replace(BY_NAME["tsh_ratios"], params=_MoreParameters)
    world = tuple(more if a.name == "tsh_ratios" else a for a in ANALYSES)
    came = Cause(CauseKind.PARAMETER, "[tsh_ratios] smoothing", None, "0.5", "study.toml, by default")
    assert causes(study, world) == {"tsh_ratios": {came}}


def test_a_spec_that_is_not_there_is_not_recorded(study):
    world = World(ANALYSES, study.settings)
    with reading(study.engine) as connection:
        assert spec_causes(connection, 10**6, world.spec("cutoff"), BY_NAME["cutoff"], world) == (UNRECORDED,)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("p.main.f", "the definition p.main.f changed"),
        ("p.main.S, T", "the definition p.main.S, T changed"),
        ("the import of json", "changed: the import of json"),
    ],
)
def test_what_is_no_definition_is_not_called_one(name, said):
    assert str(Cause(CauseKind.CODE, name, "a", "b")) == said
