"""Analyses that R computes, for the tests of programs."""
