"""Tables of gene expression, from one file a sample to one matrix."""
