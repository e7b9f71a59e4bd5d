"""Settings are written into a study.toml without a change of anything else in it. Every text by hand."""

from __future__ import annotations

import tomllib

import pytest

from tshdb.errors import InvalidInput, UsageError
from tshdb.variants.settings import parsed, text_of
from tshdb.variants.settings_text import with_values

TEXT = """# my study
[study]
name = "x"

[cutoff]                   # the paper's
method = "fixed"           # or median, quantile
value = -0.3512 # "0.3512" is printed
cohorts = [
  "one", # the first
  "two",
] # both

[tsh_cox]
"""


def test_a_value_takes_the_place_of_the_former_one_and_its_comment_stays():
    written = with_values(TEXT, {"cutoff": {"method": "median", "value": 0.5}}, "study.toml")
    assert written == TEXT.replace('method = "fixed"', 'method = "median"').replace("-0.3512 #", "0.5 #")


def test_a_value_over_several_lines_goes_as_a_whole():
    written = with_values(TEXT, {"cutoff": {"cohorts": ["three"]}}, "study.toml")
    assert written == TEXT.replace('[\n  "one", # the first\n  "two",\n] # both', '["three"] # both')


def test_a_hash_within_a_text_is_no_comment():
    text = '[a]\nb = "x # y" # z\n'
    assert with_values(text, {"a": {"b": "# new"}}, "study.toml") == '[a]\nb = "# new" # z\n'


def test_what_is_new_stands_below_its_header_or_in_a_table_at_the_end():
    written = with_values(TEXT, {"tsh_cox": {"min_events": 3}, "km_curves": {"unit": "tpm"}}, "study.toml")
    assert written == TEXT.replace("[tsh_cox]\n", '[tsh_cox]\nmin_events = 3\n\n[km_curves]\nunit = "tpm"\n')


def test_a_note_stands_above_its_setting():
    written = with_values(TEXT, {"cutoff": {"method": "median"}}, "study.toml", lambda table, key: f"# {table}.{key}!")
    assert '\n# cutoff.method!\nmethod = "median"           # or median, quantile\n' in written


@pytest.mark.parametrize(
    "text",
    [
        'cutoff = {method = "fixed"}\n',
        'cutoff.method = "fixed"\n',
        '["cutoff"]\nmethod = "fixed"\n',
        "[cutoff.method]\na = 1\n",
    ],
)
def test_what_is_written_otherwise_is_refused(text):
    tomllib.loads(text)
    with pytest.raises(InvalidInput, match=r"\[cutoff\] is written there in a way"):
        with_values(text, {"cutoff": {"method": "median"}}, "study.toml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=median", "median"), ("a.b=0.5", 0.5), ("a.b=-2", -2), ("a.b=true", True), ('a.b="5"', "5"),
        ('a.b=["x", "y"]', ["x", "y"]),
        ("a.b=two words", "two words"), ("a.b=1\nc=2", "1\nc=2"), ("a.b = x=y", "x=y"),
    ],
)  # fmt: skip
def test_values_are_toml_and_what_is_none_is_text(text, value):
    found = parsed([text])
    assert found == {"a": {"b": value}} and type(found["a"]["b"]) is type(value)
    assert tomllib.loads(text_of("name", found)) == found


@pytest.mark.parametrize("text", ["a.b", "a=1", "a.b=", ".b=1", "a.=1", "a.b.c=1", "a b.c=1", "=1"])
def test_what_sets_nothing_is_refused(text):
    with pytest.raises(UsageError, match="TABLE.SETTING=VALUE"):
        parsed([text])


@pytest.mark.parametrize(
    "text", ["study.database=sqlite:///x.db", "study.objects=x", "ingest.her2_rule=ihc", "study.name=y"]
)
def test_what_is_loaded_is_the_study_s(text):
    with pytest.raises(InvalidInput, match="shares with the study"):
        parsed([text])


def test_the_seed_may_be_another_one():
    assert parsed(["study.seed=7"]) == {"study": {"seed": 7}}
