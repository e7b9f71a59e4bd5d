"""From dynamic images to features, on SimpleITK images alone: no database, no files. For the engine and for notebooks.

    >>> from analyses.imaging.images import prepare, breast, tumor, stroma, features       # doctest: +SKIP
    >>> s0, early, last = (prepare.resample(image) for image in phases)            # doctest: +SKIP

Every image has DICOM's coordinates (mm; x left, y back, z up), as SimpleITK keeps them; masks are 0 and 1 on the images' grid.
"""
