"""What is measured, against whom, in one run: `make bench`, or `python -m benchmarks [NAME …]`."""
