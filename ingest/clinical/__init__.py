"""Clinical tables of TCGA that are not the GDC's own, and what is plausible in any."""
