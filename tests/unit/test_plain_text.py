"""Texts of data in drawings and graphs: letters, whatever signs they hold."""

from __future__ import annotations

from xml.etree import ElementTree

import networkx as nx
import pytest
from matplotlib.figure import Figure

from tests.support.payloads import ALL, MATH
from tshdb.errors import InvalidInput
from tshdb.exports.cell_networks import network_files
from tshdb.figures import drawn_in_style, saved


def drawing(text: str) -> Figure:
    figure = Figure()
    axes = figure.add_subplot()
    axes.plot([1, 10], [1, 2], label=text)
    axes.set(title=text, xlabel=text)
    axes.set_yticks([1, 2], [text, "b"])
    axes.legend()
    axes.text(1, 1, text)
    return figure


def words_as_places(text: str) -> Figure:
    """An axis of words: its labels are texts only when it is drawn."""
    figure = Figure()
    figure.add_subplot().bar([text, "b", f"{text} c"], [1, 2, 3])
    return figure


@pytest.mark.parametrize("text", [*MATH, "Ba$$in", "$\\Delta x_1$"])
def test_what_data_brings_is_no_formula(text):
    assert drawn_in_style(lambda: words_as_places(text), "svg").count(b"<text") >= 3
    svg = drawn_in_style(lambda: drawing(text), "svg")
    ElementTree.fromstring(svg)
    assert saved(lambda: drawing(text), "png").startswith(b"\x89PNG")


@pytest.mark.filterwarnings("ignore::UserWarning")  # of letters that no font has, and of drawings without room
def test_every_text_gives_a_drawing_that_opens():
    svg = drawn_in_style(lambda: drawing(" ".join(ALL)), "svg").decode()
    assert not {"\x1b", "\x9b", "\x07", "\x01", "\x0b"} & set(svg)
    for element in ElementTree.fromstring(svg).iter():
        assert element.tag.rpartition("}")[2] != "script"


def test_a_scale_in_powers_of_ten_has_plain_numbers():
    def draw() -> Figure:
        figure = Figure()
        axes = figure.add_subplot()
        axes.loglog([0.01, 100], [1, 1000])
        figure.made = axes
        return figure

    made = draw()
    drawn_in_style(lambda: made, "svg")
    labels = [label.get_text() for label in made.made.get_xticklabels()]
    assert "0.01" in labels and not any("$" in label for label in labels)


def graph(*names: str) -> nx.Graph:
    made = nx.Graph(cohort="c", compartment="tumor", prognosis="good")
    made.add_nodes_from((n, {"name": n}) for n in names)
    made.add_edge(*names[:2], correlation=0.5, n=9)
    return made


def test_a_graph_has_names_that_every_program_reads():
    files = network_files({"tumor-good": graph("a\x01\x1b[2Jb", "]]><b>&amp;")})
    text, made = files["tumor-good.graphml"]
    assert nx.parse_graphml(text).nodes == made.nodes and sorted(made) == ["]]><b>&amp;", "a[2Jb"]
    assert "\\u" not in files["tumor-good.cyjs"][0]


def test_names_that_become_one_are_refused():
    with pytest.raises(InvalidInput, match="the same name"):
        network_files({"tumor-good": graph("a\x01", "a")})
