"""HTML pages: one self-contained file each, in which everything that comes from data is escaped."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path

from tshdb.files import write_whole
from tshdb.places import REPORTS, made_in
from tshdb.text.controls import clean

SCRIPT = re.compile("<script>(.*?)</script>", re.DOTALL)


def rendered(template: str, **values) -> str:
    """A template of templates/ with these values. The page's policy allows what the template itself holds and nothing else, and
    no control character of a value is in it: what is copied from a page into a terminal is harmless."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tshdb.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, template)
    return clean(environment.get_template(template).render(policy=_policy(source), **values))


def _policy(source: str) -> str:
    """The content security policy: no connection, no frame, no form that leaves, pictures from the page or beside it, and those
    scripts alone that stand in the template, by their digests; nothing that a value brought in is among them."""
    digests = [b64encode(sha256(script.encode()).digest()).decode() for script in SCRIPT.findall(source)]
    scripts = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src 'self' file: data:; "
        "base-uri 'none'; form-action 'none'"
    )


def write_page(root: Path, name: str, text: str) -> Path:
    """Write a page into reports/ of the study; it is whole or not there."""
    path = made_in(root, REPORTS) / name
    Page(text).save(path)
    return path


@dataclass(frozen=True)
class Page:
    """A page: one self-contained HTML text."""

    html: str

    def save(self, path: str | Path, *, is_named: bool = False) -> None:
        """Write the file; it is whole or not there. is_named: by a person, so that a link or a pipe there is written through."""
        write_whole(Path(path), self.html, is_named=is_named)

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{escape(self.html)}" width="100%" height="800"></iframe>'
