"""The rules that a new patient, a corrected value, a comment, a helper edit and a removed patient must follow.

Generic over the registered analyses: what is expected is derived from edges, kinds and sources, so that an analysis is
covered by being registered. Numbers of scenarios: docs/scenarios.md.
"""

from __future__ import annotations

import ast
import random

import pytest
from sqlalchemy import select

from analyses import ANALYSES
from ingest.expression import rna
from soak import code
from tests.support import tiny
from tshdb import loading
from tshdb.database import reading
from tshdb.engine.analysis import Kind, Need
from tshdb.engine.code.texts import AsLoaded, OnDisk
from tshdb.engine.plan import Reason
from tshdb.engine.planner import Planner
from tshdb.engine.world import World
from tshdb.schema import Attempt, CoxTerm, ExpressionProfile, Unit, UnitInput
from tshdb.study import Study
from tshdb.vocabulary import ExpressionUnit, Scale

ON_REQUEST = {"control_features"}  # and nobody asked for it here
FITS = {a.name for a in ANALYSES if a.kind is Kind.FIT}
NEEDS = {a.name: [n for n in a.needs.values() if isinstance(n, Need)] for a in ANALYSES}
FITS_OF_MODELS = {f for f in FITS if not NEEDS[f]}  # they read models alone, which corrected data does not move
FITS_BEHIND_RESULTS = {f for f in FITS if not any(n.table in (ExpressionProfile,) for n in NEEDS[f])}
KIND = {a.name: a.kind for a in ANALYSES}


def consumers(study, names: set[str]) -> set[str]:
    """All units that rest on `names` by the stored edges, not going through fits, nor through superseded versions."""
    with reading(study.engine) as connection:
        units = {i: f"{a}/{k}" for i, a, k in connection.execute(select(Unit.unit_id, Unit.analysis, Unit.key))}
        edges = connection.execute(select(UnitInput.unit_id, UnitInput.input_unit_id)).fetchall()
    reached = set(names)
    while True:
        more = {units[u] for u, i in edges if units[i] in reached and units[u].split("/")[0] not in FITS} - reached
        if not more:
            return reached - names
        reached |= more


def of_patient(names: set[str], patient: str) -> set[str]:
    return {n for n in names if patient in n}


def test_nothing_is_due_after_a_rebuild(study):
    assert tiny.due(study) == {}
    report = tiny.rebuild(study)
    assert report.computed == {}
    assert tiny.computed(study, tiny.last_run(study)) == set()


def test_1_a_patient_arrives(study, archive):
    before = tiny.dump(study)
    new = archive.add(77)
    alone = archive.add(78, paired=False)
    tiny.ingest(study, archive)
    plans = tiny.plan(study)
    (examination,) = study.sql(f"SELECT study_uid FROM imaging_studies WHERE patient_id = '{new}'")["study_uid"]
    for analysis in ANALYSES:
        due = plans[analysis.name].due
        if analysis.kind is Kind.FIT:
            assert not due, "a new patient is never silently fitted"
            assert not plans[analysis.name].flagged
        elif analysis.kind is Kind.SUMMARY:
            assert set(due) == {tiny.LIVE} and due[tiny.LIVE].reason is Reason.MEMBER
        elif analysis.name not in ON_REQUEST:
            assert {d.reason for d in due.values()} == {Reason.NEW}
            assert due and all(new in key or alone in key or examination in key for key in due)
    assert len(plans["cell_abundances"].due) == 3  # tumour and stroma of one, tumour of the other
    assert set(plans["tsh_ratios"].due) == {new}  # the other has no stroma
    tiny.rebuild(study)
    assert tiny.due(study) == {}
    after = tiny.dump(study)
    kept = [line for line in before["units"] if tiny.LIVE not in line]
    assert set(kept) <= set(after["units"]), "frozen results and other patients' units are untouched"
    with reading(study.engine) as connection:
        table_2 = select(CoxTerm.n, CoxTerm.n_left_out).where(CoxTerm.model == "univariable")
        live = connection.execute(table_2.where(CoxTerm.cohort == tiny.LIVE)).first()
        frozen = connection.execute(table_2.where(CoxTerm.cohort == f"{tiny.COHORT}@1")).first()
    assert live == (11, 1) and frozen == (10, 0)


def test_1_a_better_replicate_arrives(study, archive, tmp_path):
    """Another profile now speaks for the tumour: the patient's ratios rest on other inputs, none of which has moved."""
    patient = "TCGA-TN-0003"
    archive.change(patient, replicate={g: v * 3 + 1 for g, v in archive.patients[patient].tumor.items()})
    tiny.ingest(study, archive)
    assert set(tiny.plan(study)["tsh_ratios"].due) == {patient}
    report = tiny.rebuild(study, names=["cell_abundances"])
    assert tiny.computed(study, report.run_id) == {f"cell_abundances/{patient}-01A-11R-A111-07:rsem:expression.csv"}
    due = tiny.plan(study)["tsh_ratios"].due
    assert set(due) == {patient} and due[patient].reason is Reason.INPUT and not due[patient].is_possible
    tiny.rebuild(study)
    fresh = tiny.new_study(tmp_path / "fresh")
    tiny.ingest(fresh, archive)
    tiny.define_cohorts(fresh)
    tiny.rebuild(fresh)
    assert tiny.dump(study)["tsh_ratios"] == tiny.dump(fresh)["tsh_ratios"]


@pytest.mark.parametrize("column", ["{}", "{}-01A", "{}-01A-99R-Z999-07"])
def test_1_a_matrix_of_tumours_alone_takes_nobody_from_a_pair(study, archive, column):
    """Its tumours were measured with other genes than the stroma: it speaks for patients who have nothing better."""
    before = study.sql("SELECT * FROM tsh_ratios ORDER BY patient_id, population")
    alone = archive.add(78, paired=False)
    path = study.root / "raw" / "tumours.csv"
    names = [column.format(p) for p in (*archive.patients,)]
    path.write_text("\n".join([f"gene,{','.join(names)}", *(f"{g}{',900' * len(names)}" for g in tiny.GENES[:-1]), ""]))
    options = rna.MatrixOptions("tcga-tn", ExpressionUnit.RSEM, Scale.LINEAR, path.name, sample_type="01")
    source = loading.Source("tcga-tn", "rna", path.name)
    loading.load(study, [loading.item_of(study, source, path, {}, lambda: rna.read(path, options))], command="test")
    selected = study.sql(
        "SELECT profile_id FROM expression_profiles WHERE is_selected AND profile_id LIKE '%tumours.csv'"
    )
    assert selected["profile_id"].tolist() == [f"{column.format(alone)}:rsem:tumours.csv"]
    assert not tiny.plan(study)["tsh_ratios"].due
    tiny.rebuild(study)
    assert study.sql("SELECT * FROM tsh_ratios ORDER BY patient_id, population").equals(before)


def test_1_the_other_half_of_a_pair_arrives(study, archive):
    """A member of a live cohort has a ratio at last: the membership stands, its summaries do not."""
    alone = archive.add(78, paired=False)
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    archive.change(alone, stroma=dict(archive.patients["TCGA-TN-0003"].stroma))
    tiny.ingest(study, archive)
    tiny.rebuild(study, names=["tsh_ratios"])
    due = {n: d for n, p in tiny.plan(study).items() if KIND[n] is Kind.SUMMARY for d in p.due.values()}
    assert due and all(d.key == tiny.LIVE and d.reason is Reason.MEMBER and alone in d.detail for d in due.values())
    tiny.rebuild(study)
    with reading(study.engine) as connection:
        assert connection.execute(select(CoxTerm.n).where(CoxTerm.cohort == tiny.LIVE)).first() == (11,)


def test_2_one_value_corrected(study, archive):
    patient = "TCGA-TN-0003"
    archive.set_value(patient, "tumor", "GNLY", 4321.5)
    tiny.ingest(study, archive)
    profile = f"ingest.expression_profiles/{patient}-01A-11R-A000-07:rsem:expression.csv"
    expected = consumers(study, {profile})
    plans = tiny.plan(study)
    assert {f"{n}/{k}" for n, p in plans.items() for k in p.due} == expected
    assert {d.reason for p in plans.values() for d in p.due.values()} == {Reason.INPUT}
    for fit in FITS - FITS_BEHIND_RESULTS:
        assert plans[fit].flagged == {f"{tiny.COHORT}@1": (1, 10)}
    report = tiny.rebuild(study)
    assert tiny.computed(study, report.run_id) <= expected  # early cut-off may stop on the way
    assert {f"cell_abundances/{profile.split('/')[1]}", f"tsh_ratios/{patient}"} <= tiny.computed(study, report.run_id)
    assert report.flagged == {f"{fit}/{tiny.COHORT}@1": (1, 10) for fit in FITS if fit not in FITS_OF_MODELS}
    assert tiny.due(study) == {}


def test_2_refit_takes_the_correction(study, archive):
    archive.set_value("TCGA-TN-0003", "tumor", "GNLY", 4321.5)
    tiny.ingest(study, archive)
    report = tiny.rebuild(study, refit=True)
    assert not report.flagged
    assert {n for n in report.computed if n in FITS} == FITS
    assert not any(p.flagged for p in tiny.plan(study).values())


def test_3_corrected_without_effect_stops_there(study, archive):
    patient = "TCGA-TN-0003"
    archive.set_value(patient, "tumor", "TP53", 999.25)  # no marker gene
    tiny.ingest(study, archive)
    profile = f"{patient}-01A-11R-A000-07:rsem:expression.csv"
    plans = tiny.plan(study)
    certain = {f"{n}/{k}" for n, p in plans.items() for k, d in p.due.items() if not d.is_possible}
    assert certain == {f"cell_abundances/{profile}"}
    assert any(d.is_possible for p in plans.values() for d in p.due.values())
    report = tiny.rebuild(study)
    assert tiny.computed(study, report.run_id) == {f"cell_abundances/{profile}"}
    assert report.unchanged == {"cell_abundances": 1}


def _mutated(monkeypatch, module: str, change) -> None:
    """Make the code of `module` read as `change(source)`: in its file, and in a process that loads it from now on."""
    for kind in (OnDisk, AsLoaded):

        def find(self, name, original=kind._find):
            found = original(self, name)
            return found._replace(text=change(found.text)) if name == module else found

        monkeypatch.setattr(kind, "_find", find)


class _Disguise(ast.NodeTransformer):
    """Everything that must not count: docstrings, annotations, blank lines (by unparsing), names of locals."""

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        arguments = {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)}
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} - arguments
        nested = {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef)}
        for n in ast.walk(node):
            if isinstance(n, ast.Name) and n.id in names - nested and not n.id.endswith("_renamed"):
                n.id += "_renamed"
        if ast.get_docstring(node) is not None:
            node.body.pop(0)
        node.body.insert(0, ast.Expr(ast.Constant("Another docstring.")))
        node.returns = None
        return node


@pytest.mark.parametrize(
    "module", sorted({a.function.__module__ for a in ANALYSES} | {"analyses.shared.multiple_testing"})
)
def test_5_comments_docstrings_and_names_of_locals_do_not_count(study, monkeypatch, module):
    def disguise(source: str) -> str:
        tree = ast.fix_missing_locations(_Disguise().visit(ast.parse(source)))
        return "# a comment\n\n" + ast.unparse(tree).replace("\n    return", "\n\n    # why\n    return")

    _mutated(monkeypatch, module, disguise)
    assert tiny.due(study) == {}


def test_5_code_is_followed_only_where_its_text_changed(study, monkeypatch):
    """A plan reads no code while the text is as it was; after a comment it does, once, until a rebuild has noted the text."""

    def followed() -> set[str]:
        world = World(ANALYSES, Study(study.root).settings)
        with reading(study.engine) as connection:
            plans = Planner(connection, world).all()
        assert not any(p.due for p in plans.values())
        return {spec.analysis for spec in world.read_specs()}

    assert followed() == set()
    _mutated(monkeypatch, "analyses.prognosis.cutoff", lambda source: source + "\n# a comment\n")
    assert "cutoff" in followed()
    tiny.rebuild(study)
    assert followed() == set()


def test_5_an_edit_reaches_exactly_its_dependents():
    """A seeded part of what analyses reach; all of it in `make soak PART=code`."""
    assert list(code.wrong(code.some(30, seed=5))) == []


def test_5_an_edit_makes_all_units_of_its_dependents_due(study, monkeypatch):
    name = "analyses.shared.multiple_testing.benjamini_hochberg"
    dependents = {a for a, found in code.reached().items() if name in found}
    _mutated(monkeypatch, "analyses.shared.multiple_testing", code.edit("benjamini_hochberg"))
    plans = tiny.plan(study)
    by_code = {
        n for n, p in plans.items() if any(d.reason is Reason.CODE and not d.is_possible for d in p.due.values())
    }
    assert by_code == dependents and len(by_code) > 2
    for analysis in dependents:
        with reading(study.engine) as connection:
            keys = set(connection.execute(select(Unit.key).where(Unit.analysis == analysis)).scalars())
        assert set(plans[analysis].due) == keys - {a.identity for a in ANALYSES}


def test_5_a_default_argument_counts(study, monkeypatch):
    _mutated(
        monkeypatch,
        "analyses.shared.multiple_testing",
        lambda s: s.replace("p_values: np.ndarray)", "p_values: np.ndarray, method=1)"),
    )
    assert set(tiny.due(study, certain_only=True)) == {
        "univariable_cox",
        "abundance_cox",
        "compartment_tests",
        "feature_tests",
        "network_parameters",
    }


def test_5_the_marker_table_is_an_input(study):
    path = study.root / "markers.csv"
    path.write_text(path.read_text().replace("T cells,CD6\n", "T cells,CD8B\n"))
    plans = tiny.plan(study)
    assert {d.reason for d in plans["cell_abundances"].due.values()} == {Reason.INPUT}
    assert all("reference.marker_genes/markers changed" in d.detail for d in plans["cell_abundances"].due.values())
    assert len(plans["cell_abundances"].due) == 20 and not plans["gene_filter"].due
    tiny.rebuild(study)
    assert tiny.due(study) == {}


def test_5_a_parameter_makes_its_analysis_due(study):
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("min_denominator = 0.05", "min_denominator = 0.06"))
    plans = tiny.plan(study)
    assert {d.reason for d in plans["tsh_ratios"].due.values()} == {Reason.PARAMS}
    assert not plans["cell_abundances"].due and not plans["gene_filter"].due
    report = tiny.rebuild(study)
    assert set(report.computed) == {"tsh_ratios"} and report.unchanged["tsh_ratios"] == 10


def test_a_fit_follows_code_upstream_but_not_data(study, archive, monkeypatch):
    """A fit whose members' data moved because code upstream changed is due, not merely flagged."""
    from tests.support import toys

    world = (*ANALYSES, toys.toy_fit)
    tiny.rebuild(study, world)
    archive.set_value("TCGA-TN-0003", "tumor", "GNLY", 4321.5)
    tiny.ingest(study, archive)
    tiny.rebuild(study, world)
    assert tiny.plan(study, world)["toy_fit"].flagged == {f"{tiny.COHORT}@1": (1, 10)}
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace('biomarker = "ratio"', 'biomarker = "difference"'))
    assert tiny.plan(study, world)["toy_fit"].due
    report = tiny.rebuild(study, world)
    assert report.computed["toy_fit"] == 1
    assert not tiny.plan(study, world)["toy_fit"].flagged


def test_7_a_patient_is_gone(study, archive):
    gone = "TCGA-TN-0003"
    (examination,) = study.sql(f"SELECT study_uid FROM imaging_studies WHERE patient_id = '{gone}'")["study_uid"]
    del archive.patients[gone]
    tiny.ingest(study, archive, complete=True)
    plans = tiny.plan(study)
    for analysis in ANALYSES:
        if analysis.kind not in (Kind.FIT, Kind.SUMMARY) and analysis.name not in ON_REQUEST:
            assert plans[analysis.name].gone and all(
                gone in key or key.partition("|")[0] == examination for key in plans[analysis.name].gone
            )
    tiny.rebuild(study)
    results = {t: lines for t, lines in tiny.dump(study).items() if t not in ("unit_inputs",)}
    found = [line for lines in results.values() for line in lines if gone in line]
    assert {line.split("/")[0] for line in found} <= FITS, "only what was fitted before still names the patient"
    assert tiny.due(study) == {}
    assert tiny.plan(study)["gene_filter"].flagged == {f"{tiny.COHORT}@1": (1, 10)}
    with reading(study.engine) as connection:
        retired = select(Unit.unit_id).where(Unit.state == "retired")
        for analysis in ANALYSES:
            table = analysis.makes
            assert connection.execute(select(table.unit_id).where(table.unit_id.in_(retired))).first() is None


def test_absent_rows_stay_without_complete(study, archive):
    before = tiny.dump(study)
    del archive.patients["TCGA-TN-0004"]
    tiny.ingest(study, archive, complete=False)
    assert tiny.due(study) == {} and tiny.dump(study) == before


def test_refreezing_with_the_same_content_keeps_consumers(study, archive):
    archive.add(77)
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    first = tiny.dump(study)
    assert tiny.freeze(study) == 2
    report = tiny.rebuild(study)
    assert report.kept["cell_abundances"] == 22
    assert not {"cell_abundances", "tumor_abundances", "tsh_ratios"} & set(report.computed)
    assert FITS <= set(report.computed)
    after = tiny.dump(study)
    assert after["tsh_ratios"] == first["tsh_ratios"] and after["cell_abundances"] == first["cell_abundances"]
    frozen = {line for line in first["cox_terms"] if tiny.LIVE not in line}
    assert frozen < set(after["cox_terms"]), "version 1 stands beside version 2"


def test_refreezing_with_other_content_makes_consumers_due(tmp_path):
    archive = tiny.TinyArchive.make(10)
    for i in range(8):
        for compartment in ("tumor", "stroma"):
            archive.set_value(f"TCGA-TN-{i:04d}", compartment, "CD6", 0.0)
    study = tiny.new_study(tmp_path / "study")
    tiny.ingest(study, archive)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study)
    found = {line.split("'gene_id': '")[1].split("'")[0] for line in tiny.dump(study)["gene_filters"]}
    assert found == {"CD6"}, "zero in 16 of 20 profiles"
    archive.add(77)
    tiny.ingest(study, archive)
    tiny.freeze(study)
    report = tiny.rebuild(study)  # zero in 16 of 22 profiles: the gene is back
    assert report.computed["cell_abundances"] == 22 and not report.kept
    assert tiny.due(study) == {}


def test_9_one_member_of_many(tmp_path):
    """A frozen model over many patients is flagged for one corrected member; its live summaries are stale for one."""
    archive = tiny.TinyArchive.make(400)
    study = tiny.new_study(tmp_path / "study")
    tiny.ingest(study, archive)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study)
    archive.set_value("TCGA-TN-0399", "stroma", "DCN", 12.75)
    tiny.ingest(study, archive)
    plans = tiny.plan(study)
    assert plans["gene_filter"].flagged == {f"{tiny.COHORT}@1": (1, 400)} and not plans["gene_filter"].due
    certain = {n: {k for k, d in p.due.items() if not d.is_possible} for n, p in plans.items()}
    assert {n: len(k) for n, k in certain.items() if k} == {"cell_abundances": 1}
    tiny.rebuild(study)
    with reading(study.engine) as connection:
        details = (
            connection.execute(
                select(Attempt.detail)
                .join(Unit, Unit.unit_id == Attempt.unit_id)
                .where(Unit.analysis == "univariable_cox", Attempt.reason == "input")
            )
            .scalars()
            .all()
        )
    assert details and all(d == "tsh_ratios/TCGA-TN-0399 changed" for d in details)


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.long) for n in (1, 2))])
def test_10_order_does_not_matter(tmp_path, seed):
    """Rows shuffled, the new patient first, a setting changed: no row is mixed, no byte differs."""
    plain = tiny.new_study(tmp_path / "plain")
    shuffled = tiny.new_study(tmp_path / "shuffled")
    archive = tiny.TinyArchive.make(9)
    for study, disorder in ((plain, False), (shuffled, True)):
        today = tiny.TinyArchive(dict(archive.patients))
        if disorder:  # two visits of the archive, in another order, the newest patient first
            names = list(today.patients)
            random.Random(seed).shuffle(names)
            first = tiny.TinyArchive({n: today.patients[n] for n in names[:5]}, order=names)
            tiny.ingest(study, first)
            tiny.define_cohorts(study)
            tiny.rebuild(study)
            today.order = ["TCGA-TN-0099", *reversed(names)]
        today.add(99)
        tiny.ingest(study, today)
        tiny.define_cohorts(study)
        tiny.freeze(study)
        settings = study.root / "study.toml"
        settings.write_text(settings.read_text().replace("censor_at_days = 3652.5", "censor_at_days = 1000"))
        tiny.rebuild(study)
    ours, theirs = tiny.dump(shuffled), tiny.dump(plain)
    strip = lambda lines: sorted(line.replace("@2", "@1").replace("@3", "@1") for line in lines)  # noqa: E731
    for table in theirs:
        assert strip(ours[table]) == strip(theirs[table]), table


@pytest.fixture(scope="module")
def in_batches(tmp_path_factory) -> dict[int, dict[str, list[str]]]:
    """Batch size -> all that a rebuild in batches of it makes."""
    from dataclasses import replace

    dumps = {}
    for size in (1, 3):
        other = tiny.new_study(tmp_path_factory.mktemp("batches") / f"batch{size}")
        tiny.ingest(other, tiny.TinyArchive.make(10))
        tiny.define_cohorts(other)
        tiny.freeze(other)
        tiny.rebuild(other, tuple(replace(a, batch=size) for a in ANALYSES))
        dumps[size] = tiny.dump(other)
        other.engine.dispose()
    return dumps


@pytest.fixture(scope="module")
def at_once(template) -> dict[str, list[str]]:
    """All that a rebuild makes in batches as they are declared."""
    study = Study(template)
    dumped = tiny.dump(study)
    study.engine.dispose()
    return dumped


@pytest.mark.parametrize("analysis", [a for a in ANALYSES if a.kind in (Kind.MAP, Kind.APPLY)], ids=lambda a: a.name)
def test_13_a_key_has_the_same_result_in_any_company(at_once, in_batches, analysis):
    """Computed alone, in threes, and all together: the same bytes."""
    table = analysis.makes.__tablename__
    assert {size: dump[table] for size, dump in in_batches.items()} == {1: at_once[table], 3: at_once[table]}


def test_workers_do_not_matter(tmp_path, template):
    one = tiny.new_study(tmp_path / "one")
    tiny.ingest(one, tiny.TinyArchive.make(10))
    tiny.define_cohorts(one)
    tiny.freeze(one)
    tiny.rebuild(one, jobs=2)
    assert tiny.dump(one) == tiny.dump(Study(template))
