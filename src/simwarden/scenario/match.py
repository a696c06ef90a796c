"""Whether what was seen is what a file wants: words leniently, numbers as numbers, identities by what identifies."""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from simwarden.errors import SimwardenError
from simwarden.model.identity import imei_key
from simwarden.model.values import moment
from simwarden.policy.numbers import international
from simwarden.scenario.bounds import is_bounds, is_within
from simwarden.scenario.problems import plain

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_NOTHING = ("", "none", "null", "absent")
#: what may be written with blanks, hyphens and capitals in another way; in sentences these count
_WORD = re.compile(r"[\w.:@/+*#-]*")
_MANY = (list, tuple, frozenset, set)


def differences(want: Any, got: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, wanted, got) of all that does not match; what is not wanted is not looked at.

    What should be none is so, too, where the field itself is not there.
    """
    if isinstance(want, Mapping) and isinstance(got, Mapping):
        for key, value in want.items():
            name = _key_of(key, got)
            below = f"{path}.{key}" if path else key
            if name is not None:
                yield from differences(value, got[name], below)
            elif not _is_none(value):
                yield below, value, f"nothing (there is {', '.join(map(str, got)) or 'no field'})"
    elif isinstance(want, list):
        items = list(got) if isinstance(got, _MANY) else [] if _is_nothing(got) else [got]
        if not want and items:
            yield path, want, got
        for each in _unpaired(want, items, path):
            yield path, each, got
    elif not matches(want, got, path):
        yield path, want, got


def _unpaired(want: list[Any], items: list[Any], path: str) -> Iterator[Any]:
    """Yield the members of a wanted list that find no member of their own: one that is wanted twice is there twice."""
    fits = [[at for at, item in enumerate(items) if matches(each, item, path)] for each in want]
    taken: dict[int, int] = {}

    def pair(wanted: int, tried: set[int]) -> bool:
        for at in fits[wanted]:
            if at not in tried:
                tried.add(at)
                if at not in taken or pair(taken[at], tried):
                    taken[at] = wanted
                    return True
        return False

    yield from (each for wanted, each in enumerate(want) if not pair(wanted, set()))


def matches(want: Any, got: Any, path: str = "") -> bool:
    """Tell whether a value is the wanted one; of a list one member is enough, of a mapping what is wanted of it."""
    if isinstance(got, _MANY) and not isinstance(want, list):
        return any(matches(want, item, path) for item in got) or (not got and _is_none(want))
    if isinstance(want, Mapping) and not isinstance(got, Mapping):
        counts = isinstance(got, (int, float)) and not isinstance(got, bool)
        return counts and is_bounds(want) and is_within(got, want)
    if isinstance(want, (Mapping, list)):
        return next(differences(want, got, path), None) is None
    return _scalar(want if isinstance(want, str) else str(want), got, path.rpartition(".")[2])


def has_all(want: Any, got: Any) -> bool:
    """Tell whether each field that is wanted is there, whatever is in it."""
    if isinstance(want, Mapping) and isinstance(got, Mapping):
        names = {key: _key_of(key, got) for key in want}
        return all(name is not None and has_all(want[key], got[name]) for key, name in names.items())
    if isinstance(got, (list, tuple)):
        wanted = [each for each in (want if isinstance(want, list) else [want]) if isinstance(each, Mapping)]
        return all(any(has_all(each, item) for item in got) for each in wanted)
    return True


def _scalar(want: str, got: Any, key: str) -> bool:  # noqa: PLR0911 - one return a type
    if _is_nothing(got):
        return _is_none(want)
    if isinstance(got, bool):
        return want.lower() in (_TRUE if got else _FALSE)
    if isinstance(got, enum.Enum):
        return plain(want) in _names_of(got) or _same_number(want, got.value)
    if isinstance(got, (int, float)):
        return _same_number(want, got)
    if isinstance(got, (bytes, bytearray)):
        return want.lower().replace(" ", "").removeprefix("0x") == got.hex()
    if isinstance(got, Mapping):
        return any(_scalar(want, each, key) for each in got.values())
    text = str(got)
    which = getattr(want, "which", "") or key.lower()  # of a field that nobody declares its name alone tells
    if ("imei" in which and _same_imei(want, text)) or ("msisdn" in which and _same_msisdn(want, text)):
        return True
    if _same_moment(want, text) or _same_address(want, text):
        return True
    return plain(want) == plain(text) if _WORD.fullmatch(text) else want == text


def _is_nothing(got: Any) -> bool:
    return got is None or (isinstance(got, str) and not got)


def _is_none(want: Any) -> bool:
    return isinstance(want, str) and want.lower() in _NOTHING


def _names_of(member: enum.Enum) -> tuple[str, ...]:
    """Return all names of a member, aliases included; of results of Diameter and SMPP also those without prefix."""
    names = [plain(name) for name, each in type(member).__members__.items() if each is member]
    short = [name.removeprefix("esme_").removeprefix("diameter_").removeprefix("error_") for name in names]
    return *names, plain(str(member.value)), *short


def _same_number(want: str, got: Any) -> bool:
    try:
        return bool(int(want, 0) == got)
    except (TypeError, ValueError):
        pass
    try:
        return bool(float(want) == got)
    except ValueError:
        return False


def _same_imei(want: str, got: str) -> bool:
    try:
        return imei_key(want) == imei_key(got)
    except (ValueError, SimwardenError):
        return False


def _same_msisdn(want: str, got: str) -> bool:
    """Whether two are one number: messages have it with its country code, cards mostly without."""
    try:
        return international(want) == international(got)
    except ValueError:
        return False


def _same_moment(want: str, got: str) -> bool:
    """Whether two are one moment; a time that says no zone is one of the zone that the other says."""
    wanted, seen = moment(want), moment(got)
    if wanted is None or seen is None:
        return False
    if wanted.tzinfo is None or seen.tzinfo is None:
        wanted, seen = wanted.replace(tzinfo=None), seen.replace(tzinfo=None)
    return wanted == seen


def _same_address(want: str, got: str) -> bool:
    """Whether two are one IP address or network: those of IPv6 have several forms (RFC 5952)."""
    if ":" not in want or ":" not in got:
        return False
    try:
        return ipaddress.ip_network(want) == ipaddress.ip_network(got)
    except ValueError:
        return False


def _key_of(key: str, got: Mapping[str, Any]) -> str | None:
    if key in got:
        return key
    return next((name for name in got if plain(str(name)) == plain(key)), None)


def show(value: Any) -> str:
    """Show a value as a file would write it."""
    if isinstance(value, enum.IntEnum):
        return f"{value.name} ({int(value)})"
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {show(each)}' for key, each in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(show(each) for each in value)}]"
    return "nothing" if value is None or value == "" else str(value)
