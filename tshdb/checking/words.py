"""What a study holds otherwise than a source said it, or does not hold: words that were not known, guesses, names of no gene.

Nothing is broken: each was a finding when it was read. A study that stands on such values is not called whole without a word.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import PurePath

from sqlalchemy import func, select

from tshdb.checking.rule import Context, Problem, rule
from tshdb.loading.undecided import undecided_rows
from tshdb.schema import IngestIssue, IngestRun, Patient, SourceFile
from tshdb.text.counts import plural
from tshdb.words import CLOSED, OPEN

LEFT_OUT = {
    "word.unknown": "words that were not known are missing", "word.unfamiliar": "words that were not known stand as they are",
    "word.other-staging": "stages are not of pathology", "rna.gene-is-a-date": "genes that had become dates are left out",
    "rna.no-gene": "names that are no genes are left out", "rna.log-negative": "values below 0 make no ratios",
    "rna.scale-doubtful": "values do not look like what was declared", "rna.looks-like-counts": "values look like counts",
    "rna.not-tpm": "values do not add up to a million", "rna.sample-off": "samples are orders of magnitude off",
    "rna.same-profile": "samples have the same values", "features.visit-unknown": "visits are not known",
    "features.visits-counted": "visits were counted from 1", "features.no-first-visit": "no examination is a first one",
    "features.region-unknown": "regions are not known", "features.row-off": "examinations are orders of magnitude off",
    "features.same-examination": "examinations have the same features",
    "clinical.row-off": "patients are orders of magnitude off",
    "patient.same-row": "patients have the same row",
}  # fmt: skip
LEFT_OUT_COLUMNS = ("identity.left-out", "map.left-out")  # their findings name the columns
SHOWN = 3


@rule(
    "ingest.left-out", "the study holds what its sources say",
    'Look at them (tshdb sql "from ingest_issues"), mend the file or the map, or add words: [vocabulary.COLUMN] in study.toml',
    is_warning=True,
)  # fmt: skip
def _left_out(c: Context) -> Iterator[Problem]:
    sources: dict[int, list] = defaultdict(list)
    columns = (SourceFile.collection, SourceFile.reader, SourceFile.name, SourceFile.path, SourceFile.ingest_run_id)
    for row in c.connection.execute(select(*columns).where(SourceFile.is_current)):
        sources[row.ingest_run_id].append(row)
    withheld = select(IngestRun.ingest_run_id, IngestRun.n_withheld).where(IngestRun.n_withheld > 0)
    for run, n in c.connection.execute(withheld):
        read = sources.get(run, [])
        if read:
            more = f" and {len(read) - 1} more" if len(read) > 1 else ""
            yield Problem("/".join(read[0][:3]) + more, f"{plural(n, 'row')} {'was' if n == 1 else 'were'} withheld")
    issues = select(
        IngestIssue.ingest_run_id, IngestIssue.path, IngestIssue.rule, IngestIssue.value, IngestIssue.message
    )
    by_source: dict[tuple[str, str], list[str | None]] = defaultdict(list)
    told_as_found: list[tuple[str, str]] = []
    for run, path, name, value, message in c.connection.execute(
        issues.where(IngestIssue.rule.in_((*LEFT_OUT, *LEFT_OUT_COLUMNS)))
    ):
        read = [s for s in sources.get(run, ()) if not path or PurePath(s.path).name == PurePath(path).name]
        if read and name in LEFT_OUT_COLUMNS:
            told_as_found.append(("/".join(read[0][:3]), message))
        elif read:
            by_source["/".join(read[0][:3]), name].append(value)
    for source, message in sorted(told_as_found):
        yield Problem(source, message)
    for (source, name), values in sorted(by_source.items()):
        kinds = Counter(v for v in values if v)
        told = ", ".join(f"'{v}'" for v in list(kinds)[:SHOWN]) + (" …" if len(kinds) > SHOWN else "")
        yield Problem(source, f"{LEFT_OUT[name]}: {len(values)} findings" + (f" ({told})" if told else ""))


@rule(
    "words.closed", "closed columns hold the words that they can have",
    "Read the table again, with --complete: since words are closed, it is brought to the study's (tshdb schema patients)",
    is_warning=True,
)  # fmt: skip
def _closed(c: Context) -> Iterator[Problem]:
    vocabulary = c.study.settings.vocabulary
    for name in CLOSED:
        column = Patient.__table__.c[name]
        query = select(column, func.count()).where(column.is_not(None)).group_by(column).order_by(column)
        for text, n in c.connection.execute(query):
            word = vocabulary.understood(name, text)
            is_other = word.value != text if word.is_known else name not in OPEN
            if is_other:
                yield Problem(
                    f"patients.{name}", f"'{text}' of {plural(n, 'patient')} is not one of {vocabulary.expected(name)}"
                )


@rule(
    "sources.undecided", "of sources that disagree one is known to be the later one",
    "Say how late each file is (tshdb ingest ... --as-of DATE), or decide (tshdb ingest decisions); tshdb sql "
    "\"from conflicts where held_source = ''\" lists them",
    is_warning=True,
)  # fmt: skip
def _undecided(c: Context) -> Iterator[Problem]:
    for table, column, n in undecided_rows(c.connection):
        yield Problem(
            f"{table}.{column}", f"{plural(n, 'row')} {'is' if n == 1 else 'are'} not known, since sources disagree"
        )


RULES = (_left_out, _closed, _undecided)
