"""Images of a study as arrays, and features by name: for the analyses, and for whoever draws what they made.

pixels         the slices of DICOM files, read only when their bytes are those that the study knows
mask_volumes   phases and masks on one grid
feature_names  the radiomic features, by name
"""
