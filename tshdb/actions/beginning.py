"""Begin an analysis of a study's own: a working one in its folder `analyses/`, and its test in `tests/`."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from tshdb import guest_tables, installed
from tshdb.database import reading
from tshdb.engine import homes
from tshdb.errors import InvalidInput, UsageError
from tshdb.guests.listing import listing_in
from tshdb.near import did_you_mean

if TYPE_CHECKING:
    from tshdb.study import Study

TEMPLATES = Path(__file__).parent / "templates"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
PREFIX = re.compile(r"[a-z][a-z0-9]*")
LONGEST = 40  # letters of a name: PostgreSQL has room for 63, with what it makes of it
PER = ("patient", "profile")
RESERVED = ("study", "ingest", "imaging", "replaces")  # tables of study.toml


@dataclass(frozen=True)
class Begun:
    """What was written: the files, and the table that the analysis will make."""

    name: str
    analysis: Path
    test: Path
    table: str


def new_analysis(study: Study, name: str, per: str = "patient", prefix: str | None = None) -> Begun:
    """Write an analysis and its test into the study.

    per: patient or profile. prefix: of its table's name; without one the study's own name.
    Raises UsageError for a word that cannot be, InvalidInput for a name that is taken.
    """
    _refuse_words(name, per, prefix)
    table = f"{prefix or prefix_of(study.name)}_{name}"
    begun = Begun(name, study.root / homes.FOLDER / f"{name}.py", study.root / "tests" / f"test_{name}.py", table)
    _refuse_taken(study, begun, per)
    words = {"name": name, "table": table, "class_name": "".join(word.capitalize() for word in name.split("_"))}
    for template, path in ((f"{per}.py.txt", begun.analysis), (f"test_{per}.py.txt", begun.test)):
        text = Template((TEMPLATES / template).read_text(encoding="utf-8")).substitute(words)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return begun


def prefix_of(study_name: str) -> str:
    """The prefix of a study's own tables: the letters and digits of its name, at most twelve."""
    plain = re.sub(r"[^a-z0-9]", "", study_name.lower()).lstrip("0123456789")
    return plain[:12] or "my"


def _refuse_words(name: str, per: str, prefix: str | None) -> None:
    where = f"tshdb new analysis {name}"
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > LONGEST:
        plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_0123456789")
        near = (
            f"Did you mean {plain[:LONGEST]}? "
            if NAME.fullmatch(plain[:LONGEST]) and not keyword.iskeyword(plain)
            else ""
        )
        raise UsageError(
            "it is no name", where=where,
            repair=f"{near}Write small letters, digits and _, such as my_ratio, at most {LONGEST} of them",
        )  # fmt: skip
    if per not in PER:
        raise UsageError(f"--per {per}", where=where, repair=did_you_mean(per, PER, f"Known: {', '.join(PER)}"))
    if prefix is not None and not PREFIX.fullmatch(prefix):
        raise UsageError(f"--prefix {prefix}", where=where, repair="Write small letters and digits, such as xy")


def _refuse_taken(study: Study, begun: Begun, per: str) -> None:
    """Raises InvalidInput where a file, an analysis, a table of study.toml or of the database has the name already."""

    def taken(what: str, repair: str = "") -> InvalidInput:
        other = f"Choose another name, such as {prefix_of(study.name)}_{begun.name}"
        return InvalidInput(what, where=f"tshdb new analysis {begun.name}", repair=repair or other)

    for path in (begun.analysis, begun.test):
        if path.exists() or path.is_symlink():
            raise taken(f"there is a file {path.relative_to(study.root)}")
    with reading(study.engine) as connection:
        listing = listing_in(study, connection)
        tables = set(inspect(connection).get_table_names()) | {t.name for t in guest_tables.tables_of(connection)}
    for analysis in (*listing.analyses, *installed.analyses()):
        if begun.name in (analysis.name, analysis.base):
            of = listing.origin(analysis)
            raise taken(f"{of or 'this program'} has an analysis {begun.name}" if begun.name == analysis.name else
                        f"[{begun.name}] of study.toml is the table of several analyses")  # fmt: skip
    if begun.name in listing.absent:
        raise taken(f"the study has results of an analysis {begun.name}, of {listing.absent[begun.name].origin}")
    if begun.name in RESERVED:
        raise taken(f"[{begun.name}] of study.toml is something else")
    if begun.name in tables:
        raise taken(f"there is a table {begun.name}, for which it would be taken")
    if begun.table in tables:
        raise taken(f"there is a table {begun.table}", "Give yours another prefix: --prefix xy")
    if per == "profile" and not any(a.makes.__tablename__ == "cell_abundances" for a in listing.analyses):
        raise taken("no analysis of this study makes cell_abundances, from which it would begin",
                    'Add "fan2023" to [study] analyses; or begin from patients: --per patient')  # fmt: skip
