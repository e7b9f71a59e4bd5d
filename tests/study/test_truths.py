"""tshdb truth: a derived column that is true agrees; exchanged patients, another unit or sign disagree, and are told as such.

The studies are made by hand: 40 patients whose tumours have volumes, and tables of what somebody else measured.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from tests.support.program import ROOT
from tshdb.actions.checking import check
from tshdb.study import Study
from tshdb.truths import judging
from tshdb.truths.declared import declared_truths

N = 40
NAMES = [f"P-{i:02d}" for i in range(N)]
SIDES = ("right", "left")
VOLUMES = np.round(np.random.default_rng(5).lognormal(2.0, 0.8, N), 4)  # ml
READ = np.round(VOLUMES * np.exp(np.random.default_rng(6).normal(0, 0.05, N)), 4)  # by somebody else, within 5 %
TILS = np.round(np.argsort(np.argsort(VOLUMES * np.random.default_rng(7).lognormal(0, 0.4, N))) * 2.0)  # percent
VOLUME = """
[volume]
relation = "same"
at_least = 0.9
[volume.derived]
table = "tumor_masks"
column = "volume_ml"
where = { time_point = "T0" }
unit = "ml"
[volume.measured]
file = "volumes.csv"
patient = "ID"
column = "volume"
"""
RANK = """
[lymphocytes]
relation = "rank"
at_least = 0.5
[lymphocytes.derived]
table = "tumor_abundances"
column = "abundance"
where = { population = "Cytotoxic lymphocytes" }
[lymphocytes.measured]
file = "tils.csv"
patient = "ID"
column = "TIL"
"""


def fill(root: Path, volumes=VOLUMES) -> None:
    """Patients, an examination of each with a tumour, a second one of the first patient, and an abundance of each."""
    with sqlite3.connect(root / "study.db") as database:
        for name, ml in zip(NAMES, volumes, strict=True):
            database.execute("INSERT INTO patients (patient_id, collection) VALUES (?, 'c')", (name,))
            visit(database, name, "T0", None if np.isnan(ml) else float(ml))
            columns = "patient_id, population, unit, transform, abundance, unit_id"
            for population, value in (("Cytotoxic lymphocytes", np.log2(VOLUMES[NAMES.index(name)])), ("T cells", 1.0)):
                database.execute(
                    f"INSERT INTO tumor_abundances ({columns}) VALUES (?, ?, 'tpm', 'log2', ?, ?)",
                    (name, population, float(value), NAMES.index(name)),
                )
        visit(database, "P-00", "T1", 99.0)
    database.close()


def visit(database, name: str, time_point: str, ml: float | None) -> None:
    uid = f"1.2.{NAMES.index(name)}.{time_point[1]}"
    database.execute("INSERT INTO imaging_studies (study_uid, patient_id, collection, time_point) VALUES (?, ?, 'c', ?)",
                     (uid, name, time_point))  # fmt: skip
    status, reason = ("given", None) if ml is not None else ("failed", "nobody drew it")
    columns = "study_uid, status, n_outlines, volume_ml, side, reason, unit_id"
    database.execute(
        f"INSERT INTO tumor_masks ({columns}) VALUES (?, ?, 1, ?, 'left', ?, ?)",
        (uid, status, ml, reason, 2 * NAMES.index(name) + int(time_point[1])),
    )


def csv(path: Path, values, column: str = "volume", names=NAMES) -> None:
    lines = [f"{name},{value}" for name, value in zip(names, values, strict=True)]
    path.write_text("\n".join([f"ID,{column}", *lines]) + "\n", encoding="utf-8")


@pytest.fixture
def made(empty_study) -> Study:
    fill(empty_study.root)
    csv(empty_study.root / "volumes.csv", READ)
    csv(empty_study.root / "tils.csv", TILS, "TIL")
    declare(empty_study, VOLUME)
    return empty_study


def declare(study: Study, text: str) -> None:
    (study.root / "truths.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def checked(quick):
    """The facts of the only truth of a study, and the exit code."""

    def check(study: Study, code: int | None = None) -> tuple[dict, int]:
        ended = quick("truth", "check", "--json", cwd=study.root, code=code)
        (facts,) = json.loads(ended.stdout)
        return facts, ended.returncode

    return check


def test_a_true_volume_agrees(made, checked, quick):
    facts, code = checked(made)
    assert code == 0 and facts["state"] == "agrees" and facts["n_shared"] == N
    assert facts["ci_lower"] >= 0.9 and facts["explanations"] == [] == facts["exchanged"]
    assert facts["limits"]["bias"] == pytest.approx(float((VOLUMES - READ).mean()))
    together = np.cov(VOLUMES, READ, bias=True)
    by_hand = 2 * together[0, 1] / (together[0, 0] + together[1, 1] + (VOLUMES.mean() - READ.mean()) ** 2)
    shown = quick("truth", "check", cwd=made.root).stdout
    assert "agrees" in shown and " ml (" in shown and f"CCC {by_hand:.3f} (" in shown


def test_millimetres_for_millilitres_disagree_and_are_told(made, checked):
    csv(made.root / "volumes.csv", READ * 1000)
    facts, code = checked(made)
    assert code == 5 and facts["state"] == "disagrees" and facts["exchanged"] == []
    (told,) = facts["explanations"]
    assert told.startswith("wrong unit: measured is 1,000 times as large: mm3 for ml")
    declare(made, VOLUME + "factor = 0.001\n")
    assert checked(made)[0]["state"] == "agrees"


def test_logarithms_for_volumes_disagree_and_are_told(made, checked):
    csv(made.root / "volumes.csv", np.log2(READ))
    facts, code = checked(made)
    assert code == 5 and [t.partition(" (")[0] for t in facts["explanations"]] == [
        "wrong unit: measured is the log2 of derived"
    ]


def test_two_exchanged_patients_disagree_and_are_named(made, checked):
    values = READ.copy()
    a, b = int(np.argmin(VOLUMES)), int(np.argmax(VOLUMES))
    values[[a, b]] = values[[b, a]]
    csv(made.root / "volumes.csv", values)
    facts, code = checked(made)
    assert code == 5 and facts["state"] == "disagrees"
    assert facts["exchanged"] == [sorted((NAMES[a], NAMES[b]))] and "2 look exchanged" in facts["why"]


def test_two_exchanged_patients_of_like_volume_are_named_though_the_figure_is_good(made, checked):
    values = READ.copy()
    order = np.argsort(VOLUMES)
    a, b = order[N // 2], order[N // 2 + 12]
    values[[a, b]] = values[[b, a]]
    csv(made.root / "volumes.csv", values)
    facts, code = checked(made)
    assert facts["ci_lower"] > 0.9, "the figure alone would be green"
    assert code == 5 and facts["exchanged"] == [sorted((NAMES[a], NAMES[b]))]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ([i ^ 1 for i in range(N)], "first with second"),
        ([(i + 1) % N for i in range(N)], "of the next one"),
        ([(i - 1) % N for i in range(N)], "of the one before"),
        (list(range(N))[::-1], "turned around"),
    ],
)
@pytest.mark.parametrize("truth", ["volume", "lymphocytes"])
def test_exchanged_cohorts_disagree_and_the_way_is_told(made, checked, truth, order, words):
    """What P-00 was measured to have is said of another, and so on."""
    file, values, column, text = {
        "volume": ("volumes.csv", READ, "volume", VOLUME), "lymphocytes": ("tils.csv", TILS, "TIL", RANK),
    }[truth]  # fmt: skip
    csv(made.root / file, values[np.argsort(order)], column)
    declare(made, text)
    facts, code = checked(made)
    assert code == 5 and facts["state"] == "disagrees"
    assert [t for t in facts["explanations"] if t.startswith("exchanged")] == facts["explanations"] != []
    assert words in facts["explanations"][0]


def test_a_rank_and_a_wrong_sign(made, checked):
    declare(made, RANK)
    facts, code = checked(made)
    assert code == 0 and facts["state"] == "agrees" and facts["figure"] == "Spearman"
    csv(made.root / "tils.csv", 100 - TILS, "TIL")
    facts, code = checked(made)
    assert code == 5 and facts["state"] == "disagrees" and "wrong sign" in facts["explanations"][0]
    declare(made, RANK.replace('"rank"', '"rank"\nsign = "negative"'))
    assert checked(made)[0]["state"] == "agrees"


def test_too_few_cannot_be_judged(made, checked):
    csv(made.root / "volumes.csv", READ[:9], names=NAMES[:9])
    facts, code = checked(made)
    assert code == 0 and facts["state"] == "cannot be judged" and "9 in common, and 10 are needed" in facts["why"]
    assert facts["n_derived_only"] == N - 9 and facts["n_measured_only"] == 0


def test_an_interval_that_is_too_wide_cannot_be_judged(made, checked):
    csv(made.root / "tils.csv", TILS[:12], "TIL", NAMES[:12])
    declare(made, RANK.replace("0.5", "0.9"))
    facts, code = checked(made)
    assert code == 0 and facts["ci_lower"] < 0.9 <= facts["ci_upper"]
    assert facts["state"] == "cannot be judged" and "too wide" in facts["why"]


def test_who_is_on_one_side_alone_and_who_has_no_value_is_counted(empty_study, checked, quick):
    volumes = VOLUMES.copy()
    volumes[[3, 4]] = np.nan
    fill(empty_study.root, volumes)
    csv(empty_study.root / "volumes.csv", [*READ[:30], "NA", ""], names=[*NAMES[:30], NAMES[30], "Q-01"])
    declare(empty_study, VOLUME)
    facts, _ = checked(empty_study)
    assert (facts["n_shared"], facts["n_derived_only"], facts["n_measured_only"]) == (28, 10, 2)
    assert facts["missing"] == {"derived": {"nobody drew it": 2}, "measured": {"empty": 2}}
    assert "without a derived value: 2 (2 x nobody drew it)" in quick("truth", "check", cwd=empty_study.root).stdout


def test_classes_are_told_apart_by_numbers_or_called_alike(made, checked):
    words = np.where(VOLUMES > np.median(VOLUMES), "large", "small")
    csv(made.root / "volumes.csv", words)
    classes = VOLUME.replace('"same"', '"class"\nhigher = "large"').replace("0.9", "0.8")
    declare(made, classes)
    facts, code = checked(made)
    assert (code, facts["state"], facts["figure"], facts["value"]) == (0, "agrees", "AUC", 1.0)
    assert facts["ci_lower"] == pytest.approx(0.025 ** (1 / 20)), "20 of 20 independent pairs in order, by hand"
    csv(made.root / "volumes.csv", np.where(words == "large", "small", "large"))
    facts, code = checked(made)
    assert code == 5 and "wrong sign" in facts["explanations"][0]

    with sqlite3.connect(made.root / "study.db") as database:
        for name, word in zip(NAMES, words, strict=True):
            status = "negative" if word == "small" else "positive"
            database.execute("UPDATE patients SET er_status = ? WHERE patient_id = ?", (status, name))
    database.close()
    csv(made.root / "volumes.csv", np.where(words == "large", 1, 0))
    kappa = (
        VOLUME.replace('"same"', '"class"').replace('"tumor_masks"', '"patients"').replace('"volume_ml"', '"er_status"')
    )
    kappa = (
        kappa.replace('where = { time_point = "T0" }\nunit = "ml"\n', "")
        + 'codes = { "1" = "positive", "0" = "negative" }\n'
    )
    kappa = kappa.replace("0.9", "0.8")
    declare(made, kappa)
    facts, code = checked(made)
    assert (code, facts["state"], facts["figure"], facts["value"]) == (0, "agrees", "kappa", 1.0)
    declare(made, kappa.replace('"1" = "positive", "0" = "negative"', '"0" = "positive", "1" = "negative"'))
    facts, code = checked(made)
    assert (
        code == 5
        and facts["value"] == pytest.approx(-1.0)
        and "negative and positive are exchanged" in facts["explanations"][0]
    )


def test_both_sides_may_be_of_the_study_and_by_visit_or_examination(made, checked):
    both = """
[itself]
relation = "same"
at_least = 0.9
per = "PER"
[itself.derived]
table = "tumor_masks"
column = "volume_ml"
[itself.measured]
sql = '''SELECT s.patient_id, s.study_uid, s.time_point, 1000 * m.volume_ml AS value
         FROM tumor_masks m JOIN imaging_studies s USING (study_uid)'''
factor = 0.001
"""
    for per in ("visit", "examination"):
        declare(made, both.replace("PER", per))
        facts, code = checked(made)
        assert (code, facts["n_shared"], facts["value"]) == (0, N + 1, 1.0), facts
    declare(made, both.replace("PER", "patient"))
    facts, code = checked(made)
    assert code == 7 and "P-00 stands 2 times" in facts["problem"] and "time_point" in facts["problem"]


def test_a_field_of_a_workbook_is_a_side(made, checked):
    """Whatever a workbook had beside what its map asked for stands in clinical_values, as text."""
    with sqlite3.connect(made.root / "study.db") as database:
        for i, name in enumerate(NAMES):
            for field, value in (("MRI volume", f"{READ[i] * 1000}"), ("MRI LD", f"{np.cbrt(READ[i])}"), ("Site", "A")):
                columns = "source_file_id, line, field, patient_id, value"
                database.execute(
                    f"INSERT INTO clinical_values ({columns}) VALUES (1, ?, ?, ?, ?)", (i, field, name, value)
                )
    database.close()
    text = VOLUME[: VOLUME.index("[volume.measured]")] + (
        '[volume.measured]\ntable = "clinical_values"\ncolumn = "value"\nwhere = { field = "MRI volume" }\nfactor = 0.001\n'
    )
    declare(made, text)
    facts, code = checked(made)
    assert (code, facts["state"], facts["n_shared"]) == (0, "agrees", N)
    declare(made, text.replace("MRI volume", "MRI LD").replace("factor = 0.001\n", "").replace("same", "rank"))
    assert checked(made)[0]["state"] == "agrees"
    declare(made, text.replace("MRI volume", "Site"))
    assert "clinical_values.value (field Site) is text, such as 'A'" in checked(made, 7)[0]["problem"]
    declare(made, text.replace('where = { field = "MRI volume" }', ""))
    assert "P-00 stands 3 times" in checked(made, 7)[0]["problem"]


def test_the_other_breast_is_told(made, checked):
    """Left and right were exchanged: the measurement is of the other side."""
    with sqlite3.connect(made.root / "study.db") as database:
        for i, (right, left) in enumerate(zip(VOLUMES, np.roll(VOLUMES, 7), strict=True)):
            columns, values = (
                "study_uid, status, right_ml, left_ml, unit_id",
                (f"1.2.{i}.0", float(right), float(left), i),
            )
            database.execute(f"INSERT INTO breast_masks ({columns}) VALUES (?, 'found', ?, ?, ?)", values)
    database.close()
    csv(made.root / "volumes.csv", READ, names=NAMES)
    declare(made, VOLUME.replace("tumor_masks", "breast_masks").replace("volume_ml", "left_ml"))
    facts, code = checked(made)
    (told,) = facts["explanations"]
    assert code == 5 and "left and right are exchanged: derived is breast_masks.right_ml" in told


def test_any_table_is_read_by_a_map(made, checked):
    (made.root / "volumes.csv").write_text(
        "Bericht;;\nPat-Nr;LD (cm);Volumen\n"
        + "".join(f"H{i:02d};{np.cbrt(v):.3f};{v}\n".replace(".", ",") for i, v in enumerate(READ)),
        encoding="utf-8",
    )
    (made.root / "volumes.map.toml").write_text(
        '[table]\nheader_rows = [2]\ndecimal_comma = true\n'
        '[patient_id]\ncolumn = "Pat-Nr"\npattern = "H(\\\\d+)"\ntemplate = "P-{1}"\n'
        '[patients.tumor_size_mm]\ncolumn = "LD (cm)"\nfactor = 10\nsource = "MRI"\n', encoding="utf-8",
    )  # fmt: skip
    measured = 'file = "volumes.csv"\npatient = "ID"\ncolumn = "volume"\n'
    by_map = VOLUME.replace(measured, 'file = "volumes.csv"\nmap = "volumes.map.toml"\ncolumn = "tumor_size_mm"\n')
    declare(made, by_map.replace('"same"', '"rank"'))
    facts, code = checked(made)
    assert code == 0 and facts["n_shared"] == N and facts["value"] > 0.99, facts["problem"]
    declare(made, by_map.replace('"tumor_size_mm"', '"Volumen"'))
    facts, code = checked(made)
    assert (
        code == 0
        and facts["state"] == "agrees"
        and facts["limits"]["bias"] == pytest.approx(float((VOLUMES - READ).mean()))
    )
    declare(made, by_map.replace('"tumor_size_mm"', '"Volume"'))
    facts, code = checked(made)
    assert code == 7 and "Did you mean Volumen" in facts["problem"]


REFUSED = {
    "unknown column": (('"volume"', '"volumen"'), "volumes.csv:1: no column 'volumen'. Did you mean volume?"),
    "unknown table": (('"tumor_masks"', '"tumour_masks"'), "no table 'tumour_masks'. Did you mean tumor_masks"),
    "unknown derived column": (('"volume_ml"', '"volum_ml"'), "tumor_masks has no column 'volum_ml'. Did you mean volume_ml"),
    "text": (('"volume_ml"', '"side"'), "tumor_masks.side (time_point T0) is text, such as 'left'; expected numbers"),
    "unknown where": (("time_point =", "timepoint ="), "no column 'timepoint' for where. Did you mean time_point"),
    "nobody": (('"T0"', '"T7"'), "no row of tumor_masks.volume_ml (time_point T7)"),
    "no such file": (('"volumes.csv"', '"volume.csv"'), "volume.csv: no such file"),
    "a workbook": (('"volumes.csv"', '"volumes.xlsx"'), "a workbook is read by a map"),
    "no key": (('"tumor_masks"', '"marker_genes"'), "marker_genes knows no patient_id"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_says_so_in_one_line(made, checked, name):
    change, message = REFUSED[name]
    assert change[0] in VOLUME
    declare(made, VOLUME.replace(*change))
    facts, code = checked(made)
    assert code == 7 and facts["state"] is None and message in facts["problem"] and "\n" not in facts["problem"]
    assert facts["problem"].startswith(str(made.root))


def test_a_patient_who_stands_twice_is_refused(made, checked):
    csv(made.root / "volumes.csv", [*READ, 3.0], names=[*NAMES, NAMES[4]])
    assert "P-04 stands 2 times (lines 6, 42); expected one row a patient" in checked(made, 7)[0]["problem"]


def test_rows_of_a_file_are_chosen_by_its_columns(made, checked):
    """Two readers: of one of them each patient has one row."""
    lines = [f"{name};{value};{reader}" for name, value in zip(NAMES, READ, strict=True) for reader in ("A", "B")]
    (made.root / "volumes.csv").write_text(
        "\n".join(["ID;volume;reader", *lines, "P-00;99;C"]) + "\n", encoding="utf-8"
    )
    assert "P-00 stands 3 times" in checked(made, 7)[0]["problem"]
    declare(made, VOLUME + 'where = { reader = "B" }\n')
    assert checked(made)[0]["state"] == "agrees"
    declare(made, VOLUME + 'where = { reader = ["B", "C"] }\n')
    assert "P-00 stands 2 times" in checked(made, 7)[0]["problem"]
    declare(made, VOLUME + 'where = { read_by = "B" }\n')
    assert "no column 'read_by'" in checked(made, 7)[0]["problem"]


def test_text_in_a_column_of_numbers_is_refused_with_its_line(made, checked):
    csv(made.root / "volumes.csv", [*READ[:-1], "large"])
    assert "volumes.csv: volume is text, such as 'large' (line 41)" in checked(made, 7)[0]["problem"]


ENTRIES = {
    "at_least": ("at_least = 0.9\n", "", "found nothing, but field required. There can be relation, at_least"),
    "relation": ('"same"', '"equal"', "[volume] relation: found 'equal', but input should be 'same', 'rank' or 'class'"),
    "unknown word": ("unit =", "units =", "derived.units: found 'ml', but extra inputs are not permitted. There can be table"),
    "two places": ('patient = "ID"', 'sql = "SELECT 1"', "found sql and file. Say one of table, sql, file and series"),
    "no patient": ('patient = "ID"\n', "", "no word of which column names the patient"),
    "sign": ("at_least", 'sign = "negative"\nat_least', "sign is of rank, and this is same"),
    "no TOML": ("[volume]", "[volume", "not TOML"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_that_says_nonsense_is_refused_in_one_line(made, quick, name):
    old, new, message = ENTRIES[name]
    assert old in VOLUME
    declare(made, VOLUME.replace(old, new, 1))
    said = quick("truth", "check", cwd=made.root, code=7).stderr
    assert message in said and said.count("\n") == 1 and "truths.toml" in said


ADD = ("truth", "add", "volume", "--relation", "same", "--at-least", "0.9", "--derived", "tumor_masks.volume_ml",
       "--derived-where", "time_point=T0", "--file", "volumes.csv", "--patient", "ID", "--column", "volume")  # fmt: skip


def test_add_writes_what_check_reads(made, quick, checked):
    declare(made, "# mine\n")
    said = quick(*ADD, "--unit", "ml", "--about", "read by A", cwd=made.root)
    assert "agrees" in said.stdout and "stands in truths.toml" in said.stderr
    text = (made.root / "truths.toml").read_text()
    assert text.startswith("# mine\n\n[volume]\n") and 'where = { "time_point" = "T0" }' in text
    facts, code = checked(made)
    assert (code, facts["state"], facts["n_shared"]) == (0, "agrees", N)
    (listed,) = json.loads(quick("truth", "list", "--json", cwd=made.root).stdout)
    assert listed["derived"] == "tumor_masks.volume_ml (time_point T0)" and listed["about"] == "read by A"
    assert "there already" in quick(*ADD, cwd=made.root, code=2).stderr
    assert (made.root / "truths.toml").read_text() == text


def test_add_writes_nothing_where_a_side_cannot_be_read_or_nobody_is_shared(made, quick):
    (made.root / "truths.toml").unlink()
    assert (
        "P-00 stands 2 times"
        in quick(*(w for w in ADD if w not in ("--derived-where", "time_point=T0")), cwd=made.root, code=7).stderr
    )
    csv(made.root / "volumes.csv", READ, names=[n.replace("P-", "Q-") for n in NAMES])
    assert "the sides share no patient: 40 derived, 40 measured" in quick(*ADD, cwd=made.root, code=7).stderr
    assert not (made.root / "truths.toml").exists()
    assert "no truths" in quick("truth", "check", cwd=made.root).stdout


def test_an_unknown_name_is_refused_with_what_was_meant(made, quick):
    assert "no truth 'volum'. Did you mean volume?" in quick("truth", "check", "volum", cwd=made.root, code=8).stderr


def test_one_that_cannot_be_read_keeps_no_other_from_its_verdict(made, quick):
    declare(made, VOLUME.replace("volumes.csv", "gone.csv") + RANK)
    found = {f["truth"]: f for f in json.loads(quick("truth", "check", "--json", cwd=made.root, code=7).stdout)}
    assert found["volume"]["problem"] and found["lymphocytes"]["state"] == "agrees"
    csv(made.root / "tils.csv", 100 - TILS, "TIL")
    assert quick("truth", "check", cwd=made.root, code=5).stdout.count("disagrees") == 1


def test_features_of_others_are_a_side(study, quick, checked):
    """Of the tiny study: imported features against themselves, in SQL, by visit."""
    from tests.support.tiny import FEATURES

    feature = next(iter(json.loads(study.sql("SELECT features FROM imported_features LIMIT 1").iloc[0, 0])))
    assert len(FEATURES) == 8
    declare(
        study,
        f"""
[published]
relation = "same"
at_least = 0.9
per = "visit"
[published.derived]
table = "imported_features"
feature = "{feature}"
[published.measured]
sql = '''SELECT patient_id, time_point, features->>'$."{feature}"' AS value FROM imported_features'''
""",
    )
    facts, code = checked(study)
    assert (code, facts["n_shared"], facts["value"]) == (0, 10, 1.0), facts
    declare(
        study,
        (study.root / "truths.toml").read_text().replace(f'feature = "{feature}"', 'feature = "tumor.S0.glcm.Nothing"'),
    )
    assert "no value of the feature" in checked(study, 7)[0]["problem"]


def test_the_example_of_the_page_is_one(tmp_path):
    page = (ROOT / "docs" / "truths.md").read_text(encoding="utf-8")
    (tmp_path / "truths.toml").write_text(page.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    found = {one.name: one.truth for one in declared_truths(tmp_path)}
    assert found["volume"].measured.factor == 0.001 and found["lymphocytes"].relation == "rank"


def test_abundances_of_profiles_come_to_patients_over_their_samples(core, checked):
    """Of the tiny study: the profile that is selected of the tumour has the abundance that tsh_ratios took."""
    text = """
[abundance]
relation = "same"
at_least = 0.9
[abundance.derived]
table = "cell_abundances"
column = "abundance"
where = { population = "Cytotoxic lymphocytes", compartment = "tumor", is_selected = true }
[abundance.measured]
table = "tsh_ratios"
column = "tumor_abundance"
where = { population = ["Cytotoxic lymphocytes"] }
"""
    declare(core, text)
    facts, code = checked(core)
    assert (code, facts["n_shared"], facts["value"]) == (0, 10, 1.0), facts
    declare(core, text.replace('compartment = "tumor"', 'compartment = "stroma"'))
    facts, _ = checked(core)
    assert facts["state"] != "agrees" and facts["n_shared"] == 10
    declare(core, text.replace(', compartment = "tumor"', ""))
    assert "stands 2 times" in checked(core, 7)[0]["problem"]


def test_check_reads_each_truth_once(made, monkeypatch):
    declare(made, VOLUME.replace("volumes.csv", "gone.csv") + RANK)
    csv(made.root / "tils.csv", 100 - TILS, "TIL")
    read = []
    true_judged = judging.judged

    def counted(study: Study, declared):
        read.append(declared.name)
        return true_judged(study, declared)

    monkeypatch.setattr(judging, "judged", counted)
    found = {b.rule.name: b.problems for b in check(made, full=True).broken}
    assert sorted(read) == ["lymphocytes", "volume"]
    assert "[lymphocytes]" in found["truth.disagrees"][0].where and len(found["truth.unreadable"]) == 1
