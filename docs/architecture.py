"""Draws docs/architecture.svg from the arrows and layers that docs/architecture.md lists. `make docs` runs it."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
PLACES = {"cli": (390, 20), "ingest": (90, 130), "analyses": (390, 130), "migrations": (690, 130)}  # left, top
WIDTH, HEIGHT = 180, 50  # of a package
CORE = (40, 250, 880)  # left, top, width
LANE = 46  # height of a layer
LETTERS = 100  # in a line of a layer
SAYS = {
    "cli": "the command line",
    "ingest": "files → rows",
    "analyses": "tables → tables",
    "migrations": "the database's history",
}


def arrows(text: str) -> list[tuple[str, str]]:
    """(who imports, who is imported) of the packages, as they are listed."""
    return [(a, b) for a, b in re.findall(r"^(\w+) -> (\w+)$", _block(text, "arrows"), re.M)]


def layers(text: str) -> dict[str, list[str]]:
    """layer -> the parts of the core in it, the highest first."""
    lines = (line.partition(":") for line in _block(text, "layers").splitlines())
    return {name.strip(): [part.strip() for part in parts.split(",")] for name, _, parts in lines}


def _block(text: str, kind: str) -> str:
    return text.split(f"```{kind}\n", 1)[1].split("\n```", 1)[0]


def drawn(text: str) -> str:
    """The picture as SVG."""
    left, top, width = CORE
    height = 44 + LANE * len(layers(text)) + 6
    foot = top + height + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {foot}" font-family="sans-serif" font-size="14">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>',
        f'<rect width="960" height="{foot}" fill="#fff"/>',
        *(_arrow(a, b) for a, b in arrows(text)),
        *(_package(name) for name in PLACES),
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="8" fill="#eef3f8" stroke="#356"/>',
        f'<text x="{left + 16}" y="{top + 28}" font-weight="bold">tshdb</text>',
        f'<text x="{left + 74}" y="{top + 28}">the core: each line may import from its own and from those below it</text>',
    ]
    for i, (name, modules) in enumerate(layers(text).items()):
        y = top + 44 + i * LANE
        parts.append(
            f'<rect x="{left + 12}" y="{y}" width="{width - 24}" height="{LANE - 6}" rx="4" fill="#fff" stroke="#9ab"/>'
        )
        parts.append(f'<text x="{left + 24}" y="{y + 25}" font-weight="bold">{escape(name)}</text>')
        for j, line in enumerate(lines := _lines(modules)):
            at = y + 25 + (j - (len(lines) - 1) / 2) * 16
            parts.append(f'<text x="{left + 150}" y="{at:g}" font-size="12.5" fill="#333">{escape(line)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _lines(modules: list[str]) -> list[str]:
    lines = [""]
    for name in modules:
        if lines[-1] and len(lines[-1]) + len(name) + 2 > LETTERS:
            lines.append("")
        lines[-1] += f"{', ' if lines[-1] else ''}{name}"
    return lines


def _package(name: str) -> str:
    x, y = PLACES[name]
    return (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#fff7e8" stroke="#a73"/>'
        f'<text x="{x + WIDTH / 2}" y="{y + 21}" text-anchor="middle" font-weight="bold">{name}</text>'
        f'<text x="{x + WIDTH / 2}" y="{y + 39}" text-anchor="middle" font-size="12">{escape(SAYS[name])}</text>'
    )


def _arrow(importer: str, imported: str) -> str:
    x, y = PLACES[importer]
    start = (x + WIDTH / 2, y + HEIGHT)
    if imported in PLACES:
        end = (PLACES[imported][0] + WIDTH / 2, PLACES[imported][1])
    else:
        end = (start[0], CORE[1])
    if importer == "cli" and imported not in PLACES:  # past the packages between
        start, end = (x + WIDTH - 20, y + HEIGHT), (x + WIDTH + 60, CORE[1])
    return (
        f'<line x1="{start[0]:g}" y1="{start[1]:g}" x2="{end[0]:g}" y2="{end[1] - 2:g}" '
        'stroke="#555" stroke-width="1.5" marker-end="url(#tip)"/>'
    )


def main() -> None:
    text = (HERE / "architecture.md").read_text(encoding="utf-8")
    (HERE / "architecture.svg").write_text(drawn(text), encoding="utf-8")


if __name__ == "__main__":
    main()
