"""What a file of any kind holds as text, or why a part of it cannot be looked into.

A kind is known by its bytes, never by its name. What is packed is unpacked within limits; what no reader here opens is
searched as bytes, and is said to be not looked into. Nothing that a file holds is run.

look    a piece of a file, the limits, and how one thing inside of another is opened
plain   text in any encoding, and bytes that are none
markup  XML, HTML and RTF without what stands between the letters; what a text holds in base64
packs   gzip, bzip2, xz, zstd, zip, tar
tables  Parquet, Arrow, NumPy, SQLite, HDF5, old workbooks
pdf     pages: the texts that their operators draw
kinds   which bytes are of which kind: `pieces` gives a file's
"""
