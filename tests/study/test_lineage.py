"""From a number to file and line, forward to what rests on it; and what a model has seen of whom."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from analyses import ANALYSES
from tests.support import tiny
from tshdb.cohorts.versions import define, freeze
from tshdb.database import reading, writing
from tshdb.errors import NotFound, UsageError
from tshdb.leakage import leakage
from tshdb.lineage import lineage, tree, where
from tshdb.schema import SourceRecord, Unit, UnitInput
from tshdb.study import Study

FROZEN = f"{tiny.COHORT}@1"


def look(study, table: str, *keys: str):
    with reading(study.engine) as connection:
        return lineage(connection, table, keys)


def test_a_number_leads_to_its_files_and_lines(study):
    found = look(study, "tsh_ratios", "TCGA-TN-0003", "population=T cells")
    assert found.unit.name == "tsh_ratios/TCGA-TN-0003" and len(found.rows) == 1
    places = [line for unit in found.nodes for line in where(found, [unit])]
    header = (study.root / "raw/expression.csv").read_text().splitlines()[0].split(",")
    columns = {p.column for p in found.places if found.nodes[p.unit_id].key.startswith("TCGA-TN-0003")}
    assert {header[c - 1][:15] for c in columns} == {"TCGA-TN-0003-01", "TCGA-TN-0003-11"}
    assert all("expression.csv line 1 column" in p for p in places if "expression" in p)
    spec = found.specs[found.unit.spec_id]
    assert any("tsh_ratios" in name for name in spec["sources"]) and spec["parameters"]["biomarker"] == "ratio"
    assert found.runs[found.unit.run_id]["libraries"]["numpy"]


def test_the_graph_is_the_engines_own(study):
    """Every edge above the unit, and none else; forward, exactly the units that have it above them."""
    found = look(study, "cutoffs", FROZEN)
    with reading(study.engine) as connection:
        edges = connection.execute(select(UnitInput.unit_id, UnitInput.input_unit_id)).fetchall()
        names = dict(map(tuple, connection.execute(select(Unit.unit_id, Unit.analysis + "/" + Unit.key))))
    above: set[int] = set()
    waiting = [found.unit.unit_id]
    while waiting:
        unit = waiting.pop()
        for source, target in edges:
            if source == unit and target not in above:
                above.add(target)
                waiting.append(target)
    assert set(found.nodes) == above | {found.unit.unit_id}
    assert {(e.unit_id, e.input_id) for e in found.edges} == {
        (s, t) for s, t in edges if s in above | {found.unit.unit_id}
    }
    below: set[int] = set()
    waiting = [found.unit.unit_id]
    while waiting:
        unit = waiting.pop()
        for source, target in edges:
            if target == unit and source not in below:
                below.add(source)
                waiting.append(source)
    assert {n.name for n in found.resting} == {names[b] for b in below}
    assert {"survival_groups", "logrank_tests", "tsh_model"} <= {n.analysis for n in found.resting}


def test_what_has_changed_since_is_said(study, archive):
    archive.set_value("TCGA-TN-0003", "tumor", "GNLY", 999.0)
    tiny.ingest(study, archive)
    lines = list(tree(look(study, "gene_filters", FROZEN))) if study.sql("FROM gene_filters").size else []
    lines += list(tree(look(study, "cutoffs", FROZEN)))
    assert any("(1 changed since)" in line for line in lines)


def test_ingested_rows_have_a_lineage_too(study):
    found = look(study, "patients", "TCGA-TN-0003")
    with reading(study.engine) as connection:
        lines = connection.execute(
            select(SourceRecord.line).where(
                SourceRecord.table_name == "patients", SourceRecord.row_key == "TCGA-TN-0003"
            )
        ).scalars()
        assert sorted(p.line for p in found.places) == sorted(lines)
    assert "follow_ups" in {look(study, "follow_ups", "TCGA-TN-0003", "endpoint=OS").table}


def test_what_has_no_lineage_is_one_line(study):
    with pytest.raises(UsageError, match="'runs' holds no numbers"):
        look(study, "runs", "1")
    with pytest.raises(NotFound, match="no row of cutoffs with nonsense"):
        look(study, "cutoffs", "nonsense")
    with pytest.raises(UsageError, match="'x' is no int"):
        look(study, "cutoffs", "n=x")


def test_the_command_says_it_to_people_and_machines(quick, study):
    facts = json.loads(quick("lineage", "cutoffs", FROZEN, "--json", cwd=study.root).stdout)
    said = quick("lineage", "cutoffs", FROZEN, "--code", cwd=study.root).stdout
    assert facts["unit"] == f"cutoff/{FROZEN}" and f"cutoff/{FROZEN}" in said
    assert facts["specs"][str(facts["units"][0]["spec_id"] or next(iter(facts["specs"])))]
    assert "def cutoff(" in said and "clinical.tsv lines" in said and "On it rest" in said
    assert all(name.partition("/")[0] in said for name in facts["rests_on_it"])


def test_an_ro_crate_has_every_file_that_it_names(quick, study, tmp_path):
    quick("lineage", "cutoffs", FROZEN, "--rocrate", tmp_path / "crate", cwd=study.root)
    graph = json.loads((tmp_path / "crate/ro-crate-metadata.json").read_text())["@graph"]
    by_id = {entity["@id"]: entity for entity in graph}
    assert len(by_id) == len(graph)
    for part in by_id["./"]["hasPart"]:
        path = tmp_path / "crate" / part["@id"]
        assert path.stat().st_size == int(by_id[part["@id"]]["contentSize"])

    def references(value):
        if isinstance(value, dict):
            if set(value) == {"@id"}:
                yield value["@id"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    outside = {r for r in references(graph) if r not in by_id}
    assert outside == {"https://w3id.org/ro/crate/1.1"}
    action = by_id[by_id["./"]["mentions"]["@id"]]
    assert "def cutoff(" in (tmp_path / "crate" / action["instrument"]["@id"]).read_text()
    again = quick("lineage", "cutoffs", FROZEN, "--rocrate", tmp_path / "crate", cwd=study.root, code=7)
    assert "not empty" in again.stderr


# ------------------------------------------------------------------------------------------------ leakage


def test_14_a_filter_fitted_on_everybody_is_reported_with_the_path(quick, tmp_path):
    """The gene filter's cohort is everybody; the model's cohort leaves out those it is judged on. Both halves are told."""
    study = tiny.new_study(tmp_path / "study", live=False)
    settings = study.root / "study.toml"
    text = settings.read_text().replace(
        '[gene_filter]\ncohort = "tumor_stroma_development"', '[gene_filter]\ncohort = "all"'
    )
    assert 'cohort = "all"' in text
    settings.write_text(text)
    study = Study(study.root)
    tiny.ingest(study, tiny.TinyArchive.make(14))
    with writing(study.engine) as connection:
        define(connection, "all", "SELECT patient_id FROM patients")
        freeze(connection, "all")
        define(connection, tiny.COHORT, "SELECT patient_id FROM patients WHERE patient_id < 'TCGA-TN-0010'")
        freeze(connection, tiny.COHORT)
        define(connection, "judges", "SELECT patient_id FROM patients WHERE patient_id >= 'TCGA-TN-0010'")
        freeze(connection, "judges")
    tiny.rebuild(study)
    with reading(study.engine) as connection:
        found = leakage(connection, ANALYSES, f"tsh_model/{FROZEN}", "judges")
        clean = leakage(connection, ANALYSES, f"cutoff/{FROZEN}", "judges")
    (overlap,) = found.overlaps
    assert overlap.fit == "gene_filter/all@1" and overlap.n_training == 14
    assert overlap.patients == tuple(f"TCGA-TN-001{i}" for i in range(4)) == found.patients
    assert overlap.path[0] == f"tsh_model/{FROZEN}" and overlap.path[-1] == "gene_filter/all@1"
    assert [step.partition("/")[0] for step in overlap.path] == [
        "tsh_model", "tumor_abundances", "cell_abundances", "gene_filter",
    ]  # fmt: skip
    assert {o.fit for o in clean.overlaps} == {"gene_filter/all@1"}, "the cut-off rests on the same abundances"
    said = quick("model", "leakage", f"tsh_model/{FROZEN}", "--cohort", "judges", cwd=study.root, code=3).stdout
    assert "gene_filter/all@1 has seen 4 of the 4 members of judges@1" in said and " ← cell_abundances/" in said
    study.engine.dispose()


def test_a_model_fitted_on_others_alone_is_clean(quick, study, archive):
    archive.add(40)
    tiny.ingest(study, archive)
    with writing(study.engine) as connection:
        define(connection, "judges", "SELECT patient_id FROM patients WHERE patient_id = 'TCGA-TN-0040'")
        freeze(connection, "judges")
    said = quick("model", "leakage", f"tsh_model/{FROZEN}", "--cohort", "judges", cwd=study.root).stdout
    assert "None of the 1 members" in said
    with reading(study.engine) as connection, pytest.raises(NotFound, match="no model version"):
        leakage(connection, ANALYSES, "tsh_ratios/TCGA-TN-0001", "judges")


def test_14_evaluation_on_training_patients_is_refused_unless_allowed_and_then_marked(tmp_path):
    """Twelve patients with the tumour alone; the gene filter saw five of them. Without those five nothing is refused."""
    study = tiny.new_study(tmp_path / "study")
    settings = study.root / "study.toml"
    text = settings.read_text().replace(
        '[gene_filter]\ncohort = "tumor_stroma_development"', '[gene_filter]\ncohort = "seen"'
    )
    settings.write_text(text)
    study = Study(study.root)
    archive = tiny.TinyArchive.make(10)
    alone = [archive.add(i, paired=False) for i in range(40, 52)]
    for i, patient in enumerate(alone):
        archive.change(patient, is_dead=i % 2 == 0, days=100 + 50 * i)
    tiny.ingest(study, archive)
    tiny.define_cohorts(study)
    with writing(study.engine) as connection:
        define(connection, "seen", "SELECT patient_id FROM patients WHERE patient_id < 'TCGA-TN-0045'")
        freeze(connection, "seen")
    tiny.freeze(study)
    tiny.rebuild(study)

    def said() -> dict[str, dict]:
        fresh = Study(study.root)
        tests = fresh.sql("SELECT * FROM logrank_tests WHERE grouping = 'tsh_score' AND cohort = 'everyone'")
        terms = fresh.sql("SELECT * FROM cox_terms WHERE model = 'score group' AND cohort = 'everyone'")
        curves = fresh.sql("SELECT * FROM km_points WHERE grouping = 'tsh_score' AND cohort = 'everyone'")
        return {"test": tests.iloc[0], "term": terms.iloc[0], "curves": curves}

    first = said()
    expected = "5 of 12 patients are in the training sets of the scores' models (seen)"
    assert first["test"]["reason"] == f"refused: {expected}" and first["test"]["p_value"] is None
    assert first["term"]["reason"] == f"refused: {expected}" and first["term"]["hazard_ratio"] is None
    assert len(first["curves"]) == 0
    text = settings.read_text()
    for table in ("km_curves", "logrank_tests", "tsh_cox"):
        text = text.replace(f"[{table}]\n", f"[{table}]\nallow_training_patients = true\n")
    settings.write_text(text)
    tiny.rebuild(study)
    allowed = said()
    assert allowed["term"]["reason"].startswith(f"optimistic: {expected}") and len(allowed["curves"])
    assert allowed["test"]["reason"] in (f"optimistic: {expected}", "all patients have a good prognosis",
                                         "all patients have a poor prognosis")  # fmt: skip
    # another training set, with the same content of the filter or not: what rests on it is due and says so no more
    settings.write_text(text.replace("allow_training_patients = true\n", ""))
    with writing(study.engine) as connection:
        define(connection, "seen", "SELECT patient_id FROM patients WHERE patient_id < 'TCGA-TN-0040'")
        freeze(connection, "seen")
    assert "everyone" in tiny.plan(study)["logrank_tests"].due
    tiny.rebuild(study)
    assert not str(said()["test"]["reason"]).startswith(("refused", "optimistic"))
    assert tiny.due(study) == {}
    study.engine.dispose()
