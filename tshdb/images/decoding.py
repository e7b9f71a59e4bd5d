"""Which pixels can be decoded here, by how they are encoded: said before anybody needs them.

Uncompressed, deflated and RLE need nothing beside pydicom; the decoders of all others come with the extra `imaging`
(docs/decisions/0023-images-by-frame.md names them and their licences). The decoders of one encoding are asked in a fixed order.
"""

from __future__ import annotations

from functools import cache

from pydicom.pixels import get_decoder
from pydicom.uid import UID

EXTRA = "pip install 'tshdb[imaging]'"
ORDER = ("pyjpegls", "pylibjpeg", "pydicom", "gdcm", "pillow")  # the first that is there decodes; lossless ones agree
LOSSY = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 81, 91, 203))


@cache
def decoder_of(syntax: str) -> str:
    """The plugin that decodes a transfer syntax, none for what is not compressed. Raises ValueError where there is none."""
    uid = UID(syntax)
    if uid.is_private or not uid.is_transfer_syntax:
        raise ValueError(f"{syntax} is an encoding of some maker's own: its pixels cannot be decoded here")
    if not uid.is_compressed or uid.is_deflated:
        return ""
    try:
        decoder = get_decoder(uid)
    except NotImplementedError:
        raise ValueError(f"{named(syntax)} is decoded by nothing that is known") from None
    found = [name for name in ORDER if decoder.is_available and name in decoder.available_plugins]
    if not found:
        raise ValueError(f"{named(syntax)} cannot be decoded here; install what decodes it: {EXTRA}")
    return found[0]


def named(syntax: str) -> str:
    """A transfer syntax by its name and UID."""
    name = UID(syntax).name
    return syntax if name == syntax else f"{name.partition(' (Process')[0]} ({syntax})"
