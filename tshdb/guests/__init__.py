"""Analyses that are not this program's: in an installed package, or in the study's own folder `analyses/`.

listing   which analyses a study has, and which of them nobody here can run
folder    the study's own files, loaded as a package of their own
trust     whose code may run: the owner says so, by digest, outside of the study
"""
