"""Text for a terminal of a given width: without control characters, wrapped at words, tables that line up.

controls  what must not reach a terminal
widths    how many columns a text takes, and lines that wrap at words
tabular   tables that fit
"""
