"""Specification curves: one result by every combination of choices that could have been made, and what moves it.

Simonsohn, Simmons and Nelson 2020, Nature Human Behaviour 4:1208, doi:10.1038/s41562-020-0912-z; Steegen et al. 2016,
doi:10.1177/1745691616658637 (multiverse).

asked       what a file asks for: the result that is followed, the choices, their combinations
origin      what the result of one combination is made of: settings, code, data
found       the result as it stands in a database
kept        results of combinations that are done, so that a run goes on where it was interrupted
permuted    the same result with the outcomes of the patients exchanged
curve       all combinations in order, what each choice moves, how many point the same way, permutation p values
"""
