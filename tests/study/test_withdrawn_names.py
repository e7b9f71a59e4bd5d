"""Whoever can be loaded can withdraw: short ids, ids that begin others', ids with blanks, ids that a map makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyses import ANALYSES
from ingest.redact import redact
from tshdb.actions import ingest
from tshdb.checking import Context, check
from tshdb.database import reading
from tshdb.study import Study
from tshdb.vocabulary import ExpressionUnit, Scale, WithdrawalScope
from tshdb.withdrawal.certificate import verify
from tshdb.withdrawal.identifiers import Identifiers, meant_by
from tshdb.withdrawal.planning import preview
from tshdb.withdrawal.withdraw import withdraw

MAP = '[patient_id]\ncolumn = "id"\n{more}[patients.age_years]\ncolumn = "age"\n'
ALIKE = ("P1", "P10", "P1-a", "7", "001", "0012", "50", "Jane 7", "Jane 71", "SUBJ-001", "SUBJ-001-2", "SUBJ-001.2",
         "SUBJ-0012", "X-SUBJ-001")  # fmt: skip


def table(folder: Path, name: str, ids: tuple[str, ...], more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "map.toml").write_text(MAP.format(more=more))
    path = folder / name
    path.write_text("id,age\n" + "".join(f"{patient},{50 + i}\n" for i, patient in enumerate(ids)))
    return path


def load(study: Study, path: Path, collection: str = "mine"):
    return ingest.clinical(study, path, collection, map=path.parent / "map.toml")


def ages(study: Study) -> dict[str, float]:
    rows = study.sql("SELECT patient_id, age_years FROM patients")
    return dict(zip(rows["patient_id"], rows["age_years"], strict=True))


def gone(study: Study, who: str) -> dict:
    path, facts = withdraw(
        study, ANALYSES, who, reason=f"{who} asked for it", scope=WithdrawalScope.KEEP, redact=redact
    )
    assert facts["left"] == [] and [v for v in verify(study, path) if not v.holds] == []
    with reading(study.engine) as connection:
        broken = check(Context(study, connection, ANALYSES), full=True)
        assert [b for b in broken if not b.rule.is_warning] == []
    return facts


@pytest.mark.parametrize("who", ALIKE)
def test_whoever_was_loaded_is_withdrawn_and_nobody_else(empty_study, who):
    path = table(empty_study.root / "raw", "a.csv", ALIKE)
    load(empty_study, path)
    before, lines = ages(empty_study), path.read_text().splitlines()
    assert list(before) and len(before) == len(ALIKE)
    facts = gone(empty_study, who)
    assert ages(empty_study) == {patient: age for patient, age in before.items() if patient != who}
    assert path.read_text().splitlines() == [line for line in lines if line.split(",")[0] != who]
    assert f"{who} asked" not in facts["reason"]
    again = load(Study(empty_study.root), path)
    assert again.is_same_bytes, "what is left of the file is what the study has"
    path.write_text("\n".join(lines) + "\n")
    assert load(Study(empty_study.root), path).n_withheld > 0 and who not in ages(empty_study)


def test_a_neighbours_file_is_not_touched(empty_study):
    own = table(empty_study.root / "raw", "a.csv", ("P1", "P2"))
    other = table(empty_study.root / "raw", "b.csv", ("P10", "P1-a"))
    load(empty_study, own)
    load(empty_study, other)
    before = other.read_bytes()
    plan = preview(empty_study, ANALYSES, "P1", redact)
    assert (plan.rewritten, plan.erased, plan.by_hand) == ([own], [], [])
    gone(empty_study, "P1")
    assert other.read_bytes() == before and own.read_text() == "id,age\nP2,51\n"


def test_a_file_of_the_patient_alone_goes_and_its_double_stays(empty_study):
    """Two tables of the same bytes are not two patients; here the id is made of the collection."""
    for name in ("A", "B"):
        path = table(empty_study.root / name, "t.csv", ("1",), f'template = "{name}-{{}}"\n')
        load(empty_study, path, f"collection-{name}")
    gone(empty_study, "A-1")
    assert not (empty_study.root / "A" / "t.csv").exists()
    assert (empty_study.root / "B" / "t.csv").is_file() and set(ages(empty_study)) == {"B-1"}


def test_what_a_map_rewrites_is_looked_for_as_it_was(empty_study):
    more = "pattern = 'NACT_(\\d+)'\ntemplate = \"UCSF-BR-{1}\"\n"
    path = table(empty_study.root / "raw", "a.csv", ("NACT_06", "NACT_060", "NACT_07"), more)
    notes = empty_study.root / "raw" / "notes.csv"
    notes.write_text("who,what\nNACT_07,b\nNACT_06,a\n")
    load(empty_study, path)
    gone(empty_study, "UCSF-BR-06")
    assert path.read_text() == "id,age\nNACT_060,51\nNACT_07,52\n"
    assert notes.read_text() == "who,what\nNACT_07,b\n"


def test_a_short_name_that_a_template_makes_long(empty_study):
    path = table(empty_study.root / "raw", "a.csv", ("51", "52"), 'template = "HOSPITAL-{}"\n')
    load(empty_study, path)
    gone(empty_study, "HOSPITAL-52")
    assert path.read_text() == "id,age\n51,50\n", "and not the line of 51, whose neighbour is 52 years old"


def test_columns_of_a_matrix(empty_study, tmp_path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("sample,patient_id,compartment\nT1,P1,tumor\nT10,P10,tumor\nT2,P1-a,tumor\n")
    path = empty_study.root / "m.tsv"
    path.write_text("gene\tT10\tT1\tT2\n" + "".join(f"{g}\t{i}.5\t{i}.25\t{i}.75\n" for i, g in enumerate("ABCDEF")))
    options = ingest.RnaOptions(ExpressionUnit.TPM, Scale.LINEAR, samples=sheet)
    ingest.rna(empty_study, path, "mine", options)
    n_profiles = "SELECT count(*) AS n FROM expression_profiles"
    assert empty_study.sql(n_profiles)["n"][0] == 3
    gone(empty_study, "P1")
    assert path.read_text().splitlines()[:2] == ["gene\tT10\tT2", "A\t0.5\t0.75"]
    assert empty_study.sql(n_profiles)["n"][0] == 2
    values = empty_study.sql("SELECT sum(value) AS v FROM expression")["v"][0]
    assert values == pytest.approx(sum(i + 0.5 + i + 0.75 for i in range(6)))


def test_names_of_others_are_no_mention():
    names = Identifiers("SUBJ-001", (), (), (), (), others=("SUBJ-001-2", "X-SUBJ-001", "A-SUBJ-001-B"))
    for text in (
        "SUBJ-001",
        "scan of SUBJ-001.",
        "SUBJ-001_T0.nii.gz",
        "SUBJ.001",
        "SUBJ-001-25",
        "SUBJ-001-2, SUBJ-001",
    ):
        assert names.is_in(text), text
    for text in (
        "SUBJ-001-2",
        "SUBJ.001.2",
        "SUBJ-001-2_T0.nii.gz",
        "X-SUBJ-001",
        "A-SUBJ-001-B",
        "SUBJ-0012",
        "XSUBJ-001",
    ):
        assert not names.is_in(text), text
    assert names.in_binary.search("SUBJ-001-2mine") is None and names.pattern.search("SUBJ-001-2mine") is not None


def test_barcodes_say_whose_they_are():
    assert meant_by("TCGA-A7-A0CE-01A-11R")[-1] == "TCGA-A7-A0CE-01A" and "TCGA-A7-A0CE" in meant_by("TCGA-A7-A0CE-01A")
    assert meant_by("SUBJ-001-2") == ["SUBJ-001-2"] and meant_by("SUBJ-001.2") == ["SUBJ-001.2"]
