"""What the schema knows of values: durations, whole numbers, identities, addresses, and what an observable may be.

Patterns are those of ECMA 262, as JSON Schema wants them. They take what a file may hold and no less: words in any
case and with any of the separators that are compared alike, and an identity by the name of who has it (`meter.imei`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from simwarden.model.address import IPV4, IPV6, PORT
from simwarden.model.interfaces import INTERFACES
from simwarden.model.units import UNITS
from simwarden.scenario.bounds import BOUNDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simwarden.model.values import Values

_TEXT: Final = ["string", "number", "boolean"]
SCALAR: Final = {"type": [*_TEXT, "null"]}
_OWNED: Final = r"[A-Za-z][\w-]*\.[a-z_]+"
#: an address of IPv4 or several, or what may be one of IPv6
IP: Final = {"type": "string", "pattern": f"^({IPV4}(, *{IPV4})*|{IPV6})$"}
_HOST: Final = rf"({IPV4}|\[{IPV6}\]|(?![\d.]*(:|$))[^:\[\]]+)"
_HOST_AND_PORT: Final = {"type": "string", "pattern": f"^{_HOST}:{PORT}$"}
_HOST_OR_BOTH: Final = {"type": "string", "pattern": f"^{_HOST}(:{PORT})?$"}
#: what pydantic takes for a switch
SWITCH: Final = {"pattern": "^([tT](rue|RUE)?|[fF](alse|ALSE)?|[yY](es|ES)?|[nN][oO]?|[oO][nN]|[oO](ff|FF)|[01])$"}
WHOLE: Final = {"pattern": r"^\s*[+-]?[\d_]+(\.0*)?\s*$"}
#: the identities that stand under their own names, wherever that is; empty: made up
IDENTITIES: Final[dict[str, dict[str, Any]]] = {
    "imsi": {"type": _TEXT, "pattern": rf"^(\d{{6,15}}|{_OWNED}|.*\{{.*)?$", "maximum": 10**15 - 1},
    "imei": {"type": _TEXT, "pattern": rf"^(\d{{14,16}}|{_OWNED}|.*\{{.*)?$", "maximum": 10**16 - 1},
    "iccid": {"type": _TEXT, "pattern": r"^\d{0,20}$"},
    "msisdn": {"type": _TEXT, "pattern": rf"^(\+?\d{{1,15}}|{_OWNED}|.*\{{.*)?$", "maximum": 10**15 - 1},
}
_NONE: Final[dict[str, Any]] = {"enum": ["", "none", "null", "absent", None]}


#: bounds of a number
BOUNDED: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {key: {"type": ["number", "string"]} for key in BOUNDS},
    "additionalProperties": False,
    "minProperties": 1,
}


def _in_any_case(word: str) -> str:
    """Return a pattern of a word as it may be written."""
    written = {"_": "[-_ ]", "-": "[-_ ]", " ": "[-_ ]"}
    return "".join(
        f"[{each.lower()}{each.upper()}]" if each.isalpha() else written.get(each, re.escape(each)) for each in word
    )


def one_of(words: Iterable[str]) -> str:
    """Return a pattern of some words, as they may be written."""
    return f"^({'|'.join(map(_in_any_case, dict.fromkeys(words)))})$"


_UNIT: Final = "|".join(map(_in_any_case, sorted(UNITS, key=len, reverse=True)))
#: `15 s`, `1 h 30 min`; a number alone is seconds
DURATION: Final = {
    "pattern": rf"^(?=.*\d)\s*(\d+(\.\d+)?(\s*({_UNIT})\s*|\s+))*(\d+(\.\d+)?\s*)?$",
}
INTERFACE_NAMES: Final = {"pattern": one_of(INTERFACES)}


def duration(description: str = "") -> dict[str, Any]:
    """Return the schema of a duration."""
    return {
        "type": ["number", "string"],
        "minimum": 0,
        **DURATION,
        **({"description": description} if description else {}),
    }


_OF_EACH: Final = {"type": "object", "propertyNames": INTERFACE_NAMES, "additionalProperties": _HOST_OR_BOTH}
#: where somebody's real element is: an address, or one for each interface
EXTERNAL: Final = {"anyOf": [_HOST_AND_PORT, _OF_EACH]}
#: where an element connects from: an address, or one for each interface
SOURCE: Final = {"anyOf": [_HOST_OR_BOTH, _OF_EACH]}


def value(values: Values) -> dict[str, Any]:
    """Return the schema of a value that is expected; of any scalar where only the network or the file can tell."""
    if values.given or values.kinds or values.inside or values.loose or values.fits("no such thing"):
        return SCALAR
    choices: list[dict[str, Any]] = []
    if values.words or values.spoken:
        choices.append({"type": "string", "pattern": one_of((*values.words, *values.spoken))})
    if "true" in values.spoken:
        choices.append({"type": "boolean"})
    if values.named:
        choices.append({"enum": [*sorted(values.named), *map(str, sorted(values.named))]})
    if values.identities:
        choices += [IDENTITIES[name] for name in sorted(values.identities)]
    elif values.fits("1"):
        choices += [
            {"type": "number", "minimum": 0},
            {"type": "string", "pattern": r"^\s*[+]?(0[xX][0-9A-Fa-f]+|[\d.]+)\s*$"},
            BOUNDED,
        ]
    elif not choices:
        return SCALAR  # of a form that only the declaration knows
    return {"anyOf": [*choices, *([_NONE] if values.optional else [])]}
