"""Fingerprints of code: what a function does, not how it is written, nor where it stands.

texts     the text of modules, read from their files
scopes    what each name of a statement stands for
modules   a module as its top-level statements
program   where a name leads, and in which order statements are executed
walk      what one statement does with names
touches   which names a statement may change when a module is imported
form      the normal form of one statement
follow    all code that a function reaches, and its fingerprint
refusals  code that cannot be followed
kept      the fingerprint again, from what a database keeps
differences  the definitions that differ between two kept codes
"""
