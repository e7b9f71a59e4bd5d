"""Names of columns and measures as people read them."""

from __future__ import annotations

from analyses.networks.topology import PARAMETERS
from tshdb.pages.report.overview import VARIABLES
from tshdb.text.labels import LABELS, in_words


def test_every_label_is_of_a_name_that_there_is_and_no_two_are_alike():
    names = (*PARAMETERS, *VARIABLES)
    assert set(LABELS) <= set(names)
    assert len({in_words(name) for name in names}) == len(names)
    assert not [name for name in names if "_" in in_words(name)]
    assert in_words("er_status") == "ER" and in_words("clustering_coefficient") == "clustering coefficient"
