"""Readers: one source format a module. A path in, what was found out; no database."""
