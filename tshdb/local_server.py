"""The guard of every server that the program starts on this machine for its user's browser: the one module that opens a port.

Another page in the same browser can send requests to 127.0.0.1, also by a name of its own that leads here (DNS rebinding), and
other users of the machine can as well. So a request must name this very address, and bring the token that was printed to
who began the server. Answers say that nothing else may be loaded into their pages, nor they into other pages. A server ends
with its parent, however that went, and takes its folder with it.
"""

from __future__ import annotations

import hmac
import os
import secrets
import shutil
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from tshdb.errors import ResourceError

ADDRESS = "127.0.0.1"
TOKEN = "token"
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()), (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"), (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"), (b"cache-control", b"no-store"),
)  # fmt: skip
Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]


def new_token() -> str:
    """What only the one who began the server knows."""
    return secrets.token_urlsafe(24)


def bound(port: int) -> socket.socket:
    """A socket at this machine's own address; port 0: any that is free. Raises ResourceError where it is taken."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((ADDRESS, port))
    except OSError as error:
        server.close()
        raise ResourceError(
            f"it cannot be used ({error.strerror})",
            where=f"port {port}",
            repair="Name another one (--port 0: any that is free)",
        ) from None
    server.set_inheritable(True)
    return server


def address_of(server: socket.socket, token: str) -> str:
    """Where the browser begins."""
    return f"http://{ADDRESS}:{server.getsockname()[1]}/?{TOKEN}={token}"


def end_with_parent(folder: Path) -> None:
    """End this process, and remove the folder, as soon as the parent is gone, who holds the other end of our stdin."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    threading.Thread(target=wait, name="end with the parent", daemon=True).start()


def guarded(app: App, port: int, token: str) -> App:
    """The application for those alone who come to this very address with the token, or with the cookie that it gave them."""
    hosts = {f"{name}:{port}".encode() for name in (ADDRESS, "localhost")}
    cookie = f"tshdb_{port}"

    async def guard(scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        if headers.get(b"host") not in hosts:
            await _answer(send, 421, "This server answers to its own address alone.")
            return
        given = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        if TOKEN in given and _same(given[TOKEN], token):
            rest = urlencode([(k, v) for k, v in parse_qsl(scope["query_string"].decode("latin-1")) if k != TOKEN])
            where = quote("/" + scope["path"].lstrip("/")) + (f"?{rest}" if rest else "")
            made = f"{cookie}={token}; Path=/; HttpOnly; SameSite=Strict"
            await _answer(send, 303, "", (b"location", where.encode()), (b"set-cookie", made.encode()))
            return
        if not _same(_cookie(headers.get(b"cookie", b""), cookie), token):
            await _answer(send, 403, "Open the address that the program printed: it has the token that is needed here.")
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in HEADERS}
                message["headers"] = [*(h for h in message.get("headers", ()) if h[0].lower() not in own), *HEADERS]
            await send(message)

        await app(scope, receive, with_headers)

    return guard


def serve(app: App, server: socket.socket, token: str) -> None:
    """Serve until the process is ended."""
    import uvicorn

    port = server.getsockname()[1]
    config = uvicorn.Config(
        guarded(app, port, token), log_level="critical", lifespan="on", server_header=False, ws="none"
    )
    try:
        uvicorn.Server(config).run(sockets=[server])
    except KeyboardInterrupt:
        sys.exit(130)


def _cookie(header: bytes, name: str) -> str:
    try:
        found = SimpleCookie(header.decode("latin-1")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


async def _answer(send: Send, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
    plain = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": status, "headers": [plain, *HEADERS, *headers]})
    await send({"type": "http.response.body", "body": text.encode()})
