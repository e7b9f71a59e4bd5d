"""What an ingest stores of paths and names of files: the one place at which they become stored texts.

Readers see the files as they are. What they and the loader make of them passes here, before anything is compared or written: with
[privacy] paths = "hashed" as tokens (`tshdb.kept_paths`), else as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, select

from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent, Finding, Instances, RawValue
from tshdb.kept_paths import KEY_FILE, KeptPaths, is_token
from tshdb.loading.sources import Item
from tshdb.schema import ExpressionProfile, ImagingSeries, Patient, Sample, Segmentation, SourceFile
from tshdb.study import Study

IDENTIFIERS = (Patient.patient_id, Sample.sample_id, ExpressionProfile.profile_id)
AS_NEW = "make a study that has the line from the start (tshdb init, then [privacy] in study.toml), and ingest the files into it"


def hidden_items(paths: KeptPaths, items: Iterable[Item]) -> Iterator[Item]:
    """The items as they are stored. Their `path` stays, for whoever reads the file."""
    for item in items:
        paths.learn(item.path)
        if paths.hides:
            item.source = item.source._replace(name=paths.name(item.source.name))
            item.options = paths.values(item.options)
            if item.content is not None:
                paths.spared |= _identifiers(item.content)
                _hide(paths, item.content)
        item.place = paths.place(item.path)
        yield item


def _identifiers(content: FileContent) -> set[str]:
    names = [c.name for c in IDENTIFIERS]
    return {str(r.values[name]) for r in content.records for name in names if r.values.get(name) is not None}


def _hide(paths: KeptPaths, content: FileContent) -> None:
    content.records = [
        record._replace(values=_without_paths(paths, record.table, record.values)) for record in content.records
    ]
    content.raw_values = [
        v if v.value is None else RawValue(v.patient_id, v.line, v.field, paths.values(v.value), v.missing_reason)
        for v in content.raw_values
    ]
    if (found := content.instances) is not None:
        rows = found.rows

        def hidden_rows() -> Iterator[dict[str, Any]]:
            for row in rows():
                yield {**row, "path": paths.below(row["path"])}

        content.instances = Instances(found.study_uid, found.series_uid, found.n, hidden_rows)


def _without_paths(paths: KeptPaths, table: type, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a record. Its keys are made of names that were hidden before its file was read (`KeptPaths.key`)."""
    keys = {c.name for c in table.__table__.columns if c.primary_key or c.foreign_keys}
    hidden = {name: value if name in keys else paths.values(value) for name, value in values.items()}
    if table is Segmentation and hidden.get("path"):
        hidden["path"] = paths.name(hidden["path"])
    return hidden


def hidden_finding(paths: KeptPaths, finding: Finding) -> Finding:
    """A finding as it is stored and shown."""
    if not paths.hides:
        return finding
    return finding._replace(
        path=paths.place(finding.path) if finding.path else finding.path,
        value=None if finding.value is None else paths.text(finding.value),
        column=None if finding.column is None else paths.text(finding.column),
        message=paths.text(finding.message),
    )


def spare_identifiers(connection: Connection, paths: KeptPaths) -> None:
    """Let the study's identifiers stay in texts, though folders may be called as they are."""
    if paths.hides:
        for column in (*IDENTIFIERS, ImagingSeries.series_uid):
            paths.spared |= set(connection.execute(select(column)).scalars())


def refuse_half_hashed(connection: Connection, study: Study) -> None:
    """Raises InvalidInput where the study keeps paths otherwise than study.toml says, or the key of its tokens is not here."""
    query = select(SourceFile.path).order_by(SourceFile.source_file_id)
    are_tokens = {is_token(path) for path in connection.execute(query).scalars()}
    where = f"{study.settings.where('privacy', 'paths')}: [privacy] paths"
    if study.paths.hides and False in are_tokens:
        raise InvalidInput(
            'found "hashed", but the study holds paths that were stored in clear before', where=where,
            repair=f"Take the line out. To have none: {AS_NEW}",
        )  # fmt: skip
    if not study.paths.hides and True in are_tokens:
        raise InvalidInput(
            'found "stored", but the paths of this study are hashed, and names in clear would stand beside tokens',
            where=where, repair='Write under [privacy]: paths = "hashed"',
        )  # fmt: skip
    if study.paths.hides and are_tokens and not (study.root / KEY_FILE).is_file():
        raise InvalidInput(
            "the key of the study's paths is not here: files that it knows would be taken for others",
            where=str(study.root / KEY_FILE), repair=f"Put it back, from a backup. Else {AS_NEW}",
        )  # fmt: skip
