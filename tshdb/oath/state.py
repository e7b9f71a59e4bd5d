"""What modules of a project keep: compared before and after a call, it says what lives from call to call.

Looked at are the values of modules and of their classes and functions. What `functools.cache` keeps is not: whether its
answers depend on anything is seen where a function is called twice.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any

DEPTH, MOST = 5, 2_000  # how deep values are followed, and how many of one


def kept(modules: Iterable[str]) -> dict[str, str]:
    """`module.name` -> what it holds, as text, of all modules of these that are loaded."""
    return {
        f"{name}.{key}": text
        for name in sorted(modules)
        if (module := sys.modules.get(name)) is not None
        for key, text in _of_module(module)
    }


def _of_module(module: ModuleType) -> Iterator[tuple[str, str]]:
    for key, value in list(vars(module).items()):
        if key.startswith("__") or isinstance(value, ModuleType):
            continue
        if isinstance(value, FunctionType):
            if value.__module__ == module.__name__:
                yield key, _of_function(value)
        elif isinstance(value, type):
            if value.__module__ == module.__name__:
                yield from ((f"{key}.{name}", text) for name, text in _of_class(value))
        elif _is_followed(value):
            yield key, described(value)


def _of_function(function: FunctionType) -> str:
    cells = [_content(cell) for cell in function.__closure__ or ()]
    parts = [vars(function), function.__defaults__, function.__kwdefaults__, cells]
    return described([p for p in parts if p])


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return None


def _of_class(kind: type) -> Iterator[tuple[str, str]]:
    plain = (bool, int, float, str, list, dict, set, deque, itertools.count)
    if hasattr(kind, "__tablename__") or hasattr(kind, "model_fields"):
        return  # kept by a library, which fills it when it is first used
    for name, value in list(vars(kind).items()):
        if isinstance(value, plain) and not name.startswith(("__", "_abc", "_sa")):
            yield name, described(value)


def _is_followed(value: Any) -> bool:
    """Whether a value of a module is its state: not what another module declares, as a record or a type."""
    return not (callable(value) and not hasattr(value, "__dict__")) and type(value).__name__ not in (
        "Analysis", "Relation", "_lru_cache_wrapper",
    )  # fmt: skip


def described(value: Any, depth: int = DEPTH) -> str:
    """The content of a value as a short text that is the same for the same content."""
    return hashlib.blake2b(_text(value, depth).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _text(value: Any, depth: int) -> str:
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    if depth == 0:
        return type(value).__name__
    if isinstance(value, dict):
        items = itertools.islice(value.items(), MOST)
        return f"{len(value)}{{{','.join(f'{_text(k, depth - 1)}:{_text(v, depth - 1)}' for k, v in items)}}}"
    if isinstance(value, set | frozenset):
        return f"{len(value)}{sorted(_text(v, depth - 1) for v in itertools.islice(value, MOST))}"
    if isinstance(value, list | tuple | deque):
        return f"{len(value)}[{','.join(_text(v, depth - 1) for v in itertools.islice(value, MOST))}]"
    if isinstance(value, itertools.count | itertools.cycle):
        return repr(value.__reduce__())
    if isinstance(value, random.Random):
        return repr(value.getstate())
    if hasattr(value, "bit_generator"):
        return repr(value.bit_generator.state)
    if hasattr(value, "tobytes") and hasattr(value, "dtype"):
        return (
            hashlib.blake2b(value.tobytes()).hexdigest() if value.dtype != object else _text(value.tolist(), depth - 1)
        )
    if hasattr(value, "to_numpy"):
        return _text(value.to_numpy(), depth - 1)
    inside = getattr(value, "__dict__", None)
    if isinstance(inside, dict) and not callable(value):
        return f"{type(value).__name__}{_text(inside, depth - 1)}"
    return type(value).__name__
