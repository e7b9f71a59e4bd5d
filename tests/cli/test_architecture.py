"""docs/architecture.md draws the house as it stands: its arrows and layers are those of the imports."""

from __future__ import annotations

import importlib.util
import tomllib
from graphlib import TopologicalSorter

import grimp
import pytest

from tests.support.program import ROOT

PACKAGES = ("cli", "ingest", "analyses", "migrations", "tshdb")
MOST_ARROWS = 6


@pytest.fixture(scope="module")
def architecture():
    spec = importlib.util.spec_from_file_location("architecture", ROOT / "docs/architecture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def imports() -> list[tuple[str, str]]:
    """(module, module that it imports), but for imports that are there for types alone."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None, exclude_type_checking_imports=True)
    return [(m, other) for m in sorted(graph.modules) for other in sorted(graph.find_modules_directly_imported_by(m))]


def test_the_arrows_are_the_imports(architecture, page, imports):
    between = {(a.partition(".")[0], b.partition(".")[0]) for a, b in imports}
    assert {(a, b) for a, b in between if a != b} == set(architecture.arrows(page))


def test_the_arrows_are_few_and_none_goes_upwards(architecture, page):
    arrows = architecture.arrows(page)
    assert len(arrows) <= MOST_ARROWS
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    height = {name: -i for i, layer in enumerate(contract["layers"]) for name in layer.split(" | ")}
    assert set(height) == set(PACKAGES) and all(height[a] > height[b] for a, b in arrows)


def test_no_modules_import_each_other_in_a_circle(imports):
    graph: dict[str, set[str]] = {}
    for importer, imported in imports:
        graph.setdefault(importer, set()).add(imported)
    TopologicalSorter(graph).prepare()  # raises CycleError, with the circle


def test_the_core_s_layers_are_kept(architecture, page, imports):
    """Nothing imports from a line above its own. What stands on no line serves all, and imports from no line."""
    layers = list(architecture.layers(page).values())
    height = {f"tshdb.{name}": -i for i, names in enumerate(layers) for name in names}
    assert len(height) == sum(map(len, layers)), "a name stands twice"
    height["tshdb"] = 0  # the package itself, with `open` and `make`
    lowest = -len(layers)
    upwards = [
        f"{a} -> {b}"
        for a, b in imports
        if a.startswith("tshdb.") and b.startswith("tshdb.")
        and height.get(_part(a), lowest) < height.get(_part(b), lowest)
    ]  # fmt: skip
    assert upwards == []
    there = {_part(m) for pair in imports for m in pair}
    assert set(height) <= there, "drawn, and not there"


def _part(module: str) -> str:
    return ".".join(module.split(".")[:2])


def test_the_picture_is_that_of_the_page(architecture, page):
    assert (ROOT / "docs/architecture.svg").read_text(encoding="utf-8") == architecture.drawn(page), "run: make docs"
