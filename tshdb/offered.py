"""Where a record of an analysis, a reader or a preset comes from."""

from __future__ import annotations

from typing import NamedTuple


class Origin(NamedTuple):
    """The package and its version; or `analyses/` for what lies in a study's folder."""

    name: str
    version: str | None

    def __str__(self) -> str:
        return f"{self.name} {self.version}" if self.version else self.name
