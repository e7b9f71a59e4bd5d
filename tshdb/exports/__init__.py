"""Results for other programs.

cell_networks  GraphML (Gephi, igraph, yEd) and Cytoscape JSON
crates         the lineage of one number as an RO-Crate

    study = tshdb.open("brca")
    exports.networks(study)
"""

from tshdb.exports.cell_networks import network_files, networks
from tshdb.exports.crates import crate_files, write_crate

__all__ = ["crate_files", "network_files", "networks", "write_crate"]
