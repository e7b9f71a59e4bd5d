"""A plan is true, and causes are: a few histories of random changes, and chosen ones. The rest: `make soak PART=truth`."""

from __future__ import annotations

import pytest

from tests.support import tiny, truth
from tests.support.made_changes import SECOND, defined, edited, expression, frozen, patient, setting
from tests.support.truth import Step

HISTORIES = [("core", 0, 6), ("before images", 4, 3)]  # analyses, seed, changes


@pytest.mark.parametrize(("world", "seed", "n_changes"), HISTORIES)
def test_what_is_said_of_a_rebuild_is_true(tmp_path, world, seed, n_changes):
    assert list(truth.history(tmp_path, seed, n_changes, world)) == []


NO_MARKER = edited("analyses.expression.cell_abundances.NO_MARKER")  # its values come out as they were
WOMEN = "SELECT patient_id FROM patients WHERE sex = 'female'"
EXAMPLES = {
    "fits behind what a parameter began": ("before images", [Step((setting("cutoff", "method", '"fixed"'),))]),
    "a fit that fails, and is mended by a parameter": ("core", [
        Step((setting("cutoff", "unit", '"tpm"'),)), Step(), Step((setting("cutoff", "unit", None),)),
    ]),
    "data after a parameter that changed nothing": ("core", [
        Step((setting("gene_filter", "absent_fraction", "0.9"),)), Step((expression(6, "tumor", "DCN", 1.5),)),
    ]),
    "data that flagged a fit, then code that changes nothing": ("core", [
        Step((expression(1, "stroma", "CD6", 1.5),)), Step((NO_MARKER,)),
        Step((setting("tsh_ratios", "min_denominator", "3.0"),)),
    ]),
    "a replicate, and code": ("core", [
        Step((NO_MARKER, patient(2, replicate=dict.fromkeys(tiny.GENES, 7.5)))),
    ]),
    "another population, and back": ("core", [
        Step((setting("cutoff", "population", '"T cells"'), setting("cutoff", "method", '"fixed"'))),
        Step((setting("cutoff", "population", '"Cytotoxic lymphocytes"'),)),
    ]),
    "a member who leaves by RNA, and a version without": ("core", [
        Step((patient(5, tumor=None),)), Step((frozen(tiny.COHORT),)),
    ]),
    "a live cohort whose members are others": ("core", [
        Step((patient(3, days=None, is_dead=True),)), Step((defined(tiny.LIVE, WOMEN),)),
    ]),
    "a cohort that is named before it is there": ("core", [
        Step((setting("univariable_cox", "cohorts", '["second"]'),)), Step((defined(SECOND, WOMEN),)),
    ]),
    "a fit whose cohort is not there, which something stands in for": ("core", [
        Step((setting("gene_filter", "cohort", '"second"'),)),
    ]),
    "images prepared otherwise, and a mask, and images": ("all", [
        Step((setting("prepared_images", "across_mm", "1.0"),)), Step((patient(3, mask=2), patient(3, images=2))),
    ]),
    "another marker table by a parameter": ("core", [Step((setting("cell_abundances", "markers", '"mcp_counter"'),))]),
}  # fmt: skip


LONG = {"images prepared otherwise, and a mask, and images"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.long) if n in LONG else n for n in EXAMPLES])
def test_chosen_changes(tmp_path, name):
    assert list(truth.example(tmp_path, *EXAMPLES[name])) == []
