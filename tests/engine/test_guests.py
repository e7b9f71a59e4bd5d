"""Analyses that are not this program's are units as ours: planned, computed, described, followed, altered, forgotten."""

from __future__ import annotations

import json
import math
import re

import pytest

from tests.support import guests, tiny
from tshdb.actions.checking import check
from tshdb.actions.explaining import why
from tshdb.engine.compute import seed_of
from tshdb.errors import InvalidInput

PURITIES, MEDIANS = "xy_purities", "xy_median_ratios"


def _abundances(study) -> dict[str, float]:
    frame = study.sql("SELECT profile_id, avg(abundance) AS mean FROM cell_abundances GROUP BY ALL")
    return dict(zip(frame["profile_id"], frame["mean"], strict=True))


def _purities(study) -> dict[str, float]:
    frame = study.sql(f"SELECT profile_id, purity FROM {PURITIES}")
    return dict(zip(frame["profile_id"], frame["purity"], strict=True))


def test_a_file_in_the_study_is_planned_computed_and_followed(core):
    guests.put(core, "purities")
    at_first = guests.due(core)
    assert at_first == {"purities": set(_abundances(core))}
    assert guests.made(core).report.computed == {"purities": 20}
    expected = {p: math.cos(0.6049872018 + 0.1467884 * mean) for p, mean in _abundances(core).items()}
    assert _purities(core) == pytest.approx(expected, abs=1e-11)
    assert guests.due(core) == {} and guests.made(core).n_computed == 0
    guests.put(core, purities=guests.text("purities").replace("0.6049872018 +", "0.5 +"))
    facts = guests.planned(core).facts
    assert guests.due(core) == at_first
    assert [c["says"] for c in facts["causes"]] == [
        "the definition study_analyses.purities.purities changed"
    ] or re.fullmatch(r"the definition \S+\.purities changed", facts["causes"][0]["says"])
    guests.made(core)
    assert _purities(core) == pytest.approx({p: math.cos(0.5 + 0.1467884 * m) for p, m in _abundances(core).items()})
    assert check(guests.fresh(core)).broken == []


def test_a_comment_changes_nothing_and_a_setting_does(core):
    guests.put(core, "purities")
    guests.made(core)
    guests.put(core, purities="# a comment\n" + guests.text("purities"))
    assert guests.due(core) == {}
    guests.changed(core, "", "\n[purities]\nscale = 900.0\n")
    planned = guests.planned(core).facts
    assert len(guests.due(core)["purities"]) == 20
    assert any("[purities] scale: 1000.0 -> 900.0" in c["says"] for c in planned["causes"])
    guests.changed(core, "scale = 900.0", "skale = 900.0")
    with pytest.raises(InvalidInput, match="skale"):
        guests.planned(core)


def test_summary_fit_and_apply_are_those_of_the_engine(core):
    guests.put(core, "median_ratios", "mean_model")
    guests.made(core)
    frame = core.sql("SELECT population, median(value) AS median, count(value) AS n FROM tsh_ratios JOIN cohort_members "
                     f"USING (patient_id) WHERE cohort = '{tiny.COHORT}' GROUP BY ALL ORDER BY ALL")  # fmt: skip
    mine = core.sql(f"SELECT population, median, n FROM {MEDIANS} WHERE cohort = '{tiny.COHORT}@1' ORDER BY ALL")
    assert (
        mine["median"].tolist() == pytest.approx(frame["median"].tolist()) and mine["n"].tolist() == frame["n"].tolist()
    )
    (model,) = core.sql("SELECT mean, jitter FROM xy_mean_models").itertuples(index=False)
    import numpy as np

    assert model.jitter == pytest.approx(np.random.default_rng(seed_of(20230901, "mean_model", tiny.COHORT)).random())
    before = tiny.dump(core)
    archive = tiny.TinyArchive.make(10)
    name = archive.add(10)
    tiny.ingest(core, archive, images=False)
    guests.made(core)
    after = tiny.dump(core)
    assert after["xy_mean_models"] == before["xy_mean_models"], "a new patient is scored by the frozen model"
    assert len(after["xy_mean_scores"]) == len(before["xy_mean_scores"]) + 1
    assert sum(name in line for line in after["xy_mean_scores"]) == 1
    archive.set_value(next(iter(archive.patients)), "tumor", "CD3D", 500.0)
    tiny.ingest(core, archive, images=False)
    guests.made(core)
    facts = guests.planned(core).facts
    (fit,) = (a for a in facts["analyses"] if a["analysis"] == "mean_model")
    assert not fit["units"] and fit["flagged"] == {f"{tiny.COHORT}@1": {"corrected": 1, "members": 10}}
    guests.made(core, refit=True)
    assert tiny.dump(core)["xy_mean_models"] != before["xy_mean_models"]


def test_workers_do_not_matter(core, tmp_path):
    other = tiny.copy_study(core, tmp_path / "other")
    for study, n_workers in ((core, 1), (other, 2)):
        guests.put(study, "purities", "mean_model")
        guests.made(study, n_workers=n_workers)
    assert tiny.dump(core) == tiny.dump(other)


def test_an_input_is_the_column_that_study_toml_names(core):
    guests.put(core, "label_means")
    guests.made(core)
    assert core.sql("SELECT label FROM xy_label_means")["label"].tolist() == ["female"]
    guests.changed(core, "", '\n[label_means]\nlabel = "survival_groups.prognosis"\n')
    assert guests.due(core) == {"label_means": {f"{tiny.COHORT}@1"}}
    guests.made(core)
    by_hand = core.sql(
        "SELECT prognosis AS label, avg(r.value) AS mean, count(*) AS n FROM tsh_ratios r JOIN survival_groups g "
        "USING (patient_id) GROUP BY ALL ORDER BY ALL"
    )
    table = core.sql("SELECT label, mean, n FROM xy_label_means ORDER BY label")
    assert table["label"].tolist() == by_hand["label"].tolist() and table["n"].tolist() == by_hand["n"].tolist()
    assert table["mean"].tolist() == pytest.approx(by_hand["mean"].tolist())
    (row,) = (a for a in guests.planned(core).facts["analyses"] if a["analysis"] == "label_means")
    assert not row["units"]


@pytest.mark.parametrize(
    "named, says",
    [
        ("patients.sexx", "patients has no column 'sexx'. Did you mean sex?"),
        ("patient.sex", "there is no table 'patient'. Did you mean patients?"),
        ("patients", "patients has no column ''"),
        ("samples.compartment", "'samples' has no row of a patient"),
    ],
)
def test_a_column_that_there_is_not_is_an_error_with_its_line(core, named, says):
    guests.put(core, "label_means")
    guests.changed(core, "", f'\n[label_means]\nlabel = "{named}"\n')
    with pytest.raises(InvalidInput) as error:
        guests.planned(core)
    assert says in str(error.value) and "study.toml line" in str(error.value)


# ---------------------------------------------------------------------------------------------------------------- trust


def test_nothing_of_a_study_runs_that_nobody_trusted(core, quick, tmp_path):
    """Opening, planning, querying, checking: the file would leave a mark."""
    mark = tmp_path / "ran"
    (core.root / "analyses").mkdir()
    (core.root / "analyses/bad.py").write_text(f"open({str(mark)!r}, 'w').close()\n" + guests.text("purities"))
    for words in (("plan",), ("status",), ("sql", "SELECT 1"), ("check", "--fast"), ("why", f"gene_filter/{tiny.COHORT}@1"),
                  ("guests", "list"), ("rebuild",), ("report", "--out", tmp_path / "r.html"), ("schema",)):  # fmt: skip
        said = quick(*words, cwd=core.root, code=None)
        assert not mark.exists(), words
        if words[0] in ("plan", "guests", "check"):
            assert "bad.py" in said.stdout and "tshdb trust" in said.stdout + said.stderr, words
    quick("trust", "--yes", cwd=core.root)
    assert "purities" in quick("plan", cwd=core.root).stdout and mark.exists()
    mark.unlink()
    (core.root / "analyses/bad.py").write_text((core.root / "analyses/bad.py").read_text() + "\n# one more line\n")
    quick("plan", cwd=core.root)
    assert not mark.exists(), "an edit must be trusted again"
    quick("trust", "--yes", cwd=core.root)
    quick("trust", "--revoke", cwd=core.root)
    mark.unlink(missing_ok=True)
    quick("plan", cwd=core.root)
    assert not mark.exists()


def test_compiled_code_beside_a_trusted_file_is_not_run(core, tmp_path):
    """A .pyc that bears the text's own hash, and other code."""
    import importlib.util
    import marshal

    guests.put(core, "purities")
    mark = tmp_path / "ran"
    path = core.root / "analyses/purities.py"
    code = compile(f"open({str(mark)!r}, 'w').close()\n" + path.read_text(), str(path), "exec")
    cached = path.parent / "__pycache__" / f"purities.{importlib.util.sys.implementation.cache_tag}.pyc"
    cached.parent.mkdir()
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(path.read_bytes())
    cached.write_bytes(head + marshal.dumps(code))
    guests.made(core)
    assert not mark.exists() and len(_purities(core)) == 20


def test_trust_is_asked_for_and_no_is_the_answer_of_nobody(core, tshdb):
    (core.root / "analyses").mkdir()
    (core.root / "analyses/purities.py").write_text(guests.text("purities"))
    said = tshdb("trust", cwd=core.root, code=2, TSHDB_HOME=str(core.root.parent / "nobody"))
    assert "purities.py" in said.stdout and "Nothing was trusted" in said.stdout
    facts = json.loads(tshdb("plan", "--json", cwd=core.root, TSHDB_HOME=str(core.root.parent / "nobody")).stdout)
    assert facts["untrusted"] == ["purities.py"]


# ------------------------------------------------------------------------------------------------------- taking a place


def _profiles(study) -> None:
    genes = ("CD3D", "CD5", "GNLY", "KLRD1", "DCN", "COL1A1")
    rows = ["gene,T cells,Cytotoxic lymphocytes,Fibroblasts"]
    rows += [f"{g},{8 if i < 2 else 1},{9 if 2 <= i < 4 else 1},{7 if i > 3 else 1}" for i, g in enumerate(genes)]
    (study.root / "reference_profiles.csv").write_text("\n".join(rows) + "\n")


def test_a_guest_takes_the_place_of_one_of_ours_and_gives_it_back(core):
    _profiles(core)
    before = tiny.dump(core)
    guests.put(core, "mixture_abundances")
    assert guests.due(core) == {}, "it is not chosen"
    guests.changed(core, "", '\n[replaces]\ncell_abundances = "mixture_abundances"\n')
    facts = guests.planned(core).facts
    by_name = {a["analysis"]: a for a in facts["analyses"]}
    assert facts["in_place_of"] == {"cell_abundances": "mixture_abundances"}
    assert len(by_name["cell_abundances"]["gone"]) == 20 and len(by_name["mixture_abundances"]["units"]) == 20
    says = {c["says"] for c in facts["causes"]}
    assert says == {"[replaces] cell_abundances: cell_abundances -> mixture_abundances (study.toml line "
                    f"{_line(core, 'cell_abundances = ')})"} or any("mixture_abundances" in s for s in says), says  # fmt: skip
    guests.made(core)
    table = core.sql("SELECT signature, count(*) AS n FROM cell_abundances GROUP BY ALL")
    assert table.to_dict("records") == [{"signature": "reference_profiles.csv", "n": 60}]
    assert set(core.sql("SELECT population FROM tsh_ratios")["population"]) == {
        "T cells",
        "Cytotoxic lymphocytes",
        "Fibroblasts",
    }
    assert guests.due(core) == {} and check(guests.fresh(core)).broken == []
    guests.changed(core, '\n[replaces]\ncell_abundances = "mixture_abundances"\n', "")
    guests.made(core)
    after = tiny.dump(core)
    assert after["units"] == [u for u in after["units"] if u in before["units"] or u.startswith("reference.")]
    tables = [t for t in before if t not in ("units", "feature_settings", "series_hints")]
    assert {t: after[t] for t in tables} == {t: before[t] for t in tables}, "as if it had never stood there"


def _line(study, text: str) -> int:
    return next(
        n for n, line in enumerate((study.root / "study.toml").read_text().splitlines(), 1) if line.startswith(text)
    )


def test_planted_shares_come_back(core):
    """By hand: a profile that is 3 parts of one population and 1 of another, times any factor."""
    _profiles(core)
    guests.put(core, "mixture_abundances")
    guests.changed(core, "", '\n[replaces]\ncell_abundances = "mixture_abundances"\n')
    archive = tiny.TinyArchive.make(10)
    name = next(iter(archive.patients))
    shares = {
        "CD3D": (8, 1, 1),
        "CD5": (8, 1, 1),
        "GNLY": (1, 9, 1),
        "KLRD1": (1, 9, 1),
        "DCN": (1, 1, 7),
        "COL1A1": (1, 1, 7),
    }
    for gene, (t, _, f) in shares.items():
        archive.set_value(name, "tumor", gene, 10.0 * (3 * t + f))
    tiny.ingest(core, archive, images=False)
    guests.made(core)
    frame = core.sql(f"SELECT population, abundance FROM cell_abundances WHERE profile_id LIKE '{name}-01%'")
    by_population = dict(zip(frame["population"], frame["abundance"], strict=True))
    assert by_population == pytest.approx(
        {"T cells": 0.75, "Cytotoxic lymphocytes": 0.0, "Fibroblasts": 0.25}, abs=1e-9
    )


@pytest.mark.parametrize(
    "line, says",
    [
        (
            'cell_abundances = "mixture"',
            "cannot stand in the place of cell_abundances. Did you mean mixture_abundances?",
        ),
        (
            'cell_abundance = "mixture_abundances"',
            "there is no analysis 'cell_abundance'. Did you mean cell_abundances?",
        ),
        ('tsh_ratios = "mixture_abundances"', "cannot stand in the place of tsh_ratios"),
    ],
)
def test_a_place_that_cannot_be_taken_is_an_error(core, line, says):
    guests.put(core, "mixture_abundances")
    guests.changed(core, "", f"\n[replaces]\n{line}\n")
    with pytest.raises(InvalidInput) as error:
        guests.planned(core)
    assert says in str(error.value)


def test_why_tells_of_a_guest_s_result(core):
    guests.put(core, "purities")
    guests.made(core)
    profile = sorted(_purities(core))[0]
    facts = why(guests.fresh(core), f"purities/{profile}")
    assert facts["state"] == "current" and facts["rows"][0]["profile_id"] == profile
    assert facts["inputs"][0]["role"] == "abundances"
