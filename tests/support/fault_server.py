"""A local server that speaks the archives' APIs with their recorded shapes, and misbehaves on demand.

`faults` maps a path (/data/<id>, /files …) to a list of faults; every request takes the next one, then all is well.
Listens on the loopback interface alone.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.gdc_folder import GdcFolder

FAULTS = (
    "503", "503-twice", "429-retry-after", "cut", "cut-chunked", "flipped-byte", "no-range", "wrong-range", "etag-changed",
    "redirect-file", "redirect-other-scheme", "drip", "stall", "empty", "login-page", "too-long", "reset", "500-page",
)  # fmt: skip


class FaultServer:
    """What all servers share. log: (method, path, Range header) of every request."""

    def __init__(self) -> None:
        self.faults: dict[str, list[str]] = {}
        self.log: list[tuple[str, str, str | None]] = []
        self.lock = threading.Lock()

    def next_fault(self, path: str) -> str | None:
        with self.lock:
            waiting = self.faults.get(path)
            return waiting.pop(0) if waiting else None

    def page(self, path: str) -> tuple[bytes, str] | None:
        """(body, content type) of a list that is asked for by GET; None for what is none."""
        raise NotImplementedError

    def content(self, path: str) -> bytes | None:
        """A file's bytes; None for what is none."""
        raise NotImplementedError


class S3Server(FaultServer):
    """A public bucket. objects: key -> bytes; part: objects a page; has_md5: whether ETags are MD5s."""

    def __init__(self, objects: dict[str, bytes]):
        super().__init__()
        self.objects, self.part, self.has_md5 = objects, 1000, True

    def page(self, path: str) -> tuple[bytes, str] | None:
        asked = parse_qs(urlsplit(path).query)
        if asked.get("list-type") != ["2"]:
            return None
        keys = sorted(k for k in self.objects if k.startswith(asked["prefix"][0]))
        start = int(asked.get("continuation-token", ["0"])[0])
        rows = "".join(
            f"<Contents><Key>{k}</Key><ETag>&quot;{self.tag(k)}&quot;</ETag><Size>{len(self.objects[k])}</Size></Contents>"
            for k in keys[start : start + self.part]
        )
        more = start + self.part < len(keys)
        token = f"<NextContinuationToken>{start + self.part}</NextContinuationToken>" if more else ""
        text = (f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                f"<IsTruncated>{str(more).lower()}</IsTruncated>{rows}{token}</ListBucketResult>")  # fmt: skip
        return text.encode(), "application/xml"

    def tag(self, key: str) -> str:
        md5 = hashlib.md5(self.objects[key], usedforsecurity=False).hexdigest()
        return md5 if self.has_md5 else f"{md5}-3"

    def content(self, path: str) -> bytes | None:
        return self.objects.get(unquote(urlsplit(path).path.lstrip("/")))


class NbiaServer(FaultServer):
    """TCIA's service. rows: of getSeries; zips: series UID -> bytes."""

    def __init__(self, rows: list[dict], zips: dict[str, bytes]):
        super().__init__()
        self.rows, self.zips = rows, zips

    def page(self, path: str) -> tuple[bytes, str] | None:
        if urlsplit(path).path != "/getSeries":
            return None
        name = parse_qs(urlsplit(path).query)["Collection"][0]
        return json.dumps([r for r in self.rows if r["Collection"] == name]).encode(), "application/json"

    def content(self, path: str) -> bytes | None:
        if urlsplit(path).path != "/getImageWithMD5Hash":
            return None
        return self.zips.get(parse_qs(urlsplit(path).query)["SeriesInstanceUID"][0])


class GdcServer(FaultServer):
    """The API over what a GdcFolder holds."""

    def __init__(self, folder: GdcFolder):
        super().__init__()
        folder.seal()
        self.folder = folder
        self.release = "Data Release 45.0 - December 04, 2025"
        self.page_size = 10**6

    def page(self, path: str) -> tuple[bytes, str] | None:
        if path != "/status":
            return None
        return json.dumps(self.folder.status(self.release)).encode(), "application/json"

    def content(self, path: str) -> bytes | None:
        return self.data(path.removeprefix("/data/")) if path.startswith("/data/") else None

    # ---------------------------------------------------------------------------------------------------- answers

    def hits(self, path: str, body: dict) -> list[dict]:
        if path == "/files":
            if "BCR Biotab" in json.dumps(body):
                return []
            return sorted(self.folder.file_hits(), key=lambda h: h["file_id"])
        if path == "/annotations":
            return self.folder.annotations
        return [
            {
                "id": f"uuid-{c.patient_id}",
                "case_id": f"uuid-{c.patient_id}",
                "submitter_id": c.patient_id,
                "demographic": {
                    "vital_status": "Dead" if c.is_dead else "Alive",
                    "days_to_death": c.days if c.is_dead else None,
                    "gender": c.sex,
                    "age_at_index": 60,
                },
                "diagnoses": [{"days_to_last_follow_up": None if c.is_dead else float(c.days), "morphology": "8500/3"}],
            }
            for c in self.folder.cases.values()
        ]

    def data(self, file_id: str) -> bytes | None:
        return next((f.text().encode() for f in self.folder.files if f.file_id == file_id), None)


def _handler(server: FaultServer):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments) -> None:
            pass

        def do_GET(self) -> None:
            self._note()
            fault = server.next_fault(self.path)
            if fault in ("503", "503-twice", "429-retry-after", "500-page"):
                self._fail(fault)
            elif (page := server.page(self.path)) is not None:
                body, kind = (b"<html>log in</html>", "text/html") if fault == "login-page" else page
                self._send(200, body, {"content-type": kind})
            else:
                self._data(server.content(self.path), fault)

        def do_POST(self) -> None:
            self._note()
            body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
            fault = server.next_fault(self.path)
            if fault in ("503", "503-twice", "429-retry-after", "500-page"):
                self._fail(fault)
                return
            hits = server.hits(self.path, body)
            start, size = body.get("from", 0), min(body.get("size", 10), server.page_size)
            page = hits[start : start + size]
            total = len(hits) + (1 if fault == "total-moves" else 0)
            if fault == "empty-page":
                page = []
            pagination = {"count": len(page), "total": total, "size": size, "from": start}
            self._json({"data": {"hits": page, "pagination": pagination}, "warnings": {}})

        def _note(self) -> None:
            with server.lock:
                server.log.append((self.command, self.path, self.headers.get("range")))

        def _fail(self, fault: str) -> None:
            headers = {"retry-after": "0"} if fault == "429-retry-after" else {}
            code = {"429-retry-after": 429, "500-page": 500}.get(fault, 503)
            self._send(code, b"<html>no</html>", headers | {"content-type": "text/html"})

        def _json(self, value) -> None:
            self._send(200, json.dumps(value).encode(), {"content-type": "application/json"})

        def _send(self, code: int, body: bytes, headers: dict | None = None) -> None:
            self.send_response(code)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _data(self, data: bytes | None, fault: str | None) -> None:
            if data is None:
                self._send(404, b"{}")
                return
            asked = self.headers.get("range")
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and fault != "no-range" else 0
            if fault == "redirect-file":
                self._send(302, b"", {"location": "file:///etc/passwd"})
            elif fault == "redirect-other-scheme":
                self._send(302, b"", {"location": f"https://{self.headers['host']}{self.path}"})
            elif fault == "empty":
                self._send(200, b"")
            elif fault == "login-page":
                self._send(200, b"<html>log in</html>", {"content-type": "text/html; charset=utf-8"})
            elif fault == "reset":
                self.close_connection = True
                self.connection.close()
            elif fault == "too-long":
                self._send(200, data + b"more\n" * 1000)
            elif fault == "flipped-byte":
                self._send(200, data[:100] + bytes([data[100] ^ 1]) + data[101:])
            elif fault == "etag-changed":
                self._body(data[: len(data) // 2].replace(b"G", b"C"), len(data), 0, {"etag": '"other"'})
            elif fault == "wrong-range":
                self._body(data[start // 2 :], None, start // 2, {"content-range": f"bytes {start // 2}-9/9"}, code=206)
            elif fault in ("cut", "stall", "drip"):
                self._body(data[start : start + max(1, (len(data) - start) // 3)], len(data) - start, start, {}, fault)
            elif fault == "cut-chunked":
                self.send_response(200)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"40\r\n" + data[:64] + b"\r\n")
                self.close_connection = True
            elif asked and fault != "no-range":
                rest = data[start:]
                self._send(206, rest, {"content-range": f"bytes {start}-{len(data) - 1}/{len(data)}"})
            else:
                self._send(200, data, {"etag": '"one"'})

        def _body(
            self, part: bytes, length: int | None, start: int, headers: dict, fault: str = "cut", code: int = 0
        ) -> None:
            """Announce a length, send a part, and then cut, stall or drip."""
            self.send_response(code or (206 if start else 200))
            if start and "content-range" not in headers:
                self.send_header("content-range", f"bytes {start}-{start + (length or 1) - 1}/{start + (length or 1)}")
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(length if length is not None else len(part)))
            self.end_headers()
            self.wfile.write(part)
            self.wfile.flush()
            if fault == "stall":
                time.sleep(1.5)
            if fault == "drip":
                for _ in range(15):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.1)
            self.close_connection = True

    return Handler


@contextmanager
def running(server: FaultServer, tls=None):
    """The server's URL while it runs. tls: an SSLContext."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    http.daemon_threads = True
    http.handle_error = lambda *arguments: None
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{http.server_address[1]}"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
