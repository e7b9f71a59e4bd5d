"""Images of a study as arrays, and features by name: for the analyses, and for whoever draws what they made.

stacks         where the images of a series lie; series_grid: the same as one grid
refusals       a geometry that was refused, as grids that can be drawn
pixels         images of DICOM files, read only when their bytes are those that the study knows
dicom_files    a DICOM file opened for whoever reads its header or its pixels; dicom_marks: how one begins
decoding       which pixels can be decoded here
mask_volumes   phases and masks on one grid
feature_names  the radiomic features, by name
"""
