"""Pages about a study: one self-contained HTML file each, and reporting checklists.

report        the study as one file: what it says, what is doubtful, tables, figures, sources
qc_page       the images of examinations, to look through and to judge
ingest_page   what an ingest did and found
checklists    reporting checklists, filled as far as the database can
html          templates/ with values, escaped

    study = tshdb.open("brca")
    pages.report(study)

jinja2 is imported when a page is made.
"""

from tshdb.pages.checklists import checklist
from tshdb.pages.html import Page, write_page
from tshdb.pages.ingest_page import grouped, ingest_page
from tshdb.pages.qc_page import write_qc_page
from tshdb.pages.report import report

__all__ = ["Page", "checklist", "grouped", "ingest_page", "report", "write_page", "write_qc_page"]
