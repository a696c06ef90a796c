"""The state of one SGW while it runs: devices and PDN connections by card and tunnel, and their packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.sgw.controls import CREATE_SESSION
from simulators.sgw.session import Bearer, Connection, Device
from simwarden.runtime.gtp.charging import Records
from simwarden.runtime.gtp.node import NoAnswerError
from simwarden.runtime.gtp.user import UserPlane, new_teid
from simwarden.trace.records import CauseForRecClosing
from simwarden.wire.gtpv2 import FTeid, InterfaceType, network_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulators.sgw.config import SgwConfig
    from simwarden.policy.decision import Control
    from simwarden.runtime.gtp.node import GtpNode, Peer
    from simwarden.runtime.site import Site
    from simwarden.wire.gtpv2 import Message

NOT_SET_UP = "its session is not set up yet"
FULL = "too many packets wait for the device"
NOT_REACHED = "the device was not reached"
UNCOUNTED = "it was received during a charging pause"
NO_PLACE = "the MME has not said where the device is"


class Core:
    """Devices of an SGW.

    `page` is called for a bearer with packets for an idle device, `pause` for a PDN connection of which so many packets
    were dropped that charging is to pause.
    """

    node: GtpNode
    page: Callable[[Bearer], None]
    pause: Callable[[Connection], None]

    def __init__(self, site: Site, config: SgwConfig) -> None:
        self.site, self.config = site, config
        self.plane = UserPlane(site, "S1-U", "S5-U", check_senders=config.check_senders)
        self.devices: dict[str, Device] = {}
        #: by this node's TEIDs of S11, and of S5
        self.by_teid: dict[int, Device] = {}
        self.by_s5_teid: dict[int, Connection] = {}
        self.records = Records(site, "sGWRecord", config.partial_records)

    def knows(self, control: Control, name: str, host: str, listed: tuple[str, ...], imsi: str) -> bool:
        """Decide whether a node is one of the dedicated core."""
        facts = {"name": name, "host": host, "listed": listed}
        return self.site.decide(control, imsi, on=CREATE_SESSION, **facts).admitted

    def is_mme(self, message: Message, peer: Peer) -> bool:
        """Return True if a peer is the MME of the device that a message is about, or becomes it by a request."""
        device = self.by_teid.get(message.teid)
        if device is None or message.name == "create-session-request":  # which the control sgw.peer is about
            return True
        if message.name == "modify-bearer-request" and "sender_f_teid" in message.ies:
            return peer.name in self.config.mmes or peer.host in self.config.mmes
        return peer.host in (device.mme_host, *device.mme.addresses)

    def is_pgw(self, message: Message, peer: Peer) -> bool:
        """Return True if a peer is the PGW of the PDN connection that a message is about."""
        connection = self.by_s5_teid.get(message.teid)
        return connection is None or peer.host in (connection.pgw_host, *connection.pgw.addresses)

    def sender_teid(self, teid: int) -> int:
        """Return the far end's TEID for one of this node's: the MME's, or the PGW's."""
        device, connection = self.by_teid.get(teid), self.by_s5_teid.get(teid)
        if device is not None:
            return device.mme.teid
        return connection.pgw.teid if connection is not None else 0

    def connections(self) -> Iterator[Connection]:
        """Yield all PDN connections."""
        for device in self.devices.values():
            yield from device.connections.values()

    def device(self, key: str, imsi: str, mme: FTeid) -> Device:
        """Return what is known of a card (or of a terminal without one), which that MME has now."""
        found = self.devices.get(key)
        if found is None:
            found = self.devices[key] = Device(key, imsi, mme, new_teid(self.site.rng, self.by_teid))
            self.by_teid[found.teid] = found
        found.mme = mme
        return found

    def open(self, connection: Connection) -> None:
        """Open the tunnels of a PDN connection."""
        connection.teid = new_teid(self.site.rng, self.by_s5_teid)
        self.by_s5_teid[connection.teid] = connection
        self.open_tunnels(connection)
        connection.device.connections[connection.ebi] = connection

    def open_tunnels(self, bearer: Bearer) -> None:
        """Open the tunnels of a bearer's packets."""
        bearer.s1_teid = self.plane.open(lambda packets: self.uplink(bearer, packets))
        bearer.s5_teid = self.plane.open(
            lambda packets: self.downlink(bearer, packets),
            senders=lambda: bearer.pgw_user.addresses if bearer.pgw_user is not None else (),
        )

    def close_bearer(self, bearer: Bearer, cause: CauseForRecClosing) -> None:
        """Close the tunnels of a bearer, and its record."""
        if bearer.account is not None:
            bearer.account.close(cause)
            bearer.account = None
        self.plane.close(bearer.s1_teid)
        self.plane.close(bearer.s5_teid)
        self.drop_waiting(bearer)
        self.drop_held(bearer)

    def close(self, connection: Connection, cause: CauseForRecClosing = CauseForRecClosing.ABNORMAL_RELEASE) -> None:
        """Close a PDN connection and its record; a device without any is forgotten."""
        if self.by_s5_teid.pop(connection.teid, None) is None:
            return
        for bearer in connection.bearers:
            self.close_bearer(bearer, cause)
        device = connection.device
        del device.connections[connection.ebi]
        self.site.observe("session", None, key=connection.key)
        if not device.connections:
            device.end_paging()
            self.end_forwarding(device)
            self.devices.pop(device.key, None)
            self.by_teid.pop(device.teid, None)

    def end_forwarding(self, device: Device) -> None:
        """Close the tunnels of a handover."""
        ended, device.forwarding = device.forwarding, []
        for teid in ended:
            self.plane.close(teid)

    def tell(self, connection: Connection) -> None:
        """Tell of a PDN connection as it is now."""
        device = connection.device
        shown = {
            "imsi": device.imsi or None,
            "apn": network_identifier(connection.apn),
            "ebi": connection.ebi,
            "mme": self.site.behind(device.mme.address) or device.mme.address,
            "pgw": self.site.behind(connection.pgw.address) or connection.pgw.address,
            "state": "idle" if connection.enb is None else "connected",
        }
        self.site.observe("session", shown, key=connection.key)

    # -- requests

    async def ask_mme(self, device: Device, message: Message, commanded: int = 0) -> Message | None:
        """Send a request to the MME of a device; None without an answer, which is noted.

        `commanded`: the number of the MME's command that it carries out.
        """
        return await self._ask(device, message, device.mme.address, "S11", commanded)

    async def ask_pgw(self, connection: Connection, message: Message) -> Message | None:
        """Send a request to the PGW of a PDN connection; None without an answer, which is noted."""
        return await self._ask(connection.device, message, connection.pgw.address, "S5-C")

    async def _ask(self, device: Device, message: Message, host: str, point: str, commanded: int = 0) -> Message | None:
        try:
            return await self.node.ask(message, host, point, commanded)
        except NoAnswerError as error:
            self.site.note(str(error), imsi=device.imsi)
            return None

    # -- this node's ends of tunnels

    def control_end(self, kind: InterfaceType, teid: int) -> FTeid:
        """Return an end of GTP-C."""
        return FTeid.at(kind, teid, self.node.address)

    def user_end(self, kind: InterfaceType, teid: int) -> FTeid:
        """Return an end of GTP-U."""
        return FTeid.at(kind, teid, self.plane.address)

    # -- packets

    def uplink(self, bearer: Bearer, packets: list[bytes]) -> None:
        """Bring packets of a device to its PGW.

        Of a device that is idle they come before the MME has said where it is now, as they overtake that (TS 23.401
        5.3.4.1): where the PGW wants to hear of places, they wait for it.
        """
        end = bearer.pgw_user
        if end is None:
            self.drop(bearer, packets, NOT_SET_UP, "S1-U")
        elif bearer.enb is None and self._is_reported(bearer):
            room = self.config.buffered_packets - len(bearer.held)
            bearer.held.extend(packets[:room])
            self.drop(bearer, packets[room:], FULL, "S1-U")
        else:
            self.plane.send(packets, end.teid, end.address, "S5-U")
            self._charge(bearer, packets, up=True)

    @staticmethod
    def _is_reported(bearer: Bearer) -> bool:
        return any(each.reported and bearer in each.bearers for each in bearer.device.connections.values())

    def let_out(self, bearer: Bearer) -> None:
        """Bring to the PGW what has come from a device, of which that knows now where it is."""
        packets, bearer.held = bearer.held, []
        if packets:
            self.uplink(bearer, packets)

    def downlink(self, bearer: Bearer, packets: list[bytes]) -> None:
        """Bring packets to a device, or keep them until it has been paged (TS 23.401 5.3.4.3)."""
        if bearer.enb is not None:
            self._to_device(bearer, bearer.enb, packets)
            return
        room = self.config.buffered_packets - len(bearer.waiting)
        bearer.waiting.extend(packets[:room])
        self.drop(bearer, packets[room:], FULL, "S5-U")
        self._count_dropped(bearer, len(packets[room:]))
        self.page(bearer)

    def flush(self, bearer: Bearer, enb: FTeid) -> None:
        """Deliver waiting packets to a connected device, except those that the PGW has not charged."""
        if bearer.waiting:
            packets, bearer.waiting = bearer.waiting, []
            connection = self._connection_of(bearer)
            paused = connection is not None and connection.paused
            most = bearer.counted + self.config.paused_packets if paused else len(packets)
            self._to_device(bearer, enb, packets[:most])
            self.drop(bearer, packets[most:], UNCOUNTED, "S5-U")

    def _to_device(self, bearer: Bearer, enb: FTeid, packets: list[bytes]) -> None:
        self.plane.send(packets, enb.teid, enb.address, "S1-U")
        self._charge(bearer, packets, up=False)

    @staticmethod
    def _charge(bearer: Bearer, packets: list[bytes], *, up: bool) -> None:
        """Count what goes on (TS 32.251 5.2.3.4): the packets' own octets."""
        if bearer.account is not None:
            bearer.account.count(sum(map(len, packets)), up=up)

    def drop_waiting(self, bearer: Bearer) -> None:
        """Give up packets that wait for a device that was not reached."""
        packets, bearer.waiting, bearer.counted = bearer.waiting, [], 0
        self.drop(bearer, packets, NOT_REACHED, "S5-U")
        self._count_dropped(bearer, len(packets))

    def _count_dropped(self, bearer: Bearer, packets: int) -> None:
        """Count dropped packets of a device's PDN connection; from a threshold on its PGW is to pause charging."""
        connection = self._connection_of(bearer)
        if connection is None or self.by_s5_teid.get(connection.teid) is not connection:
            return  # it ends
        connection.dropped += packets
        is_due = packets and connection.dropped >= self.config.pause_threshold
        reached = connection.enb is not None  # by its default bearer; only another bearer is idle
        if is_due and connection.pausable and not connection.paused and not reached:
            for each in connection.bearers:
                each.counted = len(each.waiting)
            self.pause(connection)

    @staticmethod
    def _connection_of(bearer: Bearer) -> Connection | None:
        connections = bearer.device.connections.values()
        return next((each for each in connections if bearer in each.bearers), None)

    def drop_held(self, bearer: Bearer) -> None:
        """Give up packets that a device has sent from nobody knows where."""
        packets, bearer.held = bearer.held, []
        self.drop(bearer, packets, NO_PLACE, "S1-U")

    def drop(self, bearer: Bearer, packets: list[bytes], reason: str, interface: str) -> None:
        """Tell of packets that go no further."""
        for each in packets:
            self.site.drop_packet(interface, reason, each, bearer.device.imsi)

    def of_mme(self, peer: Peer) -> list[Connection]:
        """Return the PDN connections of an MME."""
        return [each for each in self.connections() if each.device.mme.address == peer.host]

    def of_pgw(self, peer: Peer) -> list[Connection]:
        """Return the PDN connections to a PGW, but for those that it has not answered for yet."""
        found = (each for device in self.devices.values() for each in device.standing)
        return [each for each in found if each.pgw.address == peer.host]
