"""The state of a running eNB, and what all its procedures need: numbers, senders, timers, books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.enb import forwarding
from simulators.enb.context import Bearer, Cell, Mme, Neighbour, Phase, RadioLink, UeContext
from simwarden.errors import PeerError
from simwarden.machine.token_bucket import Bucket
from simwarden.model.identity import Plmn, Tai
from simwarden.runtime.gtp.user import UserPlane
from simwarden.wire import s1ap, uu
from simwarden.wire.s1ap.values import GlobalEnbId, MacroEnbId, transport_layer_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.enb.config import EnbConfig
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.site import Site
    from simwarden.wire.s1ap.values import ErabLevelQosParameters, UeAggregateMaximumBitrate

#: SCTP streams: one for what concerns the whole interface, one for devices (TS 36.412 7)
COMMON_STREAM, UE_STREAM = 0, 1


#: why packets go no further
NOT_HERE = "the device is not connected here"
OVER_AMBR = "ambr: above the rate of the device"
#: the least octets that a rate lets pass at once are two packets of this size
_MTU = 1500


class Station:
    """A running eNB. Nothing here awaits: procedures are called with what arrived, and answer by sending.

    `on_tunnel_lost` hears of a device whose bearer the core has no more.
    """

    on_tunnel_lost: Callable[[UeContext], None]

    def __init__(self, site: Site, config: EnbConfig) -> None:
        self.site, self.config = site, config
        self.plmn = Plmn.parse(config.plmn)
        self.enb_id = config.identity(site.name)
        self.global_id = GlobalEnbId(self.plmn, MacroEnbId(self.enb_id))
        self.plane = UserPlane(site, "S1-U", "X2-U")
        self.plane.on_error = self._lose_tunnel
        self.s1u_address = transport_layer_address(self.plane.address)
        self.cells = {cell.ecgi.cell_identity: cell for cell in self._make_cells()}
        self.mmes = {name: Mme(name) for name in config.mmes}
        self.neighbours: list[Neighbour] = []
        self.radio: dict[RadioLink, None] = {}
        self.ues: dict[int, UeContext] = {}
        #: devices that are to turn up in a cell of ours, by the C-RNTI that their handover command gave them
        self.arriving: dict[int, UeContext] = {}
        #: devices in a handover by X2, by our number for them there
        self.on_x2: dict[int, UeContext] = {}
        self._last_ue_id = self._last_x2_id = 0
        self._last_rnti = 0x3C

    def _make_cells(self) -> list[Cell]:
        cells = []
        identities = self.config.ecgis(self.site.name)
        for number, (ecgi, each) in enumerate(zip(identities, self.config.cells, strict=True), 1):
            information = uu.CellInformation(
                ecgi,
                Tai(self.plmn, each.tac),
                cell_barred=each.barred,
                ac_barring_for_emergency=each.bar_emergency,
                ac_barring_for_mo_signalling=each.bar_signalling,
                ac_barring_for_mo_data=each.bar_data,
                ims_emergency_support=each.ims_emergency,
            )
            cells.append(Cell(number, f"{self.site.name}/{number}", information))
        return cells

    # -- devices

    def new_ue(self, cell: Cell) -> UeContext:
        """Make the context of a device, with numbers of its own."""
        self._last_ue_id = _next(self._last_ue_id, 0xFFFFFF, self.ues)
        ue = UeContext(self._last_ue_id, cell, self.new_rnti(), self.site.clock.now())
        self.ues[ue.enb_ue_id] = ue
        return ue

    def new_rnti(self) -> int:
        """Return a C-RNTI that no arriving device has (TS 36.321 7.1: 003D to FFF3)."""
        self._last_rnti = max(0x3D, _next(self._last_rnti, 0xFFF3, self.arriving))
        return self._last_rnti

    def new_x2_id(self) -> int:
        """Return the number of a device on X2 (12 bits)."""
        self._last_x2_id = _next(self._last_x2_id, 0xFFF, self.on_x2)
        return self._last_x2_id

    def join(self, ue: UeContext, radio: RadioLink) -> None:
        """Put a device's context and its radio link together."""
        ue.radio, radio.ue = radio, ue
        self._count(ue.cell, 1)

    def part(self, ue: UeContext) -> RadioLink | None:
        """Take them apart again."""
        radio, ue.radio = ue.radio, None
        if radio is not None:
            radio.ue = None
            self._count(ue.cell, -1)
        return radio

    def move(self, ue: UeContext, cell: Cell) -> None:
        """Note that a connected device is in another cell of ours."""
        self._count(ue.cell, -1)
        ue.cell, ue.active_since = cell, self.site.clock.now()
        self._count(cell, 1)

    def forget(self, ue: UeContext) -> RadioLink | None:
        """Drop all that is known of a device's connection; return the radio link that it had."""
        for timer in (ue.timer, ue.handover_timer):
            if timer is not None:
                timer.cancel()
        ue.timer = ue.handover_timer = ue.on_secured = ue.on_failure = None
        ue.awaited.clear()
        self.ues.pop(ue.enb_ue_id, None)
        if self.arriving.get(ue.c_rnti) is ue:
            del self.arriving[ue.c_rnti]
        if self.on_x2.get(ue.x2_id) is ue:
            del self.on_x2[ue.x2_id]
        for e_rab_id in list(ue.bearers):
            self.remove_bearer(ue, e_rab_id)
        ue.forwards.clear()
        return self.part(ue)

    # -- bearers and their packets

    def add_bearer(
        self, ue: UeContext, e_rab_id: int, qos: ErabLevelQosParameters, core_address: bytes, core_teid: int
    ) -> Bearer:
        """Note a bearer, and open our end of its tunnel."""
        own_teid = self.plane.open(
            lambda packets: self.downlink(ue, e_rab_id, packets), lambda: forwarding.pass_end(self, ue, e_rab_id)
        )
        bearer = ue.bearers[e_rab_id] = Bearer(e_rab_id, qos, core_address, core_teid, own_teid)
        return bearer

    def remove_bearer(self, ue: UeContext, e_rab_id: int) -> bool:
        """Forget a bearer, and close its tunnel; whether there was one."""
        bearer = ue.bearers.pop(e_rab_id, None)
        if bearer is not None:
            self.plane.close(bearer.own_teid)
            forwarding.give_up(self, ue, e_rab_id)
        return bearer is not None

    def has_room(self, qos: ErabLevelQosParameters) -> bool:
        """Whether a bearer of that quality is admitted."""
        return qos.qci not in self.config.refused_qcis

    def take_ambr(self, ue: UeContext, ambr: UeAggregateMaximumBitrate | None) -> None:
        """Take note of the UE-AMBR; None says nothing of it."""
        if ambr is not None and ambr != ue.ambr:
            ue.ambr, now = ambr, self.site.clock.now()
            down, up = (Bucket(rate / 1000, _MTU, now, OVER_AMBR) for rate in ambr)
            ue.limits = up, down

    def within_ambr(self, ue: UeContext, bearer: Bearer, packets: list[bytes], *, up: bool) -> list[bytes]:
        """Return those packets that the UE-AMBR lets pass; it is not about bearers with guaranteed rates."""
        if ue.limits is None or bearer.qos.gbr_qos_information is not None:
            return packets
        bucket, now = ue.limits[not up], self.site.clock.now()
        passed = [each for each in packets if bucket.take(len(each), now)]
        if len(passed) < len(packets):
            kept = set(map(id, passed))
            self.drop([each for each in packets if id(each) not in kept], bucket.over)
        return passed

    def uplink(self, ue: UeContext, e_rab_id: int, packets: list[bytes]) -> None:
        """Bring packets of a device to the core (TS 36.300 8.2)."""
        bearer = ue.bearers[e_rab_id]
        ue.last_active = self.site.clock.now()
        packets = self.within_ambr(ue, bearer, packets, up=True)
        self.plane.send(packets, bearer.core_teid, bearer.core_host, "S1-U")

    def downlink(self, ue: UeContext, e_rab_id: int, packets: list[bytes]) -> None:
        """Bring packets of the core to a device, or after it where it has gone."""
        if e_rab_id in ue.arrivals:
            forwarding.take_fresh(self, ue, e_rab_id, packets)
            return
        if ue.phase == Phase.LEFT and e_rab_id in ue.forwards:
            far = ue.forwards[e_rab_id]
            self.plane.send(packets, far.teid, far.host, far.on)
            return
        if ue.radio is None or ue.phase not in (Phase.ACTIVE, Phase.PREPARING):
            self.drop(packets, NOT_HERE)
            return
        packets = self.within_ambr(ue, ue.bearers[e_rab_id], packets, up=False)
        self.to_radio(ue, ue.radio, e_rab_id, packets)

    def to_radio(self, ue: UeContext, radio: RadioLink, e_rab_id: int, packets: list[bytes]) -> None:
        """Send packets to a device that is here."""
        ue.last_active = self.site.clock.now()
        radio.link.send_packets([uu.encode(uu.UserData(e_rab_id, each)) for each in packets])

    def drop(self, packets: list[bytes], reason: str) -> None:
        """Tell of packets that go no further."""
        for each in packets:
            self.site.drop_packet("S1-U", reason, each)

    def _lose_tunnel(self, teid: int, host: str) -> None:
        """Have the connection released whose bearer the core has no more (TS 23.007 22)."""
        for ue in list(self.ues.values()):
            if any((each.core_teid, each.core_host) == (teid, host) for each in ue.bearers.values()):
                self.on_tunnel_lost(ue)

    def _count(self, cell: Cell, change: int) -> None:
        cell.connected += change
        self.site.observe("connected", {"cell": str(cell.ecgi), "devices": cell.connected}, key=cell.name)

    # -- timers

    def watch(self, ue: UeContext, seconds: float, expired: Callable[[], None]) -> None:
        """Call back when the device has been quiet for so long; what it does meanwhile puts that off."""
        if ue.timer is not None:
            ue.timer.cancel()
            ue.timer = None
        if seconds:
            ue.last_active = self.site.clock.now()
            ue.timer = self._arm(ue, seconds, seconds, expired)

    def _arm(self, ue: UeContext, delay: float, seconds: float, expired: Callable[[], None]) -> Timer:
        def check() -> None:
            rest = ue.last_active + seconds - self.site.clock.now()
            # a rest below a millisecond is rounding
            if rest > 1e-3:
                ue.timer = self._arm(ue, rest, seconds, expired)
            else:
                ue.timer = None
                expired()

        return self.site.clock.call_later(delay, check)

    # -- sending

    def to_mme(self, mme: Mme | None, name: str, stream: int = COMMON_STREAM, **ies: Any) -> None:
        """Send an S1AP message; elements that are None are left out."""
        if mme is not None and mme.link is not None:
            elements = {key: value for key, value in ies.items() if value is not None}
            mme.link.send(s1ap.encode(s1ap.Message(name, elements)), stream=stream)

    def ue_to_mme(self, ue: UeContext, name: str, **ies: Any) -> None:
        """Send an S1AP message about a device, with both its numbers."""
        self.to_mme(ue.mme, name, UE_STREAM, mme_ue_s1ap_id=ue.mme_ue_id, enb_ue_s1ap_id=ue.enb_ue_id, **ies)

    def observe_s1(self, mme: Mme, state: str) -> None:
        """Note how S1 to an MME is."""
        if mme.state != state:
            mme.state = state
            self.site.observe("s1", {"mme": mme.name, "state": state, "name": mme.title}, key=mme.name)


def _next(last: int, highest: int, used: Any) -> int:
    """Return the number after `last` (from 1, around at `highest`) that is not in use. Raises PeerError."""
    if len(used) >= highest:
        raise PeerError(f"all {highest} numbers are in use")
    number = last
    while True:
        number = number + 1 if number < highest else 1
        if number not in used:
            return number
