"""Mirrors the packages, with tests of the whole: scenarios, crashes, layers, migrations, docs."""
