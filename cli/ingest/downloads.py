"""What there is to fetch of an archive, told before it is fetched; the fetching; and files that did not arrive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.console import byte_progress, say
from tshdb.archives import Download, size

FAILED_SHOWN = 5


def tell_tables(plan: Download) -> None:
    """The tables and matrices that are new, and their size."""
    news = "a new release" if plan.is_new_release else "the release of last time"
    say(f"GDC {plan.release} ({news}): {plan.n_missing:,} files to fetch, {size(plan.n_bytes)}; "
        f"{plan.n_present:,} are in {plan.folder} already.")  # fmt: skip


def tell_images(plan: Download, is_first_study: bool) -> None:
    """The images that are new, and their size."""
    there = f"; {plan.n_present:,} are in {plan.folder} already" if plan.n_present else ""
    say(f"{plan.release}: {plan.n_missing:,} series of {plan.n_patients:,} patients ({plan.n_studies:,} studies) to "
        f"fetch, {plan.n_files:,} files, {size(plan.n_bytes)}{there}.")  # fmt: skip
    if plan.n_studies > plan.n_patients and not is_first_study:
        say(
            "Only each patient's first study: --first-study. Some patients: --patient ID, or a manifest of TCIA: --manifest."
        )


def facts_of(plan: Download) -> dict[str, Any]:
    """What a dry run says of a download, for a machine."""
    facts: dict[str, Any] = {"release": plan.release}
    if plan.counts == "series":
        facts |= {"series": plan.n_missing}
    facts |= {"files": plan.n_files, "bytes": plan.n_bytes, "present": plan.n_present}
    if plan.counts == "series":
        facts |= {"patients": plan.n_patients, "studies": plan.n_studies}
    return facts | {"folder": str(plan.folder)}


def fetched(plan: Download, jobs: int, is_sure: bool) -> Path:
    """Fetch it, with a bar. Gives the folder."""
    from tshdb.actions import archive

    with _telling_failed(), byte_progress(plan.n_bytes, plan.n_missing, plan.counts) as (arrived, done):
        return archive.fetch(plan, jobs=jobs, is_sure=is_sure, arrived=arrived, done=done)


@contextmanager
def _telling_failed() -> Iterator[None]:
    """Name the first files that could not be fetched, each with its error, before the error that counts them."""
    from tshdb.actions.archive import Unfetched

    try:
        yield
    except Unfetched as error:
        for name, problem in error.failed[:FAILED_SHOWN]:
            say(f"  E download.failed {name}: {problem}")
        if len(error.failed) > FAILED_SHOWN:
            say(f"  … and {len(error.failed) - FAILED_SHOWN} more")
        raise
