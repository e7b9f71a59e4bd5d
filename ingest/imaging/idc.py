"""The Imaging Data Commons: series by the index package's own table, files from its public bucket.

Index    idc_index.parquet of the package idc-index-data (74 MB, offline; a million series; column meanings in the package). The
         package idc-index itself is not needed: it asks for DuckDB before 2.0.
Bucket   plain HTTPS requests to S3, anonymous: ListObjectsV2 by the series' prefix, then each object, resumed where a
         connection breaks. An ETag of 32 hexadecimal digits is the object's MD5 and is compared; of others only the size.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import httpx

from ingest.download import DownloadError, Patience, Wanted, fetched, is_here, requested, safe_name
from ingest.imaging.archive import RemoteSeries, drop_others, opened, text_of
from tshdb.errors import InvalidInput, NotFound
from tshdb.loading import Release

URL = "https://{bucket}.s3.amazonaws.com"
PACKAGE, INDEX = "idc_index_data", "idc_index.parquet"
COLUMNS = (
    "SeriesInstanceUID", "StudyInstanceUID", "PatientID", "Modality", "StudyDate", "SeriesDescription", "instanceCount",
    "series_size_MB", "series_revised_idc_version", "aws_bucket", "crdc_series_uuid",
)  # fmt: skip
MB = 1_000_000
MD5 = re.compile(r"[0-9a-f]{32}")


def index_of(path: Path | None = None) -> Path:
    """The index: a file that is named, else the installed package's. Raises NotFound."""
    if path is None:
        spec = importlib.util.find_spec(PACKAGE)
        path = Path(spec.submodule_search_locations[0]) / INDEX if spec and spec.submodule_search_locations else None
    if path is None or not path.is_file():
        raise NotFound(
            "no index of the IDC", where=str(path or PACKAGE),
            repair="Install it (pip install 'tshdb[idc]'), name the file with --index, or use --source nbia",
        )  # fmt: skip
    return path


class Idc:
    """A collection of the IDC. collection_id: as the index spells it; url: with {bucket}, or of a mirror."""

    def __init__(
        self, collection: str, collection_id: str, index: Path, url: str = URL, patience: Patience | None = None,
        http: httpx.Client | None = None,
    ):  # fmt: skip
        self.collection, self.collection_id, self.index, self.url = collection, collection_id, index, url
        self.patience, self.http = opened(patience, http)

    def release(self) -> Release:
        """The version of the index, which is that of the IDC."""
        import pyarrow.parquet as pq

        metadata = pq.read_schema(self.index).metadata or {}
        version = metadata.get(b"idc_index_data_version", b"").decode() or self.index.name
        return Release(self.collection, "idc", f"IDC v{version.split('.')[0]}", {"index": version})

    def series(self) -> list[RemoteSeries]:
        """All series of the collection. Raises InvalidInput for another table."""
        import pyarrow
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(
                self.index, columns=list(COLUMNS), filters=[("collection_id", "=", self.collection_id)]
            )
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise InvalidInput(f"no index of the IDC ({error})", where=str(self.index)) from None
        return [self._of(row) for row in table.to_pylist()]

    def _of(self, row: dict) -> RemoteSeries:
        bucket = safe_name(text_of(row["aws_bucket"]), str(self.index))
        uuid = safe_name(text_of(row["crdc_series_uuid"]), str(self.index))
        return RemoteSeries(
            row["SeriesInstanceUID"], row["StudyInstanceUID"], row["PatientID"], text_of(row["Modality"]),
            text_of(row["StudyDate"]), text_of(row["SeriesDescription"]), int(row["instanceCount"]),
            round(row["series_size_MB"] * MB), f"{uuid}@{row['series_revised_idc_version']}",
            f"{self.url.format(bucket=bucket)}/{uuid}/",
        )  # fmt: skip

    def fetch_series(
        self, series: RemoteSeries, folder: Path, jobs: int, arrived: Callable[[Wanted, int], None]
    ) -> str:
        """See `archive.Archive`."""
        objects = self._objects(series)
        folder.mkdir(parents=True, exist_ok=True)
        drop_others(folder, objects)
        base = series.place.rsplit("/", 2)[0]
        listed = [
            Wanted(f"{base}/{quote(key)}", folder / name, size, md5) for name, (key, size, md5) in objects.items()
        ]
        wanted = [each for each in listed if not is_here(each)]
        for _, error in fetched(wanted, self.http, jobs=jobs, patience=self.patience, arrived=arrived):
            if error is not None:
                raise error
        return "md5" if all(md5 for _, _, md5 in objects.values()) else "size"

    def _objects(self, series: RemoteSeries) -> dict[str, tuple[str, int, str | None]]:
        """File name -> (key, size, MD5 or None) of all objects of a series."""
        base, prefix = series.place.rsplit("/", 2)[0], series.place.rsplit("/", 2)[1] + "/"
        objects: dict[str, tuple[str, int, str | None]] = {}
        token: str | None = None
        while True:
            asked = {"list-type": "2", "prefix": prefix} | ({"continuation-token": token} if token else {})
            answer = requested(self.http, "GET", f"{base}/", self.patience, params=asked)
            try:
                root = ElementTree.fromstring(answer.content)
            except ElementTree.ParseError:
                raise DownloadError(
                    "the answer is no list of objects", where=series.place,
                    repair="Is a proxy or a login page in between? Run the command again",
                ) from None  # fmt: skip
            for entry in root.iterfind("{*}Contents"):
                key, size = entry.findtext("{*}Key") or "", entry.findtext("{*}Size") or ""
                tag = (entry.findtext("{*}ETag") or "").strip('"')
                if not key.startswith(prefix) or not size.isdecimal():
                    raise DownloadError(f"an object '{key}' of {size} bytes", where=series.place)
                name = safe_name(key.removeprefix(prefix), series.place)
                objects[name] = (key, int(size), tag if MD5.fullmatch(tag) else None)
            token = root.findtext("{*}NextContinuationToken")
            if root.findtext("{*}IsTruncated") != "true" or not token:
                break
        if len(objects) != series.n_files:
            raise DownloadError(
                f"the bucket has {len(objects):,} objects; the index says {series.n_files:,}", where=series.place,
                repair="Install the index of today: pip install -U idc-index-data",
            )  # fmt: skip
        return objects
