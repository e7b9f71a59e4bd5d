"""A study as one bundle that another machine can take: sources, settings, code text and results.

    manifest.json        what it consists of, with digests (tshdb.backup.manifest)
    study/…              the study's folder: settings, database, objects, own analyses, raw/
    sources/SHA256/NAME  files that were read and lie outside of the study's folder
    code/ANALYSIS-….py   the text of every analysis as it ran, to be read
    environment.json     Python and libraries of every run

export      writing one, as a folder or a zip
unpacking   the files of one, each compared with its digest; nothing that it says is believed
hostile     what a database or settings that were received may not hold
importing   a study of one, checked in full before it has its name
rebuilding  its results made again from its inputs, and compared with those that it came with
"""
