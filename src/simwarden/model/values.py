"""What values a fact, a message's field or a decision's detail may have: who declares one says so, once.

A file that names a value which can never be is wrong, most of all in `never`, where it would always hold. So elements
(observables), rules (details) and wire families (fields) declare their values, and `validate` knows nothing else.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import Enum


def plain(word: str) -> str:
    """Return a word as it is compared: small letters, with hyphens and blanks as underscores."""
    return word.strip().lower().replace("-", "_").replace(" ", "_")


def _nothing(_text: str) -> bool:
    return False


def _anything(_text: str) -> bool:
    return True


@dataclass(frozen=True)
class Values:
    """What a value may be: one of `words`, a text that `fits`, or a mapping of the fields `inside`.

    `about` says it to people ("an IMEI"). `kinds` are those of the elements whose instances it names (`uicc`;
    `element` for any), or `control` for the id of a control, `occasion` for one of its occasions, or what the network
    alone knows: its nodes (`host`), their realms (`realm`) and sessions (`session`), its `cell`, `tai` and `station`,
    the addresses of its users and their hosts (`address`), APNs with its operator identifier (`apn`).
    `named` are the numbers of an enumeration, by which its words may be written as well. `spoken` are
    further words for the same, which are not listed. `given`: it is a name that the file or its network's settings
    give, as that of a province. `loose`: it may be a mapping whose fields nobody declares. `optional`: it may also
    be no value at all. `identities` are those of cards and terminals that it may be (`imei`); none: it is no matter
    of these. `narrowed` tells what of this it may be beside other fields of the same mapping, with what these say.
    """

    about: str
    words: tuple[str, ...] = ()
    fits: Callable[[str], bool] = _nothing
    inside: Callable[[], Mapping[str, Values]] | None = None
    kinds: frozenset[str] = frozenset()
    named: frozenset[int] = frozenset()
    spoken: tuple[str, ...] = ()
    given: bool = False
    loose: bool = False
    optional: bool = False
    identities: frozenset[str] = frozenset()
    narrowed: Callable[[Mapping[str, Any]], Values] | None = None

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(map(plain, (*self.words, *self.spoken)))

    def may_be(self, text: str) -> bool:
        """Whether the value may be written so, as `scenario.match` compares it."""
        if self.optional and text.lower() in ("", "none", "null", "absent"):
            return True
        return plain(text) in self._known or self.fits(text) or (bool(self.named) and _number(text) in self.named)

    @property
    def free(self) -> bool:
        """Whether any text is one of these, so that none is known to be misspelt."""
        return self.fits is _anything

    def told(self) -> Values:
        """Return what of these has a name or a form."""
        return replace(self, fits=_nothing) if self.free else self

    def beside(self, fields: Mapping[str, Any]) -> Values:
        """Return what it may be in a mapping with these fields."""
        if self.narrowed is None:
            return self
        narrowed = self.narrowed(fields)
        return narrowed.or_none() if self.optional else narrowed

    def __or__(self, other: Values) -> Values:
        """Return what may be either."""
        if self == other:
            return self
        mine, theirs = self.inside, other.inside
        inside = (lambda: _both(mine(), theirs())) if mine and theirs else mine or theirs
        return Values(
            " or ".join(dict.fromkeys((*self.about.split(" or "), *other.about.split(" or ")))),
            tuple(dict.fromkeys(self.words + other.words)),
            _either(self.fits, other.fits),
            inside,
            self.kinds | other.kinds,
            self.named | other.named,
            self.spoken + other.spoken,
            self.given or other.given,
            self.loose or other.loose,
            self.optional or other.optional,
            self.identities | other.identities,
        )

    def or_none(self) -> Values:
        """Return the same, where there may be no value as well."""
        return replace(self, optional=True)


def _both(mine: Mapping[str, Values], theirs: Mapping[str, Values]) -> Mapping[str, Values]:
    both = {name: mine[name] | theirs[name] for name in mine.keys() & theirs.keys()}
    return {**mine, **theirs, **both}


def _either(one: Callable[[str], bool], other: Callable[[str], bool]) -> Callable[[str], bool]:
    if _anything in (one, other):
        return _anything
    if one in (_nothing, other):
        return other
    return one if other is _nothing else lambda text: one(text) or other(text)


def moment(text: str) -> dt.datetime | None:
    """Return a moment as ISO 8601 writes it, with date and time of the day; None for what is none."""
    try:
        return dt.datetime.fromisoformat(text) if _DAY.match(text) else None
    except ValueError:
        return None


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}[T ]", re.ASCII)


def _is_time(text: str) -> bool:
    return moment(text) is not None


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _is_number(text: str) -> bool:
    """Whether a text is a number that counts or measures; nothing that an element tells is less than none."""
    try:
        return float(text) >= 0
    except ValueError:
        return _number(text) is not None


def _shaped(pattern: str) -> Callable[[str], bool]:
    shape = re.compile(pattern, re.IGNORECASE | re.ASCII)
    return lambda text: shape.fullmatch(text) is not None


def one_of(*words: str, about: str = "a word") -> Values:
    """Return the values of what is always one of some words."""
    return Values(about, words)


def shaped(about: str, pattern: str) -> Values:
    """Return the values of what has a form, told by a regular expression."""
    return Values(about, fits=_shaped(pattern))


def _identity(which: str, about: str, pattern: str) -> Values:
    return replace(shaped(about, pattern), identities=frozenset({which}))


def instance_of(kind: str) -> Values:
    """Return the values of what names an element of a kind (`uicc`)."""
    return Values(f"the name of a {kind}", kinds=frozenset({kind}))


def _known(what: str, about: str) -> Values:
    """Return the values of what has a form that many texts have, and which only the network knows."""
    return Values(about, kinds=frozenset({what}))


def mapping(fields: Callable[[], Mapping[str, Values]]) -> Values:
    """Return the values of what is a mapping with some fields, which are asked for when somebody looks into it."""
    return Values("a mapping", inside=fields)


@cache
def members(enumeration: type[Enum], prefixes: tuple[str, ...] = ()) -> Values:
    """Return the values of an enumeration: its names and, of numbers, these; of words, the words.

    Where members are words, these alone are shown. `prefixes` are parts of names that may be left out (`DIAMETER_`).
    """
    numbers = frozenset(each.value for each in enumeration if isinstance(each.value, int))
    names = tuple(enumeration.__members__)
    if not numbers:
        return one_of(*(str(each.value) for each in enumeration))
    short = list(names)
    for prefix in prefixes:
        short = [name.removeprefix(prefix) for name in short]
    return Values(f"one of {enumeration.__name__}", names, named=numbers, spoken=tuple(short))


TEXT = Values("text", fits=_anything)
MAPPING = Values("a mapping", loose=True)
ANYTHING = TEXT | MAPPING
CONTROL = Values("the id of a control", kinds=frozenset({"control"}))
OCCASION = Values("an occasion on which a control is asked", kinds=frozenset({"occasion"}))
GIVEN = Values("a name of the file or of its network's settings", given=True)
NUMBER = Values("a number", fits=_is_number)
SWITCH = Values("yes or no", ("yes", "no"), spoken=("true", "false", "on", "off", "1", "0"))
IMSI = _identity("imsi", "an IMSI of 6 to 15 digits", r"\d{6,15}")
IMEI = _identity("imei", "an IMEI of 14 to 16 digits", r"\d{14,16}")
MSISDN = _identity("msisdn", "a number of 5 to 15 digits", r"\+?\d{5,15}")
#: whom a call or message is from or for: a card, a telephone or a service, written in any way (see policy.numbers)
PARTY = _identity("msisdn", "a number", r"\+?[0-9*#a-f]{1,21}")
ACCESS_CODE = shaped("an access code of 3 to 21 digits", r"\d{3,21}")
PLMN = shaped("a PLMN such as 001-01", r"\d{3}-\d{2,3}")
TAI = _known("tai", "a TAI of the network such as 001-01-0001")
LAI = shaped("a location area such as 001-01-1001", r"\d{3}-\d{2,3}-[0-9a-f]{4}")
CELL = _known("cell", "a cell of the network such as 001-01-0000101")
STATION = _known("station", "a base station of the network such as 001-01-00001")
GUTI = shaped("a GUTI", r"\d{3}-\d{2,3}-[0-9a-f]{4}-[0-9a-f]{2}-[0-9a-f]{8}")
OCTETS = shaped("octets in hexadecimal digits", r"(0x)?( ?[0-9a-f]{2})*")
IDENTIFIER = shaped("an identifier of 36 digits and hyphens (RFC 9562)", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ADDRESS = shaped("an IP address", r"\d{1,3}(\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:.]*|[0-9a-f]{16}")
NAME = Values(
    "the name of an element, or one of the file or of its network's settings", kinds=frozenset({"element"}), given=True
)
CLIENT = _known("client", "the client identifier of an element, its name behind the prefix of its topics")
APN = Values("an APN of the file or of its network's settings", given=True)
#: an APN as GTP has it, with its operator identifier (TS 23.003 9.1)
FULL_APN = Values("an APN with its operator identifier (iot.mnc001.mcc001.gprs)", kinds=frozenset({"apn"}))
#: what user packets come from and go to
USER_ADDRESS = Values(
    "an IP address of the network's pools and hosts, or of the file", kinds=frozenset({"address"}), given=True
)
TIME = Values("a time such as 2026-03-02T08:00:00+00:00", fits=_is_time)
NETWORK = shaped("an IP network such as 192.0.2.0/24", r"[0-9a-f.:]+/\d{1,3}")
HOST = _known("host", "a host of the network such as mme.example.net")
REALM = _known("realm", "a realm of the network such as epc.mnc001.mcc001.3gppnetwork.org")
SESSION = _known("session", "a Session-Id of a host of the network such as mme.example.net;1;2")
TACS = shaped("a TAC or a range of IMEIs", r"\d{8}(\d{6})?(-\d{8}(\d{6})?)?")
KIND = GIVEN | one_of("camera", "car", "module", "payment", "phone", "router", "tablet", "tracker")
ZONE = shaped("a zone code of 4 hexadecimal digits", r"[0-9a-f]{4}")
