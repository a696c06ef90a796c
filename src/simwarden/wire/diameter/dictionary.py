"""The Diameter dictionary: AVPs, commands and groups, compiled once from the data modules (`base`, `s6a`).

A further application (Gx, Gy, SGd) is one more data module with AVPS, COMMANDS, GROUPS and KEYS, named in `_MODULES`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.wire.diameter import base, s6a

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MODULES: Final = (base, s6a)


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


_KINDS: Final = {
    "UTF8String": Kind.TEXT,
    "DiameterIdentity": Kind.IDENTITY,
    "DiameterURI": Kind.TEXT,
    "Unsigned32": Kind.UNSIGNED32,
    "Grouped": Kind.GROUPED,
    "OctetString": Kind.OCTETS,
    "Integer32": Kind.INTEGER32,
    "Enumerated": Kind.INTEGER32,
    "Unsigned64": Kind.UNSIGNED64,
    "TBCD": Kind.TBCD,
    "Address": Kind.ADDRESS,
    "Time": Kind.TIME,
}

_FIXED: Final = {Kind.UNSIGNED32: 4, Kind.INTEGER32: 4, Kind.UNSIGNED64: 8, Kind.TIME: 4}


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

    `extensible` says whether AVPs that are not named may be added (`*[AVP]`).
    """

    name: str
    rules: Mapping[str, tuple[int, int | None]]
    extensible: bool

    @property
    def required(self) -> tuple[str, ...]:
        """The AVPs that must be there."""
        return tuple(name for name, (least, _) in self.rules.items() if least)


@dataclass(frozen=True, slots=True)
class Command:
    """A request or an answer: its code, the application it belongs to (0 for the base protocol) and its grammar."""

    code: int
    request: bool
    proxiable: bool
    application: int
    grammar: Grammar

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
    return Grammar(name, rules, extensible)


def _definitions(text: str) -> Iterator[tuple[str, str]]:
    """Split ABNF text into names and bodies."""
    for block in re.split(r"\n(?=[\w-]+ ::=)", text.strip()):
        name, _, body = block.partition("::=")
        yield name.strip(), body


def _command(name: str, body: str) -> Command:
    header = _HEADER.search(body)
    if header is None:
        raise ValueError(f"command {name} has no Diameter Header")
    words = header[2].replace(",", " ").split()
    application = next((int(word) for word in words if word.isdigit()), 0)
    grammar = _grammar(name, body[header.end() :])
    return Command(int(header[1]), "REQ" in words, "PXY" in words, application, grammar)


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
    types = (
        _avp(vendor, line)
        for module in _MODULES
        for vendor, table in module.AVPS.items()
        for line in table.splitlines()
        if line.strip()
    )
    return {avp.name: avp for avp in types}


AVPS: Final[dict[str, AvpType]] = _load_avps()
"""Every known AVP by name."""

BY_CODE: Final[dict[int, dict[int, AvpType]]] = {}
"""Every known AVP by vendor (0 for none), then code."""
for _type in AVPS.values():
    BY_CODE.setdefault(_type.vendor, {})[_type.code] = _type

COMMANDS: Final[dict[tuple[int, bool], Command]] = {
    (command.code, command.request): command
    for module in _MODULES
    for command in (_command(name, body) for name, body in _definitions(module.COMMANDS))
}
"""Every known command by code and whether it is the request."""

REQUESTS: Final[dict[str, Command]] = {c.grammar.name: c for c in COMMANDS.values() if c.request}
"""Every known request by its spec's name (`Update-Location-Request`)."""

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
