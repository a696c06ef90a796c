"""The Diameter dictionary: AVPs, commands and groups, compiled once from the modules of data in `apps`.

A further application (Rx) is one more module there, or one that another package names by an entry point of
the group `simwarden.diameter`. It has APPLICATION (reference point, Application-Id, vendor, which is 0 for one of the
IETF), AVPS, COMMANDS and GROUPS, and may have ALSO (further reference points that it is spoken at), SHORT, KEYS,
SHARED, ENUMERATIONS, CLOSED and CARRIES. An AVP stands in one module only, and may be used in all; a command is of one
application.
"""

from __future__ import annotations

import pkgutil
import re
from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simwarden.wire.diameter import apps, codes
from simwarden.wire.diameter.family import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def _modules() -> tuple[Any, ...]:
    ours = (import_module(f"{apps.__name__}.{each.name}") for each in pkgutil.iter_modules(apps.__path__))
    return (*ours, *(each.load() for each in sorted(entry_points(group=GROUP))))


_MODULES: Final = _modules()


class Kind(IntEnum):
    """The data formats of RFC 6733 4.2 and 4.3, and TBCD (TS 29.002), in the order of the codec's tests."""

    TEXT = 0
    UNSIGNED32 = 1
    GROUPED = 2
    OCTETS = 3
    INTEGER32 = 4
    UNSIGNED64 = 5
    TBCD = 6
    ADDRESS = 7
    TIME = 8
    IDENTITY = 9
    INTEGER64 = 10
    FILTER = 11


_KINDS: Final = {
    "UTF8String": Kind.TEXT,
    "DiameterIdentity": Kind.IDENTITY,
    "DiameterURI": Kind.TEXT,
    "Unsigned32": Kind.UNSIGNED32,
    "Grouped": Kind.GROUPED,
    "OctetString": Kind.OCTETS,
    "Integer32": Kind.INTEGER32,
    "Enumerated": Kind.INTEGER32,
    "Integer64": Kind.INTEGER64,
    "IPFilterRule": Kind.FILTER,
    "Unsigned64": Kind.UNSIGNED64,
    "TBCD": Kind.TBCD,
    "Address": Kind.ADDRESS,
    "Time": Kind.TIME,
}

_FIXED: Final = {Kind.UNSIGNED32: 4, Kind.INTEGER32: 4, Kind.UNSIGNED64: 8, Kind.INTEGER64: 8, Kind.TIME: 4}

#: with what a request and an answer begin, if their grammar has it
_HEAD: Final = frozenset(
    {
        "Session-Id",
        "Vendor-Specific-Application-Id",
        "Auth-Application-Id",
        "Auth-Session-State",
        "Origin-Host",
        "Origin-Realm",
        "Destination-Host",
        "Destination-Realm",
    }
)
#: what an answer repeats of its request (RFC 8506 3.2)
_REPEATED: Final = ("CC-Request-Type", "CC-Request-Number")


class ApplicationType(NamedTuple):
    """An application: its reference point, its identifier, and the vendor that defined it (0: the IETF)."""

    point: str
    number: int
    vendor: int


class AvpType(NamedTuple):
    """One kind of AVP. `size` is the only length allowed of its data, 0 if any; `head` its header's length in octets.

    `word` (flags and header length, to which the data's length is added) and `vendor_octets` are the parts of the
    header as sent, `fixed_head` is the whole header where the size is fixed.
    """

    name: str
    kind: int
    size: int
    code: int
    vendor: int
    mandatory: bool
    head: int
    word: int
    vendor_octets: bytes
    fixed_head: bytes


@dataclass(frozen=True, slots=True)
class Grammar:
    """What may stand in a command or a group: for each AVP the least and the greatest number, None for no limit.

    `extensible` says whether AVPs that are not named may be added (`*[AVP]`), `required` are those that must be there.
    """

    name: str
    rules: Mapping[str, tuple[int, int | None]]
    extensible: bool
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A request or an answer: its code, the application it belongs to (0 for the base protocol) and its grammar.

    `head` are the AVPs that any message of it begins with, in the order of the grammar; `repeated` those that an answer
    takes from its request.
    """

    code: int
    request: bool
    proxiable: bool
    application: int
    grammar: Grammar
    head: tuple[str, ...]
    repeated: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in lower case with hyphens, as `update-location-answer`."""
        return self.grammar.name.lower()


_RULE = re.compile(r"(?:(\d*)(\*)(\d*))?([<{\[])\s*([\w-]+)\s*[>}\]]")
_HEADER = re.compile(r"<Diameter Header: (\d+)([^>]*)>")


def _grammar(name: str, body: str) -> Grammar:
    rules: dict[str, tuple[int, int | None]] = {}
    extensible = False
    for least, star, most, bracket, avp in _RULE.findall(body):
        if avp == "AVP":
            extensible = True
            continue
        required = 0 if bracket == "[" else 1
        if star:
            rules[avp] = (int(least) if least else 0, int(most) if most else None)
        else:
            rules[avp] = (required, 1)
    return Grammar(name, rules, extensible, tuple(avp for avp, (least, _) in rules.items() if least))


def _definitions(text: str) -> Iterator[tuple[str, str]]:
    """Split ABNF text into names and bodies."""
    if not text.strip():
        return
    for block in re.split(r"\n(?=[\w-]+ ::=)", text.strip()):
        name, _, body = block.partition("::=")
        yield name.strip(), body


def _command(application: int, name: str, body: str) -> Command:
    header = _HEADER.search(body)
    if header is None:
        raise ValueError(f"command {name} has no Diameter Header")
    words = header[2].replace(",", " ").split()
    grammar = _grammar(name, body[header.end() :])
    rules = grammar.rules
    head = tuple(avp for avp in rules if avp in _HEAD and (avp != "Auth-Session-State" or rules[avp][0]))
    repeated = tuple(avp for avp in _REPEATED if avp in rules)
    return Command(int(header[1]), "REQ" in words, "PXY" in words, application, grammar, head, repeated)


def _avp(vendor: int, line: str) -> AvpType:
    code, name, format_, flag = line.split()
    word, _, size_text = format_.partition("(")
    kind = _KINDS[word]
    size = int(size_text[:-1]) if size_text else _FIXED.get(kind, 0)
    head = 12 if vendor else 8
    flags = (0x80 if vendor else 0) | (0x40 if flag == "M" else 0)
    vendor_octets = vendor.to_bytes(4, "big") if vendor else b""
    fixed = int(code).to_bytes(4, "big") + (flags << 24 | head + size).to_bytes(4, "big") + vendor_octets
    return AvpType(
        name, int(kind), size, int(code), vendor, flag == "M", head, flags << 24 | head, vendor_octets, fixed
    )


def _load_avps() -> dict[str, AvpType]:
    types = [
        _avp(vendor, line)
        for module in _MODULES
        for vendor, table in module.AVPS.items()
        for line in table.splitlines()
        if line.strip()
    ]
    found = {avp.name: avp for avp in types}
    if len(found) != len(types) or len({(avp.vendor, avp.code) for avp in types}) != len(types):
        twice = sorted({avp.name for avp in types if found[avp.name] is not avp})
        raise ValueError(f"AVPs are defined twice: {', '.join(twice) or 'by code'}")
    return found


AVPS: Final[dict[str, AvpType]] = _load_avps()
"""Every known AVP by name."""

BY_CODE: Final[dict[int, dict[int, AvpType]]] = {}
"""Every known AVP by vendor (0 for none), then code."""
for _type in AVPS.values():
    BY_CODE.setdefault(_type.vendor, {})[_type.code] = _type

APPLICATIONS: Final[dict[int, ApplicationType]] = {
    each.number: each
    for each in (ApplicationType(*module.APPLICATION) for module in _MODULES if hasattr(module, "APPLICATION"))
}
"""Every known application by its Application-Id; 0 is the base protocol."""

BY_POINT: Final[dict[str, int]] = {each.point: each.number for each in APPLICATIONS.values() if each.point} | {
    point: module.APPLICATION[1] for module in _MODULES for point in getattr(module, "ALSO", ())
}
"""The Application-Id of each reference point (`S6a`); of several that have one the first is the application's own."""

COMMANDS: Final[dict[tuple[int, int, bool], Command]] = {
    (command.application, command.code, command.request): command
    for module in _MODULES
    for command in (_command(module.APPLICATION[1], *each) for each in _definitions(module.COMMANDS))
}
"""Every known command by application, code and whether it is the request."""

NAMES: Final[dict[tuple[int, bool], str]] = {(each.code, each.request): each.name for each in COMMANDS.values()}
"""The name of a command by its code alone, for a message whose application does not have it."""

SHORT: Final[dict[str, str]] = {
    f"{short[:-1]}{letter}": name.removesuffix("Request") + word
    for module in _MODULES
    for short, name in getattr(module, "SHORT", {}).items()
    for letter, word in (("R", "Request"), ("A", "Answer"))
}
"""Every command's spec's name by what the specification calls it for short (`CLR`, `CLA`)."""

GROUPS: Final[dict[str, Grammar]] = {
    name: _grammar(name, body) for module in _MODULES for name, body in _definitions(module.GROUPS)
}
"""The grammar of every grouped AVP, by name."""

KEYS: Final[frozenset[str]] = frozenset().union(*(getattr(module, "KEYS", ()) for module in _MODULES))
"""The AVPs that carry keys."""

SHARED: Final[frozenset[str]] = frozenset().union(*(getattr(module, "SHARED", ()) for module in _MODULES))
"""The grouped AVPs that many messages have alike, octet for octet: they are decoded once."""

CARRIES: Final[dict[str, tuple[str, Mapping[str, bool]]]] = {
    name: each for module in _MODULES for name, each in getattr(module, "CARRIES", {}).items()
}
"""The AVPs that hold a message of another family, and whether that is the mobile's, by the name of the command."""

ENUMERATIONS: Final[dict[str, type[IntEnum]]] = codes.ENUMERATIONS | {
    name: values for module in _MODULES for name, values in getattr(module, "ENUMERATIONS", {}).items()
}
"""The enumeration of each AVP that has one, by the AVP's name; used to name values in dissections."""

CLOSED_ENUMERATIONS: Final[frozenset[str]] = codes.CLOSED_ENUMERATIONS.union(
    *(getattr(module, "CLOSED", ()) for module in _MODULES)
)
"""AVPs whose other values are invalid (5004); the rest grow with each release and are let through."""


def requests() -> list[Command]:
    """Return the requests of all applications."""
    return [command for command in COMMANDS.values() if command.request]


def find_request(name: str, application: int | None = None) -> Command:
    """Return a request by its spec's name (`Update-Location-Request`) in any case, and its application.

    The application need be said only where several have it. Raises KeyError for none, and where it must be said.
    """
    wanted = name.lower()
    found = [each for each in requests() if each.name == wanted and application in (None, each.application)]
    if len(found) != 1:
        points = ", ".join(APPLICATIONS[each.application].point for each in found)
        raise KeyError(f"{name} is of {points}: say of which" if found else f"no request is called {name}")
    return found[0]
