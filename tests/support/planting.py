"""Plant a fault in an element: replace a function for all its callers or for one of them.

Functions are given by reference, so that a rename tool updates the tests and mypy reports a missing function or a fault
with other arguments. Only the code of the function changes: dispatch tables and imports keep the same object.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

P = ParamSpec("P")
R = TypeVar("R")

_NUMBERS = itertools.count()


def plant(
    monkeypatch: pytest.MonkeyPatch,
    function: Callable[P, R],
    fault: Callable[Concatenate[Callable[P, R], P], R],
    *,
    caller: Callable[..., Any] | None = None,
) -> None:
    """Call the fault, with the unchanged function as its first argument, in place of a function; `caller` limits it."""
    changed = cast("FunctionType", function)
    unchanged: Any = FunctionType(changed.__code__, changed.__globals__, changed.__name__, changed.__defaults__)
    unchanged.__kwdefaults__ = changed.__kwdefaults__
    codes = {*_codes(cast("FunctionType", caller).__code__)} if caller else None

    def call(*args: Any, **values: Any) -> Any:
        if codes is None or sys._getframe(2).f_code in codes:
            return fault(unchanged, *args, **values)
        return unchanged(*args, **values)

    name = f"planted {next(_NUMBERS)}"
    monkeypatch.setitem(changed.__globals__, name, call)
    # code of another type than the function's is deprecated since Python 3.13
    same = _await if inspect.iscoroutinefunction(changed) else _yield if inspect.isgeneratorfunction(changed) else _call
    monkeypatch.setattr(changed, "__code__", same.__code__.replace(co_names=(name,)))


def drop(*_: Any, **__: Any) -> None:
    """Do nothing: a fault that drops a call."""


async def drop_async(*_: Any, **__: Any) -> None:
    """Do nothing when awaited: a fault that drops the call of a coroutine."""


_planted: Callable[..., Any] = drop


def _call(*args: Any, **values: Any) -> Any:
    return _planted(*args, **values)


def _yield(*args: Any, **values: Any) -> Any:
    return (yield from _planted(*args, **values))


async def _await(*args: Any, **values: Any) -> Any:
    return await _planted(*args, **values)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function and of the comprehensions and functions in it."""
    yield code
    for each in code.co_consts:
        yield from _codes(each) if isinstance(each, CodeType) else ()
