"""What all procedures of the HSS share: subscribers, peers, decisions, and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.hss import controls
from simwarden.model.identity import Imei, Plmn, imei_key
from simwarden.runtime.diameter import DiameterNode, LocalNode, Peer, Unreachable
from simwarden.wire.diameter import DiameterError, ExperimentalResult, Message, ResultCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from simulators.hss.config import HssConfig, PeerEntry
    from simulators.hss.store import Store
    from simulators.hss.subscriber import Subscriber
    from simwarden.policy.decision import Control, Decision
    from simwarden.runtime.element import Site


class Core:
    """The state of one HSS while it runs."""

    def __init__(self, site: Site, config: HssConfig, store: Store) -> None:
        self.site, self.config, self.store = site, config, store
        plmn = Plmn.parse(config.plmn)
        self.realm = config.realm or plmn.realm
        self.host = config.host or f"{site.name}.{self.realm}"
        self.peers: dict[str, PeerEntry] = {self.identity(name): entry for name, entry in config.peers.items()}
        self.listed = {host: entry.realm or host.partition(".")[2] for host, entry in self.peers.items()}
        self.relays = {host for host, entry in self.peers.items() if entry.relay}
        self.node: DiameterNode
        #: MMEs that must hear that this HSS was restarted
        self.to_reset = set(store.serving_nodes())
        #: what an MME could not be told while it was unreachable, to be said when it is back
        self.owed: dict[str, list[Callable[[], Awaitable[None]]]] = {}

    def identity(self, name: str) -> str:
        """Return the Diameter identity of a node in the configuration: a short name is of the home realm."""
        return name if "." in name else f"{name}.{self.realm}"

    def start_node(self, handlers: Mapping[str, Callable[[Message, Peer], Awaitable[Message]]]) -> DiameterNode:
        """Make the Diameter node; it listens when told."""
        local = LocalNode(
            self.host, self.realm, (self.config.address,), state_id=int(self.site.clock.wall().timestamp())
        )
        self.node = DiameterNode(
            self.site, local, handlers, admit=self._admit, opened=self._opened, timeout=self.config.answer_time
        )
        return self.node

    # -- peers

    def _admit(self, host: str, realm: str, _name: str) -> bool:
        return self._judge_peer(host, realm, "", "").admitted

    def _judge_peer(self, host: str, realm: str, through: str, imsi: str) -> Decision:
        return self.site.decide(
            controls.PEER, imsi, host=host, realm=realm, listed=self.listed, through=through, relays=self.relays
        )

    def _opened(self, peer: Peer) -> None:
        from simulators.hss.procedures.subscriber_data import reset  # noqa: PLC0415 - they need each other

        if peer.host in self.to_reset:
            self.to_reset.discard(peer.host)
            self.site.spawn(reset(self, peer), "reset")
        for work in self.owed.pop(peer.host, ()):
            self.site.spawn(_run(work), "told late")

    def check_origin(self, message: Message, peer: Peer) -> Message | None:
        """Check who sent a request and for whom it is; return the answer that refuses it, None if it is in order.

        A request whose Origin-Host is the peer's own was judged when the peer connected.
        """
        realm, host = message.get("Destination-Realm"), message.get("Destination-Host")
        if realm != self.realm:
            return self.node.answer(message, ResultCode.DIAMETER_REALM_NOT_SERVED, reason=f"{realm} is not served here")
        if host not in (None, self.host):
            return self.node.answer(message, ResultCode.DIAMETER_UNABLE_TO_DELIVER, reason=f"{host} is not here")
        origin = (message.get("Origin-Host"), message.get("Origin-Realm"))
        if origin == (peer.host, peer.realm):
            return None
        decision = self._judge_peer(*origin, peer.host, str(message.get("User-Name", "")))
        if decision.admitted:
            return None
        failed = [("Origin-Host", origin[0])]
        return self.node.answer(message, ResultCode.DIAMETER_INVALID_AVP_VALUE, failed=failed, reason=decision.reason)

    def from_home(self, message: Message) -> bool:
        """Whether a request comes from the home province's network."""
        entry = self.peers.get(message.get("Origin-Host"))
        return entry is not None and entry.home_province

    # -- subscribers

    def find(self, message: Message) -> Subscriber | Message:
        """Return the subscriber that a request is about, or the answer that there is none (TS 29.272 5.2)."""
        imsi = message.get("User-Name")
        subscriber = self.store.get(imsi)
        decision = self.site.decide(controls.SUBSCRIBER, imsi, known=subscriber is not None)
        if subscriber is not None and decision.admitted:
            return subscriber
        return self.node.answer(message, ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN)

    def judge_binding(self, subscriber: Subscriber, seen: str, *, from_home: bool) -> Decision | None:
        """Let the card's binding decide about a terminal; None for a card that is not bound."""
        lenient = self.config.without_imei == "admit"
        if subscriber.mode == "given":
            return self._decide(
                controls.GIVEN, subscriber, bound=subscriber.bound, seen=seen, admit_unidentified=lenient
            )
        if subscriber.mode == "learned":
            return self._decide(
                controls.LEARNED,
                subscriber,
                bound=subscriber.bound,
                seen=seen,
                from_home=from_home,
                admit_unidentified=lenient,
            )
        return None

    def _decide(self, control: Control, subscriber: Subscriber, **facts: Any) -> Decision:
        return self.site.decide(control, subscriber.imsi, **facts)

    def record_mismatch(self, subscriber: Subscriber, decision: Decision, where: str) -> None:
        """Put a refused terminal into the audit, with the risk scene that operators' platforms give it."""
        details = {"scene": "012", "where": where, "reason": decision.reason, **decision.details}
        self.store.audit(self.record("mismatch", subscriber.imsi, details))

    def record(
        self, action: str, imsi: str, details: Mapping[str, Any], *, role: str = "network", caller: str = ""
    ) -> dict[str, Any]:
        """Make an audit record."""
        at = self.site.clock.wall().isoformat()
        return {"at": at, "role": role, "caller": caller, "action": action, "imsi": imsi, "details": dict(details)}

    def remember(self, host: str, work: Callable[[], Awaitable[None]]) -> None:
        """Keep something to be said to an MME when it is back."""
        self.owed.setdefault(host, []).append(work)

    # -- what others may observe

    def show_binding(self, subscriber: Subscriber) -> None:
        """Report a card's binding."""
        bound = subscriber.bound
        value = {"imsi": subscriber.imsi, "imei": Imei(bound).imei, "how": subscriber.mode} if bound else None
        self.site.observe("binding", value, key=subscriber.imsi)

    def show_registration(self, subscriber: Subscriber) -> None:
        """Report which MME serves a card."""
        value = None
        if subscriber.mme:
            imei = Imei(subscriber.imei).imei if subscriber.imei else ""
            value = {"imsi": subscriber.imsi, "mme": subscriber.mme, "imei": imei, "plmn": subscriber.plmn}
        self.site.observe("registration", value, key=subscriber.imsi)

    def show_status(self, subscriber: Subscriber) -> None:
        """Report whether a card is suspended."""
        status = subscriber.suspended or "active"
        self.site.observe("subscription", {"imsi": subscriber.imsi, "status": status}, key=subscriber.imsi)


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def terminal_of(message: Message) -> str:
    """Return the 14 digits of the IMEI in Terminal-Information, empty if there is none. Raises DiameterError (5004)."""
    imei = message.find("Terminal-Information", "IMEI")
    if not imei:
        return ""
    try:
        return imei_key(imei)
    except ValueError as wrong:
        raise DiameterError(ResultCode.DIAMETER_INVALID_AVP_VALUE, str(wrong), [("IMEI", imei)]) from None


def visited_plmn(message: Message) -> Plmn:
    """Return Visited-PLMN-Id. Raises DiameterError (5004)."""
    octets = message.get("Visited-PLMN-Id")
    try:
        return Plmn.from_bytes(octets)
    except ValueError as wrong:
        raise DiameterError(ResultCode.DIAMETER_INVALID_AVP_VALUE, str(wrong), [("Visited-PLMN-Id", octets)]) from None


__all__ = ["Core", "Peer", "Unreachable", "terminal_of", "visited_plmn"]
