"""What Diameter servers share: their identity, the nodes that may speak to them, the check of who sent a request.

A server starts in three lines; its handlers hear only of requests of known nodes that are meant for it:

    peers = KnownPeers(self.site, self.config, self.config.peers, PEER)
    self.node = peers.serve({"S13": {"me-identity-check-request": self.check}})
    await self.node.listen()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from pydantic import BeforeValidator

from simwarden.machine.diameter_shared import LocalNode
from simwarden.model.identity import Plmn
from simwarden.runtime.declare import ElementConfig, Model, Networks, PlmnText, no_entry
from simwarden.runtime.diameter.node import DiameterNode
from simwarden.wire.diameter import Message, ResultCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.policy.decision import Control, Decision
    from simwarden.runtime.diameter.connection import Peer
    from simwarden.runtime.diameter.node import Handler
    from simwarden.runtime.site import Site


class PeerEntry(Model):
    """A node that may speak to the element."""

    realm: str = ""
    """Its Diameter realm; by default what follows the first label of its name."""
    relay: bool = False
    """Whether it may carry messages of other listed nodes."""
    addresses: Networks = ()
    """The addresses and networks (`192.0.2.0/24`) that it connects from; without any, whoever says its name is it."""


Entry = Annotated[PeerEntry, BeforeValidator(no_entry)]
E = TypeVar("E", bound=PeerEntry)

#: the occasion on which a node connects (RFC 6733 5.3)
CONNECTION = "capabilities-exchange"


class ServerConfig(ElementConfig):
    """Settings of every Diameter server."""

    plmn: PlmnText = "001-01"
    """Home network."""
    host: str = ""
    """Origin-Host; by default the element's name in the home network's realm (TS 23.003 19.2)."""
    realm: str = ""
    """Origin-Realm; by default the home network's."""
    address: str = "127.0.0.1"
    """Host-IP-Address told to peers."""


class KnownPeers(Generic[E]):
    """A Diameter server's identity, and the nodes that may speak to it by their Diameter identities.

    `control` decides about each node, by `policy.binding.judge_peer`: when it connects (`CONNECTION`), and at each
    request in another node's name, the occasion being the request.
    """

    def __init__(self, site: Site, config: ServerConfig, peers: Mapping[str, E], control: Control) -> None:
        self._site, self._control = site, control
        self.realm = config.realm or Plmn.parse(config.plmn).realm
        self.host = config.host or f"{site.name}.{self.realm}"
        self._address = config.address
        self._node: DiameterNode
        self.entries = {self.identity(name): entry for name, entry in peers.items()}
        #: the realms of the nodes that may speak
        self.listed = {host: entry.realm or host.partition(".")[2] for host, entry in self.entries.items()}
        self._relays = frozenset(host for host, entry in self.entries.items() if entry.relay)
        #: who says a relay's name without proof is not to speak for a name that has one
        self._pinned_relays = frozenset(host for host in self._relays if self.entries[host].addresses)
        #: by which relay a node asked last that is not a peer itself
        self.ways: dict[str, str] = {}

    def identity(self, name: str) -> str:
        """Return the Diameter identity of a node in the configuration: a short name is of the home realm."""
        return name if "." in name else f"{name}.{self.realm}"

    def local(self) -> LocalNode:
        """Return what this server says of itself; its state began now."""
        return LocalNode(self.host, self.realm, (self._address,), state_id=int(self._site.clock.wall().timestamp()))

    def serve(self, handlers: Mapping[str, Mapping[str, Handler]], **more: Any) -> DiameterNode:
        """Make the server's node; `handlers` are those of each reference point, `more` goes to `DiameterNode`."""
        checked = {point: {name: self._checked(each) for name, each in of.items()} for point, of in handlers.items()}
        self._node = DiameterNode(self._site, self.local(), checked, admit=self.admit, **more)
        return self._node

    def way_to(self, host: str) -> str:
        """Return whom to ask for a node that is perhaps no peer: the relay that it asked by last, or any that there is.

        A relay that cannot reach it says so (3002).
        """
        if self._node.peer_of(host) is not None:
            return host
        relays = [peer.host for peer in self._node.peers if peer.host in self._relays]
        return self.ways.get(host) or next(iter(relays), host)

    def _checked(self, handler: Handler) -> Handler:
        async def check(message: Message, peer: Peer) -> Message | None:
            return self.refusal(message, peer) or await handler(message, peer)

        return check

    def admit(self, host: str, realm: str, name: str) -> bool:
        """Decide whether a node may connect; `name` is that of an element in this process, else host:port."""
        pinned = self.entries[host].addresses if host in self.entries else ()
        address = name.rpartition(":")[0]
        return self._judge(host, realm, "", "", CONNECTION, address=address, pinned=pinned).admitted

    def _judge(self, host: str, realm: str, through: str, imsi: str, occasion: str, **more: Any) -> Decision:
        relays = self._pinned_relays if host in self.entries and self.entries[host].addresses else self._relays
        facts = {"host": host, "realm": realm, "listed": self.listed, "through": through, "relays": relays}
        return self._site.decide(self._control, imsi, on=occasion, **facts, **more)

    def refusal(self, message: Message, peer: Peer) -> Message | None:
        """Check who sent a request and for whom it is; return the answer that refuses it, None if it is in order.

        A request whose Origin-Host is the peer's own was judged when the peer connected.
        """
        node = self._node
        realm, host = message.get("Destination-Realm"), message.get("Destination-Host")
        if realm != self.realm:
            return node.answer(message, ResultCode.DIAMETER_REALM_NOT_SERVED, reason=f"{realm} is not served here")
        if host not in (None, self.host):
            return node.answer(message, ResultCode.DIAMETER_UNABLE_TO_DELIVER, reason=f"{host} is not here")
        origin = (message.get("Origin-Host"), message.get("Origin-Realm"))
        if origin == (peer.host, peer.realm):
            return None
        asked = message.name.removesuffix("-request")
        decision = self._judge(*origin, peer.host, str(message.get("User-Name", "")), asked)
        if decision.admitted:
            self.ways[origin[0]] = peer.host
            return None
        failed = [("Origin-Host", origin[0])]
        return node.answer(message, ResultCode.DIAMETER_INVALID_AVP_VALUE, failed=failed, reason=decision.reason)
