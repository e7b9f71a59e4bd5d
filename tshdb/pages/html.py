"""HTML pages: one self-contained file each, in which everything that comes from data is escaped."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from tshdb.files import complete


def rendered(template: str, **values) -> str:
    """A template of templates/ with these values."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tshdb.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def write_page(root: Path, name: str, text: str) -> Path:
    """Write a page into reports/ of the study; it is whole or not there."""
    path = root / "reports" / name
    Page(text).save(path)
    return path


@dataclass(frozen=True)
class Page:
    """A page: one self-contained HTML text."""

    html: str

    def save(self, path: str | Path) -> None:
        """Write the file; it is whole or not there."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with complete(path) as written:
            written.write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{escape(self.html)}" width="100%" height="800"></iframe>'
