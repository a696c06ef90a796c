"""Forged requests: AVPs by name and text become AVPs of the dictionary's formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.errors import InternalError
from simwarden.wire.diameter.codec import encode_avps
from simwarden.wire.diameter.dictionary import AVPS, Kind, requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.wire.diameter import Avps

_BY_NAME = {name.lower(): name for name in AVPS}
_NUMBERS = (Kind.UNSIGNED32, Kind.INTEGER32, Kind.UNSIGNED64, Kind.TIME)


def request_name(text: str) -> str:
    """Return the spec's spelling of a request's name. Raises ValueError."""
    names = {each.grammar.name.lower(): each.grammar.name for each in requests()}
    found = names.get(text.lower().replace("_", "-"))
    if found is None:
        raise ValueError(f"no request is called {text}; known: {', '.join(sorted(names))}")
    return found


def make_avps(wanted: Mapping[str, Any]) -> Avps:
    """Make AVPs from names and texts. Raises ValueError for an unknown name, or a value that its AVP cannot hold."""
    avps: Avps = []
    for key, value in wanted.items():
        name = _BY_NAME.get(key.lower().replace("_", "-"))
        if name is None:
            raise ValueError(f"no AVP is called {key}")
        for each in value if isinstance(value, list) else [value]:
            avps.append(avp := (name, _value(name, each)))
            _check_size(*avp)
    return avps


def check_avps(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return AVPs as they are written, if they can be encoded. Raises ValueError."""
    make_avps(wanted)
    return wanted


def _check_size(name: str, value: Any) -> None:
    try:
        encode_avps([(name, value)])
    except InternalError as error:
        raise ValueError(f"{name}: {value!r} does not fit into its AVP") from error


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
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        if kind == Kind.GROUPED and isinstance(error, ValueError):
            raise ValueError(f"{name}: {error}") from error
        raise ValueError(f"{name}: {value!r} is not of its format") from error
