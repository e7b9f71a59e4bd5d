"""Where the rows come from, what was found in the files, and by which code and parameters results were computed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tshdb.next_step import NOTHING_YET
from tshdb.pages.report.look import Look
from tshdb.pages.report.parts import Section, Shown, Words, parameter
from tshdb.tables.layouts import Layout
from tshdb.text.controls import clean

MOST_FILES = 20  # of one reader; more are counted


def sources(look: Look) -> Section:
    """The files, with how much of them holds, and the findings by rule."""
    parts = list(_files(look)) or [Words(f"Files: {NOTHING_YET}", "warning")]
    notes = ("Every row of the study leads to one of these files, and to its line.",)
    return Section("sources", "Sources", [*parts, *_findings(look)], notes, is_folded=True)


def _files(look: Look) -> Iterator[Shown]:
    frame = look.study.sql(
        "SELECT collection, reader, name, size_bytes, sha256 FROM source_files WHERE is_current "
        "ORDER BY collection, reader, name"
    )
    cells: list[tuple] = []
    for (collection, reader), files in frame.groupby(["collection", "reader"], sort=True):
        if len(files) > MOST_FILES:  # a folder of an archive: its files are named in the database
            cells.append(
                (clean(collection), clean(reader), f"{len(files):,} files", f"{files['size_bytes'].sum():,}", None)
            )
            continue
        for f in files.itertuples(index=False):
            name = look.file_name(f.name)
            digest = f.sha256 if name == clean(f.name) else None  # of a file of one patient it would tell which
            cells.append((clean(collection), clean(reader), name, f"{f.size_bytes:,}", digest))
    if cells:
        layout = Layout("", ("collection", "reader", "file", "bytes", "SHA-256"), cells, (3,))
        yield Shown(look.ids.of("files"), "Files", "a file that rows come from, or the files of one reader", [layout])


def _findings(look: Look) -> Iterator[Shown]:
    frame = look.study.sql(
        "SELECT severity, rule, count(*) AS n FROM ingest_issues GROUP BY 1, 2 ORDER BY severity, n DESC, rule"
    )
    if len(frame):
        cells = [(str(r.severity), r.rule, f"{r.n:,}") for r in frame.itertuples(index=False)]
        note = ('Each with file and line: tshdb sql "from ingest_issues"',)
        layout = Layout("", ("severity", "rule", "findings"), cells, (2,), note)
        yield Shown(look.ids.of("findings"), "What was found in the files", "a rule, with how many findings", [layout])


def provenance(look: Look) -> Section:
    """By which code and parameters the current results were computed, and which models were fitted."""
    return Section(
        "provenance", "Code, parameters, models", [*_results(look), *_damaged(look), *_models(look)], is_folded=True
    )


def _results(look: Look) -> Iterator[Shown | Words]:
    frame = look.study.sql(
        "SELECT u.analysis, s.code_fingerprint, s.params, count(*) AS n FROM units u JOIN specs s USING (spec_id) "
        "WHERE u.state = 'current' GROUP BY ALL ORDER BY ALL"
    )
    if not len(frame):
        yield Words(f"Results: nothing was computed yet. {look.steps.of_analyses()}", "warning")
        return
    cells = []
    for row in frame.itertuples():
        text = ", ".join(f"{k} = {parameter(v)}" for k, v in json.loads(row.params).items())
        cells.append((clean(row.analysis), f"{row.n:,}", row.code_fingerprint[:16], clean(text)))
    layout = Layout("", ("analysis", "results", "code", "parameters"), cells, (1,))
    one_row = "an analysis with the code and the parameters of its current results"
    yield Shown(look.ids.of("current-results"), "Current results", one_row, [layout])


def _damaged(look: Look) -> Iterator[Shown]:
    frame = look.study.sql(
        "SELECT analysis, damage, count(*) AS n FROM units WHERE damage IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    if len(frame):
        cells = [(clean(r.analysis), clean(r.damage), f"{r.n:,}") for r in frame.itertuples(index=False)]
        layout = Layout("", ("analysis", "what happened to its results", "results"), cells, (2,))
        yield Shown(
            look.ids.of("damaged"), "Results that are not as they were made", "an analysis and a damage", [layout]
        )


def _models(look: Look) -> Iterator[Shown | Words]:
    from tshdb.corrections import in_words

    models = look.models
    if not models:
        yield Words(f"Models: none yet. {look.steps.of_models()}", "warning")
        return
    cells = [
        (clean(m["model"]), m["state"], m["n_members"], (m["fingerprint"] or "")[:16],
         in_words(m["n_corrections"]) if m["is_flagged"] else "", clean(m["message"] or ""))
        for m in models
    ]  # fmt: skip
    headers = ("model version", "state", "members", "content", "since then", "")
    layout = Layout("", headers, cells, (2,))
    yield Shown(
        look.ids.of("models"), "Model versions", "a model that was fitted on one frozen cohort version", [layout]
    )
