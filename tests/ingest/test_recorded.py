"""What the study keeps of an ingest, to the byte: a study that was made before must be idle when its files come again.

The options and commands below were written by the program as it was before readers became records.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.program import run_quick
from tshdb.actions import ingest
from tshdb.vocabulary import ExpressionUnit, Scale

CLINICAL = (
    "case_submitter_id\tage_at_index\tgender\tvital_status\tdays_to_death\tdays_to_last_follow_up\n"
    "TCGA-TN-0001\t60\tfemale\tDead\t300\t'--\nTCGA-TN-0002\t50\tfemale\tAlive\t'--\t900\n"
)
GENES = "".join(f"G{i},{i + 1}.5,{i + 2}.25\n" for i in range(20))
SHEET = "sample,patient_id,compartment\nA,TCGA-TN-0001,tumor\nB,TCGA-TN-0002,stroma\n"
MAP = """[patient_id]
column = "ID"
[patients.er_status]
column = "er"
codes = { pos = "positive", neg = "negative" }
[follow_ups.OS]
time_origin = "diagnosis"
event = { column = "died", codes = { "1" = true, "0" = false } }
duration = { column = "days", unit = "days" }
"""
FILES = {
    "clin.tsv": CLINICAL,
    "cdr.tsv": "sample\t_PATIENT\tOS\tOS.time\nTCGA-TN-0001-01\tTCGA-TN-0001\t1\t300\n",
    "other.csv": "ID,died,days,er\nP1,1,100,pos\nP2,0,800,neg\n",
    "other.toml": MAP,
    "rna.csv": f"gene,TCGA-TN-0001,TCGA-TN-0002\n{GENES}",
    "named.csv": f"gene,A,B\n{GENES}",
    "sheet.csv": SHEET,
    "feat.csv": "patient_id,original_glcm_Idmn,original_glcm_MCC\nTCGA-TN-0001,0.5,0.6\nTCGA-TN-0002,0.7,0.8\n",
    "set.toml": 'software = "x 1"\n[settings]\nbin_width = 5\n',
}
MAPPED = (
    '{"map":{"follow_ups":{"OS":{"duration":{"column":"days","unit":"days"},"event":{"codes":{"0":false,"1":true},'
    '"column":"died","notes":{}},"event_share_expected":null,"time_origin":"diagnosis"}},"missing":{"tokens":["","NA","N/A",'
    '"NaN","nan","null","NULL","None"]},"patient_id":{"column":"ID","template":"{}"},"patients":{"er_status":{"at_least":null,'
    '"at_most":null,"codes":{"neg":"negative","pos":"positive"},"column":"er","factor":null,"reasons":{},"source":null}},'
    '"rule":"map-1"}}'
)
RSEM = (
    "--unit",
    "rsem",
    "--scale",
    "linear",
    "--sample-type",
    "01",
    "--clip-negative",
    "--workflow",
    "w",
    "--gene-model",
    "g",
)
WORDS = {  # what a user types; collection, and what the study keeps: reader, options
    ("clinical", "clin.tsv"): ("clinical", "{}"),
    ("clinical", "cdr.tsv"): ("cdr", '{"her2_rule":"fan2023"}'),
    ("clinical", "other.csv", "--map", "other.toml"): ("clinical", MAPPED),
    ("follow-up", "clin.tsv"): ("follow-up", "{}"),
    ("rna", "rna.csv", *RSEM): (
        "rna",
        '{"clip_negative":true,"gene_model":"g","sample_type":"01","samples":null,"scale":"linear","unit":"rsem",'
        '"workflow":"w"}',
    ),
    ("rna", "named.csv", "--unit", "tpm", "--scale", "log2", "--samples", "sheet.csv"): (
        "rna",
        f'{{"gene_model":null,"sample_type":null,"samples":"{sha256(SHEET.encode()).hexdigest()}","scale":"log2",'
        '"unit":"tpm","workflow":null}',
    ),
    ("features", "feat.csv", "--region", "tumor", "--map", "S0", "--settings", "set.toml"): (
        "features", '{"map":"S0","region":"tumor","settings":{"settings":{"bin_width":5},"software":"x 1"},"table":"feat"}',
    ),
}  # fmt: skip


@pytest.fixture
def files(tmp_path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_what_is_kept_of_an_ingest_is_as_ever_by_every_door(files):
    study = tiny.new_study(files / "study")
    for words in WORDS:
        said = run_quick("ingest", *words, "--collection", "mine", "--study", study.root, cwd=files).stderr
        assert "Loaded mine/" in said
    kept = study.sql(
        "SELECT reader, name, options, command FROM source_files JOIN ingest_runs USING (ingest_run_id) ORDER BY 1, 2"
    )
    expected = sorted(
        (reader, words[1], options, f"tshdb ingest {words[0]} {words[1]} --collection mine")
        for words, (reader, options) in WORDS.items()
    )
    assert list(kept.itertuples(index=False, name=None)) == expected
    for loaded in by_functions(study, files):
        assert loaded.is_same_bytes and loaded.run_id is None, loaded.what
        assert loaded.command in set(kept["command"])
    study.engine.dispose()


def by_functions(study, files: Path):
    """The same ingests without a terminal."""
    rsem = ingest.RnaOptions(
        ExpressionUnit.RSEM, Scale.LINEAR, sample_type="01", clip_negative=True, workflow="w", gene_model="g"
    )
    tpm = ingest.RnaOptions(ExpressionUnit.TPM, Scale.LOG2, samples=files / "sheet.csv")
    features = ingest.FeatureOptions("tumor", "S0", files / "set.toml")
    yield ingest.clinical(study, files / "clin.tsv", "mine")
    yield ingest.clinical(study, files / "cdr.tsv", "mine")
    yield ingest.file(study, files / "cdr.tsv", "mine", "cdr")
    yield ingest.clinical(study, files / "other.csv", "mine", map=files / "other.toml")
    yield ingest.follow_up(study, files / "clin.tsv", "mine")
    yield ingest.rna(study, files / "rna.csv", "mine", rsem)
    yield ingest.rna(study, files / "named.csv", "mine", tpm)
    yield ingest.features(study, files / "feat.csv", "mine", features)
