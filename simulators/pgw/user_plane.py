"""The packets of a PGW's sessions, between their tunnels and SGi.

A packet takes few steps: its tunnel or address finds the session, its source must be the device's, a rule lets its flow
pass, and so does the AMBR, it is counted for its flow and its session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.pgw import gate, rules
from simulators.pgw.addressing import prefix_of
from simulators.pgw.controls import BLACKLIST, GATE, QUOTA, WHITELIST
from simulators.pgw.credit import NOTHING_LEFT
from simulators.pgw.flow_records import EndReason, close_flow, watch
from simulators.pgw.flow_table import GRAIN, LASTING
from simulators.pgw.inspection import begin, look
from simulators.pgw.refusal_answers import ROUTER, build_answer
from simulators.pgw.session import FREE, IDLE, IDLE_CONNECTION, FlowCount
from simwarden.errors import PeerError
from simwarden.machine.inspection.packets import segment_in
from simwarden.machine.ip_fragments import Whole
from simwarden.runtime.gtp.user import UserPlane
from simwarden.trace.records import CauseForRecClosing
from simwarden.wire import ip
from simwarden.wire.tft import first_that_fits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simulators.pgw.core import Core
    from simulators.pgw.session import Bearer, Session
    from simwarden.machine.token_bucket import Bucket
    from simwarden.runtime.link import Link
    from simwarden.wire.gtpv2 import FTeid

#: why packets go no further
SPOOFED = "its source address is not the device's"
UNBOUND = "its bearer has no filter that it fits"
OUTSIDE = "the card is not in its cells"
NO_WAY_OUT = "there is no way out on SGi"
NO_SESSION = "no session has its address"
ENDING = "its session is being ended"
ROUTED = "it goes to others than its destination first"
#: the controls by which lists refuse a flow
_LISTS: Final = frozenset({WHITELIST.id, BLACKLIST.id})
_ICMPV6, _SOLICITATION = ip.Protocol.ICMPV6, ip.Icmpv6Type.ROUTER_SOLICITATION
_LINK_LOCAL = b"\xfe\x80"
#: flags by which a connection begins or ends; a SYN may say more (RFC 3168 6.1.1)
_ENDS = ip.TcpFlag.SYN | ip.TcpFlag.ACK | ip.TcpFlag.FIN | ip.TcpFlag.RST


def _way(session: Session, flow: ip.Flow, packet: bytes) -> tuple[FTeid, Bucket]:
    """Return by which bearer packets to the device go: the dedicated one that they fit first, else the default one."""
    for bearer in session.bearers.values():
        end = bearer.sgw_user
        if end is not None and first_that_fits(bearer.filters, flow, packet, up=False) is not None:
            return end, bearer.downlink
    return session.sgw_user, session.downlink


def _exceeded_rule_rate(session: Session, count: FlowCount, size: int, now: float, *, up: bool) -> Bucket | None:
    """Return the rate of its rule that a packet exceeds (TS 29.212 4.5.5.7); None if it fits or there is none."""
    rates = session.rates.get(count.rule.name) if count.rule is not None else None
    return rates[not up] if rates is not None and not rates[not up].take(size, now) else None


def _is_over(session: Session, flow: ip.Flow, count: FlowCount, now: float) -> bool:
    """Whether a flow that was silent for a while is another one by now, and may have other names."""
    connected = flow.protocol == ip.Protocol.TCP and bool(count.up or count.down)
    return session.rules.directed and (not connected or now - count.ended > IDLE_CONNECTION)


def _is_another(flow: ip.Flow, count: FlowCount, packet: bytes) -> bool:
    """Whether a packet begins another connection by the ports of one that was closed amid it: SYN, and nothing else.

    One whose SYN had octets was closed by them, and goes on without (RFC 7413 4.1.3). It is judged as any new one.
    Octets of the old connection behind it pass no more: those of a SYN that its far end has not answered are
    unreadable.
    """
    began = count.uplink_packets + count.downlink_packets or count.shown
    if flow.protocol != ip.Protocol.TCP or not began:
        return False
    segment = segment_in(packet)
    return segment is not None and segment.flags & _ENDS == ip.TcpFlag.SYN and not segment.payload


def _parts(packets: Iterable[bytes]) -> list[bytes]:
    """Return packets as they came, those that were put together for a closer look in their fragments."""
    return [part for each in packets for part in (each.parts if isinstance(each, Whole) else (each,))]


def _octets(packet: bytes) -> int:
    return sum(map(len, _parts((packet,))))


class _Held(NamedTuple):
    """A packet that waits for octets: of which session and flow, how large it is, and whether the device sent it."""

    session: Session
    flow: ip.Flow
    counted: FlowCount
    packet: bytes
    size: int
    up: bool


def _passed(session: Session, count: FlowCount, size: int, *, up: bool) -> None:
    """Count a packet that passes."""
    if up:
        count.uplink_packets += 1
        count.uplink_octets += size
    else:
        count.downlink_packets += 1
        count.downlink_octets += size
    count.passed, count.closed = count.ended, False
    if not session.paused:
        _charge(session, count, size, up=up)
    elif size > session.largest[0]:
        session.largest = size, count


def _charge(session: Session, count: FlowCount, size: int, *, up: bool) -> None:
    """Count a packet for the records of its session, and for its PCRF."""
    if session.gx is not None or session.credit is not None:
        group = count.rule.rating_group if count.rule is not None else count.group  # charged offline, not FREE
        session.count_service(group, size, count.ended, up=up)
    session.account.count(size, up=up)
    if session.usage is not None:
        session.usage.count(size, count.rule, up=up)


def _group_of(session: Session, count: FlowCount) -> int:
    return count.group if count.group is not None else session.addresses.config.rating_group


class Gateway:
    """The user plane of one PGW."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.plane = UserPlane(core.site, "S5-U", check_senders=core.config.check_senders)
        self.plane.on_error = self._lose
        self.sgi: Link | None = None

    def connect(self, link: Link, lost: Callable[[], object]) -> None:
        """Have a way out; `lost` is called when it is there no longer."""
        self.sgi = link
        link.on_packets = self.downlink
        link.on_close = lambda _reason: self._disconnect(lost)

    def _disconnect(self, lost: Callable[[], object]) -> None:
        self.sgi = None
        lost()

    def open(self, session: Session) -> None:
        """Open the tunnel of a session."""
        session.user_teid = self.plane.open(
            lambda packets: self._receive(session, packets), senders=lambda: session.sgw_user.addresses
        )
        session.tunnels += (session.user_teid,)

    def close(self, session: Session) -> None:
        """Close all tunnels of a session."""
        for teid in session.tunnels:
            self.plane.close(teid)
        session.tunnels = ()

    def _lose(self, teid: int, host: str) -> None:
        """End the sessions whose tunnel the SGW does not have (TS 23.007 22)."""
        sessions, far = list(self.core.by_teid.values()), (teid, host)
        for session, bearer in [(each, bearer) for each in sessions for bearer in each.bearers.values()]:
            if bearer.sgw_user is not None and (bearer.sgw_user.teid, bearer.sgw_user.address) == far:
                self.core.site.note("the SGW has lost a bearer's tunnel", imsi=session.imsi, bearer=bearer.name)
                self.core.close_bearer(session, bearer)
        for session in sessions:
            if (session.sgw_user.teid, session.sgw_user.address) == far:
                self.core.site.note("the SGW has lost a session's tunnel", imsi=session.imsi)
                self.core.close(session, CauseForRecClosing.ABNORMAL_RELEASE)

    def settle(self, session: Session) -> None:
        """Charge the largest packet of a pause: the SGW delivers one packet when the device connects."""
        (size, count), session.largest = session.largest, (0, None)
        if count is None:
            return
        _charge(session, count, size, up=False)
        if session.credit is not None and count.group != FREE:
            session.credit.debit(_group_of(session, count), size, up=False)

    # -- from the device

    def open_bearer(self, session: Session, bearer: Bearer) -> None:
        """Open the tunnel of a dedicated bearer."""
        bearer.user_teid = self.plane.open(
            lambda packets: self._receive(session, packets, bearer),
            senders=lambda: (bearer.sgw_user or session.sgw_user).addresses,
        )
        session.tunnels += (bearer.user_teid,)

    def close_bearer(self, session: Session, bearer: Bearer) -> None:
        """Close the tunnel of a dedicated bearer."""
        self.plane.close(bearer.user_teid)
        session.tunnels = tuple(each for each in session.tunnels if each != bearer.user_teid)

    def _receive(self, session: Session, packets: list[bytes], bearer: Bearer | None = None) -> None:
        """Handle packets of a tunnel; drop them if its session is being ended."""
        if session.teid not in self.core.ending:
            self.uplink(session, packets, bearer)
            return
        for packet in packets:
            self._drop(session, packet, ENDING)

    def uplink(self, session: Session, packets: list[bytes], bearer: Bearer | None = None) -> None:
        """Let packets of a device out, those of a dedicated bearer if they are of it (TS 23.203 6.1.1.1)."""
        now = self.core.site.clock.now()
        passed: list[bytes] = []
        inspected = session.inspected
        for came in packets:
            packet = came
            try:
                flow = ip.flow_of(packet)
            except PeerError as error:
                self._drop(session, packet, error.reason)
                continue
            source = flow.source
            if source != session.ipv4 and source[:8] != session.prefix:
                self._from_link(session, packet, flow)
                continue
            if inspected and not ip.is_plain(packet):
                whole = self._whole(session, flow, packet, now, up=True)
                if whole is None:
                    continue
                packet, flow = whole, ip.flow_of(whole)
            if bearer is not None and first_that_fits(bearer.filters, flow, packet, up=True) is None:
                self._refuse(session, flow, packet, UNBOUND, up=True)
            elif self.sgi is None:
                self._refuse(session, flow, packet, NO_WAY_OUT, up=True)
            elif self._count(session, flow, packet, (bearer or session).uplink, now, up=True):
                passed.append(packet)
        if self.sgi is not None:
            self.sgi.send_packets(_parts(passed) if inspected else passed)

    def _from_link(self, session: Session, packet: bytes, flow: ip.Flow) -> None:
        """Answer who asks for its prefix from its link-local address; else a source is another's."""
        asks = flow.source[:2] == _LINK_LOCAL and flow.protocol == _ICMPV6 and packet[40:41] == bytes((_SOLICITATION,))
        if not asks or not session.prefix:
            self._refuse(session, flow, packet, SPOOFED, up=True)
            return
        told = ip.RouterAdvertisement(prefix_of(session.paa), mtu=session.addresses.config.mtu)
        self._send(session.sgw_user, [ip.encode(ip.encode_router_advertisement(told, ROUTER))])

    # -- to the device

    def downlink(self, packets: Sequence[bytes]) -> None:
        """Bring packets from SGi to the sessions that they are for."""
        now, found = self.core.site.clock.now(), self.core.by_address
        passed: dict[FTeid, list[bytes]] = {}
        for came in packets:
            packet = came
            try:
                flow = ip.flow_of(packet).back()
            except PeerError as error:
                self._drop(None, packet, error.reason)
                continue
            session = found.get(flow.source) or found.get(flow.source[:8])
            if session is None:
                self._drop(None, packet, NO_SESSION)
                continue
            if not ip.is_plain(packet) and session.inspected:
                whole = self._whole(session, flow, packet, now, up=False)
                if whole is None:
                    continue
                packet, flow = whole, ip.flow_of(whole).back()
            end, bucket = _way(session, flow, packet)
            if self._count(session, flow, packet, bucket, now, up=False):
                passed.setdefault(end, []).extend((packet,) if type(packet) is bytes else _parts((packet,)))
        for end, each in passed.items():
            self._send(end, each)

    def _send(self, end: FTeid, packets: list[bytes]) -> None:
        self.plane.send(packets, end.teid, end.address, "S5-U")

    # -- both ways

    def _count(self, session: Session, flow: ip.Flow, packet: bytes, bucket: Bucket, now: float, *, up: bool) -> bool:
        """Count a packet, and say whether it passes; octets are those of the packet itself (TS 32.251)."""
        if session.closed_by:
            self._refuse(session, flow, packet, session.closed_by, f"{session.closed_by}: {OUTSIDE}", up=up)
            return False
        count = session.flows.get(flow)
        if (
            count is None
            or (now - count.ended > IDLE and _is_over(session, flow, count, now))
            or (up and count.up is False and _is_another(flow, count, packet))
        ):
            count = self._begin(session, flow, now, up=up)
        if count.settled is not session.rules or (count.up if up else count.down) is None:
            rules.judge(self.core, session, flow, count, packet, up=up)
        asks = not (count.up if up else count.down) or (not up and session.gated)
        if asks and (refused := self._ruled_out(session, flow, count, packet, up=up)) is not None:
            self._refuse(session, flow, packet, *refused, up=up)
            return False
        size = len(packet) if type(packet) is bytes else _octets(packet)
        count.ended = now
        if up and session.paused:  # the device is there
            self.core.pause(session, paused=False)
        limit = _exceeded_rule_rate(session, count, size, now, up=up) if session.rates else None
        if limit is not None or not bucket.take(size, now):
            limit = limit or bucket
            count.dropped += 1
            count.dropped_octets += size
            count.over = limit.over.partition(":")[0]
            self._drop(session, packet, limit.over)
            self._touch(session, flow, count, now)
            return False
        watched, closed = count.watch is not None, count.closed
        if watched and not self._look(session, flow, count, packet, up=up):
            return False
        if (
            session.credit is not None
            and not session.paused
            and count.group != FREE
            and not self._paid(session, flow, count, packet, size, up=up)
        ):
            return False
        _passed(session, count, size, up=up)
        renews = up and now >= count.renew
        if (
            (count.uplink_packets if up else count.downlink_packets) <= LASTING
            or closed
            or now - count.moved >= GRAIN
            or renews
            or session.flow_timer is None
            or (watched and (count.watch is None or count.watch.over))
        ):  # else neither its class nor its place in the table changes
            self._touch(session, flow, count, now, renews=renews)
        return True

    def _touch(self, session: Session, flow: ip.Flow, count: FlowCount, now: float, *, renews: bool = False) -> None:
        """Record that a flow is active; the flow that leaves the table for it is recorded and forgotten.

        `renews`: a packet of the card passes and renews its relation. No packet of the server or dropped packet does.
        """
        if session.flow_timer is None:
            watch(self.core, session)
        if renews:
            self.core.relations.renew(session, flow, count, now)
        leaving = session.flows.touch(flow, count, now)
        if leaving is not None:
            close_flow(self.core.site, session, EndReason.RESOURCES, leaving)

    def _ruled_out(
        self, session: Session, flow: ip.Flow, count: FlowCount, packet: bytes, *, up: bool
    ) -> tuple[str, str] | None:
        """Return the control that does not let a packet pass, and why; None if it passes."""
        if not (count.up if up else count.down) and not rules.reconsider(self.core, session, flow, count, up=up):
            return count.refused_by, count.why
        why = "" if up else gate.refusal(self.core, session, flow, count, packet)
        return (GATE.id, why) if why else None

    def _paid(self, session: Session, flow: ip.Flow, count: FlowCount, packet: bytes, size: int, *, up: bool) -> bool:
        """Take a packet's octets of those that an OCS has granted; where it has to wait for more it goes by itself."""
        assert session.credit is not None  # noqa: S101 - who calls has seen to it
        group = _group_of(session, count)
        passes = session.credit.take(
            group,
            size,
            count.ended,
            lambda granted: self._let_go(_Held(session, flow, count, packet, size, up), granted=granted),
            up=up,
        )
        if passes is None:
            count.waiting += size
            self._touch(session, flow, count, count.ended)
        elif not passes:
            self._refuse(session, flow, packet, QUOTA.id, f"{QUOTA.id}: {NOTHING_LEFT}", up=up)
        return bool(passes)

    def _let_go(self, held: _Held, *, granted: bool) -> bool:
        """Let a packet go that waited for octets, if it may still pass, else drop it; return whether it passes."""
        session, flow, waited, packet, size, up = held
        waited.waiting -= size
        if self.core.by_teid.get(session.teid) is not session:
            self._drop(session, packet, f"{QUOTA.id}: {NOTHING_LEFT}")
            return False
        count = session.flows.get(flow)
        if not granted or count is None or session.closed_by or (up and self.sgi is None):
            self._refuse(session, flow, packet, QUOTA.id, f"{QUOTA.id}: {NOTHING_LEFT}", up=up)
            return False
        rules.judge(self.core, session, flow, count, packet, up=up)  # there may be other rules now
        if not (count.up if up else count.down):
            self._refuse(session, flow, packet, count.refused_by, count.why, up=up)
            return False
        _passed(session, count, size, up=up)
        now = self.core.site.clock.now()
        self._touch(session, flow, count, now, renews=up and now >= count.renew)
        if up and self.sgi is not None:
            self.sgi.send_packets(_parts((packet,)))
        elif not up:
            self._send(_way(session, flow, packet)[0], _parts((packet,)))
        return True

    def _look(self, session: Session, flow: ip.Flow, count: FlowCount, packet: bytes, *, up: bool) -> bool:
        """Look what a flow shows, and say whether the packet still passes then: who says a name has not said it yet."""
        if not session.rules.directed:
            look(count, packet, count.ended, up=up)
        elif not rules.look_again(self.core, session, flow, count, packet, up=up):
            self._refuse(session, flow, packet, count.refused_by, count.why, up=up)
            return False
        return True

    def _whole(self, session: Session, flow: ip.Flow, packet: bytes, now: float, *, up: bool) -> bytes | None:
        """Return a packet with options or extensions; one in fragments when all of it is there."""
        try:
            whole: bytes | None = packet
            if not ip.is_routed(packet):
                found = ip.decode(packet)
                if not (found.offset or found.more):
                    return packet
                whole = session.reassemble(packet, now, up=up)
            if whole is not None and ip.is_routed(whole):  # behind the header of fragments, if not before it
                self._refuse(session, flow, whole, ROUTED, up=up)
                whole = None
        except PeerError as error:
            self._drop(session, packet, error.reason)
            return None
        return whole

    def _begin(self, session: Session, flow: ip.Flow, now: float, *, up: bool) -> FlowCount:
        previous = session.flows.get(flow)
        if previous is not None:
            close_flow(self.core.site, session, EndReason.FLOW, flow)
        count = FlowCount(now, outbound=up or (previous is not None and previous.outbound))
        session.flows.add(flow, count)
        begin(session, flow, count, now)
        return count

    def _refuse(self, session: Session, flow: ip.Flow, packet: bytes, rule: str, reason: str = "", *, up: bool) -> None:
        """Drop a packet that a rule does not let pass, and count it as dropped."""
        now = self.core.site.clock.now()
        count = session.flows.get(flow) or self._begin(session, flow, now, up=up)
        count.ended, count.closed_by, count.closed = now, rule, True
        for part in _parts((packet,)):
            count.dropped += 1
            count.dropped_octets += len(part)
            self._drop(session, part, reason or rule)
        self._touch(session, flow, count, now)
        if up and rule in _LISTS:
            self._answer(session, flow, packet, now)

    def _answer(self, session: Session, flow: ip.Flow, packet: bytes, now: float) -> None:
        """Answer a refused packet if the settings say so; the answer is not charged."""
        answer = build_answer(self.core.config, session, flow, packet)
        if answer is None:
            return
        end, bucket = _way(session, flow, answer)
        if bucket.take(len(answer), now):
            self._send(end, [answer])

    def _drop(self, session: Session | None, packet: bytes, reason: str) -> None:
        interface, subject = ("S5-U", session.imsi) if session is not None else ("SGi", "")
        self.core.site.drop_packet(interface, reason, packet, subject)
