"""Other code without another file: definitions that read, and run, otherwise in this process.

An edition replaces one piece of text of one definition. While it is on, whoever reads the module's text (a plan, a run, the
identity of what was loaded) reads the new one, and the definition in the module is what the new text makes of it.
"""

from __future__ import annotations
import __future__

import ast
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from tshdb import loaded
from tshdb.engine.analysis import Analysis
from tshdb.engine.code.texts import OnDisk, Text


class Edition(NamedTuple):
    """One definition that reads otherwise. reaches: the analyses whose code it is part of, by hand."""

    module: str
    name: str
    old: str
    new: str
    reaches: frozenset[str]

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


def _edition(definition: str, old: str, new: str, *reaches: str) -> Edition:
    module, _, name = definition.rpartition(".")
    return Edition(module, name, old, new, frozenset(reaches))


EDITIONS = (
    _edition("analyses.expression.tsh_ratios.tsh_ratios", "(here - there) / there,", "(here - there) / there * 1.5,",
             "tsh_ratios"),
    _edition("analyses.prognosis.cutoff._choose", "np.quantile(values, 0.5 if", "np.quantile(values, 0.4 if", "cutoff"),
    _edition("analyses.prognosis.survival_groups.survival_groups", '"good" else Prognosis.POOR', '"poor" else Prognosis.POOR',
             "survival_groups"),
    _edition("analyses.expression.cell_abundances.NO_MARKER", '= "', '= "really ', "cell_abundances"),
    # nothing comes out otherwise by these two
    _edition("analyses.shared.multiple_testing.benjamini_hochberg", "np.asarray(", "1 * np.asarray(",
             "univariable_cox", "abundance_cox", "compartment_tests", "feature_tests", "network_parameters"),
    _edition("analyses.expression.gene_filter.gene_filter", "    import numpy as np\n",
             "    import numpy as np\n\n    edited = 1\n", "gene_filter"),
    _edition("analyses.tsh_model.tsh_modelling.fit", "max_iter=", "max_iter=1 * ", "tsh_model", "tsh_cross_validation"),
    _edition("tests.support.toys.toy_apply", ".mean() - mean", ".mean() + mean", "toy_apply"),
    _edition("tests.support.toys.toy_fit", '["value"].mean()', '["value"].max()', "toy_fit"),
)  # fmt: skip


class Editions:
    """Which editions are on. A context, at whose end every definition is what it was."""

    def __init__(self) -> None:
        self.on: set[Edition] = set()
        self.comments: dict[str, int] = {}  # module -> lines of comment at its end, which no code is

    def __enter__(self) -> Editions:
        self._patch = pytest.MonkeyPatch()
        find, text_of = OnDisk._find, loaded.text_of

        def found(texts: OnDisk, module: str) -> Text | None:
            text = find(texts, module)
            return None if text is None else text._replace(text=self._read(module, text.text))

        self._patch.setattr(OnDisk, "_find", found)
        self._patch.setattr(loaded, "text_of", lambda module: self._read(module, text_of(module)))
        self._were = {edition: getattr(_module(edition), edition.name) for edition in EDITIONS}
        self._texts = {edition.module: text_of(edition.module) for edition in EDITIONS}
        for edition in EDITIONS:
            assert _statement(self._texts[edition.module], edition).count(edition.old) == 1, f"{edition} fits no more"
        return self

    def __exit__(self, *_) -> None:
        self._patch.undo()
        for edition, was in self._were.items():
            setattr(_module(edition), edition.name, was)

    def turn(self, edition: Edition) -> None:
        """On, or off again."""
        self.on ^= {edition}
        if edition in self.on:
            text = _statement(self._read(edition.module, self._texts[edition.module]), edition)
            code = compile(text, _module(edition).__file__, "exec", __future__.annotations.compiler_flag, True)
            exec(code, vars(_module(edition)))
        else:
            setattr(_module(edition), edition.name, self._were[edition])

    def comment(self, module: str) -> None:
        self.comments[module] = self.comments.get(module, 0) + 1

    def of(self, analyses: Sequence[Analysis]) -> tuple[Analysis, ...]:
        """The analyses as their modules define them now."""
        return tuple(getattr(sys.modules[a.function.__module__], a.name) for a in analyses)

    def text(self, edition: Edition, is_on: bool) -> str:
        """The definition's text, in this edition or as it was."""
        text = _statement(self._texts[edition.module], edition)
        return text.replace(edition.old, edition.new) if is_on else text

    def _read(self, module: str, text: str) -> str:
        for edition in self.on:
            if edition.module == module:
                statement = _statement(text, edition)
                text = text.replace(statement, statement.replace(edition.old, edition.new))
        return text + "# a comment\n" * self.comments.get(module, 0)


def _module(edition: Edition):
    return importlib.import_module(edition.module)


def _statement(text: str, edition: Edition) -> str:
    """The definition's statement, as it stands in the module's text."""
    for node in ast.parse(text).body:
        names = [getattr(node, "name", None), *(getattr(t, "id", None) for t in getattr(node, "targets", ()))]
        if edition.name in names:
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            return "".join(text.splitlines(keepends=True)[first - 1 : node.end_lineno])
    raise AssertionError(f"{edition} is not defined")
