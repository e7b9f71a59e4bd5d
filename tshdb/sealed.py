"""Files that this user's program made of a study before, and takes again where nothing has changed.

They lie in the study, where a withdrawal takes them, each sealed with a key of this user's that lies outside: a study which
somebody else sent brings nothing that this program did not make here.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

from tshdb.files import complete
from tshdb.places import files_below, user_data

UNUSED = 30 * 24 * 3600.0  # seconds after which a file that nobody took is removed
SEAL = 32  # bytes before the content


class Sealed:
    """A folder of such files. Where it, or the user's own folder, cannot be written, nothing is kept."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._key = _key()

    def keep(self, name: str, content: bytes) -> None:
        """Keep a content by this name."""
        if self._key is not None:
            with suppress(OSError):
                self.folder.mkdir(parents=True, exist_ok=True)
                with complete(self.folder / name) as written:
                    written.write_bytes(self._seal(name, content) + content)

    def take(self, name: str) -> bytes | None:
        """What was kept by this name, which is noted to be in use; None where it is not there, or not as it was written."""
        path = self.folder / name
        if self._key is None or path.is_symlink() or not path.is_file():
            return None
        try:
            content = path.read_bytes()
        except OSError:
            return None
        seal, content = content[:SEAL], content[SEAL:]
        if not hmac.compare_digest(self._seal(name, content), seal):
            return None
        with suppress(OSError):
            os.utime(path)
        return content

    def forget_unused(self) -> None:
        """Remove what nobody took for a month."""
        for path in files_below(self.folder, is_deep=False):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > UNUSED:
                    path.unlink()

    def _seal(self, name: str, content: bytes) -> bytes:
        return hmac.digest(self._key or b"", name.encode() + b"\x00" + content, "sha256")


def _key() -> bytes | None:
    """This user's key, made at its first use; None where the user has no folder that can be written."""
    try:
        path = user_data() / "drawings.key"
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(32))
        key = path.read_bytes()
    except (OSError, RuntimeError):
        return None
    return key if len(key) == 32 else None
