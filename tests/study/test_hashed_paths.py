"""[privacy] paths = "hashed": a person's name in folders and files is nowhere in the study, and all of it goes on working."""

from __future__ import annotations

import json
import re
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.gdc_folder import GdcFolder
from tests.support.program import run_quick
from tshdb.kept_paths import KEY_FILE, PLACES_FILE, TOKEN, KeptPaths, is_token
from tshdb.study import Study

pytestmark = pytest.mark.xdist_group("hashed-paths")
WHO = "Kaltenbrunner"
NAME = f"Ottilie {WHO}"
FOLDER = f"Akte {NAME} 1961-03-04"
HASHED = '\n[privacy]\npaths = "hashed"\n'
NAMED = re.compile("kaltenbrunner|ottilie|1961-03-04", re.IGNORECASE)


def delivery(folder: Path) -> Path:
    """A folder of a person's name with a file of every kind that is read, each of her name."""
    archive, here = tiny.TinyArchive.make(4), folder / FOLDER
    matrix, clinical = archive.write(here)
    matrix.rename(here / f"{NAME} RNA.csv")
    clinical.rename(here / f"{NAME}.tsv")
    archive.write_features(here).rename(here / f"{NAME} Merkmale.csv")
    archive.write_images(here / f"MRT {NAME}")
    archive.write_masks(here / f"Masken {WHO}")
    for mask in (here / f"Masken {WHO}").glob("*.nrrd"):
        mask.rename(mask.with_name(f"{mask.stem}_{WHO}.nrrd"))
    (here / f"MRT {NAME}" / f"Brief {NAME}.txt").write_text("no image\n")
    (here / f"MRT {NAME}" / f"Befund {WHO}.dcm").write_bytes(bytes(128) + b"DICM")
    (here / f"Nachsorge {NAME}.csv").write_text("id,status,days\nTCGA-TN-0000,dead,100\nTCGA-TN-0001,alive,zwei\n")
    (here / f"{WHO}.map.toml").write_text(MAP)
    return here


MAP = """
[patient_id]
column = "id"

[follow_ups.OS]
time_origin = "diagnosis"
event = { column = "status", codes = { dead = true, alive = false } }
duration = { column = "days", unit = "days" }
"""


def ingest_all(root: Path, here: Path, few: bool = False) -> list:
    """Every command that reads files, of a delivery; each with what it said. few: of tables, images and masks alone."""
    of = ("--collection", "tcga-tn")
    masks = here / f"Masken {WHO}"
    sheet = here / f"Blatt {NAME}.csv"
    sheet.write_text("file,patient_id\n" + "".join(f"{p.name},{p.name[:12]}\n" for p in sorted(masks.glob("*.nrrd"))))
    rna = ("--unit", "rsem", "--scale", "linear")
    gdc = GdcFolder.make(2).write(here / f"GDC {NAME}")
    own = here / f"Eigenes {NAME}"
    own.mkdir(exist_ok=True)
    shutil.copy(here / f"{NAME}.tsv", own / f"Liste {NAME}.tsv")
    commands = [
        ("ingest", "clinical", here / f"{NAME}.tsv", *of),
        ("ingest", "rna", here / f"{NAME} RNA.csv", *of, *rna),
        ("ingest", "features", here / f"{NAME} Merkmale.csv", *of),
        ("ingest", "dicom", here / f"MRT {NAME}", *of, "--keep-going"),
        ("ingest", "segmentation", masks, *of, "--kind", "expert", "--sheet", sheet),
        ("ingest", "follow-up", here / f"Nachsorge {NAME}.csv", *of, "--map", here / f"{WHO}.map.toml", "--keep-going"),
        ("ingest", "tcga-brca", "--from", gdc),
        ("ingest", own, "--collection", "own", "--keep-going"),
    ]
    done = [run_quick(*command, cwd=root, code=None) for command in (commands[:5] if few else commands)]
    if few:
        return done
    study = Study(root)
    uid, series = study.sql("SELECT study_uid, series_uid FROM imaging_series ORDER BY 1, 2").iloc[0]
    decided = here / f"Entscheide {NAME}.csv"
    decided.write_text(f"study_uid,series_uid,decision,decided_by,reason\n{uid},{series},dynamic,A,see {NAME}.tsv\n")
    study.engine.dispose()
    return [*done, run_quick("ingest", "decisions", decided, *of, cwd=root, code=None)]


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Path:
    return delivery(tmp_path_factory.mktemp("delivery"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, here):
    """A study that hashes paths, with every kind of file read, and results."""
    study = tiny.new_study(tmp_path_factory.mktemp("hashed") / "study")
    with (study.root / "study.toml").open("a") as settings:
        settings.write(f'{HASHED}\n[collections]\nsame_patients = ["tcga-tn", "tcga-brca", "own"]\n')
    done = ingest_all(study.root, here)
    assert [each.returncode for each in done] == [0, 0, 0, 3, 0, 3, 0, 0, 0], "".join(each.stderr for each in done[6:])
    run_quick("rebuild", "cell_abundances", "prepared_images", "masks", cwd=study.root)
    study.engine.dispose()
    return study.root


@pytest.fixture
def study(whole, tmp_path) -> Study:
    """A copy of it; the files that it has read lie where they were."""
    shutil.copytree(whole, tmp_path / "hashed")
    return Study(tmp_path / "hashed")


def named_in(folder: Path) -> list[str]:
    """Files whose bytes or names have the person's name, packed ones unpacked."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != KEY_FILE):
        texts = [path.read_bytes().decode("latin-1"), str(path.relative_to(folder))]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                texts += [packed.read(name).decode("latin-1") + name for name in packed.namelist()]
        if any(NAMED.search(text) for text in texts):
            found.append(str(path.relative_to(folder)))
    return found


def test_no_byte_of_the_study_names_the_person_whatever_is_made_of_it(whole):
    root = whole
    for command in ("report", "plan", "status", "history", "check"):
        said = run_quick(command, cwd=root, code=None)
        assert not NAMED.search(said.stdout + said.stderr), command
    said = run_quick("lineage", "cell_abundances", "T cells", cwd=root)
    assert TOKEN.search(said.stdout) and not NAMED.search(said.stdout)
    assert named_in(root) == []
    assert len(list((root / "reports").glob("*.html"))) > 3


def test_the_study_holds_the_files_all_the_same(whole):
    study = Study(whole)
    sources = study.sql("SELECT reader, name, path FROM source_files WHERE is_current")
    assert set(sources["reader"]) >= {
        "clinical",
        "rna",
        "features",
        "dicom",
        "segmentation",
        "follow-up",
        "star-counts",
        "decisions",
    }
    assert all(map(is_token, sources["path"])) and sources["path"].is_unique
    assert {path.partition(".")[2] for path in sources["path"]} >= {"tsv", "csv", "nrrd", ""}
    assert all(study.paths.at(path).exists() and WHO in str(study.paths.at(path)) for path in sources["path"])
    commands = study.sql("SELECT command FROM ingest_runs")["command"]
    assert all(TOKEN.search(command) for command in commands)
    assert set(study.sql("SELECT state FROM units WHERE analysis IN ('prepared_images', 'masks')")["state"]) == {
        "current"
    }


def test_it_knows_the_files_again(study, here):
    before = study.sql("SELECT count(*) n FROM source_files")["n"][0]
    said = ingest_all(study.root, here)
    for each in (*said[:3], said[4], said[6]):
        assert "nothing to load" in each.stderr, each.args
    assert "18 unchanged" in said[3].stderr
    assert study.sql("SELECT count(*) n FROM source_files")["n"][0] == before


def test_without_the_places_it_says_that_nothing_was_looked_for(study, here):
    (study.root / PLACES_FILE).unlink()
    said = run_quick("check", "--full", cwd=study.root, code=None).stdout
    assert "paths.places" in said and re.search(r"sources: \d+ were not looked for", said) and "images: 18 were" in said
    assert "image.missing" not in said
    ingest_all(study.root, here)
    assert "paths.places" not in run_quick("check", cwd=study.root, code=None).stdout


def test_check_compares_the_bytes_where_they_lie(study, here, tmp_path):
    mask = next((here / f"Masken {WHO}").glob("*.nrrd"))
    image = next((here / f"MRT {NAME}").rglob("1-001.dcm"))
    kept = mask.read_bytes()
    try:
        mask.write_bytes(kept[:-1] + b"\x09")
        image.rename(tmp_path / "away.dcm")
        said = run_quick("check", "--full", cwd=study.root, code=None).stdout
    finally:
        mask.write_bytes(kept)
        (tmp_path / "away.dcm").rename(image)
    assert study.paths.place(mask) in said and "mask.bytes" in said
    assert "image.missing" in said and not NAMED.search(said)


def test_the_look_for_persons_finds_no_path(study):
    said = json.loads(run_quick("check", "--privacy", "--json", cwd=study.root, code=None).stdout)
    assert not [hint for hint in said if "path" in hint["where"] or "source" in hint["where"]], said


def test_backups_hold_the_key_and_bundles_do_not_and_neither_says_where_files_lie(study, here, tmp_path):
    run_quick("backup", tmp_path / "backups", cwd=study.root)
    (backup,) = (p.parent for p in (tmp_path / "backups").glob("*/manifest.json"))
    assert (backup / KEY_FILE).is_file() and not (backup / PLACES_FILE).exists() and named_in(backup) == []
    run_quick("restore", backup, tmp_path / "restored")
    restored = Study(tmp_path / "restored")
    assert stat.S_IMODE((restored.root / KEY_FILE).stat().st_mode) == 0o600
    again = ingest_all(restored.root, here, few=True)
    assert all("nothing to load" in each.stderr for each in again[:3])
    current = "SELECT name FROM source_files WHERE is_current"
    assert len(restored.sql(current)) == len(study.sql(current))
    run_quick("export", "study", tmp_path / "bundle", cwd=study.root)
    names = {path.name for path in (tmp_path / "bundle").rglob("*")}
    assert not names & {KEY_FILE, PLACES_FILE} and not [n for n in names if NAMED.search(n)]
    run_quick("import", tmp_path / "bundle", tmp_path / "imported", code=None)


def test_the_key_and_the_places_are_for_their_owner_alone(study):
    assert {stat.S_IMODE((study.root / name).stat().st_mode) for name in (KEY_FILE, PLACES_FILE)} == {0o600}


def test_a_study_without_its_key_takes_no_file(study, here):
    (study.root / KEY_FILE).unlink()
    said = run_quick("ingest", "clinical", here / f"{NAME}.tsv", "--collection", "tcga-tn", cwd=study.root, code=7)
    assert KEY_FILE in said.stderr and "Put it back" in said.stderr
    assert not (study.root / KEY_FILE).exists()


def test_turned_on_later_or_off_nothing_is_half_hashed(core, study, here):
    with (core.root / "study.toml").open("a") as settings:
        settings.write(HASHED)
    (study.root / "study.toml").write_text((study.root / "study.toml").read_text().replace(HASHED, ""))
    for root, word, rule in (
        (core.root, "stored in clear before", "paths.clear"),
        (study.root, "are hashed", "paths.mixed"),
    ):
        said = run_quick("ingest", "clinical", here / f"{NAME}.tsv", "--collection", "tcga-tn", cwd=root, code=7).stderr
        assert word in said and "study.toml:" in said
        assert rule in run_quick("check", cwd=root, code=None).stdout
        assert named_in(root) == []


def test_check_finds_a_path_that_came_in_by_another_way(study):
    for column, text in (("path", f"/home/x/{NAME}.tsv"), ("message", f"see {NAME}.tsv")):
        with study.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE ingest_issues SET {column} = ?", (text,))
    said = run_quick("check", "--full", cwd=study.root, code=None).stdout
    assert "paths.clear" in said and "ingest_issues.path" in said
    assert "paths.texts" in said and "ingest_issues.message" in said


def test_a_withdrawal_forgets_where_the_patients_files_lay(study, here):
    paths = study.sql(
        "SELECT path FROM imaging_instances JOIN imaging_studies USING (study_uid) WHERE patient_id = 'TCGA-TN-0000'"
    )
    assert len(paths) and all(map(study.paths.knows, paths["path"]))
    study.engine.dispose()
    said = run_quick("withdraw", "TCGA-TN-0000", "--reason", "asked", cwd=study.root, code=None)
    fresh = KeptPaths(study.root, True)
    assert not any(map(fresh.knows, paths["path"])), said.stderr
    certificate = next((study.root / "withdrawals").glob("*.json")).read_text()
    assert not NAMED.search(certificate) and TOKEN.search(certificate)
    assert named_in(study.root) == []
