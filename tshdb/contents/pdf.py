"""The texts of a PDF: streams are unpacked, and what their operators draw is put together (ISO 32000-1, 7.4 and 9.4).

Not seen, and said: pictures, and text in a font whose codes are its own and that brings no table of their letters.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from typing import IO

from tshdb.contents.look import Look, NotSeen, Piece
from tshdb.contents.plain import raw

_STREAM = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)")
_TEXT_BLOCK = re.compile(rb"\bBT\b(.*?)\bET\b", re.DOTALL)
_SHOWN = re.compile(
    rb"\[((?:[^\[\]()<>]|\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]*>)*)\]\s*TJ"
    rb"|((?:\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]*>))\s*(?:Tj|'|\")",
    re.DOTALL,
)
_STRING = re.compile(rb"\(((?:\\.|[^\\()])*)\)|<([0-9A-Fa-f\s]*)>", re.DOTALL)
_ANY_STRING = re.compile(rb"\(((?:\\.|[^\\()])*)\)|<((?:[0-9A-Fa-f]{2}\s*){6,})>", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_CHARS = re.compile(rb"beginbfchar(.*?)endbfchar", re.DOTALL)
_RANGES = re.compile(rb"beginbfrange(.*?)endbfrange", re.DOTALL)
_PAIR = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_RANGE = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(?:<([0-9A-Fa-f]+)>|\[([^\]]*)\])")
LARGEST = 256 << 20
HEAD = 4096  # bytes before a stream that may be its dictionary
OWN_CODES = (b"/Identity-H", b"/Identity-V", b"/Differences")


def pages(file: IO[bytes], look: Look) -> Iterator[Piece]:
    yield from raw(file, look)
    file.seek(0)
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise NotSeen("a PDF that is larger than is looked into")
    if re.search(rb"/Encrypt\b", data):
        yield look.unseen("a PDF that is locked (encrypted)")
        return
    contents: list[bytes] = []
    has_pictures = False
    for head, body in _streams(data):
        if re.search(rb"/Subtype\s*/Image\b", head):
            has_pictures = True
            continue
        content, is_plain = _unpacked(head, body, look)
        if not is_plain:
            yield look.unseen("a part of a PDF that is packed in a way that is not known")
        contents.append(content)
    for content in (data, *contents):
        strings = (_bytes(m[1], m[2]) for m in _ANY_STRING.finditer(content))
        yield look.text("\n".join(map(_decoded, strings)))
    letters = [table for content in contents if (table := _to_letters(content))]
    for content in contents:
        yield look.text(content.decode("latin-1"), is_binary=True)
        yield from map(look.text, _drawn(content, letters))
    whole = b"\n".join((data, *contents))
    if has_pictures or b"BI\n" in whole and b"\nEI" in whole:
        yield look.unseen("pictures in a PDF, in which nothing is read")
    if any(code in whole for code in OWN_CODES) and not letters:
        yield look.unseen("text of a PDF in a font with codes of its own")


def _streams(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(what stands before a stream, the stream's bytes)."""
    for match in _STREAM.finditer(data):
        head = data[max(0, match.start() - HEAD) : match.start()]
        end = data.find(b"endstream", match.end())
        yield head[head.rfind(b" obj") + 1 :], data[match.end() : end if end >= 0 else len(data)]


def _unpacked(head: bytes, body: bytes, look: Look) -> tuple[bytes, bool]:
    """A stream's bytes through its filters, and whether all of these are known."""
    filters = re.search(rb"/Filter\s*(\[[^\]]*\]|/\w+)", head)
    for name in re.findall(rb"/(\w+)", filters[1]) if filters else ():
        try:
            if name in (b"FlateDecode", b"Fl"):
                unpacker = zlib.decompressobj()
                body = unpacker.decompress(body, LARGEST)
                if unpacker.unconsumed_tail:
                    raise NotSeen("it unpacks to more than is looked into")
                look.budget.take(len(body))
            elif name in (b"ASCII85Decode", b"A85"):
                body = base64.a85decode(body.split(b"~>")[0].strip().removeprefix(b"<~"))
            elif name in (b"ASCIIHexDecode", b"AHx"):
                body = bytes.fromhex(body.split(b">")[0].decode("ascii"))
            else:
                return body, False
        except (zlib.error, ValueError):
            return body, False
    return body, True


def _bytes(plain: bytes | None, hexed: bytes | None) -> bytes:
    if plain is not None:
        return _ESCAPED.sub(_letter, plain)
    digits = re.sub(rb"\s", b"", hexed or b"")
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))


def _letter(match: re.Match[bytes]) -> bytes:
    said = match[1]
    if said[:1].isdigit():
        return bytes([int(said, 8) & 255])
    return b"" if said[:1] in b"\r\n" else _LETTERS.get(said, said)


def _decoded(held: bytes) -> str:
    return held.decode("utf-16", "replace") if held[:2] in (b"\xfe\xff", b"\xff\xfe") else held.decode("latin-1")


def _to_letters(content: bytes) -> dict[bytes, str]:
    """code -> letters, of a font's table of them (ToUnicode)."""
    table: dict[bytes, str] = {}
    for part in _CHARS.findall(content):
        for code, letter in _PAIR.findall(part):
            table[bytes.fromhex(code.decode())] = _utf_16(letter)
    for part in _RANGES.findall(content):
        for low, high, first, several in _RANGE.findall(part):
            codes = range(int(low, 16), min(int(high, 16), int(low, 16) + 65_535) + 1)
            size = len(low) // 2
            if first:
                start = int(first, 16)
                table |= {c.to_bytes(size, "big"): chr(min(start + i, 0x10FFFF)) for i, c in enumerate(codes)}
            else:
                each = re.findall(rb"<([0-9A-Fa-f]+)>", several)
                table |= {c.to_bytes(size, "big"): _utf_16(t) for c, t in zip(codes, each, strict=False)}
    return table


def _utf_16(digits: bytes) -> str:
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()).decode("utf-16-be", "replace")


def _drawn(content: bytes, letters: list[dict[bytes, str]]) -> Iterator[str]:
    """What the operators draw: as Latin letters, and by each font's table; together, an operator a line, a string a line."""
    blocks = [[_strings(m) for m in _SHOWN.finditer(block)] for block in _TEXT_BLOCK.findall(content)]
    if not any(blocks):
        return
    for read in (_decoded, *(_by_table(table) for table in letters)):
        lines = [[list(map(read, strings)) for strings in block] for block in blocks]
        yield "\n".join("".join("".join(line) for line in block) for block in lines)
        yield "\n".join("".join(line) for block in lines for line in block)
        yield "\n".join(text for block in lines for line in block for text in line)


def _strings(shown: re.Match[bytes]) -> list[bytes]:
    return [_bytes(m[1], m[2]) for m in _STRING.finditer(shown[1] if shown[1] is not None else shown[2])]


def _by_table(table: dict[bytes, str]):
    size = max(map(len, table))

    def read(held: bytes) -> str:
        return "".join(table.get(held[i : i + size], "") for i in range(0, len(held), size))

    return read
