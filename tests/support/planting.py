"""Faults that are planted in the elements: a piece of a function's source is put for another, wherever it is called."""

from __future__ import annotations
import __future__ as future

import inspect
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def plant(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], *changes: tuple[str, str]) -> None:
    """Change a function in place; a piece that its source no longer has is an error: the fault must still apply."""
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in changes:
        assert source.count(old) == 1, f"{function.__qualname__} has no such piece any more: {old}"
        source = source.replace(old, new)
    made: dict[str, Any] = {}
    flags = future.annotations.compiler_flag
    exec(compile(source, inspect.getfile(function), "exec", flags, dont_inherit=True), function.__globals__, made)  # noqa: S102 - our own source
    monkeypatch.setattr(function, "__code__", made[function.__name__].__code__)
