"""What addresses a session gets (TS 23.401 5.3.1.1): the type that is asked for, as far as its APN has it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from simwarden.wire.gtpv2 import Cause, Paa, PdnType

if TYPE_CHECKING:
    from simulators.pgw.pools import Addresses
    from simwarden.runtime.dice import Dice

_NONE: Final = ("", "0.0.0.0", "::")  # noqa: S104 - nothing is bound to it
_LOW: Final = (1 << 64) - 1


def settle_type(asked: PdnType, *, dual: bool, v4: bool, v6: bool) -> tuple[PdnType | None, Cause]:
    """Return the type that a session gets, and the cause that says so; no type: it is refused.

    `dual`: the access can have both addresses on one bearer (the flag DAF), `v4` and `v6` what the APN has.
    """
    if asked is PdnType.IPV4V6:
        if v4 and v6 and dual:
            return asked, Cause.REQUEST_ACCEPTED
        if v4 and v6:
            return PdnType.IPV4, Cause.NEW_PDN_TYPE_DUE_TO_SINGLE_ADDRESS_BEARER_ONLY
        if v4 or v6:
            return PdnType.IPV4 if v4 else PdnType.IPV6, Cause.NEW_PDN_TYPE_DUE_TO_NETWORK_PREFERENCE
    elif (asked is PdnType.IPV4 and v4) or (asked is PdnType.IPV6 and v6):
        return asked, Cause.REQUEST_ACCEPTED
    return None, Cause.PREFERRED_PDN_TYPE_NOT_SUPPORTED


def take(addresses: Addresses, kind: PdnType, asked: Paa, owner: object, rng: Dice) -> Paa | Cause:
    """Take the addresses of a session, the static ones of the subscription where `asked` names some."""
    v4, v6 = kind is not PdnType.IPV6, kind is not PdnType.IPV4
    static4 = asked.ipv4 if asked.ipv4 not in _NONE else ""
    static6 = str(ipaddress.IPv6Address(_prefix(asked.ipv6))) if asked.ipv6 not in _NONE else ""
    found4 = addresses.take(4, static4, owner) if v4 else ""
    found6 = addresses.take(6, static6, owner) if v6 and (found4 or not v4) else ""
    if (v4 and not found4) or (v6 and not found6):
        if found4:
            addresses.give_back(found4)
        lacking = static6 if found4 or not v4 else static4
        return Cause.NO_RESOURCES_AVAILABLE if lacking else Cause.ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED
    if not found6:
        return Paa(kind, found4)
    identifier = int(ipaddress.IPv6Address(asked.ipv6)) & _LOW
    while not identifier:
        identifier = rng.randrange(1 << 64)
    return Paa(kind, found4, str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(found6)) | identifier)))


def give_back(addresses: Addresses, paa: Paa) -> None:
    """Let the addresses of a session be others'."""
    if paa.ipv4:
        addresses.give_back(paa.ipv4)
    if paa.ipv6:
        addresses.give_back(prefix_of(paa))


def prefix_of(paa: Paa) -> str:
    """Return the prefix of a session, without the interface identifier."""
    return str(ipaddress.IPv6Address(_prefix(paa.ipv6)))


def _prefix(address: str) -> int:
    return int(ipaddress.IPv6Address(address)) & ~_LOW
