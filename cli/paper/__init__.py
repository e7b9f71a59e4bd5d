"""The paper again, from a study's results: its tables, figures and printed numbers, for the terminal and for pages.

rows       the rows behind the tables, and what the paper prints
layouts    tables laid out as the paper has them
figures    what each figure is drawn from, and how to read it
drawings   the drawing itself
claims     every printed number beside the study's own: does it hold
"""
