"""The Genomic Data Commons: its folders, tables, queries and programming interface."""
