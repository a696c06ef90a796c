"""Forged requests: AVPs by name and text become AVPs of the dictionary's formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.errors import ManagementError
from simwarden.wire.diameter.dictionary import AVPS, Kind, requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.wire.diameter import Avps

_BY_NAME = {name.lower(): name for name in AVPS}
_NUMBERS = (Kind.UNSIGNED32, Kind.INTEGER32, Kind.UNSIGNED64, Kind.TIME)


def request_name(text: str) -> str:
    """Return the spec's spelling of a request's name. Raises ManagementError (400)."""
    names = {each.grammar.name.lower(): each.grammar.name for each in requests()}
    found = names.get(text.lower().replace("_", "-"))
    if found is None:
        raise ManagementError(400, f"no request is called {text}; known: {', '.join(sorted(names))}")
    return found


def make_avps(wanted: Mapping[str, Any]) -> Avps:
    """Make AVPs from names and texts. Raises ManagementError (400) for an unknown name or a value of another format."""
    avps: Avps = []
    for key, value in wanted.items():
        name = _BY_NAME.get(key.lower().replace("_", "-"))
        if name is None:
            raise ManagementError(400, f"no AVP is called {key}")
        for each in value if isinstance(value, list) else [value]:
            avps.append((name, _value(name, each)))
    return avps


def _value(name: str, value: Any) -> Any:
    kind = AVPS[name].kind
    try:
        if kind == Kind.GROUPED:
            return make_avps(value)
        if kind in _NUMBERS:
            return int(value, 0) if isinstance(value, str) else int(value)
        if kind == Kind.OCTETS:
            return value["text"].encode() if isinstance(value, dict) else bytes.fromhex(value)
        return str(value)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ManagementError(400, f"{name}: {value!r} is not of its format") from error
