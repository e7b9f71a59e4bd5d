"""The GDC's API: what a project has, and its files in a folder of the GDC client's layout.

Endpoints  /status, /files, /cases, /annotations (searches: POST of JSON, paged by from and size, sorted so that pages are
           stable), /data/<file_id>. Source: GDC API User's Guide (NCI-GDC/gdc-docs).
Folder     status.json, files.json, cases.json, annotations.json, and <file_id>/<file_name>. While the release is the one
           of status.json, the answers are not asked for again; files that are there already are never fetched again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ingest.download import DownloadError, Patience, Wanted, client, fetched, requested, safe_name
from tshdb.errors import TshdbError
from tshdb.places import without_link

URL = "https://api.gdc.cancer.gov"
PAGE = 500
RESTARTS = 3
FILE_FIELDS = (
    "file_id", "file_name", "md5sum", "file_size", "state", "updated_datetime", "data_category", "data_type",
    "data_format", "analysis.workflow_type", "cases.case_id", "cases.submitter_id",
    "associated_entities.entity_submitter_id", "associated_entities.entity_id", "associated_entities.entity_type",
    "associated_entities.case_id", "cases.samples.submitter_id", "cases.samples.sample_id", "cases.samples.sample_type",
    "cases.samples.tissue_type", "cases.samples.preservation_method",
)  # fmt: skip
CASE_EXPAND = (
    "diagnoses", "demographic", "exposures", "family_histories", "follow_ups", "follow_ups.molecular_tests",
    "follow_ups.other_clinical_attributes", "samples",
)  # fmt: skip
BIOTAB_NAMES = ("clinical_patient_", "clinical_follow_up_")


@dataclass
class GdcPlan:
    """What there is to fetch. missing: files that are not in the folder; n_present: those that are."""

    folder: Path
    release: str
    is_new_release: bool
    missing: list[Wanted] = field(default_factory=list)
    n_present: int = 0

    @property
    def n_bytes(self) -> int:
        return sum(w.size or 0 for w in self.missing)


class Gdc:
    """The API at `url`, with its files going to `folder`."""

    def __init__(
        self, folder: Path, url: str = URL, patience: Patience | None = None, http: httpx.Client | None = None
    ):
        self.folder, self.url = folder, url.rstrip("/")
        self.patience = patience or Patience()
        self.http = http or client(self.patience)

    def close(self) -> None:
        self.http.close()

    def status(self) -> dict[str, Any]:
        """The API's own words on its state. Raises DownloadError without a network."""
        answer = self._json("GET", "/status")
        if not isinstance(answer, dict) or "status" not in answer:
            raise DownloadError("this is no GDC API", where=f"{self.url}/status", repair="Correct --gdc-url")
        return answer

    def plan(self, project: str, parts: frozenset[str]) -> GdcPlan:
        """Ask what there is, and compare with the folder. Writes the answers, but no file of the project."""
        status = self.status()
        release = str(status.get("data_release") or f"API {status.get('tag') or status.get('version')}")
        known = self._kept("status.json")
        is_new = known is None or release != str(
            known.get("data_release") or f"API {known.get('tag') or known.get('version')}"
        )
        plan = GdcPlan(self.folder, release, is_new)
        answers: dict[str, list[dict]] = {}
        for name, ask in (
            ("files.json", lambda: self.hits("/files", _rna_filter(project), fields=FILE_FIELDS, sort="file_id:asc")),
            ("clinical_files.json", lambda: self._biotabs(project)),
            ("cases.json", lambda: self.hits("/cases", _case_filter(project), expand=CASE_EXPAND, sort="case_id:asc")),
            ("annotations.json", lambda: self.hits("/annotations", _notice_filter(project), sort="annotation_id:asc")),
        ):
            kept = None if is_new else self._kept(name)
            answers[name] = kept if isinstance(kept, list) else ask()
            if kept is None:
                self._keep(name, answers[name])
        self._keep("status.json", status)  # last: until then the answers may be of another release
        wanted = (answers["files.json"] if "rna" in parts else []) + (
            answers["clinical_files.json"] if "clinical" in parts else []
        )
        for hit in wanted:
            file = self._wanted(hit)
            if file.path.is_file() and (file.size is None or file.path.stat().st_size == file.size):
                plan.n_present += 1
            else:
                plan.missing.append(file)
        return plan

    def fetch(
        self, plan: GdcPlan, jobs: int, arrived: Callable[[Wanted, int], None], done: Callable[[Wanted], None]
    ) -> list[tuple[Wanted, TshdbError]]:
        """Fetch what is missing. Gives the files that could not be had, with the reason."""
        failed = []
        for wanted, error in fetched(plan.missing, self.http, jobs=jobs, patience=self.patience, arrived=arrived):
            if error is not None:
                failed.append((wanted, error))
            done(wanted)
        return failed

    def hits(self, endpoint: str, filters: dict, *, fields=(), expand=(), sort: str) -> list[dict]:
        """All hits of a search, page by page; begun anew when the total moves between pages."""
        for _ in range(RESTARTS):
            hits: list[dict] = []
            total = None
            while total is None or len(hits) < total:
                body = {"filters": filters, "sort": sort, "size": PAGE, "from": len(hits), "format": "JSON"}
                if fields:
                    body["fields"] = ",".join(fields)
                if expand:
                    body["expand"] = ",".join(expand)
                data = self._json("POST", endpoint, json=body).get("data") or {}
                page, pagination = data.get("hits"), data.get("pagination") or {}
                if not isinstance(page, list) or "total" not in pagination:
                    raise DownloadError("an answer without hits or pagination", where=self.url + endpoint)
                if total is not None and pagination["total"] != total:
                    break
                total = pagination["total"]
                if not page and len(hits) < total:
                    raise DownloadError(
                        f"{len(hits)} of {total} hits came, then an empty page", where=self.url + endpoint,
                        repair="Run the command again",
                    )  # fmt: skip
                hits += page
            else:
                return hits
        raise DownloadError("the total changes from page to page", where=self.url + endpoint, repair="Try again later")

    def _biotabs(self, project: str) -> list[dict]:
        hits = self.hits("/files", _biotab_filter(project), fields=FILE_FIELDS, sort="file_id:asc")
        return [h for h in hits if any(name in h.get("file_name", "") for name in BIOTAB_NAMES)]

    def _wanted(self, hit: dict) -> Wanted:
        where = f"{self.url}/files"
        file_id, name = safe_name(str(hit["file_id"]), where), safe_name(str(hit["file_name"]), where)
        return Wanted(
            f"{self.url}/data/{file_id}", self.folder / file_id / name, hit.get("file_size"), hit.get("md5sum")
        )

    def _json(self, method: str, endpoint: str, **options) -> Any:
        response = requested(self.http, method, self.url + endpoint, self.patience, **options)
        try:
            return response.json()
        except ValueError:
            raise DownloadError(
                "the answer is no JSON", where=self.url + endpoint, repair="Is a proxy or a login page in between?"
            ) from None

    def _kept(self, name: str) -> Any:
        path = self.folder / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _keep(self, name: str, value: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return
        written = without_link(path.with_name(f".{name}.writing"))
        with written.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(written, path)


def _in(field_: str, *values: str) -> dict:
    return {"op": "in", "content": {"field": field_, "value": list(values)}}


def _rna_filter(project: str) -> dict:
    return {
        "op": "and",
        "content": [
            _in("cases.project.project_id", project),
            _in("data_category", "Transcriptome Profiling"),
            _in("data_type", "Gene Expression Quantification"),
            _in("experimental_strategy", "RNA-Seq"),
            _in("analysis.workflow_type", "STAR - Counts"),
            _in("access", "open"),
        ],
    }


def _biotab_filter(project: str) -> dict:
    return {
        "op": "and",
        "content": [
            _in("cases.project.project_id", project),
            _in("data_category", "Clinical"),
            _in("data_format", "BCR Biotab"),
            _in("access", "open"),
        ],
    }


def _case_filter(project: str) -> dict:
    return _in("project.project_id", project)


def _notice_filter(project: str) -> dict:
    return _in("project.project_id", project)
