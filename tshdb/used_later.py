"""A package that is imported when something of it is used, not before: a plan reads analyses, and computes nothing.

The standard library's LazyLoader does not serve: what it gives is loaded by the second `import` of the package, which looks at
its `__spec__`. Here the module that `import` finds has its spec and its name at once, and all else by being run, in place.
"""

from __future__ import annotations

import sys
import threading
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any


class _Waiting(ModuleType):
    """A module that runs its file when it is asked for anything that it does not have yet."""

    def __getattr__(self, name: str) -> Any:
        own = object.__getattribute__(self, "__dict__")
        with own["__lock__"]:
            if type(self) is _Waiting and not own["__is_running__"]:
                own["__is_running__"] = True
                _run(self)
        return getattr(self, name) if type(self) is not _Waiting else _begun(self, name)


def import_when_used(package: str) -> None:
    """Have `import PACKAGE` cost nothing until something of it is used. One that is imported, or is not there, is left."""
    spec = find_spec(package) if package not in sys.modules else None
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    own = vars(module)
    del own["__path__"]  # so that the import of a module in it runs the package first
    own.update(__lock__=threading.RLock(), __is_running__=False)
    module.__class__ = _Waiting
    sys.modules[package] = module


def _run(module: ModuleType) -> None:
    spec = module.__spec__
    assert spec is not None and spec.loader is not None
    vars(module)["__path__"] = spec.submodule_search_locations
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(spec.name, None)
        vars(module)["__is_running__"] = False
        raise
    module.__class__ = ModuleType


def _begun(module: ModuleType, name: str) -> Any:
    """What a module has that is being run, as its own submodules ask for it."""
    own = vars(module)
    if "__getattr__" in own:
        return own["__getattr__"](name)
    raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)
