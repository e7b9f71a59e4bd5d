"""Contents under two names, within a file and beside what stands: named, and loaded."""

from __future__ import annotations

import json

GENES = [f"GENE{i}" for i in range(12)]
FEATURES = [f"tumor_S0_original_glcm_F{i}" for i in range(12)]


def findings(quick, study, *words) -> list[tuple[str, str]]:
    answer = json.loads(quick("ingest", *words, "--json", "--study", study.root, code=None).stdout)
    assert not answer["refused"]
    return [(f["rule"], f["message"]) for f in answer["findings"] if ".same-" in f["rule"]]


def matrix(path, columns: dict[str, int]):
    rows = [[g, *(f"{(i + 1) * seed + 0.25}" for seed in columns.values())] for i, g in enumerate(GENES)]
    path.write_text("\n".join("\t".join(r) for r in [["gene", *columns], *rows]) + "\n")
    return ["rna", path, "--collection", "mine", "--unit", "tpm", "--scale", "linear"]


def test_two_samples_with_one_profile(quick, empty_study, tmp_path):
    _ = empty_study.engine
    first = matrix(tmp_path / "a.tsv", {"TCGA-Z1-Q001-01A": 3, "TCGA-Z1-Q001-11A": 5})
    assert findings(quick, empty_study, *first) == []
    again = matrix(tmp_path / "again.tsv", {"TCGA-Z1-Q001-01A": 3})
    assert findings(quick, empty_study, *again) == [], "one aliquot in two files is one aliquot"
    (said,) = findings(quick, empty_study, *matrix(tmp_path / "b.tsv", {"TCGA-Z1-Q002-01A": 5, "TCGA-Z1-Q003-01A": 7}))
    assert said[0] == "rna.same-profile" and "TCGA-Z1-Q001-11A, TCGA-Z1-Q002-01A" in said[1]


def features(path, rows: dict[str, int], name: str):
    lines = [
        ["patient_id", *FEATURES],
        *([p, *(f"{(i + 1) * seed + 0.125}" for i in range(12))] for p, seed in rows.items()),
    ]
    path.write_text("\n".join(",".join(r) for r in lines) + "\n")
    return ["features", path, "--collection", "mine", "--name", name]


def test_two_patients_with_the_same_features(quick, empty_study, tmp_path):
    _ = empty_study.engine
    assert findings(quick, empty_study, *features(tmp_path / "a.csv", {"P-1": 3, "P-2": 5}, "a")) == []
    assert findings(quick, empty_study, *features(tmp_path / "b.csv", {"P-1": 3}, "b")) == [], "one woman in two tables"
    (said,) = findings(quick, empty_study, *features(tmp_path / "c.csv", {"P-3": 5, "P-4": 8}, "c"))
    assert said[0] == "features.same-examination" and "mine/a/P-2/T0, mine/c/P-3/T0 of 2 patients" in said[1]
