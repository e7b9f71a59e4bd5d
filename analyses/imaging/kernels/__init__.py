"""The numbers of a region, compiled: one class of features a file, with PyRadiomics' definitions (version 3.0.1).

region      the region cut out and binned once: grey levels in a box with a border, so that no neighbour is looked up outside
visits      every pair of neighbours once: what co-occurrence, runs, dependence and neighbourhood differences count
firstorder, glcm, glrlm, glszm, gldm, ngtdm, shape   the features of each class, from the counts
cubes       the triangles of a surface by which corners of a cube are inside
pointwise   filtered images whose voxels are functions of one voxel
symmetric, logarithm     eigenvalues and logarithms with the same last digits on every machine

Arrays are (slices, rows, columns). What is not defined is NaN. Source: van Griethuysen et al. 2017,
doi:10.1158/0008-5472.CAN-17-0339, and the definitions of the Image Biomarker Standardisation Initiative,
doi:10.1148/radiol.2020191145.
"""
