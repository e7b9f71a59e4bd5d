"""One side of a truth, read: a value by patient, by examination (study_uid) or by visit (patient and time point).

A column of a table of the study is brought to the patient over the tables that know her: imaging_studies, expression_profiles and
samples. `where` takes their columns as well. A key that stands twice is refused: which of two values is meant nobody can guess.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.file_content import FileContent
from tshdb.near import did_you_mean
from tshdb.text_files import MISSING, number, open_table
from tshdb.truths.declared import Declared, Side

if TYPE_CHECKING:
    from tshdb.study import Study

WORKBOOKS = (".xlsx", ".xls")
SHOWN = 8
EMPTY = "empty"
KEYS = {"patient": ("patient_id",), "examination": ("study_uid",), "visit": ("patient_id", "time_point")}
_TO_STUDY = ("imaging_studies s", "s.study_uid = {0}.study_uid", "imaging_studies")
_TO_SAMPLE = ("samples a", "a.sample_id = {0}.sample_id", "samples")
# a column that a table has -> the tables that it leads to: (table and alias, on, name)
LINKS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "study_uid": (_TO_STUDY,),
    "series_uid": (("imaging_series i", "i.series_uid = {0}.series_uid", "imaging_series"), _TO_STUDY),
    "profile_id": (
        ("expression_profiles p", "p.profile_id = {0}.profile_id", "expression_profiles"),
        ("samples a", "a.sample_id = p.sample_id", "samples"),
    ),
    "sample_id": (_TO_SAMPLE,),
}


class Values(NamedTuple):
    """values: key -> number or word. missing: key -> why there is none. n_keyless: rows that name nobody."""

    values: Mapping[str, float | str]
    missing: Mapping[str, str]
    n_keyless: int = 0

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why values are missing, the most frequent first."""
        return Counter(self.missing.values()).most_common()


class _Row(NamedTuple):
    """key: None where the row names nobody. line: of a file."""

    key: str | None
    value: Any
    reason: str | None = None
    line: int | None = None


def read_side(study: Study, declared: Declared, which: str) -> Values:
    """The values of `derived` or `measured`. Raises NotFound or InvalidInput, in one line."""
    where = declared.where_of(which)
    return read_values(study, declared, declared.side(which), which, where)


def read_values(study: Study, declared: Declared, side: Side, which: str, where: str) -> Values:
    """The same of a side that is not written, such as the other breast's."""
    truth = declared.truth
    are_words = truth.relation == "class" and (which == "measured" or truth.higher is None)
    if side.file is not None:
        path = study.root / Path(side.file).expanduser()
        rows: Iterable[_Row] = _by_map(study, path, side, where) if side.map else _of_file(path, side, truth.per)
        repair = "Take the others out of the file, or choose rows: where = { COLUMN = WORD }"
    elif side.series is not None:
        rows = _of_maps(study, side, truth.per, where)
        repair = 'Match them per = "visit" or "examination"'
    else:
        rows, repair = _of_study(study, side, truth.per, where)
    found: dict[str, list[_Row]] = {}
    n_keyless = 0
    for row in rows:
        if row.key is None:
            n_keyless += 1
        else:
            found.setdefault(row.key, []).append(row)
    _refuse_twice(found, truth.per, where, repair)
    values, missing = {}, {}
    for key, (row,) in found.items():
        value = _word(row.value, side) if are_words else _number(row, side, where)
        if value is None:
            missing[key] = row.reason or EMPTY
        else:
            values[key] = value
    if not found:
        raise NotFound(f"no row of {side.shown}", where=where, repair="Is it made or loaded? Is the where right?")
    return Values(values, missing, n_keyless)


def _refuse_twice(found: Mapping[str, Sequence[_Row]], per: str, where: str, repair: str) -> None:
    twice = [(key, rows) for key, rows in found.items() if len(rows) > 1]
    if twice:
        key, rows = twice[0]
        lines = [str(row.line) for row in rows if row.line is not None]
        at = f" (lines {', '.join(lines[:3])})" if lines else ""
        more = f", and {len(twice) - 1:,} others do" if len(twice) > 1 else ""
        raise InvalidInput(
            f"{key} stands {len(rows)} times{at}{more}; expected one row a {per}", where=where, repair=repair
        )


def _text(value: Any) -> str | None:
    """A value as a word; None for what says nothing."""
    if value is None:
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value).strip()
    return None if text in MISSING else text


def _word(value: Any, side: Side) -> str | None:
    text = _text(value)
    return None if text is None else side.codes.get(text, text)


def _number(row: _Row, side: Side, where: str) -> float | None:
    """The value of a row in the unit of the truth. Raises InvalidInput for what is no number."""
    text = _word(row.value, side)
    if text is None:
        return None
    value = number(text)
    if value is None and isinstance(row.value, float):
        return None  # infinite or not a number
    if value is None or isinstance(row.value, bool):
        at = f" (line {row.line})" if row.line is not None else ""
        raise InvalidInput(
            f"{side.shown} is text, such as '{text}'{at}; expected numbers", where=where,
            repair='Words are held against words by relation = "class"; codes give words numbers',
        )  # fmt: skip
    return value * (1.0 if side.factor is None else side.factor)


# --------------------------------------------------------------------------------------------------- of the study


def _of_study(study: Study, side: Side, per: str, where: str) -> tuple[list[_Row], str]:
    """Rows of a column or of a SELECT, and what helps where a key stands twice."""
    from tshdb.query import run_query

    sql, repair = (side.sql, "Give one row of each in the SELECT") if side.sql else _select(study, side, per, where)
    try:
        answer = run_query(study, sql)
    except TshdbError as error:
        raise type(error)(error.message, where=where, repair=error.repair) from None
    for name in (*KEYS[per], "value"):
        if name not in answer.columns:
            raise InvalidInput(
                f"the SELECT gives no {name}", where=where,
                repair=f"Expected the columns {', '.join(KEYS[per])} and value, for per = \"{per}\"",
            )  # fmt: skip
    at = {name: i for i, name in enumerate(answer.columns)}
    rows = []
    for fields in answer.rows:
        parts = [fields[at[name]] for name in KEYS[per]]
        key = None if any(part is None for part in parts) else " ".join(map(str, parts))
        value = fields[at["value"]]
        if side.feature is not None:
            value = _feature(value, side.feature)
        rows.append(_Row(key, value, fields[at["reason"]] if "reason" in at else None))
    if side.feature is not None and rows and all(row.value is None for row in rows):
        known = {name for fields in answer.rows for name in json.loads(fields[at["value"]])}
        raise InvalidInput(
            f"no value of the feature '{side.feature}'", where=where, repair=did_you_mean(side.feature, known)
        )
    return rows, repair


def _feature(text: str, name: str) -> Any:
    return json.loads(text).get(name)


def _select(study: Study, side: Side, per: str, where: str) -> tuple[str, str]:
    """The SELECT of a side, and the repair that names what `where` takes. Raises InvalidInput for an unknown word."""
    from tshdb.query import guest_columns_of
    from tshdb.sqltypes import table_columns

    tables = table_columns()
    if side.table not in tables:
        tables = tables | guest_columns_of(study)
    if side.table not in tables:
        raise InvalidInput(
            f"no table '{side.table}'", where=where, repair=did_you_mean(side.table or "", tables, "See: tshdb schema")
        )
    table = side.table
    known = {name: (f"t.{name}", kind) for name, kind in tables[table].items()}
    joins: list[str] = []
    for column, links in LINKS.items():
        if column not in tables[table] or table in (link[2] for link in links):
            continue
        if column != "study_uid" and "study_uid" in known and "patient_id" in known:
            continue
        alias = "t"
        for aliased, on, linked in links:
            if any(aliased in join for join in joins):
                continue
            joins.append(f"JOIN {aliased} ON {on.format(alias)}")
            alias = aliased.split()[1]
            known = {name: (f"{alias}.{name}", kind) for name, kind in tables[linked].items()} | known
    if "patient_id" in known and table != "patients":
        joins.append(f"LEFT JOIN patients z ON z.patient_id = {known['patient_id'][0]}")
        known = {name: (f"z.{name}", kind) for name, kind in tables["patients"].items()} | known
    for key in KEYS[per]:
        if key not in known:
            raise InvalidInput(
                f"{table} knows no {key}",
                where=where,
                repair='Give one in a SELECT: sql = "SELECT patient_id, … AS value"',
            )
    column = "features" if side.feature is not None else side.column or ""
    if column not in tables[table]:
        raise InvalidInput(
            f"{table} has no column '{column}'", where=where,
            repair=did_you_mean(column, tables[table], f"See: tshdb schema {table}"),
        )  # fmt: skip
    reason = "t.reason" if "reason" in tables[table] and column != "reason" else "NULL"
    conditions = [_condition(name, words, known, where) for name, words in side.where.items()]
    keys = ", ".join(f"{known[key][0]} AS {key}" for key in KEYS[per])
    sql = f'SELECT {keys}, t."{column}" AS value, {reason} AS reason FROM {table} t {" ".join(joins)}'
    choose = [name for name, (place, kind) in known.items() if kind != "DOUBLE" and place.startswith("t.")]
    choose = [name for name in choose if name not in (column, "reason", "unit_id", "object_id", *KEYS[per])]
    if "time_point" in known and "time_point" not in choose and per == "patient":
        choose.insert(0, "time_point")
    repair = f"Choose rows: where = {{ COLUMN = WORD }}, by {', '.join(choose[:SHOWN])}"
    return sql + (f" WHERE {' AND '.join(conditions)}" if conditions else ""), repair


def _condition(name: str, words: Any, known: Mapping[str, tuple[str, str]], where: str) -> str:
    """That a column has one of the words. Raises InvalidInput for an unknown column, or a word that is no number."""
    if name not in known:
        raise InvalidInput(f"no column '{name}' for where", where=where, repair=did_you_mean(name, known))
    place, kind = known[name]
    texts = [str(w).lower() if isinstance(w, bool) else str(w) for w in (words if isinstance(words, list) else [words])]
    if kind in ("DOUBLE", "BIGINT"):
        wrong = [text for text in texts if number(text) is None]
        if wrong:
            raise InvalidInput(f"where: {name} is a number, and '{wrong[0]}' is none", where=where)
        return f"{place} IN ({', '.join(str(float(text)) for text in texts)})"
    quoted = ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
    return f"CAST({place} AS VARCHAR) IN ({quoted})"


def _of_maps(study: Study, side: Side, per: str, where: str) -> Iterator[_Row]:
    """A number of each examination that has the map."""
    from tshdb.truths.archive_maps import map_values

    for found in map_values(study, side.series or "", side.measure, side.above, side.region is not None, where):
        parts = [getattr(found, name) for name in KEYS[per]]
        yield _Row(None if None in parts else " ".join(map(str, parts)), found.value, found.reason)


# ------------------------------------------------------------------------------------------------------ of a file


def _of_file(path: Path, side: Side, per: str) -> Iterator[_Row]:
    """Rows of a delimited text. Raises NotFound or InvalidInput, with the file's line."""
    if path.suffix.lower() in WORKBOOKS:
        raise InvalidInput("a workbook is read by a map", where=str(path), repair='map = "FILE.toml": docs/maps.md')
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    content = FileContent()
    names = {"patient": ("patient",), "examination": ("examination",), "visit": ("patient", "time_point")}[per]
    keys = [getattr(side, name) for name in names]
    column = side.column or ""
    needed = [*keys, column, *side.where]
    with open_table(path, content, "truth.fields", needs=set(needed)) as opened:
        for name in needed:
            if name not in opened.header:
                raise InvalidInput(
                    f"no column '{name}'", where=f"{path}:{opened.line}",
                    repair=did_you_mean(name, opened.header, f"It has {', '.join(opened.header[:SHOWN])}"),
                )  # fmt: skip
        at = {name: opened.header.index(name) for name in needed}
        for line, fields in opened.rows:
            if not all(_text(fields[at[name]]) in _texts(words) for name, words in side.where.items()):
                continue
            parts = [_text(fields[at[name]]) for name in keys]
            key = None if any(part is None for part in parts) else " ".join(map(str, parts))
            yield _Row(key, fields[at[column]], None, line)
    if content.errors:
        first = content.errors[0]
        raise InvalidInput(first.message, where=f"{path}:{first.line}", repair="Mend the line")


def _texts(words: Any) -> set[str | None]:
    return {_text(word) for word in (words if isinstance(words, list) else [words])}


def _by_map(study: Study, path: Path, side: Side, where: str) -> list[_Row]:
    """Rows of any table or workbook, as the reader of clinical tables reads it by a map; nothing is loaded."""
    from tshdb import installed
    from tshdb.readers import Request, needed
    from tshdb.schema import Patient

    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    reader = installed.reader("clinical")
    read = needed(reader.read, reader, "read single files")
    map_path = study.root / Path(side.map or "").expanduser()
    request = Request("truths", path.name, {}, {"map": map_path})
    recorded = reader.recorded(request, study.settings)
    content = read(path, Request("truths", path.name, recorded, request.files))
    if content.errors:
        first = content.errors[0]
        at = f"{path}:{first.line}" if first.line else str(path)
        raise InvalidInput(f"{first.column or ''} {first.message}".strip(), where=at, repair="Mend the file or the map")
    column = side.column or ""
    patients = [r for r in content.records if r.table is Patient]
    if column in Patient.__table__.columns:
        return [_Row(r.values["patient_id"], r.values.get(column), None, r.line) for r in patients]
    fields = {raw.field for raw in content.raw_values}
    if column not in fields:
        raise InvalidInput(
            f"the map gives no column '{column}'", where=where,
            repair=did_you_mean(column, fields, f"It gives {', '.join(sorted(fields)[:SHOWN])}"),
        )  # fmt: skip
    raw = [r for r in content.raw_values if r.field == column]
    if recorded["map"].get("table", {}).get("decimal_comma", False):
        raw = [r._replace(value=_pointed(r.value)) for r in raw]
    return [_Row(r.patient_id, r.value, r.missing_reason, r.line) for r in raw]


def _pointed(text: str | None) -> str | None:
    """A number with a decimal comma, with a point; any other text as it is, and a point alone as what is no number."""
    if text is None or ("." in text and "," not in text and number(text) is not None):
        return text and f"{text} (a point, where the map says decimal comma)"
    pointed = text.replace(".", "").replace(",", ".")
    return text if number(pointed) is None else pointed
