"""DICOM, masks, regions and radiomic features."""
