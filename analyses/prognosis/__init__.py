"""Populations one by one and in groups: cut-off, survival curves, log-rank tests, Cox models."""
