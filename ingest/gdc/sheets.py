"""What the GDC says of its files: manifests, sample sheets, and the API's /files.

Manifest      id, filename, md5, size, state: tab-separated.
Sample sheet  File ID, File Name, Case ID, Sample ID, and Sample Type, or (since portal 2.4.0) Tissue Type, Tumor
              Descriptor, Specimen Type, Preservation Method. It has no aliquot barcode.
/files        hits with file_id, file_name, md5sum, file_size, associated_entities (the aliquot) and cases.samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ingest.gdc.columns import missing_reason, positions
from ingest.gdc.hits import hits_in, hits_of, keys_of, project_in
from ingest.gdc.projects import Projects
from ingest.identifiers import checked_sample
from tshdb.barcode import Barcode
from tshdb.file_content import FileContent
from tshdb.head import Head
from tshdb.readers import Part, Reader
from tshdb.text_files import number, open_table

MANIFEST = ("id", "filename", "md5", "size", "state")
SHEET = ("file_id", "file_name", "case", "sample")
SHEET_WANTED = (*SHEET, "project", "sample_type", "tissue_type", "preservation_method")
TYPE_CODES = {
    "Primary Tumor": "01",
    "Recurrent Tumor": "02",
    "Additional - New Primary": "05",
    "Metastatic": "06",
    "Additional Metastatic": "07",
    "Blood Derived Normal": "10",
    "Solid Tissue Normal": "11",
}


@dataclass
class FileFacts:
    """What is known of one file, from whichever sheet says it. aliquot_id: a full barcode where known."""

    file_id: str
    file_name: str | None = None
    md5: str | None = None
    size: int | None = None
    case_id: str | None = None
    sample_id: str | None = None
    aliquot_id: str | None = None
    preservation: str | None = None
    is_rna: bool = True
    said_by: list[str] = field(default_factory=list)

    def learn(self, **facts) -> None:
        """Take what is not known yet."""
        for name, value in facts.items():
            if value is not None and getattr(self, name) is None:
                setattr(self, name, value)


Files = dict[str, FileFacts]


def _rows(path: Path, content: FileContent, rule: str):
    with open_table(path, content, rule) as table:
        for line, fields in table.rows:
            yield line, table.header, [f.strip() for f in fields]


def read_manifest(path: Path, files: Files, content: FileContent) -> None:
    """Learn name, md5 and size of every file of a manifest."""
    for line, header, fields in _rows(path, content, "manifest.field-count"):
        row = dict(zip(header, fields, strict=True))
        size = number(row["size"])
        if size is None or len(row["md5"]) != 32:
            content.error(
                line, "md5", row["md5"], "manifest.bad-row", "expected an md5 of 32 digits and a size in bytes"
            )
            continue
        facts = files.setdefault(row["id"], FileFacts(row["id"]))
        if facts.md5 not in (None, row["md5"]):
            content.error(line, "md5", row["md5"], "manifest.disagree", f"{facts.said_by[-1]} says {facts.md5}")
        facts.learn(file_name=Path(row["filename"]).name, md5=row["md5"], size=int(size))
        facts.said_by.append(path.name)


def read_sample_sheet(path: Path, files: Files, content: FileContent, collection: str = "") -> None:
    """Learn the case and the sample of every file of a sample sheet, old or new; not of files of another project."""
    projects = Projects(collection, "sheet.other-project")
    seen: dict[str, int] = {}
    for line, header, fields in _rows(path, content, "sheet.field-count"):
        at = positions(header, SHEET_WANTED)
        row = {name: fields[i] for name, i in at.items()}
        if projects.is_other(row.get("project"), line):
            continue
        if "," in row["sample"]:
            content.error(
                line, "Sample ID", row["sample"], "sheet.several-samples",
                "several samples for one file; expression comes from one",
            )  # fmt: skip
            continue
        if row["file_id"] in seen:
            content.error(
                line, "File ID", row["file_id"], "sheet.file-twice", f"stands on line {seen[row['file_id']]} already"
            )
            continue
        seen[row["file_id"]] = line
        sample = checked_sample(row["sample"], line, "Sample ID", content)
        if sample is None or not _fits(row, sample, line, content):
            continue
        preservation = row.get("preservation_method")
        facts = files.setdefault(row["file_id"], FileFacts(row["file_id"]))
        facts.learn(
            file_name=row["file_name"],
            case_id=row["case"],
            sample_id=sample,
            preservation=None if missing_reason(preservation) else preservation,
        )
        facts.said_by.append(path.name)
    projects.tell(content, "Project ID")


def _fits(row: dict[str, str], sample: str, line: int, content: FileContent) -> bool:
    """Whether the sample's barcode is of the case and of the tissue that the row names."""
    if not sample.startswith(row["case"]):
        content.error(line, "Sample ID", sample, "sheet.other-case", f"the row's case is {row['case']}")
        return False
    if not Barcode.is_one(sample):
        return True
    code = Barcode.parse(sample).sample_type
    named = TYPE_CODES.get(row.get("sample_type", ""))
    if named is not None and code is not None and named != code:
        content.error(
            line, "Sample Type", row["sample_type"], "sheet.type-and-barcode",
            f"{sample} has sample type code {code}; {row['sample_type']} is {named}",
        )  # fmt: skip
        return False
    tissue = row.get("tissue_type", "").lower()
    if code is not None and tissue in ("tumor", "normal") and (tissue == "normal") != ("10" <= code <= "19"):
        content.error(
            line, "Tissue Type", row["tissue_type"], "sheet.type-and-barcode", f"{sample} has sample type code {code}"
        )
        return False
    return True


def read_files_json(path: Path, files: Files, content: FileContent | None = None, collection: str = "") -> None:
    """Learn everything from an answer of /files, but of files of another project."""
    projects = Projects(collection, "sheet.other-project")
    for i, hit in enumerate(hits_of(path), 1):
        of_cases = [name for case in hit.get("cases") or () for name in project_in(case).values()]
        if of_cases and projects.is_other(of_cases[0], i):
            continue
        file_id = hit.get("file_id") or hit.get("id")
        if not file_id:
            continue
        aliquots = [e.get("entity_submitter_id") for e in hit.get("associated_entities") or ()]
        aliquots = [a for a in aliquots if a and Barcode.is_one(a)]
        aliquot = aliquots[0] if len(aliquots) == 1 else None
        sample = Barcode.parse(aliquot).sample_id if aliquot else None
        preservation = None
        for case in hit.get("cases") or ():
            for each in case.get("samples") or ():
                if sample is not None and each.get("submitter_id") == sample:
                    preservation = each.get("preservation_method")
        facts = files.setdefault(file_id, FileFacts(file_id))
        facts.learn(
            file_name=hit.get("file_name"),
            md5=hit.get("md5sum"),
            size=hit.get("file_size"),
            case_id=Barcode.parse(aliquot).patient_id if aliquot else None,
            sample_id=sample,
            aliquot_id=aliquot,
            preservation=None if missing_reason(preservation) else preservation,
        )
        facts.is_rna = hit.get("data_category") in (None, "Transcriptome Profiling")
        facts.said_by.append(path.name)
    if content is not None:
        projects.tell(content, "cases.project.project_id")


def barcodes_of(path: Path) -> dict[str, str]:
    """uuid -> barcode of everything that an answer of /files or /cases names."""
    barcodes: dict[str, str] = {}
    for hit in hits_of(path):
        for entity in hit.get("associated_entities") or ():
            if entity.get("entity_id") and entity.get("entity_submitter_id"):
                barcodes[entity["entity_id"]] = entity["entity_submitter_id"]
        for case in [hit, *(hit.get("cases") or ())]:
            if case.get("case_id") and case.get("submitter_id"):
                barcodes[case["case_id"]] = case["submitter_id"]
            for sample in case.get("samples") or ():
                if sample.get("sample_id") and sample.get("submitter_id"):
                    barcodes[sample["sample_id"]] = sample["submitter_id"]
    return barcodes


def _is_status(head: Head) -> bool:
    return isinstance(head.json, dict) and {"version", "status"} <= head.json.keys()


def _sheet(name: str, about: str, recognises: Callable[[Head], bool]) -> Reader:
    return Reader(name=name, about=about, part=Part.SHEETS, precedence=None, recognises=recognises)


SHEETS = (
    _sheet("status", "status.json of the GDC's API", _is_status),
    _sheet("empty", "an answer of the API without hits", lambda head: hits_in(head) == []),
    _sheet("files", "files of the GDC's API (JSON)", lambda head: "file_name" in keys_of(head)),
    _sheet("manifest", "a manifest", lambda head: set(MANIFEST) <= set(head.header)),
    _sheet("sample-sheet", "a sample sheet", lambda head: set(SHEET) <= positions(head.header, SHEET).keys()),
)
