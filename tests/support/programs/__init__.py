"""Analyses that a shell or R computes, for the tests of programs."""
