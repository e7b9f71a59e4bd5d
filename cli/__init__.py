"""The command line: one module a noun. Each command parses, calls one function and prints."""
