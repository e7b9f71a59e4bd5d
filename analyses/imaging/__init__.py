"""From DICOM series to features of tumour and stroma: roles, phases, masks, regions, radiomics."""
