"""From expression profiles to abundances of cell populations, in the tumour and in the stroma, and their ratios (TSH)."""
