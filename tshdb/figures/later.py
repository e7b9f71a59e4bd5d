"""A drawing that is not drawn yet: the function that draws it, and the rows that it is given.

What it will show depends on these, on the code of figures and on matplotlib alone. So a digest of them names its bytes, and who
has the bytes of that digest need not draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Unread:
    """An argument that is read when something is drawn: a drawing that is kept needs no image.

    depends_on  all that it depends on, such as the digests of the objects that it is read from
    """

    depends_on: tuple[Any, ...]
    read: Callable[[], Any]


@dataclass(frozen=True)
class Later:
    """A call of a drawing function that is still to be made."""

    draw: Callable[..., Figure]
    arguments: tuple[Any, ...]

    @classmethod
    def of(cls, draw: Callable[..., Figure], *arguments: Any) -> Self:
        """draw: gives a Figure of these arguments: frames, arrays, texts, numbers, the unread, and lists and mappings of them."""
        return cls(draw, arguments)

    def figure(self) -> Figure:
        """Draw it."""
        return self.draw(*_read(self.arguments))

    @property
    def rows(self) -> list[pd.DataFrame]:
        """The tables that are drawn, in the order in which the function takes them."""
        return list(_frames(self.arguments))

    @property
    def digest(self) -> str:
        """SHA-256 of all that the drawing depends on, but for its form and style."""
        found = sha256(f"{code()} {self.draw.__module__}.{self.draw.__qualname__}".encode())
        for part in _parts(self.arguments):
            found.update(b"\x00%d\x00" % len(part) + part)
        return found.hexdigest()


@cache
def code() -> str:
    """SHA-256 of the code that draws: the modules of figures, tables and texts, and the libraries' versions."""
    found = sha256(" ".join(f"{name} {version(name)}" for name in ("matplotlib", "numpy", "pandas")).encode())
    here = Path(__file__).parent
    for folder in (here, here.parent / "tables", here.parent / "text"):
        for path in sorted(folder.glob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()


def _read(value: Any) -> Any:
    """The value with all that was unread in it."""
    if isinstance(value, Unread):
        return value.read()
    if isinstance(value, dict):
        return {key: _read(part) for key, part in value.items()}
    return type(value)(map(_read, value)) if type(value) in (list, tuple) else value


def _frames(value: Any):
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _frames(part)
    elif isinstance(value, list | tuple):
        if value and all(hasattr(part, "_asdict") for part in value):  # steps of a flow
            yield pd.DataFrame([part._asdict() for part in value])
            return
        for part in value:
            yield from _frames(part)


def _parts(value: Any):
    """The value as bytes, part by part; kinds are told apart, so that 1, "1" and True are three values."""
    import numpy as np
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        yield f"frame {list(value.columns)} {[str(t) for t in value.dtypes]}".encode()
        for name in range(value.shape[1]):
            yield from _parts(value.iloc[:, name].to_numpy())
    elif isinstance(value, pd.Series):
        yield f"series {list(value.index)} {value.dtype}".encode()
        yield from _parts(value.to_numpy())
    elif isinstance(value, np.ndarray):
        yield f"array {value.shape} {value.dtype}".encode()
        if value.dtype == object:
            yield "\x1f".join(f"{type(v).__name__} {v!r}" for v in value.ravel()).encode(errors="surrogatepass")
        else:
            yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, Unread):
        yield b"unread"
        yield from _parts(value.depends_on)
    elif isinstance(value, Mapping):
        yield b"mapping %d" % len(value)
        for key, part in value.items():
            yield from _parts(key)
            yield from _parts(part)
    elif isinstance(value, list | tuple):
        yield b"list %d" % len(value)
        for part in value:
            yield from _parts(part)
    elif value is None or isinstance(value, str | int | float | bool | np.generic):
        yield f"{type(value).__name__} {value!r}".encode(errors="surrogatepass")
    else:
        raise TypeError(f"a drawing is given a {type(value).__name__}, which has no digest")
