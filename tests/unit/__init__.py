"""Pure functions: no study, no database, and (but for what they import) no program. Each is over in a moment."""
