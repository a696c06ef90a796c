"""Packages that load what they offer when first asked for it: what a family declares is had without its codec."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


def offer(package: str, names: Collection[str], *modules: str) -> Callable[[str], Any]:
    """Make the `__getattr__` of a package (PEP 562) that offers `names`, looked for in some of its modules in turn.

    No module may have the name of one of its things: once imported, it would stand in its place.
    """

    def find(name: str) -> Any:
        for each in modules if name in names else ():
            found = vars(import_module(f"{package}.{each}"))
            if name in found:
                setattr(sys.modules[package], name, found[name])
                return found[name]
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find
