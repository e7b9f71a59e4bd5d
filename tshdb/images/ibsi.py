"""The identifiers of the Image Biomarker Standardisation Initiative (reference manual, arXiv:1612.07003) of the features that it
defines, too. What is not here is PyRadiomics' own: diameters within planes, total energy, the maximal correlation coefficient."""

from __future__ import annotations

IDS = {  # class -> PyRadiomics' name -> identifier
    "shape": {
        "Elongation": "Q3CK", "Flatness": "N17B", "LeastAxisLength": "7J51", "MajorAxisLength": "TDIC",
        "Maximum3DDiameter": "L0JK", "MeshVolume": "RNU0", "MinorAxisLength": "P9VJ", "Sphericity": "QCFX",
        "SurfaceArea": "C0JK", "SurfaceVolumeRatio": "2PR5", "VoxelVolume": "YEKZ",
    },
    "firstorder": {
        "10Percentile": "QG58", "90Percentile": "8DWT", "Energy": "N8CA", "Entropy": "TLU2", "InterquartileRange": "SALO",
        "Kurtosis": "IPH6", "Maximum": "84IY", "MeanAbsoluteDeviation": "4FUA", "Mean": "Q4LE", "Median": "Y12H",
        "Minimum": "1GSF", "Range": "2OJQ", "RobustMeanAbsoluteDeviation": "1128", "RootMeanSquared": "5ZWQ",
        "Skewness": "KE2A", "Uniformity": "BJ5W", "Variance": "ECT3",
    },
    "glcm": {
        "Autocorrelation": "QWB0", "ClusterProminence": "AE86", "ClusterShade": "7NFM", "ClusterTendency": "DG8W",
        "Contrast": "ACUI", "Correlation": "NI2N", "DifferenceAverage": "TF7R", "DifferenceEntropy": "NTRS",
        "DifferenceVariance": "D3YU", "Id": "IB1Z", "Idm": "WF0Z", "Idmn": "1QCO", "Idn": "NDRX", "Imc1": "R8DG",
        "Imc2": "JN9H", "InverseVariance": "E8JP", "JointAverage": "60VM", "JointEnergy": "8ZQL", "JointEntropy": "TU9B",
        "MaximumProbability": "GYBY", "SumAverage": "ZGXS", "SumEntropy": "P6QZ", "SumSquares": "UR99",
    },
    "glrlm": {
        "GrayLevelNonUniformity": "R5YN", "GrayLevelNonUniformityNormalized": "OVBL", "GrayLevelVariance": "8CE5",
        "HighGrayLevelRunEmphasis": "G3QZ", "LongRunEmphasis": "W4KF", "LongRunHighGrayLevelEmphasis": "3KUM",
        "LongRunLowGrayLevelEmphasis": "IVPO", "LowGrayLevelRunEmphasis": "V3SW", "RunEntropy": "HJ9O",
        "RunLengthNonUniformity": "W92Y", "RunLengthNonUniformityNormalized": "IC23", "RunPercentage": "9ZK5",
        "RunVariance": "SXLW", "ShortRunEmphasis": "22OV", "ShortRunHighGrayLevelEmphasis": "GD3A",
        "ShortRunLowGrayLevelEmphasis": "HTZT",
    },
    "glszm": {
        "GrayLevelNonUniformity": "JNSA", "GrayLevelNonUniformityNormalized": "Y1RO", "GrayLevelVariance": "BYLV",
        "HighGrayLevelZoneEmphasis": "5GN9", "LargeAreaEmphasis": "48P8", "LargeAreaHighGrayLevelEmphasis": "J17V",
        "LargeAreaLowGrayLevelEmphasis": "YH51", "LowGrayLevelZoneEmphasis": "XMSY", "SizeZoneNonUniformity": "4JP3",
        "SizeZoneNonUniformityNormalized": "VB3A", "SmallAreaEmphasis": "5QRC", "SmallAreaHighGrayLevelEmphasis": "HW1V",
        "SmallAreaLowGrayLevelEmphasis": "5RAI", "ZoneEntropy": "GU8N", "ZonePercentage": "P30P", "ZoneVariance": "3NSA",
    },
    "gldm": {
        "DependenceEntropy": "FCBV", "DependenceNonUniformity": "Z87G", "DependenceNonUniformityNormalized": "OKJI",
        "DependenceVariance": "DNX2", "GrayLevelNonUniformity": "FP8K", "GrayLevelVariance": "1PFV",
        "HighGrayLevelEmphasis": "OAE7", "LargeDependenceEmphasis": "IMOQ", "LargeDependenceHighGrayLevelEmphasis": "9QMG",
        "LargeDependenceLowGrayLevelEmphasis": "NBZI", "LowGrayLevelEmphasis": "TL9H", "SmallDependenceEmphasis": "SODN",
        "SmallDependenceHighGrayLevelEmphasis": "JA6D", "SmallDependenceLowGrayLevelEmphasis": "EQ3F",
    },
    "ngtdm": {
        "Busyness": "NQ30", "Coarseness": "QCDE", "Complexity": "HDEZ", "Contrast": "65HE", "Strength": "1X9X",
    },
}  # fmt: skip
# what is done over directions, and over slices: averaged in three dimensions, or slices merged for each direction
AGGREGATIONS = {
    False: {"glcm": "ITBB", "glrlm": "ITBB", "glszm": "KOBO", "gldm": "KOBO", "ngtdm": "KOBO"},
    True: {"glcm": "JJUI", "glrlm": "JJUI", "glszm": "62GR", "gldm": "62GR", "ngtdm": "62GR"},
}  # by force_2d
