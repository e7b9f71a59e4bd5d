"""Text for a terminal of a given width: without control characters, wrapped at words, tables that line up. Also
cells of spreadsheets.

controls      what must not reach a terminal
widths        how many columns a text takes, and lines that wrap at words
tabular       tables that fit
durations     how long something takes
spreadsheets  cells that a spreadsheet would compute
facts         what --json prints
"""
