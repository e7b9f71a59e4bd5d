"""The reference documents are what the code says now."""

from __future__ import annotations

import importlib.util

import pytest

from analyses import ANALYSES
from tests.support.program import ROOT


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("schema.md", "schema"),
        ("cli.md", "commands"),
        ("parameters.md", "parameters"),
        ("ibsi.md", "ibsi"),
        ("explained.md", "explanations"),
        ("llms.txt", "for_programs"),
        ("choices.md", "choices"),
    ],
)
def test_reference_is_current(generator, name, function):
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == getattr(generator, function)(), "run: make docs"


def test_columns_of_the_sql_surface_are_the_models():
    from tshdb.sqltypes import described, table_columns

    table_columns.cache_clear()
    assert (ROOT / "tshdb" / "schema" / "columns.txt").read_text() == described(), "run: make docs"


def test_every_rule_of_ingest_says_what_to_do():
    import re

    from ingest.rules import rules

    families = (
        "dicom|features|decision|verdict|study|seg|les|mask|rtstruct|id|rna|star|clinical|follow-up|map|manifest|sheet|folder|annotation|"
        "sample|aliquot|patient|word|text|identity|source|settlement"
    )
    files = [
        *(ROOT / "ingest").rglob("*.py"),
        ROOT / "tshdb" / "text_files.py",
        ROOT / "tshdb" / "actions" / "ingest.py",
        *(ROOT / "tshdb" / "loading").glob("*.py"),
        *(ROOT / "tshdb" / "withdrawal").glob("*.py"),
    ]
    used = {r for f in files for r in re.findall(rf'"((?:{families})\.[a-z0-9-]+)"', f.read_text())}
    used = {r for r in used if not r.endswith((".tsv", ".md5")) or r == "manifest.md5"} | {
        "id.no-patient",
        "id.no-sample",
    }
    assert used == set(rules())


def test_every_command_has_help_and_an_example(generator):
    for path, command in generator.walk(generator.typer.main.get_command(generator.app), "tshdb"):
        assert command.help and "Example: tshdb" in command.help, path
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{path} {parameter.name}"


def test_every_table_and_subject_is_documented(generator):
    text = generator.schema()
    for table in generator.Base.metadata.tables:
        assert f"### {table}\n" in text
    for model in generator.Base.declared:
        assert model.__doc__.startswith("One row is"), model


def test_every_parameter_is_explained(generator):
    for analysis in ANALYSES:
        meanings = generator.meanings_of(
            [a for a in ANALYSES if (a.base or a.name) == (analysis.base or analysis.name)]
        )
        assert set(analysis.params.model_fields) <= set(meanings), analysis.name
