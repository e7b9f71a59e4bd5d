"""Analyses that another program computes: a command, with the files that it is made of.

record     what is declared of one, and judged
files      its scripts and its lock as they are now, and its interpreter's version
hand_over  frames as files
hand_back  the result as a frame that fits the declared table
child      the command as a process that cannot outlive whoever asked for it
keeper     the process between the two; it stands alone, without a line of the rest
call       one call: a folder, the inputs in it, the command, the result
"""
