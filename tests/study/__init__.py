"""A study as a whole: cohorts, queries, checks, withdrawal, lineage, its story, its migrations."""
