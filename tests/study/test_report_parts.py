"""Trees behind a report's numbers, what may be passed on, and the report's stamp."""

from __future__ import annotations

import base64
import json
import re

import pytest

from tests.support import tiny
from tests.support.program import run_quick
from tshdb.actions.stamping import stamp
from tshdb.cohorts.versions import define, freeze
from tshdb.database import reading, tuples, writing
from tshdb.errors import InvalidInput, NotFound
from tshdb.pages.report.passing_on import FILE, identifiers, names_of
from tshdb.pages.report.trees import trees
from tshdb.study import Study

WHO = "TCGA-TN-0003"


def units(study: Study, *analyses: str) -> list[tuple[str, int]]:
    listed = ", ".join(f"'{name}'" for name in analyses)
    with reading(study.engine) as connection:
        return tuples(
            connection, f"SELECT analysis, unit_id FROM units WHERE analysis IN ({listed}) AND state = 'current'"
        )


# ------------------------------------------------------------------------------------------------------------ trees


def test_a_tree_leads_from_a_number_to_the_lines_of_files(core):
    found = trees(core, units(core, "survival_groups", "cutoff", "tsh_ratios"))
    anchor = f"tree.cutoff.{tiny.COHORT}.1"
    assert found.trees[anchor].of == f"{tiny.COHORT}@1"
    lines = list(found.lines(anchor))
    by_name = {line.group.analysis: line.group for line in sorted(lines, key=lambda line: line.group.n)}
    assert [f.file for f in by_name["ingest.follow_ups"].files] == ["clinical.tsv"]
    columns = by_name["ingest.expression_profiles"].files
    assert [(f.file, f.what, f.n) for f in columns] == [("expression.csv", "columns", 20)] and len(
        columns[0].first
    ) == 3
    assert by_name["tsh_ratios"].size == "10 patients" and by_name["tsh_ratios"].keys == ()
    way = found.ways[found.groups[found.trees[anchor].group].ways[0]]
    assert dict(way.parameters)["method"] == "median" and way.about and len(way.code) == 16 and way.seed == "20230901"
    named = {name for definition in found.definitions.values() for name in definition.names}
    assert all(name in named for name, _ in way.definitions) and way.libraries


def test_trees_say_nothing_of_single_patients_runs_or_machines(study):
    wanted = units(study, "tsh_scores", "signature_scores", "radiomic_features", "univariable_cox", "signature_model")
    found = trees(study, wanted)
    text = json.dumps(
        [vars(each) for part in (found.trees, found.groups, found.ways) for each in part.values()], default=str
    )
    code = "\n".join(definition.text for definition in found.definitions.values())
    assert names_of(study).leaks(text + code) == []
    assert str(study.root) not in text and not re.search(r"20\d\d-\d\d-\d\d", text)
    of_patients = [tree for tree in found.trees.values() if tree.analysis == "tsh_scores"]
    assert {tree.of for tree in of_patients} == {"1 patient"} and len(of_patients) == 10
    files = [
        f for tree in of_patients for line in found.lines(tree.anchor) if line.group.n == 1 for f in line.group.files
    ]
    assert files and not any(f.first for f in files), "the line would say whose it is"


def test_the_order_and_the_numbers_of_units_do_not_matter(core):
    """Units that were made again, in another order, have other numbers; their trees are the same."""
    with reading(core.engine) as connection:
        ((top,),) = tuples(connection, "SELECT max(unit_id) FROM units")
    first = trees(core, units(core, "tsh_ratios", "univariable_cox", "cutoff"))
    raw = core.engine.raw_connection()
    try:
        raw.driver_connection.execute("PRAGMA foreign_keys = OFF")
        for table, column in (("units", "unit_id"), ("unit_inputs", "unit_id"), ("unit_inputs", "input_unit_id")):
            raw.driver_connection.execute(f"UPDATE {table} SET {column} = -{column}")
            raw.driver_connection.execute(f"UPDATE {table} SET {column} = {column} + {2 * top + 1}")
        raw.commit()
    finally:
        raw.close()
    second = trees(core, units(core, "cutoff", "univariable_cox", "tsh_ratios"))
    assert (second.trees, second.groups, second.ways, second.definitions) == (
        first.trees, first.groups, first.ways, first.definitions,
    )  # fmt: skip
    assert set(first.anchor_of.values()) == set(second.anchor_of.values()) and first.anchor_of != second.anchor_of


def test_what_trees_share_is_there_once(core):
    """Ten ratios of the same marker table and gene filter: one group each, not ten."""
    found = trees(core, units(core, "tsh_ratios"))
    analyses = [group.analysis for group in found.groups.values()]
    assert analyses.count("gene_filter") == 1 and analyses.count("reference.marker_genes") == 1
    assert analyses.count("tsh_ratios") == 10 and len(found.ways) == len({way.analysis for way in found.ways.values()})


def test_a_unit_that_is_gone_is_not_found(core):
    with pytest.raises(NotFound, match="tsh_ratios"):
        trees(core, [("tsh_ratios", 10**9)])


# ------------------------------------------------------------------------------------------- what may be passed on


def test_every_name_of_a_patient_is_known(study):
    known = identifiers(study)
    for query in (
        "SELECT patient_id FROM patients", "SELECT sample_id FROM samples", "SELECT profile_id FROM expression_profiles",
        "SELECT study_uid FROM imaging_studies", "SELECT series_uid FROM imaging_series",
        "SELECT sop_uid FROM imaging_instances", "SELECT segmentation_id FROM segmentations",
        "SELECT examination FROM imported_features", "SELECT name FROM source_files WHERE reader = 'segmentation'",
    ):  # fmt: skip
        with reading(study.engine) as connection:
            assert {name for (name,) in tuples(connection, query)} <= known, query
    assert "clinical.tsv" not in known and "expression.csv" not in known


def test_a_file_is_shown_by_its_name_where_that_names_nobody(study):
    names = names_of(study)
    assert names.of_file("raw/clinical.tsv") == "clinical.tsv"
    assert names.of_file(f"{WHO}.nrrd") == f"{FILE} (.nrrd)" == names.of_file(f"/data/{WHO.lower()}/tcga.tn.0003.nrrd")
    assert names.of_file("2.25.288728268091429061253553250085489856.dcm") == f"{FILE} (.dcm)"
    assert names.of_file("mask 0003.nii.gz") == f"{FILE} (.nii.gz)", "the digits of her id"


def test_what_would_pass_on_a_name_is_found_wherever_it_stands(study):
    """In a reason, an attribute, a drawing in a page, escaped, cut by a tag, in data."""
    names = names_of(study)
    drawing = base64.b64encode(f"<svg><text>{WHO}</text></svg>".encode()).decode()
    pages = {
        "reason": f"<td>not {WHO}: moved</td>",
        "attribute": f'<p title="{WHO}">x</p>',
        "drawing": f'<img alt="" src="data:image/svg+xml;base64,{drawing}">',
        "escaped": "<p>TCGA&#45;TN&#x2d;0003</p>",
        "cut": "<p>TCGA-<b>TN</b>-00<wbr>03</p>",
        "data": '<script type="application/json">{"row": "tcga\\u002dtn\\u002d0003"}</script>',
        "address": '<a href="TCGA%2DTN%2D0003.html">x</a>',
        "file": '<a download href="data:text/csv;charset=utf-8,id%0ATCGA-TN-0003">x</a>',
        "uid": "<p>2.25.288728268091429061253553250085489856</p>",
    }
    for what, html in pages.items():
        page = f'<h2 id="first">fine, n = 3</h2><h2 id="here">x</h2>{html}'
        assert [leak.where for leak in names.leaks(page)] and all(
            "#here" in leak.where for leak in names.leaks(page)
        ), what
    assert names.leaks('<h2 id="a">10 patients, TCGA-TN, p = 0.0003, T0, expression.csv</h2>') == []
    with pytest.raises(InvalidInput, match="not written") as refused:
        names.refuse(f"<p>{WHO}</p>")
    assert WHO not in str(refused.value)


def test_texts_are_written_without_names(study):
    """A cohort's reason, a finding, a conflict's note: what a person has typed may name a patient."""
    with writing(study.engine) as connection:
        define(connection, "without", f"-- include: all but {WHO}\nSELECT patient_id FROM patients")
        freeze(connection, "without")
    names = names_of(study)
    (reason,) = study.sql("SELECT reason FROM cohort_flow WHERE cohort = 'without'")["reason"]
    assert names.without(reason) == "all but (a patient id)" and names.leaks(f"<td>{names.without(reason)}</td>") == []
    assert names.without(f"{WHO}-01A and tcga_tn_0004, n = 17") == "(a patient id) and (a patient id), n = 17"


def test_clinical_record_numbers_and_guests_ids_are_names(study):
    with writing(study.engine) as connection:
        line = (
            "SELECT source_file_id, line, 'mrn', patient_id, 'H-' || (880000 + line) FROM clinical_values GROUP BY line"
        )
        connection.exec_driver_sql(
            f"INSERT INTO clinical_values (source_file_id, line, field, patient_id, value) {line}"
        )
        connection.exec_driver_sql("CREATE TABLE own_visits (case_id TEXT, n INTEGER)")
        connection.exec_driver_sql("INSERT INTO own_visits VALUES ('VISIT-99-A1', 1)")
    names = names_of(study)
    kinds = {leak.kind for leak in names.leaks("<p id='x'>h.880002 and visit 99 A1</p>")}
    assert kinds == {"value of mrn", "case_id of own_visits"}


# ------------------------------------------------------------------------------------------------------------ stamp


def test_a_stamp_says_what_is_stale_why_and_what_it_takes(study):
    made = stamp(study, f"tshdb report --patients {WHO}")
    assert made.is_current and made.words == "All results are current." and WHO not in made.command
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made.at)
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace('method = "median"', 'method = "quantile"'))
    stale = stamp(Study(study.root), "tshdb report")
    by_name = {one.analysis: one for one in stale.stale}
    assert by_name["cutoff"].n == 1 and "method" in " ".join(by_name["cutoff"].causes)
    assert (
        stale.words.startswith("1 result is stale") and "A rebuild takes" in stale.words and stale.seconds is not None
    )


def test_a_stamp_counts_patients_and_names_none(core, archive):
    archive.set_value(WHO, "tumor", "GNLY", 7.0)
    tiny.ingest(core, archive, images=False)
    stale = stamp(core, "tshdb report")
    said = json.dumps([one._asdict() for one in stale.stale])
    assert names_of(core).leaks(said) == [] and "1 row of data is another one" in said


def test_a_cohort_whose_sql_names_a_patient_names_nobody_on_the_page(core):
    """The flow is drawn from numbers and reasons; its data on the page are these."""
    (core.root / "cohorts/one.sql").write_text(
        f"-- include: one\nSELECT patient_id FROM patients WHERE patient_id = '{WHO}';\n"
    )
    run_quick("cohort", "define", "one", "cohorts/one.sql", "--freeze", cwd=core.root)
    run_quick("report", "--out", "page.html", cwd=core.root)
    page = (core.root / "page.html").read_text()
    assert "figure-flow-one-1" in page and WHO not in page
    run_quick("figure", "flow", "--cohort", "one@1", "--out", "flow.svg", "--data", "flow.csv", cwd=core.root)
    assert (core.root / "flow.csv").read_text("utf-8-sig").splitlines()[0] == "step,effect,reason,n_in,n_out"
