"""Put what readers found into the study: only what differs, all of it or nothing, each row with its file and line.

sources    where rows come from, and what each source says of a row (`source_records`)
values     expression values on their way into parts
hanging    what goes with a row that is not loaded
compare    what changes: what is said now against what all sources have said
reconcile  which value holds where sources disagree
believed   whom to believe, and who is later; outcome: the same of follow-up; undecided: what nobody knows
checks     what only shows when sources are seen together
closed     words of closed columns
of_whom    the patient whose line a finding is about
odd_rows   rows that are strange beside the others, contents under two names
overtaken  two ingests of one source at a time: the second is told
commit     one transaction
lost       what is read again though its bytes are as before
put_back   rows that another hand changed, from the sources' words that the study keeps
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from tshdb import installed
from tshdb.database import reading, writing
from tshdb.failpoints import fp
from tshdb.file_content import Finding
from tshdb.folders import FileCounts
from tshdb.loading import commit as committing
from tshdb.loading import undecided
from tshdb.loading.alike import alike_patients
from tshdb.loading.checks import findings_together, still_named
from tshdb.loading.closed import close_columns
from tshdb.loading.compare import KINDS, Comparison, compare
from tshdb.loading.hidden import hidden_finding, hidden_items, refuse_half_hashed, spare_identifiers
from tshdb.loading.odd_rows import note_odd_rows, same_contents
from tshdb.loading.of_whom import with_patients
from tshdb.loading.overtaken import refuse_overtaken
from tshdb.loading.sources import Item, Release, Source, SourceState, current_files, item_beside, item_of, last_ingest
from tshdb.lock import study_lock
from tshdb.study import Study
from tshdb.vocabulary import Severity
from tshdb.withdrawal.tombstones import Withheld

__all__ = [
    "Item",
    "Loaded",
    "Release",
    "Source",
    "SourceState",
    "current_files",
    "item_beside",
    "item_of",
    "last_ingest",
    "load",
]


@dataclass
class Loaded:
    """What an ingest did, or would do.

    what, command: what was loaded, and the command that does it.
    run_id: of ingest_runs, None when nothing was written.
    n_same_bytes: files that need not be read, by their bytes or since they were not written since.
    n_unread: those of them whose bytes were not looked at.
    by_reader: of a folder of several kinds of files, reader -> its files.
    in_folder: of a folder that was read as a whole, what became of each of its files.
    """

    what: str = ""
    command: str = ""
    is_dry_run: bool = False

    by_table: dict[str, dict[str, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    n_withheld: int = 0
    n_files: int = 0
    n_same_bytes: int = 0
    n_unread: int = 0
    is_refused: bool = False
    run_id: int | None = None
    by_reader: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    in_folder: FileCounts | None = None

    def _repr_html_(self) -> str:
        import pandas as pd

        tables = [pd.DataFrame.from_dict(self.by_table, orient="index").to_html()]
        if self.findings:
            findings = [(f.severity.value, f.rule, f.line, f.message) for f in self.findings]
            tables.append(pd.DataFrame(findings, columns=["severity", "rule", "line", "finding"]).to_html(index=False))
        return f"<p>{escape(self.what)}</p>{''.join(tables)}"

    @property
    def is_same_bytes(self) -> bool:
        """Whether nothing had to be loaded of the files."""
        return self.n_files == self.n_same_bytes > 0

    @property
    def errors(self) -> list[Finding]:
        return [f for f in self.findings if f.severity is Severity.ERROR]

    def n(self, kind: str) -> int:
        """How many rows were inserted, updated, deleted or unchanged."""
        return sum(counts[kind] for counts in self.by_table.values())


def load(
    study: Study,
    items: Iterable[Item],
    *,
    command: str,
    complete: bool = False,
    keep_going: bool = False,
    dry_run: bool = False,
    findings: Iterable[Finding] = (),
    release: Release | None = None,
    together: bool = False,
    progress: Callable[[Item], None] = lambda item: None,
    what: str = "",
    began: int | None = None,
    alone: bool = False,
) -> Loaded:
    """Load the items, which are taken one after the other.

    complete: rows that a file no longer has are gone, and so are the files that are not among the items.
    keep_going: load the good rows of files with bad ones. With errors and without keep_going nothing is loaded, and the
        findings are kept.
    findings: of whoever found the files.
    together: also look for what only shows between sources.
    what: is loaded, in the words of who asked.
    alone: other sources of the same reader stay, also with `complete`.
    began: the study's newest ingest when the reading began (`last_ingest`), where that was before this call.

    Raises NotFound for an item of a reader that is not installed; Busy where another ingest holds the study, or has loaded
    one of the sources since its reading began.
    """
    paths = study.paths
    loaded = Loaded(what=what, command=command, is_dry_run=dry_run, findings=list(findings))
    with reading(study.engine) as connection:
        refuse_half_hashed(connection, study)
        spare_identifiers(connection, paths)
    items = hidden_items(paths, items)
    if dry_run:
        _compare(study, items, loaded, complete, False, together, progress, alone)
        loaded.is_refused = bool(loaded.errors) and not keep_going
        return loaded
    if began is None:
        with reading(study.engine) as connection:
            began = last_ingest(connection)
    with study_lock(study.engine, study.root):
        paths.keep()
        comparison = _compare(study, items, loaded, complete, True, together, progress, alone)
        fp("ingest.objects_written")
        paths.keep()
        loaded.is_refused = bool(loaded.errors) and not keep_going
        counts = {kind: 0 if loaded.is_refused else loaded.n(kind) for kind in KINDS} | {"withheld": loaded.n_withheld}
        if loaded.is_same_bytes and not comparison.gone_sources and not loaded.findings:
            is_renewed = any(item.identity is not None for item in comparison.items)
            with (writing if is_renewed else reading)(study.engine) as connection:
                refuse_overtaken(connection, comparison, began)
                if is_renewed:
                    committing.renew_identities(connection, comparison)
            return loaded
        with writing(study.engine) as connection:
            refuse_overtaken(connection, comparison, began)
            loaded.run_id = committing.record_run(connection, paths.text(command), counts, loaded.findings)
            if not loaded.is_refused:
                if release is not None:
                    committing.record_release(connection, release, loaded.run_id)
                committing.commit(connection, comparison, loaded.run_id)
                late = [hidden_finding(paths, f) for f in undecided.of_profiles(connection, comparison)]
                committing.record_findings(connection, loaded.run_id, late)
                loaded.findings += late
            fp("ingest.before_commit")
        fp("ingest.committed")
    return loaded


def _compare(
    study, items, loaded: Loaded, complete: bool, writes: bool, together: bool, progress, alone: bool
) -> Comparison:
    def noted() -> Iterable[Item]:
        for item in items:
            loaded.n_files += 1
            installed.reader(item.source.reader)  # who is not known has no precedence
            if item.content is not None:
                close_columns(item.content, study.settings.vocabulary)
                note_odd_rows(item.content)
            if withheld and item.content is not None:
                n = withheld.take_out(item.content)
                loaded.n_withheld += n
                if n and not item.content.records:  # all of it, such as a series: not even its folder's name is kept
                    loaded.findings += map(withheld.without_names, item.content.findings)
                    progress(item)
                    continue
            if item.content is None:
                loaded.n_same_bytes += 1
                loaded.n_unread += item.is_unread
            else:
                loaded.n_withheld += item.content.n_withheld
                findings = [f if f.path else f._replace(path=str(item.path)) for f in item.content.findings]
                loaded.findings += map(withheld.without_names, findings) if withheld else findings
            yield item
            progress(item)

    with reading(study.engine) as connection:
        withheld = Withheld(connection, study.root)
        if withheld:
            loaded.findings = list(map(withheld.without_names, loaded.findings))
        comparison = compare(
            study,
            connection,
            noted(),
            known_sources=[] if alone else _known_sources(connection),
            complete=complete,
            writes=writes,
        )
        loaded.findings += map(withheld.without_names, comparison.orphans) if withheld else comparison.orphans
        loaded.n_withheld += len(comparison.orphans)
        same = [*same_contents(connection, comparison), *alike_patients(connection, comparison)]
        loaded.findings += map(withheld.without_names, same) if withheld else same
        open_ones = [
            *undecided.findings(comparison), *undecided.other_clocks(comparison), *undecided.without_row(comparison),
            *undecided.kept_rows(comparison),
        ]  # fmt: skip
        loaded.findings += map(withheld.without_names, open_ones) if withheld else open_ones
        if complete:
            loaded.findings += still_named(connection, comparison)
        if together:
            loaded.findings += findings_together(connection, comparison)
    told = with_patients(comparison, loaded.findings)
    loaded.findings = [hidden_finding(study.paths, finding) for finding in told]
    loaded.what, loaded.command = study.paths.text(loaded.what), study.paths.text(loaded.command)
    loaded.by_table = comparison.by_table
    return comparison


def _known_sources(connection) -> list[Source]:
    """All sources that the study has."""
    from sqlalchemy import select

    from tshdb.schema import SourceFile

    query = select(SourceFile.collection, SourceFile.reader, SourceFile.name).where(SourceFile.is_current)
    return [Source(*row) for row in connection.execute(query)]
