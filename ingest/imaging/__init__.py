"""Readers of images: DICOM headers and folders."""
