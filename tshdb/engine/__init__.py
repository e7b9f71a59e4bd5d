"""The engine: what an analysis is, what is stale and why, and how it is computed again without loss.

analysis   the record of an analysis: kind, inputs, what it makes
code       fingerprints of code
graph      units and the inputs that they were computed from, up and down
units      what stands in the database: units, specs, edges
plan       what a plan says: units that are due, each with its reason
expected   what units there should be, and of which inputs
edges      the inputs that units should have, against those that they have
planner    which units are due, each with its reason
causes     what began a change, as a value; cause_sets: on record
roots      the causes of units that are due; since, cohort_causes, spec_causes: where they come from
explain    from a cause to a unit, step by step
upgrades   what another version of the program computes otherwise
costs      how long a rebuild will take
inputs     payloads and expression values, as frames for an analysis
compute    one batch: call the function, split its rows by key, isolate what fails
identity   what a process has loaded of an analysis, as a digest that every outcome bears
executor   where batches run: in this process, or in a pool of processes
cluster    the workers of a Dask scheduler
batches    the inputs of a batch, read together; its outcomes, checked again and committed
rebuild    plan, lease, compute, commit, until nothing is due
report     what one run did
why        the reason of one unit, down to file and line
"""
