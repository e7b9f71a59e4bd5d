"""Variants: results of the same data under other settings, held beside the study and not in it.

A variant keeps its settings and the units that differ from the study's (`kept`). To compute or to look, the study's database is
copied, the variant's units are laid over it (`copies`), and what a study can do is done there. Why so:
docs/decisions/0031-variants.md.
"""
