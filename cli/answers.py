"""In which form `tshdb sql` gives an answer: a table, CSV, JSON, JSON a line, Parquet."""

from __future__ import annotations

from pathlib import Path

from tshdb.text.answers import CSV, FACTS, JSON, JSONL

TABLE, PARQUET = "table", "parquet"
FORMATS = (TABLE, CSV, JSON, JSONL, PARQUET)
OF_SUFFIX = {".csv": CSV, ".json": JSON, ".jsonl": JSONL, ".ndjson": JSONL, ".parquet": PARQUET, ".pq": PARQUET}

OF_OTHERS = (
    ".tsv",
    ".xlsx",
    ".xls",
    ".arrow",
    ".feather",
    ".db",
    ".sqlite",
    ".html",
    ".xml",
    ".gz",
    ".zip",
    ".zst",
    ".bz2",
    ".xz",
)


def form_of(asked: str | None, out: Path | None, as_json: bool) -> str:
    """The form of an answer: as asked, else as the name of the file says, else a table (of a file: CSV).

    Raises UsageError where they do not agree, and for a form that there is not.
    """
    from tshdb.errors import UsageError
    from tshdb.near import did_you_mean

    if asked is not None and asked not in FORMATS:
        meant = did_you_mean(asked, FORMATS, f"Use {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
        raise UsageError(f"format '{asked}'", where="--format", repair=meant)
    if as_json and asked not in (None, TABLE):
        raise UsageError(f"--json and --format {asked}", where="sql", repair="Leave one of them out")
    if asked == PARQUET and out is None:
        raise UsageError("parquet is no text", where="--format parquet", repair="Name a file with --out")
    if out is None:
        return FACTS if as_json else asked or TABLE
    suffix = out.suffix.lower()
    said = OF_SUFFIX.get(suffix)
    if asked == TABLE and not as_json:
        raise UsageError("a table is for the terminal", where="--format table", repair="Leave it out, or --out")
    wanted = JSON if as_json else asked
    is_other = suffix in OF_OTHERS or (said is not None and wanted not in (None, said))
    if is_other or (wanted is None and said is None and suffix not in ("", ".txt")):
        known = ", ".join(OF_SUFFIX)
        what = f"--{'json' if as_json else f'format {asked}'} and a file {suffix}" if wanted else f"a file {suffix}"
        raise UsageError(what, where=f"--out {out}", repair=f"Name it with one of {known} that says what it holds")
    return FACTS if as_json else asked or said or CSV
