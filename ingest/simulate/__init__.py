"""Simulated studies in the archives' own formats: for tests, benchmarks and demonstrations. Nothing here is a patient's."""
