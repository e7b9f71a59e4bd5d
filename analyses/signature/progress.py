"""A search's generations on their way to the work folder, and to whoever watches."""

from __future__ import annotations

from tshdb.engine.work import Work


class Noted:
    """A checkpoint of a genetic search that also counts its generations. before, of: where several searches make one work."""

    def __init__(self, work: Work, name: str, generations: int, before: int = 0, of: int = 1):
        self.work, self.name = work, name
        self.begun, self.total = before * (generations + 1), of * (generations + 1)
        self.done = 0

    def load(self) -> bytes | None:
        """The search as it stood after its last generation, or None."""
        content = self.work.load(self.name)
        if content is not None:
            from analyses.signature.genetic import Search

            try:
                self.done = len(Search.from_bytes(content).generations)
            except (ValueError, KeyError, OSError):
                return None  # not whole: begin anew
        return content

    def save(self, content: bytes) -> None:
        self.work.save(self.name, content)
        self.done += 1
        self.work.progress(self.begun + self.done, self.total, "generations")
