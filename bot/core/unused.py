"""What libraries load and never use here: modules stay in memory, whoever needs them or not."""

from __future__ import annotations

import sys
from types import ModuleType


def leave_out(module: str) -> None:
    """Have a module empty unless it is loaded already: every name that is asked of it is a class.

    To be called before the library that imports it is imported.
    """
    empty = ModuleType(module)
    vars(empty)["__getattr__"] = _named
    sys.modules.setdefault(module, empty)


def _named(name: str) -> type:
    if name.startswith("__"):  # who looks at all modules asks for their files
        raise AttributeError(name)
    return type(name, (), {})
