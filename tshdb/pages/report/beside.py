"""What stands beside the results: the paper's numbers, multiverses, truths, tables of guests, reporting checklists."""

from __future__ import annotations

from collections.abc import Iterator

from tshdb import multiverse_places
from tshdb.database import reading
from tshdb.errors import TshdbError
from tshdb.guest_tables import guests_of
from tshdb.pages.checklists import all_in_short
from tshdb.pages.report.look import Look
from tshdb.pages.report.parts import Section, Shown, Words, csv_text
from tshdb.tables.layouts import Layout
from tshdb.tables.numbers import number
from tshdb.tables.paper_claims import claims, counted
from tshdb.text.controls import clean
from tshdb.text.counts import plural
from tshdb.truths.declared import declared_truths
from tshdb.truths.judging import judge
from tshdb.written_files import is_of_patients

ROWS = 20  # of a guest's table


def paper_numbers(look: Look) -> Section | None:
    """Every number that the paper prints, beside this study's."""
    if not look.has_paper:
        return None
    checked = claims(look.study)
    counts = ", ".join(f"{n} {verdict}" for verdict, n in counted(checked).items())
    cells = [(f"{c.where}: {c.what}", c.printed, c.here, str(c.verdict), c.why) for c in checked]
    layout = Layout("", ("number", "printed", "here", "verdict", "why"), cells, ())
    shown = Shown(
        look.ids.of("paper-numbers"), counts[:1].upper() + counts[1:], "a number that the paper prints", [layout]
    )
    return Section("paper", "The paper's numbers", [shown], is_folded=True)


def multiverses(look: Look) -> Section | None:
    """The specification curves that were computed; None without any."""
    root, parts = look.study.root, []
    for name in multiverse_places.with_results(root):
        path = multiverse_places.folder_of(root, name) / multiverse_places.PICTURE
        if path.is_symlink() or not path.is_file():
            continue
        title = f"Specification curve of {clean(name)}"
        how = (
            "Estimates by every combination of choices, in order; below, the options of each. As it was when it was last "
            f"computed: tshdb multiverse {clean(name)}.toml"
        )
        try:
            parts.append(look.picture(look.ids.of("multiverse", name), title, path.read_bytes(), how, ()))
        except (OSError, SyntaxError):  # ElementTree's error is a SyntaxError
            parts.append(Words(f"{title}: the picture is damaged. Run: tshdb multiverse {clean(name)}.toml", "warning"))
    return Section("multiverse", "By other choices", parts) if parts else None


def truths(look: Look) -> Section | None:
    """Derived values against independent measurements; None where none are declared."""
    try:
        found = [judge(look.study, one) for one in declared_truths(look.study.root)]
    except TshdbError as error:
        return Section("truths", "Held against measurements", [Words(clean(error), "warning")])
    if not found:
        return None
    cells = []
    for one in found:
        truth = one.declared.truth
        cells.append(
            (clean(one.declared.name), clean(truth.derived.shown), clean(truth.measured.shown),
             None if one.figure is None else f"{one.figure.n:,}", clean(one.found), number(truth.at_least), clean(one.verdict))
        )  # fmt: skip
    headers = ("truth", "derived", "measured", "n", "agreement (95 % CI)", "at least", "verdict")
    one_row = "a derived value that is held against a measurement"
    shown = Shown(look.ids.of("truths"), "Truths", one_row, [Layout("", headers, cells, (3, 5))])
    return Section("truths", "Held against measurements", [shown])


def guest_tables(look: Look) -> Section | None:
    """Tables of other packages, as the database describes them; None without any."""
    with reading(look.study.engine) as connection:
        guests = list(guests_of(connection))
    if not guests:
        return None
    described = look.study.sql("SELECT table_name, origin, one_row FROM guest_tables ORDER BY table_name")
    parts = [
        part for row in described.itertuples(index=False) if row.table_name in guests for part in _guest(look, row)
    ]
    return Section("tables-of-guests", "Tables of other packages", parts)


def _guest(look: Look, row) -> Iterator[Shown | Words]:
    title = f"{clean(row.table_name)}, of {clean(row.origin)}"
    frame = look.study.sql(f'SELECT * FROM "{row.table_name}" ORDER BY ALL')
    units = frame["unit_id"] if "unit_id" in frame.columns else None
    frame = frame.drop(columns="unit_id", errors="ignore")
    if not look.with_patients and (is_of_patients(frame) or _is_per_patient(look, row.table_name)):
        yield Words(f"{title}: {plural(len(frame), 'row')}, one for {clean(row.one_row)}. They are of single patients.")
        return
    cells = [tuple(_value(v) for v in values) for values in frame.head(ROWS).itertuples(index=False)]
    right = tuple(i for i, kind in enumerate(frame.dtypes) if kind.kind in "if")
    more = (f"The first {ROWS} of {len(frame):,} rows.",) if len(frame) > ROWS else ()
    layout = Layout("", tuple(map(clean, frame.columns)), cells, right, more)
    behind = () if units is None else tuple((row.table_name, int(u)) for u in dict.fromkeys(units.dropna()))
    yield Shown(
        look.ids.of("guest", row.table_name), title, clean(row.one_row), [layout], csv_text(frame), units=behind[:1]
    )


def _is_per_patient(look: Look, name: str) -> bool:
    """Whether the analysis that makes a guest's table makes a row of single patients."""
    frame = look.study.sql("SELECT per FROM guest_analyses WHERE table_name = $t", {"t": name})
    return any(per not in (None, "", "cohort", "study", "cohort_versions") for per in frame["per"])


def _value(value) -> str | None:
    if value is None or value != value:
        return None
    return number(value) if isinstance(value, float) else clean(value)


def checklists(look: Look) -> Section:
    """How far reporting checklists are filled."""
    cells = [
        (c["title"], c["items"], c["filled"], c["not_yet"], c["needs_a_person"], f"tshdb checklist {c['name']}")
        for c in all_in_short(look.study)
    ]
    headers = ("checklist", "items", "filled", "nothing yet", "needs a person", "")
    layout = Layout("", headers, cells, (1, 2, 3, 4))
    one_row = "a reporting checklist"
    return Section(
        "checklists",
        "Checklists",
        [Shown(look.ids.of("checklists"), "Filled by the database", one_row, [layout])],
        is_folded=True,
    )
