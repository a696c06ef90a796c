"""The nodes that an element speaks with in the signalling network: the point that reaches them, and who is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.machine.m3ua_gateway import ApplicationServer
from simwarden.machine.sccp import Translation
from simwarden.runtime.sigtran.gateway import Place
from simwarden.runtime.sigtran.point import Route, SignallingPoint
from simwarden.runtime.sigtran.settings import SignallingPeer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.runtime.sigtran.settings import Signalling, SignallingNode
    from simwarden.runtime.site import Site
    from simwarden.wire.sccp import Address


def make_point(site: Site, settings: Signalling, nodes: Mapping[str, SignallingNode]) -> SignallingPoint:
    """Make the signalling point of an element: it reaches nodes by its own associations, or by those that they make.

    A node that is named as an element of this process is that element; one outside is known by its addresses.
    """
    routes = [Route(name, each.routing_context, each.point_codes) for name, each in settings.routes.items()]
    known = nodes.values()
    servers = None if routes else [ApplicationServer(each.point_code, each.point_code) for each in known]
    titles = [Translation(each.number, each.point_code) for each in known]
    places = {each.point_code: _place(site, name, each) for name, each in nodes.items()}
    return SignallingPoint(
        site, settings.point_code, routes=routes, servers=servers, translations=titles, places=places
    )


def _place(site: Site, name: str, node: SignallingNode) -> Place:
    """Return the host of the processes of a node."""
    addresses = node.addresses if isinstance(node, SignallingPeer) else ()
    return Place(name if site.has_element(name) else "", addresses)


def is_at(node: SignallingNode, address: Address) -> bool:
    """Whether an address that somebody speaks from is a node's: by its point code and its global title, where told."""
    title = address.global_title
    told = address.point_code is not None or title is not None
    return told and address.point_code in (None, node.point_code) and (title is None or title.digits == node.number)


def node_at(address: Address, nodes: Mapping[str, SignallingNode], number: str | None = None) -> str:
    """Return the name of the node that speaks from an address and, where it names itself, has the number; else ''."""
    fits = (name for name, each in nodes.items() if is_at(each, address) and number in (None, each.number))
    return next(fits, "")
