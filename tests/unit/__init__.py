"""Pure functions: no study, no database, no program is started. Each is over in a moment."""
