"""An analysis that cannot run as it is declared is refused when its record is made, with the word that is wrong."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest

from analyses import ANALYSES
from tests.support import toys
from tshdb.config import Parameters, Settings
from tshdb.engine import declaration
from tshdb.engine.analysis import KEY_COLUMNS, Analysis, Made, Model, Need, Reference, analysis
from tshdb.engine.compute import Task, compute, locate
from tshdb.engine.identity import loaded_digest
from tshdb.engine.inputs import Inputs
from tshdb.engine.relations import SAME_PATIENT, SAME_PROFILE
from tshdb.engine.world import World
from tshdb.errors import InvalidInput
from tshdb.schema import CellAbundance, CoxTerm, ExpressionProfile, MarkerGene, Patient, RocPoint, TshRatio, TshScore


class Some(Parameters):
    """[some]"""

    cohorts: tuple[str, ...] = ("first", "second")
    cohort: str = "one"
    least: int = 3
    by_name: dict[str, str] = {}


def ratio(tumor, stroma, params):
    return tumor


def over(ratios, members, seed, work, params):
    return ratios


MAP = {
    "kind": "map", "per": "patient", "makes": TshRatio, "params": Some, "source": "a test",
    "needs": {"tumor": Need(TshScore, SAME_PATIENT), "stroma": Need(TshScore, SAME_PATIENT)},
}  # fmt: skip
SUMMARY = {
    "kind": "summary", "per": "cohort", "makes": CoxTerm, "params": Some, "source": "a test", "cohorts": "cohorts",
    "needs": {"ratios": Need(TshRatio, SAME_PATIENT)},
}  # fmt: skip


def read(params, root):
    return "x", []


def genes(frame):
    return []


def test_what_asks_for_an_analysis_is_a_list_of_its_parameters():
    made = analysis(**MAP | {"asked_by": "cohorts"})(ratio)
    assert made.is_asked(Some()) and not made.is_asked(Some(cohorts=()))
    assert analysis(**MAP)(ratio).is_asked(Some(cohorts=()))
    for wrong in ("least", "cohort", "nothing"):
        with pytest.raises(TypeError, match=f"asked_by '{wrong}' is no field of Some that is a tuple"):
            analysis(**MAP | {"asked_by": wrong})(ratio)
    with pytest.raises(TypeError, match="cohorts ask for it"):
        analysis(**SUMMARY | {"asked_by": "cohorts"})(over)


def test_these_are_declared_well():
    assert analysis(**MAP)(ratio).cohorts_of(Some()) == ()
    assert analysis(**SUMMARY)(over).cohorts_of(Some()) == ("first", "second")
    assert analysis(**SUMMARY | {"cohorts": "cohort"})(over).cohorts_of(Some()) == ("one",)
    assert analysis(**SUMMARY | {"cohorts": ("a", "b")})(over).cohorts_of(Some()) == ("a", "b")
    assert analysis(**MAP)(lambda tumor, stroma: tumor), "params are no duty"


MISSPELT = {
    "per": (MAP, ratio, {"per": "patien"}, "patien"),
    "per, of another": (MAP, ratio, {"per": "profil"}, "profil"),
    "kind": (MAP, ratio, {"kind": "mapp"}, "mapp"),
    "kind and per": (MAP, ratio, {"kind": "fit"}, "fit"),
    "an option": (MAP, ratio, {"librarys": ("numpy",)}, "librarys"),
    "a role": (MAP, ratio, {"needs": {"tumorx": MAP["needs"]["tumor"], "stroma": MAP["needs"]["stroma"]}}, "tumor"),
    "a role too many": (MAP, ratio, {"needs": MAP["needs"] | {"normal": Need(TshScore, SAME_PATIENT)}}, "normal"),
    "a role too few": (MAP, ratio, {"needs": {"tumor": MAP["needs"]["tumor"]}}, "stroma"),
    "a role that is the engine's": (MAP, ratio, {"needs": MAP["needs"] | {"seed": Need(TshScore, SAME_PATIENT)}}, "seed"),
    "a role of nothing": (MAP, ratio, {"needs": MAP["needs"] | {"stroma": TshScore}}, "stroma"),
    "a role of no table": (MAP, ratio, {"needs": MAP["needs"] | {"stroma": Need(Some, SAME_PATIENT)}}, "stroma"),
    "a relation of others": (MAP, ratio, {"needs": MAP["needs"] | {"stroma": Need(TshScore, SAME_PROFILE)}}, "profile"),
    "stars": (MAP, lambda **roles: None, {}, "roles"),
    "members of a patient": (MAP, lambda tumor, stroma, members: None, {}, "members"),
    "one seed for many": (MAP, lambda tumor, stroma, seed: None, {}, "seeds"),
    "an argument": (MAP, lambda tumor, stroma, parms: None, {}, "parms"),
    "a table without the key": (MAP, ratio, {"makes": CellAbundance}, "patient_id"),
    "a table without the cohort": (SUMMARY, over, {"makes": TshRatio}, "cohort"),
    "a table of no results": (MAP, ratio, {"makes": Patient}, "Patient"),
    "no table": (MAP, ratio, {"makes": Some}, "Some"),
    "tracks": (MAP, ratio, {"tracks": ("valu",)}, "valu"),
    "parameters": (MAP, ratio, {"params": dict}, "dict"),
    "source": (MAP, ratio, {"source": " "}, "source"),
    "identity": (MAP, ratio, {"identity": "none"}, "identity"),
    "batch": (MAP, ratio, {"batch": 0}, "batch"),
    "cohorts of a map": (MAP, ratio, {"cohorts": "cohorts"}, "cohorts"),
    "no cohorts": (SUMMARY, over, {"cohorts": None}, "cohorts"),
    "none at all": (SUMMARY, over, {"cohorts": ()}, "cohorts"),
    "a lambda": (SUMMARY, over, {"cohorts": lambda params: params.cohorts}, "cohorts"),
    "no field": (SUMMARY, over, {"cohorts": "cohortes"}, "cohortes"),
    "a number": (SUMMARY, over, {"cohorts": "least"}, "least"),
    "a dict": (SUMMARY, over, {"cohorts": "by_name"}, "by_name"),
    "a library": (MAP, ratio, {"libraries": ("numpy", "panda")}, "panda"),
    "a strict library": (MAP, ratio, {"strict_libraries": ("simple-itk",)}, "simple-itk"),
    "libraries as text": (MAP, ratio, {"libraries": "numpy"}, "numpy"),
}  # fmt: skip


@pytest.mark.parametrize("which", MISSPELT)
def test_a_wrong_word_is_refused_and_named(which):
    good, function, change, word = MISSPELT[which]
    if "librar" in which:  # of ours, not of the tests
        function = _in_package(function, "analyses.made_up")
    with pytest.raises(TypeError, match=rf"(?<!\w){re.escape(word)}(?!\w)"):
        analysis(**good | change)(function)


def _in_package(function, module: str):
    copy = type(function)(function.__code__, function.__globals__, function.__name__)
    copy.__module__ = module
    return copy


@pytest.mark.parametrize(
    ("chooser", "is_good"),
    [("markers", True), ("marker", False), ("expression", False), ("model", False), ("how", True)],
)
def test_genes_are_chosen_by_a_reference_that_is_there(chooser, is_good):
    needs = {
        "expression": Need(ExpressionProfile, SAME_PROFILE, values=True, genes=(chooser, genes)),
        "markers": Reference(MarkerGene, read), "model": Model(RocPoint), "how": Made(MarkerGene, TshRatio),
    }  # fmt: skip
    words = MAP | {"per": "profile", "makes": CellAbundance, "needs": needs}

    def make():
        return analysis(**words)(lambda expression, markers, model, how: None)

    if is_good:
        make()
    else:
        with pytest.raises(TypeError, match=f"'{chooser}'"):
            make()


def test_libraries_are_those_of_the_package_that_declares(monkeypatch):
    known = {"tshdb": ["numpy>=2", 'SimpleITK>=2.4; extra == "imaging"', "scikit_learn"], "guests": ["torch>=2"]}

    def requires(name):
        if name not in known:
            raise declaration.metadata.PackageNotFoundError(name)
        return known[name]

    monkeypatch.setattr(declaration.metadata, "requires", requires)
    monkeypatch.setattr(declaration.metadata, "packages_distributions", lambda: {"guest_radiomics": ["guests"]})
    declaration._declared.cache_clear()

    def make(module: str, *names: str) -> Analysis:
        return analysis(**MAP, libraries=names)(_in_package(ratio, module))

    make("analyses.x", "numpy", "SimpleITK", "scikit-learn")
    make("guest_radiomics.x", "torch", "numpy")
    make("notebook", "anything")
    for module, name in (("analyses.x", "torch"), ("guest_radiomics.x", "toch")):
        with pytest.raises(TypeError, match=name):
            make(module, name)
    declaration._declared.cache_clear()


def test_a_record_that_is_changed_is_judged_again():
    with pytest.raises(TypeError, match="patients"):
        replace(analysis(**MAP)(ratio), per="patients")


def test_all_of_ours_name_their_key_and_choose_cohorts_by_a_field():
    for record in ANALYSES:
        assert KEY_COLUMNS[record.per] in record.makes.__table__.columns
        assert (record.key_field in ("cohort", "cohorts", "signatures_of")) == record.over_cohort


def test_two_of_one_name_are_refused(tmp_path):
    settings = Settings(tmp_path / "study.toml", '[study]\nname = "x"\n')
    other = replace(toys.toy_last, function=_in_package(toys.toy_last.function, "elsewhere"))
    for twice in (other, toys.toy_last):
        with pytest.raises(InvalidInput, match="two analyses are named toy_last"):
            World((toys.toy_last, twice), settings)
    with pytest.raises(InvalidInput, match="ratios is the table tsh_ratios, which no analysis of this study makes"):
        World((toys.toy_fit,), settings)


def nosy(ratios: pd.DataFrame, params: Some) -> pd.DataFrame:
    """A row with what it is told of its parameters."""
    told = [params.least, hasattr(params, "cohorts"), params.cohort, "cohorts" in repr(params)]
    return pd.DataFrame([{"model": "toy", "position": 0, "score": 1.0, "sensitivity": 0.0, "specificity": 0.0}]).assign(
        model=str(told)
    )


nosy = analysis(**SUMMARY | {"makes": RocPoint})(nosy)


def test_the_function_is_not_told_which_cohorts_there_are(tmp_path):
    params = Some(least=5)
    inputs = Inputs("cohort", {"ratios": pd.DataFrame(), "members": []}, frozenset())
    task = Task(locate(nosy), ("one@1",), inputs, params.model_dump_json(), 1, tmp_path, loaded=loaded_digest((), ()))
    (outcome,) = compute(task)
    assert outcome.message is None
    assert outcome.rows[0]["model"] == "[5, False, 'one', False]"
    assert params.cohorts == ("first", "second"), "a copy was changed"
    with pytest.raises(AttributeError):
        _ = nosy.given(params).cohorts
