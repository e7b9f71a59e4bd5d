"""Text as a reader sees it: without the marks of XML, HTML and RTF, without escapes; and what a text holds in base64."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator

_XML = (b"<?xml", b"<!doctype", b"<html", b"<svg")
_ENDS_A_PART = re.compile(
    r"</(?:\w+:)?(?:p|si|c|t[dhr]|li|h\d|row|text|title|table-cell|div|cell|is)>|<br */?>", re.IGNORECASE
)
_MARK = re.compile(r"<[^<>]{1,4096}>")
_RTF_LETTER = re.compile(r"\\'([0-9a-fA-F]{2})")
_RTF = re.compile(r"\\[a-zA-Z]+-?\d* ?|[{}\r\n]")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{60,}(?:\\n|[\r\n \"]{0,4})?)+[A-Za-z0-9+/]*={0,2}")


def is_marked_up(first: bytes) -> bool:
    start = first.lstrip(b"\xef\xbb\xbf \t\r\n")[:16].lower()
    return start.startswith((*_XML, b"{\\rtf")) or b"</" in first


def without_marks(text: str) -> str:
    """The letters alone: words that marks cut into pieces are whole again."""
    if text.startswith("{\\rtf"):
        text = _RTF_LETTER.sub(lambda m: chr(int(m[1], 16)), text)
        return _RTF.sub(lambda m: "\n" if m[0].strip() in ("\\par", "\\cell", "\\row", "\\tab", "\\line") else "", text)
    return html.unescape(_MARK.sub("", _ENDS_A_PART.sub("\n", text)))


def unescaped(text: str) -> str:
    r"""With letters for \u00e9, as JSON and Java write them."""
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)), text)


def packed_in_text(text: str) -> Iterator[bytes]:
    """What stands in a text in base64: pictures of pages and notebooks, attachments of letters."""
    if "base64" not in text and "image/" not in text:
        return
    for run in _BASE64.finditer(text):
        letters = re.sub(r"\\n|[^A-Za-z0-9+/]", "", run[0])
        try:
            yield base64.b64decode(letters + "=" * (-len(letters) % 4))
        except binascii.Error:
            continue  # it was none
