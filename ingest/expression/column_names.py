"""Whose the columns of a matrix are: names as programs have altered them, and the samples that they are.

Altered    by R's make.names (TCGA.A7.A0CE.01A), by featureCounts (a path that ends with .bam), by GEO (GSM numbers, whose titles
           may be the samples' names). What is taken back is said, once a file.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from ingest.expression.makes import Make
from ingest.gdc.sample_sheet import SampleRow, SampleSheet
from ingest.identifiers import checked_sample
from tshdb.barcode import Barcode
from tshdb.file_content import FileContent

BAM = re.compile(
    r"(?:[._](?:sorted|sort|dedup|markdup|aligned\.sortedbycoord\.out|aligned\.out))*\.(?:bam|sam|cram)$", re.IGNORECASE
)
_DOTTED = re.compile(r"TCGA\.[A-Z0-9]{2}\.[A-Z0-9]{4}(?:\.[A-Z0-9]+)*")


def hyphened(name: str) -> str | None:
    """The barcode whose hyphens R's make.names has made dots; None for another name."""
    return name.replace(".", "-") if _DOTTED.fullmatch(name) else None


def mangled(name: str) -> str:
    """A name as R's make.names makes it."""
    text = re.sub(r"[^\w.]", ".", name)
    return text if re.match(r"[A-Za-z]|\.(?!\d)", text) else f"X{text}"


def of_bam(name: str) -> str | None:
    """The sample of a file of reads, as featureCounts names its columns; None for another name."""
    bare = BAM.sub("", name)
    return bare.replace("\\", "/").rpartition("/")[2] if bare != name else None


def sample_names(make: Make, sheet: SampleSheet, content: FileContent) -> list[str]:
    """The header with the names of its samples as they were before a program altered them."""
    header = list(make.header)
    spelt = defaultdict(list)
    for name in sheet.names:
        spelt[mangled(name)].append(name)
    before_r = {name: names[0] for name, names in spelt.items() if len(names) == 1 and names[0] != name}
    ways: tuple[tuple[str, Callable[[str], str | None], str], ...] = (
        ("rna.names-of-files", of_bam, "names of files, as featureCounts writes them, are read as samples"),
        ("rna.names-of-r", hyphened, "dots are read as the hyphens that R's make.names (check.names) made them of"),
        ("rna.names-of-r", before_r.get, "names are read as the sample sheet spells them, before R's make.names"),
        ("rna.titles", make.titles.get, "GEO's numbers are read as the samples' titles"),
    )
    for rule, restored, message in ways:
        changed = {}
        for i in make.samples:
            before = restored(header[i]) if sheet.sample_of(header[i]) is None else None
            if before is not None and (rule != "rna.titles" or is_sample(before, sheet)):
                changed[i] = before
        if changed:
            i, name = next(iter(changed.items()))
            content.warn(make.line, header[i], header[i], rule, f"{message} ({len(changed)}: {header[i]} is {name})")
            for i, name in changed.items():
                header[i] = name
    return header


def is_sample(name: str, sheet: SampleSheet) -> bool:
    """Whether a title is a sample's name, and not only words about it."""
    return sheet.sample_of(name) is not None or sheet.sample_of(name, "01") is not None


def known_samples(
    columns: Sequence[tuple[int, str, int]],
    sheet: SampleSheet,
    sample_type: str | None,
    content: FileContent,
    titles: Mapping[str, str] = {},
) -> list[tuple[int, SampleRow]]:
    """(place, sample) of each column that is somebody's; the others are errors, and take part in nothing.

    columns   (place, name, line)
    titles    of GEO's samples, to be shown
    """
    times = Counter(name for _, name, _ in columns)
    told: set[str] = set()
    known = []
    for place, name, line in columns:
        if times[name] > 1:
            if name not in told:
                told.add(name)
                content.error(
                    line, name, name, "rna.sample-twice", f"named {times[name]} times; a sample has one column"
                )
            continue
        if not name:
            content.error(line, None, "", "rna.unknown-sample", "there are values, and no sample's name")
            continue
        if checked_sample(name, line, name, content) is None:
            continue
        sample = sheet.sample_of(name, sample_type)
        if sample is None:
            title = f" (title: {titles[name]})" if name in titles else ""
            said = f"no TCGA sample barcode and not in a sample sheet{title}; name one with --samples"
            if Barcode.is_one(name):
                said = "a patient, and nothing says of which tissue: --sample-type 01 (tumour) or 11 (normal)"
            content.error(line, name, name, "rna.unknown-sample", said)
            continue
        known.append((place, sample))
    return known
