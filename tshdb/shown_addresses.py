"""Addresses as they may be shown: passwords, tokens and signatures of a URL are taken out, wherever in a text it stands."""

from __future__ import annotations

import re

# what a secret and its name may be long: without a bound a text of many marks would take its square in time
_USER = re.compile(r"(://)([^\s/?#:@'\"]{0,500}):(?:[^\s'\"]{0,2000})@")
_ALONE = re.compile(r"(https?://)[^\s/?#:@'\"]{16,2000}@")  # a token in the place of the user
_GIVEN = re.compile(
    r"(?i)\b((?:[\w.-]{0,60}(?:password|passwd|passphrase|secret|token|signature|credential|api[_-]?key|access[_-]?key)|pwd|sig|auth)"
    r"\s*=\s*)(?:'[^']*'|\"[^\"]*\"|[^\s&;,'\")]+)"
)
_HEADER = re.compile(
    r"(?i)\b((?:authorization|x-auth-token)['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|basic|token)\s+)?[^\s'\",]+"
)


def without_secrets(text: str) -> str:
    """The text with `***` where an address, a connection string or a header has a secret. A password may hold any
    sign but blanks."""
    if "://" in text:
        text = _ALONE.sub(r"\1***@", _USER.sub(r"\1\2:***@", text))
    if "=" in text or ":" in text:
        text = _HEADER.sub(r"\1***", _GIVEN.sub(r"\1***", text))
    return text
