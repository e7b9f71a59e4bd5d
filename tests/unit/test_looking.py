"""Names of patients in texts: however they are written, and nothing else."""

from __future__ import annotations

import time

import pytest

from tshdb.pages.report.looking import Looking

PATIENT, SAMPLE = "TCGA-A7-A0CE", "TCGA-A7-A0CE-11A"
NAMES = {
    PATIENT: "patient id", SAMPLE: "sample id", "SUBJ-004711": "patient id", "88123456": "record number", "P17": "patient id",
    "17": "patient id", "患者甲": "patient id", "ผู้ป่วย": "patient id", "Łucja Nowak": "name", "ISPY1_1001": "patient id",
}  # fmt: skip


@pytest.fixture(scope="module")
def looking() -> Looking:
    return Looking(NAMES)


@pytest.mark.parametrize(
    "text",
    [
        PATIENT, "tcga-a7-a0ce", "TCGA.A7.A0CE", "TCGA_A7_A0CE", "TCGAA7A0CE", "TCGA A7 A0CE", "TCGA-A7\u2010A0CE",
        "TCGA-A7-\u200bA0CE", "such as TCGA-A7-A0CE-01A-11R-A00Z-07,", "raw/TCGA-A7-A0CE/1-1.dcm", "x_TCGA-A7-A0CE_y",
        "SUBJ 004711", "subj004711", "number 004711 of", "MRN 88123456", "0088123456", "ispy1-1001", "patient P17", "Patient: 17",
        "P17", "Łucja Nowak", "WHERE patient_id = '患者甲'", "排除患者甲和乙", "ผู้ป่วย 3",
        "1.3.6.1.4.1.14519.5.2.1.3344.4002", "seen 2.25.288728268091429061253553250085489856.",
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_written(looking, text):
    assert looking.within(text), text


@pytest.mark.parametrize(
    "text",
    [
        "TCGA-A7", "TCGA-A7-A0CF", "xTCGAA7A0CE9", "17 patients, n = 17", "0.88123456", "1,88123456", "88,123,456",
        "p17 beside p18", "患者",
        "4711", "ISPY1", "1.2.840.10008.5.1.4.1.1.4", "1.2.3", "łucja nowak", "patients 17 of 20", "hazard ratio 0.1700",
    ],
)  # fmt: skip
def test_what_is_no_name_is_left(looking, text):
    assert looking.within(text) == [], text


def test_a_name_is_found_with_what_hangs_on_it_and_once(looking):
    text = f"{PATIENT}-01A-11R and {SAMPLE}"
    assert [(text[f.start : f.end], f.kind) for f in looking.within(text)] == [
        (f"{PATIENT}-01A-11R", "patient id"),
        (SAMPLE, "patient id"),
    ]


def test_many_names_take_no_longer_than_few():
    """Each word is looked up in a set: ten thousand patients cost what ten do."""
    text = "the quick brown fox has 17 cells, p = 0.05; " * 3_000
    took = []
    for n in (10, 10_000):
        looking = Looking({f"TCGA-{i:04d}-Z": "patient id" for i in range(n)})
        in_runs = Looking({f"患者{i:04d}号": "patient id" for i in range(n)})
        started = time.process_time()
        assert looking.within(text) == []
        assert in_runs.within(f"{text}患者组 5") == []
        took.append(time.process_time() - started)
    assert took[1] < 5 * took[0] + 0.2
