"""What all procedures of the HSS share: subscribers, peers, decisions, and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.hss import controls
from simulators.hss.config import HlrSignalling, HssCsi, HssPeer
from simulators.hss.subscriber import AREA_CHANGE, BINDING_CHANGES, CSI_CHANGE
from simwarden.errors import ManagementError
from simwarden.model.identity import Imei, Plmn
from simwarden.operations.approval import Audit
from simwarden.operations.number_ranges import load_ranges
from simwarden.operations.restriction import Restriction
from simwarden.policy.binding import FirstUse
from simwarden.policy.risk_scenes import SEPARATED
from simwarden.runtime.diameter import DiameterNode, Handler, Unreachable
from simwarden.runtime.diameter.server import KnownPeers
from simwarden.wire.diameter import DiameterError, ExperimentalResult, Message, ResultCode
from simwarden.wire.diameter.codes import UlrFlags

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from simulators.hss.config import HssConfig
    from simulators.hss.controls import Occasion
    from simulators.hss.store import Store
    from simulators.hss.subscriber import Subscriber
    from simwarden.policy.decision import Decision
    from simwarden.runtime.diameter import Peer
    from simwarden.runtime.sigtran.map_node import Handler as MapHandler
    from simwarden.runtime.sigtran.map_node import MapNode
    from simwarden.runtime.sigtran.point import SignallingPoint
    from simwarden.runtime.site import Site
    from simwarden.wire.asn1 import Record
    from simwarden.wire.sccp import Address
    from simwarden.wire.tcap import Context
    from simwarden.wire.tcap.user import Operation


#: subsystems (TS 23.003 annex A)
_HLR, _VLR = 6, 7
#: the most seconds until an MME that does not answer is told again
LONGEST_PAUSE = 600.0
_NOT_TAKEN = (
    ResultCode.DIAMETER_UNABLE_TO_DELIVER,
    ResultCode.DIAMETER_TOO_BUSY,
    ResultCode.DIAMETER_LOOP_DETECTED,
)


class Core:
    """The state of one HSS while it runs."""

    def __init__(self, site: Site, config: HssConfig, store: Store) -> None:
        self.site, self.config, self.store = site, config, store
        self.peers = KnownPeers(
            site, config, {name: HssPeer() for name in config.centres} | config.peers, controls.PEER
        )
        #: addresses of the dedicated service centres, by their Diameter identities
        self.centres = {self.peers.identity(name): address for name, address in config.centres.items()}
        self._nodes = {self.peers.identity(name) for name in config.peers}
        self.audit = audit = Audit(site, store.audit, count=store.count)
        self.binding = Restriction(audit, controls.BINDING, config.binding_changes, BINDING_CHANGES)
        self.area = Restriction(audit, controls.AREA, config.area_changes, (AREA_CHANGE,))
        self.csi = Restriction(audit, controls.CSI, config.csi_changes, (CSI_CHANGE,))
        self.ranges = load_ranges(config.ranges)
        #: the HLR part, which is there where it has a place in the signalling network
        self.signalling = config.signalling or HlrSignalling()
        self._vlrs = {each.number: each for each in self.signalling.nodes.values()} if config.signalling else {}
        self.point: SignallingPoint | None = None
        self._map: MapNode
        self.node: DiameterNode
        #: tells an MME what is pending for it
        self.tell_pending: Callable[[str], Coroutine[Any, Any, None]]
        #: MMEs that are being told what is pending for them
        self.telling: set[str] = set()
        #: service centres that are being alerted of a card, by its IMSI and their identity
        self.alerting: set[tuple[str, str]] = set()
        #: MMEs that will be told again, and seconds until those that did not answer are told again next time
        self._planned: set[str] = set()
        self._pauses: dict[str, float] = {}
        #: MMEs that must hear that this HSS was restarted
        self.to_reset = set(store.serving_nodes())

    def start_node(
        self,
        handlers: Mapping[str, Handler],
        opened: Callable[[Peer], None] = lambda _: None,
        of_centres: Mapping[str, Handler] = {},
    ) -> DiameterNode:
        """Make the Diameter node; it listens when told. `opened` is called with a node that has connected.

        `of_centres` are the handlers of S6c, which is there where service centres are named.
        """
        points = {"S6a": {name: self._for_nodes(each) for name, each in handlers.items()}}
        if self.centres:
            points["S6c"] = dict(of_centres)
        self.node = self.peers.serve(points, opened=opened, timeout=self.config.answer_time)
        return self.node

    def start_hlr(self, handlers: Mapping[Operation, MapHandler]) -> SignallingPoint:
        """Make the signalling point with the HLR at it; it is there when it is told to start."""
        from simwarden.runtime.sigtran.map_node import MapNode  # noqa: PLC0415 - only who serves calls pays for it
        from simwarden.runtime.sigtran.nodes import make_point  # noqa: PLC0415

        self.point = make_point(self.site, self.signalling, self.signalling.nodes)
        self._map = MapNode(self.point, _HLR, handlers)
        return self.point

    def _for_nodes(self, handler: Handler) -> Handler:
        """Let no service centre, which may connect for S6c, ask or say what MMEs do."""

        async def check(message: Message, peer: Peer) -> Message | None:
            host, realm = message.get("Origin-Host"), message.get("Origin-Realm")
            if host not in self._nodes:
                listed = {name: self.peers.listed[name] for name in self._nodes}
                asked = message.name.removesuffix("-request")
                facts = {"host": host, "realm": realm, "listed": listed}
                if not self.site.decide(controls.PEER, message.get("User-Name", ""), on=asked, **facts).admitted:
                    failed = [("Origin-Host", host)]
                    return self.node.answer(message, ResultCode.DIAMETER_INVALID_AVP_VALUE, failed=failed)
            return await handler(message, peer)

        return check

    # -- peers

    async def ask_vlr(self, number: str, context: Context, operation: Operation, argument: Record) -> Any:
        """Ask a VLR by its number. Raises MapError, NoAnswer."""
        from simwarden.runtime.sigtran.map_node import NoAnswer  # noqa: PLC0415 - as above
        from simwarden.wire.sccp import Address  # noqa: PLC0415

        node = self._vlrs.get(number)
        if node is None:
            raise NoAnswer(f"no VLR with the number {number} is known")
        return await self._map.ask(Address(_VLR, node.point_code), context, operation, argument)

    def listed_nodes(self, address: Address) -> dict[str, bool]:
        """Return the numbers of all VLRs and GMSCs, and whether an address is theirs."""
        from simwarden.runtime.sigtran.nodes import is_at  # noqa: PLC0415 - as above

        return {number: is_at(node, address) for number, node in self._vlrs.items()}

    async def ask(self, host: str, request: Message) -> Message:
        """Ask an MME; one that is no peer by the relay that carries its requests. Raises Unreachable.

        So it does where the answer says that the MME was not reached, or takes nothing now (RFC 6733 7.1.3).
        """
        answer = await self.node.ask(self._way_to(host), request)
        if answer.result_code in _NOT_TAKEN:
            raise Unreachable(f"it was answered {ResultCode(answer.result_code).name}")
        return answer

    def _way_to(self, host: str) -> str:
        return host if self._is_peer(host) else self.peers.ways.get(host, host)

    def _is_peer(self, host: str) -> bool:
        return any(host == peer.host for peer in self.node.peers)

    def tell_again(self, host: str) -> None:
        """See to it that a VLR, or a connected MME, that has not answered is told after a pause, doubled each time.

        An MME that is not connected is told when it is.
        """
        if host not in self._planned and (host in self._vlrs or self._is_peer(self._way_to(host))):
            self._planned.add(host)
            self.site.spawn(self._tell_again(host), "told again")

    async def _tell_again(self, host: str) -> None:
        pause = self._pauses.get(host, self.config.retry)
        self._pauses[host] = min(2 * pause, max(LONGEST_PAUSE, self.config.retry))
        try:
            await self.site.clock.sleep(pause)
        finally:
            self._planned.discard(host)
        await self.tell_pending(host)

    def all_told(self, host: str) -> None:
        """Take note that an MME has answered all that it was told: the next pause is a short one."""
        self._pauses.pop(host, None)

    def first_use(self, subscriber: Subscriber, message: Message) -> FirstUse:
        """Tell what speaks for a request as the first use of a card. A NOR is none."""
        origin, flags = message.get("Origin-Host"), message.get("ULR-Flags")
        if flags is None:
            return FirstUse()
        entry = self.peers.entries.get(origin)
        return FirstUse(
            home_province=entry is not None and entry.home_province,
            home_network=self._is_home(visited_plmn(message), subscriber.imsi),
            vectors=origin in subscriber.vectors,
            initial_attach=bool(flags & UlrFlags.INITIAL_ATTACH),
        )

    def _is_home(self, visited: Plmn, imsi: str) -> bool:
        """Whether a network is the operator's: the configured one, or the one that the IMSI names."""
        return str(visited) == self.config.plmn or imsi.startswith(visited.mcc + visited.mnc)

    # -- subscribers

    def card(self, imsi: str) -> Subscriber:
        """Return a card. Raises ManagementError (404)."""
        found = self.store.get(imsi)
        if found is None:
            raise ManagementError(404, f"{self.site.name} has no card {imsi}")
        return found

    def find(self, message: Message, occasion: Occasion) -> Subscriber | Message:
        """Return the subscriber that a request is about, or the answer that there is none (TS 29.272 5.2)."""
        imsi = message.get("User-Name")
        subscriber = self.store.get(imsi)
        decision = self.site.decide(controls.SUBSCRIBER, imsi, on=occasion, known=subscriber is not None)
        if subscriber is not None and decision.admitted:
            return subscriber
        return self.node.answer(message, ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN)

    def csi_of(self, subscriber: Subscriber) -> HssCsi:
        """Return a card's CAMEL subscription."""
        return HssCsi.model_validate(subscriber.csi) if subscriber.csi else self.signalling.csi

    def judge_binding(self, subscriber: Subscriber, seen: str, occasion: Occasion, use: FirstUse) -> Decision | None:
        """Let the card's binding decide about a terminal; None for a card that is not bound."""
        lenient = self.config.without_imei == "admit"
        facts: dict[str, Any] = {"bound": subscriber.bound, "seen": seen, "admit_unidentified": lenient}
        if subscriber.mode == "given":
            return self.site.decide(controls.GIVEN, subscriber.imsi, on=occasion, **facts)
        if subscriber.mode == "learned":
            return self.site.decide(controls.LEARNED, subscriber.imsi, on=occasion, use=use, **facts)
        return None

    def mismatch(self, subscriber: Subscriber, decision: Decision, where: str) -> dict[str, Any]:
        """Make the audit record of a refused terminal, with the risk scene that operators' platforms give it."""
        details = {"scene": SEPARATED, "where": where, "reason": decision.reason, **decision.details}
        return self.audit.record("mismatch", subscriber.imsi, details)

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

    def show_vlr(self, subscriber: Subscriber) -> None:
        """Report which VLR serves a card's calls."""
        value = None
        if subscriber.vlr:
            imei = Imei(subscriber.vlr_imei).imei if subscriber.vlr_imei else ""
            value = {"imsi": subscriber.imsi, "vlr": subscriber.vlr, "msc": subscriber.msc, "imei": imei}
        self.site.observe("location", value, key=subscriber.imsi)

    def show_status(self, subscriber: Subscriber) -> None:
        """Report whether a card is suspended."""
        status = subscriber.suspended or "active"
        self.site.observe("subscription", {"imsi": subscriber.imsi, "status": status}, key=subscriber.imsi)


def visited_plmn(message: Message) -> Plmn:
    """Return Visited-PLMN-Id. Raises DiameterError (5004)."""
    octets = message.get("Visited-PLMN-Id")
    try:
        return Plmn.from_bytes(octets)
    except ValueError as wrong:
        raise DiameterError(ResultCode.DIAMETER_INVALID_AVP_VALUE, str(wrong), [("Visited-PLMN-Id", octets)]) from None
