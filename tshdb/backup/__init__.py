"""Backups of a study, and the way back.

contents   which files of a study are worth keeping, and which can be made again
manifest   what a copy consists of, file by file, with digests; it is written last and cannot be edited unseen
copying    files into a copy: verified, on the disk, and not twice
places     the folder that holds backups: their names, and what an interrupted one left
listing    the backups in a folder, and whether they are whole
make       a backup, of one state of the study, while others write to it
restore    a study from a backup: verified before it has its name
since      withdrawals that came after a backup, repeated
"""
