"""Fetch files so that a final name never holds anything but verified bytes.

A file arrives under its name with .partial, is resumed by Range where a connection breaks, and is compared by size and
MD5 before it is synced and renamed. What the archive sends that is not the file (another length, a web page, other
bytes) is never kept. HTTPS is never left by a redirect. Proxies are those of the environment (HTTPS_PROXY, NO_PROXY).
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from tshdb.errors import ResourceError, TshdbError
from tshdb.places import without_link

ATTEMPTS = 6
WAIT_SECONDS = 1.0
LONGEST_WAIT = 60.0
TIMEOUT = httpx.Timeout(30.0, read=60.0)
SLOWEST_BYTES = 2_000  # a connection that brings less over SLOW_SECONDS is given up and made anew
SLOW_SECONDS = 60.0
REDIRECTS = 5


class DownloadError(ResourceError):
    """A file or an answer could not be had. Running the command again goes on where it stopped."""


@dataclass(frozen=True)
class Wanted:
    """One file: where it is, where it goes, and what it must be. md5 and size as the archive publishes them."""

    url: str
    path: Path
    size: int | None = None
    md5: str | None = None


@dataclass
class Patience:
    """How often and how long to try; tests have less of it."""

    attempts: int = ATTEMPTS
    wait: float = WAIT_SECONDS
    longest: float = LONGEST_WAIT
    slow_seconds: float = SLOW_SECONDS
    timeout: httpx.Timeout = field(default_factory=lambda: TIMEOUT)

    def pause(self, attempt: int, asked: float | None = None) -> None:
        """Wait before the next attempt: as long as the server asks, within reason, else twice as long every time."""
        time.sleep(min(self.longest, asked if asked is not None else self.wait * 2**attempt))


def client(patience: Patience | None = None, verify: Any = True) -> httpx.Client:
    """A client that follows no redirect by itself."""
    patience = patience or Patience()
    return httpx.Client(timeout=patience.timeout, follow_redirects=False, verify=verify)


def requested(http: httpx.Client, method: str, url: str, patience: Patience, **options) -> httpx.Response:
    """The whole answer to a request, tried again where that may help. Raises DownloadError."""
    problem = ""
    for attempt in range(patience.attempts):
        try:
            response = _following(http, method, url, stream=False, **options)
            if response.status_code == 200:
                return response
            problem = f"HTTP {response.status_code}"
            if not _may_pass(response):
                break
            patience.pause(attempt, _retry_after(response))
        except httpx.TransportError as error:
            problem = _named(error)
            if _is_final(error) or (attempt and isinstance(error, httpx.ConnectError)):
                break  # who cannot be reached twice is not there
            patience.pause(attempt)
    raise DownloadError(
        f"no answer ({problem})", where=url, repair="Is the network there? Else name a folder of its files with --from"
    )


def _following(http: httpx.Client, method: str, url: str, *, stream: bool, **options) -> httpx.Response:
    """Send, following redirects that stay on the scheme. Raises DownloadError for one that does not."""
    for _ in range(REDIRECTS):
        response = http.send(http.build_request(method, url, **options), stream=stream)
        if response.status_code not in (301, 302, 303, 307, 308):
            return response
        target = urljoin(url, response.headers.get("location", ""))
        response.close()
        if urlsplit(target).scheme != urlsplit(url).scheme or not urlsplit(target).netloc:
            raise DownloadError(f"the server redirects to {target}", where=url, repair="Refused: it is another scheme")
        if response.status_code == 303:
            method, options = "GET", {k: v for k, v in options.items() if k == "headers"}
        url = target
    raise DownloadError("too many redirects", where=url)


def _may_pass(response: httpx.Response) -> bool:
    return response.status_code in (408, 425, 429) or response.status_code >= 500


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else None


def _is_final(error: httpx.TransportError) -> bool:
    """A certificate that is not trusted will not be trusted in a second."""
    return "CERTIFICATE" in str(error).upper() or isinstance(error, httpx.UnsupportedProtocol)


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def fetched(
    wanted: Iterable[Wanted],
    http: httpx.Client,
    *,
    jobs: int = 4,
    patience: Patience | None = None,
    arrived: Callable[[Wanted, int], None] = lambda wanted, size: None,
) -> Iterator[tuple[Wanted, TshdbError | None]]:
    """Fetch all, several at a time; gives each with its error, or None. A failing file does not stop the others."""
    patience = patience or Patience()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        running = {pool.submit(fetch, each, http, patience, arrived): each for each in wanted}
        try:
            for future in as_completed(running):
                error = future.exception()
                if error is not None and not isinstance(error, TshdbError):
                    raise error
                yield running[future], error
        finally:
            for future in running:
                future.cancel()


def fetch(wanted: Wanted, http: httpx.Client, patience: Patience, arrived: Callable[[Wanted, int], None]) -> None:
    """Fetch one file. Raises DownloadError; then its final name does not exist, and what came is kept as .partial."""
    partial = without_link(wanted.path.with_name(wanted.path.name + ".partial"))
    problem = ""
    for attempt in range(patience.attempts):
        try:
            wanted.path.parent.mkdir(parents=True, exist_ok=True)
            problem, asked = _attempt(wanted, partial, http, patience, arrived)
        except httpx.TransportError as error:
            problem, asked = _named(error), None
            if _is_final(error):
                break
        except OSError as error:
            raise ResourceError(
                f"cannot write ({error.strerror})", where=str(partial), repair="Free some space"
            ) from error
        if not problem:
            problem = _wrong(wanted, partial)
            if not problem:
                _finish(partial, wanted.path)
                return
            partial.unlink(missing_ok=True)  # whole, but not the file: begin anew
        if asked is not None and asked < 0:
            break
        if attempt + 1 < patience.attempts:
            patience.pause(attempt, asked)
    raise DownloadError(problem, where=wanted.url, repair="Run the command again; what has arrived is kept")


def _attempt(wanted, partial: Path, http, patience: Patience, arrived) -> tuple[str, float | None]:
    """One request. ("", None) when the body came to its end, else (problem, seconds to wait; -1: do not try again)."""
    start = partial.stat().st_size if partial.exists() and wanted.md5 is not None else 0
    if wanted.size is not None and start >= wanted.size:
        if start == wanted.size:
            return "", None
        start = 0
    headers = {"Range": f"bytes={start}-", "Accept-Encoding": "identity"} if start else {"Accept-Encoding": "identity"}
    response = _following(http, "GET", wanted.url, stream=True, headers=headers)
    try:
        if response.status_code == 416:
            partial.unlink(missing_ok=True)
            return "the server has less than what arrived", None
        if response.status_code not in (200, 206):
            return f"HTTP {response.status_code}", _retry_after(response) if _may_pass(response) else -1.0
        if response.headers.get("content-type", "").startswith("text/html"):
            return "the server sent a web page instead of the file", None
        if response.status_code == 206 and not response.headers.get("content-range", "").startswith(f"bytes {start}-"):
            partial.unlink(missing_ok=True)
            return f"the server sent another range ({response.headers.get('content-range')})", None
        if response.status_code == 200:
            start = 0
        return _write_body(wanted, partial, response, start, patience, arrived), None
    finally:
        response.close()


def _write_body(wanted, partial: Path, response, start: int, patience: Patience, arrived) -> str:
    since, seen = time.monotonic(), 0
    with partial.open("ab" if start else "wb") as file:
        size = start
        for block in response.iter_raw():
            file.write(block)
            size += len(block)
            arrived(wanted, len(block))
            seen += len(block)
            if wanted.size is not None and size > wanted.size:
                return f"the server sends more than the {wanted.size:,} bytes that were announced"
            if time.monotonic() - since > patience.slow_seconds:
                if seen < SLOWEST_BYTES:
                    return f"only {seen} bytes came in {patience.slow_seconds:.0f} s"
                since, seen = time.monotonic(), 0
        file.flush()
        os.fsync(file.fileno())
    if wanted.size is not None and size < wanted.size:
        return f"{size:,} of {wanted.size:,} bytes came"
    return ""


def is_here(wanted: Wanted) -> bool:
    """Whether the file is there, with the size and the bytes that the archive says."""
    return wanted.path.is_file() and not _wrong(wanted, wanted.path)


def _wrong(wanted: Wanted, partial: Path) -> str:
    """What is wrong with a file that came as a whole, or nothing."""
    size = partial.stat().st_size if partial.exists() else 0
    if size == 0 and wanted.size != 0:
        return "an empty file came"
    if wanted.size is not None and size != wanted.size:
        return f"{size:,} bytes came; the archive says {wanted.size:,}"
    if wanted.md5 is not None:
        with partial.open("rb") as file:
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if md5 != wanted.md5:
            return f"md5 {md5}; the archive says {wanted.md5}"
    return ""


def _finish(partial: Path, path: Path) -> None:
    os.replace(partial, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def safe_name(text: str, where: str) -> str:
    """A name that an archive gives, as one part of a path. Raises DownloadError for anything that leads elsewhere."""
    is_plain = text and text not in (".", "..") and len(text) <= 200 and not any(c in text for c in "/\\:\0~")
    if not is_plain or any(ord(c) < 32 for c in text):
        raise DownloadError(f"'{text!r}' is no file name", where=where, repair="Nothing was written")
    return text
