"""What a study begins with: a preset of ours, of a package, a study.toml that somebody hands on, or nothing of the paper."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.installing import information
from tests.support.program import run_quick
from tshdb import installed, presets
from tshdb.actions import trusting
from tshdb.actions.making import beginning, make_study, with_own
from tshdb.errors import InvalidInput, NotFound
from tshdb.study import Study

LAB = """# how the laboratory begins
[ingest]
her2_rule = "ihc"
[ study ]  # ours
  database = 'sqlite:////elsewhere/study.db'  # a comment that stays
name = "the \\"old\\" name"
analyses = []
seed = 7
"""


@pytest.fixture
def lab(tmp_path, monkeypatch) -> Path:
    """An installed package that offers a preset."""
    site = tmp_path / "site"
    information(site, "lab-preset", "1.0", {"tshdb.presets": {"lab": "lab_preset:PRESET"}})
    (site / "lab_preset.py").write_text(
        "from pathlib import Path\nfrom tshdb.offered import Preset\n"
        "PRESET = Preset('lab', 'the laboratory', Path(__file__).parent / 'preset')\n"
    )
    (site / "preset/cohorts").mkdir(parents=True)
    (site / "preset/study.toml").write_text(LAB)
    (site / "preset/cohorts/all.sql").write_text("SELECT patient_id FROM patients\n")
    monkeypatch.syspath_prepend(site)
    installed.presets.cache_clear()
    yield site
    installed.presets.cache_clear()
    sys.modules.pop("lab_preset", None)


def test_ours_are_offered_by_the_entry_point_that_others_use():
    assert list(installed.presets()) == ["fan2023", "none"] == [p.name for p in presets.PRESETS]
    made = {p.name: tomllib.loads(p.settings)["study"] for p in presets.PRESETS}
    assert made["none"]["analyses"] == [] and "analyses" not in made["fan2023"]
    assert not installed.presets()["none"].cohorts and len(installed.presets()["fan2023"].cohorts) == 5


def test_a_package_s_preset_is_taken_by_name(lab, tmp_path):
    study = make_study(tmp_path / "mine", preset="lab")
    text = (study.root / "study.toml").read_text()
    assert tomllib.loads(text) == {
        "ingest": {"her2_rule": "ihc"},
        "study": {"name": "mine", "database": "sqlite:///study.db", "analyses": [], "seed": 7},
    }
    assert text.startswith("# how the laboratory begins\n") and "# a comment that stays" in text
    assert (study.root / "cohorts/all.sql").read_text() == "SELECT patient_id FROM patients\n"


def test_two_presets_of_one_name_are_refused(lab):
    (lab / "lab_preset.py").write_text((lab / "lab_preset.py").read_text().replace("'lab',", "'none',"))
    with pytest.raises(InvalidInput, match="two presets are called 'none'"):
        installed.presets()


def test_a_preset_that_there_is_not_is_asked_for(tmp_path):
    with pytest.raises(NotFound, match="no preset 'fan2032'. Did you mean fan2023"):
        make_study(tmp_path / "mine", preset="fan2032")
    assert not (tmp_path / "mine").exists()


def test_what_somebody_hands_on_comes_with_what_lies_beside_it(tmp_path):
    """Cohorts, tables that a setting names and the study's own analyses; no link, no data."""
    theirs = make_study(tmp_path / "theirs", preset="none").root
    settings = theirs / "study.toml"
    settings.write_text(
        settings.read_text()
        + '\n[cell_abundances]\nmarkers = "mine.csv"\nother = "../secret.csv"\nthird = "linked.csv"\n[own]\nx = 1\n'
    )
    for name in (
        "mine.csv",
        "cohorts/all.sql",
        "analyses/own.py",
        "analyses/more/help.txt",
        "raw/patients.csv",
        "study.csv",
    ):
        (theirs / name).parent.mkdir(exist_ok=True)
        (theirs / name).write_text(name)
    (tmp_path / "secret.csv").write_text("secret")
    for name in ("cohorts/linked.sql", "linked.csv"):
        (theirs / name).symlink_to(tmp_path / "secret.csv")
    mine = make_study(tmp_path / "mine", preset=str(settings))
    files = {
        p.relative_to(mine.root).as_posix() for p in mine.root.rglob("*") if p.is_file() and p.parts[-2] != "objects"
    }
    assert files == {
        "study.toml",
        "study.db",
        "mine.csv",
        "cohorts/all.sql",
        "analyses/own.py",
        "analyses/more/help.txt",
    }
    assert mine.name == "mine" and mine.settings.tables["own"] == {"x": 1}
    assert not trusting.look(mine).is_trusted
    said = run_quick("plan", cwd=mine.root)  # [own] may be a table of what is not trusted yet
    assert "own.py in analyses/: not trusted" in said.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[study", "not TOML"),
        ('[study]\nname = """a\nb"""\n', "cannot be replaced"),
        ("[study]\nobjects = '..'\n", "is the study's own folder or one above it"),
        ("[study]\nnmae = 'x'\n", "nmae"),
    ],
)
def test_settings_that_cannot_be_a_study_s_are_refused_and_nothing_is_made(tmp_path, text, says):
    handed = tmp_path / "handed.toml"
    handed.write_text(text)
    with pytest.raises(InvalidInput, match=says):
        make_study(tmp_path / "mine", preset=str(handed))
    assert not (tmp_path / "mine").exists()


def test_settings_without_a_study_get_one(tmp_path):
    handed = tmp_path / "handed.toml"
    handed.write_text("[ingest]\nher2_rule = 'ihc'\n")
    text = with_own(beginning(str(handed)), "mine", "sqlite:///study.db")
    assert tomllib.loads(text)["study"] == {"name": "mine", "database": "sqlite:///study.db"}


# ------------------------------------------------------------------------------------------ a study without the paper

OF_PAPER = ("cutoff", "tsh_ratios", "tumor_stroma", "Table 2", "signature")
NEXT = "This study has no analyses: add a set to [study] analyses (study.toml line 9), or write one: tshdb new analysis NAME"


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Study:
    """A study of preset none with three patients."""
    root = tmp_path_factory.mktemp("bare") / "study"
    run_quick("init", root, "--preset", "none")
    file = root / "clinical.tsv"
    head = "case_submitter_id\tvital_status\tdays_to_death\tdays_to_last_follow_up\tage_at_index\n"
    file.write_text(head + "".join(f"TCGA-TN-000{i}\tAlive\t'--\t{i}00\t6{i}\n" for i in (1, 2, 3)))
    run_quick("ingest", "clinical", file, "--collection", "c", cwd=root)
    return Study(root)


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("plan", 0, NEXT),
        ("status", 0, NEXT),
        ("rebuild", 0, NEXT),
        ("check", 0, "Everything holds"),
        ("model list", 0, NEXT),
        ("table 1", 8, "No cohort is defined yet. Write its SQL, then: tshdb cohort define NAME FILE.sql"),
        ("table 2", 8, "univariable_cox is of the set fan2023, which [study] analyses (study.toml line 9) leaves out. Add it"),
        ("figure km", 8, "km_curves is of the set fan2023, which [study] analyses (study.toml line 9) leaves out"),
        ("figure flow", 8, "no cohort has a version yet. No cohort is defined yet"),
        ("paper check", 8, "the study leaves the paper's analyses out. Add fan2023"),
        ("rebuild cutoff", 8, "no analysis 'cutoff'. This study has none"),
        ("drift cutoff", 8, "No analysis of this study has groups that are tracked"),
        ("why cutoff/x", 8, "This study has none"),
    ],
)  # fmt: skip
def test_without_the_paper_every_command_says_a_step_that_can_be_taken(bare, command, code, says):
    done = run_quick(*command.split(), cwd=bare.root, code=code)
    assert says in done.stdout + done.stderr


def test_the_report_of_a_study_without_the_paper_does_not_speak_of_it(bare):
    run_quick("report", cwd=bare.root)
    page = (bare.root / "reports/report.html").read_text()
    assert not [word for word in OF_PAPER if word in page]
    assert "This study has no analyses" in page and "No cohort is defined yet" in page
