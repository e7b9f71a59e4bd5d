"""Is this machine, and this study, fit to work with? Every line is looked at by itself: none keeps another from being said.

line      a line: ok, a warning or a problem, each with the repair
program   Python, libraries, extras, neighbours
machine   processors, memory, disks, folders that must be writable, the clock
study     settings, database, locks, leases, runs, trash
examine   all of them in order
"""
