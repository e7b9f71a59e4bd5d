"""Columns that say who somebody is: names, birth dates, telephones, addresses, record numbers, free text.

They are known by their headers, in English, German, French, Spanish and Chinese, and by what stands in them. None of them
enters a study unless its map allows it. What is looked for follows the identifiers of the HIPAA privacy rule, 45 CFR
164.514(b)(2); ages, durations and codes are none of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

LOOKED_AT = 500  # cells of a column
FEW = 3  # cells that show what a column is; below, its header decides
LONG_TEXT = 30  # characters of free text
SHOWN = 8
LONGEST = 40  # letters of a shape


class Identity(StrEnum):
    """What a column would tell."""

    NAME = "names"
    BIRTH = "birth dates"
    PHONE = "telephone numbers"
    MAIL = "e-mail addresses"
    ADDRESS = "addresses"
    NUMBER = "record or insurance numbers"
    FREE_TEXT = "free text"
    DATE = "dates"


def _words(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|[\s_.:/()\-])(?:{'|'.join(words)})(?:$|[\s_.:/()\-\d])")


# of headers without accents, in lower case, CamelCase taken apart; words between semicolons
WORDS = {
    Identity.BIRTH: r"""
        dob; d o b; birth ?date; date of birth; birth ?day; birthdate; born; geb ?dat(?:um)?; geburts\w*; geboren;
        date de naissance; naissance; ddn; fecha (?:de )?nac\w*; nacimiento; fnac
    """,
    Identity.MAIL: r"""
        e ?mail; mail; courriel; correo(?: electronico)?; email address
    """,
    Identity.PHONE: r"""
        phone\w*; tel; telephone; telefon\w*; tel nr; mobile; mobil; cell ?phone; handy\w*; fax; telefono; movil;
        portable
    """,
    Identity.ADDRESS: r"""
        address\w*; street; zip(?: ?code)?; post ?code; postal(?: code)?; city; anschrift; adresse; strasse; str; plz;
        wohnort; ort; stadt; code postal; ville; rue; direccion; calle; ciudad; domicilio; codigo postal; place of residence;
        hausnummer; hausnr
    """,
    Identity.NUMBER: r"""
        mrn; medical record(?: (?:number|no|nr))?; record (?:number|no|nr); ssn; social security(?: number)?;
        insurance(?: (?:number|no|id))?; nhs(?: (?:number|no))?; chi(?: number)?; hospital (?:number|no|nr);
        passport\w*; accession(?: number)?; fall ?(?:nr|nummer); patienten ?(?:nr|nummer); versicherten\w*;
        versicherungs\w*; kvnr; krankenkassen\w*; akten\w*; ausweis\w*; aufnahme ?(?:nr|nummer); ipp; nir; numero
        (?:de )?(?:dossier|securite sociale); no dossier; secu; historia clinica; nhc; dni; nie; cedula; numero (?:de
        )?(?:historia|seguro|expediente); curp; nss; license(?: number)?; account(?: number)?
    """,
    Identity.NAME: r"""
        (?:patient|subject|participant|person|full|first|last|given|family|middle|maiden|sur|fore)[ ]?names?; names?;
        initials; surname; forename; nachname; vorname; familienname; geburtsname; patientenname; nom; prenom; nom
        (?:de )?famille; nombres?; apellidos?; physician\w*; doctor; surgeon; arzt; aerztin; hausarzt; operateur;
        medecin; medico; next of kin; contact person; mother; father
    """,
    Identity.FREE_TEXT: r"""
        notes?; comments?; remarks?; free ?text; narrative; report(?: text)?; kommentar\w*; bemerkung\w*; notiz\w*;
        anmerkung\w*; befund(?:text)?; freitext; anamnese; epikrise; commentaires?; remarques?; observaciones?;
        comentarios?; notas?; history text; clinical history; impression
    """,
}
HEADERS = {
    identity: _words(*(" ".join(word.split()) for word in words.split(";"))) for identity, words in WORDS.items()
}
CHINESE: tuple[tuple[Identity, str], ...] = (
    (Identity.BIRTH, "出生|生日"),
    (Identity.PHONE, "电话|電話|手机|手機|联系方式|聯繫方式"),
    (Identity.MAIL, "邮箱|郵箱|电邮|電郵"),
    (Identity.ADDRESS, "地址|住址|邮编|郵編|籍贯|籍貫"),
    (
        Identity.NUMBER,
        "身份证|身份證|病历号|病歷號|病案号|病案號|住院号|住院號|门诊号|門診號|医保|醫保|社保|登记号|登記號|就诊号",
    ),
    (Identity.NAME, "姓名|名字|患者名|医生|醫生|医师|醫師|联系人|聯繫人"),
    (Identity.FREE_TEXT, "备注|備註|病史|现病史|主诉|主訴|描述"),
)
NO_NAMES = re.compile(
    r"\b(gene|feature|drug|file|sample|series|study|protocol|trial|collection|project|regimen|marker|hospital|site|column|variable|sequence|scanner"
    r"|manufacturer|model|class|group|cohort|dataset|therapy|treatment|test|tumou?r|cancer|disease)[ _]names?\b"
)  # names of things
_DAYS = re.compile(r"\b(days?|years?|months?|weeks?|age|alter|tage|jahre?|jours|ans|dias|anos)\b")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_PHONE = re.compile(r"(?:\+|00)\d[\d ()/.-]{6,}\d|\(?0\d{1,5}\)?[ /-]\d[\d -]{3,}\d|\(?\d{3}\)?[ -]\d{3}-\d{4}")
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}|\d{17}[\dXx]|[12]\d{12,14}|\d{8}[A-Z]|\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}")
_ADDRESS = re.compile(
    r"\d+[a-zA-Z]?,? +(?:\w+ ){1,3}(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|way)\b\.?.*"
    r"|\w[\w .-]*(?:stra(?:ss|ß)e|str\.|weg|platz|gasse) \d+.*"
    r"|\d+,? (?:rue|avenue|boulevard|place) .+|(?:calle|avenida|plaza) .+ \d+.*",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:(?:Dr|Prof|Mr|Mrs|Ms|Frau|Herr|M|Mme)\.? )?[^\W\d_][\w'’-]+(?:,? [^\W\d_][\w'’.-]*){1,3}", re.UNICODE
)
_CHINESE_NAME = re.compile(
    "[王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林高罗羅郑鄭梁谢謝宋唐许許邓鄧韩韓冯馮曹彭曾肖田董][一-鿿]{1,2}"
)
_DATE = re.compile(r"(\d{4})[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4})")
_ANY_DATE = re.compile(r"\b(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4})\b")
LAST_YEAR_OF_BIRTH = 1995  # by the middle of a column of dates: before it, they are births


def of_header(name: str) -> Identity | None:
    """What a column of that name would tell; None where the name does not say it."""
    for identity, words in CHINESE:
        if re.search(words, name):
            return identity
    text = _plain(name)
    if _DAYS.search(text):  # Days of birth, counted from the diagnosis; age at birth of the first child
        text = re.sub(r"(birth ?date|date of birth|birth ?day|born|naissance|nacimiento|geburt\w*)", " ", text)
    if NO_NAMES.search(text):
        text = re.sub(r"names?\b", " ", text)
    return next((identity for identity, pattern in HEADERS.items() if pattern.search(text)), None)


def _plain(name: str) -> str:
    """A header without accents, in lower case, CamelCase and underscores as blanks."""
    name = name.replace("ß", "ss")
    for umlaut, letters in (("ä", "ae"), ("Ä", "Ae")):
        name = name.replace(umlaut, letters)
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[\s_.:/()\-#]+", " ", name).strip().lower()


def _share(cells: Sequence[str], is_one: Callable[[str], object]) -> float:
    return sum(bool(is_one(c)) for c in cells) / len(cells)


def of_cells(cells: Iterable[str]) -> Identity | None:
    """What the cells of a column show, whatever its name is; None where they show nothing of the kind."""
    filled = [c.strip() for _, c in zip(range(LOOKED_AT), (c for c in cells if c.strip()), strict=False)]
    if any(map(_MAIL.search, filled)):
        return Identity.MAIL
    if not filled:
        return None
    different = sorted(set(filled))
    for identity, pattern in ((Identity.PHONE, _PHONE), (Identity.NUMBER, _SSN), (Identity.ADDRESS, _ADDRESS)):
        if _share(filled, pattern.fullmatch) > 0.5 and not (
            identity is Identity.PHONE and _share(filled, _DATE.fullmatch) > 0.5
        ):
            return identity
    years = sorted(int(m[1] or m[2]) for c in filled if (m := _DATE.fullmatch(c)))
    if len(years) > len(filled) / 2 and len(different) > 1:  # one date for all is no patient's
        return Identity.BIRTH if years[len(years) // 2] < LAST_YEAR_OF_BIRTH else Identity.DATE
    is_varied = len(different) > max(FEW, len(filled) * 0.7)  # names and words of a text are hardly ever the same twice
    if is_varied and _share(filled, lambda c: _CHINESE_NAME.fullmatch(c) or _looks_like_a_name(c)) > 0.8:
        return Identity.NAME
    has_text = [c for c in filled if len(c) > LONG_TEXT and c.count(" ") >= 4]
    if is_varied and len(has_text) > len(filled) / 2:
        return Identity.FREE_TEXT
    if any(_ANY_DATE.search(c) or _PHONE.search(c) for c in has_text):
        return Identity.FREE_TEXT
    return None


def _looks_like_a_name(text: str) -> bool:
    """Two to four words that begin with capitals and are no sentence."""
    words = text.replace(",", " ").split()
    return _NAME.fullmatch(text) is not None and all(w[0].isupper() for w in words) and not text.isupper() or (
        text.isupper() and len(words) == 2 and all(w.isalpha() and len(w) > 2 for w in words) and "," in text
    )  # fmt: skip


def identity_columns(columns: Mapping[str, Sequence[str]]) -> dict[str, Identity]:
    """name -> what it would tell, of the columns that say who somebody is. columns: name -> its cells."""
    told: dict[str, Identity] = {}
    for name, cells in columns.items():
        filled = [c for c in cells if c.strip()]
        identity = (of_header(name) if filled else None) or of_cells(filled)
        if identity is not None and not _is_of_codes(identity, filled):
            told[name] = identity
    return told


def _is_of_codes(identity: Identity, cells: Sequence[str]) -> bool:
    """Whether a header's word is belied by cells that are codes: `notes` with 0 and 1, `contact` with yes and no."""
    if identity in (Identity.NUMBER, Identity.BIRTH):
        return False
    short = {c.strip().lower() for c in cells}
    return len(short) <= FEW and short <= {
        "0",
        "1",
        "2",
        "y",
        "n",
        "yes",
        "no",
        "true",
        "false",
        "left",
        "right",
        "pos",
        "neg",
    }


def in_words(told: Mapping[str, Identity]) -> str:
    """`patient_name (names), dob (birth dates)`, the first few of them."""
    shown = [f"{name} ({identity})" for name, identity in list(told.items())[:SHOWN]]
    return ", ".join(shown) + (f" and {len(told) - SHOWN} more" if len(told) > SHOWN else "")


# ------------------------------------------------------------------------------------------------ in texts and paths

_ALONE, _NO_MORE = r"(?<![\w.@+-])", r"(?![\w.-]*\w)"
_IN_TEXT: tuple[tuple[Identity, re.Pattern[str]], ...] = (
    (Identity.MAIL, _MAIL),
    (Identity.NUMBER, re.compile(rf"{_ALONE}\d{{3}}-\d{{2}}-\d{{4}}{_NO_MORE}")),
    (
        Identity.NUMBER,
        re.compile(
            r"\b(?:mrn|medical record|hospital n(?:o|r|umber)|nhs|ssn|insurance n(?:o|r|umber)|patienten-?n(?:r|ummer))"
            r"[\s.:#=]*\d[\d -]{4,}",
            re.IGNORECASE,
        ),
    ),
    (Identity.PHONE, re.compile(rf"{_ALONE}(?:{_PHONE.pattern}){_NO_MORE}")),
    (
        Identity.ADDRESS,
        re.compile(r"(?<!\w)\d{1,4}[a-z]? (?:[A-Z]\w+ ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive)\b"),
    ),
    (Identity.ADDRESS, re.compile(r"(?<!\w)[A-ZÄÖÜ][\w-]*(?:stra(?:ss|ß)e|str\.|weg|platz|gasse) \d{1,4}\b")),
    (
        Identity.NAME,
        re.compile(r"(?<!\w)(?:Dr|Prof|Mr|Mrs|Ms|Frau|Herr|Mme|Sra?)\.? [A-ZÄÖÜ][\w'’-]+(?: [A-ZÄÖÜ][\w'’-]+)*"),
    ),
    (Identity.NAME, re.compile(r"(?<![\w^])[A-Za-zÀ-ž'-]{2,}\^[A-Za-zÀ-ž'-]{2,}")),  # as DICOM writes them
    (
        Identity.NAME,
        re.compile(
            r"\b(?:patient|subject)(?:'s)?[ _]name[\s\"':=]+[^\W\d_][\w'’-]+(?:[ ,]+[^\W\d_][\w'’-]+)*", re.IGNORECASE
        ),
    ),
    (
        Identity.BIRTH,
        re.compile(
            r"\b(?:dob|d\.o\.b\.?|born|birth ?date|date of birth|geb(?:oren)?\.?(?: am)?|n[ée]e? le)[\s\"':=]*"
            r"(?:on )?\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}",
            re.IGNORECASE,
        ),
    ),
)
_DATE_IN_PATH = re.compile(r"(?<!\d)(?:19\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01]))(?!\d)")
_NAME_IN_PATH = re.compile(r"([A-ZÄÖÜ][a-zà-ž'’-]+)(?:, |,|\^|[ _])([A-ZÄÖÜ][a-zà-ž'’-]+)(?:[ _]\d.*)?")
_OF_FILES = frozenset(
    "Raw Data Clinical Follow Up Patient Patients Breast Cancer Tumor Tumour Stroma Expression Matrix Image Images Mask Masks "
    "New "
    "Folder Final Table Tables Figure Figures Study Series Data Results Export Exports Old Copy Of The Supplementary Additional "
    "File Files Gene Genes Read Counts Sample Samples Feature Features Report Reports Notes My Documents Download Downloads "
    "Release Version Group Batch Test Training Validation Set Phase Scan Left Right Normal Control".split()
)


def in_text(text: str) -> list[tuple[Identity, str]]:
    """What in a text looks like a person, each with the words that do."""
    return [(identity, match[0]) for identity, pattern in _IN_TEXT for match in pattern.finditer(text)]


def in_path(path: str) -> list[tuple[Identity, str]]:
    """What in the names of folders and files looks like a person: two names, or a date in the last century."""
    found = []
    for part in re.split(r"[/\\]", path):
        found += in_text(part)
        found += [(Identity.BIRTH, match[0]) for match in _DATE_IN_PATH.finditer(part)]
        name = _NAME_IN_PATH.fullmatch(part.partition(".")[0])
        if name is not None and not {name[1], name[2]} & _OF_FILES:
            found.append((Identity.NAME, part))
    return list(dict.fromkeys(found))


def masked(text: str) -> str:
    """The shape of what was found, which says nothing of the value: first letters, no digit."""
    shape = re.sub(r"\d", "·", re.sub(r"([^\W\d_])[^\W\d_]+", r"\1…", " ".join(text.split())))
    return shape if len(shape) <= LONGEST else shape[:LONGEST] + " …"
