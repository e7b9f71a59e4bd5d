"""Methods that analyses of several subjects use: no records, no database."""
