"""What identifies a result besides its inputs: the seed, the table's declaration, the engine's version, equal codes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from analyses import ANALYSES
from soak.code import edit
from tests.engine.test_scenarios import _mutated
from tests.support import tiny
from tests.support.program import ROOT
from tshdb.canonical import digest
from tshdb.engine import stored_form
from tshdb.engine.code.follow import Follower
from tshdb.engine.code.form import Open, form_of
from tshdb.engine.code.identity import Codes
from tshdb.engine.code.program import Definition, Program
from tshdb.engine.code.texts import OnDisk
from tshdb.engine.stored_form import ENGINE_VERSION, declaration_fingerprint, declared
from tshdb.engine.units import functions_of, project_packages, takes_seed
from tshdb.schema import Cutoff, TshRatio

VALUES = {  # module -> the functions and classes of it through which values pass
    "tshdb.canonical": ("digest", "to_significant"),
    "tshdb.engine.compute": ("seed_of", "split", "_computed", "_compute"),
    "tshdb.engine.inputs": ("load", "Inputs"),
    "tshdb.expression_store": ("read_matrix", "ExpressionMatrix"),
    "tshdb.engine.outside.call": ("call",),
    "tshdb.engine.outside.child": ("environment",),
    "tshdb.engine.outside.hand_over": ("hand_over",),
    "tshdb.engine.outside.hand_back": ("result_of",),
}
KEPT = ROOT / "tests/data/engine_version.json"


def certain(study, world=ANALYSES) -> dict[str, set[str]]:
    """analysis -> why its units are due, of those that are so for certain."""
    plans = tiny.plan(study, world)
    return {n: said for n, p in plans.items() if (said := {d.detail for d in p.due.values() if not d.is_possible})}


def value_functions() -> str:
    """The normal form of all functions of the engine through which values pass, as a digest."""
    program = Program(OnDisk(), frozenset({"tshdb"}))
    follower = Follower(program)
    waiting = [Definition(module, name) for module, names in VALUES.items() for name in names]
    said: dict[Definition, str] = {}
    while waiting:
        definition = waiting.pop()
        if definition in said or definition.module not in VALUES:
            continue
        texts = []
        for statement in program.module(definition.module).bindings.get(definition.name, ()):
            form = form_of(statement, lambda _: False)
            texts += [".".join(p.chain) if isinstance(p, Open) else p for p in form.parts]
            leads = (lead.target for lead in follower._lead(statement) if lead is not None)
            waiting += [target for target in leads if isinstance(target, Definition)]
        said[definition] = "".join(texts)
    return digest(*(f"{'.'.join(d)}\0{text}".encode() for d, text in sorted(said.items())))


def test_the_engine_s_version_is_raised_with_its_functions():
    """Raise ENGINE_VERSION and note the digest when values change; where they do not, note the new digest beside the old."""
    kept = json.loads(KEPT.read_text())
    assert value_functions() in kept[str(ENGINE_VERSION)], (
        f"functions through which values pass have changed: {value_functions()} is none of version {ENGINE_VERSION}"
    )
    assert max(map(int, kept)) == ENGINE_VERSION


def test_another_version_of_the_engine_makes_all_due(study, monkeypatch):
    monkeypatch.setattr("tshdb.engine.units.ENGINE_VERSION", 2)
    found = certain(study)
    assert all(said == {"the engine's version changed: 1 -> 2"} for said in found.values()) and len(found) > 10


@pytest.mark.parametrize("change", [{"digits": 3}, {"fingerprint": False}])
def test_the_declaration_of_a_table_is_part_of_how_it_is_made(study, monkeypatch, change):
    column = TshRatio.__table__.c.value
    monkeypatch.setattr(column, "info", column.info | change)
    declaration_fingerprint.cache_clear()
    try:
        assert certain(study) == {"tsh_ratios": {"the declaration of its table changed"}}
    finally:
        monkeypatch.undo()
        declaration_fingerprint.cache_clear()


def test_sentences_and_order_of_a_table_do_not_count(monkeypatch):
    before = declared(Cutoff)
    for column in Cutoff.__table__.columns:
        monkeypatch.setattr(column, "doc", "another sentence")
    assert declared(Cutoff) == before == sorted(before, key=lambda c: c["name"])
    assert {c["name"]: c["counts"] for c in before}["p_permutation"] is False
    assert stored_form.declaration_fingerprint(Cutoff) != stored_form.declaration_fingerprint(TshRatio)


def test_a_changed_seed_makes_due_what_takes_it_and_nothing_else(study):
    settings = study.root / "study.toml"
    text = settings.read_text()
    seed = study.settings.study.seed
    settings.write_text(text.replace("[study]\n", "[study]\nseed = 7\n", 1) if "seed =" not in text else
                        text.replace(f"seed = {seed}", "seed = 7"))  # fmt: skip
    seeded = {a.name for a in ANALYSES if takes_seed(a)}
    found = certain(study)
    assert found and found.keys() <= seeded
    assert all(said == {f"[study] seed changed: {seed} -> 7"} for said in found.values())
    tiny.rebuild(study)
    anew = tiny.new_study(study.root.parent / "anew")
    (anew.root / "study.toml").write_text(settings.read_text())
    tiny.ingest(anew, tiny.TinyArchive.make(10))
    tiny.define_cohorts(anew)
    tiny.freeze(anew)
    tiny.rebuild(anew)
    ours, theirs = tiny.dump(study), tiny.dump(anew)
    tables = {a.makes.__tablename__ for a in ANALYSES}
    assert {t: ours[t] for t in tables if t in ours} == {t: theirs[t] for t in tables if t in theirs}


def test_a_list_of_cohorts_is_no_part_of_how_one_is_made(study):
    """One more cohort, and another order: only the new cohort's units are due."""
    settings = study.root / "study.toml"
    text = settings.read_text()
    at = text.index("[univariable_cox]")
    line = next(s for s in text[at:].splitlines() if s.startswith("cohorts"))
    names = json.loads(line.partition("=")[2])
    settings.write_text(text[:at] + text[at:].replace(line, f"cohorts = {json.dumps(names[::-1])}", 1))
    assert len(names) > 1 and certain(study) == {}


def test_what_is_tracked_is_no_part_of_how_a_result_is_made(study, monkeypatch):
    tracks = '    tracks=("value",),\n'

    def without(text: str) -> str:
        assert tracks in text
        return text.replace(tracks, "")

    _mutated(monkeypatch, "analyses.prognosis.cutoff", without)
    assert certain(study) == {}


def test_equal_codes_stay_current_and_say_so(study, monkeypatch):
    """A record names former code as equal; what changes after that is seen."""
    packages = project_packages(ANALYSES)
    ratios = next(a for a in ANALYSES if a.name == "tsh_ratios")

    def fingerprint() -> str:
        return Codes(packages).of(functions_of(ratios)).fingerprint

    before = fingerprint()
    with monkeypatch.context() as patch:
        _mutated(patch, "analyses.expression.tsh_ratios", edit("tsh_ratios"))
        assert "tsh_ratios" in certain(study)
        equal = replace(ratios, same_as={fingerprint(): (before,)})
        world = tuple(equal if a is ratios else a for a in ANALYSES)
        assert certain(study, world) == {}

        from tshdb.database import reading
        from tshdb.engine.why import why
        from tshdb.engine.world import World

        with reading(study.engine) as connection:
            key = sorted(tiny.plan(study, world)["tsh_ratios"].desired)[0]
            facts = why(connection, World(world, study.settings), f"tsh_ratios/{key}")
        assert any("was written anew" in note for note in facts["computed"]["notes"])
        once_more = tiny.plan(study, world)
        assert not any(p.flagged or p.due for p in once_more.values())
    with monkeypatch.context() as patch:  # another change, under the same declaration
        _mutated(
            patch, "analyses.expression.tsh_ratios", lambda s: edit("tsh_ratios")(s).replace("edited = 1", "edited = 2")
        )
        assert "tsh_ratios" in certain(study, world)


def test_what_is_said_to_be_the_same_is_the_code_of_today():
    """An edit after that makes results due, and the word of the former code says nothing any more: take it out."""
    codes = Codes(project_packages(ANALYSES))
    told = {a.name: (codes.of(functions_of(a)).fingerprint, a.same_as) for a in ANALYSES if a.same_as}
    stale = [name for name, (now, same) in told.items() if list(same) != [now] or now in same[now]]
    assert told and not stale, f"their code changed since, and their results are due: take same_as out of {stale}"
