"""Are stored results what their code, parameters and inputs give? Units are computed anew in a fresh process, and compared.

`tshdb check` trusts digests; this trusts nothing that stands beside a value.

drawing     which units: a seeded draw, spread over the analyses
stored      a unit as it stands: its rows, its digests, its objects, its spec, its inputs
child       the process that computes
anew        starting it, and starting another one when it dies
comparing   what stands against what was computed, row by row and column by column
verify      all of it in order
"""
