"""A drawing in the text of a page: its ids are its own, its style harms no other, and nothing in it can run or fetch."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

from markupsafe import Markup

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
IMAGE = f"{{{SVG}}}image"
DRAWS = {
    "svg", "g", "path", "use", "defs", "clipPath", "text", "tspan", "rect", "image", "line", "polyline", "polygon", "circle",
    "ellipse", "style", "title", "marker", "linearGradient", "stop", "pattern",
}  # fmt: skip
REFERS = re.compile(r"url\(#([^)]+)\)")
ASKS = re.compile(r"^\s*(?!data:image/(?:png|jpeg);base64,)\S", re.IGNORECASE)


def has_pixels(data: bytes) -> bool:
    """Whether there are pictures in a drawing, such as a slice of an examination."""
    return b"image" in data and any(element.tag == IMAGE for element in ElementTree.fromstring(data).iter())


def inline_svg(
    data: bytes, prefix: str, alt: str, said: Callable[[str], str] = str, with_pixels: bool = True
) -> Markup:
    """The `<svg>` element of a drawing, to stand in a page.

    prefix: of its ids, another one for each drawing of a page. alt: what it shows, for who cannot see it. said: its texts as they
    may stand on the page. with_pixels: else pictures in it are left out. Elements and attributes that draw nothing (scripts,
    handlers, links) always are.
    """
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(data)
    _drop_what_draws_nothing(root, DRAWS if with_pixels else DRAWS - {"image"})
    style = "".join(_styles(root))
    for element in root.iter():
        _rename(element, prefix)
        if element.text and element.text.strip():
            element.text = said(element.text)
    width, height = root.get("width", ""), root.get("height", "")
    root.attrib.pop("width", None)
    root.attrib.pop("height", None)
    root.set("role", "img")
    root.set("aria-label", alt)
    root.set("style", f"max-width:{_pixels(width)}px;{style}")
    if root.get("viewBox") is None:
        root.set("viewBox", f"0 0 {width.rstrip('pt')} {height.rstrip('pt')}")
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _drop_what_draws_nothing(element: ElementTree.Element, kept: set[str]) -> None:
    for child in list(element):
        if not isinstance(child.tag, str) or child.tag.removeprefix(f"{{{SVG}}}") not in kept:
            element.remove(child)
        else:
            _drop_what_draws_nothing(child, kept)


def _styles(root: ElementTree.Element):
    """The declarations of `*{…}` of the drawing's style sheet, which go to its root; the sheet itself goes."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{SVG}}}style":
                yield from re.findall(r"\*\s*\{([^{}]*)\}", child.text or "")
                parent.remove(child)


def _rename(element: ElementTree.Element, prefix: str) -> None:
    for name, value in list(element.attrib.items()):
        local = name.rpartition("}")[2]
        if local.lower().startswith("on"):
            del element.attrib[name]
        elif local == "id":
            element.set(name, f"{prefix}-{value}")
        elif local == "href":
            if value.startswith("#"):
                element.set(name, f"#{prefix}-{value[1:]}")
            elif ASKS.match(value):
                del element.attrib[name]
        elif "url(" in value:
            element.set(name, REFERS.sub(lambda m: f"url(#{prefix}-{m[1]})", value))
            if "url(" in REFERS.sub("", value):  # of another file
                del element.attrib[name]


def _pixels(length: str) -> int:
    """A length in points as pixels of CSS."""
    return round(float(length.removesuffix("pt") or 600) * 96 / 72)
