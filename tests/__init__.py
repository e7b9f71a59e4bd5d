"""Mirrors the packages, with tests of the whole: scenarios, crashes, layers, migrations, docs."""

from tshdb import loaded

loaded.watch("tests")  # whose toys are analyses: what they rest on is kept as it is imported
