"""The pages of the manual: docs/ of the repository and its glossary, which an installed program has in a folder of its own."""

from __future__ import annotations

from pathlib import Path

from tshdb.errors import NotFound
from tshdb.near import did_you_mean

HERE = Path(__file__).parent
GLOSSARY = "GLOSSARY"  # the page of words, which lies beside docs/ in the repository


def pages() -> dict[str, Path]:
    """name -> the page's file (Markdown), by name. Raises NotFound where the manual is not installed."""
    for folder in (HERE / "docs", HERE.parent / "docs"):  # of a wheel; of the repository
        page_of_name = {path.stem: path for path in folder.glob("*.md")}
        if page_of_name:
            beside = folder.parent / f"{GLOSSARY}.md"
            if beside.is_file():
                page_of_name.setdefault(GLOSSARY, beside)
            return dict(sorted(page_of_name.items(), key=lambda each: each[0].lower()))
    raise NotFound(
        "the manual is not there",
        where=str(HERE / "docs"),
        repair="Install the package again: pip install --force-reinstall --no-deps tshdb",
    )


def page(name: str) -> Path:
    """The file of one page, whose name may be written large or small. Raises NotFound."""
    known = pages()
    name = next((each for each in known if each.lower() == name.lower()), name)
    if name not in known:
        raise NotFound(f"no page '{name}'", repair=did_you_mean(name, known, f"Pages: {', '.join(known)}"))
    return known[name]


def title_of(path: Path) -> str:
    """The first heading of a page."""
    with path.open(encoding="utf-8") as file:
        return next((line.lstrip("# ").strip() for line in file if line.startswith("# ")), path.stem)
