"""Answers of the GDC's API: lists of hits, and a case as rows of the portal's dotted table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tshdb.errors import InvalidInput
from tshdb.head import Head

LOOKED_AT = 50  # hits by which an answer is recognised


def hits_of(path: Path) -> list[dict[str, Any]]:
    """The hits of an answer of the GDC's API, or of a list of them. Raises InvalidInput for anything else."""
    try:
        answer = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InvalidInput(f"not JSON ({error})", where=str(path), repair="Fetch it again") from None
    hits = _hits_in(answer)
    if hits is None:
        raise InvalidInput("no list of hits", where=str(path), repair="Expected an answer of the GDC's API")
    return hits


def hits_in(head: Head) -> list[dict[str, Any]] | None:
    """The hits of an answer; None for a file that is none."""
    return _hits_in(head.json)


def keys_of(head: Head) -> set[str]:
    """The fields of the first hits; none of a file that is no answer."""
    return {key for hit in (hits_in(head) or ())[:LOOKED_AT] for key in hit}


def _hits_in(answer: Any) -> list[dict[str, Any]] | None:
    if isinstance(answer, dict):
        answer = (answer.get("data") or {}).get("hits") if isinstance(answer.get("data"), dict) else None
    is_list = isinstance(answer, list) and all(isinstance(hit, dict) for hit in answer)
    return answer if is_list else None


def project_in(hit: dict[str, Any]) -> dict[str, str]:
    """The project of a case, as `project`; nothing where it is not said."""
    project = hit.get("project")
    name = project.get("project_id") if isinstance(project, dict) else hit.get("project_id")
    return {"project": name} if isinstance(name, str) else {}


def flattened(hit: dict[str, Any]) -> Iterator[dict[str, str]]:
    """A case of the API as rows of the dotted table: one a diagnosis, and one a follow-up."""
    person = {"cases.submitter_id": hit.get("submitter_id"), "cases.case_id": hit.get("case_id") or hit.get("id")}
    person |= {f"demographic.{k}": v for k, v in (hit.get("demographic") or {}).items()}
    for diagnosis in hit.get("diagnoses") or [{}]:
        yield _texts(person | {f"diagnoses.{k}": v for k, v in diagnosis.items()})
    for follow_up in hit.get("follow_ups") or ():
        of_follow_up = {f"follow_ups.{k}": v for k, v in follow_up.items()}
        nested = [*(follow_up.get("molecular_tests") or ()), *(follow_up.get("other_clinical_attributes") or ())]
        for part in nested or [{}]:
            yield _texts(person | of_follow_up | {f"molecular_tests.{k}": v for k, v in part.items()})


def _texts(values: dict[str, Any]) -> dict[str, str]:
    """Scalars as text; a whole number has no decimals."""
    texts = {}
    for name, value in values.items():
        if value is None or isinstance(value, list | dict):
            continue
        whole = isinstance(value, float) and value.is_integer()
        texts[name] = str(int(value)) if whole else str(value).lower() if isinstance(value, bool) else str(value)
    return texts
