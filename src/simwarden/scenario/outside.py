"""The addresses that external elements know of a run: one run at a time can have them on a machine."""

from __future__ import annotations

import errno
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Final

from simwarden.model.interfaces import INTERFACES, Service
from simwarden.runtime.host import HostSettings, Placement, addresses_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.runtime.transport.addresses import Address
    from simwarden.scenario.document import Scenario

#: the reason for which a fixed address may be in use, in a run whose external elements have to know it
IN_USE: Final = "another run with external elements, or another program, has it"
_UNUSABLE: Final = {errno.EADDRINUSE: IN_USE, errno.EADDRNOTAVAIL: "this machine does not have it"}


def placements_of(scenario: Scenario) -> dict[str, Placement]:
    """Return the placements of the elements that a file gives an address or a source address."""
    return {
        name: Placement(host=instance.address, source=instance.source)
        for name, instance in scenario.instances.items()
        if instance.address or instance.source
    }


def why_unusable(error: Exception) -> str:
    """Return why an address in the file cannot be used, if that is the error, or an empty string."""
    if isinstance(error, socket.gaierror):
        return "an address in the file cannot be reached from the others"
    return _UNUSABLE.get(error.errno or 0, "") if isinstance(error, OSError) else ""


def missing_address(scenario: Scenario) -> str:
    """Return an element and its address that this machine does not have, or an empty string.

    With external elements that is also the source address of an element.
    """
    for name, placement in placements_of(scenario).items():
        sources = placement.source.values() if scenario.external else ()
        given = (placement.host, *(host for host, _ in sources))
        for host in dict.fromkeys(host for each in given for host in each.split(",") if host):
            if _error_of_bind((host, 0)):
                return f"{name}: {host}"
    return ""


def address_in_use(scenario: Scenario, worker: int = 0) -> str:
    """Return an address in use that a scenario with external elements needs for datagrams, or an empty string."""
    for address in _fixed(scenario, worker):
        if _error_of_bind(address) == errno.EADDRINUSE:
            return f"{address[0]}:{address[1]}"
    return ""


def _error_of_bind(address: Address) -> int:
    """Return why no datagrams can be received at an address, 0 if they can."""
    with closing(socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        try:
            sock.bind(address)
        except OSError as error:
            return error.errno or errno.EADDRNOTAVAIL
    return 0


def _fixed(scenario: Scenario, worker: int) -> Iterator[Address]:
    external = {name: each.external or {} for name, each in scenario.external.items()}
    addresses = addresses_of(HostSettings(worker=worker, external=external, placements=placements_of(scenario)))
    if not external or not addresses.open_to_outside:
        return
    ours = {name: each.kind for name, each in scenario.instances.items() if each.external is None}
    for name in ours:
        addresses.of(name)
    for name, kind in ours.items():
        declaration = scenario.registry.declaration(kind)
        points = [INTERFACES[each] for each in (*declaration.listens, *declaration.calls)]
        for port in dict.fromkeys(each.port for each in points if each.service is Service.DATAGRAMS and each.port):
            yield addresses.bound(name), port
