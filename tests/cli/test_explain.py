"""`tshdb explain` has a page on every rule, promise and exit code; `--help --json` and llms.txt say what a program needs."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import typer.main

from cli.described import described, walk
from cli.explained import CODE, CODES, FINDING, PROMISE, explained
from cli.main import SIGNALS, app
from ingest.rules import rules
from tests.support.program import ROOT, run_quick
from tshdb.checking import RULES
from tshdb.errors import Exit


def test_every_rule_promise_and_exit_code_has_a_page():
    pages = explained()
    assert {n for n, p in pages.items() if p.kind == FINDING} == set(rules())
    assert {n for n, p in pages.items() if p.kind == PROMISE} == set(RULES)
    codes = {int(n) for n, p in pages.items() if p.kind == CODE}
    assert codes >= {*map(int, Exit), *map(int, SIGNALS.values())} and len(pages) == len(rules()) + len(RULES) + len(
        CODES
    )
    for page in pages.values():
        assert page.text.startswith(f"# {page.name}: a") and "..\n" not in page.text, page.name
        assert len(page.meaning.split()) > 2 and page.repair, page.name


@pytest.mark.parametrize("name", ["clinical.contact-after-death", "object.extra", "5"])
def test_one_is_read_on_the_terminal_and_as_json(name, tmp_path):
    said = run_quick("explain", name, cwd=tmp_path).stdout
    facts = json.loads(run_quick("explain", name, "--json", cwd=tmp_path).stdout)
    assert facts["meaning"] in said.replace("\n", " ") and facts["repair"] in said.replace("\n", " ")
    assert facts["name"] == name


def test_a_name_that_is_none_is_answered_with_those_near(tmp_path):
    said = run_quick("explain", "clinical.contact-afterdeath", cwd=tmp_path, code=8).stderr
    assert "clinical.contact-after-death" in said


def test_a_query_of_a_page_runs(core):
    query = re.search(r'tshdb sql "(.*?)"', explained()["clinical.age"].text)[1]
    assert run_quick("sql", query, cwd=core.root, code=0)


def test_messages_name_it(core, tmp_path):
    (core.root / "objects" / "ab").mkdir(exist_ok=True)
    (core.root / "objects" / "ab" / f"{'ab' * 32}.parquet").write_bytes(b"nobody's")
    assert "tshdb explain object.foreign" in run_quick("check", "--fast", cwd=core.root, code=None).stderr
    table = tmp_path / "clinical.tsv"
    table.write_text(
        "case_submitter_id\tage_at_index\tvital_status\tdays_to_death\tdays_to_last_follow_up\n"
        "TCGA-TN-0001\t-4\tAlive\t\t300\n"
    )
    said = run_quick("ingest", "clinical", table, "--collection", "tcga-tn", cwd=core.root, code=None)
    found = re.search(r"tshdb explain (\S+)", said.stderr + said.stdout)
    assert found and found[1] in rules(), said.stderr


def test_every_command_is_described_as_it_is():
    facts = {each["command"]: each for each in described(app, ())}
    for path, command in walk(typer.main.get_command(app), "tshdb"):
        names = {o for p in command.params for o in (*p.opts, *p.secondary_opts) if o.startswith("--")} - {"--help"}
        assert names == {o for option in facts[path]["options"] for o in option["names"] if o.startswith("--")}, path
        assert len(facts[path]["about"]) > 10, path
    unit = next(o for o in facts["tshdb ingest rna"]["options"] if "--unit" in o["names"])
    assert unit["choices"][:2] == ["tpm", "fpkm"] and not unit["is_required"] and unit["type"] == "text"
    decisions = facts["tshdb multiverse"]["arguments"][0]
    assert decisions["is_required"] and decisions["type"] == "path"
    repeated = next(o for o in facts["tshdb rebuild"]["options"] if "--set" in o["names"])
    assert repeated["is_repeated"] and repeated["type"] == "text"


def test_help_as_json_is_json_alone():
    ended = subprocess.run(
        [sys.executable, "-m", "tshdb", "cohort", "--help", "--json"], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0 and not ended.stderr
    assert all(each["command"].startswith("tshdb cohort ") for each in json.loads(ended.stdout))
    ended = run_quick("cohrt", "--help", "--json", code=2)
    assert "Did you mean cohort" in ended.stderr and not ended.stdout


def test_the_page_for_programs_names_every_command_and_page():
    page = (ROOT / "docs/llms.txt").read_text(encoding="utf-8")
    for path, _ in walk(typer.main.get_command(app), "tshdb"):
        assert f"`{path}`" in page or f"`{path} " in page, path
    for file in (ROOT / "docs").glob("*.md"):
        assert f"({file.name})" in page, file.name
