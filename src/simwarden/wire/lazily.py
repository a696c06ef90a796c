"""Packages that load what they offer when first asked for it: what a family declares is had without its codec.

What a package offers it imports `if TYPE_CHECKING`, which says it to readers and to mypy (`implicit-reexport`); of a
module whose public names it offers all, it imports `*`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def offer(package: str, *modules: str) -> Callable[[str], Any]:
    """Make the `__getattr__` of a package (PEP 562) that looks for a name in some of its modules in turn.

    A name of one of its modules is left to the import system, and a private one is no name of its.
    """

    def find(name: str) -> Any:
        is_offered = not name.startswith("_") and find_spec(f"{package}.{name}") is None
        for each in modules if is_offered else ():
            found = vars(import_module(f"{package}.{each}"))
            if name in found:
                setattr(sys.modules[package], name, found[name])
                return found[name]
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find
