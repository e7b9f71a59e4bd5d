"""Does everything that a study promises still hold? Rules by subject; each finds its kind of damage and names the repair.

rule        what a rule is, and all of them
database    the file itself, its schema, its foreign keys
objects     expression parts: there, unchanged, holding what rows say
units       results and the digests by which they are trusted; inputs, runs, leases
provenance  rows and the places in files that say them; specs
history     what began each change
cohorts     versions, members, flows
traces      leftovers of interruptions, withdrawals
"""
