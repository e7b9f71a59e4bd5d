"""The workbook of a collection: found by its content, read by the collection's map."""

from __future__ import annotations

from pathlib import Path


def load_workbook(study, collection, path: Path, command: str, *, complete: bool, keep_going: bool, dry_run: bool):
    """(source, what was done) of one workbook."""
    from ingest.tables import mapped, maps
    from tshdb import loading

    map_ = maps.bundled_map(collection.map_name)
    source = loading.Source(collection.name, "workbook", path.name)
    options = {"map": map_.model_dump(mode="json")}
    item = loading.item_of(
        study, source, path, options, lambda: mapped.read(path, collection.name, map_), always=complete
    )
    loaded = loading.load(study, [item], command=command, complete=complete, keep_going=keep_going, dry_run=dry_run)
    return source, loaded


def only_workbook(folder: Path, map_name: str) -> Path:
    """The one workbook of a folder that has the map's patients, or the file that was named."""
    from ingest.tables import maps
    from ingest.tables.workbook import read_sheets
    from tshdb.errors import InvalidInput, NotFound, TshdbError
    from tshdb.reading import Reading

    if folder.is_file():
        return folder
    if not folder.is_dir():
        raise NotFound("no such folder", where=str(folder))
    map_ = maps.bundled_map(map_name)
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".xlsx", ".xls") and p.name[:2] != "~$"):
        try:
            sheets = read_sheets(path, Reading())
        except TshdbError:
            continue
        if any(s.column(map_.patient_id.names) is not None for s in sheets):
            found.append(path)
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} workbooks with {map_.patient_id.names[0]}" if found else "no workbook with the patients"
    raise (InvalidInput if found else NotFound)(
        what, where=str(folder), repair="Name the file itself with --from" if found else "Expected an .xlsx or .xls"
    )
