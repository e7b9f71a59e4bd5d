"""Tables of archives: the GDC's clinical table, the TCGA-CDR as Xena gives it, features of PyRadiomics."""

from __future__ import annotations

import pytest

from tests.ingest.zoo.judge import CLEAN, DRY, E, Found, Refused, W, judge, look_at_patients, written
from tshdb.actions import ingest

HEADER = [
    "case_id", "case_submitter_id", "project_id", "age_at_index", "gender", "vital_status", "days_to_death",
    "days_to_last_follow_up",
    "age_at_diagnosis",
]  # fmt: skip
NONE = "'--"


def gdc(row: int = 0, header=HEADER, **cells: str) -> str:
    """Nine cases, one of which has other cells. Every third is dead, on day 200 + 90 i."""
    lines = [header]
    for i in range(1, 10):
        is_dead = i % 3 == 0
        case = dict(zip(HEADER, (
            f"u{i}", f"TCGA-Z1-Q{i:03d}", "TCGA-BRCA", str(50 + i), "female", "Dead" if is_dead else "Alive",
            str(200 + 90 * i) if is_dead else NONE, NONE if is_dead else str(300 + 91 * i), str((50 + i) * 365 + 100),
        ), strict=True))  # fmt: skip
        lines.append(list((case | (cells if i == row else {})).values()))
    return "".join("\t".join(line) + "\n" for line in lines)


AGE = "clinical.age"
GDC = {
    **{
        f"an age of {age}": (gdc(3, age_at_index=age), Found(AGE, E, "between 0 and 120", 4))
        for age in ("255", "-1", "19000", ">89")
    },
    **{
        f"days of an age of {days}": (gdc(3, age_at_index=NONE, age_at_diagnosis=days), Found(AGE, E, "expected days", 4))
        for days in ("1000000", "-5", "sixty", "53 years")
    },
    "years of an age where days belong": (gdc(3, age_at_index=NONE, age_at_diagnosis="53"), Found(AGE, W, "are these years", 4)),
    "another word for dead": (gdc(3, vital_status="DECEASED"), Found("clinical.vital-status", E, line=4)),
    "a code for dead": (gdc(3, vital_status="1"), Found("clinical.vital-status", E, line=4)),
    "alive with a day of death": (gdc(3, vital_status="Alive"), Found("clinical.alive-with-death", W, line=4)),
    "dead before the diagnosis": (
        gdc(3, days_to_death="-3"), Found("clinical.negative-days", W, line=4, also=("follow-up.event-without-day",)),
    ),
    "days with their unit": (gdc(3, days_to_death="470 days"), Found("clinical.not-a-number", E, line=4)),
    "a sex that is none": (gdc(3, gender="X"), Found("word.unknown", W, line=4)),
    "a case of another project": (gdc(3, project_id="TCGA-THCA"), Found("clinical.other-project", E, line=4)),
    "a header alone": ("\t".join(HEADER) + "\n", Found("text.no-rows", W)),
    "no column of the vital status": (gdc(header=[h.replace("vital_status", "status") for h in HEADER]), Refused("vital_status")),
    "the vital status twice": (gdc(header=[*HEADER[:-1], "vital_status"]), Refused("'vital_status' stands 2 times")),
}  # fmt: skip


@pytest.mark.parametrize("trap", GDC)
def test_the_gdcs_table(zoo_study, tmp_path, trap):
    data, verdict = GDC[trap]
    judge(look_at_patients(zoo_study, tmp_path, data, name="clinical.tsv", collection="tcga-brca"), verdict)


ODD = {
    "decimals of days": gdc(3, days_to_death="470.0"), "another spelling": gdc(3, vital_status="dead", gender="F"),
    "not reported": gdc(3, age_at_index=NONE, age_at_diagnosis=NONE, gender="not reported"),
    "tabs at all lines' ends": gdc().replace("\n", "\t\n"), "commas": gdc().replace("\t", ","), "a mark": "\ufeff" + gdc(),
    "blanks in the header": gdc(header=[h + " " for h in HEADER]),
    "prefixes": gdc(header=[
        "cases.case_id", "cases.submitter_id", "project.project_id", "demographic.age_at_index", "demographic.gender",
        "demographic.vital_status", "demographic.days_to_death", "diagnoses.days_to_last_follow_up", "diagnoses.age_at_diagnosis",
    ]),
}  # fmt: skip


@pytest.mark.parametrize("make", ODD)
def test_the_gdcs_table_looks_odd_and_is_right(zoo_study, tmp_path, make):
    judge(look_at_patients(zoo_study, tmp_path, ODD[make], name="clinical.tsv", collection="tcga-brca"), CLEAN)


CDR_HEADER = "sample\t_PATIENT\tOS\tOS.time\tRedaction\n"


def cdr(row: str) -> str:
    return f"{CDR_HEADER}TCGA-Z1-Q009-01\tTCGA-Z1-Q009\t0\t800\t\n{row}\n"


CDR = {
    "a code of its own": (cdr("TCGA-Z1-Q001-01\tTCGA-Z1-Q001\t2\t300\t"), Found("clinical.not-a-number", E, "0 or 1", 3)),
    "a word for the code": (cdr("TCGA-Z1-Q001-01\tTCGA-Z1-Q001\tTRUE\t300\t"), Found("clinical.not-a-number", E, line=3)),
    "a sample of another patient": (
        cdr("TCGA-Z1-Q001-01\tTCGA-Z1-Q002\t1\t300\t"), Found("clinical.other-patient", E, "TCGA-Z1-Q001-01", 3),
    ),
    "no patient": (cdr("TCGA-Z1-Q001-01\t\t1\t300\t"), Found("id.no-patient", E, line=3)),
    "a day before the diagnosis": (
        cdr("TCGA-Z1-Q001-01\tTCGA-Z1-Q001\t1\t-3\t"),
        Found("clinical.negative-days", W, line=3, also=("follow-up.event-without-day",)),
    ),
    "two samples that disagree": (
        cdr("TCGA-Z1-Q009-11\tTCGA-Z1-Q009\t1\t801\t"), Found("clinical.rows-disagree", E, "says '0'", 3),
    ),
    "months": (
        CDR_HEADER + "".join(f"TCGA-Z1-Q{i:03d}-01\tTCGA-Z1-Q{i:03d}\t{i % 2}\t{3 + 7 * i}\t\n" for i in range(1, 12)),
        Found("follow-up.not-days", W),
    ),
    "decimals of pandas": (cdr("TCGA-Z1-Q001-01\tTCGA-Z1-Q001\t1.0\t300.0\t"), CLEAN),
    "nothing known": (cdr("TCGA-Z1-Q001-01\tTCGA-Z1-Q001\tNA\t#N/A\t"), CLEAN),
    "two samples that agree": (cdr("TCGA-Z1-Q009-11\tTCGA-Z1-Q009\t0\t800\t"), CLEAN),
    "Xena's older columns": ("sampleID\t_EVENT\t_TIME_TO_EVENT\nTCGA-Z1-Q001-01\t1\t300\n", Refused("no file that is known")),
}  # fmt: skip


@pytest.mark.parametrize("trap", CDR)
def test_the_cdr(zoo_study, tmp_path, trap):
    data, verdict = CDR[trap]
    judge(look_at_patients(zoo_study, tmp_path, data, name="survival.txt"), verdict)


FEATURES = "patient_id,tumor_S0_original_glcm_Idmn,tumor_S0_original_glcm_MCC\n"
UNKNOWN = ("features.settings-unknown",)
TABLES = {
    **{
        f"{cell} for a feature": (FEATURES + f'P-001,"{cell}",0.6\n', Found("features.no-number", E, line=2, also=UNKNOWN))
        for cell in (
            "inf", "high", "[0.5]", "array(0.5)", "tensor(0.5)", "(0.5+0j)", "0,5", "1e400", "#REF!", "<0.1", "50%", "True",
        )
    },
    "a patient twice": (FEATURES + "P-001,0.5,0.6\nP-001,0.7,0.8\n", Found("features.twice", E, "line 2", 3, UNKNOWN)),
    "a mean below": (FEATURES + "P-001,0.5,0.6\nMean,0.5,0.6\n", Found("id.summary", E, line=3, also=UNKNOWN)),
    "a path for a patient": (FEATURES + "/data/P-001/mask.nii.gz,0.5,0.6\n", Found("id.path", E, line=2, also=UNKNOWN)),
    "a number for a patient": (FEATURES + "1.2E+11,0.5,0.6\n", Found("id.number", E, line=2, also=UNKNOWN)),
    "no patient": (FEATURES + ",0.5,0.6\n", Found("id.no-patient", E, line=2, also=UNKNOWN)),
    "two spellings of a patient": (FEATURES + "P-001,0.5,0.6\np-001,0.7,0.8\n", Found("id.alike", W, also=UNKNOWN)),
    "a header alone": (FEATURES, Found("text.no-rows", W, also=UNKNOWN)),
    "features down and patients across": ("feature,P-001\noriginal_glcm_Idmn,0.5\n", Refused("no column names the patients")),
    "no patients' column": (FEATURES.replace("patient_id", "file") + "a.nii,0.5,0.6\n", Refused("no column names the patients")),
    "a feature twice": ("patient_id,original_glcm_MCC,original_glcm_MCC\nP-001,1,2\n", Refused("MCC is there twice")),
    "no place": ("patient_id,original_glcm_MCC\nP-001,0.5\n", Found("features.place-unknown", E, line=2, also=UNKNOWN)),
    "another column": (
        FEATURES.replace("\n", ",note\n") + "P-001,0.5,0.6,x\n", Found("features.other-columns", W, "note", also=UNKNOWN),
    ),
}  # fmt: skip


@pytest.mark.parametrize("trap", TABLES)
def test_a_table_of_features(zoo_study, tmp_path, trap):
    data, verdict = TABLES[trap]
    path = written(tmp_path, "f.csv", data)
    judge(lambda: ingest.features(zoo_study, path, "own", how=DRY), verdict)


def test_without_a_trap_there_is_no_finding(zoo_study, tmp_path):
    judge(look_at_patients(zoo_study, tmp_path, gdc(), name="clinical.tsv", collection="tcga-brca"), CLEAN)
    judge(
        look_at_patients(zoo_study, tmp_path, CDR_HEADER + "TCGA-Z1-Q001-01\tTCGA-Z1-Q001\t1\t300\t\n"), CLEAN
    )  # fmt: skip
