"""Keys of cards in files: elements are provisioned with K, OPc and OP, and no report of a run shows them."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

T = TypeVar("T")
#: names of keys of cards and operators, in lower case
KEY_NAMES: Final = frozenset({"k", "opc", "op"})
#: fewer characters identify no key, and would hide ordinary words
_SHORTEST: Final = 16
HIDDEN: Final = "***"


def keys_in(value: Any) -> Iterator[str]:
    """Yield the values of keys in a document, also of malformed ones."""
    if isinstance(value, dict):
        for name, each in value.items():
            if str(name).lower() not in KEY_NAMES:
                yield from keys_in(each)
            elif isinstance(each, str) and len(each) >= _SHORTEST and len(set(each)) > 1:  # zeros are not secret
                yield each
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from keys_in(each)


def hider(keys: Collection[str]) -> Callable[[str], str]:
    """Return a function that replaces these keys in a text, in any case of letters."""
    if not keys:
        return str
    pattern = re.compile("|".join(map(re.escape, sorted(keys, key=len, reverse=True))), re.IGNORECASE)
    return lambda text: pattern.sub(HIDDEN, text)


def hide_keys(value: T, keys: Collection[str]) -> T:
    """Return a record (a dataclass, a tuple or a text) without these keys."""
    return _hidden(value, hider(keys)) if keys else value


def _hidden(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, tuple):
        return tuple(_hidden(each, hide) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _hidden(getattr(value, each.name), hide) for each in fields(value)})
    return value
