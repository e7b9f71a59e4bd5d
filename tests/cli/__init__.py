"""The program at the terminal: commands, tables, report, and the documents that are made from them."""
