"""Correlation networks of cell populations, and their topology."""
