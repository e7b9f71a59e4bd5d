"""A first map for a clinical table: what its columns seem to be, for a person to correct.

Nothing is loaded by a guess alone. Every choice bears its reason. Where two columns compete, or a code or unit could mean two
things, there is `?`, which no map accepts. Columns that are not used are listed, each with what becomes of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ingest.expression.other_makes import has_patients_in_columns
from ingest.tables.guess_outcomes import outcomes
from ingest.tables.guessed_columns import Column, choice, codes_in, columns_of, inline, text
from ingest.tables.maps import PATIENT_COLUMNS
from ingest.tables.workbook import Shape, Sheet, header_key, read_sheets
from tshdb.barcode import Barcode
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent
from tshdb.identity import Identity, identity_columns
from tshdb.packing import is_workbook
from tshdb.text_files import legacy_encoding, number
from tshdb.words import Vocabulary, keys

_WHO = "patient|subject|participant|pat|case"
OF_ENTITIES = re.compile(
    r"\.(samples|demographic|diagnoses|exposures|treatments|annotations|project)$"
)  # as Xena writes them
ID_NAMES = (  # the better first
    r"^(hybridization ref|patient\.bcr_patient_barcode)$",
    rf"^({_WHO}|study|bcr_patient|submitter|research)[ _.-]*(id|barcode|identifier|key|pseudonym)\w*$",
    rf"({_WHO})\w*[ _.-]*(id|barcode|identifier|nr|no|number|nummer|num|key)\b|patid|subjectid|pseudonym",
    rf"^(id|{_WHO}|pid|ident|identifier|患者id|编号|患者编号|_patient)$",
    r"^(mrn|fallnummer|fall[ _-]?nr|fallid|record[ _]?id|sample[ _]?id|sample|accession)$",
)


class Field(NamedTuple):
    """How a column of `patients` is known. exact: names that leave no doubt; never: what it is not, whatever else it says."""

    name: str
    exact: str
    pattern: str
    never: str = r"^$"


NOT_AT_DIAGNOSIS = (
    "last|contact|follow|death|menarche|menopaus|recurren|relapse|birth of|first|mri|image|scan|surgery date"
)
AFTER = "after|post|residual|following|neoadjuvant|response|metasta"
OF_STAIN = "percent|%|score|allred|stain"
FIELDS = (
    Field(
        "age_years",
        r"age( ?\(?(in )?years?\)?)?|age_years|age[ _]at[ _](initial[ _])?(pathologic[ _])?(diagnosis|index)|alter|年龄",
        r"^age\b|\bage[ _.]at[ _.]|^alter\b|^edad\b|年龄|birth.*days|days.*birth|years.*birth",
        NOT_AT_DIAGNOSIS,
    ),
    Field(
        "sex",
        "sex|gender|geschlecht|sexe|sexo|性别",
        r"^(sex|gender|geschlecht|sexe|sexo)\b|性别",
        "preference|orientation",
    ),
    Field("race", "race", r"\brace\b"),
    Field("ethnicity", "ethnicity", "ethnic"),
    Field("menopausal_status", "menopausal[ _]status|menopause", "menopaus"),
    Field(
        "er_status",
        r"er|er[ _]status|estrogen receptor( status)?",
        r"^(er|estrogen|oestrogen)\b|^er[^a-z]|^erpos",
        OF_STAIN,
    ),
    Field(
        "pr_status",
        r"pr|pgr|pr[ _]status|progesterone receptor( status)?",
        r"^(pr|pgr|progesterone)\b|^pr[^a-z]|^pgrpos",
        OF_STAIN,
    ),
    Field(
        "her2_status",
        r"her2|her-2|her2[ _]status|her2/neu|erbb2",
        "^(her2|her-2|erbb2)",
        rf"{OF_STAIN}|ratio|copy|fish|ihc|cep17",
    ),
    Field(
        "tumor_size_mm",
        r"tumou?r[ _]size(_mm)?|ld|longest diameter",
        r"(tumou?r.*size|^size\b|longest diameter|^ld\b|durchmesser|größe)",
        rf"stag|\[t\]|category|code|{AFTER}",
    ),
    Field("t_stage", r"t|pt|t[ _-]?stage|ajcc_pathologic_t", r"(pathologic.*_t$|^pt$|^t.?stage|\[t\]|^ct$)", AFTER),
    Field("n_stage", r"n|pn|n[ _-]?stage|ajcc_pathologic_n", r"(pathologic.*_n$|^pn$|^n.?stage|\[n\]|^cn$)", AFTER),
    Field("m_stage", r"m|pm|m[ _-]?stage|ajcc_pathologic_m", r"(pathologic.*_m$|^pm$|^m.?stage|\[m\])", AFTER),
    Field("stage", r"stage|ajcc[ _]stage|tumou?r[ _]stage", r"^(ajcc.*stage|stage)", rf"_[tnm]$|{AFTER}"),
    Field("laterality", "laterality|side|seite", r"(laterality|^side\b|^seite\b)"),
    Field("family_history", "family[ _]history", "family.*history"),
)
NUMBERS = {"1": "positive", "0": "negative"}  # of a status, where nothing says what they mean
STATUSES = ("er_status", "pr_status", "her2_status")
CODED = (
    "sex",
    "race",
    "ethnicity",
    "laterality",
    "menopausal_status",
    "family_history",
    "t_stage",
    "n_stage",
    "m_stage",
    "stage",
)
NO_MEANINGS = ("n/a", "na", "unknown", "missing", "not reported", "not available")
MOST_CODES = 12
PATIENT_LETTERS = 12  # of a TCGA barcode
OLDEST = 150  # years; a larger number counts days


def guess(path: Path) -> str:
    """A map as TOML text. Raises InvalidInput when no column looks like a patient's identifier."""
    encoding = _encoding(path)
    sheets = read_sheets(path, FileContent(), Shape(encoding=encoding))
    is_transposed = has_patients_in_columns(sheets[0].header, [cells for _, cells in sheets[0].rows])
    if is_transposed:
        sheets = read_sheets(path, FileContent(), Shape(encoding=encoding, is_transposed=True))
    identifier = _identifier(path, sheets)
    sheet = identifier.sheet
    holders = [sheet, *(s for s in sheets if s is not sheet and identifier.name in s.header)]
    columns = list({c.name: c for s in reversed(holders) for c in reversed(columns_of(s))}.values())[::-1]
    columns = [c for c in columns if c.name != identifier.name]
    told = identity_columns({c.name: c.all_cells for c in columns})
    lines = [
        f"# A guess from the columns of {path.name}: correct it, then name it with --map.",
        "# Every choice says why. A ? must become a meaning; a section that is not wanted may be taken out.",
        "",
        *_table(sheets, holders, columns, identifier, is_transposed, encoding),
        "[patient_id]",
        f"column = {text(identifier.name)}    # {identifier.why}",
        *_of_barcodes(identifier),
        "",
    ]
    left = [c for c in columns if c.name not in told]
    for field in FIELDS:
        if field.name not in PATIENT_COLUMNS:
            continue
        candidates = [c for c in left if _is_one(field, c)]
        chosen, why = choice(candidates, lambda c, f=field: re.fullmatch(f.exact, _key(c.name)) is not None)
        if not candidates:
            continue
        lines += [f"[patients.{field.name}]", f"column = {text(chosen.name) if chosen else text('?')}    # {why}"]
        lines += [*_values(field.name, chosen or candidates[0]), ""]
        if chosen is not None:
            left.remove(chosen)
    of_dates = [c for c in columns if (told.get(c.name) is Identity.DATE or c.name not in told) and c.is_of_dates]
    of_outcomes, used = outcomes([c for c in left if c not in of_dates], of_dates)
    lines += of_outcomes
    left = [c for c in left if c.name not in used]
    lines += _missing(columns)
    lines += _left_out(left, told, used, [s for s in sheets if s not in holders])
    return "\n".join(lines).rstrip() + "\n"


def identifier_of(path: Path) -> str:
    """The column that seems to name the patients. Raises InvalidInput where there is none."""
    encoding = _encoding(path)
    sheets = read_sheets(path, FileContent(), Shape(encoding=encoding))
    if has_patients_in_columns(sheets[0].header, [cells for _, cells in sheets[0].rows]):
        sheets = read_sheets(path, FileContent(), Shape(encoding=encoding, is_transposed=True))
    return _identifier(path, sheets).name


def _encoding(path: Path) -> str | None:
    """The encoding of a text that is no UTF-8, as far as it can be guessed."""
    return None if not path.is_file() or is_workbook(path) else legacy_encoding(path)


class _Identifier(NamedTuple):
    sheet: Sheet
    place: int
    name: str
    why: str

    @property
    def cells(self) -> list[str]:
        return [row[self.place].strip() for _, row in self.sheet.rows]


def _key(name: str) -> str:
    """A column's name, without the entity that Xena's tables of the GDC put behind it."""
    return OF_ENTITIES.sub("", header_key(name))


def _identifier(path: Path, sheets: list[Sheet]) -> _Identifier:
    for pattern in ID_NAMES:
        hits = [(s, i, h) for s in sheets for i, h in enumerate(s.header) if re.search(pattern, _key(h))]
        of_first = [hit for hit in hits if hit[0] is hits[0][0]]
        if not hits:
            continue
        sheet, place, name = of_first[0]
        is_once = _is_once(_Identifier(sheet, place, name, "").cells)
        why = "by its name; each row has another" if is_once else "by its name; some stand on several rows"
        others = [h for _, _, h in of_first[1:]]
        if others:
            why += f". So could be named: {', '.join(others)}"
        return _Identifier(sheet, place, name, why)
    names = ", ".join(h for s in sheets for h in s.header[:20])
    raise InvalidInput("no column looks like a patient's identifier", where=str(path), repair=f"Columns: {names}")


def _is_once(cells: list[str]) -> bool:
    return len(set(cells)) == len(cells)


def _of_barcodes(identifier: _Identifier) -> list[str]:
    """How a patient is made of a sample's barcode, and of one in lower case."""
    cells = [c for c in identifier.cells if c]
    lines = []
    if cells and all(Barcode.is_one(c) and Barcode.parse(c).sample_type is not None for c in cells):
        lines += [
            'pattern = "(TCGA-..-....)-.*"    # these are samples; the patient is their beginning',
            'template = "{1}"',
        ]
    if cells and not any(map(Barcode.is_one, cells)) and all(Barcode.is_one(c.upper()) for c in cells):
        lines.append("upper_case = true    # barcodes are upper case")
    return lines


def _table(
    sheets: list[Sheet],
    holders: list[Sheet],
    columns: list[Column],
    identifier: _Identifier,
    is_transposed: bool,
    encoding: str | None,
) -> list[str]:
    """[table]: which sheet, which rows are header rows, how text is written; nothing where all is plain."""
    lines, sheet = [], holders[0]
    if encoding is not None:
        shown = next((h for h in sheet.header if not h.isascii()), "")
        lines.append(f'encoding = "{encoding}"    # it is no UTF-8{f"; so read, a column is {shown}" if shown else ""}')
    if is_transposed:
        lines.append("patients_in_columns = true    # the first column names what the rows are")
    people = [c[:PATIENT_LETTERS] if Barcode.is_one(c) else c for c in identifier.cells]
    if not _is_once(people):
        lines += [
            "# A patient stands on several rows, and a map takes one. Say which, such as:",
            '# where = { column = "sample_type", equals = ["Primary Tumor"] }',
        ]
    if len(sheets) > 1:
        names = ", ".join(text(s.name) for s in holders)
        others = ", ".join(s.name for s in sheets if s not in holders) or "none"
        lines.append(f"sheet = [{names}]    # with the identifiers, by which they are joined; other sheets: {others}")
    header_like = [c.second for c in columns if c.second]
    above = sheet.header_line - 1
    if header_like:
        n = above + 2
        lines += [
            f"# The table has {n} header rows: line {sheet.header_line} names the columns, and the next says what codes mean.",
            f"header_rows = [{sheet.header_line}]",
            f"skip_rows = [{sheet.rows[0][0]}]",
        ]
    elif above:
        lines += [
            f"# Line {sheet.header_line} names the columns; what stands above it is not read.",
            "# If they name groups of columns: header_rows = [1, 2].",
        ]
    if any(c.has_commas for c in columns):
        lines.append("decimal_comma = true    # numbers such as " + next(c.has_commas for c in columns if c.has_commas))
    return ["[table]", *lines, ""] if lines else []


def _is_one(field: Field, column: Column) -> bool:
    key = _key(column.name)
    if (
        re.search(field.never, key)
        or not column.cells
        or not (re.search(field.pattern, key) or re.fullmatch(field.exact, key))
    ):
        return False
    if field.name == "age_years":
        is_of_birth = "birth" in key and "year" not in key and any(v > 0 for v in column.numbers)
        return column.share_of_numbers > 0.8 and not is_of_birth
    if field.name == "tumor_size_mm":
        return column.share_of_numbers > 0.8 and (len(set(column.cells)) > 6 or len(column.cells) < 10)
    return len(set(column.cells)) <= MOST_CODES or column.share_of_numbers < 0.5


def _values(target: str, column: Column) -> list[str]:
    if target in STATUSES or (target in CODED and column.meanings):
        codes = codes_in(column)[:MOST_CODES]
        told = column.meanings
        meanings = {c: told.get(c, c if target in STATUSES else "?") for c in codes}
        why = f"    # the table says: {'; '.join(f'{c} = {m}' for c, m in told.items())}" if told else ""
        reasons = {c: m for c, m in told.items() if c in codes and m.lower() in NO_MEANINGS}
        if target in STATUSES:
            words = {c: Vocabulary().understood(target, m, keys(meanings.values())) for c, m in meanings.items()}
            reasons |= {c: w.reason or meanings[c] for c, w in words.items() if w.value is None and w.is_known}
            meanings = {c: w.value or NUMBERS.get(c, "?") for c, w in words.items()}
            why = why or "    # by the words of tshdb schema patients" if "?" not in meanings.values() else why
        lines = [f"codes = {inline({c: m for c, m in meanings.items() if c not in reasons})}{why}"]
        return [*lines, f"reasons = {inline(reasons)}"] if reasons else lines
    if target in CODED:
        codes = codes_in(column)
        is_coded = 0 < len(codes) <= MOST_CODES and all(number(c) is not None for c in codes)
        return [f"codes = {inline(dict.fromkeys(codes, '?'))}    # nothing says what they mean"] if is_coded else []
    largest = max((abs(v) for v in column.numbers), default=0.0)
    key = header_key(column.name)
    if target == "tumor_size_mm":
        if re.search(r"\bmm\b", key) or re.search(r"\bcm\b", key):
            is_cm = re.search(r"\bcm\b", key) is not None
            return [f"factor = {10 if is_cm else 1}    # {'cm' if is_cm else 'mm'}, by the column's name"]
        return [f'factor = "?"    # 1 for mm, 10 for cm: nothing says which; the largest is {largest:g}']
    if target == "age_years" and largest > OLDEST:
        sign = "-" if "birth" in key and max(column.numbers) <= 0 else ""
        what = "days from the diagnosis back to the birth" if sign else "days, by the largest value"
        return [f"factor = {sign}0.0027379    # {what}"]
    return []


def _missing(columns: list[Column]) -> list[str]:
    """[missing]: words among numbers, which no number stands for."""
    words = sorted({w for c in columns for w in c.words_among_numbers})
    if not words:
        return []
    tokens = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]
    return [
        "[missing]",
        f"tokens = [{', '.join(text(t) for t in [*tokens, *(w for w in words if w not in tokens)])}]"
        f"    # {', '.join(words)} stand among numbers",
        "",
    ]


def _left_out(left: list[Column], told: dict[str, Identity], used: set[str], others: list[Sheet]) -> list[str]:
    """Comments on every column that no section names. used: those that outcomes take, of which dates are not kept as found."""
    lines = []
    told = {name: identity for name, identity in told.items() if name not in used}
    if left:
        lines.append("# Not used by this map; they are kept as found, field by field, and can be asked for by name:")
        lines += [f"#   {c.name}{'    (no values)' if not c.cells else ''}" for c in left]
    if told:
        lines.append('# Left out, since they seem to say who somebody is; to keep one: [table] allow = ["…"]')
        lines += [f"#   {name}    ({identity})" for name, identity in told.items()]
    for sheet in others:
        lines.append(
            f"# Sheet {sheet.name}, which has no such identifier: "
            + " | ".join(" ".join(h.split()) for h in sheet.header if h)
        )
    return lines
