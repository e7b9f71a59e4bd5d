"""The paper's analyses, in its order: pure functions of frames and arrays, each with its record.

Fan et al. 2023, J Transl Med 21, doi:10.1186/s12967-023-04748-6.
"""

from analyses.cell_abundances import cell_abundances
from analyses.gene_filter import gene_filter
from analyses.tsh_ratios import tsh_ratios
from analyses.univariable_cox import univariable_cox

ANALYSES = (gene_filter, cell_abundances, tsh_ratios, univariable_cox)
