"""Results for other programs.

writing        the kinds of export, each a record, and the one way in which they are written
record, chosen, readme
               what an export is, whose rows it may hold, and its README
tables, table_files, matrices, annotated, cbioportal, images, dicom_seg, study_crate, cell_networks
               what is written
crates         the lineage of one number as an RO-Crate

    study = tshdb.open("brca")
    exports.export(study, "csv", Path("tables"))
"""

from tshdb.exports.cell_networks import network_files, networks
from tshdb.exports.crates import crate_files, write_crate
from tshdb.exports.writing import EXPORTS, Exported, export

__all__ = ["EXPORTS", "Exported", "crate_files", "export", "network_files", "networks", "write_crate"]
