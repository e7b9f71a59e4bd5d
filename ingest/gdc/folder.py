"""A folder of GDC files, as the GDC client leaves it or as a person filled it: what is in it, and everything read.

Layout   <file_id>/<file_name>, with .partial while a file is on its way, logs/ and annotations.txt; manifests, sample
         sheets, clinical tables, Biotabs, the CDR and answers of the API anywhere in the folder. What a file is shows in
         its first lines. Before anything is loaded, files are compared with the manifest: name, size and md5.
Makes    one `loading.Item` a file; those whose bytes are loaded already are not read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ingest.formats import UNKNOWN, Format, clinical_reader, format_of
from ingest.gdc import annotations as gdc_annotations
from ingest.gdc import expression as gdc_expression
from ingest.gdc import sheets as gdc_sheets
from tshdb import installed
from tshdb.barcode import Barcode
from tshdb.canonical import json_text
from tshdb.errors import InvalidInput, NotFound
from tshdb.file_content import FileContent, Finding
from tshdb.file_identity import identity_before_reading
from tshdb.folders import Look
from tshdb.head import Head
from tshdb.loading import Item, Release, Source, SourceState, item_beside
from tshdb.places import entries_below
from tshdb.readers import Part, Reader, expected
from tshdb.vocabulary import ExpressionUnit, Severity

READ_AHEAD = 2  # files a worker may be ahead of the one that is taken in
TEXTS = (".tsv", ".txt", ".csv", ".json")
GDC_NAMES = re.compile(
    r"(clinical|follow_up|exposure|family_history|pathology_detail|molecular_test)\.tsv|gdc_(sample_sheet|manifest)\b.*"
    r"|(files|status|cases|annotations)\.json|annotations\.txt|.*star_gene_counts\.tsv"
)
IGNORED = {"LICENSE", "README.md", "README.txt", ".DS_Store", "Thumbs.db"}


@dataclass(frozen=True)
class GdcFolderOptions:
    """What to take of a folder, and how.

    units         of RNA values; each makes a profile
    only          the parts that are taken: clinical, rna
    check_bytes   hash RNA files again, even those that were not written since
    words         that the study adds to those of closed columns: others are another reading
    as_of         the day of which clinical tables speak, as the user says
    """

    collection: str
    project: str
    units: tuple[ExpressionUnit, ...] = (ExpressionUnit.TPM,)
    her2_rule: str = "ihc-fish"
    only: frozenset[str] = frozenset({"clinical", "rna"})
    jobs: int = 2
    check_bytes: bool = False
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    as_of: str | None = None


@dataclass
class Contents:
    """The files of a folder by format, in the order of their paths, and what sheets say of them."""

    root: Path
    by_format: dict[str, list[Path]] = field(default_factory=dict)
    files: gdc_sheets.Files = field(default_factory=dict)
    barcodes: dict[str, str] = field(default_factory=dict)
    release: Release | None = None
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def id_of_name(self) -> dict[str | None, str]:
        """Name of a file in a sheet -> its id, of several the first; asked when the sheets are read."""
        return {facts.file_name: facts.file_id for facts in reversed(self.files.values())}

    def of(self, format_: str) -> list[Path]:
        return self.by_format.get(format_, [])

    def note(self, severity: Severity, rule: str, message: str, path: Path | str | None = None, value=None) -> None:
        self.findings.append(Finding(None, None, value, rule, severity, message, str(path) if path else None))


def look(root: Path, options: GdcFolderOptions) -> Contents:
    """Find and classify all files, and read the sheets. Raises NotFound for no folder, InvalidInput for an empty one."""
    if not root.is_dir():
        raise NotFound(
            "no such folder", where=str(root), repair="Name a folder with --from, or leave it out to download"
        )
    contents = Contents(root)
    for path in _paths(root, contents):
        format_ = format_of(path)
        contents.by_format.setdefault(format_, []).append(path)
        if format_ == UNKNOWN and path.stat().st_size:
            if said := _damage_of(path):
                contents.note(Severity.ERROR, "folder.damaged-file", said, path)
            else:
                contents.note(Severity.WARNING, "folder.unknown-file", "of no format that this collection has", path)
    known = set(contents.by_format) & _taken().keys()
    if not known and contents.by_format and UNKNOWN not in contents.by_format:
        raise NotFound("no GDC file in it, only images", where=str(root))
    if not known:
        raise InvalidInput("no GDC file in it", where=str(root), repair=expected(_taken().values()))
    _read_sheets(contents, options)
    if "rna" in options.only:
        _compare_with_manifest(contents)
    return contents


def _damage_of(path: Path) -> str | None:
    """Why a file that no reader knows is held to be one of the GDC's that was damaged; None where it is something else."""
    head = Head(path)
    name = head.name.removesuffix(".gz")
    if name.endswith(TEXTS):
        if "\x00" in head.text:
            return "a NUL character stands in the text"
        if name.endswith(".json") and head.json is None:
            return "no whole JSON"
        if head.problem is not None:
            return head.problem.message
    if GDC_NAMES.fullmatch(name):
        return f"it has the name of a file of the GDC, and its first lines are of none ({head.shown})"
    return None


def _taken() -> dict[str, Reader]:
    """The readers whose files are taken from such a folder, by name; images are read by others."""
    parts = (Part.CLINICAL, Part.RNA, Part.NOTICES, Part.SHEETS)
    return {r.name: r for r in installed.readers() if r.part in parts and r.is_recognised}


def _paths(root: Path, contents: Contents) -> Iterator[Path]:
    """Regular files below the folder, none outside it."""
    for entry in entries_below(root):
        folders = os.path.dirname(entry.path)[len(str(root)) :].split(os.sep)
        if "logs" in folders or entry.name in IGNORED or entry.name.startswith((".", "~$")):
            continue
        path = Path(entry.path)
        if entry.name.endswith(".partial"):
            contents.note(Severity.WARNING, "folder.partial-file", "is not complete; run the GDC client again", path)
        elif entry.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            contents.note(Severity.WARNING, "folder.link-outside", "leads out of the folder and is not followed", path)
        elif entry.is_file():
            yield path


def _read_sheets(contents: Contents, options: GdcFolderOptions) -> None:
    for path in contents.of(Format.FILES):
        content = FileContent()
        gdc_sheets.read_files_json(path, contents.files, content, options.collection)
        contents.findings += [f._replace(path=str(path)) for f in content.findings]
    read_sheet = partial(gdc_sheets.read_sample_sheet, collection=options.collection)
    readers = ((Format.SAMPLE_SHEET, read_sheet), (Format.MANIFEST, gdc_sheets.read_manifest))
    for format_, read in readers:
        for path in contents.of(format_):
            content = FileContent()
            read(path, contents.files, content)
            contents.findings += [f._replace(path=str(path)) for f in content.findings]
    for path in (*contents.of(Format.FILES), *contents.of(Format.CASES)):
        contents.barcodes |= gdc_sheets.barcodes_of(path)
    for path in contents.of(Format.STATUS):
        status = json.loads(path.read_text(encoding="utf-8"))
        name = str(status.get("data_release") or f"API {status.get('tag') or status.get('version')}")
        contents.release = Release(options.collection, "gdc", name, status)


def _file_id(path: Path, contents: Contents) -> str | None:
    """The GDC's id of a file: its folder's name, else by its own name in a sheet."""
    if path.parent.name in contents.files or _is_uuid(path.parent.name):
        return path.parent.name
    return contents.id_of_name.get(path.name)


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and [len(p) for p in text.split("-")] == [8, 4, 4, 4, 12]


def _compare_with_manifest(contents: Contents) -> None:
    """Files that a manifest or a sheet names and that are not here, and files that none names."""
    here = {_file_id(path, contents) for path in contents.of(Format.EXPRESSION)}
    if not here:
        if any(f.is_rna for f in contents.files.values()):
            contents.note(
                Severity.WARNING, "folder.no-rna", f"sheets name {len(contents.files):,} files; none is in the folder",
                contents.root,
            )  # fmt: skip
        return
    for rule, is_named in (
        ("manifest.file-missing", lambda f: f.md5 is not None),
        ("sheet.file-missing", lambda f: f.md5 is None),
    ):
        absent = [f for f in contents.files.values() if f.is_rna and is_named(f) and f.file_id not in here]
        for facts in absent:
            contents.note(
                Severity.WARNING, rule, f"{facts.said_by[-1]} names it; it is not in the folder",
                value=f"{facts.file_id}/{facts.file_name}",
            )  # fmt: skip


def items(contents: Contents, options: GdcFolderOptions, standing: Mapping[Source, SourceState]) -> Iterator[Item]:
    """All items, clinical first. standing: what is loaded; RNA files that were not written since are not read again."""
    if "clinical" in options.only:
        yield from _clinical_items(contents, options, standing)
    for path in contents.of(Format.ANNOTATIONS):
        # annotations.txt stands beside each file under one name: the folder's name tells them apart
        name = path.name if path.parent == contents.root else f"{path.parent.name}/{path.name}"
        source = Source(options.collection, Format.ANNOTATIONS.value, name)
        known = {"barcodes": hashlib.sha256(json_text(contents.barcodes).encode()).hexdigest()[:16]}
        yield _item(
            source, path, known, standing,
            lambda path=path: gdc_annotations.read(path, options.collection, contents.barcodes),
        )  # fmt: skip
    if "rna" in options.only:
        yield from _expression_items(contents, options, standing)


def look_of(contents: Contents, options: GdcFolderOptions, standing: Mapping[Source, SourceState]) -> Look:
    """A folder's contents as they are loaded; what sheets and answers of the API tell is told with them."""
    if "rna" in options.only:  # said before anything is loaded: findings are handed over with the look
        for path in contents.of(Format.EXPRESSION):
            if _superseded(path, contents, options, standing):
                contents.note(
                    Severity.WARNING, "star.superseded", "the release has it no more; --complete removes its rows", path
                )
    files = {name: paths for name, paths in contents.by_format.items() if name in _taken() and name != Format.EMPTY}
    return Look(
        items=lambda: items(contents, options, standing),
        findings=contents.findings,
        release=contents.release,
        files=files,
        together=True,
        counted=Format.EXPRESSION,
        counts="rna files",
        n_items=len(contents.of(Format.EXPRESSION)) if "rna" in options.only else 0,
    )


def _item(source: Source, path: Path, read_with: dict[str, Any], standing, read: Callable[[], FileContent]) -> Item:
    return item_beside(standing.get(source), source, path, read_with, read)


def _clinical_items(contents: Contents, options: GdcFolderOptions, standing) -> Iterator[Item]:
    clinical = [r for r in _taken().values() if r.part is Part.CLINICAL]
    for reader in sorted(clinical, key=lambda r: r.precedence):
        read = clinical_reader(reader.name, options.collection, options.her2_rule)
        for path in contents.of(reader.name):
            source = Source(options.collection, reader.name, path.name)
            read_with: dict[str, Any] = {"her2_rule": options.her2_rule}
            if options.words:
                read_with["vocabulary"] = options.words
            if options.as_of is not None:
                read_with["as_of"] = options.as_of
            yield _item(source, path, read_with, standing, lambda read=read, path=path: read(path))


def _superseded(path: Path, contents: Contents, options: GdcFolderOptions, standing) -> bool:
    """Whether a file was loaded once, and the API's list of files does not have it any more."""
    file_id = _file_id(path, contents)
    if not contents.of(Format.FILES) or file_id is None or file_id in contents.files:
        return False
    return Source(options.collection, Format.EXPRESSION.value, f"{file_id}/{path.name}") in standing


def _expression_items(contents: Contents, options: GdcFolderOptions, standing) -> Iterator[Item]:
    """One item a file, in the order of the paths, read by several threads a few files ahead."""
    genes = gdc_expression.GeneRows()
    paths = [p for p in contents.of(Format.EXPRESSION) if not _superseded(p, contents, options, standing)]
    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        waiting = deque()
        todo = iter(paths)
        while True:
            while len(waiting) < options.jobs * READ_AHEAD and (path := next(todo, None)) is not None:
                waiting.append(pool.submit(_expression_item, path, contents, options, standing, genes))
            if not waiting:
                return
            yield waiting.popleft().result()


def _expression_item(path: Path, contents: Contents, options: GdcFolderOptions, standing, genes) -> Item:
    file_id = _file_id(path, contents)
    facts = contents.files.get(file_id) if file_id else None
    source = Source(options.collection, Format.EXPRESSION.value, f"{file_id}/{path.name}" if file_id else path.name)
    read_with = {"units": [str(u) for u in options.units]}
    if facts is not None:
        read_with |= {"sample": facts.sample_id, "aliquot": facts.aliquot_id, "preservation": facts.preservation}
    known = standing.get(source)
    if known is not None and not options.check_bytes and known.is_untouched(path, json_text(read_with)):
        md5_known = facts.md5 if facts else None
        return Item(source, path, read_with, None, known.sha256, md5_known, file_id, is_unread=True)
    identity = identity_before_reading(path)
    data = path.read_bytes()
    sha, md5 = hashlib.sha256(data).hexdigest(), hashlib.md5(data, usedforsecurity=False).hexdigest()
    item = Item(source, path, read_with, None, sha, md5, file_id)
    problem = _problem(path, facts, len(data), md5, options)
    if problem is not None:
        item.content = FileContent()
        item.content.withhold(None, None, None, *problem)
    elif known is None or not known.is_same(sha, json_text(read_with)):
        item.content = gdc_expression.read(data, path, facts, options.collection, options.units, genes)
    item.identity = identity if item.content is not None or known is None else known.renewed(path, identity)
    return item


def _problem(path: Path, facts, size: int, md5: str, options: GdcFolderOptions) -> tuple[str, str] | None:
    """(rule, message) of what keeps a file from being read."""
    if facts is None or facts.sample_id is None:
        return "star.no-sample", "no sample sheet and no files.json says whose it is; add the sheet to the folder"
    if Barcode.is_one(facts.sample_id) and Barcode.parse(facts.sample_id).sample_type is None:
        return "star.no-sample", f"{facts.sample_id} is a patient, no sample"
    if facts.size is not None and facts.size != size:
        return "manifest.size", f"{size:,} bytes; the manifest says {facts.size:,}: fetch it again"
    if facts.md5 is not None and facts.md5 != md5:
        return "manifest.md5", f"md5 {md5}; the manifest says {facts.md5}: fetch it again"
    unit = gdc_expression.htseq_unit(path)
    if unit is not None and unit not in options.units:
        return "star.other-unit", f"holds {unit}; ask for it with --unit {unit}"
    return None
