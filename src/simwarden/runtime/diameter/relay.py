"""An agent that relays requests of all applications (RFC 6733 2.8.1 and 6.1): a DRA.

    node = DiameterNode(site, local, {"S6a": {}, "S13": {}}, relay=relay.handle)

A request with the Destination-Host of a peer goes there; another one by its Destination-Realm and its application. What
it carries is not looked into, and goes on octet for octet, with the Route-Record of the peer that it came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.runtime.diameter.connection import Unreachable
from simwarden.wire.diameter import DiameterError, Message, ResultCode
from simwarden.wire.diameter.codec import encode_avps
from simwarden.wire.diameter.dictionary import APPLICATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.runtime.diameter.connection import Peer
    from simwarden.runtime.diameter.node import DiameterNode


class Relay:
    """Where requests go: `routes` maps the reference point of an application to the element that serves its realm."""

    node: DiameterNode

    def __init__(self, routes: Mapping[str, str]) -> None:
        self._routes = routes

    async def handle(self, asked: Message, came_from: Peer) -> Message:
        """Send a request on, and its answer back; what cannot be sent on is answered by the agent itself."""
        try:
            target = self._next_hop(asked)
        except DiameterError as wrong:
            return self.node.answer(asked, wrong.result, reason=wrong.reason)
        onward = Message(asked.command, asked.application, asked.flags, 0, asked.end_to_end, asked.avps)
        onward.body = (asked.body or b"") + encode_avps([("Route-Record", came_from.host)])
        try:
            answer = await self.node.ask(target, onward)
        except Unreachable as reason:
            return self.node.answer(asked, ResultCode.DIAMETER_UNABLE_TO_DELIVER, reason=str(reason))
        answer.hop_by_hop = asked.hop_by_hop
        return answer

    def _next_hop(self, asked: Message) -> str:
        """Return who is asked next. Raises DiameterError: 3002, 3003 or 3007 (RFC 6733 6.1.6, 7.1.3)."""
        host, realm = asked.get("Destination-Host"), asked.get("Destination-Realm")
        if host and self.node.peer_of(host) is not None:
            return str(host)
        known = APPLICATIONS.get(asked.application)
        target = self._routes.get(known.point, "") if known is not None else ""
        if not target:
            reason = f"no route for application {asked.application}"
            raise DiameterError(ResultCode.DIAMETER_APPLICATION_UNSUPPORTED, reason)
        peer = self.node.peer_of(target)
        if peer is not None and realm != peer.realm:
            raise DiameterError(ResultCode.DIAMETER_REALM_NOT_SERVED, f"no route to realm {realm}")
        if host and peer is not None and not peer.relay:
            raise DiameterError(ResultCode.DIAMETER_UNABLE_TO_DELIVER, f"{host} is not connected")
        return target
