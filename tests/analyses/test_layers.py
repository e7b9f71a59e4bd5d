"""Analyses meet in tables: none imports another, but for helpers without a record. The layers: pyproject.toml."""

from __future__ import annotations

import sys

import grimp
import pytest

from analyses import ANALYSES
from tshdb.engine.analysis import Analysis


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("analyses", cache_dir=None)


def with_records() -> dict[str, str]:
    """module -> the name of its analysis, of those that are listed and of any other that is declared in the package."""
    loaded = [m for name, m in sys.modules.items() if name.startswith("analyses.")]
    declared = [r for m in loaded for r in vars(m).values() if isinstance(r, Analysis)]
    return {
        r.function.__module__: r.name for r in (*ANALYSES, *declared) if r.function.__module__.startswith("analyses.")
    }


def chains(graph: grimp.ImportGraph, modules: set[str]) -> list[str]:
    """How one of the modules comes by another, directly or through helpers."""
    return [
        " -> ".join(graph.find_shortest_chain(importer=module, imported=other))
        for module in sorted(modules)
        for other in sorted(graph.find_upstream_modules(module) & modules)
    ]


def test_no_analysis_imports_another(graph):
    modules = with_records()
    assert len(modules) >= len(ANALYSES)
    assert chains(graph, set(modules)) == []


def test_an_import_would_be_seen(graph):
    """A new analysis that imports an old one, itself or by a helper, is named with its way there."""
    graph.add_module("analyses.new_one")
    graph.add_module("analyses.new_helper")
    graph.add_import(importer="analyses.new_one", imported="analyses.new_helper")
    graph.add_import(importer="analyses.new_helper", imported="analyses.expression.cell_abundances")
    found = chains(graph, {*with_records(), "analyses.new_one"})
    assert found == ["analyses.new_one -> analyses.new_helper -> analyses.expression.cell_abundances"]
