"""The program's version: what results and sources say they were made by."""

__version__ = "0.1.0"
