"""Readers and downloads: from the archives' files to rows, and what is refused."""
