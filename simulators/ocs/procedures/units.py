"""The units of services, and how requests name them (TS 32.299 7.1.12, RFC 8506 8.17 to 8.26)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.ocs.service import Service
from simwarden.wire.diameter import first
from simwarden.wire.diameter.apps.gy import ServiceContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.wire.diameter import Avps, Message

_BY_CONTEXT: Final[Mapping[str, Service]] = {
    ServiceContext.DATA: Service.DATA,
    ServiceContext.SMS: Service.SMS,
    ServiceContext.VOICE: Service.VOICE,
}
_UNITS: Final = {
    Service.DATA: "CC-Total-Octets",
    Service.SMS: "CC-Service-Specific-Units",
    Service.VOICE: "CC-Time",
}
#: octets by direction
_WAYS: Final = ("CC-Input-Octets", "CC-Output-Octets")


def service_of(asked: Message) -> Service | None:
    """Return the service of a request, None for one that is not charged here.

    Before the specification's own number stand an extension, MNC and MCC, and a release, if anything (`8.32251@...`).
    """
    words, _, domain = str(asked.get("Service-Context-Id", "")).partition("@")
    return _BY_CONTEXT.get(f"{words.rpartition('.')[2]}@{domain}")


def units_in(service: Service, units: Avps) -> int | None:
    """Return how many units stand in a Requested- or Used-Service-Unit; None: it says nothing of the service's own."""
    total: Any = first(units, _UNITS[service])
    if total is None and service is Service.DATA:
        ways = [value for name, value in units if name in _WAYS]
        total = sum(ways) if ways else None
    return int(total) if total is not None else None


def granted(service: Service, units: int) -> tuple[str, Any]:
    """Make a Granted-Service-Unit."""
    return "Granted-Service-Unit", [(_UNITS[service], units)]
